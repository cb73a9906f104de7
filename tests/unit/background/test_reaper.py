"""Bytes that nothing names go, and no others."""

from __future__ import annotations

from twisted.internet.defer import Deferred, fail, maybeDeferred
from twisted.internet.task import Clock
from twisted.logger import capturedLogs, eventAsText
from twisted.trial.unittest import SynchronousTestCase

from ozgate.background.reaper import LEASE, ORPHANS_EVERY, TERM, Reaper, Sweeper
from ozgate.config.settings import Settings
from ozgate.content.intake import ExtentSink, abandon, begin
from ozgate.content.readers import Readers
from ozgate.content.stores import BlobStores
from ozgate.errors import NoSpace, Unavailable
from ozgate.gateway.gateway import Gateway
from ozgate.testing.memory_blobs import MemoryBlobStore
from ozgate.testing.memory_metadata import MemoryMetadataStore
from ozgate.testing.metadata_base import ask, change
from ozgate.testing.metadata_needs import claim_whole
from ozgate.values import (
    EXTENTS_AT_ONCE,
    BlobRef,
    Bucket,
    Claim,
    Content,
    Extent,
    ObjectVersion,
    Volume,
)

START = 1_700_000_000
DELAY = 60
HELD = f"{LEASE} memory"
"""The lease of the store's reaper."""


def add_bucket(tx) -> Bucket:
    """The bucket everything is in."""
    tx.claim(Claim.volume("s3v"), Claim.name("s3v", "b"))
    tx.add_volume(Volume("s3v", "o", tx.now()))
    return tx.add_bucket(Bucket("s3v", "b", "o", tx.now()))


def add_scattered(tx, bucket: Bucket, key: str, extents: list[Extent]) -> None:
    """Make a version whose bytes are here and there."""
    claim_whole(tx, bucket)
    version = ObjectVersion(key, tx.next_sequence(), tx.now(), len(extents))
    tx.add_version(bucket, version, Content(None, tuple(extents)))


def name_content(tx, bucket: Bucket, key: str, content: Content) -> None:
    """Make a version of a new key."""
    claim_whole(tx, bucket)
    version = ObjectVersion(key, tx.next_sequence(), tx.now(), content.length)
    tx.add_version(bucket, version, content)


def name_blob(tx, bucket: Bucket, key: str, blob: BlobRef) -> None:
    """Make a version of a key with a blob's bytes, replacing the one before."""
    claim_whole(tx, bucket)
    before = tx.latest(bucket, key)
    if before is not None:
        tx.remove_version(bucket, before)
    version = ObjectVersion(key, tx.next_sequence(), tx.now(), blob.length)
    content = Content(None, (Extent(blob, 0, blob.length),))
    tx.add_version(bucket, version, content)


def remove_key(tx, bucket: Bucket, key: str) -> None:
    """Remove the version of a key."""
    claim_whole(tx, bucket)
    tx.remove_version(bucket, tx.latest(bucket, key))


class SweepCase(SynchronousTestCase):
    """Both stores in memory, on one clock."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(START)
        self.metadata = MemoryMetadataStore(self.clock)
        self.blobs = MemoryBlobStore(self.clock)
        self.readers = Readers()
        self.successResultOf(self.metadata.open())
        self.successResultOf(self.blobs.open_store())
        self.bucket = self.write(add_bucket)
        self.reaper = self.make_reaper("gateway")

    def make_reaper(self, owner: str, delay: float = DELAY) -> Reaper:
        return Reaper(self.metadata, self.blobs, self.readers, self.clock, owner, delay)

    def write(self, what, *args):
        return self.successResultOf(self.metadata.write(change, what, args))

    def now(self) -> int:
        return int(self.clock.seconds() * 1000)

    def put(self, key: str | None = None, data: bytes = b"data") -> BlobRef:
        """Store a blob, and an object of it when there is a key."""
        sink = self.blobs.create(None)
        sink.write(data)
        blob = self.successResultOf(sink.commit())
        if key is not None:
            self.write(name_blob, self.bucket, key, blob)
        return blob

    def reap(self, reaper: Reaper | None = None) -> int:
        return self.do(reaper or self.reaper, "reap")

    def do(self, worker: Reaper | ExtentSink, what: str, *args):
        """Run a method of a reaper, or of another, to its end."""
        done = Deferred.fromCoroutine(getattr(worker, what)(*args))
        while not done.called:
            self.clock.advance(0)
        return self.successResultOf(done)

    def sweep(self, before: int) -> int | None:
        return self.do(self.reaper, "sweep_orphans", before)

    def kept(self) -> set[str]:
        return set(self.blobs.data)


class ReapTests(SweepCase):
    """:meth:`Reaper.reap`."""

    def test_removed_object(self) -> None:
        """The blob of a removed object goes after the delay, not before."""
        blob = self.put("a")
        self.write(remove_key, self.bucket, "a")
        self.clock.advance(DELAY)
        self.assertEqual(self.reap(), 0)
        self.assertEqual(self.kept(), {blob.id})
        self.clock.advance(1)
        self.assertEqual(self.reap(), 1)
        self.assertEqual(self.kept(), set())

    def test_overwritten_object(self) -> None:
        """Of an overwritten object the old blob goes and the new one stays."""
        self.put("a")
        new = self.put("a")
        self.clock.advance(DELAY + 1)
        self.assertEqual(self.reap(), 1)
        self.assertEqual(self.kept(), {new.id})

    def test_shared_blob(self) -> None:
        """A blob that a copy still names stays, until the copy goes too."""
        blob = self.put("a")
        self.write(name_blob, self.bucket, "copy", blob)
        self.write(remove_key, self.bucket, "a")
        self.clock.advance(DELAY + 1)
        self.assertEqual(self.reap(), 0)
        self.assertEqual(self.kept(), {blob.id})
        self.write(remove_key, self.bucket, "copy")
        self.clock.advance(DELAY + 1)
        self.assertEqual(self.reap(), 1)

    def test_doomed_and_named(self) -> None:
        """A blob doomed by mistake, since its write was uncertain but happened, stays for good."""
        blob = self.put("a")
        self.write("doom", [blob])
        self.clock.advance(DELAY + 1)
        self.assertEqual(self.reap(), 0)
        self.assertEqual(self.kept(), {blob.id})

    def test_reader(self) -> None:
        """A blob doomed while a read is under way stays until that read has ended."""
        self.put("a")
        token = self.readers.enter(self.now())
        self.clock.advance(1)
        self.write(remove_key, self.bucket, "a")
        self.clock.advance(100 * DELAY)
        self.assertEqual(self.reap(), 0)
        self.readers.leave(token)
        self.assertEqual(self.reap(), 1)

    def test_later_reader(self) -> None:
        """A read that began after a blob was doomed does not keep it: it cannot have seen it."""
        self.put("a")
        self.write(remove_key, self.bucket, "a")
        self.clock.advance(DELAY + 1)
        self.readers.enter(self.now())
        self.assertEqual(self.reap(), 1)

    def test_clock_set_back_under_a_read(self) -> None:
        """A read keeps what is removed after it began, by whatever clock."""
        self.put("a")
        token = self.readers.enter(self.now())
        self.clock.rightNow -= 3 * 86_400
        self.write(remove_key, self.bucket, "a")
        self.clock.advance(DELAY + 1)
        self.assertEqual(self.reap(), 0)
        self.readers.leave(token)
        self.assertEqual(self.reap(), 1)

    def test_clock_set_back(self) -> None:
        """What was removed at a time that is far off, for the clock was wrong, goes all the same once nobody reads."""
        blob = self.put(data=bytes(2 * (EXTENTS_AT_ONCE + 1)))
        extents = [Extent(blob, n, 1) for n in range(0, blob.length, 2)]
        self.write(add_scattered, self.bucket, "a", extents)
        self.write(remove_key, self.bucket, "a")
        self.clock.rightNow -= 3 * 86_400
        token = self.readers.enter(self.now())
        self.reap()
        self.clock.advance(DELAY + 1)
        self.assertEqual(self.reap(), 0)
        self.readers.leave(token)
        self.reap()
        self.clock.advance(DELAY + 1)
        self.assertEqual(self.reap(), 1)

    def test_many(self) -> None:
        """However many there are, one call deletes them all."""
        for n in range(250):
            self.put(f"k{n}")
            self.write(remove_key, self.bucket, f"k{n}")
        kept = self.put("kept")
        self.clock.advance(DELAY + 1)
        self.assertEqual(self.reap(), 250)
        self.assertEqual(self.kept(), {kept.id})

    def test_other_store(self) -> None:
        """Blobs of another store are left to its reaper, and hold this one up neither by their number nor by their lease."""
        others = [BlobRef("other", f"{n:024x}", 1, 0) for n in range(150)]
        self.write("doom", others)
        self.clock.advance(1)
        self.put("a")
        self.write(remove_key, self.bucket, "a")
        self.write("lease", f"{LEASE} other", "other", TERM)
        self.clock.advance(DELAY + 1)
        self.assertEqual(self.reap(), 1)
        left = self.successResultOf(
            self.metadata.read(ask, "doomed", ("other", self.now(), 1000))
        )
        self.assertEqual(len(left), 150)

    def test_lease(self) -> None:
        """While another holds the lease nothing is done; when its term is over, everything."""
        self.put("a")
        self.write(remove_key, self.bucket, "a")
        self.clock.advance(DELAY + 1)
        self.write("lease", HELD, "other", TERM)
        self.assertEqual(self.reap(), 0)
        self.assertEqual(len(self.kept()), 1)
        self.clock.advance(TERM + 1)
        self.assertEqual(self.reap(), 1)

    def test_lost_lease(self) -> None:
        """Another that swept between two batches ends the round, though the lease is free again; what was taken before goes."""
        for n in range(250):
            self.put(f"k{n}")
            self.write(remove_key, self.bucket, f"k{n}")
        self.clock.advance(DELAY + 1)
        real = self.blobs.delete

        def delete(blob_id: str):
            if len(self.kept()) == 250:
                self.clock.advance(TERM)
                self.assertEqual(self.write("lease", HELD, "other", TERM), 2)
                self.clock.advance(TERM)
            return real(blob_id)

        self.patch(self.blobs, "delete", delete)
        self.assertEqual(self.reap(), 100)
        self.assertEqual(len(self.kept()), 150)
        self.assertEqual(self.reap(), 150)

    def test_forgotten_first(self) -> None:
        """Blobs are off the list, durably, before the first is deleted: a crash leaves orphans, no dangling name."""
        blob = self.put("a")
        self.write(remove_key, self.bucket, "a")
        self.clock.advance(DELAY + 1)
        seen: list[int] = []
        real = self.blobs.delete

        def delete(blob_id: str):
            reading = self.metadata.read(ask, "doomed", ("memory", 1 << 60, 10))
            seen.append(len(self.successResultOf(reading)))
            return real(blob_id)

        self.patch(self.blobs, "delete", delete)
        self.assertEqual(self.reap(), 1)
        self.assertEqual(seen, [0])
        self.assertNotIn(blob.id, self.kept())

    def test_failed_delete(self) -> None:
        """A blob that cannot be deleted now is tried again, and does not hold up the others."""
        bad, good = self.put("a"), self.put("b")
        for key in "ab":
            self.write(remove_key, self.bucket, key)
        self.clock.advance(DELAY + 1)
        real = self.blobs.delete

        def delete(blob_id: str):
            return fail(Unavailable("EIO")) if blob_id == bad.id else real(blob_id)

        patched = self.patch(self.blobs, "delete", delete)
        self.assertEqual(self.reap(), 1)
        self.assertEqual(self.kept(), {bad.id})
        self.assertNotIn(good.id, self.kept())
        patched.restore()
        self.clock.advance(DELAY + 1)
        self.assertEqual(self.reap(), 1)
        self.assertEqual(self.kept(), set())

    def test_stops(self) -> None:
        """Told not to go on, it leaves the rest for another time."""
        for n in range(250):
            self.put(f"k{n}")
            self.write(remove_key, self.bucket, f"k{n}")
        self.clock.advance(DELAY + 1)
        answers = iter([True, False])
        self.assertEqual(self.do(self.reaper, "reap", lambda: next(answers)), 100)


class OrphanTests(SweepCase):
    """:meth:`Reaper.sweep_orphans`."""

    def test_orphan(self) -> None:
        """A blob that a crash left without a name is doomed, and goes after the delay."""
        orphan, named = self.put(), self.put("a")
        self.clock.advance(1)
        self.assertEqual(self.sweep(self.now()), 1)
        self.assertEqual(self.kept(), {orphan.id, named.id})
        self.clock.advance(DELAY + 1)
        self.assertEqual(self.reap(), 1)
        self.assertEqual(self.kept(), {named.id})

    def test_young(self) -> None:
        """A blob made after the given time may be a commit in progress, and is left alone."""
        self.clock.advance(1)
        before = self.now()
        self.put()
        self.assertEqual(self.sweep(before), 0)

    def test_slow_commit(self) -> None:
        """A row that comes after the sweep has seen its blob without one still saves it."""
        blob = self.put()
        self.clock.advance(1)
        self.assertEqual(self.sweep(self.now()), 1)
        self.write(name_blob, self.bucket, "slow", blob)
        self.clock.advance(DELAY + 1)
        self.assertEqual(self.reap(), 0)
        self.assertEqual(self.kept(), {blob.id})

    def body_of_hours(self) -> tuple[Gateway, ExtentSink]:
        """A body whose first blob has been durable for hours, and whose last bytes are on their way; the sweep and the reaper came by."""
        self.blobs.extent_size = 5  # type: ignore[misc]
        stores = self.metadata, BlobStores(self.blobs), self.readers, self.clock
        gateway = Gateway(Settings(), *stores, maybeDeferred, process="gateway")
        body = begin(gateway, 12)
        body.write(b"some by")
        for _ in range(3):
            self.clock.advance(ORPHANS_EVERY)
            self.sweep(self.now() - round(ORPHANS_EVERY * 1000))
            self.clock.advance(DELAY + 1)
            self.assertEqual(self.reap(), 0)
        self.assertEqual(len(self.kept()), 1)
        return gateway, body

    def test_slow_body(self) -> None:
        """The first blobs of a slow body stay until a row names them."""
        _, body = self.body_of_hours()
        body.write(b"te...")
        content = self.do(body, "commit")
        self.write(name_content, self.bucket, "slow", content)
        self.assertIsNone(self.readers.oldest())
        self.clock.advance(DELAY + 1)
        self.assertEqual(self.reap(), 0)
        self.assertEqual(len(self.kept()), 3)

    def test_slow_body_given_up(self) -> None:
        """Those of one that broke off go."""
        gateway, body = self.body_of_hours()
        self.successResultOf(Deferred.fromCoroutine(abandon(gateway, body)))
        self.assertIsNone(self.readers.oldest())
        self.clock.advance(DELAY + 1)
        self.assertEqual(self.reap(), 1)

    def test_reader_of_what_is_swept(self) -> None:
        """A blob just overwritten, seen by the sweep, stays for the reader that is still at it."""
        blob = self.put("a")
        token = self.readers.enter(self.now())
        self.clock.advance(1)
        self.write(remove_key, self.bucket, "a")
        self.clock.advance(7200)
        self.sweep(self.now())
        self.clock.advance(DELAY + 1)
        self.assertEqual(self.reap(), 0)
        self.assertEqual(self.kept(), {blob.id})
        self.readers.leave(token)
        self.assertEqual(self.reap(), 1)

    def test_many(self) -> None:
        """All of very many are found, and the reactor has its turns meanwhile."""
        for _ in range(1000):
            blob = self.put()
            # All with one ending, so that they come in more than one batch.
            self.blobs.data[blob.id[:-2] + "aa"] = self.blobs.data.pop(blob.id)
        self.clock.advance(1)
        self.assertEqual(self.sweep(self.now()), 1000)

    def test_lease(self) -> None:
        """While another holds the lease nothing is looked at, and the caller hears of it."""
        self.put()
        self.clock.advance(1)
        self.write("lease", HELD, "other", TERM)
        self.assertIsNone(self.sweep(self.now()))

    def test_lost_lease(self) -> None:
        """Another that swept meanwhile ends the search: nothing is doomed any more."""
        orphan = self.put()
        self.clock.advance(1)
        real = self.blobs.list

        def listed(before: int, ending: str = ""):
            if orphan.id.endswith(ending):
                self.clock.advance(TERM)
                self.assertEqual(self.write("lease", HELD, "other", 0), 2)
            return real(before, ending)

        self.patch(self.blobs, "list", listed)
        self.assertIsNone(self.sweep(self.now()))
        doomed = self.metadata.read(ask, "is_doomed", (orphan.store, orphan.id))
        self.assertFalse(self.successResultOf(doomed))

    def test_stops(self) -> None:
        """Told not to go on, it says that it did not come to the end."""
        self.put()
        self.clock.advance(1)
        found = self.do(self.reaper, "sweep_orphans", self.now(), lambda: False)
        self.assertIsNone(found)


class SweeperTests(SweepCase):
    """The service."""

    def start(self, **kwargs) -> Sweeper:
        sweeper = Sweeper(self.make_reaper("gateway", **kwargs), self.clock, 60)
        sweeper.startService()
        self.addCleanup(lambda: sweeper.running and sweeper.stopService())
        return sweeper

    def test_start(self) -> None:
        """What the process before left is gone a little after the start."""
        orphan = self.put()
        self.clock.advance(1)
        self.start()
        young = self.put()
        self.clock.pump([60] * 3)
        self.assertNotIn(orphan.id, self.kept())
        self.assertIn(young.id, self.kept())

    def test_hourly(self) -> None:
        """An orphan of the running process goes when it is an hour old, give or take an hour."""
        self.start()
        orphan, named = self.put(), self.put("a")
        self.clock.pump([60] * 59)
        self.assertIn(orphan.id, self.kept())
        self.clock.pump([60] * 70)
        self.assertEqual(self.kept(), {named.id})

    def test_reaps(self) -> None:
        """What is doomed goes in the round after its delay."""
        self.start()
        self.put("a")
        self.write(remove_key, self.bucket, "a")
        self.clock.pump([60] * 2)
        self.assertEqual(self.kept(), set())

    def test_long_delay(self) -> None:
        """With a delay longer than the sweep's hour, blobs still go: sweeping does not put them off forever."""
        self.start(delay=3 * ORPHANS_EVERY)
        self.put("a")
        self.write(remove_key, self.bucket, "a")
        self.clock.pump([60] * 60 * 12)
        self.assertEqual(self.kept(), set())

    def test_lease_of_the_dead(self) -> None:
        """A sweep that another's lease kept from being done at the start is made up for."""
        self.write("lease", HELD, "dead", TERM)
        orphan = self.put()
        self.clock.advance(1)
        self.start()
        self.clock.pump([60] * 4)
        self.assertNotIn(orphan.id, self.kept())

    def test_failure(self) -> None:
        """A round that fails is logged, and the next one does the work."""
        self.put("a")
        self.write(remove_key, self.bucket, "a")
        calls = [0]
        real = self.metadata.write

        def write(*args, **kwargs):
            calls[0] += 1
            if calls[0] == 1:
                return fail(Unavailable("busy"))
            if calls[0] == 2:
                return fail(ZeroDivisionError())
            return real(*args, **kwargs)

        self.patch(self.metadata, "write", write)
        self.start()
        self.clock.pump([60] * 4)
        self.assertEqual(self.kept(), set())
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_failures(self) -> None:
        """Rounds that fail alike are said once, and so is that they go on."""
        full = [NoSpace("full")] * 3 + [Unavailable("busy")] * 2
        answers = iter(full)
        real = self.metadata.write

        def write(*args, **kwargs):
            error = next(answers, None)
            return real(*args, **kwargs) if error is None else fail(error)

        self.patch(self.metadata, "write", write)
        with capturedLogs() as captured:
            self.start()
            self.clock.pump([60] * 9)
        said = [eventAsText(each, includeTimestamp=False) for each in captured]
        said = [each for each in said if "Sweeper" in each]
        self.assertEqual(len(said), 3, said)
        for each, words in zip(
            said, ("again: full", "again: busy", "goes on"), strict=True
        ):
            self.assertIn(words, each)

    def test_stop(self) -> None:
        """Stopping between rounds is done at once, and leaves no delayed call."""
        sweeper = self.start()
        self.successResultOf(sweeper.stopService())
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_stop_in_a_round(self) -> None:
        """Stopping in a round waits for the batch at hand, and no other is begun."""
        deleting: list[Deferred] = []

        def delete(blob_id: str) -> Deferred:
            self.blobs.data.pop(blob_id, None)
            deleting.append(Deferred())
            return deleting[-1]

        self.patch(self.blobs, "delete", delete)
        sweeper = self.start()
        for n in range(150):
            self.put(f"k{n}")
            self.write(remove_key, self.bucket, f"k{n}")
        self.clock.pump([60] * 2)
        self.assertEqual(len(deleting), 1)
        stopping = sweeper.stopService()
        while not stopping.called:
            deleting[-1].callback(None)
        self.successResultOf(stopping)
        self.assertEqual(len(self.kept()), 50)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_again(self) -> None:
        """A service that was stopped can be started again."""
        sweeper = self.start()
        self.successResultOf(sweeper.stopService())
        orphan = self.put()
        self.clock.advance(1)
        sweeper.startService()
        self.clock.pump([60] * 3)
        self.assertNotIn(orphan.id, self.kept())
