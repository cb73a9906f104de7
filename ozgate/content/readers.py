"""Who is still reading: what keeps the reaper from bytes that a slow GET has yet to send."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorTime

MARGIN = 60_000
"""Milliseconds that a commit may take: a blob can be doomed at a time before that of a read which still saw it named.
On PostgreSQL it takes 55 seconds at most: 25 until it is asked for, by the server's clock, and 30 in which it waits for a standby."""


class Readers:
    """The reads under way, each with the time it began.

    A version's blobs can be doomed while a GET of it is under way; the reaper leaves alone
    everything doomed after the oldest read began. Other processes are told of long ones by :mod:`ozgate.background.longreads`.
    :ivar process: the id under which the store tells others of them.
    """

    def __init__(self, process: str = "") -> None:
        self.process = process
        self._began: dict[int, int] = {}
        self._tokens = count()

    def enter(self, now: int) -> int:
        """Note a read that begins at ``now`` (milliseconds); returns the token for :meth:`leave`."""
        token = next(self._tokens)
        self._began[token] = now
        return token

    def leave(self, token: int) -> None:
        """Note that a read has ended. Idempotent."""
        self._began.pop(token, None)

    def oldest(self) -> int | None:
        """When the oldest read under way began; ``None`` when there is none."""
        return min(self._began.values(), default=None)


class Reading(Protocol):
    """What a reader is noted with; a :class:`~ozgate.gateway.gateway.Gateway` has it all."""

    readers: Readers
    clock: IReactorTime
