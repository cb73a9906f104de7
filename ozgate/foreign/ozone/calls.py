"""Calls to the cluster: in threads of their own, each with a deadline and for somebody.

A call that does not come back keeps its thread, which nothing can take from it; whoever asked has an answer at the deadline. Where all threads are
kept so, the next call fails at once. A stop waits for what comes back, within a bound, and leaves the rest: the threads are daemons.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from queue import SimpleQueue
from threading import Lock, Thread, local
from typing import Any, cast

from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IDelayedCall, IReactorFromThreads
from twisted.logger import Logger
from twisted.python.failure import Failure

from ...errors import StoreError, Unavailable, Uncertain
from ...values import OnBehalf
from .refusals import error_of

_log = Logger()

WAITING = 32
"""Calls that may wait, for each thread: more would wait for longer than anybody listens."""

_LOOK = 0.5
"""Seconds between two looks for calls that are beyond their deadline."""


class _Call:
    """One call.

    :ivar is_begun: whether a thread has it.
    :ivar is_change: whether something may have been changed.
    :ivar done: ``None`` once whoever asked has an answer.
    :ivar lock: holds while it is found out what of these is so.
    """

    __slots__ = "behalf", "done", "function", "is_begun", "is_change", "lock", "until"

    def __init__(
        self,
        function: Callable[[], Any],
        behalf: OnBehalf,
        is_change: bool,
        lock: Lock,
    ) -> None:
        self.lock = lock
        self.done: Deferred[Any] | None = Deferred()
        self.function = function
        self.behalf = behalf
        self.is_change = is_change
        self.is_begun = False
        self.until = 0.0


_mine = local()
"""The call that a thread is at."""


def begin_change() -> bool:
    """In a thread of a pool: say that from now on something may be changed by the call that it is at, though that began with what changes nothing.

    :return: whether whoever asked still waits. Where they have an answer already nothing is to be changed: it may come after what was acknowledged since.
    """
    call: _Call | None = getattr(_mine, "call", None)
    if call is None:
        return True
    with call.lock:
        if call.done is None:
            return False
        call.is_change = True
    return True


class Calls:
    """A pool of threads that ask a cluster. Only the reactor's thread asks it for anything.

    :param reactor: in whose thread Deferreds fire.
    :param most: threads at a time.
    :param deadline: seconds that a call may take, the wait for a thread included.
    """

    def __init__(self, reactor: Any, most: int, deadline: float) -> None:
        self._reactor = cast(IReactorFromThreads, reactor)
        self._seconds: Callable[[], float] = reactor.seconds
        self._later: Callable[..., IDelayedCall] = reactor.callLater
        self._most = most
        self._deadline = deadline
        self._work: SimpleQueue[_Call | Callable[[], None] | None] = SimpleQueue()
        self._threads: list[Thread] = []
        # All that have no answer yet, in the order in which they were asked, which is that of their deadlines.
        self._under_way: dict[_Call, None] = {}
        # Threads that are kept by calls that were given up.
        self._lost = 0
        # Whether a call was begun before it was given up is one question.
        self._lock = Lock()
        self._look: IDelayedCall | None = None
        self._drained: Deferred[None] | None = None
        self._take_on: Callable[[OnBehalf], None] = _nobody
        self._clear: Callable[[], None] = _nothing

    def set_identity(
        self, take_on: Callable[[OnBehalf], None], clear: Callable[[], None]
    ) -> None:
        """Say how a thread asks for somebody, and how that ends."""
        self._take_on, self._clear = take_on, clear

    def run(
        self,
        function: Callable[..., Any],
        *args: Any,
        behalf: OnBehalf,
        is_change: bool = False,
    ) -> Deferred[Any]:
        """Call a function in a thread that asks for somebody.

        :param is_change: whether something may have been changed where no answer comes; the function may say so later, by :func:`begin_change`.
        :return: fires with what it returned; fails with ``Refused``; with ``Unavailable``, or ``Uncertain`` for a change that was begun, where
            the cluster cannot answer, or has not at the deadline. Cancelling has no effect on what is done.
        """
        if self._drained is not None:
            return fail(Unavailable("the client of the cluster is stopped"))
        if self._lost >= self._most:
            return fail(Unavailable("the cluster does not answer"))
        if len(self._under_way) >= self._most * (1 + WAITING):
            return fail(Unavailable("too many calls wait for the cluster"))
        asked = partial(function, *args) if args else function
        call = _Call(asked, behalf, is_change, self._lock)
        call.until = self._seconds() + self._deadline
        if len(self._under_way) + self._lost >= len(self._threads) < self._most:
            try:
                self._begin()
            except RuntimeError as error:
                # The operating system has a limit. Those that are there do it all.
                if not self._threads:
                    return fail(Unavailable(str(error)))
        self._under_way[call] = None
        self._work.put(call)
        if self._look is None:
            self._look = self._later(_LOOK, self._look_for_late)
        assert call.done is not None
        return call.done

    def release(self, function: Callable[[], None]) -> None:
        """Have a thread give back what an earlier call took, for nobody and whatever waits. Nobody waits for that."""
        self._work.put(function)

    def stop(self, grace: float) -> Deferred[bool]:
        """Let what is under way end, and take nothing new.

        :param grace: seconds after which the rest is given up.
        :return: fires with whether every call has come back.
        """
        if self._drained is None:
            self._drained = Deferred()
            for _ in self._threads:
                self._work.put(None)
            given_up = self._later(grace, self._give_up)
            self._drained.addBoth(_cancelled, given_up)
            self._see_drained()
        after: Deferred[bool] = Deferred()
        self._drained.addCallback(self._tell, after)
        return after

    def _tell(self, ignored: None, after: Deferred[bool]) -> None:
        after.callback(not self._lost)

    def _give_up(self) -> None:
        for call in list(self._under_way):
            self._late(call)
        self._see_drained(is_given_up=True)

    def _see_drained(self, is_given_up: bool = False) -> None:
        """Whether nothing is under way any more, also of what has no answer to give."""
        if self._drained is None or self._drained.called or self._under_way:
            return
        if is_given_up or not self._lost:
            if self._look is not None:
                self._look.cancel()
                self._look = None
            self._drained.callback(None)

    # Deadlines

    def _look_for_late(self) -> None:
        self._look = None
        now = self._seconds()
        for call in list(self._under_way):
            if call.until > now:
                break
            self._late(call)
        if self._under_way:
            self._look = self._later(_LOOK, self._look_for_late)

    def _late(self, call: _Call) -> None:
        """Answer for a call that has not come back."""
        with self._lock:
            done, call.done = call.done, None
            is_begun, is_change = call.is_begun, call.is_change
        del self._under_way[call]
        error: StoreError = Unavailable("the cluster has not answered in time")
        if is_begun:
            self._lost += 1
            if is_change:
                error = Uncertain("the cluster has not answered in time")
        assert done is not None
        done.errback(error)
        self._see_drained()

    # Threads

    def _begin(self) -> None:
        name = f"ozone_{len(self._threads)}"
        thread = Thread(target=self._serve, name=name, daemon=True)
        thread.start()
        self._threads.append(thread)

    def _serve(self) -> None:
        while (call := self._work.get()) is not None:
            if not isinstance(call, _Call):
                _released(call)
                continue
            with self._lock:
                if call.done is None:
                    continue
                call.is_begun = True
            outcome = self._outcome(call)
            self._reactor.callFromThread(self._ended, call, outcome)
            # A failure has the frames that led to it, and may not lead to what waits for it.
            del call, outcome

    def _outcome(self, call: _Call) -> Any:
        try:
            self._take_on(call.behalf)
            _mine.call = call
            try:
                return call.function()
            finally:
                _mine.call = None
                self._clear()
        except StoreError:
            return Failure()
        except BaseException as error:
            if hasattr(error, "getCause"):
                return Failure(error_of(error, call.is_change))
            return Failure()

    def _ended(self, call: _Call, outcome: Any) -> None:
        done, call.done = call.done, None
        if done is None:
            self._lost -= 1
            self._see_drained()
            return
        del self._under_way[call]
        if isinstance(outcome, Failure):
            done.errback(outcome)
        else:
            done.callback(outcome)
        self._see_drained()


def _released(function: Callable[[], None]) -> None:
    try:
        function()
    except Exception:
        _log.failure("something of the cluster's client is not released")


def _nobody(behalf: OnBehalf) -> None:
    """What is asked before there is a client is asked for nobody."""


def _nothing() -> None:
    """Nobody was taken on."""


def _cancelled(result: Any, call: IDelayedCall) -> Any:
    if call.active():
        call.cancel()
    return result
