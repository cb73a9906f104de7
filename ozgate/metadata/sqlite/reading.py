"""The reading half of a metadata store on SQLite: what every process has of its own, whoever writes.

Reads run at once in the caller's thread: a point read takes a third of the time of a hop to another thread and back. With
the write-ahead log they wait for no writer, and no writer waits for them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import TypeVar, TypeVarTuple

from twisted.internet.defer import Deferred, fail, succeed

from ...errors import Unavailable
from ...interfaces import IMetadataTransaction
from .connections import ERRORS, connect_reader, translated
from .counters import Sequences, Times
from .transaction import ReadTransaction

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class SQLiteReads:
    """Reads of one SQLite database.

    :param path: of the database.
    :param seconds: tells the time.
    """

    def __init__(self, path: str, seconds: Callable[[], float]) -> None:
        self._path = path
        self._times = Times(seconds)
        self._connection: sqlite3.Connection | None = None
        self._tx: ReadTransaction

    def _open_reads(self) -> None:
        """Connect, to a database that is prepared.

        :raises Unavailable: it cannot be opened.
        """
        connection = connect_reader(self._path)
        self._tx = ReadTransaction(connection, self._times, Sequences(self._times))
        self._connection = connection

    def read(
        self, interaction: Callable[[IMetadataTransaction, *Ts], T], *args: *Ts
    ) -> Deferred[T]:
        """See :meth:`~ozgate.interfaces.IMetadataStore.read`. The Deferred has fired already."""
        connection = self._connection
        if connection is None:
            return fail(self._not_open())
        tx = self._tx
        try:
            # One snapshot for all statements, and cheaper than taking one for each.
            connection.execute("BEGIN")
            try:
                tx.begin()
                return succeed(interaction(tx, *args))
            finally:
                connection.execute("COMMIT")
        except ERRORS as error:
            return fail(translated(error, self._path))
        except Exception:
            return fail()

    def reusable(self) -> int:
        """See :meth:`~ozgate.interfaces.IMetadataStore.reusable`: the pages on the database's free list."""
        if self._connection is None:
            return 0
        (pages,) = self._connection.execute("PRAGMA freelist_count").fetchone()
        (size,) = self._connection.execute("PRAGMA page_size").fetchone()
        return int(pages * size)

    def _not_open(self) -> Unavailable:
        return Unavailable(f"metadata in {self._path} is not open")
