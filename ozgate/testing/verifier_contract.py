"""What every :class:`~ozgate.interfaces.IVerifier` must do, as tests to mix into a ``TestCase``.

::

    class MyVerifierTests(VerifierContract, TestCase):
        async def make_verifier(self, secrets): return MyVerifier(…)

One whose secrets change while it is asked is held to :class:`ChangingVerifierContract` as well. The signatures are made here, with
nothing of :mod:`ozgate.auth`.
"""

# mypy: disable-error-code="no-untyped-call"
# The assertions of trial have no types.

from __future__ import annotations

import hmac
from base64 import b64encode
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from attrs import evolve
from twisted.internet.defer import Deferred, gatherResults
from twisted.python.failure import Failure
from zope.interface.verify import verifyObject

from ..errors import Absent, InvalidToken
from ..interfaces import IVerifier
from ..values import Presented

if TYPE_CHECKING:
    from twisted.trial.unittest import TestCase as _Base
else:
    _Base = object

ALICE, BOB, NOBODY = "alice/host@EXAMPLE.COM", "bob", "nobody"
SECRETS: Mapping[str, str] = {ALICE: "the secret of alice", BOB: "ein Schlüssel/+="}
TEXT = "AWS4-HMAC-SHA256\n20261130T000000Z\nwhat is signed, é"
DATE, REGION = "20261130", "eu-central-1"


def signing_key(secret: str, date: str = DATE, region: str = REGION) -> bytes:
    """What version 4 signs with. Source: Amazon S3 API Reference, "Calculating a signature"."""
    key = ("AWS4" + secret).encode()
    for part in (date, region, "s3", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def in_version_4(access_id: str, secret: str) -> Presented:
    """A signature of version 4."""
    signature = hmac.digest(signing_key(secret), TEXT.encode(), "sha256").hex()
    return Presented(access_id, TEXT, signature, DATE, REGION)


def in_version_2(access_id: str, secret: str) -> Presented:
    """A signature of version 2."""
    digest = hmac.digest(secret.encode(), TEXT.encode(), "sha1")
    return Presented(access_id, TEXT, b64encode(digest).decode())


VERSIONS = (in_version_4, in_version_2)


class _Octets(bytes):
    """Bytes that are compared in constant time or not at all."""

    def __eq__(self, other: object) -> bool:
        raise AssertionError("a signature was compared byte by byte")

    __ne__ = __eq__
    __hash__ = bytes.__hash__


class _Text(str):
    """Text that is; whoever encodes it has such bytes."""

    def __eq__(self, other: object) -> bool:
        raise AssertionError("a signature was compared character by character")

    __ne__ = __eq__
    __hash__ = str.__hash__

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        """See :class:`str`."""
        return _Octets(super().encode(encoding, errors))


class VerifierContract(_Base):
    """The suite. A test case that mixes it in gives :meth:`make_verifier`."""

    verifier: IVerifier

    async def make_verifier(self, secrets: Mapping[str, str]) -> IVerifier:
        """One that verifies with these secrets, by access id."""
        raise NotImplementedError

    def user_of(self, access_id: str) -> str:
        """Whom an access id speaks for."""
        return access_id

    async def setUp(self) -> None:  # type: ignore[override]
        """Make it."""
        self.verifier = await self.make_verifier(SECRETS)

    async def signs(self, presented: Presented) -> str | None:
        """Whose signature it is; ``None``: another's."""
        signatory = await self.verifier.verify(presented)
        return None if signatory is None else signatory.user

    async def refusal(self, presented: Presented) -> Absent:
        """How an access id is refused that nobody has."""
        asked: Deferred[Any] = self.verifier.verify(presented)
        error: Absent = await self.assertFailure(asked, Absent)
        return error

    async def test_token(self) -> None:
        """A token that is no session's of the access id is refused, never ignored, however well the rest is signed."""
        for version in VERSIONS:
            made = evolve(version(ALICE, SECRETS[ALICE]), token="x")
            await self.assertFailure(self.verifier.verify(made), InvalidToken)
            made = evolve(version(ALICE, SECRETS[BOB]), token="x")
            self.assertIsNone(await self.verifier.verify(made))
            await self.refusal(evolve(version(NOBODY, "x"), token="x"))

    def test_interface(self) -> None:
        """It provides the interface."""
        verifyObject(IVerifier, self.verifier)

    async def test_right(self) -> None:
        """A signature that a secret made is its user's, in both versions, each time; if a signing key is told, it is that of the day and the region."""
        for access_id, secret in SECRETS.items():
            for _ in range(2):
                for version in VERSIONS:
                    signatory = await self.verifier.verify(version(access_id, secret))
                    assert signatory is not None
                    self.assertEqual(signatory.user, self.user_of(access_id))
                    right = signing_key(secret) if version is in_version_4 else None
                    self.assertIn(signatory.signing_key, (None, right))

    async def test_wrong_secret(self) -> None:
        """A signature that another secret made is another's: also one of somebody else here, and one that is nearly right."""
        secret = SECRETS[ALICE]
        near = (secret[:-1], f"{secret}x", secret.upper(), f" {secret}", "AWS4", "")
        for version in VERSIONS:
            for other in (SECRETS[BOB], *near):
                self.assertIsNone(await self.signs(version(ALICE, other)))
            self.assertIsNone(await self.signs(version(BOB, secret)))

    async def test_another_text(self) -> None:
        """A signature is good for what was signed, and for nothing else."""
        for version in VERSIONS:
            right = version(ALICE, SECRETS[ALICE])
            for text in (TEXT[:-1], TEXT + " ", TEXT.upper(), ""):
                changed = evolve(right, string_to_sign=text)
                self.assertIsNone(await self.signs(changed))

    async def test_scope(self) -> None:
        """A signature of version 4 is good for its day and its region; neither version passes for the other."""
        right = in_version_4(ALICE, SECRETS[ALICE])
        for date, region in (
            ("20261129", REGION),
            ("", REGION),
            (DATE, "eu-central-2"),
            (DATE, REGION.upper()),
            (DATE, ""),
            ("", ""),
        ):
            changed = evolve(right, date=date, region=region)
            self.assertIsNone(await self.signs(changed))
        older = in_version_2(ALICE, SECRETS[ALICE])
        changed = evolve(older, date=DATE, region=REGION)
        self.assertIsNone(await self.signs(changed))
        # The region alone says which version it is.
        changed = evolve(older, date=DATE)
        self.assertEqual(await self.signs(changed), self.user_of(ALICE))

    async def test_bad_form(self) -> None:
        """What is no signature at all is another's, whatever it looks like."""
        for version in VERSIONS:
            right = version(ALICE, SECRETS[ALICE])
            good = right.signature
            for bad in (
                *("", good[:-1], good[1:], good + good[-1], f" {good}", f"{good}\n"),
                *(good.swapcase(), good[:-1] + "é", "\0" * len(good), "=", "*"),
            ):
                changed = evolve(right, signature=bad)
                self.assertIsNone(await self.signs(changed), bad)

    async def test_unknown(self) -> None:
        """An access id that nobody has is told from a wrong signature, whatever it was signed with; it is compared as it is."""
        secret = SECRETS[BOB]
        for version in VERSIONS:
            for unknown in (NOBODY, "bo", "bob ", "Bob", "bob\0", "bob~", "*", ""):
                for signed in (secret, "", "\0"):
                    presented = version(unknown, signed)
                    await self.refusal(presented)
                    await self.refusal(evolve(presented, signature=""))

    async def test_constant_time(self) -> None:
        """No comparison ends at the first difference: that would tell how far a guess is right."""
        for version in VERSIONS:
            right = version(ALICE, SECRETS[ALICE])
            wrong = version(ALICE, "another")
            unknown = version(NOBODY, "another")
            for presented, who in ((right, self.user_of(ALICE)), (wrong, None)):
                guarded = evolve(presented, signature=_Text(presented.signature))
                self.assertEqual(await self.signs(guarded), who)
            await self.refusal(evolve(unknown, signature=_Text(unknown.signature)))

    async def test_at_once(self) -> None:
        """Several who ask at once each have their own answer."""
        asked = [
            self.verifier.verify(version(access_id, signed))
            for version in VERSIONS
            for access_id in SECRETS
            for signed in SECRETS.values()
        ]
        found = await gatherResults(asked)
        self.assertEqual(
            [None if each is None else each.user for each in found],
            [
                self.user_of(access_id) if access_id == signed else None
                for _ in VERSIONS
                for access_id in SECRETS
                for signed in SECRETS
            ],
        )

    async def test_tells_nothing(self) -> None:
        """Nothing that it shows of itself, answers or fails with has a secret in it, or what is derived of one."""
        verifier = self.verifier
        told = [repr(verifier), str(verifier)]
        told += [repr(getattr(verifier, "__dict__", ""))]
        told += [
            repr(getattr(verifier, name))
            for name in dir(verifier)
            if not name.startswith("_")
        ]
        for version in VERSIONS:
            for access_id, secret in SECRETS.items():
                signatory = await verifier.verify(version(access_id, secret))
                told += [repr(signatory), str(signatory)]
            error = await self.refusal(version(NOBODY, "another"))
            told += [repr(error), str(error), Failure(error).getTraceback()]
        for secret in SECRETS.values():
            key = signing_key(secret)
            for hidden in (secret, repr(secret)[1:-1], key.hex(), repr(key)[2:-1]):
                for each in told:
                    self.assertNotIn(hidden, each)


class ChangingVerifierContract(VerifierContract):
    """The suite of a verifier whose secrets change while it is asked."""

    async def revoke(self, access_id: str) -> None:
        """Take the secret of an access id away."""
        raise NotImplementedError

    async def replace(self, access_id: str, secret: str) -> None:
        """Put another secret in the place of the one there is."""
        raise NotImplementedError

    async def expire(self) -> None:
        """Let time pass until all secrets have expired."""
        raise NotImplementedError

    async def test_revoked(self) -> None:
        """A secret that was revoked is none the very next time; all others stay."""
        await self.test_right()
        await self.revoke(BOB)
        for version in VERSIONS:
            await self.refusal(version(BOB, SECRETS[BOB]))
            self.assertIsNotNone(await self.signs(version(ALICE, SECRETS[ALICE])))

    async def test_replaced(self) -> None:
        """A secret that was replaced is wrong the very next time, and the new one is right."""
        await self.test_right()
        await self.replace(BOB, "a new secret")
        for version in VERSIONS:
            self.assertIsNone(await self.signs(version(BOB, SECRETS[BOB])))
            self.assertEqual(
                await self.signs(version(BOB, "a new secret")), self.user_of(BOB)
            )

    async def test_expired(self) -> None:
        """A secret that has expired is none."""
        await self.test_right()
        await self.expire()
        for version in VERSIONS:
            for access_id, secret in SECRETS.items():
                await self.refusal(version(access_id, secret))
