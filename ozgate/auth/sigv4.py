"""Signature Version 4, the server's side: one gate in front of every operation.

:func:`authenticate` takes what a request says about who signed it, from the ``Authorization`` header or from the
query of a presigned URL, and answers a :class:`Verified` or raises what AWS answers. Source of the rules: Amazon S3 API
Reference, "Authenticating Requests (AWS Signature Version 4)"; messages are AWS's.

One decision is ours: **any region is accepted**. A gateway is one endpoint, and clients come with whatever
region they were configured with; the region they name is part of what they sign all the same.

Imports errors only; addresses and headers come as arguments.
"""

from __future__ import annotations

import hmac
import secrets as random
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from attrs import frozen

from ..errors import (
    AccessDenied,
    InvalidAccessKeyId,
    InvalidToken,
    SignatureDoesNotMatch,
)
from . import sigv2 as version_2
from .canonical import (
    ALGORITHM,
    TERMINATOR,
    UNSIGNED_PAYLOAD,
    canonical_request,
    query_items,
    signature,
    signing_key,
    string_to_sign,
)
from .claims import Claim, read_claim

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..interfaces import ISecretStore
    from ..wire.headers import Headers
    from ..wire.target import Address

_TOKEN = "x-amz-security-token"

_NOBODY = random.token_hex(32)
"""Stands for the secret of an unknown access id, so that it costs the same work."""


@frozen
class Verified:
    """What the gate found.

    :ivar payload: the value of ``x-amz-content-sha256``: ``UNSIGNED-PAYLOAD``, 64 hex digits or ``STREAMING-…``.
    :ivar signing_key: for chunk signatures; ``None`` when security is off.
    :ivar scope: ``date/region/s3/aws4_request``.
    :ivar timestamp: the request's time, ``yyyyMMddTHHmmssZ``.
    :ivar signature: the request's signature, which chunk signatures go on from.
    """

    access_id: str
    payload: str
    signing_key: bytes | None
    scope: str
    timestamp: str
    signature: str
    presigned: bool
    user: str = ""


async def authenticate(
    method: str,
    address: Address,
    headers: Headers,
    secrets: ISecretStore | None,
    now: float,
    sigv2: bool = False,
) -> Verified:
    """Find out who signed a request, and whether they did.

    :param secrets: ``None`` when security is off: the signature is not verified, but its presence, form
        and date are.
    :param now: seconds since the epoch.
    :param sigv2: whether presigned URLs of version 2 are accepted (:mod:`ozgate.auth.sigv2`).
    :raises S3Error: as AWS: AccessDenied, AuthorizationHeaderMalformed, AuthorizationQueryParametersError,
        InvalidAccessKeyId, InvalidArgument, InvalidRequest, InvalidToken, NotImplemented, RequestTimeTooSkewed,
        SignatureDoesNotMatch.
    """
    items = address.query.items()
    claim = read_claim(items, headers, now, sigv2)
    if claim is None:
        return await _authenticate_version_2(method, address, headers, secrets, now)
    signer = claim.signer
    _check_all_signed(signer.covered, headers)
    key = None
    user = signer.access_id
    if secrets is not None:
        credential = await secrets.secret(signer.access_id)
        secret = "" if credential is None else credential.secret
        user = user if credential is None else credential.user
        key = _check_signature(claim, method, address, headers, items, secret)
        _check_no_token(headers, items)
    return Verified(
        signer.access_id,
        claim.payload,
        key,
        signer.scope,
        claim.timestamp,
        claim.signature,
        claim.presigned,
        user,
    )


def _check_signature(
    claim: Claim,
    method: str,
    address: Address,
    headers: Headers,
    items: list[tuple[str, str]],
    secret: str,
) -> bytes:
    """Hold a claim against a secret.

    :param secret: empty where nobody has the access id.
    :return: the key that the request was signed with.
    :raises S3Error: InvalidAccessKeyId, SignatureDoesNotMatch.
    """
    signer = claim.signer
    # An unknown access id takes the way of a wrong signature to its end: neither is told from the
    # other by the time it takes.
    key = signing_key(secret or _NOBODY, signer.date, signer.region)
    request = canonical_request(
        method,
        address.raw_path,
        items,
        [(name, headers.get(name) or "") for name in signer.names],
        signer.signed_headers,
        claim.payload,
    )
    text = string_to_sign(claim.timestamp, signer.scope, request)
    matches = hmac.compare_digest(
        signature(key, text).encode(), claim.signature.encode()
    )
    if not secret:
        raise InvalidAccessKeyId(AWSAccessKeyId=signer.access_id)
    if not matches:
        raise _mismatch(claim, text, request)
    return key


async def confirm(verified: Verified, secrets: ISecretStore | None) -> None:
    """Make sure that what a request was signed with, if it was, is still a secret: its body may have taken hours.

    :raises InvalidAccessKeyId: it was revoked or replaced, or has expired. A presigned URL of version 2 does not tell of a
        replacement.
    """
    if secrets is None or not verified.access_id:
        return
    credential = await secrets.secret(verified.access_id)
    if credential is not None:
        if verified.signing_key is None:
            return
        date, region = verified.scope.split("/")[:2]
        key = signing_key(credential.secret, date, region)
        if hmac.compare_digest(key, verified.signing_key):
            return
    raise InvalidAccessKeyId(AWSAccessKeyId=verified.access_id)


async def _authenticate_version_2(
    method: str,
    address: Address,
    headers: Headers,
    secrets: ISecretStore | None,
    now: float,
) -> Verified:
    """The same for a presigned URL of version 2, whose signature no chunk can go on from."""
    items = address.query.items()
    claim = version_2.read_claim(items, headers, now)
    user = claim.access_id
    if secrets is not None:
        credential = await secrets.secret(claim.access_id)
        secret = "" if credential is None else credential.secret
        user = user if credential is None else credential.user
        wrong = version_2.mismatch(claim, method, address, headers, secret or _NOBODY)
        if not secret:
            raise InvalidAccessKeyId(AWSAccessKeyId=claim.access_id)
        if wrong is not None:
            raise wrong
        _check_no_token(headers, items)
    return Verified(
        claim.access_id, claim.payload, None, "", "", claim.signature, True, user
    )


def _check_no_token(headers: Headers, items: list[tuple[str, str]]) -> None:
    """Refuse a session's token: no key has sessions here, and a token that is ignored narrows nothing down.

    :raises InvalidToken: there is one, in a header or in the query.
    """
    if headers.get(_TOKEN) or any(
        value and name.lower() == _TOKEN for name, value in items
    ):
        raise InvalidToken()


def _mismatch(claim: Claim, text: str, request: str) -> SignatureDoesNotMatch:
    return SignatureDoesNotMatch(
        AWSAccessKeyId=claim.signer.access_id,
        StringToSign=text,
        SignatureProvided=claim.signature,
        StringToSignBytes=text.encode().hex(" "),
        CanonicalRequest=request,
        CanonicalRequestBytes=request.encode().hex(" "),
    )


def sign(
    method: str,
    url: str,
    headers: Mapping[str, str],
    access_id: str,
    secret: str,
    region: str,
    now: float,
    payload: str = UNSIGNED_PAYLOAD,
) -> dict[str, str]:
    """Sign a request with headers, as a client.

    :param url: absolute, its path and query percent-encoded.
    :param now: seconds since the epoch.
    :param payload: the value for ``x-amz-content-sha256``.
    :return: the headers to send, lower-case names: those given, ``host`` and those of the signature.
    """
    parts = urlsplit(url)
    timestamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
    signed = {name.lower(): value.strip() for name, value in headers.items()}
    signed.setdefault("host", parts.netloc)
    signed["x-amz-date"] = timestamp
    signed["x-amz-content-sha256"] = payload
    names = sorted(signed)
    request = canonical_request(
        method,
        parts.path.encode(),
        query_items(parts.query),
        [(name, signed[name]) for name in names],
        ";".join(names),
        payload,
    )
    scope = f"{timestamp[:8]}/{region}/s3/{TERMINATOR}"
    key = signing_key(secret, timestamp[:8], region)
    signed["authorization"] = (
        f"{ALGORITHM} Credential={access_id}/{scope}, SignedHeaders={';'.join(names)}, "
        f"Signature={signature(key, string_to_sign(timestamp, scope, request))}"
    )
    return signed


def _check_all_signed(signed: frozenset[str], headers: Headers) -> None:
    """Refuse what the signature does not cover: a header added on the way would be believed.

    The payload's hash is a line of its own in what is signed.
    """
    missing = [
        name
        for name, _ in headers.items()
        if name not in signed
        and (name[:6] == "x-amz-" or name == "content-md5")
        and name != "x-amz-content-sha256"
    ]
    if "host" not in signed:
        missing.insert(0, "host")
    if missing:
        raise AccessDenied(
            "There were headers present in the request which were not signed",
            HeadersNotSigned=", ".join(missing),
        )
