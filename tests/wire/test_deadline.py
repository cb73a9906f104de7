"""The one timer of a connection."""

from __future__ import annotations

from typing import Any

from twisted.internet.base import DelayedCall
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from ozgate.wire.deadline import BODY, FLUSH, HEAD, IDLE, WORK, Deadline


class DeadlineTests(SynchronousTestCase):
    """What it calls when, and what that costs."""

    def setUp(self) -> None:
        """A deadline by a clock."""
        self.clock = Clock()
        self.overdue: list[tuple[float, str]] = []
        self.deadline = Deadline(
            self.clock,
            lambda phase: self.overdue.append((self.clock.seconds(), phase)),
        )

    def pass_seconds(self, count: int) -> None:
        """Let time pass."""
        self.clock.pump([1.0] * count)

    def test_sooner_and_later(self) -> None:
        """The phase of now counts, be its end before or after that of the phase before."""
        self.deadline.begin(IDLE, 60)
        self.deadline.begin(BODY, 20)
        self.pass_seconds(10)
        self.deadline.begin(HEAD, 30)
        self.pass_seconds(29)
        self.assertEqual(self.overdue, [])
        self.pass_seconds(31)
        self.assertEqual(self.overdue, [(40.0, HEAD)])
        self.deadline.begin(FLUSH, 5)
        self.deadline.rest()
        self.assertEqual(self.deadline.phase, WORK)
        self.pass_seconds(60)
        self.assertEqual(len(self.overdue), 1)

    def test_one_timer(self) -> None:
        """However often phases change, there is one timer, and none once it is closed."""
        for _ in range(5):
            for phase, seconds in ((IDLE, 60), (HEAD, 30), (BODY, 20), (FLUSH, 1)):
                self.deadline.begin(phase, seconds)
                self.assertEqual(len(self.clock.getDelayedCalls()), 1)
                self.pass_seconds(1)
        self.deadline.close()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_never_searched_for(self) -> None:
        """No timer is moved to an earlier time: for that the reactor looks through all that it has, which made ten thousand connections
        that ended together hold up the service for ten seconds.
        """

        def reset(*arguments: Any) -> None:
            raise AssertionError("a timer was moved")

        self.patch(DelayedCall, "reset", reset)
        self.deadline.begin(IDLE, 60)
        self.deadline.begin(FLUSH, 20)
        self.pass_seconds(20)
        self.assertEqual(self.overdue, [(20.0, FLUSH)])
