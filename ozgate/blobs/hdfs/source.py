"""Reading a run of a blob from HDFS: pieces are read ahead by one in a thread, verified, and written while the consumer wants them."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

from awscrt.checksums import crc64nvme
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IConsumer, IPushProducer
from twisted.python.failure import Failure
from zope.interface import implementer

from ...errors import Absent, ClientGone, Damaged, Unavailable
from ...interfaces import IByteSource
from ...values import BlobRef, ByteRange
from ..boundedthreads import BoundedThreads
from ..files.blobfile import BLOCK, file_size, read_footer
from .filesystem import FileSystem

PIECE = 2 * BLOCK
"""Bytes read at once. A reader holds one such piece, and what its consumer has not sent."""

AT_ONCE = 64 << 10
"""Bytes of a blob that is read as a whole where it is opened, and can be had without waiting then."""

_CRC = struct.Struct("<Q")


class HdfsReader:
    """A run of a blob's file, a piece after the other. All methods block and run in a thread, one at a time.

    :ivar held: the run, where the blob is small.
    """

    def __init__(
        self, system: FileSystem, path: str, blob: BlobRef, byte_range: ByteRange
    ) -> None:
        self.held: bytes | None = None
        self._system = system
        self._path = path
        self._blob = blob
        self._at = byte_range.offset
        self._end = byte_range.end
        self._file: Any = None
        self._table = b""
        self._stream: Iterator[bytes] | None = None
        self._rest = b""

    def open(self) -> HdfsReader:
        """Open the file.

        :raises Absent: there is none.
        :raises Damaged: it has another length than its rows say.
        :raises Unavailable: HDFS cannot.
        """
        self._file = self._system.open(self._path)
        length = self._blob.length
        if len(self._file) != file_size(length) or self._end > length:
            raise Damaged(
                f"blob {self._blob.id} has another length than its rows say, or is asked for more"
            )
        if length <= AT_ONCE:
            data = self._read(0, file_size(length))
            self._table = self._table_of(data[length:])
            if length:
                self._check(0, data[:length])
            self.held = data[self._at : self._end]
        return self

    def next(self) -> bytes:
        """The next piece of the run, verified; none when there are no more.

        :raises Damaged: it is not what was written.
        :raises Unavailable: HDFS cannot.
        """
        if self._at == self._end:
            return b""
        if not self._table:
            length = self._blob.length
            self._table = self._table_of(self._read(length, file_size(length) - length))
        start = self._at - self._at % BLOCK
        stop = min(start + PIECE, self._blob.length, -(-self._end // BLOCK) * BLOCK)
        data = self._taken(start, stop - start)
        for offset in range(0, len(data), BLOCK):
            self._check((start + offset) // BLOCK, data[offset : offset + BLOCK])
        piece = data[self._at - start : self._end - start]
        self._at += len(piece)
        return piece

    def _taken(self, start: int, count: int) -> bytes:
        """Bytes from the stream. What broke it, as a data node that is gone, is tried once more by a new one."""
        try:
            return self._from_stream(start, count)
        except (Unavailable, Damaged):
            self._stream = None
            self._file = self._system.open(self._path)
            return self._from_stream(start, count)

    def _from_stream(self, start: int, count: int) -> bytes:
        with self._system.translated(f"reading blob {self._blob.id}"):
            if self._stream is None:
                self._rest = b""
                end = min(-(-self._end // BLOCK) * BLOCK, self._blob.length)
                self._stream = self._file.read_range_stream(start, end - start)
            parts, there = [self._rest], len(self._rest)
            while there < count:
                part = next(self._stream, None)
                if part is None:
                    raise Damaged(f"the file of blob {self._blob.id} ends early")
                parts.append(part)
                there += len(part)
        data = b"".join(parts)
        self._rest = data[count:]
        return data[:count]

    def _read(self, offset: int, count: int) -> bytes:
        """Few bytes, without a stream; once more where that fails, as by a data node that is gone."""
        doing = f"reading blob {self._blob.id}"
        try:
            with self._system.translated(doing):
                return bytes(self._file.read_range(offset, count))
        except (Unavailable, Damaged):
            self._file = self._system.open(self._path)
            with self._system.translated(doing):
                return bytes(self._file.read_range(offset, count))

    def _table_of(self, footer: bytes) -> bytes:
        try:
            return read_footer(footer, self._blob)
        except Damaged as error:
            raise Damaged(f"blob {self._blob.id}: {error}") from None

    def _check(self, block: int, data: bytes) -> None:
        (crc,) = _CRC.unpack_from(self._table, block * _CRC.size)
        if crc64nvme(data) != crc:
            raise Damaged(
                f"block {block} of blob {self._blob.id} is not what was written"
            )


@implementer(IByteSource)
class HdfsSource:
    """A run of a blob.

    :param reader: open.
    """

    def __init__(
        self, reader: HdfsReader, byte_range: ByteRange, threads: BoundedThreads
    ) -> None:
        self.length = byte_range.length
        self._reader = reader
        self._threads = threads
        self._sending: _Sending | None = None

    def as_bytes(self) -> bytes | None:
        """See :class:`~ozgate.interfaces.IByteSource`: those of a small blob, which were read where it was opened."""
        return self._reader.held

    def as_file(self) -> None:
        """Nothing: it is no local file."""
        return None

    def send_to(self, consumer: IConsumer) -> Deferred[None]:
        """See :class:`~ozgate.interfaces.IByteSource`."""
        if not self.length:
            return succeed(None)
        if self._sending is not None:
            raise RuntimeError("a source sends once")
        self._sending = _Sending(self._reader, self.length, consumer, self._threads)
        return self._sending.start()

    def close(self) -> None:
        """See :class:`~ozgate.interfaces.IByteSource`; a sending under way fails."""
        if self._sending is not None:
            self._sending.finish(ClientGone("the source was closed"))


@implementer(IPushProducer)
class _Sending:
    """One sending of an :class:`HdfsSource`."""

    def __init__(
        self,
        reader: HdfsReader,
        length: int,
        consumer: IConsumer,
        threads: BoundedThreads,
    ) -> None:
        self._reader = reader
        self._left = length
        self._unread = length
        self._consumer = consumer
        self._threads = threads
        self._piece = reader.held
        self._paused = self._reading = self._running = False
        self._done: Deferred[None] | None = None

    def start(self) -> Deferred[None]:
        """Begin."""
        done: Deferred[None] = Deferred(lambda _: self.finish(None))
        self._done = done
        self._consumer.registerProducer(self, True)
        if self._piece is not None:
            self._unread = 0
        self._run()
        return done

    def pauseProducing(self) -> None:
        """Write no more for now."""
        self._paused = True

    def resumeProducing(self) -> None:
        """Go on."""
        self._paused = False
        self._run()

    def stopProducing(self) -> None:
        """Stop: nobody wants the rest."""
        self.finish(ClientGone("the consumer wants no more"))

    def finish(self, failure: Failure | Exception | None) -> None:
        """End, by a failure or since all was written; cancelled, the Deferred fails of itself. Idempotent."""
        done, self._done = self._done, None
        self._piece = None
        if done is None:
            return
        self._consumer.unregisterProducer()
        if failure is not None:
            done.errback(failure)
        elif not self._left:
            done.callback(None)

    def _run(self) -> None:
        # A consumer may resume us from within write(); the loop below then simply goes on.
        if self._running:
            return
        self._running = True
        try:
            while self._done is not None and self._step():
                pass
        except Exception as error:
            self.finish(error)
        finally:
            self._running = False

    def _step(self) -> bool:
        """Pass on the piece that is there, and have the next one read; whether to go on at once."""
        piece = None if self._paused else self._piece
        if piece is not None:
            self._piece = None
        if self._piece is None and self._unread and not self._reading:
            self._reading = True
            reading = self._threads.run(self._reader.next)
            reading.addBoth(self._has_read)
        if piece is None:
            return False
        self._left -= len(piece)
        self._consumer.write(piece)
        if not self._left:
            self.finish(None)
        return True

    def _has_read(self, result: bytes | Failure) -> None:
        self._reading = False
        if self._done is None:
            return
        if isinstance(result, Failure):
            # It is there by its row, and was opened: gone meanwhile, it is out of reach.
            gone = result.check(Absent)
            self.finish(Unavailable(str(result.value)) if gone else result)
            return
        self._unread -= len(result)
        self._piece = result
        self._run()
