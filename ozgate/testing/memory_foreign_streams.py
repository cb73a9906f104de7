"""Bytes on their way into another system in memory, and out of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from awscrt.checksums import crc64nvme
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.interfaces import IProducer
from zope.interface import implementer

from ..errors import StoreError
from ..interfaces import IByteSource, IForeignReading, IForeignSink
from ..values import BlobRef, ByteRange, ForeignObject
from .memory_blobs import MemorySource


@implementer(IForeignSink)
class MemorySink:
    """A key or part being written. Never pauses.

    :param sinks: those that are under way.
    """

    def __init__(
        self,
        sinks: set[MemorySink],
        commit: Callable[[bytes, str, Mapping[str, str]], None],
    ) -> None:
        self._sinks, self._commit = sinks, commit
        self._data = bytearray()
        self._over = False
        sinks.add(self)

    def registerProducer(self, producer: IProducer, streaming: bool) -> None:
        """Take a push producer, which is never paused."""
        if not streaming:
            raise ValueError("only push producers can be paused")

    def unregisterProducer(self) -> None:
        """Do nothing."""

    def write(self, data: bytes) -> None:
        """Keep a chunk."""
        if self._over:
            raise RuntimeError("write after the end")
        self._data += data

    def commit(self, etag: str, metadata: Mapping[str, str]) -> Deferred[None]:
        """See :class:`~ozgate.interfaces.IForeignSink`."""
        if self._over:
            raise RuntimeError("commit after the end")
        self._end()
        try:
            self._commit(bytes(self._data), etag, metadata)
        except StoreError:
            return fail()
        return succeed(None)

    def abort(self) -> Deferred[None]:
        """See :class:`~ozgate.interfaces.IForeignSink`."""
        self._end()
        return succeed(None)

    def _end(self) -> None:
        self._over = True
        self._sinks.discard(self)


@implementer(IForeignReading)
class MemoryReading:
    """A key that was looked up to be read.

    :param data: the bytes that are read.
    :param start: where in the key they begin.
    """

    def __init__(
        self, found: ForeignObject, data: bytes, start: int, whole: int
    ) -> None:
        self.found, self.start, self.whole = found, start, whole
        self._data = data

    def source(self, span: ByteRange) -> IByteSource:
        """See :class:`~ozgate.interfaces.IForeignReading`."""
        ref = BlobRef("memory", "", len(self._data), crc64nvme(self._data))
        source: IByteSource = MemorySource(self._data, ref, span)
        return source

    def close(self) -> None:
        """Do nothing."""
