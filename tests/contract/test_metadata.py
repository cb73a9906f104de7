"""Every provider of metadata keeps the contract."""

from __future__ import annotations

from itertools import count

from twisted.internet import reactor
from twisted.internet.task import Clock
from twisted.trial.unittest import TestCase

from ozgate.interfaces import IMetadataStore, IMetadataTransaction
from ozgate.metadata.sqlite.store import SQLiteMetadataStore
from ozgate.testing.memory_metadata import Impure, MemoryMetadataStore
from ozgate.testing.metadata_base import ask
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


class PurityTests(TestCase):
    """The memory provider finds out interactions that are not to be run twice."""

    def setUp(self) -> None:
        """Open a store."""
        self.store = MemoryMetadataStore(Clock())
        self.successResultOf(self.store.open())

    def test_other_result(self) -> None:
        """An interaction that returns something else each time is refused, and undone."""
        self.failureResultOf(self.store.write(_count), Impure)
        found = self.successResultOf(self.store.read(ask, "setting", ("id",)))
        self.assertIsNone(found)

    def test_other_write(self) -> None:
        """An interaction that writes something else each time is refused."""
        self.failureResultOf(self.store.write(_write_count), Impure)

    def test_other_error(self) -> None:
        """An interaction that fails the second time only is refused."""
        _runs.clear()
        self.failureResultOf(self.store.write(_fail_again), Impure)

    def test_pure(self) -> None:
        """A pure interaction runs twice and counts once."""
        _runs.clear()
        self.assertEqual(self.successResultOf(self.store.write(_number)), 1)
        self.assertEqual(len(_runs), 2)
        self.assertEqual(self.successResultOf(self.store.write(_number)), 2)


_numbers = count()

_runs: list[int] = []
"""Filled by what is impure below."""


def _count(tx: IMetadataTransaction) -> int:
    tx.set_setting("id", b"value")
    return next(_numbers)


def _write_count(tx: IMetadataTransaction) -> None:
    tx.set_setting("id", b"%d" % next(_numbers))


def _fail_again(tx: IMetadataTransaction) -> None:
    if _runs:
        raise KeyError("again")
    _runs.append(1)


def _number(tx: IMetadataTransaction) -> int:
    _runs.append(1)
    return tx.next_sequence()
