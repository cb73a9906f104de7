"""A blob of HDFS held against its checksums: whole, or only its trailer. All methods block and run in a thread."""

from __future__ import annotations

import struct

from awscrt.checksums import combine_crc64nvme, crc64nvme

from ...errors import Damaged
from ...values import BlobRef
from ..files.blobfile import BLOCK, TRAILER, file_size, read_trailer, table_size
from .filesystem import FileSystem

STEP = 4 * BLOCK
"""Bytes read at once."""


class WholeFile:
    """The file of a blob.

    :ivar length: bytes of the blob; known once it is open.
    """

    def __init__(self, system: FileSystem, path: str) -> None:
        self.length = 0
        self.crc = 0
        self._system = system
        self._path = path
        self._at = self._whole = 0
        self._table: tuple[int, ...] = ()

    def open(self) -> None:
        """Open it, and read its trailer.

        :raises Absent: there is no such file.
        :raises Damaged: it is cut off, or no blob's.
        :raises Unavailable: HDFS cannot.
        """
        self._file = self._system.open(self._path)
        size = len(self._file)
        tail = self._read(max(size - TRAILER.size, 0), min(size, TRAILER.size))
        self.length = TRAILER.unpack(tail)[3] if len(tail) == TRAILER.size else 0
        read_trailer(tail, self.length)
        if size != file_size(self.length):
            raise Damaged(
                f"a blob's file has {size} bytes, not the {file_size(self.length)} that it says"
            )
        self.crc, self._table_crc = TRAILER.unpack(tail)[4:]

    def check(self, blob: BlobRef) -> None:
        """Hold the trailer against a reference.

        :raises Damaged: they differ.
        """
        if self.length != blob.length:
            raise Damaged(f"it has {self.length} bytes, not {blob.length}")
        if self.crc != blob.crc64nvme:
            raise Damaged("its checksum is another one than its rows say")

    def read_table(self) -> None:
        """Read the checksums of its blocks.

        :raises Damaged: they are not what was written.
        """
        table = self._read(self.length, table_size(self.length))
        if crc64nvme(table) != self._table_crc:
            raise Damaged("a blob's table of checksums is not what was written")
        self._table = struct.unpack(f"<{len(table) // 8}Q", table)

    def step(self) -> int:
        """Read and check the next bytes; how many they are.

        :raises Damaged: they are not what was written.
        """
        count = min(STEP, self.length - self._at)
        if not count:
            if self._whole != self.crc:
                raise Damaged("a blob's blocks are not those that were written")
            return 0
        data = self._read(self._at, count)
        for start in range(0, count, BLOCK):
            block = data[start : start + BLOCK]
            number = (self._at + start) // BLOCK
            crc = crc64nvme(block)
            if crc != self._table[number]:
                raise Damaged(f"block {number} of a blob is not what was written")
            self._whole = combine_crc64nvme(self._whole, crc, len(block))
        self._at += count
        return count

    def _read(self, offset: int, count: int) -> bytes:
        if not count:
            return b""
        with self._system.translated(f"reading {self._path}"):
            return bytes(self._file.read_range(offset, count))
