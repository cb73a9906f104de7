"""The service that reaps and sweeps: when it does, and how it stops."""

from __future__ import annotations

from twisted.internet.defer import Deferred, fail
from twisted.logger import capturedLogs, eventAsText

from ozgate.background.reaper import ORPHANS_EVERY, TERM, Sweeper
from ozgate.errors import NoSpace, Unavailable
from tests.unit.background.sweeping import HELD, SweepCase, name_blob, remove_key


class SweeperTests(SweepCase):
    """The service."""

    def start(self, is_first: bool = True, **kwargs) -> Sweeper:
        reaper = self.make_reaper("gateway", **kwargs)
        sweeper = Sweeper(reaper, self.clock, 60, is_first)
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

    def test_not_first(self) -> None:
        """Where others were writing already, what they made before this start and have not named yet is no orphan, for an hour."""
        theirs = self.put()
        self.clock.advance(1)
        self.start(is_first=False)
        self.clock.pump([60] * 59)
        self.assertIn(theirs.id, self.kept())
        self.write(name_blob, self.bucket, "a", theirs)
        orphan = self.put()
        self.clock.pump([60] * 130)
        self.assertEqual(self.kept(), {theirs.id})
        self.assertNotIn(orphan.id, self.kept())

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
