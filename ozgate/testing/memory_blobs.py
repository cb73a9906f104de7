"""A blob store in memory: for tests, and for showing that the interface suffices."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import cast

from awscrt.checksums import crc64nvme
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.interfaces import (
    IConsumer,
    IProducer,
    IPushProducer,
    IReactorTime,
)
from zope.interface import implementer

from ..errors import Absent, ClientGone, Damaged, NoSpace, StoreError, Unavailable
from ..interfaces import IBlobSink, IBlobStore, IByteSource
from ..values import BlobRef, ByteRange

_PIECE = 64 << 10


@implementer(IBlobSink)
class MemorySink:
    """A blob being written. Never pauses."""

    def __init__(self, store: MemoryBlobStore) -> None:
        self._store = store
        self._data = bytearray()
        self._over = False
        self._producer: IProducer | None = None

    def registerProducer(self, producer: IProducer, streaming: bool) -> None:
        """Take a push producer."""
        if not streaming:
            raise ValueError("only push producers can be paused")
        if self._producer is not None:
            raise RuntimeError("a producer is registered already")
        self._producer = producer

    def unregisterProducer(self) -> None:
        """Forget it."""
        self._producer = None

    def write(self, data: bytes) -> None:
        """Keep a chunk."""
        if self._over:
            raise RuntimeError("write after the end")
        self._store.check_space(len(self._data) + len(data))
        self._data += data

    def commit(self) -> Deferred[BlobRef]:
        """See :class:`~ozgate.interfaces.IBlobSink`."""
        if self._over:
            return fail(Unavailable("the blob was committed or dropped before"))
        self._over = True
        self._store.sinks.discard(self)
        return succeed(self._store.keep(bytes(self._data)))

    def abort(self) -> Deferred[None]:
        """See :class:`~ozgate.interfaces.IBlobSink`."""
        self._over = True
        self._data = bytearray()
        self._store.sinks.discard(self)
        return succeed(None)


@implementer(IPushProducer, IByteSource)
class MemorySource:
    """A run of bytes, and the push producer that sends it."""

    def __init__(self, data: bytes, ref: BlobRef, byte_range: ByteRange) -> None:
        self.length = byte_range.length
        self._data = data
        self._ref = ref
        self._at = byte_range.offset
        self._end = byte_range.end
        self._paused = False
        self._running = False
        self._consumer: IConsumer | None = None
        self._done: Deferred[None] | None = None

    def as_bytes(self) -> bytes | None:
        """See :class:`~ozgate.interfaces.IByteSource`."""
        if self.length > _PIECE:
            return None
        self._check()
        return self._data[self._at : self._end]

    def _check(self) -> None:
        if crc64nvme(self._data) != self._ref.crc64nvme:
            raise Damaged(f"blob {self._ref.id} is not what was written")

    def as_file(self) -> None:
        """Nothing: it is no file."""
        return None

    def send_to(self, consumer: IConsumer) -> Deferred[None]:
        """See :class:`~ozgate.interfaces.IByteSource`."""
        try:
            self._check()
        except Damaged:
            return fail()
        if not self.length:
            return succeed(None)
        done: Deferred[None] = Deferred(lambda _: self._finish(None))
        self._done = done
        self._consumer = consumer
        consumer.registerProducer(self, True)
        self.resumeProducing()
        return done

    def close(self) -> None:
        """Stop a sending under way."""
        self.stopProducing()

    def pauseProducing(self) -> None:
        """Write no more for now."""
        self._paused = True

    def resumeProducing(self) -> None:
        """Go on."""
        self._paused = False
        if self._running:
            return
        self._running = True
        try:
            while self._consumer is not None and not self._paused:
                stop = min(self._at + _PIECE, self._end)
                self._consumer.write(self._data[self._at : stop])
                self._at = stop
                if stop == self._end:
                    self._finish(None)
        except Exception as error:
            self._finish(error)
        finally:
            self._running = False

    def stopProducing(self) -> None:
        """Stop for good."""
        self._finish(ClientGone("the consumer wants no more"))

    def _finish(self, error: Exception | None) -> None:
        done, self._done = self._done, None
        consumer, self._consumer = self._consumer, None
        if done is None or consumer is None:
            return
        consumer.unregisterProducer()
        if error is not None:
            done.errback(error)
        elif self._at == self._end:
            done.callback(None)


@implementer(IBlobStore)
class MemoryBlobStore:
    """Blobs in a dictionary.

    :param clock: what ids are made from.
    :param capacity: bytes it holds at most, all blobs together; ``None`` for no limit.
    :ivar data: the bytes of each blob by its id; tests may damage them.
    """

    extent_size = 0

    def __init__(
        self,
        clock: IReactorTime,
        name: str = "memory",
        inline_below: int = 16384,
        capacity: int | None = None,
    ) -> None:
        self.name = name
        self.identity = os.urandom(8).hex()
        self.inline_below = inline_below
        self.capacity = capacity
        self.data: dict[str, bytes] = {}
        self._written: dict[str, int] = {}
        self.sinks: set[MemorySink] = set()
        self._clock = clock
        self._count = 0
        self._is_open = False

    def prepare_store(self) -> Deferred[None]:
        """See :class:`~ozgate.interfaces.IBlobStore`. There is nothing to prepare: it lasts no longer than the process."""
        return succeed(None)

    def open_store(self) -> Deferred[None]:
        """See :class:`~ozgate.interfaces.IBlobStore`."""
        self._is_open = True
        return succeed(None)

    def close_store(self) -> Deferred[None]:
        """See :class:`~ozgate.interfaces.IBlobStore`. What was committed stays."""
        self._is_open = False
        for sink in list(self.sinks):
            sink.abort()
        return succeed(None)

    def create(self, size_hint: int | None) -> MemorySink:
        """See :class:`~ozgate.interfaces.IBlobStore`."""
        if not self._is_open:
            raise Unavailable("the blob store is closed")
        sink = MemorySink(self)
        self.sinks.add(sink)
        return sink

    def open(self, blob: BlobRef, byte_range: ByteRange) -> Deferred[IByteSource]:
        """See :class:`~ozgate.interfaces.IBlobStore`."""
        try:
            return succeed(self._open(blob, byte_range))
        except StoreError:
            return fail()

    def _open(self, blob: BlobRef, byte_range: ByteRange) -> IByteSource:
        data = self.data.get(blob.id)
        if data is None:
            raise Absent(f"opening blob {blob.id}: there is none")
        if len(data) < blob.length or byte_range.end > blob.length:
            raise Damaged(f"blob {blob.id} is shorter than what is asked of it")
        return cast(IByteSource, MemorySource(data, blob, byte_range))

    def delete(self, blob_id: str) -> Deferred[None]:
        """See :class:`~ozgate.interfaces.IBlobStore`."""
        self.data.pop(blob_id, None)
        return succeed(None)

    def list(self, before: int, ending: str = "") -> Deferred[Sequence[str]]:
        """See :class:`~ozgate.interfaces.IBlobStore`."""
        limit = f"{max(before, 0):012x}"
        return succeed(sorted(i for i in self.data if i < limit and i.endswith(ending)))

    def inspect(self, blobs: Sequence[BlobRef]) -> Deferred[Mapping[str, str]]:
        """See :class:`~ozgate.interfaces.IBlobStore`."""
        wrong = {}
        for blob in blobs:
            if blob.id not in self.data:
                wrong[blob.id] = "it is not there"
            elif len(self.data[blob.id]) != blob.length:
                wrong[blob.id] = "it has another length"
        return succeed(wrong)

    def verify(
        self, blob_id: str, pace: Callable[[int], Deferred[None]] | None = None
    ) -> Deferred[int]:
        """See :class:`~ozgate.interfaces.IBlobStore`."""
        data = self.data.get(blob_id)
        if data is None:
            return fail(Absent(f"verifying blob {blob_id}: there is none"))
        if crc64nvme(data) != self._written[blob_id]:
            return fail(Damaged(f"blob {blob_id} is not what was written"))
        paced = pace(len(data)) if pace is not None and data else succeed(None)
        return paced.addCallback(lambda _: len(data))

    def check_space(self, count: int) -> None:
        """Raise ``NoSpace`` when ``count`` bytes more do not fit."""
        if self.capacity is not None:
            held = sum(map(len, self.data.values()))
            if held + count > self.capacity:
                raise NoSpace("writing a blob: the store is full")

    def keep(self, data: bytes) -> BlobRef:
        """Keep a blob."""
        now = int(self._clock.seconds() * 1000)
        self._count += 1
        blob_id = f"{now:012x}{self._count:08x}{os.urandom(2).hex()}"
        self.data[blob_id] = data
        crc = self._written[blob_id] = crc64nvme(data)
        return BlobRef(self.name, blob_id, len(data), crc)
