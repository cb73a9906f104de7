"""Bytes that nothing names any more go after their delay, and no others."""

from __future__ import annotations

from twisted.internet.defer import fail

from ozgate.background.reaper import LEASE, TERM
from ozgate.errors import Unavailable
from ozgate.testing.metadata_base import ask
from ozgate.values import EXTENTS_AT_ONCE, BlobRef, Extent
from tests.unit.background.sweeping import (
    DELAY,
    HELD,
    SweepCase,
    add_scattered,
    name_blob,
    remove_key,
)


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
