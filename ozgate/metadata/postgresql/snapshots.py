"""What every request asks for, kept as long as nobody commits anything: of two interactions that read the same state the second need not ask for it again.

A state is known by its snapshot: two that are alike have the same transactions in them. Whoever reads asks for that first, by one statement, and for all
else only where it is another one. Source: PostgreSQL, "Transaction ID and Snapshot Information Functions" (``pg_current_snapshot``).
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

SNAPSHOT = "SELECT pg_current_snapshot()::text"

KEPT = 4096
"""Things that are kept of a state at most."""

KEPT_BYTES = 8 << 20
"""Bytes of bodies and documents among them."""


class Missed(BaseException):
    """Something is asked for that is not kept. No interaction catches it, as it is no ``Exception``."""


class State:
    """What was read of one state of the database.

    :ivar snapshot: of the state.
    """

    def __init__(self, snapshot: str) -> None:
        self.snapshot = snapshot
        self._kept: dict[Hashable, Any] = {}
        self._bytes = 0

    def find(self, place: Hashable) -> Any:
        """What was read there; ``None`` where that is not kept."""
        return self._kept.get(place)

    def keep(self, place: Hashable, value: Any, size: int = 0) -> None:
        """Keep what was read, where there is something, and room for it.

        :param size: bytes that it takes of :data:`KEPT_BYTES`.
        """
        has_room = len(self._kept) < KEPT and self._bytes + size <= KEPT_BYTES
        if value is not None and has_room:
            self._kept[place] = value
            self._bytes += size


class States:
    """The state that a process has read last, for all of its threads.

    :ivar is_still: whether it was the same the last time that somebody asked: only then it is worth to ask before all else.
    """

    def __init__(self) -> None:
        self._last = State("")
        self.is_still = False

    def of(self, snapshot: str) -> State:
        """The state that is known by a snapshot: the last, or a new one."""
        last = self._last
        self.is_still = last.snapshot == snapshot
        if not self.is_still:
            last = self._last = State(snapshot)
        return last
