"""Consumers one may chain between a request's body and where its bytes end.

Each takes one push producer at a time and passes pause and resume on to it; what ``write`` raises
goes up to whoever wrote. Knows no S3.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, cast

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IConsumer, IProducer, IPushProducer
from zope.interface import implementer

from ..batches import BATCH, Batches, RunInThread

_INLINE = 64 << 10
"""Bytes that are hashed faster than a thread is reached, more or less: MD5 takes 85 µs, the hop 65 µs."""


class Hash(Protocol):
    """What is fed: an object of :mod:`hashlib`, or one like it."""

    def update(self, data: bytes, /) -> None:
        """Take more bytes."""


def _check_streaming(streaming: bool) -> None:
    if not streaming:
        raise ValueError("only push producers can be paused")


@implementer(IConsumer)
class Collect:
    """Keeps everything, up to a limit. Never pauses.

    :param limit: bytes it takes at most.
    :param too_big: makes the exception that ``write`` raises for one byte more.
    """

    def __init__(self, limit: int, too_big: Callable[[], Exception]) -> None:
        self._limit = limit
        self._too_big = too_big
        self._chunks: list[bytes] = []
        self._length = 0

    def registerProducer(self, producer: IProducer, streaming: bool) -> None:
        """Take a push producer, which is never paused."""
        _check_streaming(streaming)

    def unregisterProducer(self) -> None:
        """Do nothing."""

    def write(self, data: bytes) -> None:
        """Keep a chunk."""
        self._length += len(data)
        if self._length > self._limit:
            self._chunks.clear()
            raise self._too_big()
        self._chunks.append(data)
        if len(self._chunks) > 1024:
            # A client that dribbles bytes must not cost fifty times what it sends.
            self._chunks = [b"".join(self._chunks)]

    def value(self) -> bytes:
        """Everything so far."""
        if len(self._chunks) != 1:
            self._chunks = [b"".join(self._chunks)]
        return self._chunks[0]


class _Gate:
    """One producer of a :class:`Tee`, and how many branches pause it."""

    def __init__(self, producer: IPushProducer) -> None:
        self.producer: IPushProducer | None = producer
        self._pauses = 0

    def pause(self) -> None:
        """One more branch is paused."""
        self._pauses += 1
        if self._pauses == 1 and self.producer is not None:
            self.producer.pauseProducing()

    def resume(self) -> None:
        """One branch fewer is paused."""
        self._pauses -= 1
        if self._pauses == 0 and self.producer is not None:
            self.producer.resumeProducing()

    def stop(self) -> None:
        """Stop the producer."""
        if self.producer is not None:
            self.producer.stopProducing()


@implementer(IPushProducer)
class _Branch:
    """What one consumer of a :class:`Tee` sees as its producer."""

    def __init__(self, gate: _Gate) -> None:
        self._gate = gate
        self._paused = False

    def pauseProducing(self) -> None:
        """Hold up the whole tee."""
        if not self._paused:
            self._paused = True
            self._gate.pause()

    def resumeProducing(self) -> None:
        """Let the tee run again, as far as this branch is concerned."""
        if self._paused:
            self._paused = False
            self._gate.resume()

    def stopProducing(self) -> None:
        """Stop the producer."""
        self._gate.stop()


@implementer(IConsumer)
class Tee:
    """Writes each chunk to several consumers, in the order given.

    The producer is paused while any of them pauses it. What one raises goes up at once; those after it
    do not get that chunk.
    """

    def __init__(self, *consumers: IConsumer) -> None:
        self._consumers = consumers
        self._gate: _Gate | None = None

    def registerProducer(self, producer: IProducer, streaming: bool) -> None:
        """Register a branch with each consumer."""
        _check_streaming(streaming)
        if self._gate is not None:
            raise RuntimeError("a producer is registered already")
        self._gate = _Gate(cast(IPushProducer, producer))
        for consumer in self._consumers:
            consumer.registerProducer(_Branch(self._gate), True)

    def unregisterProducer(self) -> None:
        """Unregister the branches."""
        gate, self._gate = self._gate, None
        if gate is not None:
            gate.producer = None
        for consumer in self._consumers:
            consumer.unregisterProducer()

    def write(self, data: bytes) -> None:
        """Pass a chunk to each."""
        for consumer in self._consumers:
            consumer.write(data)


class Digesting(Batches):
    """Feeds everything to each of some hashes, in a thread.

    Nothing need be done to abandon it: what waits is let go of with it.

    :param hashes: read their digests after :meth:`finish` has fired.
    :param run_in_thread: ``run_in_thread(f, *args)`` → Deferred.
    :param batch: bytes handed to the thread at once.
    """

    def __init__(
        self,
        hashes: Sequence[Hash],
        run_in_thread: RunInThread,
        batch: int = BATCH,
    ) -> None:
        super().__init__(run_in_thread, batch)
        self._hashes = hashes

    def work(self, chunks: list[bytes]) -> None:
        """Feed a batch. Runs in a thread."""
        for feed in self._hashes:
            for chunk in chunks:
                feed.update(chunk)

    async def _finish_feeding(self) -> None:
        rest = await self.settle()
        if sum(map(len, rest)) <= _INLINE:
            self.work(rest)
        else:
            await self._run_in_thread(self._work, rest)

    def finish(self) -> Deferred[None]:
        """Feed the rest.

        :return: fires when every hash has had every byte.
        """
        return Deferred.fromCoroutine(self._finish_feeding())
