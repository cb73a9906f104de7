"""A wall clock that is set while the service runs, forward and back."""

from __future__ import annotations

import time
from typing import Any

from twisted.internet import reactor
from twisted.internet.base import ReactorBase
from twisted.internet.interfaces import IReactorTime
from twisted.internet.selectreactor import SelectReactor
from twisted.internet.task import Clock
from twisted.python import runtime
from twisted.trial.unittest import SynchronousTestCase, TestCase

from ozgate.background.reaper import ORPHANS_EVERY, Reaper, Sweeper
from ozgate.background.uploads import UploadExpiry
from ozgate.content.readers import Readers
from ozgate.interfaces import IMetadataTransaction
from ozgate.metadata.sqlite.store import SQLiteMetadataStore
from ozgate.service.clocks import dated
from ozgate.testing.memory_blobs import MemoryBlobStore
from ozgate.testing.memory_metadata import MemoryMetadataStore
from ozgate.testing.metadata_base import ask
from tests.started import started
from tests.unit.background.test_uploads import AGE, INTERVAL, add_bucket, begin
from tests.unit.metadata.sqlite.metadata_rows import CREATED, still_store

HOUR, DAY = 3600.0, 86400.0


class ReactorTests(SynchronousTestCase):
    """:func:`dated`, on a reactor that is not run."""

    def setUp(self) -> None:
        """Have a wall clock that can be set."""
        self.jump = 0.0

        def wall() -> float:
            return time.time() + self.jump

        self.patch(runtime, "seconds", wall)
        self.patch(ReactorBase, "seconds", staticmethod(wall))
        self.reactor: Any = SelectReactor()
        self.addCleanup(self.reactor.removeAll)

    def due(self, calls: list[str]) -> list[str]:
        """What is called at once."""
        calls.clear()
        self.reactor.runUntilCurrent()
        return calls

    def test_set(self) -> None:
        """What is due now is called now, and what is due in a while is not, wherever the clock is set."""
        calls: list[str] = []
        self.reactor.callLater(60, calls.append, "before")
        dated(self.reactor)
        for jump in (-HOUR, HOUR, -8 * DAY, 8 * DAY):
            self.reactor.callLater(0, calls.append, "at once")
            self.reactor.callLater(60, calls.append, "later")
            self.jump += jump
            self.assertEqual(self.due(calls), ["at once"])
            self.assertLessEqual(self.reactor.timeout(), 60)

    def test_date(self) -> None:
        """The date follows the wall clock, and all else is the reactor's."""
        clock = dated(self.reactor)
        self.jump = -DAY
        self.assertAlmostEqual(clock.seconds(), time.time() - DAY, -2)
        self.assertAlmostEqual(self.reactor.seconds(), time.time(), -2)
        self.assertTrue(IReactorTime.providedBy(clock))
        call = clock.callLater(1, lambda: None)
        self.assertEqual(self.reactor.getDelayedCalls(), [call])

    def test_twice(self) -> None:
        """Asked for again, nothing changes but that another gets the date."""
        dated(self.reactor)
        seconds = self.reactor.seconds
        self.jump = DAY
        clock = dated(self.reactor)
        self.assertIs(self.reactor.seconds, seconds)
        self.assertAlmostEqual(clock.seconds(), time.time() + DAY, -2)

    def test_memory(self) -> None:
        """A clock in memory stays what it is."""
        clock = Clock()
        self.assertIs(dated(clock), clock)
        self.assertEqual(clock.seconds(), 0)


class BackgroundTests(SynchronousTestCase):
    """What goes on beside requests, while somebody sets the clock."""

    def setUp(self) -> None:
        """A store dated by a wall clock, and another clock that nobody sets."""
        self.wall, self.steady = Clock(), Clock()
        self.pass_time(CREATED / 1000)
        self.metadata = MemoryMetadataStore(self.wall)
        self.successResultOf(started(self.metadata))
        self.bucket = self.write(add_bucket)

    def pass_time(self, seconds: float) -> None:
        """For both clocks."""
        self.wall.advance(seconds)
        self.steady.advance(seconds)

    def write(self, interaction: Any, *args: Any) -> Any:
        """Run an interaction."""
        return self.successResultOf(self.metadata.write(interaction, *args))

    def uploads(self) -> list[str]:
        """The keys of all uploads."""
        reading = self.metadata.read(ask, "uploads_before", (1 << 60, 1000))
        return sorted(upload.key for _, upload in self.successResultOf(reading))

    def start(self, service: Any) -> None:
        """Start a service, to be stopped."""
        service.startService()
        self.addCleanup(service.stopService)

    def start_expiry(self) -> None:
        """Begin an upload, and have the old ones expire."""
        self.write(begin, self.bucket, "a", 1)
        expiry = UploadExpiry(self.metadata, self.steady, "gateway", AGE, INTERVAL)
        self.start(expiry)
        self.pass_time(INTERVAL)

    def test_forward_and_back(self) -> None:
        """A clock set forward by 8 days for less than an interval costs no upload in progress."""
        self.start_expiry()
        self.wall.advance(8 * DAY)
        self.pass_time(INTERVAL)
        self.assertEqual(self.uploads(), ["a"])
        self.wall.rightNow -= 8 * DAY
        self.pass_time(INTERVAL)
        self.pass_time(INTERVAL)
        self.assertEqual(self.uploads(), ["a"])

    def test_forward_to_stay(self) -> None:
        """A clock that stays where it was set is believed at the next round."""
        self.start_expiry()
        self.wall.advance(8 * DAY)
        self.pass_time(INTERVAL)
        self.assertEqual(self.uploads(), ["a"])
        self.pass_time(INTERVAL)
        self.assertEqual(self.uploads(), [])

    def test_back(self) -> None:
        """After a clock was set back, an upload goes when its age is right again, and rounds never stop."""
        self.start_expiry()
        self.wall.rightNow -= HOUR
        for _ in range(int(AGE / INTERVAL)):
            self.pass_time(INTERVAL)
        self.assertEqual(self.uploads(), ["a"])
        self.pass_time(INTERVAL)
        self.pass_time(INTERVAL)
        self.assertEqual(self.uploads(), [])

    def test_sweeps(self) -> None:
        """Orphans are looked for every hour, also after the clock was set back by days, and blobs of this hour are spared."""
        blobs = MemoryBlobStore(self.wall)
        self.successResultOf(started(blobs))
        reaper = Reaper(self.metadata, blobs, Readers(), self.wall, "gateway", 0.0)
        self.start(Sweeper(reaper, self.steady, 60.0))
        self.wall.rightNow -= 8 * DAY
        sink = blobs.create(5)
        sink.write(b"bytes")
        orphan = self.successResultOf(sink.commit())
        self.pass_time(ORPHANS_EVERY)
        self.assertIn(orphan.id, self.successResultOf(blobs.list(1 << 47)))
        self.pass_time(ORPHANS_EVERY)
        self.pass_time(60)
        self.assertNotIn(orphan.id, self.successResultOf(blobs.list(1 << 47)))


class StartTests(TestCase):
    """Times that a process before has left."""

    async def started(self, later: float) -> int:
        """The time of a store whose last process had a clock that was ahead by so many seconds."""
        path = self.mktemp()
        store = still_store(path)
        await started(store)
        await store.write(lambda tx: tx.next_sequence() and None)
        await store.close()
        clock = Clock()
        clock.advance(CREATED / 1000 - later)
        store = SQLiteMetadataStore(path, reactor, clock)
        await started(store)
        now: int = await store.read(_now)
        await store.close()
        return now

    async def test_a_day(self) -> None:
        """A clock found behind by a day or less does not set back the store's time."""
        self.assertEqual(await self.started(DAY), CREATED)

    async def test_more(self) -> None:
        """Found behind by more, it is believed: it was wrong before."""
        self.assertEqual(await self.started(8 * DAY), CREATED - 8 * DAY * 1000)


def _now(tx: IMetadataTransaction) -> int:
    return tx.now()
