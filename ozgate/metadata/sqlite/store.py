"""The metadata store on SQLite.

Writes go to one thread, which commits many of them at once (:mod:`ozgate.metadata.sqlite.writer`). Reads run at
once in the caller's thread, on a connection of their own (:mod:`ozgate.metadata.sqlite.reading`).
"""

from __future__ import annotations

import os
import socket
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar, TypeVarTuple

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.interfaces import IReactorTime
from zope.interface import implementer

from ...errors import Unavailable
from ...interfaces import (
    IDiagnosed,
    IInspected,
    IMeasured,
    IMetadataStore,
    IMetadataTransaction,
    IWritesForOthers,
)
from ...values import BlobUser, DamagedRow, Diagnosis, Drift
from ..workers.inbox import Write
from . import inspection
from .diagnosis import diagnose
from .preparation import prepare
from .reading import SQLiteReads
from .workerstore import SQLiteWorkerStore
from .writer import Reactor, Writer

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


@implementer(IMetadataStore, IMeasured, IInspected, IWritesForOthers, IDiagnosed)
class SQLiteMetadataStore(SQLiteReads):
    """Metadata in one SQLite database.

    :param path: of the database; its folder exists. ``-wal`` and ``-shm`` files lie beside it.
    :param reactor: in whose thread Deferreds fire.
    :param clock: what tells the time; the reactor when ``None``.
    :param relaxed: a write fires before it survives a power cut.
    :param accept_lost: prepare although what was acknowledged is lost, for the log is damaged.
    """

    def __init__(
        self,
        path: str,
        reactor: Reactor,
        clock: IReactorTime | None = None,
        relaxed: bool = False,
        accept_lost: bool = False,
    ) -> None:
        self._seconds = (reactor if clock is None else clock).seconds
        super().__init__(path, self._seconds)
        self._reactor = reactor
        self._is_relaxed = relaxed
        self._preparing = partial(prepare, path, reactor, relaxed, accept_lost)
        self._writer = Writer(path, reactor, self._times, relaxed)
        self._prepared: sqlite3.Connection | None = None
        self._inspections = inspection.Inspections(path, reactor)

    def prepare(self) -> Deferred[None]:
        """See :meth:`~ozgate.interfaces.IMetadataStore.prepare`."""
        return Deferred.fromCoroutine(self._prepare())

    async def _prepare(self) -> None:
        self._let_go()
        self._prepared = await self._preparing()

    def _let_go(self) -> None:
        """Close what prepared the database: it is open elsewhere now, or will not be."""
        prepared, self._prepared = self._prepared, None
        if prepared is not None:
            prepared.close()

    def open(self) -> Deferred[None]:
        """See :meth:`~ozgate.interfaces.IMetadataStore.open`."""

        return Deferred.fromCoroutine(self._open())

    async def _open(self) -> None:
        try:
            await self._writer.start()
        finally:
            self._let_go()
        try:
            self._open_reads()
        except Unavailable:
            await self._writer.stop()
            raise
        self._inspections.open()

    async def _close(self, connection: sqlite3.Connection) -> None:
        await self._inspections.close()
        await self._writer.stop()
        connection.close()

    def close(self) -> Deferred[None]:
        """See :meth:`~ozgate.interfaces.IMetadataStore.close`. Idempotent."""
        self._let_go()
        connection, self._connection = self._connection, None
        if connection is None:
            return succeed(None)
        return Deferred.fromCoroutine(self._close(connection))

    def write(
        self,
        interaction: Callable[[IMetadataTransaction, *Ts], T],
        *args: *Ts,
    ) -> Deferred[T]:
        """See :meth:`~ozgate.interfaces.IMetadataStore.write`."""
        if self._connection is None:
            return fail(self._not_open())
        done: Deferred[Any] = Deferred()
        self._writer.put(Write(done, interaction, args))
        return done

    def serve(self, end: socket.socket) -> Deferred[None]:
        """See :class:`~ozgate.interfaces.IWritesForOthers`."""
        if self._connection is None:
            end.close()
            return succeed(None)
        return self._writer.serve(end)

    def sending(self, end: socket.socket) -> tuple[IMetadataStore, Deferred[None]]:
        """See :class:`~ozgate.interfaces.IWritesForOthers`."""
        store = SQLiteWorkerStore(self._path, self._reactor, self._seconds, end)
        return store, store.lost

    def watch_commits(self, callback: Callable[[int], None]) -> None:
        """See :class:`~ozgate.interfaces.IMeasured`."""
        self._writer.on_commit = callback

    def sizes(self) -> Mapping[str, int]:
        """See :class:`~ozgate.interfaces.IMeasured`: the database's file, its log, and what is free in the former."""
        found = {"free": self.reusable()}
        for part, path in (("database", self._path), ("log", f"{self._path}-wal")):
            with suppress(OSError):
                found[part] = os.stat(path).st_size
        return found

    def examine(self) -> Deferred[Sequence[str]]:
        """See :class:`~ozgate.interfaces.IInspected`."""
        return self._inspections.run(inspection.examine)

    def drifts(self) -> Deferred[Sequence[Drift]]:
        """See :class:`~ozgate.interfaces.IInspected`."""
        return self._inspections.run(inspection.drifts)

    def users_of(
        self, store: str, blob_ids: Sequence[str]
    ) -> Deferred[Sequence[BlobUser]]:
        """See :class:`~ozgate.interfaces.IInspected`."""
        return self._inspections.run(inspection.users_of, store, blob_ids)

    def users_of_row(self, row: DamagedRow) -> Deferred[Sequence[BlobUser]]:
        """See :class:`~ozgate.interfaces.IInspected`."""
        return self._inspections.run(inspection.users_of_row, row)

    def copy_to(self, path: str, tell: Callable[[int, int], None]) -> Deferred[None]:
        """See :class:`~ozgate.interfaces.IInspected`."""
        return self._inspections.run(inspection.copy_to, path, tell)

    def diagnose(self) -> Deferred[Sequence[Diagnosis]]:
        """See :class:`~ozgate.interfaces.IDiagnosed`."""
        return self._inspections.run(diagnose, self._path, self._is_relaxed)
