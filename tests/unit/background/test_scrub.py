"""The scrub on stores in memory, with a clock that the test moves: its pace, its place, its list, when it is due."""

from __future__ import annotations

from typing import Any

from attrs import evolve
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from ozgate.background.bitrot import Scrub
from ozgate.background.scrub import LOOK_EVERY, ScrubControl, ScrubSchedule
from ozgate.background.scrubstate import LEASE, TERM
from ozgate.background.sharedwork import Running
from ozgate.content.stores import BlobStores
from ozgate.interfaces import IMetadataTransaction
from ozgate.testing.memory_blobs import MemoryBlobStore
from ozgate.testing.memory_metadata import MemoryMetadataStore
from ozgate.testing.metadata_base import change
from ozgate.testing.metadata_needs import claim_whole
from ozgate.values import BlobRef, Bucket, CheckedRows, Content, Extent, ObjectVersion
from tests.unit.background.sweeping import START, add_bucket, remove_key

SIZE = 1000
DAY = 86400.0


def name_blob(tx: IMetadataTransaction, bucket: Bucket, blob: BlobRef) -> None:
    """Have a key of the blob's own name."""
    claim_whole(tx, bucket)
    version = ObjectVersion(blob.id, tx.next_sequence(), tx.now(), blob.length)
    content = Content(None, (Extent(blob, 0, blob.length),))
    tx.add_version(bucket, version, content)


class ScrubCase(SynchronousTestCase):
    """Both stores in memory, with five blobs of 1000 bytes that keys name."""

    def setUp(self) -> None:
        """Fill them."""
        self.clock = Clock()
        self.clock.advance(START)
        self.metadata = MemoryMetadataStore(self.clock)
        self.blobs = MemoryBlobStore(self.clock)
        self.successResultOf(self.metadata.open())
        self.successResultOf(self.blobs.open_store())
        self.bucket = self.write(add_bucket)
        self.named = [self.add_blob() for _ in range(5)]
        self.kinds: list[str] = []
        self.stores = BlobStores(self.blobs)
        self.rate = 0
        self.control = self.make_control()

    def make_control(self, owner: str = "gateway") -> ScrubControl:
        """That of another process."""
        return ScrubControl(
            self.metadata,
            self.stores,
            self.clock,
            owner,
            lambda: self.rate,
            self.kinds.append,
        )

    @property
    def scrub(self) -> Scrub:
        """What the control runs."""
        return self.control.scrub

    def add_blob(self) -> BlobRef:
        """A blob with a name."""
        blob = self.blobs.keep(bytes(SIZE))
        self.write(name_blob, self.bucket, blob)
        return blob

    def write(self, what: Any, *args: Any) -> Any:
        """What a function, or the transaction's method of that name, comes to."""
        return self.successResultOf(self.metadata.write(change, what, args))

    def wait_for(self, awaited: Any) -> Any:
        """What a coroutine comes to, while time stands still."""
        done = Deferred.fromCoroutine(awaited)
        self.settle()
        return self.successResultOf(done)

    def settle(self) -> None:
        """Let everything happen that can happen now."""
        while any(call.getTime() <= self.clock.seconds() for call in self.clock.calls):
            self.clock.advance(0)

    def go(self) -> None:
        """Scrub, and let it happen."""
        self.control.start()
        self.settle()

    def damage(self, blob: BlobRef) -> None:
        """Change a bit."""
        data = bytearray(self.blobs.data[blob.id])
        data[500] ^= 1
        self.blobs.data[blob.id] = bytes(data)


class WholeTests(ScrubCase):
    """From the beginning to the end."""

    def test_everything(self) -> None:
        """Every blob that has a name is read, and nothing is found where all is well."""
        self.go()
        self.assertFalse(self.control.is_running)
        standing = self.scrub.standing
        self.assertEqual((standing.done, standing.total), (5 * SIZE, 5 * SIZE))
        self.assertEqual((standing.began, standing.ended), (START * 1000,) * 2)
        self.assertEqual((self.scrub.listed, self.kinds), ({}, []))

    def test_found(self) -> None:
        """Damage is counted each time, and in the list once, since when; what reads well again or is gone, is not."""
        well, gone, stays = self.named[:3]
        for blob in (well, gone, stays):
            self.damage(blob)
        self.go()
        self.assertEqual(set(self.scrub.listed), {well.id, gone.id, stays.id})
        self.assertEqual(self.kinds, ["blob"] * 3)
        self.clock.advance(DAY)
        self.blobs.data[well.id] = bytes(SIZE)
        self.write(remove_key, self.bucket, gone.id)
        self.wait_for(self.scrub.load())
        self.assertEqual(set(self.scrub.listed), {well.id, stays.id})
        self.go()
        [left] = self.scrub.listed.values()
        self.assertEqual((left.name, left.found), (stays.id, START * 1000))
        self.assertEqual(left.seen, (START + DAY) * 1000)
        self.assertEqual(len(self.kinds), 4)

    def test_stores(self) -> None:
        """The blobs of all stores are read, each in its own; one of a store that is out of reach is not called damaged."""
        more = MemoryBlobStore(self.clock, "more")
        lost = BlobRef("more", "2" * 24, SIZE, 0)
        well = more.keep(bytes(SIZE))
        for blob in (lost, well, BlobRef("gone", "1" * 24, SIZE, 0)):
            self.write(name_blob, self.bucket, blob)
        self.stores = BlobStores(more, [self.blobs])
        self.control = self.make_control()
        self.go()
        self.assertEqual(self.scrub.standing.total, 8 * SIZE)
        self.assertEqual(self.scrub.standing.done, 8 * SIZE)
        [damage] = self.scrub.listed.values()
        self.assertEqual((damage.name, damage.store), (lost.id, "more"))
        self.wait_for(self.scrub.load())
        self.assertEqual(len(self.scrub.listed), 1)

    def test_made_meanwhile(self) -> None:
        """What was made after a scrub began is left to the next one, so that it comes to an end."""
        self.rate = SIZE
        self.go()
        self.clock.advance(1)
        self.settle()
        self.add_blob()
        for _ in range(10):
            self.clock.advance(1)
            self.settle()
        self.assertFalse(self.control.is_running)
        self.assertEqual(self.scrub.standing.done, 5 * SIZE)

    def test_damaged_rows(self) -> None:
        """Rows are asked for page after page, each with its kind."""
        from ozgate.testing.memory_rows import MemoryTransaction
        from ozgate.values import DamagedRow

        pages = {
            "": CheckedRows(3, (DamagedRow("bodies", (7,), "x"),), "next"),
            "next": CheckedRows(2, (DamagedRow("versions", (1, "k", 2), "y"),)),
        }
        self.patch(
            MemoryTransaction, "check_rows", lambda tx, after, limit: pages[after]
        )
        self.go()
        self.assertEqual(self.kinds, ["inline", "metadata"])
        self.assertEqual(set(self.scrub.listed), {"bodies 7", "versions 1 k 2"})
        self.assertEqual(self.scrub.standing.rows, 5)


class PaceTests(ScrubCase):
    """How fast, and from where."""

    def test_bandwidth(self) -> None:
        """It reads no more in a time than its rate says, and tells how long it will take."""
        self.rate = SIZE // 2
        self.go()
        for seconds in range(10):
            read = self.scrub.standing.done + self.scrub.partial
            self.assertLessEqual(read, self.rate * seconds + SIZE)
            self.assertTrue(self.control.is_running, seconds)
            self.clock.advance(1)
            self.settle()
        self.assertFalse(self.control.is_running)

    def test_rate_of_this_run(self) -> None:
        """What an administrator asks for counts for one run, also for one that runs already."""
        self.rate = 1
        self.go()
        self.assertTrue(self.control.is_running)
        self.control.start(0)
        self.clock.advance(1)
        self.settle()
        self.assertFalse(self.control.is_running)
        self.control.start()
        self.assertEqual(self.control.rate(), 1)
        self.wait_for(self.stop())

    async def stop(self) -> None:
        """Stop it; time goes on meanwhile."""
        self.clock.callLater(0, self.clock.advance, 1)
        await self.control.stop()

    def scrub_a_part(self) -> None:
        """Begin a scrub that finds damage at once, and stop it before its end."""
        self.rate = SIZE
        self.damage(self.named[0])
        self.go()
        self.clock.advance(1)
        self.settle()
        self.wait_for(self.stop())

    def test_goes_on(self) -> None:
        """Another process goes on with what one that ended has left, and reads nothing twice that was done."""
        self.scrub_a_part()
        done = self.scrub.standing.done
        self.assertIn(done, range(1, 5 * SIZE))
        self.control = self.make_control()
        self.rate = 0
        verified: list[str] = []
        verify = self.blobs.verify
        self.patch(
            self.blobs,
            "verify",
            lambda blob_id, pace: verified.append(blob_id) or verify(blob_id, pace),
        )
        self.go()
        self.assertEqual(len(verified), (5 * SIZE - done) // SIZE)
        self.assertEqual(self.scrub.standing.done, 5 * SIZE)
        self.assertEqual(set(self.scrub.listed), {self.named[0].id})

    def test_damaged_standing(self) -> None:
        """When what is kept of how far it is is damaged, it begins anew."""
        self.scrub_a_part()
        self.rate = 0
        kept = {
            name: self.write("setting", name) for name in ("scrub", "scrub.damaged")
        }
        for name, data in kept.items():
            for at in range(0, len(data), 9):
                flipped = data[:at] + bytes((data[at] ^ 2,)) + data[at + 1 :]
                self.write("set_setting", name, flipped)
                self.control = self.make_control()
                self.go()
                self.assertTrue(self.scrub.standing.ended, (name, at))
                self.assertEqual(self.scrub.standing.done, 5 * SIZE, (name, at))
                self.assertEqual(set(self.scrub.listed), {self.named[0].id})
                for each in kept.items():
                    self.write("set_setting", *each)

    def test_lease(self) -> None:
        """While another process scrubs, this one does not."""
        self.write("lease", LEASE, "another", 1000)
        self.go()
        self.assertFalse(self.control.is_running)
        self.wait_for(self.scrub.load())
        self.assertEqual(self.scrub.standing.began, 0)

    def test_lost_lease(self) -> None:
        """A scrub that another process went on with ends, and what that one kept stays, though it is done by now."""
        self.rate = SIZE
        self.go()
        other = self.make_control("another")
        for _ in range(2):
            self.clock.advance(1)
            self.settle()
        # This one hangs for as long as its lease lasts.
        self.clock.rightNow += TERM
        self.rate = 0
        other.start()
        self.settle()
        self.assertTrue(other.scrub.standing.ended)
        self.clock.advance(TERM)
        self.settle()
        self.assertFalse(self.control.is_running)
        self.wait_for(self.scrub.load())
        self.assertEqual(self.scrub.standing, other.scrub.standing)

    def test_stopped_elsewhere(self) -> None:
        """Who is asked to stop the scrub of another process says that it is not its own."""
        self.rate = SIZE
        self.go()
        other = self.make_control("another")
        self.assertFalse(self.wait_for(other.scrub.stop()))
        self.wait_for(self.scrub.load())
        self.assertFalse(self.scrub.standing.stopped)
        self.assertTrue(self.wait_for(self.stopped()))
        self.wait_for(other.scrub.load())
        self.assertTrue(other.scrub.standing.stopped)

    async def stopped(self) -> bool:
        """Stop it, as an administrator does."""
        await self.stop()
        return await self.scrub.stop()

    def test_clock_set_back(self) -> None:
        """A clock that is set back an hour does not make it wait for an hour."""
        self.rate = SIZE
        self.go()
        self.clock.rightNow -= 3600
        for call in self.clock.calls:
            call.time -= 3600
        for _ in range(10):
            self.clock.advance(1)
            self.settle()
        self.assertFalse(self.control.is_running)


class DueTests(ScrubCase):
    """When it runs by itself."""

    def look(self, seconds: float = LOOK_EVERY) -> None:
        """Let time pass."""
        self.clock.advance(seconds)
        self.settle()

    def serve(self) -> ScrubSchedule:
        """Run the service."""
        service = ScrubSchedule(self.control, self.clock, 7 * DAY)
        service.startService()
        self.addCleanup(service.stopService)
        return service

    def test_week(self) -> None:
        """It begins a minute after the first start, and again a week after it began."""
        self.serve()
        self.look(0)
        self.assertEqual(self.scrub.standing.began, 0)
        self.look()
        first = self.scrub.standing
        self.assertEqual(first.began, (START + LOOK_EVERY) * 1000)
        self.look(6 * DAY)
        self.assertEqual(self.scrub.standing, first)
        self.look(DAY)
        self.assertGreater(self.scrub.standing.began, first.began)

    def test_unfinished(self) -> None:
        """What was not finished goes on a minute after the start; what was stopped, only when it is due."""
        for stopped, runs in ((False, True), (True, False)):
            self.wait_for(self.scrub.load())
            unfinished = evolve(
                self.scrub.standing, began=START * 1000, ended=0, stopped=stopped
            )
            self.scrub.standing = unfinished
            self.wait_for(self.scrub._try_to_keep())
            service = self.serve()
            self.look()
            self.assertEqual(bool(self.scrub.standing.ended), runs)
            service.stopService()


class RunningTests(SynchronousTestCase):
    """Waiting for what goes on."""

    def test_waiters(self) -> None:
        """All who wait are told at its end, whoever waits for so long before; its failure is kept."""
        clock, ending = Clock(), Deferred[None]()

        async def work() -> None:
            await ending

        running = Running(clock, work())
        patient = Deferred.fromCoroutine(running.wait())
        hasty = Deferred.fromCoroutine(running.wait(5))
        self.assertIsNone(self.successResultOf(Deferred.fromCoroutine(running.wait(0))))
        clock.advance(5)
        self.successResultOf(hasty)
        self.assertNoResult(patient)
        ending.errback(ValueError("x"))
        self.successResultOf(patient)
        self.assertTrue(running.is_over)
        assert running.failure is not None
        running.failure.trap(ValueError)
        self.assertEqual(clock.getDelayedCalls(), [])
