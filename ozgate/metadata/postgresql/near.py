"""Reads in the reactor's thread: over one connection that the reactor itself hears, without a thread in between, which would cost more than all else.

An interaction is run at once, on what is kept, and runs through or comes to the newest version of a key, or the time. Each is asked about by
one statement, which gives the epoch, too: if it is that of what was kept, what was found holds in that statement's snapshot, and so in one of after the
request. What else is asked for, or is not kept, is read by the threads, and so is all while this connection is broken, slow, or behind a pooler.
Source: PostgreSQL, "Pipeline Mode", "Asynchronous Command Processing".
"""

from __future__ import annotations

import os
import struct
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from threading import Thread
from time import monotonic
from typing import Any, NamedTuple, Protocol

import psycopg
from psycopg.adapt import Transformer
from psycopg.pq import ConnStatus, ExecStatus, Format
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReadWriteDescriptor
from twisted.python.failure import Failure
from zope.interface import implementer

from .connections import ERRORS, Address
from .epochs import EPOCH_NOW, Epochs, Missed
from .running import Work
from .session import Session
from .times import Times
from .transaction import TIME, NearTransaction, Wanted
from .versionstatements import NEAREST

PATIENCE = 2.0
"""Seconds after which what was not answered is left to the threads, which know how long a server may take."""

PAUSE = 1.0
"""Seconds before another connection is made in the place of one that broke or could not be had."""

POOLED = 60.0
"""Likewise where the last one led to a pooler, through which nothing is read here."""

_EPOCH, _NEAREST = b"ozgate_epoch", b"ozgate_nearest"
"""How the statements are called."""

_INT8, _BYTEA = 20, 17
"""Numbers of types. Source: PostgreSQL, ``pg_type.dat``."""

_BINARY = [Format.BINARY, Format.BINARY]


class Reactor(Protocol):
    """What is asked of the reactor."""

    def callFromThread(self, f: Callable[..., object], *args: object) -> None:
        """As :class:`~twisted.internet.interfaces.IReactorFromThreads`."""

    def callLater(
        self, delay: float, f: Callable[..., object], *args: object
    ) -> IDelayedCall:
        """As :class:`~twisted.internet.interfaces.IReactorTime`."""

    def addReader(self, reader: object) -> None:
        """As :class:`~twisted.internet.interfaces.IReactorFDSet`."""

    def removeReader(self, reader: object) -> None:
        """Likewise."""

    def addWriter(self, writer: object) -> None:
        """Likewise."""

    def removeWriter(self, writer: object) -> None:
        """Likewise."""


class Asked(NamedTuple):
    """What is under way.

    :ivar work: the interaction.
    :ivar epoch: of what it found.
    :ivar wanted: what it came to; ``None`` where it ran through.
    :ivar value: what it returned then, or what it raised, as a failure.
    :ivar since: when it was asked, by the monotonic clock.
    """

    done: Deferred[Any]
    work: Work
    epoch: str
    wanted: Wanted | None
    value: Any
    since: float


@implementer(IReadWriteDescriptor)
class Near:
    """What reads in the reactor's thread, where that can be done.

    :param elsewhere: runs an interaction in a thread.
    """

    def __init__(
        self,
        reactor: Reactor,
        address: Address,
        times: Times,
        epochs: Epochs,
        elsewhere: Callable[[Work], Deferred[Any]],
    ) -> None:
        self._reactor = reactor
        self._address = address
        self._epochs = epochs
        self._elsewhere = elsewhere
        self._tx = NearTransaction(times, epochs)
        self._session: Session | None = None
        self._libpq: Any = None
        self._transformer: Any = None
        self._asked: deque[Asked] = deque()
        self._result: Any = None
        self._is_coming = self._is_over = self._is_writing = False
        self._not_before = 0.0
        self._looking: IDelayedCall | None = None
        self._descriptor = -1

    def read(self, work: Work) -> Deferred[Any]:
        """Run an interaction that reads.

        :return: as that of :meth:`~ozgate.interfaces.IMetadataStore.read`.
        """
        known = self._epochs.last
        if self._libpq is None or not known.epoch:
            self._connect()
            return self._elsewhere(work)
        self._tx.look(known)
        wanted, value = None, None
        try:
            value = work(self._tx)
        except Missed as missed:
            if missed.wanted is None:
                return self._elsewhere(work)
            wanted = missed.wanted
        except Exception:
            value = Failure()
        done: Deferred[Any] = Deferred()
        try:
            self._send(wanted)
        except (*ERRORS, struct.error):
            return self._elsewhere(work)
        now = monotonic()
        self._asked.append(Asked(done, work, known.epoch, wanted, value, now))
        if self._looking is None:
            self._looking = self._reactor.callLater(PATIENCE, self._look)
        return done

    def _send(self, wanted: Wanted | None) -> None:
        libpq = self._libpq
        if wanted is None or wanted == TIME:
            libpq.send_query_prepared(_EPOCH, None, result_format=Format.BINARY)
        else:
            number, key = wanted
            values = [struct.pack("!q", number), key.encode()]
            libpq.send_query_prepared(_NEAREST, values, _BINARY, Format.BINARY)
        libpq.pipeline_sync()
        self.doWrite()

    def doWrite(self) -> None:
        """Send what could not be sent at once."""
        libpq = self._libpq
        if libpq is None:
            return
        try:
            is_left = bool(libpq.flush())
        except psycopg.Error:
            is_left = False
        if is_left != self._is_writing:
            self._is_writing = is_left
            wanted = self._reactor.addWriter if is_left else self._reactor.removeWriter
            wanted(self)

    def doRead(self) -> None:
        """Something came: answers, or the end."""
        libpq, answered = self._libpq, []
        if libpq is None:
            return
        try:
            libpq.consume_input()
            while self._asked and not libpq.is_busy():
                result = libpq.get_result()
                if result is None:
                    if libpq.status == ConnStatus.BAD:
                        break
                elif result.status == ExecStatus.PIPELINE_SYNC:
                    answered.append((self._asked.popleft(), self._result))
                    self._result = None
                else:
                    self._result = result
            is_well = libpq.status == ConnStatus.OK
        except psycopg.Error:
            is_well = False
        for asked, result in answered:
            # One that failed failed for all: as where a right was taken, or a statement is unknown.
            if result is None or result.status != ExecStatus.TUPLES_OK:
                is_well = False
            try:
                self._answer(asked, result)
            except Exception:
                self._elsewhere(asked.work).chainDeferred(asked.done)
        if not is_well:
            self._lose()

    def _answer(self, asked: Asked, result: Any) -> None:
        """Have an interaction end, where what it found still held when it was asked about; else have a thread run it."""
        is_found, value = False, asked.value
        if result is not None and result.status == ExecStatus.TUPLES_OK:
            if asked.wanted is None:
                epoch = result.get_value(0, 0) if result.ntuples else None
                is_found = epoch == asked.epoch.encode()
            else:
                is_found, value = self._finished(asked, result)
        if not is_found:
            self._elsewhere(asked.work).chainDeferred(asked.done)
        elif isinstance(value, Failure):
            asked.done.errback(value)
        else:
            asked.done.callback(value)

    def _finished(self, asked: Asked, result: Any) -> tuple[bool, Any]:
        """Run an interaction through, with what it came to.

        :return: whether that went, and what it returned, or raised, as a failure.
        """
        known = self._epochs.last
        if self._transformer is None or not result.ntuples:
            return False, None
        self._transformer.set_pgresult(result)
        epoch, clock, noted, *row = self._transformer.load_row(0, tuple)
        if epoch != known.epoch:
            return False, None
        self._tx.look(known, asked.wanted, (clock, noted), tuple(row))
        try:
            return True, asked.work(self._tx)
        except (Missed, *ERRORS):
            return False, None
        except Exception:
            return True, Failure()

    def _look(self) -> None:
        """Have no request wait for a connection that says nothing."""
        self._looking = None
        if self._asked:
            if monotonic() - self._asked[0].since >= PATIENCE:
                self._lose()
            else:
                self._looking = self._reactor.callLater(PATIENCE / 4, self._look)

    def _lose(self) -> None:
        """End the connection; the threads do what is under way."""
        session, self._session = self._session, None
        left, self._asked = self._asked, deque()
        self._not_before = monotonic() + PAUSE
        self._result = None
        if self._libpq is not None:
            self._reactor.removeReader(self)
            self._reactor.removeWriter(self)
            self._is_writing = False
            descriptor, self._descriptor = self._descriptor, -1
            with suppress(OSError):
                os.close(descriptor)
            self._libpq = self._transformer = None
        if session is not None:
            session.close()
        for asked in left:
            self._elsewhere(asked.work).chainDeferred(asked.done)

    def _connect(self) -> None:
        """Have a connection made, unless that is under way or was tried just now."""
        if self._libpq is not None or self._is_coming or self._is_over:
            return
        if monotonic() < self._not_before:
            return
        try:
            Thread(target=self._make, name="ozgate-near", daemon=True).start()
        except RuntimeError:  # "can't start new thread"
            self._not_before = monotonic() + PAUSE
        else:
            self._is_coming = True

    def _make(self) -> None:
        """In a thread, for it takes a while: connect."""
        session = Session(self._address)
        libpq, pause = None, PAUSE
        try:
            session.open()
            with session.limited(PATIENCE):
                libpq = _prepared(session)
            pause = POOLED
        except Exception:
            # Of PostgreSQL's, or that the system has no thread or descriptor left: there is another try.
            libpq = None
        if libpq is None:
            session.close()
        self._reactor.callFromThread(self._made, session, libpq, pause)

    def _made(self, session: Session, libpq: Any, pause: float) -> None:
        self._is_coming = False
        if libpq is None or self._is_over:
            self._not_before = monotonic() + pause
            session.close()
            return
        try:
            # Our own, as libpq closes its one when the connection breaks, and another file has its number then.
            self._descriptor = os.dup(libpq.socket)
        except (*ERRORS, OSError):
            self._not_before = monotonic() + PAUSE
            session.close()
            return
        self._session, self._libpq = session, libpq
        self._transformer = Transformer(session.connection)
        self._reactor.addReader(self)

    def fileno(self) -> int:
        """The descriptor of the connection."""
        return self._descriptor

    def logPrefix(self) -> str:
        """What the reactor's log calls it."""
        return "ozgate-near"

    def connectionLost(self, reason: Failure) -> None:
        """The reactor is told that it broke, or ends."""
        self._lose()

    def stop(self) -> None:
        """End; the threads do what is under way. Idempotent."""
        self._is_over = True
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None
        self._lose()


def _prepared(session: Session) -> Any:
    """The connection of a session, with what is asked over it; ``None`` where there is a pooler."""
    libpq = session.handed_over()
    if libpq is not None:
        prepared = (
            libpq.prepare(_EPOCH, EPOCH_NOW.encode()),
            libpq.prepare(_NEAREST, NEAREST.encode(), [_INT8, _BYTEA]),
        )
        if any(each.status != ExecStatus.COMMAND_OK for each in prepared):
            raise psycopg.OperationalError("statements could not be prepared")
        libpq.enter_pipeline_mode()
        libpq.nonblocking = 1
    return libpq
