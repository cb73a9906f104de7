"""Threads of a store's own for calls that block, each with a deadline.

An engine elsewhere may not answer. A call that does not come back keeps its thread, which nothing can take from it; whoever asked has an answer at the
deadline. Where all threads are kept so, the next call fails at once, until one has come back. The threads are daemons: a stop waits for what comes back,
within a bound.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from ..batches import Settled
from ..errors import Unavailable

_log = Logger()

WAITING = 32
"""Calls that may wait, for each thread: more would wait for longer than anybody listens."""

GRACE = 5.0
"""Seconds that a stop waits for calls under way."""


class _Call:
    """One call.

    :ivar is_begun: whether a thread has it.
    :ivar is_given_up: whether whoever asked has an answer already. Both are found out under the lock of the threads.
    :ivar late: called in the thread with what a call returned that was given up.
    """

    __slots__ = "done", "function", "is_begun", "is_given_up", "late", "timer"

    def __init__(
        self, function: Callable[[], Any], late: Callable[[Any], object] | None
    ) -> None:
        self.function = function
        self.late = late
        self.done: Deferred[Any] = Settled()
        self.timer: IDelayedCall | None = None
        self.is_begun = self.is_given_up = False


class BoundedThreads:
    """A pool of threads. Only the reactor's thread asks it for anything.

    :param reactor: in whose thread Deferreds fire.
    :param what: is called, as in ``the file system of /mnt/blobs``; for errors.
    :param most: threads at a time.
    :param deadline: seconds that a call may take, the wait for a thread included.
    """

    def __init__(self, reactor: Any, what: str, most: int, deadline: float) -> None:
        self._reactor = reactor
        self._what = what
        self._most = most
        self._deadline = deadline
        self._work: SimpleQueue[_Call | None] = SimpleQueue()
        self._threads = 0
        self._under_way: set[_Call] = set()
        # Threads that are kept by calls that were given up.
        self._lost = 0
        self._lock = Lock()
        self._stopping: Deferred[None] | None = None

    def run(
        self,
        function: Callable[..., Any],
        *args: Any,
        late: Callable[[Any], object] | None = None,
    ) -> Deferred[Any]:
        """Call a function in a thread.

        :param late: called in the thread with what it returned when that was too late, to release it.
        :return: fires with what it returned; fails with what it raised, or with ``Unavailable`` at the deadline. Cancelling has no effect.
        """
        if self._stopping is not None:
            return fail(Unavailable(f"{self._what} is not asked any more"))
        if self._lost >= self._most:
            return fail(Unavailable(f"{self._what} does not answer"))
        if len(self._under_way) >= self._most * (1 + WAITING):
            return fail(Unavailable(f"too many calls wait for {self._what}"))
        call = _Call(partial(function, *args), late)
        if len(self._under_way) + self._lost >= self._threads < self._most:
            try:
                self._begin()
            except RuntimeError as error:
                # The operating system has a limit. Those that are there do it all.
                if not self._threads:
                    return fail(Unavailable(str(error)))
        self._under_way.add(call)
        call.timer = self._reactor.callLater(self._deadline, self._late, call)
        self._work.put(call)
        return call.done

    def stop(self) -> Deferred[None]:
        """Let what is under way end, and take nothing new meanwhile; a later :meth:`run` begins anew.

        :return: fires when all threads are done, or after :data:`GRACE`.
        """
        if self._stopping is not None or not self._threads:
            return succeed(None)
        stopping = self._stopping = Settled()
        timer = self._reactor.callLater(GRACE, self._stopped)
        stopping.addCallback(lambda _: timer.active() and timer.cancel())
        stopping.addCallback(lambda _: None)
        self._see_stopped()
        return stopping

    def _see_stopped(self) -> None:
        if self._stopping is not None and not self._under_way and not self._lost:
            self._stopped()

    def _stopped(self) -> None:
        stopping, self._stopping = self._stopping, None
        for call in list(self._under_way):
            self._late(call)
        for _ in range(self._threads):
            self._work.put(None)
        # Those that are still kept end with the queue that they know.
        self._work, self._threads, self._lost = SimpleQueue(), 0, 0
        if stopping is not None:
            stopping.callback(None)

    def _late(self, call: _Call) -> None:
        """Answer for a call that has not come back."""
        with self._lock:
            call.is_given_up = True
            if call.is_begun:
                self._lost += 1
        self._forget(call)
        error = f"{self._what} has not answered in {self._deadline:g} seconds"
        call.done.errback(Unavailable(error))

    def _forget(self, call: _Call) -> None:
        self._under_way.discard(call)
        if call.timer is not None and call.timer.active():
            call.timer.cancel()

    def _begin(self) -> None:
        name = f"{self._what} {self._threads}"
        Thread(target=self._serve, args=[self._work], name=name, daemon=True).start()
        self._threads += 1

    def _serve(self, work: SimpleQueue[_Call | None]) -> None:
        while (call := work.get()) is not None:
            with self._lock:
                if call.is_given_up:
                    continue
                call.is_begun = True
            outcome = _outcome(call.function)
            if self._is_late(call):
                _release(call, outcome)
            self._reactor.callFromThread(self._ended, call, outcome, work)
            # A failure has the frames that led to it, and may not lead to what waits for it.
            del call, outcome

    def _is_late(self, call: _Call) -> bool:
        with self._lock:
            return call.is_given_up

    def _ended(self, call: _Call, outcome: Any, work: object) -> None:
        if call.is_given_up:
            if work is self._work:
                self._lost -= 1
        else:
            self._forget(call)
            if isinstance(outcome, Failure):
                call.done.errback(outcome)
            else:
                call.done.callback(outcome)
        self._see_stopped()


def _outcome(function: Callable[[], Any]) -> Any:
    """What a function returned, or a failure. Also of what is no Exception: a panic of Rust's is none."""
    try:
        return function()
    except BaseException:
        return Failure()


def _release(call: _Call, outcome: Any) -> None:
    """Release what came too late."""
    if call.late is None or isinstance(outcome, Failure):
        return
    try:
        call.late(outcome)
    except Exception:
        _log.failure("what came too late is not released")
