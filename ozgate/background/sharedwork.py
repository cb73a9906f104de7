"""Something that goes on for long, and that several may wait for."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure


class Running:
    """A coroutine that runs.

    :ivar is_over: whether it has ended.
    :ivar failure: what it raised, if it did.
    """

    def __init__(self, clock: IReactorTime, work: Coroutine[Any, Any, None]) -> None:
        self.is_over = False
        self.failure: Failure | None = None
        self._clock = clock
        self._waiters: set[Deferred[None]] = set()
        Deferred.fromCoroutine(work).addBoth(self._end)

    def _end(self, result: Failure | None) -> None:
        self.is_over = True
        if isinstance(result, Failure):
            self.failure = result
        waiters, self._waiters = self._waiters, set()
        for waiter in waiters:
            waiter.callback(None)

    async def wait(self, seconds: float | None = None) -> None:
        """Wait until it has ended.

        :param seconds: at most so long; ``None`` for any time.
        """
        if self.is_over or (seconds is not None and seconds <= 0):
            return
        waiter: Deferred[None] = Deferred()
        self._waiters.add(waiter)
        pause = None
        if seconds is not None:
            pause = self._clock.callLater(seconds, self._give_up, waiter)
        await waiter
        if pause is not None and pause.active():
            pause.cancel()

    def _give_up(self, waiter: Deferred[None]) -> None:
        if waiter in self._waiters:
            self._waiters.remove(waiter)
            waiter.callback(None)
