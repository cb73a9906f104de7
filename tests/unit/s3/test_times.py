"""Times as documents and headers have them."""

from calendar import timegm
from email.utils import formatdate, parsedate

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ozgate.s3.times import (
    exact_timestamp,
    http_date,
    parse_http_date,
    parse_timestamp,
    timestamp,
)


class TimeTests(SynchronousTestCase):
    """Times out and in."""

    def test_timestamp(self) -> None:
        """Documents have whole seconds and three zeros."""
        self.assertEqual(timestamp(1_795_341_600_000), "2026-11-22T10:00:00.000Z")
        self.assertEqual(timestamp(1_795_341_600_999), "2026-11-22T10:00:00.000Z")
        self.assertEqual(timestamp(0), "1970-01-01T00:00:00.000Z")

    def test_exact_timestamp(self) -> None:
        """Where it matters, milliseconds are said, and read back."""
        for ms, text in (
            (1_795_341_600_000, "2026-11-22T10:00:00.000Z"),
            (1_795_341_600_999, "2026-11-22T10:00:00.999Z"),
            (7, "1970-01-01T00:00:00.007Z"),
        ):
            self.assertEqual(exact_timestamp(ms), text)
            self.assertEqual(parse_timestamp(text), ms)

    def test_unwritable_timestamp(self) -> None:
        """A time that is in the year 10000, or in none, is no time."""
        for text in ("9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00"):
            self.assertRaises(ValueError, parse_timestamp, text)

    def test_http_date(self) -> None:
        """Headers have RFC 9110's fixed form."""
        self.assertEqual(http_date(1_795_341_600_000), "Sun, 22 Nov 2026 10:00:00 GMT")

    @given(st.integers(0, 4_102_444_800))
    def test_dates_agree(self, seconds: int) -> None:
        """Written dates are the standard library's, and are read back."""
        written = http_date(seconds * 1000)
        self.assertEqual(written, formatdate(seconds, usegmt=True))
        self.assertEqual(parse_http_date(written), seconds)
        year, month, day, hour, minute, second = timegm_parts(seconds)
        self.assertEqual(
            timestamp(seconds * 1000 + 999),
            f"{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.000Z",
        )

    def test_three_forms(self) -> None:
        """The fixed form, RFC 850's and asctime's are the same moment."""
        for text in (
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            "Mon, 06 Nov 1994 08:49:37 GMT",
        ):
            self.assertEqual(parse_http_date(text), 784111777, text)
        self.assertEqual(
            parse_http_date("Monday, 06-Nov-34 08:49:37 GMT"),
            timegm((2034, 11, 6, 8, 49, 37)),
        )
        self.assertEqual(
            parse_http_date("Sat, 31 Dec 2016 23:59:60 GMT"),
            timegm((2016, 12, 31, 23, 59, 59)),
        )

    def test_nonsense(self) -> None:
        """What is no date is None, not a guess."""
        for text in (
            "",
            "0",
            "784111777",
            "1994-11-06T08:49:37Z",
            "Sun, 6 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 94 08:49:37 GMT",
            "Sun, 06 nov 1994 08:49:37 GMT",
            "Sun, 31 Feb 1994 08:49:37 GMT",
            "Sun, 00 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 0000 08:49:37 GMT",
            "Sun, 06 Nov 1994 24:00:00 GMT",
            "Sun, 06 Nov 1994 08:60:00 GMT",
            "Sun, 06 Nov 1994 08:49:61 GMT",
            "Sun, 06 Nov 1994 08:49:37 UTC",
            "Sun, 06 Nov 1994 08:49:37 +0000",
            "Sun, 06 Nov 1994 08:49:37",
            "Xyz, 06 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT",
            "Sun, ٠٦ Nov 1994 08:49:37 GMT",
        ):
            self.assertIsNone(parse_http_date(text), text)

    @given(st.text(max_size=40))
    def test_any_text(self, text: str) -> None:
        """Any text is a number or None; nothing raises."""
        self.assertIsInstance(parse_http_date(text), int | None)


def timegm_parts(seconds: int) -> tuple[int, ...]:
    """Year to second of a time, by the standard library's own parser of dates."""
    parsed = parsedate(formatdate(seconds, usegmt=True))
    assert parsed is not None
    return tuple(parsed[:6])
