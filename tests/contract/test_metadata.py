"""Every provider of metadata keeps the contract."""

from __future__ import annotations

from functools import partial
from itertools import count
from threading import Lock
from typing import Any

from twisted.internet import reactor
from twisted.internet.task import Clock
from twisted.trial.unittest import TestCase

from ozgate.interfaces import IMetadataStore, IMetadataTransaction
from ozgate.metadata.sqlite.store import SQLiteMetadataStore
from ozgate.s3.perform.configuration import get_bucket_cors
from ozgate.s3.perform.deleting import Doomed
from ozgate.testing.memory_metadata import Impure, MemoryMetadataStore, Unsendable
from ozgate.testing.metadata_base import ask
from ozgate.testing.metadata_contract import Provider, contract_of
from ozgate.values import Claim, Principal
from tests.started import started


class SQLite(Provider):
    """The provider on SQLite."""

    def make_store(self, clock: Clock) -> IMetadataStore:
        """A database in a file of its own."""
        self.path = self.mktemp()
        return SQLiteMetadataStore(self.path, reactor, clock)

    def make_other(self, store: IMetadataStore, clock: Clock) -> IMetadataStore:
        """Connections of its own to the same file."""
        return SQLiteMetadataStore(self.path, reactor, clock)


class Memory(Provider):
    """The provider in plain Python data."""

    def make_store(self, clock: Clock) -> IMetadataStore:
        """An empty one."""
        return MemoryMetadataStore(clock)

    def make_other(self, store: IMetadataStore, clock: Clock) -> IMetadataStore:
        """One over the same tables."""
        assert isinstance(store, MemoryMetadataStore)
        return MemoryMetadataStore(clock, beside=store)


globals().update(contract_of(SQLite))
globals().update(contract_of(Memory))


class PurityTests(TestCase):
    """The memory provider finds out interactions that are not to be run twice."""

    def setUp(self) -> None:
        """Open a store."""
        self.store = MemoryMetadataStore(Clock())
        self.successResultOf(started(self.store))

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
    tx.claim(Claim.setting("id"))
    tx.set_setting("id", b"value")
    return next(_numbers)


def _write_count(tx: IMetadataTransaction) -> None:
    tx.claim(Claim.setting("id"))
    tx.set_setting("id", b"%d" % next(_numbers))


def _fail_again(tx: IMetadataTransaction) -> None:
    if _runs:
        raise KeyError("again")
    _runs.append(1)


def _number(tx: IMetadataTransaction) -> int:
    _runs.append(1)
    return tx.next_sequence()


def add_one(tx: IMetadataTransaction, numbers: list[int]) -> list[int]:
    """An interaction that changes what it was given."""
    numbers.append(1)
    return numbers


class SendingTests(TestCase):
    """The memory provider finds out interactions that could be run in no other process."""

    def setUp(self) -> None:
        """Open a store."""
        self.store = MemoryMetadataStore(Clock())
        self.successResultOf(started(self.store))

    def refused(self, interaction: Any, *args: Any) -> None:
        """Have an interaction refused, whether it reads or writes."""
        self.failureResultOf(self.store.read(interaction, *args), Unsendable)
        self.failureResultOf(self.store.write(interaction, *args), Unsendable)

    def test_functions_of_the_moment(self) -> None:
        """A function of the service that is made inside of another, a partial one and a method are refused."""
        self.refused(get_bucket_cors)
        self.refused(partial(Doomed, "key"))
        self.refused(Principal("alice").is_called, "alice")

    def test_what_lives(self) -> None:
        """Arguments that cannot be pickled are refused, be they deep inside of others."""
        self.refused(add_one, [lambda: 1])
        self.refused(add_one, [{"lock": Lock()}])

    def test_copies(self) -> None:
        """What an interaction does with its arguments stays there, and counts once."""
        numbers = [5]
        for run in self.store.read, self.store.write:
            self.assertEqual(self.successResultOf(run(add_one, numbers)), [5, 1])
        self.assertEqual(numbers, [5])
