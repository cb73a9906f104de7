"""Limits of connections that hold over all workers of a service together."""

from __future__ import annotations

from collections.abc import Callable

from .ledger import CONNECTIONS, Ledger
from .limits import ConnectionLimits, group_of, host_of


class SharedLimits(ConnectionLimits):
    """As :class:`~ozgate.wire.limits.ConnectionLimits`, of which each worker has one.

    Who has to leave for a newcomer is one of the worker's own that wait for a request.

    :param ledger: where connections are counted.
    :param refused: see there.
    """

    def __init__(self, ledger: Ledger, refused: Callable[[str], None]) -> None:
        super().__init__(refused=refused)
        self._ledger = ledger

    def note(self, own: int) -> None:
        """See :meth:`~ozgate.wire.limits.ConnectionLimits.note`."""
        self._ledger.put(CONNECTIONS, own)

    def everywhere(self, own: int) -> int:
        """See :meth:`~ozgate.wire.limits.ConnectionLimits.everywhere`."""
        return self._ledger.total(CONNECTIONS)

    def of_one(self, host: str) -> int:
        """See :meth:`~ozgate.wire.limits.ConnectionLimits.of_one`."""
        return self._ledger.counted(self._ledger.place_of(group_of(host)))

    def opened(self, address: object) -> None:
        """See :meth:`~ozgate.wire.limits.ConnectionLimits.opened`."""
        self._count(address, 1)

    def closed(self, address: object) -> None:
        """See :meth:`~ozgate.wire.limits.ConnectionLimits.closed`."""
        self._count(address, -1)

    def _count(self, address: object, more: int) -> None:
        host = host_of(address)
        if host is not None:
            self._ledger.count(self._ledger.place_of(group_of(host)), more)
