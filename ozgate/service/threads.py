"""Threads that work for the reactor's, on what would hold it up.

Not Twisted's pool: each of its calls leaves a function that holds itself to the cyclic garbage collector. Nor Python's: a call of it makes
a future with a lock and a condition, and takes three locks more, which is three times what this takes (730 bytecodes of 4,170 for a mebibyte of a PUT, two calls).
"""

from __future__ import annotations

from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread
from typing import Any

from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IReactorFromThreads
from twisted.python.failure import Failure

from ..errors import Unavailable

_Work = tuple["Deferred[Any]", Callable[..., Any], tuple[Any, ...]]


class Threads:
    """A pool of threads, each begun when there is work for one more. Only the reactor's thread asks it for anything.

    :param reactor: in whose thread Deferreds fire.
    :param most: threads at a time; what else there is to do waits.
    """

    def __init__(self, reactor: IReactorFromThreads, most: int) -> None:
        self._reactor = reactor
        self._most = most
        self._work: SimpleQueue[_Work | None] = SimpleQueue()
        self._threads: list[Thread] = []
        self._under_way = 0
        self._stopped = False

    def run(self, function: Callable[..., Any], *args: Any) -> Deferred[Any]:
        """Call a function in a thread.

        :return: fires with what it returned; fails with what it raised. Never fires when :meth:`stop` was called before.
            The function runs on when the Deferred is cancelled. Fails with ``Unavailable`` when no thread can begin and
            there is none; then the function is not called.
        """
        done: Deferred[Any] = Deferred()
        if self._stopped:
            return done
        if self._under_way >= len(self._threads) < self._most:
            try:
                self._begin()
            except RuntimeError as error:
                # The operating system has a limit. Those that are there do it all.
                if not self._threads:
                    return fail(Unavailable(str(error)))
        self._under_way += 1
        self._work.put((done, function, args))
        return done

    def stop(self) -> None:
        """Wait for what is under way or waits, and end the threads. Idempotent."""
        self._stopped = True
        threads, self._threads = self._threads, []
        for _ in threads:
            self._work.put(None)
        for thread in threads:
            thread.join()

    def _begin(self) -> None:
        name = f"ozgate_{len(self._threads)}"
        # A process that ends without stopping them does not wait for work that may never come.
        thread = Thread(target=self._serve, name=name, daemon=True)
        thread.start()
        self._threads.append(thread)

    def _serve(self) -> None:
        while (work := self._work.get()) is not None:
            done, function, args = work
            outcome = _outcome(function, args)
            self._reactor.callFromThread(self._ended, done, outcome)
            # A failure has the frames that led to it, and those that these were called from: this one, which may not lead to
            # the Deferred, that has the failure.
            del work, done, function, args, outcome

    def _ended(self, done: Deferred[Any], outcome: Any) -> None:
        self._under_way -= 1
        if isinstance(outcome, Failure):
            done.errback(outcome)
        else:
            done.callback(outcome)


def _outcome(function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    """What a function returns, or its failure."""
    try:
        return function(*args)
    except BaseException:
        return Failure()
