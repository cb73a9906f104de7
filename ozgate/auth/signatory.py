"""Whose a signature is, where the secret is at hand: the one place where one is computed for comparison.

Source of the rules: Amazon S3 API Reference, "Authenticating Requests (AWS Signature Version 4)"; Amazon S3 User Guide, "Signing and
authenticating REST requests (AWS signature version 2)".
"""

from __future__ import annotations

import hmac
from base64 import b64encode
from secrets import token_hex

from ..errors import Absent, InvalidToken
from ..values import NO_GRANTS, Credential, Grants, Presented, Signatory
from .canonical import signature, signing_key

_NOBODY = token_hex(32)
"""Stands for the secret of an unknown access id, so that it costs the same work."""


def signatory_of(
    presented: Presented, credential: Credential | None, grants: Grants = NO_GRANTS
) -> Signatory | None:
    """Hold a signature against a secret, in a time that does not tell how far they agree.

    :param credential: of the access id; ``None`` where nobody has it.
    :param grants: what whoever has it is granted.
    :return: ``None`` where it is another's.
    :raises InvalidToken: it is right, and a token came with it, which only sessions have.
    :raises Absent: nobody has the access id. That takes the way of a wrong signature to its end: neither is told from the other by
        the time it takes.
    """
    secret = credential.secret if credential is not None else ""
    key, text = None, presented.string_to_sign
    if presented.region:
        key = signing_key(
            secret or _NOBODY, presented.date, presented.region, presented.service
        )
        computed = signature(key, text).encode()
    else:
        digest = hmac.digest((secret or _NOBODY).encode(), text.encode(), "sha1")
        computed = b64encode(digest)
    matches = hmac.compare_digest(computed, presented.signature.encode())
    if credential is None or not secret:
        raise Absent(f"nobody has the access id {presented.access_id}")
    if not matches:
        return None
    if presented.token:
        raise InvalidToken()
    return Signatory(credential.user, key, grants)
