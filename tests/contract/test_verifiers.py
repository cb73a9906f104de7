"""The contract of verifiers, on each of them."""

from __future__ import annotations

from collections.abc import Mapping

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock, deferLater
from twisted.trial.unittest import TestCase
from zope.interface import implementer

from ozgate.auth.sealing import MasterKey
from ozgate.auth.secretstore import MetadataSecretStore, StaticSecrets
from ozgate.auth.sessions import Sessions
from ozgate.interfaces import IMetadataStore, ISecretStore, IVerifier
from ozgate.metadata.sqlite.store import SQLiteMetadataStore
from ozgate.testing.memory_metadata import MemoryMetadataStore
from ozgate.testing.verifier_contract import ChangingVerifierContract, VerifierContract
from ozgate.values import Presented, Signatory
from tests.started import started
from tests.unit.auth.signed import Secrets

TTL = 60.0


class StoredTests(ChangingVerifierContract, TestCase):
    """The contract on :class:`MetadataSecretStore`, its rows in memory."""

    store: ISecretStore

    def make_metadata(self) -> IMetadataStore:
        """Where the rows are."""
        return MemoryMetadataStore(self.clock)

    async def make_verifier(self, secrets: Mapping[str, str]) -> IVerifier:
        """Issue them, and set them to what is wanted."""
        self.clock = Clock()
        metadata = self.make_metadata()
        await started(metadata)
        self.addCleanup(metadata.close)
        store = MetadataSecretStore(metadata, MasterKey(b"k" * 32))
        self.store = self.around(store)
        for access_id, secret in secrets.items():
            await self.store.issue(access_id, "", TTL)
            await self.store.set(access_id, secret)
        return IVerifier(self.store)

    def around(self, store: MetadataSecretStore) -> ISecretStore:
        """What is asked: the store itself."""
        return store

    async def revoke(self, access_id: str) -> None:
        """Take a secret away."""
        await self.store.revoke(access_id)

    async def replace(self, access_id: str, secret: str) -> None:
        """Set another."""
        await self.store.set(access_id, secret)

    async def expire(self) -> None:
        """Let a minute pass."""
        self.clock.advance(TTL)


class StoredInSQLiteTests(StoredTests):
    """The contract on :class:`MetadataSecretStore`, its rows in SQLite."""

    def make_metadata(self) -> IMetadataStore:
        """A database in a file of its own."""
        return SQLiteMetadataStore(self.mktemp(), reactor, self.clock)


class SessionTests(StoredTests):
    """The contract on :class:`Sessions`, of what is in the store behind them."""

    async def make_verifier(self, secrets: Mapping[str, str]) -> IVerifier:
        """Sessions in front of the store."""
        verifier = await super().make_verifier(secrets)
        return Sessions(MasterKey(b"k" * 32), ISecretStore(verifier))


class BehindPairsTests(StoredTests):
    """The contract on :class:`StaticSecrets`, of what is in the store behind them."""

    def around(self, store: MetadataSecretStore) -> ISecretStore:
        """Pairs of somebody else in front of it."""
        return StaticSecrets({"operator": "another secret"}, store)


class PairsTests(VerifierContract, TestCase):
    """The contract on :class:`StaticSecrets`, of its own pairs."""

    async def make_verifier(self, secrets: Mapping[str, str]) -> IVerifier:
        """The pairs, and nothing behind them."""
        metadata = MemoryMetadataStore(Clock())
        await started(metadata)
        self.addCleanup(metadata.close)
        return StaticSecrets(
            secrets, MetadataSecretStore(metadata, MasterKey(bytes(32)))
        )


class DoubleTests(VerifierContract, TestCase):
    """The contract on what tests verify with."""

    async def make_verifier(self, secrets: Mapping[str, str]) -> IVerifier:
        """One that gives signing keys away."""
        return Secrets(secrets)


@implementer(IVerifier)
class Elsewhere:
    """Asks somebody who is somewhere else, and tells no key."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        self._there = Secrets(secrets, tells=False)

    def verify(self, presented: Presented) -> Deferred[Signatory | None]:
        """See :class:`~ozgate.interfaces.IVerifier`."""
        return deferLater(reactor, 0, self._there.verify, presented)  # type: ignore[arg-type]


class ElsewhereTests(VerifierContract, TestCase):
    """The contract on a verifier that has no secrets of its own, and answers later."""

    async def make_verifier(self, secrets: Mapping[str, str]) -> IVerifier:
        """The silent one."""
        return Elsewhere(secrets)
