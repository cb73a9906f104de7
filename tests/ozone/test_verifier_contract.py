"""The OM of a secure cluster as an :class:`~ozgate.interfaces.IVerifier`, by the suite that every one of them is held to, as far as it applies.

What differs: the OM knows no signatures of version 2, and what is signed has the lines of a request; it does not tell an access id that nobody has from a wrong
signature.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from attrs import evolve
from twisted.internet.defer import Deferred

from ozgate.errors import Absent, NotImplemented
from ozgate.interfaces import IVerifier
from ozgate.testing import verifier_contract as suite
from ozgate.values import Presented
from tests.ozone.secured import SecureCase

SCOPE = f"{suite.DATE}/{suite.REGION}/s3/aws4_request"
TEXT = f"AWS4-HMAC-SHA256\n20261130T000000Z\n{SCOPE}\n{'0' * 64}"


class ContractTests(SecureCase, suite.ChangingVerifierContract):
    """The suite."""

    async def setUp(self) -> None:  # type: ignore[override]
        """People who are called as in the suite."""
        self.patch(suite, "TEXT", TEXT)
        self.patch(suite, "VERSIONS", (suite.in_version_4,))
        await SecureCase.setUp(self)
        mark, realm = uuid4().hex[:8], self.ozone.realm
        for name in ("ALICE", "BOB"):
            self.patch(suite, name, f"identity-{name.lower()}-{mark}@{realm}")
        secrets = {suite.ALICE: "the secret of alice", suite.BOB: "ein Schlüssel/+="}
        self.patch(suite, "SECRETS", secrets)
        self.verifier = await self.make_verifier(secrets)

    async def make_verifier(self, secrets: Mapping[str, str]) -> IVerifier:
        """The OM, which is given them."""

        def keep(store: Any) -> None:
            for access_id, secret in secrets.items():
                store.getS3Secret(access_id)
                store.getClientProxy().setS3Secret(access_id, secret)

        def forget(store: Any) -> None:
            for access_id in secrets:
                store.revokeS3Secret(access_id)

        await self.root(keep)
        self.addCleanup(self.root, forget)
        return self.system

    def user_of(self, access_id: str) -> str:
        """By the cluster's rules of short names."""
        return access_id.partition("@")[0]

    async def refusal(self, presented: Presented) -> Absent:
        """It is told as a wrong signature is."""
        self.assertIsNone(await self.verifier.verify(presented))
        return Absent()

    async def revoke(self, access_id: str) -> None:
        """By the administrator."""
        await self.root(lambda store: store.revokeS3Secret(access_id))
        # What is taken away once more at the end has to be there.
        self.addCleanup(self.root, lambda store: store.getS3Secret(access_id))

    async def replace(self, access_id: str, secret: str) -> None:
        """By the administrator."""
        await self.root(
            lambda store: store.getClientProxy().setS3Secret(access_id, secret)
        )

    async def test_another_text(self) -> None:
        """A signature is good for what was signed; what has other lines is not even asked."""
        right = suite.in_version_4(suite.ALICE, suite.SECRETS[suite.ALICE])
        for text in (TEXT.replace("0" * 64, "1" * 64), TEXT.replace("T00", "T01")):
            changed = evolve(right, string_to_sign=text)
            self.assertIsNone(await self.signs(changed))
        for text in (TEXT[:-1], TEXT + " ", TEXT.upper(), ""):
            asked: Deferred[Any] = self.verifier.verify(
                evolve(right, string_to_sign=text)
            )
            await self.assertFailure(asked, NotImplemented)

    async def test_scope(self) -> None:
        """What was signed says its scope: one that is said to be another's is not even asked."""
        right = suite.in_version_4(suite.ALICE, suite.SECRETS[suite.ALICE])
        for date, region in (("20261129", suite.REGION), (suite.DATE, "x"), ("", "")):
            asked: Deferred[Any] = self.verifier.verify(
                evolve(right, date=date, region=region)
            )
            await self.assertFailure(asked, NotImplemented)

    def test_expired(self) -> None:
        """Secrets of the OM do not expire."""
