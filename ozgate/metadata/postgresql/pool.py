"""Threads with a connection each, which run what is asked for in its order, so many at a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Any, NamedTuple, Protocol

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.interfaces import IDelayedCall

from ...errors import Unavailable
from .connections import ERRORS, Address, translated
from .running import Tell, Work
from .session import Session, Silence

MARGIN = 5.0
"""Seconds that a server has beyond its own deadline of a statement, before its connection is cut."""

_LOOK_EVERY = 1.0

_PAUSE = 0.5
"""Seconds that a thread leaves what is asked to others, when it cannot connect."""


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
    work: Work
    until: float


class Pool:
    """Threads that are started as they are needed.

    What waits longer than a statement may take is ``Unavailable``: the server has too much to do. Where it gives fewer connections than are wanted, those do all.

    :param run: runs interactions over a session and what was made for it, and tells of each how it went.
    :param make: makes, for a session, what ``run`` is given besides.
    :param most: threads, and so connections.
    :param at_once: how many interactions a thread takes together, at most, where as many wait.
    :param silence: what it shares with other pools of the same server.
    """

    def __init__(
        self,
        name: str,
        reactor: Reactor,
        address: Address,
        make: Callable[[Session], Any],
        run: Callable[[Session, Any, Sequence[Work], Tell], None],
        most: int,
        at_once: int = 1,
        silence: Silence | None = None,
    ) -> None:
        self._name = name
        self._reactor = reactor
        self._address = address
        self._make = make
        self._run_one = run
        self._most = most
        self._at_once = at_once
        self._silence = silence or Silence()
        self._queue: SimpleQueue[Asked | None] = SimpleQueue()
        self._lock = Lock()
        self._sessions: list[Session] = []
        self._idle = 0
        self._running = 0
        self._ended: Deferred[None] | None = None
        self._looking: IDelayedCall | None = None

    def run(self, work: Work) -> Deferred[Any]:
        """Have an interaction run.

        :param work: is given the transaction.
        :return: fires with what it returned, or fails with what it raised.
        """
        done: Deferred[Any] = Deferred()
        until = time.monotonic() + self._address.statement
        with self._lock:
            if self._idle <= self._queue.qsize() and self._running < self._most:
                with suppress(RuntimeError):  # "can't start new thread"
                    self._start()
            if not self._running:
                where = self._address.where
                return fail(Unavailable(f"metadata in {where}: no thread is to be had"))
        self._queue.put(Asked(done, work, until))
        if self._looking is None:
            self._looking = self._reactor.callLater(_LOOK_EVERY, self._look)
        return done

    def _start(self) -> None:
        session = Session(self._address, self._silence)
        # A daemon: a process whose reactor is gone must not wait for it.
        thread = Thread(
            target=self._work, args=(session,), name=self._name, daemon=True
        )
        thread.start()
        self._sessions.append(session)
        self._running += 1

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
        more = True
        while more:
            asked, more = self._take()
            if asked:
                session.busy_since = time.monotonic()
                if self._has_connection(session, asked):
                    self._do(session, made, asked)
                session.busy_since = None
        session.close()
        self._reactor.callFromThread(self._end)

    def _take(self) -> tuple[list[Asked], bool]:
        """What is to be done next; whether there may be more after that."""
        with self._lock:
            self._idle += 1
        try:
            found = self._queue.get()
        finally:
            with self._lock:
                self._idle -= 1
        taken: list[Asked] = []
        while found is not None:
            taken.append(found)
            if len(taken) == self._at_once or self._queue.empty():
                return taken, True
            with suppress(Empty):
                found = self._queue.get_nowait()
                continue
            return taken, True
        return taken, False

    def _has_connection(self, session: Session, asked: Sequence[Asked]) -> bool:
        """Connect, where that is to be done; where it cannot be, what is asked waits for those who have a connection, or else is told so."""
        try:
            session.open()
        except Exception as error:
            with self._lock:
                is_left = self._ended is None and any(
                    each.is_ready for each in self._sessions
                )
                for each in asked if is_left else ():
                    self._queue.put(each)
            if is_left:
                time.sleep(_PAUSE)
            for each in () if is_left else asked:
                self._reactor.callFromThread(each.done.errback, error)
            return False
        return True

    def _do(self, session: Session, made: Any, asked: Sequence[Asked]) -> None:
        untold = dict(enumerate(asked))

        def tell(number: int, succeeded: bool, value: Any) -> None:
            done = untold.pop(number).done
            fire = done.callback if succeeded else done.errback
            self._reactor.callFromThread(fire, value)

        now, where = time.monotonic(), self._address.where
        for number, each in enumerate(asked):
            if now > each.until:
                error = Unavailable(f"metadata in {where}: no connection was free")
                tell(number, False, error)
        numbers = list(untold)
        try:
            if numbers:
                works = [asked[number].work for number in numbers]
                self._run_one(
                    session, made, works, lambda at, *said: tell(numbers[at], *said)
                )
        except ERRORS as error:
            for number in tuple(untold):
                tell(number, False, translated(error, self._address))
        except BaseException as error:  # also of an interaction: the thread lives on
            for number in tuple(untold):
                tell(number, False, error)

    def _look(self) -> None:
        """Cut connections whose server says nothing, as one that is frozen."""
        self._looking = None
        now, longest = time.monotonic(), self._address.statement + MARGIN
        is_busy = not self._queue.empty()
        for session in self._sessions:
            since = session.busy_since
            if since is not None:
                is_busy = True
                # One that was cut says nothing more, while its thread finds out what came of its commit.
                if not session.was_cut and now - max(since, session.sent) > longest:
                    self._silence.since = now
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
