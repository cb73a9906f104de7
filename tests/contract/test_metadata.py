"""Every provider of metadata keeps the contract."""

from __future__ import annotations

from functools import partial
from itertools import count
from threading import Lock
from typing import Any

from twisted.internet import reactor
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase

from ozgate.interfaces import IMetadataStore, IMetadataTransaction
from ozgate.metadata.readonly import WRITING
from ozgate.metadata.sqlite.store import SQLiteMetadataStore
from ozgate.s3.perform.configuration import get_bucket_replication
from ozgate.s3.perform.deleting import Doomed
from ozgate.testing.memory_claims import Misclaimed, Unclaimed
from ozgate.testing.memory_metadata import Impure, MemoryMetadataStore, Unsendable
from ozgate.testing.metadata_base import (
    add_bucket,
    add_volume,
    ask,
    blob,
    change,
    part,
    put,
    upload,
)
from ozgate.testing.metadata_contract import Provider, contract_of
from ozgate.testing.metadata_needs import LEASE, NEEDS
from ozgate.values import (
    Bucket,
    Claim,
    Content,
    DamagedRow,
    Group,
    ManagedPolicy,
    Principal,
    Secret,
    User,
    Volume,
)
from tests.joined import JoinedStore
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


class Worker(Provider):
    """The provider of workers on SQLite: beside it, in the same process, the one that writes."""

    def make_store(self, clock: Clock) -> IMetadataStore:
        """A database in a file of its own, and both ends of a connection."""
        self.writer = SQLiteMetadataStore(self.mktemp(), reactor, clock)
        return JoinedStore(self.writer, prepares=True)

    def make_other(self, store: IMetadataStore, clock: Clock) -> IMetadataStore:
        """Another worker of the same process that writes, which tells the time."""
        return JoinedStore(self.writer)


globals().update(contract_of(SQLite))
globals().update(contract_of(Memory))
globals().update(contract_of(Worker))


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


class UnclaimedTests(TestCase):
    """The memory provider finds out interactions that change what they have not claimed."""

    def setUp(self) -> None:
        """Open a store with a bucket that holds a version and an upload."""
        self.store = MemoryMetadataStore(Clock())
        self.successResultOf(started(self.store))
        self.successResultOf(self.store.write(add_volume, "s3v"))
        self.bucket = self.successResultOf(self.store.write(add_bucket, "bucket"))
        self.version = self.successResultOf(self.store.write(put, self.bucket, "key"))
        self.upload = self.successResultOf(
            self.store.write(upload, self.bucket, "key", "an id")
        )

    def calls(self) -> dict[str, tuple[Any, ...]]:
        """Arguments for each method that needs a claim."""
        volume = Volume("s3v", "testuser", 0)
        version, begun = (self.bucket, self.version), (self.bucket, self.upload)
        row = DamagedRow("versions", (1, "key", 1), "")
        return {
            "add_volume": (Volume("new", "testuser", 0),),
            "replace_volume": (volume,),
            "remove_volume": (volume,),
            "add_bucket": (Bucket("s3v", "new", "testuser", 0),),
            "replace_bucket": (self.bucket,),
            "remove_bucket": (self.bucket,),
            "set_configuration": (self.bucket, "cors", b"x"),
            "add_version": (*version, Content(b"body")),
            "replace_version": version,
            "remove_version": version,
            "add_upload": begun,
            "complete_upload": begun,
            "remove_upload": begun,
            "put_part": (*begun, part(1)),
            "forget_events": (1,),
            "release": (1, 1),
            "forget_doomed": ([blob("a")],),
            "move_blob": (blob("a"), [blob("b")], 50, 1),
            "correct_usage": ("s3v", "bucket", 1, 1),
            "mend_row": (row, "testuser", frozenset(), frozenset()),
            "lease": ("work", "me", 1.0),
            "put_user": (User("alice", "1", 0),),
            "remove_user": ("alice",),
            "put_group": (Group("staff", "1", 0),),
            "remove_group": ("staff",),
            "put_policy": (ManagedPolicy("all", "1", 0, "{}", 0),),
            "remove_policy": ("all",),
            "put_secret": (Secret("id", "alice", b"sealed", 0, None),),
            "remove_secret": ("id",),
            "set_setting": ("name", b"value"),
        }

    def test_all_say(self) -> None:
        """Every method that changes something says what it needs, and what needs something is tried here."""
        self.assertEqual(NEEDS.keys(), set(WRITING) - {"claim"})
        tried = self.calls()
        for name in NEEDS.keys() - tried.keys():
            self.assertIs(NEEDS[name], NEEDS["doom"], name)

    def test_refused(self) -> None:
        """Each of them is refused where that is not claimed, and nothing is changed; where it is, it is not refused for that."""
        before = self.store._state.copy()
        for name, args in self.calls().items():
            self.failureResultOf(self.store.write(ask, name, args), Unclaimed)
            self.assertEqual(self.store._state, before, name)
        for name, args in self.calls().items():
            found: list[Any] = []
            self.store.write(change, name, args).addBoth(found.append)
            refused = isinstance(found[0], Failure) and found[0].check(Unclaimed)
            self.assertFalse(refused, name)

    def test_shared_with_others(self) -> None:
        """Each of them is refused, too, where what it changes is claimed, but shared."""
        for name, args in self.calls().items():
            shared = [each._replace(shared=True) for each in NEEDS[name](*args)]
            if NEEDS[name](*args) == (LEASE,):
                continue
            self.failureResultOf(
                self.store.write(_ask_sharing, name, args, shared), Unclaimed
            )

    def test_order(self) -> None:
        """Who claims something before what he holds, or alone what he shares, is refused: two could wait for each other."""
        one, two = Claim.bucket(1, shared=True), Claim.bucket(2)
        for first, then in ((two, one), (one, Claim.bucket(1))):
            self.failureResultOf(
                self.store.write(_claim_by_turns, first, then), Misclaimed
            )
        self.successResultOf(self.store.write(_claim_by_turns, one, two))
        self.successResultOf(self.store.write(_claim, two, one))

    def test_in_no_bucket(self) -> None:
        """Nobody has something in a bucket that another may have alone, with all that is in it."""
        number = self.bucket.number
        for claim in (
            Claim.key(number, "key", shared=True),
            Claim.upload(number, "an id"),
            Claim.usage(number),
        ):
            self.failureResultOf(self.store.write(_claim, claim), Misclaimed)
            shared = Claim.bucket(number, shared=True)
            self.successResultOf(self.store.write(_claim, claim, shared))


def _claim(tx: IMetadataTransaction, *claims: Claim) -> None:
    tx.claim(*claims)


def _claim_by_turns(tx: IMetadataTransaction, first: Claim, then: Claim) -> None:
    tx.claim(first)
    tx.claim(then)


def _ask_sharing(
    tx: IMetadataTransaction, name: str, args: tuple[Any, ...], claims: list[Claim]
) -> Any:
    tx.claim(*claims)
    return ask(tx, name, args)


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
        self.refused(get_bucket_replication)
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
