"""When a request says that it was signed, and how long that counts.

Source: Amazon S3 API Reference, "Authenticating Requests (AWS Signature Version 4)"; messages are AWS's.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from ..errors import AccessDenied, AuthorizationQueryParametersError

if TYPE_CHECKING:
    from ..wire.headers import Headers

MAX_SKEW = 900
"""Seconds a request's time may differ from ours."""

MAX_EXPIRES = 604800
"""Seconds a presigned URL lives at most: a week."""


def expires(text: str) -> int:
    """Seconds that a presigned URL says it lives.

    :raises AuthorizationQueryParametersError: it says none, or too many.
    """
    if text.startswith("-"):
        raise AuthorizationQueryParametersError("X-Amz-Expires must be non-negative")
    if not text.isascii() or not text.isdigit():
        raise AuthorizationQueryParametersError("X-Amz-Expires should be a number")
    if len(text) > 10 or int(text) > MAX_EXPIRES:
        raise AuthorizationQueryParametersError(
            f"X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than {MAX_EXPIRES} seconds"
        )
    return int(text)


def check_expiry(signed_at: int, lifetime: int, now: float) -> None:
    """Hold a presigned URL against the clock.

    :param signed_at: seconds since the epoch, as ``now``.
    :param lifetime: seconds.
    :raises AccessDenied: it is not valid yet, or not any more.
    """
    if signed_at - now <= MAX_SKEW and now <= signed_at + lifetime:
        return
    times = {"Expires": iso(signed_at + lifetime), "ServerTime": iso(now)}
    members: dict[str, str | int]
    if signed_at - now > MAX_SKEW:
        # S3 says this date in milliseconds since the epoch.
        members = {"X-Amz-Date": signed_at * 1000, **times}
        raise AccessDenied("Request is not yet valid", **members)
    members = {"X-Amz-Expires": lifetime, **times}
    raise AccessDenied("Request has expired", **members)


def request_time(headers: Headers) -> tuple[str, int]:
    """The request's time as signed, and in seconds: ``x-amz-date``, else ``Date``.

    :raises AccessDenied: there is none that can be read.
    """
    text = headers.get("x-amz-date")
    if text is not None and len(text) == 16:
        seconds = _timestamp(text)
    elif text is None:
        text = headers.get("date") or ""
        seconds = parse_timestamp(text)
        if seconds is None:
            seconds = http_date(text)
            if seconds is not None:
                text = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(seconds))
    else:
        seconds = None
    if seconds is None:
        raise AccessDenied(
            "AWS authentication requires a valid Date or x-amz-date header"
        )
    return text, seconds


def parse_timestamp(text: str) -> int | None:
    """Seconds since the epoch of ``yyyyMMddTHHmmssZ``, or ``None`` when it is not one."""
    return _timestamp(text) if len(text) == 16 else None


@lru_cache(maxsize=256)
def _timestamp(text: str) -> int | None:
    digits = text[:8] + text[9:15]
    if text[8] != "T" or text[15] != "Z" or not (digits.isascii() and digits.isdigit()):
        return None
    month, day, hour, minute, second = (
        int(digits[place : place + 2]) for place in range(4, 14, 2)
    )
    try:
        moment = datetime(int(digits[:4]), month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
    return int(moment.timestamp())


def http_date(text: str) -> int | None:
    """Seconds since the epoch of a ``Date`` header, or ``None`` when it is not one."""
    try:
        parsed = parsedate_to_datetime(text)
        return int(parsed.replace(tzinfo=parsed.tzinfo or UTC).timestamp())
    except (TypeError, ValueError, IndexError, OverflowError):
        return None


def iso(seconds: float) -> str:
    """A time, in seconds since the epoch, as error documents have it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
