"""The two ways in which S3 writes a time, and the three in which HTTP reads one."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Final


@lru_cache(maxsize=1024)
def _day(number: int) -> tuple[str, str]:
    """The n-th day since the epoch, in both ways of writing."""
    day = date.fromordinal(719163 + number)
    name, month = _DAYS[day.weekday()], _MONTHS[day.month - 1]
    return day.isoformat(), f"{name}, {day.day:02} {month} {day.year:04}"


_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS: Final = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


@lru_cache(maxsize=1440)
def _minute(number: int) -> str:
    """The n-th minute of a day."""
    return f"{number // 60:02}:{number % 60:02}"


@lru_cache(maxsize=4096)
def _both(seconds: int) -> tuple[str, str]:
    days, rest = divmod(seconds, 86400)
    minutes, rest = divmod(rest, 60)
    iso, rfc = _day(days)
    clock = f"{_minute(minutes)}:{rest:02}"
    return f"{iso}T{clock}.000Z", f"{rfc} {clock} GMT"


def timestamp(ms: int) -> str:
    """A time as documents have it: ``2026-11-22T10:00:00.000Z``.

    S3 knows whole seconds: its milliseconds are always zero, so that a listing says what
    ``Last-Modified`` says.
    """
    return _both(ms // 1000)[0]


def exact_timestamp(ms: int) -> str:
    """As :func:`timestamp`, with its milliseconds: until when something is kept is said as exactly as it is meant."""
    return f"{_both(ms // 1000)[0][:-4]}{ms % 1000:03}Z"


def http_date(ms: int) -> str:
    """A time as headers have it: ``Sun, 22 Nov 2026 10:00:00 GMT`` (RFC 9110, 5.6.7)."""
    return _both(ms // 1000)[1]


_TIME = r"(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)"
_MONTH = f"(?P<month>{'|'.join(_MONTHS)})"
_SHORT = "|".join(_DAYS)
_LONG = "Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday"
_DATES: Final = tuple(
    re.compile(pattern, re.ASCII).fullmatch
    for pattern in (
        rf"(?:{_SHORT}), (?P<day>\d\d) {_MONTH} (?P<year>\d{{4}}) {_TIME} GMT",
        rf"(?:{_LONG}), (?P<day>\d\d)-{_MONTH}-(?P<year>\d\d) {_TIME} GMT",
        rf"(?:{_SHORT}) {_MONTH} (?P<day>[ \d]\d) {_TIME} (?P<year>\d{{4}})",
    )
)


def parse_http_date(text: str) -> int | None:
    """Seconds since the epoch of a date in any of the three forms of RFC 9110, 5.6.7.

    :return: ``None`` for what is no date. The day's name must be one, but not the right
        one. Two-digit years from 70 on are of the last century.
    """
    for form in _DATES:
        match = form(text)
        if match is not None:
            break
    else:
        return None
    year = int(match["year"])
    if len(match["year"]) == 2:
        year += 1900 if year >= 70 else 2000
    second = int(match["second"])
    try:
        moment = datetime(
            year,
            _MONTHS.index(match["month"]) + 1,
            int(match["day"]),
            int(match["hour"]),
            int(match["minute"]),
            59 if second == 60 else second,
            tzinfo=UTC,
        )
    except ValueError:
        return None
    return int(moment.timestamp())


_ISO: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:?\d\d)?)?",
    re.ASCII,
).fullmatch


def parse_timestamp(text: str) -> int:
    """Milliseconds since the epoch of a time as documents have it (ISO 8601); without a zone it is UTC, without a time midnight.

    :raises ValueError: it is none.
    """
    match = _ISO(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is no time")
    day, clock, fraction, zone = match.groups()
    zone = "+00:00" if zone in (None, "Z") else zone
    moment = datetime.fromisoformat(f"{day}T{clock or '00:00:00'}{zone}")
    try:
        moment.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{text!r} cannot be written as a time") from None
    return int(moment.timestamp()) * 1000 + int(f"{fraction or 0:0<3}"[:3])
