"""The form of a blob as an object: its blocks, each with its checksum after it, and a trailer.

::

    block of 256 KiB, 8 bytes of its check; …; the last block, as long as it is, 8 bytes of its check
    "ozgs3 1\\n", 8 bytes of length, 8 of the CRC64NVME of all bytes, 8 of a check of these 24

So any run of blocks is one range of the object, and can be verified by itself: what a reader gets was looked at, whichever bytes
he asked for, and nothing larger than a block is ever held for that. A check is the CRC64NVME of the bytes, and differs
with the blob's id and the number of the block: one that an engine gives for another is found, too. Numbers are little-endian.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence

from awscrt.checksums import combine_crc64nvme, crc64nvme

from ...errors import Damaged
from ...immutable import frozen

BLOCK = 256 << 10
CHECK = struct.Struct("<Q")
FRAME = BLOCK + CHECK.size
TRAILER = struct.Struct("<8sQQQ")
_FORMAT = b"ozgs3 1\n"

_CHUNKS = 64
"""Chunks that are kept as they come, at most: a client that dribbles must not make long lists of them."""


def check_of(crc: int, blob_id: str, number: int) -> int:
    """The check of a block.

    :param crc: the CRC64NVME of its bytes.
    """
    mixed: int = crc ^ crc64nvme(f"{blob_id} {number}".encode())
    return mixed


def count_of(length: int) -> int:
    """How many blocks a blob has."""
    return -(-length // BLOCK)


def object_size(length: int) -> int:
    """Bytes of the object of a blob."""
    return length + CHECK.size * count_of(length) + TRAILER.size


def length_of(size: int, blob_id: str) -> int:
    """Bytes of the blob of an object.

    :raises Damaged: no blob has such an object.
    """
    length = size - TRAILER.size
    length -= CHECK.size * -(-length // FRAME) if length > 0 else 0
    if length < 0 or object_size(length) != size:
        raise Damaged(f"blob {blob_id} is an object of {size} bytes, as none is")
    return length


@frozen
class Framed:
    """An object, ready to be put.

    :ivar pieces: its bytes, in order.
    :ivar size: how many they are.
    :ivar crc64nvme: of all of them.
    :ivar blob_crc64nvme: of the bytes of the blob.
    """

    pieces: Sequence[bytes | memoryview]
    size: int
    crc64nvme: int
    blob_crc64nvme: int


class Blocks:
    """The bytes of a blob that is written, in blocks. They are kept as they come: others hold them, too, whose digests are computed.

    :ivar length: how many there are.
    """

    def __init__(self) -> None:
        self.length = 0
        self._blocks: list[list[bytes | memoryview]] = []
        self._crcs: list[int] = []
        self._chunks: list[bytes | memoryview] = []
        self._room = BLOCK

    def add(self, data: bytes) -> None:
        """Take bytes."""
        self.length += len(data)
        rest = memoryview(data)
        while len(rest) >= self._room:
            head, rest = rest[: self._room], rest[self._room :]
            self._chunks.append(head)
            self._end_block()
        if rest:
            self._chunks.append(rest)
            self._room -= len(rest)
            if len(self._chunks) == _CHUNKS:
                self._chunks = [b"".join(self._chunks)]

    def _end_block(self) -> None:
        if self._chunks:
            crc = 0
            for chunk in self._chunks:
                crc = crc64nvme(chunk, crc)
            self._blocks.append(self._chunks)
            self._crcs.append(crc)
            self._chunks, self._room = [], BLOCK

    @property
    def crc64nvme(self) -> int:
        """That of all bytes. No more are taken."""
        self._end_block()
        whole, left = 0, self.length
        for crc in self._crcs:
            whole = combine_crc64nvme(whole, crc, min(left, BLOCK))
            left -= BLOCK
        return whole

    def framed(self, blob_id: str) -> Framed:
        """The object of a blob of that id."""
        whole, all_bytes = self.crc64nvme, 0
        pieces: list[bytes | memoryview] = []
        for number, (block, crc) in enumerate(
            zip(self._blocks, self._crcs, strict=True)
        ):
            check = CHECK.pack(check_of(crc, blob_id, number))
            pieces += [*block, check]
            size = min(BLOCK, self.length - number * BLOCK)
            all_bytes = combine_crc64nvme(all_bytes, crc, size)
            all_bytes = crc64nvme(check, all_bytes)
        trailer = make_trailer(self.length, whole, blob_id)
        return Framed(
            [*pieces, trailer],
            object_size(self.length),
            crc64nvme(trailer, all_bytes),
            whole,
        )


def make_trailer(length: int, crc: int, blob_id: str) -> bytes:
    """What ends an object.

    :param crc: of all bytes of the blob.
    """
    first = _FORMAT + CHECK.pack(length) + CHECK.pack(crc)
    return first + CHECK.pack(check_of(crc64nvme(first), blob_id, -1))


Take = Callable[[int, Sequence[bytes]], None]
"""Is given a block that was verified: its number, and its bytes in pieces."""


class Unframing:
    """Reads a run of whole frames, and gives on what was verified.

    :param blob_id: whose they are.
    :param length: of the blob.
    :param first: the number of the first block.
    :param stop: the number just past the last one.
    :param take: is given each block.
    :ivar number: of the block that is read.
    :ivar crc64nvme: of all blocks that were verified.
    """

    def __init__(
        self, blob_id: str, length: int, first: int, stop: int, take: Take
    ) -> None:
        self.number = first
        self.crc64nvme = 0
        self._blob_id = blob_id
        self._length = length
        self._stop = stop
        self._take = take
        self.restart()

    @property
    def is_over(self) -> bool:
        """Whether all of them were read."""
        return self.number == self._stop

    @property
    def missing(self) -> int:
        """Bytes that are yet to come of the frame that is read."""
        return self._missing + CHECK.size - len(self._check)

    def restart(self) -> None:
        """Forget what was read of a frame: it comes again."""
        self._pieces: list[bytes] = []
        self._crc = 0
        self._check = b""
        self._missing = max(0, min(BLOCK, self._length - self.number * BLOCK))

    def feed(self, data: bytes) -> None:
        """Read bytes; what follows the last frame is ignored.

        :raises Damaged: a block is not what was written. Those before it were given on.
        """
        at, size = 0, len(data)
        while at < size and self.number != self._stop:
            if self._missing:
                some = data[at : at + self._missing]
                self._pieces.append(some)
                self._crc = crc64nvme(some, self._crc)
                self._missing -= len(some)
            else:
                some = data[at : at + CHECK.size - len(self._check)]
                self._check += some
                if len(self._check) == CHECK.size:
                    self._end_frame()
            at += len(some)

    def _end_frame(self) -> None:
        number, pieces = self.number, self._pieces
        if CHECK.unpack(self._check)[0] != check_of(self._crc, self._blob_id, number):
            raise Damaged(
                f"block {number} of blob {self._blob_id} is not what was written"
            )
        size = sum(map(len, pieces))
        self.crc64nvme = combine_crc64nvme(self.crc64nvme, self._crc, size)
        self.number += 1
        self.restart()
        self._take(number, pieces)
