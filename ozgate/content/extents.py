"""What can be said of extents without reading their bytes; pure over values."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Sequence

from awscrt.checksums import combine_crc64nvme

from ..values import Content, Extent

MOST_EXTENTS = 50_000
"""Extents of an object, or of all parts of an upload, at most: they are written, and dropped, in one transaction."""


def count_extents(content: Content) -> int:
    """In how many extents bytes are; in none where they are in the row."""
    return len(content.extents)


def joined(content: Content) -> Content:
    """A content with extents put together that are next to each other in one blob."""
    if len(content.extents) < 2:
        return content
    return Content(None, _joined(content.extents))


def put_together(contents: Iterable[Content]) -> Content:
    """The content of an object that is made of parts, one after the other; they are in extents, or empty."""
    extents = [extent for content in contents for extent in content.extents]
    return Content(None, _joined(extents)) if extents else Content(b"")


def _joined(extents: Iterable[Extent]) -> tuple[Extent, ...]:
    found: list[Extent] = []
    for extent in extents:
        last = found[-1] if found else None
        if (
            last is not None
            and last.blob == extent.blob
            and last.offset + last.length == extent.offset
            and last.seal == extent.seal
        ):
            length = last.length + extent.length
            found[-1] = Extent(last.blob, last.offset, length, last.seal)
        else:
            found.append(extent)
    return tuple(found)


def combined_crc64nvme(extents: Sequence[Extent]) -> int:
    """CRC64NVME of whole blobs, not sealed, put together."""
    value = 0
    for extent in extents:
        value = combine_crc64nvme(value, extent.blob.crc64nvme, extent.length)
    return value


def known_crc64nvme(content: Content) -> str | None:
    """CRC64NVME, base64, of bytes that need not be read for it, for they are whole blobs, not sealed; else ``None``."""
    extents = content.extents
    if not extents or any(
        extent.seal or extent.length != extent.blob.length for extent in extents
    ):
        return None
    return b64encode(combined_crc64nvme(extents).to_bytes(8, "big")).decode("ascii")
