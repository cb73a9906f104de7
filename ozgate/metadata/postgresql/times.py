"""The time of a database that many processes write to."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

LEAD = 86_400_000
"""Milliseconds that time stands still at most when the clock is set back: one day."""

NOTED = 1000
"""Milliseconds that time goes on before it is noted in the database anew."""


class Times:
    """Milliseconds of the server's clock, not less than was given before. Safe in several threads.

    All gateways ask the same clock. Should it be set back, or a standby whose clock is behind take over, what the database has noted holds:
    the time of a transaction that wrote, to the second. A clock that is set back by more than a day was wrong before, and is followed.
    Source: :class:`~ozgate.interfaces.IMetadataTransaction`.

    :param seconds: tells the time instead of the server's clock; for tests.
    """

    def __init__(self, seconds: Callable[[], float] | None = None) -> None:
        self._seconds = seconds
        self._lock = Lock()
        self._last = 0

    def now(self, clock: int, noted: int) -> int:
        """The time of a transaction, in milliseconds since the epoch.

        :param clock: what the server's clock says.
        :param noted: what the database has noted.
        """
        wall = clock if self._seconds is None else int(self._seconds() * 1000)
        with self._lock:
            floors = [
                each for each in (noted, self._last) if wall < each <= wall + LEAD
            ]
            self._last = max([wall, *floors])
            return self._last


def is_to_be_noted(now: int, noted: int) -> bool:
    """Whether the time of a transaction that is about to be committed has to be noted: it went on by a second, or back by more than a day."""
    return not noted <= now < noted + NOTED
