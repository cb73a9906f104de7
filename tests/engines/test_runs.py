"""What came of tests, of trial's last line."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.engines.runs import Outcome, read_summary


class SummaryTests(SynchronousTestCase):
    """Lines as trial prints them."""

    def test_counts(self) -> None:
        """Successes, skips, and whatever else is bad."""
        line = "FAILED (skips=3, failures=1, errors=2, successes=7)"
        self.assertEqual(read_summary(line, 1), Outcome(7, 3, 3))
        self.assertEqual(read_summary("PASSED (successes=2)", 0), Outcome(2, 0, 0))

    def test_cut_off(self) -> None:
        """A trial that was ended before its last line has failed, whatever had passed; one that finds a failure of its own, too."""
        self.assertEqual(read_summary("", -9), Outcome(0, 1, 0))
        self.assertEqual(read_summary("PASSED (successes=2)", 1), Outcome(2, 1, 0))

    def test_sum(self) -> None:
        """Stages are added up."""
        self.assertEqual(Outcome(1, 2, 3) + Outcome(10, 20, 30), Outcome(11, 22, 33))
