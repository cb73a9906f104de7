"""A run of a blob, and the run of its object that has it."""

from __future__ import annotations

from collections.abc import Sequence

from ...errors import Damaged
from ...values import BlobRef, ByteRange
from .engine import Engine
from .frames import BLOCK, CHECK, FRAME, Unframing, count_of, object_size
from .location import name_of


class Run:
    """A run of a blob, and the run of its object that has it.

    :ivar first: the number of its first block.
    :ivar stop: the number just past its last one.
    :ivar end: the offset just past the last frame.
    """

    def __init__(self, engine: Engine, blob: BlobRef, span: ByteRange) -> None:
        self.engine = engine
        self.blob = blob
        self.span = span
        self.name = name_of(blob.id)
        self.what = f"reading blob {blob.id}"
        self.first = span.offset // BLOCK
        self.stop = count_of(span.end)
        frames = blob.length + CHECK.size * count_of(blob.length)
        self.end = min(self.stop * FRAME, frames)

    @property
    def offset(self) -> int:
        """The offset of the first frame."""
        return self.first * FRAME

    async def read(self, first: int, stop: int) -> tuple[bytes, int]:
        """As :meth:`Engine.read_range`."""
        return await self.engine.read_range(self.name, self.what, first, stop)

    def check(self, total: int) -> None:
        """Hold the size of an object against what it is to be.

        :raises Damaged: it is another.
        """
        if total != object_size(self.blob.length):
            raise Damaged(
                f"blob {self.blob.id} has another length than its rows say: an object of {total} bytes"
            )

    def cut(self, number: int, pieces: Sequence[bytes]) -> Sequence[bytes]:
        """What is wanted of a block."""
        start = max(self.span.offset - number * BLOCK, 0)
        stop = self.span.end - number * BLOCK
        if start == 0 and stop >= sum(map(len, pieces)):
            return pieces
        return [b"".join(pieces)[start:stop]]

    def verified(self, data: bytes) -> bytes:
        """What is wanted of the only block.

        :raises Damaged: it is not what was written.
        """
        found: list[bytes] = []
        blocks = Unframing(
            self.blob.id,
            self.blob.length,
            self.first,
            self.stop,
            lambda number, pieces: found.extend(self.cut(number, pieces)),
        )
        blocks.feed(data)
        self.check_whole(blocks)
        if not blocks.is_over:
            raise Damaged(f"blob {self.blob.id} is an object that ends early")
        return b"".join(found)

    def check_whole(self, blocks: Unframing) -> None:
        """Hold all bytes of a blob that was read whole against what its rows say.

        :raises Damaged: they are others.
        """
        is_whole = self.first == 0 and self.stop == count_of(self.blob.length)
        if is_whole and blocks.is_over and blocks.crc64nvme != self.blob.crc64nvme:
            raise Damaged(
                f"the checksum of blob {self.blob.id} is another one than its rows say"
            )
