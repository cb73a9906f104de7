"""One connection as its thread has it: made when it is needed, made anew when it broke, given up when a server says nothing."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from threading import Lock, Timer
from time import monotonic
from typing import Any

import psycopg
from psycopg.pq.abc import PGconn
from psycopg.types.numeric import Int8BinaryDumper, Int8Dumper

from ...errors import Unavailable
from .connections import ERRORS, Address, connect, one_line

IDLE_SECONDS = 15.0
"""How long a transaction may be open and ask for nothing: whoever stands still for longer loses it, and what it has claimed is free."""

SET_UP_SECONDS = 5.0
"""How long a server has for what it is asked over a new connection, where no limit is set yet."""

_PLANS = {
    "jit": "off",
    "enable_bitmapscan": "off",
    "enable_seqscan": "off",
    "plan_cache_mode": "force_generic_plan",
}
"""Lists are ordered walks over an index, whatever statistics say, and a statement is planned once. Source: PostgreSQL, "Query Planning"."""

_CLOSED = "the connection is closed"

_LOOK = (
    "SELECT pg_backend_pid(), pg_is_in_recovery(), current_setting('transaction_read_only'),"
    " to_regclass('incarnation') IS NOT NULL,"
    " CASE WHEN pg_is_in_recovery() THEN '' ELSE left(pg_walfile_name(pg_current_wal_lsn()), 8) END"
)

_INCARNATION = (
    "WITH made AS (INSERT INTO incarnation VALUES (1, gen_random_uuid()::text) ON CONFLICT DO NOTHING RETURNING id)"
    " SELECT id FROM made UNION ALL SELECT id FROM incarnation LIMIT 1"
)
"""Who finds none makes it; of two that do so at a time the second finds nothing, and asks again."""


class Silence:
    """What the sessions of a store know of their server together.

    :ivar since: when it was found to say nothing, by the monotonic clock: connections of before may be dead, too, and each would be waited for.
    """

    since = 0.0


class _Cursor(psycopg.RawCursor[Any]):
    """A cursor that fetches by a Sync, where psycopg's fetches by a Flush: after that the server takes a transaction for active until something else comes,
    and would never end one whose gateway stands still. It costs no round trip more.

    Source: PostgreSQL, "Pipelining" and ``idle_in_transaction_session_timeout``.

    :ivar pipeline: that its statement went into.
    """

    pipeline: Any = None

    def fetchone(self) -> Any:
        """The next row, or ``None``."""
        self._wait()
        return super().fetchone()

    def fetchall(self) -> list[Any]:
        """All rows that are left."""
        self._wait()
        return super().fetchall()

    def _wait(self) -> None:
        if self.pgresult is None and self.pipeline is not None:
            self.pipeline.sync()


class Session:
    """A connection in pipeline mode, so that a statement whose answer nobody waits for costs no round trip.

    Behind a pooler such as PgBouncer, whose server connections change hands with each transaction, nothing is kept there: no prepared
    statement, and the limits of time are set in each transaction. A pooler is known by the process id that it makes up for its clients.
    Source: PgBouncer, "Features" (transaction pooling); PostgreSQL, "Pipeline Mode".

    :ivar timeline: of the server's write-ahead log, which is another one after a failover.
    :ivar incarnation: of the server, which is another one after a crash of it, too; ``""`` before there are tables.
    :ivar was_cut: whether :meth:`cut` ended the connection that was there last.
    :ivar warned: whether a warning came since this was set to false.
    :ivar busy_since: when what runs began, by the monotonic clock; ``None`` while nothing runs.
    :ivar sent: when the last statement was.
    """

    def __init__(self, address: Address, silence: Silence | None = None) -> None:
        self.address = address
        self._silence = silence or Silence()
        self._made = 0.0
        self.timeline = self.incarnation = ""
        self.warned = False
        self.busy_since: float | None = None
        self.sent = 0.0
        self.was_cut = False
        self._connection: psycopg.Connection[Any] | None = None
        self._entered: Any = None
        self._pipeline: Any = None
        self._changing: Any = None
        self._pooled = False
        # A copy, so that whoever cuts it cuts no other that has got its number meanwhile.
        self._socket: socket.socket | None = None
        self._lock = Lock()

    @property
    def connection(self) -> psycopg.Connection[Any] | None:
        """What there is of psycopg's."""
        return self._connection

    @property
    def is_broken(self) -> bool:
        """Whether there is no connection that works."""
        # Once: it may be closed meanwhile, by its own thread.
        connection = self._connection
        return connection is None or connection.closed

    @property
    def is_ready(self) -> bool:
        """Whether there is a connection that works, as far as is known."""
        return not self.is_broken and self._made >= self._silence.since

    def open(self) -> bool:
        """Connect, where there is no connection that is ready.

        :return: whether it is a new one.
        :raises Unavailable: that cannot be done.
        """
        if self.is_ready:
            return False
        self.close()
        self.was_cut = False
        self._made = self.sent = monotonic()
        connection = self._connection = connect(self.address)
        try:
            self._socket = socket.socket(fileno=os.dup(connection.fileno()))
            if self.was_cut:
                raise Unavailable(f"{self.address.where}: {_CLOSED}")
            with self.limited(SET_UP_SECONDS):
                self._set_up(connection)
        except ERRORS as error:
            self.close()
            raise Unavailable(f"{self.address.where}: {one_line(error)}") from None
        except BaseException:
            self.close()
            raise
        return True

    def _set_up(self, connection: psycopg.Connection[Any]) -> None:
        row = connection.execute(_LOOK).fetchone()
        assert row is not None
        pid, is_standby, read_only, has_tables, self.timeline = row
        if is_standby or read_only == "on":
            raise Unavailable(f"{self.address.where}: the server is read-only")
        self.incarnation = _incarnation_at(connection) if has_tables else ""
        self._pooled = pid != connection.info.backend_pid
        if self._pooled:
            connection.prepare_threshold = None
        else:
            connection.prepare_threshold = 2
            connection.prepared_max = 500
            self._set(connection.execute, "false")
        connection.cursor_factory = _Cursor
        # One form of each number, so that a statement is prepared once; a list's are written as text.
        for dumper in (Int8Dumper, Int8BinaryDumper):
            connection.adapters.register_dumper(int, dumper)
        connection.add_notice_handler(self._noticed)
        self._entered = connection.pipeline()
        self._pipeline = self._entered.__enter__()
        self._changing = connection.cursor(binary=True)

    def _noticed(self, notice: Any) -> None:
        if notice.severity_nonlocalized == "WARNING":
            self.warned = True

    def _set(self, execute: Callable[..., object], is_local: str) -> None:
        """Have limits of time, and how plans are made, for this connection, or for a transaction."""
        address = self.address
        limits = {
            "statement_timeout": address.statement,
            "lock_timeout": address.lock,
            "idle_in_transaction_session_timeout": IDLE_SECONDS,
        }
        values = {name: f"{int(each * 1000)}ms" for name, each in limits.items()}
        values |= _PLANS
        each = [
            f"set_config('{name}', '{to}', {is_local})" for name, to in values.items()
        ]
        execute(f"SELECT {', '.join(each)}")

    def begin(self, how: str) -> None:
        """Begin a transaction; nobody waits for it.

        :param how: what follows ``BEGIN``.
        """
        self.change(f"BEGIN {how}")
        if self._pooled:
            self._set(self.change, "true")

    def ask(self, statement: str, values: Sequence[Any] = ()) -> Any:
        """Ask for rows; the cursor that is returned waits for them when they are fetched."""
        if self._connection is None:
            raise psycopg.OperationalError(_CLOSED)
        self.sent = monotonic()
        cursor: Any = self._connection.cursor(binary=True)
        cursor.pipeline = self._pipeline
        return cursor.execute(statement, values)

    def change(self, statement: str, values: Sequence[Any] = ()) -> None:
        """Have something done that says nothing; what goes wrong is raised later on, by the commit at the latest."""
        if self._connection is None:
            raise psycopg.OperationalError(_CLOSED)
        self.sent = monotonic()
        self._changing.execute(statement, values)

    def handed_over(self) -> PGconn | None:
        """Have no pipeline of psycopg's any more: whoever asks libpq itself gets its connection.

        :return: ``None`` behind a pooler, where nothing can be prepared.
        :raises psycopg.Error: it broke.
        """
        if self._connection is None:
            raise psycopg.OperationalError(_CLOSED)
        if self._pooled:
            return None
        entered, self._entered = self._entered, None
        self._pipeline = self._changing = None
        entered.__exit__(None, None, None)
        return self._connection.pgconn

    def commit(self) -> bool:
        """Commit, and wait for it.

        :return: whether it is so: an aborted transaction is rolled back, and a wait for a standby that was given up is only warned of.
        """
        self.warned = False
        last = self.ask("COMMIT")
        self._pipeline.sync()
        return bool(last.statusmessage == "COMMIT")

    def end(self) -> None:
        """End a transaction that only read, all of whose rows were fetched."""
        self.change("COMMIT")
        self._pipeline.sync()

    def roll_back(self) -> None:
        """Undo the transaction that is open; a connection where that is not to be had is closed."""
        if self._connection is None:
            return
        try:
            with suppress(*ERRORS):
                # What failed before is said once more.
                self._pipeline.sync()
            self.change("ROLLBACK")
            self._pipeline.sync()
        except Exception:
            self.close()

    @contextmanager
    def limited(self, seconds: float) -> Iterator[None]:
        """Cut the connection where this takes longer: a server that is frozen acknowledges what it gets, and never answers.

        By a thread, so for what is rare, and for sessions that no pool looks after.
        """
        timer = Timer(seconds, self.cut)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def cut(self) -> None:
        """From another thread: end the connection under whoever waits for it."""
        self.was_cut = True
        with self._lock, suppress(OSError):
            if self._socket is not None:
                self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the connection, if there is one; waits for nobody."""
        connection, self._connection = self._connection, None
        entered, self._entered = self._entered, None
        self._pipeline = self._changing = None
        with suppress(Exception):
            if connection is not None:
                connection.close()
        # Not before: who leaves a pipeline waits for all answers, for ever where a server is frozen.
        with suppress(Exception):
            if entered is not None:
                entered.__exit__(None, None, None)
        with self._lock:
            copy, self._socket = self._socket, None
            if copy is not None:
                copy.close()


def _incarnation_at(connection: psycopg.Connection[Any]) -> str:
    """The incarnation of the server that a new connection leads to."""
    while (row := connection.execute(_INCARNATION).fetchone()) is None:
        pass
    return str(row[0])
