"""One blob as one file: its format, and how it is written.

The file is the blob's bytes, then a table of the CRC64NVME of each 256 KiB block (8 bytes each), then a
trailer. Everything little-endian. So a range is verified by the blocks it touches, and a scrub needs no
metadata.

All functions and methods here block and run in a thread.
"""

from __future__ import annotations

import errno
import os
import struct
from array import array
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Lock

from attrs import field
from awscrt.checksums import combine_crc64nvme, crc64nvme

from ...errors import Damaged, Unavailable
from ...immutable import frozen
from ...values import BlobRef
from . import syscalls
from .foldersyncs import FolderSyncs

BLOCK = 256 << 10
"""Bytes under one checksum: what a push source reads at once. 32 bytes of table per MiB."""

TRAILER = struct.Struct("<8sIIQQQ")
"""Magic, block size, blocks, bytes, CRC64NVME of all bytes, CRC64NVME of the table."""

MAGIC = b"ozgblob1"

_WRITEBACK = 8 << 20
"""Bytes after which writing to the disk begins: fsync of 1 GiB then takes 10 ms, not 500."""

_ALLOCATE_FROM = 1 << 20
"""Blobs smaller than this are not worth a call that reserves their room; as much is reserved at first."""

_ALLOCATE_MOST = 256 << 20
"""Bytes reserved ahead of those that came, at most. As many as have come are, else: who announces 5 GiB and sends
nothing must not have them, and in pieces of this size a file is in one piece for what disks care."""

_MOST_CHUNKS = 1000
"""Chunks given to one writev; Linux takes 1024 (IOV_MAX)."""


@frozen
class Place:
    """Where a blob's file is while it is written.

    :ivar folder: a folder of the file system where it has no name.
    :ivar staging: its path, under a name of its own; ``None`` where the file system has files without a name.
    :ivar relaxed: it need not survive a power cut.
    :ivar syncs: make its name durable.
    :ivar is_shared: other machines write to the file system, too.
    """

    folder: str
    staging: str | None
    relaxed: bool = False
    syncs: FolderSyncs = field(factory=FolderSyncs)
    is_shared: bool = False


def table_size(length: int) -> int:
    """Bytes of the table of a blob of that length."""
    return (length + BLOCK - 1) // BLOCK * 8


def file_size(length: int) -> int:
    """Bytes of the file of a blob of that length."""
    return length + table_size(length) + TRAILER.size


def read_trailer(data: bytes, length: int) -> None:
    """Check a trailer against the length that the metadata know.

    :raises Damaged: it is not one, or not this blob's.
    """
    if len(data) == TRAILER.size:
        magic, block, blocks, stored, _, _ = TRAILER.unpack(data)
        if (
            magic == MAGIC
            and block == BLOCK
            and stored == length
            and blocks * 8 == table_size(length)
        ):
            return
    raise Damaged("a blob's trailer is not what was written")


def read_footer(footer: bytes | memoryview, blob: BlobRef) -> bytes:
    """The table of a blob's file, held against the trailer after it, and that against the blob's reference.

    :param footer: the last bytes of the file, from the table on.
    :raises Damaged: it is not what was written, or another blob's.
    """
    trailer = bytes(footer[-TRAILER.size :])
    table = bytes(footer[: -TRAILER.size])
    read_trailer(trailer, blob.length)
    whole, table_crc = TRAILER.unpack(trailer)[4:]
    if whole != blob.crc64nvme:
        raise Damaged("a blob's file is another one than its rows say")
    if crc64nvme(table) != table_crc:
        raise Damaged("a blob's table of checksums is not what was written")
    return table


@frozen
class Trailer:
    """What a trailer says.

    :ivar length: bytes of the blob.
    :ivar crc: CRC64NVME of all bytes.
    :ivar table_crc: CRC64NVME of the table.
    """

    length: int
    crc: int
    table_crc: int

    @classmethod
    def read(cls, fd: int) -> Trailer:
        """The trailer of an open file, which has the size that it says.

        :raises OSError: it cannot be read.
        :raises Damaged: it is none, or another file's.
        """
        size = syscalls.size(fd)
        data = syscalls.pread(fd, TRAILER.size, max(size - TRAILER.size, 0))
        length = TRAILER.unpack(data)[3] if len(data) == TRAILER.size else 0
        read_trailer(data, length)
        if size != file_size(length):
            raise Damaged(
                f"a blob's file has {size} bytes, not the {file_size(length)} that it says"
            )
        return cls(length, *TRAILER.unpack(data)[4:])


class BlockSums:
    """The checksums of a blob's bytes, as they come.

    :ivar length: how many came.
    :ivar whole: CRC64NVME of all, once :meth:`footer` was asked for.
    """

    def __init__(self) -> None:
        self.length = 0
        self.whole = 0
        self._crcs = array("Q")
        self._block = 0
        self._filled = 0

    def add(self, chunk: bytes) -> None:
        """Take the next bytes."""
        self.length += len(chunk)
        room = BLOCK - self._filled
        if len(chunk) < room:
            self._block = crc64nvme(chunk, self._block)
            self._filled += len(chunk)
            return
        view = memoryview(chunk)
        while len(view) >= room:
            self._block = crc64nvme(view[:room], self._block)
            self._filled = BLOCK
            self._end_block()
            view, room = view[room:], BLOCK
        self._block = crc64nvme(view, 0)
        self._filled = len(view)

    def footer(self) -> bytes:
        """What follows the bytes in the file: table and trailer. None come after."""
        self._end_block()
        table = struct.pack(f"<{len(self._crcs)}Q", *self._crcs)
        return table + TRAILER.pack(
            MAGIC, BLOCK, len(self._crcs), self.length, self.whole, crc64nvme(table)
        )

    def _end_block(self) -> None:
        if self._filled:
            self._crcs.append(self._block)
            self.whole = combine_crc64nvme(self.whole, self._block, self._filled)
        self._block = self._filled = 0


class BlobWriter:
    """A blob's file while it is written. One call at a time, in any thread; but :meth:`discard` may come while another call is under way, which
    has been given up: what that has made goes when it comes back.

    When a call fails, the file is gone.

    :param size_hint: the blob's length, where it is known.
    :ivar stamp: of the file, once it is sealed.
    """

    def __init__(self, place: Place, size_hint: int | None) -> None:
        self.stamp: syscalls.Stamp = (0, 0, 0)
        self._place = place
        self._size_hint = size_hint
        self._fd = -1
        # What the file is called by now.
        self._path = place.staging
        self._lock = Lock()
        self._is_called = False
        self._discarded = False
        self._written = 0
        self._begun = 0
        self._allocated = 0
        self._sums = BlockSums()

    def append(self, chunks: list[bytes]) -> None:
        """Add bytes.

        :raises NoSpace: the disk or a quota is full.
        :raises Unavailable: the disk failed, or the blob was dropped.
        """
        with self._call():
            self._append(chunks)

    def seal(self, chunks: list[bytes], path: str) -> tuple[int, int]:
        """Add the last bytes and make the file durable under its name.

        :param path: which is its name; on the same file system.
        :return: the blob's length and CRC64NVME.
        :raises NoSpace: the disk or a quota is full.
        :raises Unavailable: the disk failed, or the blob was dropped. A failed fsync is final: asking again would report a
            success that is none.
        """
        with self._call():
            self._append(chunks)
            length = self._written
            footer = self._sums.footer()
            with syscalls.translated("making a blob durable"):
                self._write([footer])
                if not self._place.relaxed:
                    syscalls.fsync(self._fd)
                self._name(path)
            self._path = path
            with suppress(OSError):
                self.stamp = syscalls.stamp(self._fd)
        with self._lock:
            fd, self._fd = self._fd, -1
        if fd < 0:
            # Since the call came back: nothing is left of it.
            raise Unavailable("the blob was dropped")
        syscalls.close(fd)
        return length, self._sums.whole

    def discard(self) -> None:
        """Leave nothing. Idempotent; of a blob that is sealed all is left."""
        with self._lock:
            self._discarded = True
            if self._is_called:
                return
        self._remove()

    @contextmanager
    def _call(self) -> Iterator[None]:
        """A call, after which nothing is left if it failed, or the blob was dropped meanwhile."""
        with self._lock:
            if self._discarded:
                raise Unavailable("the blob was dropped")
            self._is_called = True
        try:
            yield
        except BaseException:
            self._discarded = True
            raise
        finally:
            with self._lock:
                self._is_called = False
            if self._discarded:
                self._remove()
        if self._discarded:
            raise Unavailable("the blob was dropped")

    def _remove(self) -> None:
        with self._lock:
            fd, self._fd = self._fd, -1
        if fd < 0:
            return
        syscalls.close(fd)
        if self._path is not None:
            with suppress(OSError):
                syscalls.unlink(self._path)

    def _append(self, chunks: list[bytes]) -> None:
        with syscalls.translated("writing a blob"):
            self._open()
            self._write(chunks)
        for chunk in chunks:
            self._sums.add(chunk)
        if self._written - self._begun >= _WRITEBACK:
            syscalls.start_writeback(self._fd, self._begun, self._written - self._begun)
            self._begun = self._written

    def _open(self) -> None:
        if self._fd >= 0:
            return
        if self._place.staging is None:
            self._fd = syscalls.open_unnamed(self._place.folder)
        else:
            self._fd = syscalls.open_new(self._place.staging)
        hint = self._size_hint
        if hint is not None and hint >= _ALLOCATE_FROM:
            # All that is to come must find room now: better no upload than one that fails at its end.
            if syscalls.free(self._fd) < hint:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _allocate(self, count: int) -> None:
        """Reserve room for bytes about to be written, and for some of those to come."""
        hint, needed = self._size_hint, self._written + count
        if hint is None or hint < _ALLOCATE_FROM or needed <= self._allocated:
            return
        ahead = min(max(needed, _ALLOCATE_FROM), _ALLOCATE_MOST)
        self._allocated = max(needed, min(needed + ahead, file_size(hint)))
        syscalls.allocate(self._fd, self._allocated)

    def _write(self, chunks: list[bytes]) -> None:
        count = sum(map(len, chunks))
        self._allocate(count)
        if len(chunks) > _MOST_CHUNKS:
            chunks = [b"".join(chunks)]
        taken = syscalls.writev(self._fd, chunks) if count else 0
        if taken < count:
            rest = memoryview(b"".join(chunks))[taken:]
            while rest:
                taken = syscalls.writev(self._fd, [rest])
                if not taken:
                    raise OSError("the file takes no more bytes")
                rest = rest[taken:]
        self._written += count

    def _name(self, path: str) -> None:
        if self._place.staging is None:
            syscalls.link_unnamed(self._fd, path)
        elif self._place.is_shared:
            self._link(self._place.staging, path)
        else:
            syscalls.rename(self._place.staging, path)
        if self._place.relaxed:
            return
        try:
            self._place.syncs.sync(os.path.dirname(path))
        except BaseException:
            # Whether the name would outlive a power cut is unknown: without it the blob is surely not there,
            # and should the name come back it is an orphan, which the sweep finds.
            with suppress(OSError):
                syscalls.unlink(path)
            raise

    def _link(self, staging: str, path: str) -> None:
        """Name the file, in the place of no other.

        A file server may have linked it and its answer been lost: asked again, it says that the name is taken. Source: open(2) of Linux,
        of O_EXCL on NFS.
        """
        try:
            syscalls.link(staging, path)
        except OSError as error:
            if error.errno in syscalls.CANNOT_LINK:
                syscalls.rename(staging, path)
                return
            if not self._is_at(path):
                if error.errno == errno.ENOENT:
                    # It was taken for left over, for nothing was written for a day.
                    raise OSError(errno.ESTALE, os.strerror(errno.ESTALE)) from error
                raise
        with suppress(OSError):
            syscalls.unlink(staging)

    def _is_at(self, path: str) -> bool:
        with suppress(OSError):
            return syscalls.is_at(self._fd, path)
        return False
