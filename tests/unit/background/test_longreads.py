"""The reaper of one process waits for the reads of others."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred

from ozgate.background.longreads import (
    AFTER,
    EVERY,
    LASTS,
    LongReads,
    forget_all,
    join,
    leave,
)
from ozgate.content.readers import MARGIN, Readers
from ozgate.testing.metadata_base import ask
from ozgate.values import EXTENTS_AT_ONCE, Extent, Process
from tests.unit.background.sweeping import WAIT, SweepCase, add_scattered, remove_key


class OthersCase(SweepCase):
    """Two processes on stores in memory: one reaps, and the other reads."""

    def setUp(self) -> None:
        """Both have known of each other for long."""
        super().setUp()
        self.theirs = Readers()
        self.long_reads = LongReads(self.metadata, self.theirs, self.clock, "other")
        for process in ("gateway", "other"):
            self.write(join, process, "")
        self.clock.advance(WAIT)

    def start(self) -> None:
        """Have the other process note its reads from now on."""
        self.long_reads.startService()
        self.addCleanup(self.stop)

    def stop(self) -> None:
        """The other process dies, or hangs."""
        if self.long_reads.running:
            self.successResultOf(self.long_reads.stopService())

    def read(self) -> int:
        """Have a read begin in the other process."""
        return self.theirs.enter(self.now() - MARGIN)

    def remove(self) -> None:
        """Remove what is being read, a second later."""
        self.clock.advance(1)
        self.write(remove_key, self.bucket, "a")

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        while seconds > 0:
            self.clock.advance(1)
            seconds -= 1

    def written(self) -> list[Any]:
        """What is written from now on."""
        found: list[Any] = []
        write = self.metadata.write

        def writing(interaction: Any, *args: Any) -> Any:
            found.append(interaction)
            return write(interaction, *args)

        self.patch(self.metadata, "write", writing)
        return found

    def known(self) -> list[Process]:
        """The processes."""
        return list(self.successResultOf(self.metadata.read(ask, "processes")))


class WaitingTests(OthersCase):
    """What the reaper leaves alone."""

    def test_not_noted(self) -> None:
        """Were a long read of another process not noted, its blob would go."""
        self.put("a")
        self.read()
        self.remove()
        self.wait(WAIT)
        self.assertEqual(self.reap(), 1)

    def test_noted(self) -> None:
        """A blob stays until the read of another process has ended that may have found it, and its note is over."""
        self.start()
        blob = self.put("a")
        token = self.read()
        self.remove()
        for _ in range(20):
            self.wait(WAIT)
            self.assertEqual(self.reap(), 0)
        self.assertEqual(self.kept(), {blob.id})
        self.theirs.leave(token)
        self.wait(LASTS)
        self.assertEqual(self.reap(), 1)

    def test_not_yet_noted(self) -> None:
        """However short the delay, what was removed a while ago stays: a read that is not noted yet may have found it."""
        eager = self.make_reaper("gateway", delay=0)
        self.start()
        self.put("a")
        self.read()
        self.remove()
        for _ in range(int(WAIT) + 60):
            self.wait(1)
            self.assertEqual(self.reap(eager), 0)

    def test_short(self) -> None:
        """What no read of another process can have found goes when its time has come, and nothing is noted of short reads."""
        self.start()
        written = self.written()
        self.put("a")
        self.remove()
        writes = len(written)
        for _ in range(int(WAIT) + 60):
            token = self.read()
            self.wait(1)
            self.theirs.leave(token)
        self.assertEqual(len(written), writes)
        self.assertEqual(self.reap(), 1)

    def test_later_read(self) -> None:
        """A long read that began after all of it was removed keeps nothing."""
        self.start()
        self.put("a")
        self.remove()
        self.clock.advance(MARGIN / 1000 + 1)
        self.read()
        self.wait(WAIT)
        self.assertEqual(self.reap(), 1)

    def test_own_reads(self) -> None:
        """Its own reads count as ever beside those of others, and need no note."""
        self.put("a")
        token = self.readers.enter(self.now())
        self.remove()
        self.wait(WAIT)
        self.assertEqual(self.reap(), 0)
        self.readers.leave(token)
        self.assertEqual(self.reap(), 1)

    def test_dead(self) -> None:
        """The note of a process that died ends by itself."""
        self.start()
        self.put("a")
        self.read()
        self.remove()
        self.wait(WAIT)
        self.assertEqual(self.reap(), 0)
        self.stop()
        self.wait(LASTS)
        self.assertEqual(self.reap(), 1)

    def test_noted_meanwhile(self) -> None:
        """What is noted after the reaper looked, and before it takes, counts."""
        self.put("a")
        self.read()
        self.remove()
        self.wait(WAIT)
        read = self.metadata.read

        def noting(interaction: Any, *args: Any) -> Any:
            found = read(interaction, *args)
            if interaction.__name__ == "_look":
                patched.restore()
                self.wait_for(self.long_reads.work())
                self.patch(self.metadata, "read", noting)
            return found

        patched = self.patch(self.metadata, "read", noting)
        self.assertEqual(self.reap(), 0)

    def wait_for(self, awaited: Any) -> None:
        """Run a coroutine to its end."""
        self.successResultOf(Deferred.fromCoroutine(awaited))

    def test_retired(self) -> None:
        """What was removed, and is kept for its readers, is kept for those of other processes."""
        self.start()
        blob = self.put(data=bytes(2 * (EXTENTS_AT_ONCE + 1)))
        extents = [Extent(blob, n, 1) for n in range(0, blob.length, 2)]
        self.write(add_scattered, self.bucket, "a", extents)
        token = self.read()
        self.remove()
        for _ in range(3):
            self.wait(WAIT)
            self.reap()
        self.assertTrue(self.write("is_named", blob.store, blob.id))
        self.theirs.leave(token)
        self.wait(LASTS)
        self.reap()
        self.assertFalse(self.write("is_named", blob.store, blob.id))


class ComingTests(OthersCase):
    """Who is there, and since when."""

    def test_newcomer(self) -> None:
        """A process that came just now removes nothing: one that was alone, and noted nothing, may be reading for hours."""
        self.write(leave, "gateway")
        written = self.written()
        self.start()
        self.put("a")
        self.read()
        self.remove()
        writes = len(written)
        self.wait(7200)
        self.assertEqual(len(written), writes)
        self.write(join, "gateway", "")
        for _ in range(int(WAIT) + 60):
            self.assertEqual(self.reap(), 0)
            self.wait(1)

    def test_alone(self) -> None:
        """A process that is alone waits for nobody, and however long it reads, it notes nothing."""
        self.write(leave, "other")
        alone = LongReads(self.metadata, self.readers, self.clock, "gateway")
        alone.startService()
        self.addCleanup(alone.stopService)
        written = self.written()
        self.readers.enter(self.now() - MARGIN)
        self.wait(1000)
        self.assertEqual(written, [])
        self.put("a")
        self.readers = Readers()
        eager = self.make_reaper("gateway", delay=0)
        self.remove()
        self.wait(1)
        self.assertEqual(self.reap(eager), 1)

    def test_note_is_renewed_in_time(self) -> None:
        """Of a long read a note always holds, which costs a write every half minute."""
        self.start()
        written = self.written()
        began = self.now() - MARGIN
        self.read()
        self.wait(AFTER + EVERY)
        for _ in range(600):
            self.wait(1)
            (other,) = [each for each in self.known() if each.id == "other"]
            self.assertGreater(other.noted_until, self.now())
            self.assertEqual(other.reads_since, began)
        self.assertLess(len(written), 25)

    def test_not_known(self) -> None:
        """A process that could not be made known at its start removes nothing beside others, and is made known later."""
        self.write(leave, "gateway")
        self.put("a")
        self.remove()
        self.wait(WAIT)
        self.assertEqual(self.reap(), 0)
        late = LongReads(self.metadata, self.readers, self.clock, "gateway")
        late.startService()
        self.addCleanup(late.stopService)
        self.assertEqual([each.id for each in self.known()], ["other", "gateway"])
        self.wait(WAIT)
        self.assertEqual(self.reap(), 1)

    def test_clock_set_back(self) -> None:
        """A process that came in a time to come, for the clock was wrong, came now."""
        self.start()
        self.set_clock(-3 * 86_400)
        self.wait(EVERY + 1)
        (other,) = [each for each in self.known() if each.id == "other"]
        self.assertLessEqual(other.since, self.now())

    def test_noted_in_a_time_to_come(self) -> None:
        """What was noted while the clock was wrong by years keeps nothing for years, and a read that goes on is noted anew."""
        self.start()
        blob = self.put("a")
        token = self.read()
        self.set_clock(400 * 86_400)
        self.wait(AFTER + EVERY)
        self.set_clock(-400 * 86_400)
        self.remove()
        for _ in range(3):
            self.wait(WAIT)
            self.assertEqual(self.reap(), 0)
        self.assertEqual(self.kept(), {blob.id})
        self.theirs.leave(token)
        self.wait(LASTS)
        self.assertEqual(self.reap(), 1)

    def test_clock_set_back_under_a_read(self) -> None:
        """A long read of another process that began in a time to come keeps what is removed since."""
        self.start()
        self.put("a")
        token = self.read()
        self.set_clock(-3 * 86_400)
        self.write(join, "gateway", "")
        self.remove()
        for _ in range(4):
            self.wait(WAIT)
            self.assertEqual(self.reap(), 0)
        self.theirs.leave(token)
        self.wait(LASTS)
        self.assertEqual(self.reap(), 1)

    def set_clock(self, ahead: float) -> None:
        """Set the clock; rounds go by one that nobody sets."""
        self.clock.rightNow += ahead
        for call in self.clock.calls:
            call.time += ahead

    def test_copy(self) -> None:
        """Nobody uses a copy."""
        self.write("lease", "scrub", "other", 1000)
        self.write(forget_all)
        self.assertEqual(self.known(), [])
        self.assertEqual(self.write("lease", "scrub", "new", 1000), 2)
