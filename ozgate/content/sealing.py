"""Sealing: where an encryption of stored bytes has its place.

What is sealed is a whole blob, as the one extent that it is written as, or an inline body. Its *seal* is kept beside it in the row: whatever
opens it again, such as a data key, wrapped, the algorithm and the size of its blocks. Extents of parts, copies and ranges name the
same blob with a seal for each; only the keys in it are wrapped anew for a copy, and no bytes move.

:mod:`~ozgate.content.intake` seals and :mod:`~ozgate.content.outlet` opens; nothing else sees sealed bytes but who keeps blobs. A gateway
that has no sealing seals nothing.
"""

from __future__ import annotations

from typing import Protocol

from ..errors import Unavailable
from ..interfaces import IBlobSink, IByteSource
from ..values import ByteRange, Content, Extent


class Sealing(Protocol):
    """How bytes are sealed, and opened again.

    It has all keys at hand: nothing here waits. Blocks that can be opened by themselves let a range be read without what is before it.
    """

    def seal_body(self, body: bytes) -> Content:
        """Seal a body for the metadata row.

        :param body: not empty.
        """

    def open_body(self, content: Content) -> bytes:
        """All of a sealed body.

        :raises Damaged: it is not what was sealed.
        """

    def stored_size(self, size: int) -> int:
        """Bytes that so many plain bytes take in a blob."""

    def plain_size(self, stored: int) -> int:
        """Plain bytes, at most, that take no more than so many in a blob; at least 1."""

    def seal(self, sink: IBlobSink) -> tuple[IBlobSink, str]:
        """Seal a blob.

        :param sink: takes the sealed bytes.
        :return: a sink of plain bytes, whose blob is that of the other one; and the seal.
        """

    def stored_range(self, extent: Extent) -> ByteRange:
        """Which bytes of its blob are to be read to open an extent."""

    def open(self, extent: Extent, source: IByteSource) -> IByteSource:
        """Open an extent.

        :param source: sends the bytes of :meth:`stored_range`; closed with what is returned.
        :return: sends the plain bytes of the extent, or fails with ``Damaged`` where they are not what was sealed. It is no file.
        """

    def copied(self, content: Content) -> Content:
        """What a copy of a content has: the same bytes in the same places, with keys wrapped anew where they are sealed."""


class HasSealing(Protocol):
    """What seals or opens; a :class:`~ozgate.gateway.gateway.Gateway` has it.

    :ivar sealing: ``None`` where nothing is sealed.
    """

    sealing: Sealing | None


def is_sealed(content: Content) -> bool:
    """Whether any of the bytes are sealed."""
    return bool(content.seal) or any(extent.seal for extent in content.extents)


def copied(holder: HasSealing, content: Content) -> Content:
    """What a copy of a content has. Nothing for an interaction: it does not know the keys.

    :raises Unavailable: as :func:`sealing_of`.
    """
    return sealing_of(holder).copied(content) if is_sealed(content) else content


def sealing_of(holder: HasSealing) -> Sealing:
    """What opens what is sealed.

    :raises Unavailable: there is nothing. That says nothing of the bytes: they are neither damaged nor lost.
    """
    sealing = holder.sealing
    if sealing is None:
        raise Unavailable("bytes are sealed, and there is nothing that opens them")
    return sealing
