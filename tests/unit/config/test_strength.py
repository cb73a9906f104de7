"""Tests of :mod:`ozgate.config.strength`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from ozgate.config.strength import LONGEST, refusal, warning


class StrengthTests(SynchronousTestCase):
    """Secrets that people choose."""

    def test_refused(self) -> None:
        """What is short, long, blank at an end, one character, or cannot be typed is refused in a line."""
        for secret in (
            "",
            "1234567",
            " " * 8,
            "\u3000" * 8,
            " a good secret of mine",
            "a good secret of mine\t",
            "a good secret of mine\u00a0",
            "0" * 40,
            "\N{SNOWMAN}" * 16,
            "new\nline and more",
            "x1" * LONGEST,
        ):
            self.assertRegex(refusal(secret), r"\ASecret key [^\n]+\Z", repr(secret))

    def test_taken(self) -> None:
        """Others are taken, blanks in the middle and all; below 16 characters with a warning, which does not have them."""
        for secret, is_weak in (
            ("12345678", True),
            ("15 characters !", True),
            ("16 characters !!", False),
            ("correct horse battery staple", False),
            ("0123456789abcdef" * 4, False),
        ):
            self.assertEqual(refusal(secret), "")
            self.assertEqual(bool(warning(secret)), is_weak)
            self.assertNotIn(secret, warning(secret))
