"""A machine whose clock is not that of the store that gateways share."""

from __future__ import annotations

from unittest.mock import patch

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from ozgate.config.settings import Settings
from ozgate.service.clockskew import EVERY, MOST, ClockWatch, check_clock
from ozgate.testing.memory_metadata import MemoryMetadataStore


class ClockTests(SynchronousTestCase):
    """A store with a clock of its own."""

    def check(self, ahead: float) -> str:
        """What a start is refused for on a machine whose clock is so many seconds ahead of the store's."""
        ours, theirs = Clock(), Clock()
        theirs.advance(1_795_000_000)
        ours.advance(1_795_000_000 + ahead)
        metadata = MemoryMetadataStore(theirs)
        self.successResultOf(metadata.open())
        settings = Settings(metadata_provider="postgresql://db/ozgate")
        checking = Deferred.fromCoroutine(check_clock(metadata, ours, settings))
        refused: list[str] = []
        checking.addErrback(lambda failure: refused.append(str(failure.value)))
        self.successResultOf(checking)
        return "".join(refused)

    def test_near(self) -> None:
        """Minutes are left to clocks that are not well set."""
        for ahead in (0.0, 1.0, -1.0, MOST - 1, 1 - MOST):
            self.assertEqual(self.check(ahead), "")

    def test_apart(self) -> None:
        """What is further apart is refused, in a line that says which way and what to do."""
        self.assertIn("3600 seconds ahead of that of postgresql://db", self.check(3600))
        self.assertIn("3600 seconds behind that of", self.check(-3600))
        self.assertIn("NTP", self.check(3600))


class WatchTests(SynchronousTestCase):
    """A clock that is set while a gateway runs."""

    def setUp(self) -> None:
        """A gateway whose clock is right."""
        self.steady, self.ours, self.theirs = Clock(), Clock(), Clock()
        self.ours.advance(1_795_000_000)
        self.theirs.advance(1_795_000_000)
        self.said: list[str] = []
        log = patch("ozgate.service.clockskew._log")
        told = log.start()
        self.addCleanup(log.stop)
        told.error.side_effect = told.info.side_effect = self.keep
        metadata = MemoryMetadataStore(self.theirs)
        self.successResultOf(metadata.open())
        clocks = self.steady, self.ours
        watch = ClockWatch(metadata, *clocks, "postgresql://db/ozgate")
        watch.startService()
        self.addCleanup(watch.stopService)

    def keep(self, text: str, **values: object) -> None:
        """Keep a line of the log."""
        self.said.append(text.format(**values))

    def pass_time(self) -> None:
        """Until the next look, and the one after that."""
        for _ in range(2):
            for each in (self.steady, self.ours, self.theirs):
                each.advance(EVERY)

    def test_set(self) -> None:
        """A clock that is set far is told of once, with how far it is, and once when it is right again; each time anew."""
        self.pass_time()
        self.assertEqual(self.said, [])
        for seconds, how in ((172_800, "ahead of"), (-600, "behind")):
            self.ours.rightNow += seconds
            self.pass_time()
            [line] = self.said
            self.assertIn(f"{abs(seconds)} seconds {how} that of postgresql://db", line)
            self.ours.rightNow -= seconds
            self.pass_time()
            self.assertIn(
                "agrees with that of postgresql://db/ozgate again", self.said[1]
            )
            self.assertEqual(len(self.said), 2)
            self.said.clear()

    def test_near(self) -> None:
        """One that is minutes off is nobody's concern."""
        self.ours.rightNow += MOST - 1
        self.pass_time()
        self.assertEqual(self.said, [])
