"""The time of a database whose clock may be set."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from ozgate.metadata.postgresql.times import LEAD, NOTED, Times, is_to_be_noted

NOW = 1_700_000_000_000


class TimesTests(SynchronousTestCase):
    """It does not go back, unless it was wrong by more than a day."""

    def test_stands_still(self) -> None:
        """Set back by a day or less, it stands still: at what this process has given, or at what another one has noted."""
        times = Times()
        self.assertEqual(times.now(NOW, 0), NOW)
        self.assertEqual(times.now(NOW - LEAD, 0), NOW)
        self.assertEqual(times.now(NOW - 5, NOW + 7), NOW + 7)
        self.assertEqual(Times().now(NOW, NOW + LEAD), NOW + LEAD)

    def test_follows(self) -> None:
        """Set back by more, it follows."""
        times = Times()
        times.now(NOW, NOW)
        self.assertEqual(times.now(NOW - LEAD - 1, NOW), NOW - LEAD - 1)

    def test_noted(self) -> None:
        """It is noted once it went on by a second, and where it went back."""
        self.assertFalse(is_to_be_noted(NOW, NOW))
        self.assertFalse(is_to_be_noted(NOW + NOTED - 1, NOW))
        self.assertTrue(is_to_be_noted(NOW + NOTED, NOW))
        self.assertTrue(is_to_be_noted(NOW - LEAD - 1, NOW))
