"""The one thread that writes: it commits many interactions at once, each of which is done as a whole or not at all."""

from __future__ import annotations

import socket
import sqlite3
from collections.abc import Callable, Sequence
from functools import partial
from threading import Thread
from typing import Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger

from ...errors import Uncertain
from ..workers.inbox import Inbox, Outcome, Write
from ..workers.serving import Served
from .connections import ERRORS, connect_writer, empty_log, translated
from .counters import Sequences, Times
from .logcheck import is_marked_relaxed
from .schema import SCHEMA_VERSION
from .transaction import Transaction

BATCH = 512
"""Interactions in one commit, above which no more are added."""

TURNS = 8
"""Turns of the reactor at most in which interactions are gathered before they are handed over."""


class Reactor(Protocol):
    """What the store asks of the reactor."""

    def callFromThread(self, f: Callable[..., object], *args: object) -> None:
        """As :class:`~twisted.internet.interfaces.IReactorFromThreads`."""

    def callLater(self, delay: float, f: Callable[..., object]) -> IDelayedCall:
        """As :class:`~twisted.internet.interfaces.IReactorTime`."""

    def seconds(self) -> float:
        """As :class:`~twisted.internet.interfaces.IReactorTime`."""


class BatchLost(Exception):
    """SQLite rolled back everything, not only the statement that failed."""


class HalfDone(Exception):
    """An interaction failed that had changed something, where nothing else could be kept than all of its batch."""


class Writer:
    """The writing thread and its connection.

    While one batch is committed, what arrives waits and makes up the next, so that the number of
    interactions in a commit follows the load and nobody waits for a timer. What comes in turn after turn of the reactor is gathered.

    :param relaxed: a commit need not wait for the disk.
    :ivar on_commit: called in this thread with how many interactions each commit held.
    """

    _log = Logger()

    def __init__(
        self,
        path: str,
        reactor: Reactor,
        times: Times,
        relaxed: bool = False,
    ) -> None:
        self._path = path
        self._relaxed = relaxed
        self._reactor = reactor
        self._sequences = Sequences(times)
        self._times = times
        self._gathered: list[Write] = []
        self._handing_over: IDelayedCall | None = None
        self._come = self._turns = 0
        # Of this process; set by the thread, and good enough where it is late.
        self._last = 0
        self._inbox = Inbox()
        self._connection: sqlite3.Connection | None = None
        self._failed = False
        self._tx: Transaction
        self._opened: Deferred[None] = Deferred()
        self._ended: Deferred[None] = Deferred()
        self.on_commit: Callable[[int], None] | None = None

    def start(self) -> Deferred[None]:
        """Start the thread.

        :return: fires when the database is open, or fails with ``Unavailable``.
        """
        # A daemon: a process whose reactor is gone must not wait for it.
        Thread(target=self._run, name="ozgate-metadata", daemon=True).start()
        return self._opened

    def put(self, write: Write) -> None:
        """Have an interaction run.

        All that are asked for in one turn of the reactor are handed over together: the thread
        would otherwise wake up for the first and commit it alone, while the others wait.
        """
        self._gathered.append(write)
        if self._handing_over is None:
            self._turns = self._come = 0
            self._handing_over = self._reactor.callLater(0, self._gather)

    def _gather(self) -> None:
        """Hand over what has come, unless each turn brings more, and fewer have come than the last commit held.

        Clients that were told of one commit ask for the next more or less together: of 16 that write all the time, a commit holds 14
        at the mean, and 11 without this, and a PUT takes a tenth less CPU. Who is alone waits for nobody.
        """
        come, self._come = self._come, len(self._gathered)
        self._turns += 1
        if come < self._come < self._last and self._turns < TURNS:
            self._handing_over = self._reactor.callLater(0, self._gather)
        else:
            self._hand_over()

    def _hand_over(self) -> None:
        self._handing_over = None
        gathered, self._gathered = self._gathered, []
        self._inbox.put(gathered)

    def serve(self, end: socket.socket) -> Deferred[None]:
        """See :class:`~ozgate.interfaces.IWritesForOthers`."""
        ended: Deferred[None] = Deferred()
        tell = partial(self._reactor.callFromThread, ended.callback, None)
        self._inbox.serve(Served(end, tell))
        return ended

    def stop(self) -> Deferred[None]:
        """End the thread when everything before is done.

        :return: fires when the connection is closed.
        """
        if self._handing_over is not None:
            self._handing_over.cancel()
            self._hand_over()
        self._inbox.end()
        return self._ended

    def _run(self) -> None:
        try:
            self._connect()
        except Exception as error:
            self._deliver([Outcome(self._opened, False, error)])
            return
        self._deliver([Outcome(self._opened, True, None)])
        more = True
        while more:
            batch, more = self._inbox.take(BATCH)
            if batch:
                self._tell(self._commit(batch))
        self._finish()
        self._reactor.callFromThread(self._end)

    def _end(self) -> None:
        """In the reactor's thread, when the other has done all: until then the former may wake that."""
        self._inbox.close()
        self._ended.callback(None)

    def _deliver(self, outcomes: Sequence[Outcome]) -> None:
        self._reactor.callFromThread(_fire, outcomes)

    def _tell(self, outcomes: list[Outcome]) -> None:
        """Tell who asked: workers at once, and whoever waits in this process in the reactor's thread."""
        if self.on_commit is not None:
            self.on_commit(len(outcomes))
        ours = self._inbox.answered(outcomes, self._times.now)
        self._last = len(ours)
        if ours:
            self._deliver(ours)

    def _connect(self) -> sqlite3.Connection:
        """The connection; a new one at first and after a commit that failed."""
        if self._connection is None:
            # Strict is slower, but never wrong.
            relaxed = self._relaxed and is_marked_relaxed(self._path)
            connection = connect_writer(self._path, relaxed)
            try:
                if self._failed:
                    empty_log(connection, self._path)
                self._sequences.load(connection)
            except ERRORS as error:
                connection.close()
                raise translated(error, self._path) from error
            except BaseException:
                connection.close()
                raise
            self._tx = Transaction(connection, self._times, self._sequences)
            self._connection = connection
        return self._connection

    def _settle(self) -> None:
        """Empty the log after a commit in doubt, before anybody is told of it.

        What readers do not see of that commit is in the log for whoever reads it next: without this, a process that
        starts after a kill would find done what reads between had found undone. While somebody reads all metadata, as a
        backup does, the log cannot be emptied: then a commit that changes nothing takes the place of that one in it.
        """
        try:
            self._connect().execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        except Exception as error:
            # The next batch tries again.
            self._disconnect()
            self._log.warn("{path} stays closed: {error}", path=self._path, error=error)

    def _disconnect(self) -> None:
        """Forget the connection, as after an error that leaves its state in doubt."""
        connection, self._connection = self._connection, None
        self._failed = True
        if connection is not None:
            try:
                connection.close()
            except Exception as error:
                self._log.error("closing {path}: {error}", path=self._path, error=error)

    def _commit(self, batch: list[Write]) -> list[Outcome]:
        """Run a batch in one transaction; what it returns is durable."""
        try:
            connection = self._connect()
        except Exception as error:
            return self._all_failed(batch, error)
        try:
            outcomes = self._run_batch(connection, batch)
        except (
            BaseException
        ) as error:  # also of an interaction: the thread must live on
            self._roll_back(connection)
            return self._all_failed(batch, error)
        try:
            connection.execute("COMMIT")
        except Exception as error:  # MemoryError too is SQLite's
            self._roll_back(connection)
            failure = self._commit_failure(error)
            if isinstance(failure, Uncertain):
                # What the kernel dropped must not be taken for written by a later commit.
                self._disconnect()
                self._settle()
            return self._all_failed(batch, failure)
        self._sequences.committed()
        return outcomes

    def _run_batch(
        self, connection: sqlite3.Connection, batch: list[Write]
    ) -> list[Outcome]:
        """Run a batch in a transaction, up to its commit.

        Few interactions fail, and those that do have hardly ever changed anything by then. So there are savepoints only where one has: the
        batch is run anew with them, which costs less than two statements for each interaction would.

        :raises BaseException: the whole transaction is to be given up.
        """
        try:
            return self._perform(connection, batch, False)
        except HalfDone:
            if len(batch) == 1:
                raise
        connection.execute("ROLLBACK")
        self._sequences.rolled_back()
        return self._perform(connection, batch, True)

    def _perform(
        self, connection: sqlite3.Connection, batch: list[Write], saving: bool
    ) -> list[Outcome]:
        """Run each interaction of a batch.

        :param saving: whether each is in a savepoint of its own.
        :raises HalfDone: there is none, and an interaction failed that had changed something.
        :raises BaseException: the whole transaction is to be given up.
        """
        execute, tx = connection.execute, self._tx
        usage = tx.usage
        execute("BEGIN IMMEDIATE")
        self._sequences.begin(connection)
        tx.begin_all()
        outcomes = []
        for done, interaction, args in batch:
            tx.begin()
            if saving:
                execute("SAVEPOINT interaction")
            before = connection.total_changes
            try:
                value = interaction(tx, *args)
            except BaseException as error:
                if not connection.in_transaction:
                    raise BatchLost() from error
                if saving:
                    execute("ROLLBACK TO interaction")
                    tx.forget()
                elif connection.total_changes != before:
                    raise HalfDone() from error
                usage.undo()
                outcomes.append(Outcome(done, False, self._reason(error)))
            else:
                usage.keep()
                outcomes.append(Outcome(done, True, value))
            if saving:
                execute("RELEASE interaction")
        usage.store(connection)
        self._sequences.end(connection)
        return outcomes

    def _reason(self, error: BaseException) -> BaseException:
        """What a Deferred fails with."""
        if isinstance(error, BatchLost | HalfDone) and error.__cause__ is not None:
            return self._reason(error.__cause__)
        if isinstance(error, ERRORS):
            translation = translated(error, self._path)
            translation.__cause__ = error
            return translation
        return error

    def _commit_failure(self, error: Exception) -> Exception:
        """What the Deferreds of a batch fail with when COMMIT failed."""
        if isinstance(error, sqlite3.Error):
            return translated(error, self._path, committing=True)
        return Uncertain(f"metadata in {self._path}: {type(error).__name__}")

    def _all_failed(self, batch: list[Write], error: BaseException) -> list[Outcome]:
        reason = self._reason(error)
        return [Outcome(write.done, False, reason) for write in batch]

    def _roll_back(self, connection: sqlite3.Connection) -> None:
        self._sequences.rolled_back()
        try:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        except Exception as error:
            self._log.error(
                "rolling back in {path}: {error}", path=self._path, error=error
            )
            self._disconnect()

    def _finish(self) -> None:
        """Keep the high-water marks, empty the log, close."""
        if self._connection is None:
            return
        try:
            self._sequences.give_back(self._connection)
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        except Exception as error:
            # Nothing is lost: the next start finds the log, and what it holds.
            self._log.warn("closing {path}: {error}", path=self._path, error=error)
        self._disconnect()


def _fire(outcomes: Sequence[Outcome]) -> None:
    """In the reactor's thread, tell those who asked."""
    for done, succeeded, value in outcomes:
        if succeeded:
            done.callback(value)
        else:
            done.errback(value)
