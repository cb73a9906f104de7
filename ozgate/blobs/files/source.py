"""Reading a run of a blob's file: as a push producer that verifies; by descriptor for sendfile, once that was done."""

from __future__ import annotations

import struct
from typing import cast

from awscrt.checksums import crc64nvme
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import (
    IConsumer,
    IDelayedCall,
    IPushProducer,
    IReactorTime,
)
from twisted.python.failure import Failure
from zope.interface import implementer

from ...batches import RunInThread
from ...errors import ClientGone, Damaged
from ...interfaces import IByteSource
from ...values import BlobRef, ByteRange
from . import syscalls
from .blobfile import BLOCK, TRAILER, file_size, read_footer, table_size
from .knownblocks import KnownBlocks

AT_ONCE = 64 << 10
"""Bytes that are read and sent together with what stands before them. Blobs no longer than this are verified each time."""

_READS_IN_A_ROW = 8
"""Blocks written to a consumer that never pauses, before the reactor has a turn: 2 MiB, some 0.3 ms."""

_AHEAD = 1 << 20
"""Bytes the kernel is asked to read ahead when the disk had to be waited for."""


_CRC = struct.Struct("<Q")
_NO_CRC = bytes(8)


class ReadBuffer:
    """One block of memory that all sources of a store read into, one after the other."""

    def __init__(self) -> None:
        self.view = memoryview(bytearray(BLOCK))


@implementer(IByteSource)
class FileSource:
    """A run of a blob's file.

    :param fd: open for reading; closed by :meth:`close`.
    :param blob: what the run is inside of.
    :param stamp: of the file.
    :param known: blocks that need not be looked at.
    :param is_sent: whether the descriptor is given away.
    """

    def __init__(
        self,
        fd: int,
        blob: BlobRef,
        stamp: syscalls.Stamp,
        known: KnownBlocks,
        byte_range: ByteRange,
        reactor: IReactorTime,
        run_in_thread: RunInThread,
        buffer: ReadBuffer,
        is_sent: bool = True,
    ) -> None:
        self.length = byte_range.length
        self.fd = fd
        self.blob = blob
        self._stamp = stamp
        self._known = known
        self.byte_range = byte_range
        self.reactor = reactor
        self.run_in_thread = run_in_thread
        self.buffer = buffer
        self._is_sent = is_sent
        self._sending: _Sending | None = None

    def as_bytes(self) -> bytes | None:
        """See :class:`~ozgate.interfaces.IByteSource`: few bytes, where the kernel has them cached.

        :raises Damaged: they are not what was written.
        """
        start, stop = self.byte_range.offset, self.byte_range.end
        if self.blob.length <= AT_ONCE:
            size = file_size(self.blob.length)
            view = self.buffer.view[:size]
            if syscalls.preadv_nowait(self.fd, view, 0) < size:
                return None
            (crc,) = _CRC.unpack(self.table_of(view[self.blob.length :]) or _NO_CRC)
            if crc64nvme(view[: self.blob.length]) != crc:
                raise self.damaged(0)
            return bytes(view[start:stop])
        if self.length > AT_ONCE or not self._is_verified():
            return None
        view = self.buffer.view[: self.length]
        if syscalls.preadv_nowait(self.fd, view, start) < self.length:
            return None
        return bytes(view)

    def as_file(self) -> tuple[int, int, int] | None:
        """See :class:`~ozgate.interfaces.IByteSource`: when all blocks of the run have been looked at."""
        if not self._is_sent or not self._is_verified():
            return None
        return self.fd, self.byte_range.offset, self.length

    def _is_verified(self) -> bool:
        if not self.length:
            return True
        first, last = (
            self.byte_range.offset // BLOCK,
            (self.byte_range.end - 1) // BLOCK,
        )
        return self._known.holds(self.blob.id, self._stamp, first, last)

    def table_of(self, footer: bytes | memoryview) -> bytes:
        """The blob's table of checksums, from the end of its file.

        :raises Damaged: it is not what was written.
        """
        try:
            return read_footer(footer, self.blob)
        except Damaged as error:
            self._known.forget(self.blob.id)
            raise Damaged(f"blob {self.blob.id}: {error}") from None

    def note_verified(self, block: int) -> None:
        """A block is what was written."""
        if self.blob.length > AT_ONCE:
            blocks = table_size(self.blob.length) // 8
            self._known.note(self.blob.id, self._stamp, block, blocks)

    def damaged(self, block: int) -> Damaged:
        """What is raised for a block that is not."""
        self._known.forget(self.blob.id)
        return Damaged(f"block {block} of blob {self.blob.id} is not what was written")

    def send_to(self, consumer: IConsumer) -> Deferred[None]:
        """Write all bytes to a consumer.

        :return: fires after the last byte; fails with ``Damaged`` before any byte of a bad block
            went on, with ``ClientGone`` when the consumer stopped it.
        """
        if not self.length:
            return succeed(None)
        if self._sending is not None:
            raise RuntimeError("a source sends once")
        self._sending = _Sending(self, consumer)
        return self._sending.start()

    def close(self) -> None:
        """Close the file; a sending under way fails."""
        sending, self._sending = self._sending, None
        if sending is not None and not sending.stop():
            # A thread is reading: it closes the file when it is done.
            self.fd = -1
        fd, self.fd = self.fd, -1
        if fd >= 0:
            syscalls.close(fd)


@implementer(IPushProducer)
class _Sending:
    """One sending of a :class:`FileSource`.

    Reads what the page cache has at once, and the rest in a thread: that costs the reactor neither a wait nor,
    for what is cached, a hop.
    """

    def __init__(self, source: FileSource, consumer: IConsumer) -> None:
        self._source = source
        self._fd = source.fd
        self._consumer = consumer
        self._at = source.byte_range.offset
        self._end = source.byte_range.end
        self._table: bytes | None = None
        self._held: bytes | None = None
        self._paused = False
        self._running = False
        self._reading = False
        self._close_after = False
        self._later: IDelayedCall | None = None
        self._done: Deferred[None] | None = None

    def start(self) -> Deferred[None]:
        """Begin."""
        done: Deferred[None] = Deferred(lambda _: self._finish(None))
        self._done = done
        self._consumer.registerProducer(self, True)
        self._run()
        return done

    def stop(self) -> bool:
        """Stop for good, failing with ``ClientGone``.

        :return: whether the file may be closed now; else it is closed when the thread has read.
        """
        self._close_after = True
        self._finish(ClientGone("the source was closed"))
        return not self._reading

    def pauseProducing(self) -> None:
        """Write no more for now."""
        self._paused = True

    def resumeProducing(self) -> None:
        """Go on."""
        self._paused = False
        self._run()

    def stopProducing(self) -> None:
        """Stop: nobody wants the rest."""
        self._finish(ClientGone("the consumer wants no more"))

    def _finish(self, failure: Failure | Exception | None) -> None:
        done, self._done = self._done, None
        if self._later is not None:
            self._later.cancel()
            self._later = None
        self._held = None
        if done is None:
            return
        self._consumer.unregisterProducer()
        if failure is not None:
            done.errback(failure)
        elif self._at == self._end:
            done.callback(None)
        # else cancelled: the Deferred fails with CancelledError of itself.

    def _run(self) -> None:
        # A consumer may resume us from within write(); the loop below then simply goes on.
        if self._running:
            return
        self._running = True
        try:
            for _ in range(_READS_IN_A_ROW):
                if not self._step():
                    return
            if self._later is None:
                self._later = self._source.reactor.callLater(0, self._run_later)
        except Exception as error:
            self._finish(error)
        finally:
            self._running = False

    def _run_later(self) -> None:
        self._later = None
        self._run()

    def _step(self) -> bool:
        """Read and pass on one block, or begin to; returns whether to go on at once."""
        if self._at == self._end:
            self._finish(None)
        if self._done is None or self._paused or self._reading:
            return False
        offset, count = self._next_read()
        data: bytes | memoryview | None = self._held
        self._held = None
        if data is None:
            view = self._source.buffer.view[:count] if count <= BLOCK else None
            if view is None or syscalls.preadv_nowait(self._fd, view, offset) < count:
                self._read_in_thread(offset, count)
                return not self._reading
            data = view
        if self._table is None:
            self._table = self._source.table_of(data)
        else:
            self._pass_on(data)
        return True

    def _next_read(self) -> tuple[int, int]:
        length = self._source.blob.length
        if self._table is None:
            return length, table_size(length) + TRAILER.size
        offset = self._at - self._at % BLOCK
        return offset, min(BLOCK, length - offset)

    def _pass_on(self, data: bytes | memoryview) -> None:
        assert self._table is not None
        block, start = divmod(self._at, BLOCK)
        (crc,) = _CRC.unpack_from(self._table, block * 8)
        if crc64nvme(data) != crc:
            raise self._source.damaged(block)
        self._source.note_verified(block)
        stop = min(self._end - block * BLOCK, len(data))
        self._at = block * BLOCK + stop
        if isinstance(data, bytes) and start == 0 and stop == len(data):
            self._consumer.write(data)
        else:
            self._consumer.write(bytes(data[start:stop]))

    def _read_in_thread(self, offset: int, count: int) -> None:
        self._reading = True
        reading = self._source.run_in_thread(_read_all, self._fd, offset, count)
        reading.addBoth(self._has_read)

    def _has_read(self, result: object) -> None:
        self._reading = False
        if self._close_after:
            syscalls.close(self._fd)
        if self._done is None:
            return
        if isinstance(result, Failure):
            self._finish(result)
            return
        self._held = cast(bytes, result)
        self._run()


def _read_all(fd: int, offset: int, count: int) -> bytes:
    """Read so many bytes. Runs in a thread.

    :raises Damaged: the file ends before.
    """
    with syscalls.translated("reading a blob"):
        data = syscalls.pread(fd, count, offset)
        while len(data) < count:
            more = syscalls.pread(fd, count - len(data), offset + len(data))
            if not more:
                raise Damaged("a blob's file ends early")
            data += more
        syscalls.will_need(fd, offset + count, _AHEAD)
    return data
