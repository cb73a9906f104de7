"""A machine whose clock is not that of the store that gateways share."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from ozgate.config.settings import Settings
from ozgate.service.clockskew import MOST, check_clock
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
