"""Threads that work for the reactor's, on what would hold it up.

Not Twisted's pool: each of its calls leaves a function that holds itself to the cyclic garbage collector.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IReactorFromThreads
from twisted.python.failure import Failure

from ..errors import Unavailable

_Work = tuple["Deferred[Any]", Callable[..., Any], tuple[Any, ...]]


class Threads:
    """A pool of threads, each begun when there is work for one more.

    :param reactor: in whose thread Deferreds fire.
    :param most: threads at a time; what else there is to do waits.
    """

    def __init__(self, reactor: IReactorFromThreads, most: int) -> None:
        self._reactor = reactor
        self._begun = threading.Event()
        self._pool = ThreadPoolExecutor(most, "ozgate", self._begun.set)
        self._stopped = False

    def run(self, function: Callable[..., Any], *args: Any) -> Deferred[Any]:
        """Call a function in a thread.

        :return: fires with what it returned; fails with what it raised. Never fires when :meth:`stop` was called before.
            The function runs on when the Deferred is cancelled. Fails with ``Unavailable`` when no thread can begin and
            there is none; then the function is not called.
        """
        done: Deferred[Any] = Deferred()
        if not self._stopped:
            work: list[_Work] = [(done, function, args)]
            try:
                self._pool.submit(self._call, work)
            except RuntimeError as error:
                # The operating system has a limit. The pool keeps the work all the same: for the threads that are there, or to do it
                # when nobody expects that any more.
                if not self._begun.is_set():
                    with suppress(IndexError):
                        work.pop()
                        return fail(Unavailable(str(error)))
        return done

    def stop(self) -> None:
        """Wait for what is under way or waits, and end the threads. Idempotent."""
        self._stopped = True
        self._pool.shutdown()

    def _call(self, work: list[_Work]) -> None:
        try:
            done, function, args = work.pop()
        except IndexError:
            # It was taken back.
            return
        outcome = _outcome(function, args)
        fire = done.errback if isinstance(outcome, Failure) else done.callback
        self._reactor.callFromThread(fire, outcome)
        # A failure has the frames that led to it, and those that these were called from: this one, and the pool's, which
        # has the list. Neither may lead to the Deferred, which has the failure.
        del done, fire, outcome


def _outcome(function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    """What a function returns, or its failure."""
    try:
        return function(*args)
    except BaseException:
        return Failure()
