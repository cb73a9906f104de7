"""What is amiss for a while is said once."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.logger import LogLevel, capturedLogs, eventAsText
from twisted.trial.unittest import SynchronousTestCase

from ozgate.errors import Absent, ClientGone, Damaged, NoSpace, Unavailable, Uncertain
from ozgate.gateway.troubles import MOST, REST, ToldTroubles, Troubles

FULL = NoSpace("less than 5 bytes are free")


class TroubleTests(SynchronousTestCase):
    """Beginnings and ends."""

    def setUp(self) -> None:
        """Nothing is amiss."""
        self.clock = Clock()
        self.troubles = Troubles(self.clock)

    def said(self, *steps: object) -> list[str]:
        """What is logged by steps: an error that is met, a kind that is over, seconds that pass."""
        with capturedLogs() as captured:
            for step in steps:
                if isinstance(step, Exception):
                    self.assertTrue(self.troubles.tell(step))
                elif isinstance(step, type):
                    self.troubles.over(step)
                else:
                    self.clock.advance(float(str(step)))
        for event in captured:
            self.assertNotIn("log_failure", event)
            self.assertIn(event["log_level"], (LogLevel.error, LogLevel.info))
        return [eventAsText(event, includeTimestamp=False) for event in captured]

    def test_full(self) -> None:
        """A disk that fills is one line, whatever the many who meet it say, and one when there is room."""
        other = NoSpace("writing a blob: No space left on device")
        self.assertFalse(self.troubles)
        [begun] = self.said(FULL, FULL, 3, other, FULL)
        self.assertIn("the disk is full", begun)
        self.assertIn("less than 5 bytes are free", begun)
        self.assertTrue(self.troubles.lasts(NoSpace))
        [ended] = self.said(4, NoSpace, NoSpace)
        self.assertIn("again, after 7 seconds; 4 times", ended)
        self.assertFalse(self.troubles)

    def test_to_and_fro(self) -> None:
        """What comes and goes is said once a minute at most, and the end only of what was said."""
        lines = self.said(*(step for _ in range(300) for step in (FULL, NoSpace, 1)))
        self.assertEqual(len(lines), 2 * 300 / REST)

    def test_reasons(self) -> None:
        """Of a store each reason is said, but not any number of them."""
        lines = self.said(
            *(Unavailable(f"reason {number % 40}") for number in range(99))
        )
        self.assertEqual(len(lines), MOST)
        self.assertIn("reason 1", lines[1])
        self.assertEqual(len(self.said(Uncertain("syncing"), Uncertain("syncing"))), 1)
        self.assertEqual(len(self.said(Unavailable, Uncertain)), 2)

    def test_told(self) -> None:
        """Of two processes that meet the same the third says it once; each knows what it has met, until it is over for itself."""

        def hear(change: str, *what: object) -> None:
            getattr(self.troubles, change)(*what)

        first, second = (ToldTroubles(self.clock, hear) for _ in range(2))
        with capturedLogs() as captured:
            for each in (first, second, first):
                self.assertTrue(each.tell(FULL))
            first.over(NoSpace)
            self.assertEqual([bool(first), bool(second)], [False, True])
            self.assertTrue(second.lasts(NoSpace))
            second.over(NoSpace)
            second.over(NoSpace)
            self.assertFalse(first.tell(Absent("x")))
        begun, ended = (eventAsText(each) for each in captured)
        self.assertIn("the disk is full", begun)
        self.assertIn("3 times", ended)
        self.assertFalse(first or second or self.troubles)

    def test_others(self) -> None:
        """What is not expected is not taken for expected."""
        for error in (Damaged("x"), Absent("x"), ClientGone(), OSError(28, "x")):
            self.assertFalse(self.troubles.tell(error), error)
        self.assertFalse(self.troubles)
