"""The provider of a worker, joined to the process that writes, though both are in this one."""

from __future__ import annotations

import socket
from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from ozgate.interfaces import IMetadataStore, IWritesForOthers


def ends(test: SynchronousTestCase) -> tuple[socket.socket, socket.socket]:
    """Both ends of a connection."""
    one, two = socket.socketpair()
    test.addCleanup(one.close)
    test.addCleanup(two.close)
    return one, two


class JoinedStore:
    """What a worker has of a store that this process writes.

    :param writer: the store.
    :param prepares: whether it is prepared and opened by way of this one, and closed with it.
    """

    def __init__(self, writer: Any, prepares: bool = False) -> None:
        self._writer = writer
        self._prepares = prepares
        ours, theirs = socket.socketpair()
        self._theirs = theirs
        self.worker: IMetadataStore
        self.worker, self.lost = IWritesForOthers(writer).sending(ours)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.worker, name)

    def prepare(self) -> Deferred[None]:
        """Have the process that writes prepare it."""
        prepared: Deferred[None] = self._writer.prepare()
        return prepared

    def open(self) -> Deferred[None]:
        """Join both ends."""
        return Deferred.fromCoroutine(self._open())

    async def _open(self) -> None:
        if self._prepares:
            await self._writer.open()
        self.ended = self._writer.serve(self._theirs)
        await self.worker.open()

    def close(self) -> Deferred[None]:
        """Close the worker's store, then that of the process that writes."""
        return Deferred.fromCoroutine(self._close())

    async def _close(self) -> None:
        await self.worker.close()
        await self.ended
        if self._prepares:
            await self._writer.close()
