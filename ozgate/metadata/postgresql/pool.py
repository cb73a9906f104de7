"""Threads with a connection each, which run what is asked for in its order, so many at a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any, NamedTuple, Protocol

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall

from ...errors import Unavailable
from .connections import ERRORS, Address, translated
from .session import Session

Tell = Callable[[bool, Any], None]
"""Is told once how it went: whether it succeeded, and what was returned or raised."""

MARGIN = 5.0
"""Seconds that a server has beyond its own deadline of a statement, before its connection is cut."""

_LOOK_EVERY = 1.0


class Reactor(Protocol):
    """What is asked of the reactor."""

    def callFromThread(self, f: Callable[..., object], *args: object) -> None:
        """As :class:`~twisted.internet.interfaces.IReactorFromThreads`."""

    def callLater(
        self, delay: float, f: Callable[..., object], *args: object
    ) -> IDelayedCall:
        """As :class:`~twisted.internet.interfaces.IReactorTime`."""


class Asked(NamedTuple):
    """What a thread is to do.

    :ivar until: when it is too late, by the monotonic clock.
    """

    done: Deferred[Any]
    work: Callable[..., Any]
    until: float


class Pool:
    """Threads that are started as they are needed.

    What waits longer than a statement may take is ``Unavailable``: the server has too much to do.

    :param run: runs an interaction over a session and what was made for it, and tells how it went.
    :param make: makes, for a session, what ``run`` is given besides.
    :param most: threads, and so connections.
    """

    def __init__(
        self,
        name: str,
        reactor: Reactor,
        address: Address,
        make: Callable[[Session], Any],
        run: Callable[[Session, Any, Callable[..., Any], Tell], None],
        most: int,
    ) -> None:
        self._name = name
        self._reactor = reactor
        self._address = address
        self._make = make
        self._run_one = run
        self._most = most
        self._queue: SimpleQueue[Asked | None] = SimpleQueue()
        self._lock = Lock()
        self._sessions: list[Session] = []
        self._idle = 0
        self._running = 0
        self._ended: Deferred[None] | None = None
        self._looking: IDelayedCall | None = None

    def run(self, work: Callable[..., Any]) -> Deferred[Any]:
        """Have an interaction run.

        :param work: is given the transaction.
        :return: fires with what it returned, or fails with what it raised.
        """
        done: Deferred[Any] = Deferred()
        until = time.monotonic() + self._address.statement
        with self._lock:
            if self._idle <= self._queue.qsize() and self._running < self._most:
                self._start()
        self._queue.put(Asked(done, work, until))
        if self._looking is None:
            self._looking = self._reactor.callLater(_LOOK_EVERY, self._look)
        return done

    def _start(self) -> None:
        session = Session(self._address)
        self._sessions.append(session)
        self._running += 1
        # A daemon: a process whose reactor is gone must not wait for it.
        thread = Thread(
            target=self._work, args=(session,), name=self._name, daemon=True
        )
        thread.start()

    def stop(self) -> Deferred[None]:
        """End when everything before is done; fires when all connections are closed."""
        with self._lock:
            running = self._running
            if running:
                self._ended = Deferred()
        if not running:
            self._stop_looking()
            return succeed(None)
        for _ in range(running):
            self._queue.put(None)
        assert self._ended is not None
        return self._ended

    def cut(self) -> None:
        """Have what is under way end soon, with ``Unavailable``."""
        for session in self._sessions:
            if session.busy_since is not None:
                session.cut()

    def _work(self, session: Session) -> None:
        made = self._make(session)
        while (asked := self._next()) is not None:
            session.busy_since = time.monotonic()
            self._do(session, made, asked)
            session.busy_since = None
        session.close()
        self._reactor.callFromThread(self._end)

    def _next(self) -> Asked | None:
        with self._lock:
            self._idle += 1
        try:
            return self._queue.get()
        finally:
            with self._lock:
                self._idle -= 1

    def _do(self, session: Session, made: Any, asked: Asked) -> None:
        told: list[None] = []

        def tell(succeeded: bool, value: Any) -> None:
            told.append(None)
            fire = asked.done.callback if succeeded else asked.done.errback
            self._reactor.callFromThread(fire, value)

        where = self._address.where
        if time.monotonic() > asked.until:
            tell(False, Unavailable(f"metadata in {where}: no connection was free"))
            return
        try:
            self._run_one(session, made, asked.work, tell)
        except ERRORS as error:
            if not told:
                tell(False, translated(error, self._address))
        except BaseException as error:  # also of an interaction: the thread lives on
            if not told:
                tell(False, error)

    def _look(self) -> None:
        """Cut connections whose server says nothing, as one that is frozen."""
        self._looking = None
        now, longest = time.monotonic(), self._address.statement + MARGIN
        is_busy = not self._queue.empty()
        for session in self._sessions:
            since = session.busy_since
            if since is not None:
                is_busy = True
                if now - max(since, session.sent) > longest:
                    session.cut()
        if is_busy:
            self._looking = self._reactor.callLater(_LOOK_EVERY, self._look)

    def _end(self) -> None:
        """In the reactor's thread, for each thread that has ended."""
        with self._lock:
            self._running -= 1
            is_last = not self._running
        if is_last and self._ended is not None:
            self._stop_looking()
            ended, self._ended = self._ended, None
            ended.callback(None)

    def _stop_looking(self) -> None:
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None
