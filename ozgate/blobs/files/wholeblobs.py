"""Blobs held against their checksums: each whole, from the disk, or only their trailers.

All functions and methods here block and run in a thread.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Mapping

from awscrt.checksums import combine_crc64nvme, crc64nvme
from twisted.internet.defer import Deferred

from ...errors import Absent, Damaged, StoreError, is_short
from ...values import BlobRef
from . import syscalls
from .blobfile import BLOCK, TRAILER, Trailer, table_size

Pace = Callable[[int], "Deferred[None]"]
"""Is told how many bytes were read; fires when the next may be."""

STEP = 4 * BLOCK
"""Bytes read at once: a hop to a thread for each MiB."""


class Verifier:
    """Reads the file of a blob from its start, and holds it against all its checksums.

    :param opens: opens the file for reading, where that is not just opening it.
    :ivar length: bytes of the blob; known once it is open, as is the footer.
    :ivar footer: what follows them in the file.
    """

    def __init__(self, path: str, opens: Callable[[str], int] | None = None) -> None:
        self.length = 0
        self.footer = b""
        self._path = path
        self._opens = opens
        self._fd = -1
        self._at = 0
        self._whole = 0
        self._expected = 0
        self._table: tuple[int, ...] = ()

    def open(self) -> None:
        """Open the file, and read what it says of itself.

        :raises Absent: there is no such file.
        :raises Damaged: it is cut off, or its checksums are not what was written.
        :raises Unavailable: the disk failed.
        """
        with syscalls.translated("verifying a blob"):
            self._fd = (self._opens or syscalls.open_named)(self._path)
            syscalls.drop_cache(self._fd, 0, 0)
            trailer = Trailer.read(self._fd)
            self.length = trailer.length
            self._expected = trailer.crc
            size = table_size(self.length)
            self.footer = self._read(size + TRAILER.size, self.length)
        table = self.footer[:size]
        if crc64nvme(table) != trailer.table_crc:
            raise Damaged("a blob's table of checksums is not what was written")
        self._table = struct.unpack(f"<{len(table) // 8}Q", table)

    def step(self) -> int:
        """As :meth:`read`; returns how many they are."""
        return len(self.read())

    def read(self) -> memoryview:
        """Read and check the next bytes.

        :return: they; none when there are no more.
        :raises Damaged: they are not what was written.
        :raises Unavailable: the disk failed.
        """
        count = min(STEP, self.length - self._at)
        if not count:
            if self._whole != self._expected:
                raise Damaged("a blob's blocks are not those that were written")
            return memoryview(b"")
        with syscalls.translated("verifying a blob"):
            data = memoryview(self._read(count, self._at))
            syscalls.drop_cache(self._fd, self._at, count)
        for start in range(0, count, BLOCK):
            block = data[start : start + BLOCK]
            number = (self._at + start) // BLOCK
            crc = crc64nvme(block)
            if crc != self._table[number]:
                raise Damaged(f"block {number} of a blob is not what was written")
            self._whole = combine_crc64nvme(self._whole, crc, len(block))
        self._at += count
        return data

    def close(self) -> None:
        """Close the file."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            syscalls.close(fd)

    def _read(self, count: int, offset: int) -> bytes:
        data = syscalls.pread(self._fd, count, offset)
        while len(data) < count:
            more = syscalls.pread(self._fd, count - len(data), offset + len(data))
            if not more:
                raise Damaged("a blob's file ends early")
            data += more
        return data


def inspect(blobs: Iterable[tuple[BlobRef, str]]) -> Mapping[str, str]:
    """Hold the trailers of blobs against their references.

    :param blobs: references, and the paths of their files.
    :return: what is wrong, by id; nothing of those that are well.
    :raises Unavailable: this process is short of what it takes to look.
    """
    wrong = {}
    for blob, path in blobs:
        try:
            _inspect(blob, path)
        except Absent:
            wrong[blob.id] = "its file is not there"
        except StoreError as error:
            if is_short(error):
                raise
            wrong[blob.id] = str(error)
    return wrong


def _inspect(blob: BlobRef, path: str) -> None:
    with syscalls.translated("reading a blob's trailer"):
        fd = syscalls.open_named(path)
        try:
            trailer = Trailer.read(fd)
        finally:
            syscalls.close(fd)
    if trailer.length != blob.length:
        raise Damaged(f"it has {trailer.length} bytes, not {blob.length}")
    if trailer.crc != blob.crc64nvme:
        raise Damaged("its checksum is another one than its rows say")
