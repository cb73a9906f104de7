"""The writing thread: what a batch has in common, and what one interaction that fails costs the others."""

from __future__ import annotations

import socket
import threading
from typing import Any

from attrs import evolve
from twisted.internet import reactor
from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase

from ozgate.interfaces import IMetadataTransaction
from ozgate.metadata.sqlite.store import SQLiteMetadataStore
from ozgate.metadata.workers.inbox import Inbox, Write
from ozgate.testing.metadata_base import Refused
from ozgate.values import Bucket
from tests.started import started
from tests.unit.metadata.sqlite.databases import add_bucket, put

RUNS: list[str] = []
"""The interactions that were run, in order."""


def keep(tx: IMetadataTransaction, name: str) -> str:
    """Change something."""
    RUNS.append(name)
    tx.set_setting(name, b"kept")
    return name


def refuse(tx: IMetadataTransaction, name: str) -> None:
    """Fail before anything is changed."""
    RUNS.append(name)
    tx.setting(name)
    raise Refused(name)


def give_up(tx: IMetadataTransaction, name: str) -> None:
    """Fail when something is."""
    keep(tx, name)
    raise Refused(name)


def found(tx: IMetadataTransaction, names: str) -> str:
    """Those that are there."""
    return "".join(name for name in names if tx.setting(name) is not None)


def place(tx: IMetadataTransaction, name: str = "bucket") -> Bucket:
    """A bucket, looked at."""
    bucket = tx.bucket("s3v", name)
    assert bucket is not None
    return bucket


def look(tx: IMetadataTransaction, name: str = "bucket") -> bool:
    """Whether a bucket and its volume, asked for by name, are what a page of them says."""
    [*buckets] = tx.buckets("s3v", name, "", 1)
    [volume] = tx.volumes("s3v", "", 1)
    return tx.bucket("s3v", name) == buckets[0] and tx.volume("s3v") == volume


def own(tx: IMetadataTransaction, owner: str) -> None:
    """Give the bucket and its volume to somebody else."""
    tx.replace_bucket(evolve(place(tx), owner=owner))
    volume = tx.volume("s3v")
    assert volume is not None
    tx.replace_volume(evolve(volume, owner=owner))


def give_up_owning(tx: IMetadataTransaction, owner: str) -> None:
    """The same, but fail."""
    own(tx, owner)
    raise Refused(owner)


def configure(tx: IMetadataTransaction, kind: str) -> None:
    """Give the bucket a document."""
    tx.set_configuration(place(tx), kind, b"document")


def correct(tx: IMetadataTransaction, bucket: str) -> None:
    """Have the counters of the bucket, or of its volume, be others."""
    tx.correct_usage("s3v", bucket, 7, 7)


def fill(tx: IMetadataTransaction, key: str) -> None:
    """Put an object into the bucket."""
    put(tx, place(tx), key)


def add(tx: IMetadataTransaction, name: str) -> None:
    """Add another bucket."""
    tx.add_bucket(Bucket("s3v", name, "owner", tx.now()))


def remove(tx: IMetadataTransaction, name: str) -> bool:
    """Remove a bucket that was looked at; whether it is gone."""
    tx.remove_bucket(place(tx, name))
    return tx.bucket("s3v", name) is None


CHANGES: tuple[tuple[Any, str], ...] = (
    (own, "somebody"),
    (configure, "policy"),
    (correct, "bucket"),
    (correct, ""),
    (fill, "key"),
    (add, "other"),
)
"""What changes rows of the bucket and its volume."""


class BatchTests(TestCase):
    """Interactions in one commit."""

    async def setUp(self) -> None:  # type: ignore[override]
        """Open a store."""
        self.store = SQLiteMetadataStore(self.mktemp(), reactor)  # type: ignore[arg-type]
        await started(self.store)
        self.addCleanup(self.store.close)
        self.commits: list[int] = []
        self.store.watch_commits(self.commits.append)
        RUNS.clear()

    def write(self, *asked: tuple[Any, str]) -> Deferred[Any]:
        """Ask for interactions in one turn; fires with whether each succeeded."""
        return DeferredList(
            [self.store.write(*each) for each in asked], consumeErrors=True
        ).addCallback(lambda outcomes: [succeeded for succeeded, _ in outcomes])

    async def test_failed_unchanged(self) -> None:
        """One that fails before it has changed anything takes nobody's time: each is run once, in one commit."""
        succeeded = await self.write((keep, "a"), (refuse, "b"), (keep, "c"))
        self.assertEqual(succeeded, [True, False, True])
        self.assertEqual((RUNS, self.commits), (["a", "b", "c"], [3]))
        self.assertEqual(await self.store.read(found, "abc"), "ac")

    async def test_failed_half_done(self) -> None:
        """Of one that fails when it has changed something nothing is kept; the others are run anew, and are in one commit."""
        asked = (keep, "a"), (give_up, "b"), (refuse, "c"), (give_up, "d"), (keep, "e")
        succeeded = await self.write(*asked)
        self.assertEqual(succeeded, [True, False, False, False, True])
        self.assertEqual((RUNS, self.commits), ([*"ab", *"abcde"], [5]))
        self.assertEqual(await self.store.read(found, "abcde"), "ae")

    async def test_failed_alone(self) -> None:
        """One that is alone is not run anew, whatever it has changed."""
        for interaction in (refuse, give_up):
            RUNS.clear()
            self.assertEqual(await self.write((interaction, "a")), [False])
            self.assertEqual(RUNS, ["a"])
            self.assertEqual(await self.store.read(found, "a"), "")
        self.assertEqual(await self.write((keep, "a")), [True])

    async def test_gathered(self) -> None:
        """While each turn of the reactor brings another, and the last commit held more, they are gathered; who is alone waits for no turn more."""
        handed: list[int] = []
        inbox = self.store._writer._inbox

        def put(writes: list[Write]) -> None:
            handed.append(len(writes))
            real(writes)

        real = inbox.put
        self.patch(inbox, "put", put)
        await self.write((keep, "a"), (keep, "b"), (keep, "c"))
        for before, expected in ((3, [2]), (1, [1, 1])):
            if before == 1:
                await self.store.write(keep, "f")
            handed.clear()
            first = self.store.write(keep, "d")
            await deferLater(reactor, 0)  # type: ignore[arg-type]
            await DeferredList([first, self.store.write(keep, "e")])
            self.assertEqual(handed, expected)

    async def test_rows_in_common(self) -> None:
        """What one interaction has read of a bucket and its volume is what the next finds, but where they were changed in between."""
        await self.store.write(add_bucket)
        looks = [each for change in CHANGES for each in (change, (look, "bucket"))]
        succeeded = [self.store.write(*each) for each in ((look, "bucket"), *looks)]
        found = [await each for each in succeeded]
        self.assertEqual(found, [True, *[None, True] * len(CHANGES)])
        gone = [
            self.store.write(*each) for each in ((look, "other"), (remove, "other"))
        ]
        self.assertEqual([await each for each in gone], [True, True])
        self.assertIs(await self.store.read(look), True)
        self.assertEqual(self.commits, [1, 1 + len(looks), 2])

    async def test_rows_of_half_done(self) -> None:
        """What one that failed had made of a bucket is not what the next finds."""
        await self.store.write(add_bucket)
        asked = (look, "bucket"), (give_up_owning, "nobody"), (look, "bucket")
        self.assertEqual(await self.write(*asked), [True, False, True])
        self.assertEqual((await self.store.write(place)).owner, "owner")

    async def test_rows_of_others(self) -> None:
        """What another process changes between two commits is found."""
        await self.store.write(add_bucket)
        other = SQLiteMetadataStore(self.store._path, reactor)  # type: ignore[arg-type]
        await other.open()
        self.addCleanup(other.close)
        for owner in "ab":
            await other.write(own, owner)
            self.assertEqual((await self.store.write(place)).owner, owner)


class EndTests(TestCase):
    """A store that has served a worker, and ends."""

    async def test_over_before_it_is_woken(self) -> None:
        """The thread may be over before it is woken for its end: what wakes it is there until nobody does."""
        store = SQLiteMetadataStore(self.mktemp(), reactor)  # type: ignore[arg-type]
        await started(store)
        ours, theirs = socket.socketpair()
        ended = store.serve(ours)
        theirs.close()
        # Then the thread waits for nobody but this process.
        await ended
        wake, refused = Inbox._wake, list[OSError]()

        def late(inbox: Inbox) -> None:
            for each in threading.enumerate():
                if each.name == "ozgate-metadata":
                    each.join(60)
            try:
                wake(inbox)
            except OSError as error:
                refused.append(error)

        self.patch(Inbox, "_wake", late)
        await store.close()
        self.assertEqual(refused, [])
