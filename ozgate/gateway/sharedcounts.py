"""What a worker counts that limits hold over all workers together: requests under way, and bytes of bodies.

Each writes its own in the memory that all see, and holds the sum against the limit.
"""

from __future__ import annotations

from collections.abc import Callable

from ..wire.ledger import BYTES, REQUESTS, Ledger
from ..wire.limits import BodyMemory
from .tally import Tally


class SharedTally(Tally):
    """As :class:`~ozgate.gateway.tally.Tally`, of which each worker has one."""

    __slots__ = ("_in_flight", "_ledger")

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        super().__init__()

    @property
    def in_flight(self) -> int:
        """Requests that this worker answers."""
        return self._in_flight

    @in_flight.setter
    def in_flight(self, count: int) -> None:
        self._in_flight = count
        self._ledger.put(REQUESTS, count)

    def is_full(self, most: int) -> bool:
        """See :meth:`~ozgate.gateway.tally.Tally.is_full`."""
        return self._ledger.total(REQUESTS) >= most


class SharedMemory(BodyMemory):
    """As :class:`~ozgate.wire.limits.BodyMemory`, of which each worker has one."""

    def __init__(
        self, ledger: Ledger, most: int, refused: Callable[[str], None]
    ) -> None:
        self._ledger = ledger
        super().__init__(most, refused)

    @property
    def held(self) -> int:
        """Bytes that this worker holds."""
        return self._held

    @held.setter
    def held(self, count: int) -> None:
        self._held = count
        self._ledger.put(BYTES, count)

    def everywhere(self) -> int:
        """See :meth:`~ozgate.wire.limits.BodyMemory.everywhere`."""
        return self._ledger.total(BYTES)
