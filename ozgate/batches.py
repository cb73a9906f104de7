"""Bytes that arrive in the reactor's thread and are worked on in another, in order, a batch at a time.

The one mechanism behind digests (:mod:`ozgate.wire.streams`) and blob sinks (:mod:`ozgate.blobs.files.store`).
Imports Twisted only; anything may import it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IConsumer, IProducer, IPushProducer
from twisted.python.failure import Failure
from zope.interface import implementer

BATCH = 512 << 10
"""Bytes handed over at once: a hop to a thread costs 40 µs of CPU, MD5 of this much 650 µs."""

_LEAST_COST = 2048
"""What a chunk counts for at least, so that a client dribbling bytes cannot make long lists of them."""

RunInThread = Callable[..., "Deferred[Any]"]
"""``run_in_thread(f, *args)`` → Deferred: calls ``f`` in a thread of a pool."""


class Settled(Deferred["Any"]):
    """A Deferred that cancelling leaves alone: what it stands for cannot be taken back half-way."""

    def cancel(self) -> None:
        """Have no effect."""


@implementer(IConsumer)
class Batches:
    """A consumer whose :meth:`work` runs in a thread, on one batch at a time.

    It holds at most a batch in the thread and a batch to come, and then pauses its producer. When
    ``work`` fails, nothing more is worked on: the next :meth:`write` raises what it raised, and so does
    :meth:`settle`.

    :param run_in_thread: ``run_in_thread(f, *args)`` → Deferred.
    :param size: bytes in a batch, and the high-water mark of what waits.
    """

    def __init__(self, run_in_thread: RunInThread, size: int = BATCH) -> None:
        self._run_in_thread = run_in_thread
        self._size = size
        self._waiting: list[bytes] = []
        self._cost = 0
        self._busy = False
        self._producer: IPushProducer | None = None
        self._paused = False
        self._failure: Failure | None = None
        self._settling: list[Deferred[list[bytes]]] = []
        self._settled = False

    def work(self, chunks: list[bytes]) -> None:
        """Do what is to be done with a batch. Runs in a thread, never twice at once."""
        raise NotImplementedError

    def registerProducer(self, producer: IProducer, streaming: bool) -> None:
        """Take a push producer."""
        if not streaming:
            raise ValueError("only push producers can be paused")
        if self._producer is not None:
            raise RuntimeError("a producer is registered already")
        self._producer = cast(IPushProducer, producer)
        self._paused = False

    def unregisterProducer(self) -> None:
        """Forget the producer."""
        self._producer = None

    def write(self, data: bytes) -> None:
        """Take a chunk.

        :raises Exception: what :meth:`work` raised for an earlier one.
        """
        if self._failure is not None:
            self._failure.raiseException()
        if self._settled:
            raise RuntimeError("write after the end")
        self._waiting.append(data)
        self._cost += max(len(data), _LEAST_COST)
        if self._cost >= self._size:
            if not self._busy:
                self._start()
            elif self._producer is not None and not self._paused:
                self._paused = True
                self._producer.pauseProducing()

    def settle(self) -> Deferred[list[bytes]]:
        """End the writing and wait for the thread.

        :return: fires, when nothing is in the thread any more, with the chunks that were not
            worked on; fails with what :meth:`work` raised. Called again it has none to give.
        """
        self._settled = True
        settling: Deferred[list[bytes]] = Settled()
        self._settling.append(settling)
        if not self._busy:
            self._finish()
        return settling

    def drop(self) -> None:
        """Forget the chunks not yet worked on."""
        self._waiting = []
        self._cost = 0

    def _start(self) -> None:
        chunks, self._waiting, self._cost = self._waiting, [], 0
        self._busy = True
        self._run_in_thread(self._work, chunks).addBoth(self._worked)

    def _work(self, chunks: list[bytes]) -> None:
        try:
            self.work(chunks)
        finally:
            # Whoever still holds the list, the pool's bookkeeping say, does not hold the bytes.
            chunks.clear()

    def _worked(self, result: object) -> None:
        self._busy = False
        if isinstance(result, Failure):
            self._failure = result
            self.drop()
        if self._settled:
            self._finish()
        elif self._cost >= self._size:
            self._start()
        if self._paused:
            self._paused = False
            if self._producer is not None:
                self._producer.resumeProducing()

    def _finish(self) -> None:
        settling, self._settling = self._settling, []
        for deferred in settling:
            if self._failure is not None:
                deferred.errback(self._failure)
            else:
                rest = self._waiting
                self.drop()
                deferred.callback(rest)
