"""Every provider of metadata keeps the contract."""

from __future__ import annotations

from twisted.internet import reactor
from twisted.internet.task import Clock

from ozgate.interfaces import IMetadataStore
from ozgate.metadata.sqlite import SQLiteMetadataStore
from ozgate.testing.memory_metadata import MemoryMetadataStore
from ozgate.testing.metadata_contract import Provider, contract_of


class SQLite(Provider):
    """The provider on SQLite."""

    def make_store(self, clock: Clock) -> IMetadataStore:
        """A database in a file of its own."""
        return SQLiteMetadataStore(self.mktemp(), reactor, clock)


class Memory(Provider):
    """The provider in plain Python data."""

    def make_store(self, clock: Clock) -> IMetadataStore:
        """An empty one."""
        return MemoryMetadataStore(clock)


globals().update(contract_of(SQLite))
globals().update(contract_of(Memory))
