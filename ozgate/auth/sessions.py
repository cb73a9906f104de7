"""Sessions: credentials that last for a while, and can do no more than whoever made them.

A session is kept nowhere: its token says what it is, sealed under a key that is derived from the master key (:mod:`ozgate.auth.sealing`), and bound
to the session's access id. So a session outlives restarts, and every gateway that has the master key knows it. It is no
better than what it was made with: that secret is looked up for every request, and a session of one that was revoked, replaced or
has expired is refused by the very next.

Source of the rules: AWS Security Token Service API Reference, "AssumeRole" and "GetSessionToken"; IAM User Guide, "Temporary security credentials in IAM".
"""

from __future__ import annotations

import json
from base64 import b64encode, urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as BadBase64
from hmac import compare_digest
from secrets import choice, token_bytes
from string import ascii_uppercase, digits
from typing import Any

from attrs import evolve
from twisted.internet.defer import Deferred, execute
from zope.interface import implementer

from ..errors import Damaged, ExpiredToken, InvalidToken
from ..errors.iam import PackedPolicyTooLarge
from ..interfaces import ISecretStore, IVerifier
from ..values import Credential, Presented, Session, Signatory, Standing
from .sealing import MasterKey
from .signatory import signatory_of

PREFIX = "ASIA"
"""What access ids of sessions begin with, as AWS's do."""

MOST = 8192
"""Characters of a token: it comes in a header, beside others."""

_LETTERS = ascii_uppercase + digits


def new_access_id() -> str:
    """An access id for a new session."""
    return PREFIX + "".join(choice(_LETTERS) for _ in range(16))


def new_secret() -> str:
    """A secret for a new session: 40 characters, as AWS's have."""
    return b64encode(token_bytes(30)).decode("ascii")


class SessionTokens:
    """Makes tokens, and opens them.

    :param key: the master key, of which their own is derived.
    """

    def __init__(self, key: MasterKey) -> None:
        self._key = key.derived("sessions")

    def seal(self, session: Session) -> str:
        """The token of a session.

        :raises PackedPolicyTooLarge: it would be too long to be sent.
        """
        said = {
            "secret": session.secret,
            "parent": session.parent,
            "bond": session.bond.hex(),
            "user": session.user,
            "kind": session.kind,
            "name": session.name,
            "issued": session.issued,
            "expires": session.expires,
            "limits": [each.decode() for each in session.limits],
            "policies": session.policies,
        }
        text = json.dumps(said, separators=(",", ":"), ensure_ascii=False)
        sealed = self._key.seal(session.access_id, text)
        token = urlsafe_b64encode(sealed).decode("ascii")
        if len(token) > MOST:
            raise PackedPolicyTooLarge()
        return token

    def open(self, access_id: str, token: str) -> Session:
        """The session that a token is of.

        :raises InvalidToken: it is none, or that of another access id.
        """
        try:
            if len(token) > MOST:
                raise ValueError
            sealed = urlsafe_b64decode(token.encode("ascii"))
            # What decodes to the same bytes is not the same token: of those that do, one is ours.
            if not compare_digest(urlsafe_b64encode(sealed), token.encode("ascii")):
                raise ValueError
            said: dict[str, Any] = json.loads(self._key.open(access_id, sealed))
        except (BadBase64, ValueError, Damaged):
            raise InvalidToken() from None
        said["bond"] = bytes.fromhex(said["bond"])
        said["limits"] = tuple(each.encode() for each in said["limits"])
        said["policies"] = tuple(said["policies"])
        return Session(access_id=access_id, **said)


@implementer(IVerifier)
class Sessions:
    """Verifies what is signed with the secrets of sessions. What is no session's is for the secrets behind it.

    :ivar secrets: what sessions are made with.
    :ivar tokens: makes tokens, and opens them.
    """

    def __init__(self, key: MasterKey, secrets: ISecretStore) -> None:
        self.tokens = SessionTokens(key)
        self.secrets = secrets
        self._verifier = IVerifier(secrets)

    def verify(self, presented: Presented) -> Deferred[Signatory | None]:
        """See :class:`~ozgate.interfaces.IVerifier`."""
        if not presented.token or not presented.access_id.startswith(PREFIX):
            return self._verifier.verify(presented)
        opened = execute(self.tokens.open, presented.access_id, presented.token)
        return opened.addCallback(self._stand, presented)

    def _stand(
        self, session: Session, presented: Presented
    ) -> Deferred[Signatory | None]:
        if session.parent:
            standing = self.secrets.standing(session.parent)
        else:
            standing = self.secrets.standing_by(session.user, session.policies)
        return standing.addCallback(_verified, session, presented)


def _verified(
    standing: Standing, session: Session, presented: Presented
) -> Signatory | None:
    """Whose a session's signature is, by what it was made with as that is now.

    :raises ExpiredToken: it is over.
    :raises Absent: it was made with a secret that is there no more.
    """
    if session.expires <= standing.now:
        raise ExpiredToken()
    credential = None
    if standing.bond == session.bond:
        credential = Credential(session.secret, session.user)
    signatory = signatory_of(evolve(presented, token=""), credential)
    if signatory is None:
        return None
    limits = (*standing.grants.limits, *session.limits)
    grants = evolve(standing.grants, limits=limits)
    return evolve(signatory, grants=grants, session=session)
