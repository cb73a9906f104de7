"""Sources of bytes for answers: a run of a file, and one that pushes."""

from __future__ import annotations

import os
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IConsumer, IPushProducer
from zope.interface import implementer

from ozgate.interfaces import IByteSource


@implementer(IByteSource)
class FileSource:
    """A run of a file."""

    def __init__(self, path: str, offset: int, length: int) -> None:
        self.length = length
        self._offset = offset
        self.fd = os.open(path, os.O_RDONLY)
        self.closed = False

    def as_bytes(self) -> bytes | None:
        """A little."""
        if self.length > 65536:
            return None
        return os.pread(self.fd, self.length, self._offset)

    def as_file(self) -> tuple[int, int, int] | None:
        """The file, the place, the count."""
        return self.fd, self._offset, self.length

    def send_to(self, consumer: IConsumer) -> Deferred[None]:
        """Over TLS."""
        return Push(os.pread(self.fd, self.length, self._offset)).send_to(consumer)

    def close(self) -> None:
        """Close the file."""
        if not self.closed:
            self.closed = True
            os.close(self.fd)


@implementer(IByteSource, IPushProducer)
class Push:
    """Bytes from a push producer, 64 KiB a turn."""

    def __init__(self, data: bytes, length: int | None = None) -> None:
        self.length = len(data) if length is None else length
        self._data = data
        self._paused = False
        self.closed = False
        self._consumer: Any = None

    def as_bytes(self) -> None:
        """It is not asked for."""

    def as_file(self) -> None:
        """It is none."""

    def close(self) -> None:
        """Note it."""
        self.closed = True

    def send_to(self, consumer: IConsumer) -> Deferred[None]:
        """Register and begin."""
        self._consumer = consumer
        self._done: Deferred[None] = Deferred(lambda _: self._end())
        consumer.registerProducer(self, True)
        self._turn()
        return self._done

    def _turn(self) -> None:
        while self._consumer is not None and not self._paused and self._data:
            piece, self._data = self._data[:65536], self._data[65536:]
            self._consumer.write(piece)
        if self._consumer is not None and not self._data:
            self._end()
            self._done.callback(None)

    def _end(self) -> None:
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            consumer.unregisterProducer()

    def pauseProducing(self) -> None:
        """Wait."""
        self._paused = True

    def resumeProducing(self) -> None:
        """Go on."""
        self._paused = False
        self._turn()

    def stopProducing(self) -> None:
        """No more."""
        self._end()
