"""Where bytes are."""

from __future__ import annotations

from collections.abc import Sequence
from pickle import PickleBuffer
from typing import Any, SupportsIndex

from attrs import evolve

from ..immutable import frozen

__all__ = [
    "EXTENTS_AT_ONCE",
    "FIRST_STORE",
    "LARGE",
    "NO_BYTES",
    "BlobRef",
    "ByteRange",
    "Content",
    "Extent",
]


LARGE = 16 << 10
"""Bytes of a body from which on it can be sent to another process beside the pickle: into that it would be copied, which takes 27 µs for 64 KiB."""


@frozen
class ByteRange:
    """A run of bytes, ``offset`` from the start and ``length`` long."""

    offset: int
    length: int

    @property
    def end(self) -> int:
        """The offset just past the last byte."""
        return self.offset + self.length


@frozen
class BlobRef:
    """Names one blob of one blob store.

    :ivar store: the name of the blob store, so that two can live side by side.
    :ivar id: the blob's id; ids of one store sort by the time they were made.
    :ivar length: bytes in the blob, as they are stored.
    :ivar crc64nvme: CRC64NVME of all its bytes, as they are stored, as an unsigned integer.
    """

    store: str
    id: str
    length: int
    crc64nvme: int


FIRST_STORE = "files"
"""The name of every blob store while there could be but one; what says no name means this one."""

EXTENTS_AT_ONCE = 64
"""Extents of a version that are read at once where its bytes are sent: what a slow reader holds, a few kB."""


@frozen
class Extent:
    """A run of bytes inside a blob, counted as they are before they are sealed.

    :ivar seal: how the blob is sealed, as :mod:`ozgate.content.sealing` has it; ``""`` where its bytes are the object's.
    """

    blob: BlobRef
    offset: int
    length: int
    seal: str = ""

    def moved(self, blobs: Sequence[BlobRef]) -> tuple[Extent, ...]:
        """The same bytes in other blobs, which one after the other have the bytes of this one.

        A sealed one is never cut: it goes to one blob.
        """
        if len(blobs) == 1:
            return (evolve(self, blob=blobs[0]),)
        whole = Content(None, tuple(Extent(each, 0, each.length) for each in blobs))
        return whole.cut(ByteRange(self.offset, self.length)).extents


@frozen
class Content:
    """Where the bytes of a version or a part are: in the metadata row, or in extents.

    Exactly one of the two holds bytes; an empty object is an empty ``body``.

    :ivar seal: how ``body`` is sealed, as that of an :class:`Extent`.
    :ivar plain_length: bytes of a sealed body before it was sealed.
    """

    body: bytes | None = None
    extents: tuple[Extent, ...] = ()
    seal: str = ""
    plain_length: int = 0

    @property
    def length(self) -> int:
        """Bytes in all, as they are before they are sealed."""
        if self.body is not None:
            return self.plain_length if self.seal else len(self.body)
        if len(self.extents) == 1:
            # As of most.
            return self.extents[0].length
        return sum(extent.length for extent in self.extents)

    def __reduce_ex__(self, protocol: SupportsIndex) -> tuple[Any, ...]:
        """As of any value, but for large bodies, which need not be copied by who pickles them (PEP 574)."""
        body = self.body
        others = self.extents, self.seal, self.plain_length
        if body is None or len(body) < LARGE or int(protocol) < 5:
            return Content, (body, *others)
        return Content, (PickleBuffer(body), *others)

    def cut(self, wanted: ByteRange) -> Content:
        """Where the bytes of a range of it are; for no bytes, an empty body.

        A sealed body stays whole: it is cut when it is opened.
        """
        if self.seal and wanted.length:
            return self
        if self.body is not None:
            return Content(self.body[wanted.offset : wanted.end])
        extents = []
        first, end, start = wanted.offset, wanted.end, 0
        for extent in self.extents:
            low = max(first, start)
            high = min(end, start + extent.length)
            if low < high:
                offset = extent.offset + low - start
                extents.append(Extent(extent.blob, offset, high - low, extent.seal))
            start += extent.length
        return Content(extents=tuple(extents)) if extents else Content(b"")


NO_BYTES = Content(b"")
"""Where no bytes are."""
