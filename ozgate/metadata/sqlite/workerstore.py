"""The metadata store of a worker: it reads the database by itself, and has the process that writes write."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any, TypeVar, TypeVarTuple

from twisted.internet.defer import Deferred, fail, succeed
from zope.interface import implementer

from ...errors import Unavailable
from ...interfaces import IMetadataStore, IMetadataTransaction
from ..workers.sending import WritesSent
from .reading import SQLiteReads

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


@implementer(IMetadataStore)
class SQLiteWorkerStore(SQLiteReads):
    """Metadata in an SQLite database that another process of the service writes.

    A write has fired when it is durable, and what is committed is what the next read sees, in whatever process.

    :param path: of the database.
    :param reactor: in whose thread Deferreds fire.
    :param seconds: tells the time.
    :param end: a connected socket, at whose other end the process that writes serves.
    :ivar lost: fires with ``None`` when that process has gone.
    """

    def __init__(
        self, path: str, reactor: Any, seconds: Callable[[], float], end: socket.socket
    ) -> None:
        super().__init__(path, seconds)
        self._reactor = reactor
        self._end = end
        self._writes = WritesSent(reactor, self._times.at_least)
        self.lost = self._writes.lost

    def prepare(self) -> Deferred[None]:
        """Refuse: that is for the process that writes."""
        return fail(Unavailable(f"a worker does not prepare {self._path}"))

    def open(self) -> Deferred[None]:
        """See :meth:`~ozgate.interfaces.IMetadataStore.open`."""
        try:
            self._open_reads()
        except Unavailable:
            return fail()
        self._writes.join(self._end)
        return succeed(None)

    def close(self) -> Deferred[None]:
        """See :meth:`~ozgate.interfaces.IMetadataStore.close`. Idempotent."""
        return Deferred.fromCoroutine(self._close())

    async def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            self._end.close()
        else:
            await self._writes.leave()
            connection.close()

    def write(
        self,
        interaction: Callable[[IMetadataTransaction, *Ts], T],
        *args: *Ts,
    ) -> Deferred[T]:
        """See :meth:`~ozgate.interfaces.IMetadataStore.write`."""
        return self._writes.put(interaction, args)
