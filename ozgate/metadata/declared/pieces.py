"""What several rows make together: where the bytes of a version or a part are, and the parts of an object.

Each row agrees with its check; here they are held against each other, so that one that is missing is noticed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import attrgetter

from ...errors import Damaged
from ...values import ByteRange, Content, Extent, ObjectPart, Part
from .columns import Row
from .rowchecks import damaged
from .tables import BODIES, EXTENTS, OBJECT_PARTS, PARTS

UNASKED = Content()
"""The content of a part where it was not asked for."""


def extent_rows(owner: int, extents: Iterable[Extent], start: int = 0) -> list[Row]:
    """What the table ``extents`` holds of extents of a version or part, from a byte of it on."""
    rows = []
    for extent in extents:
        if extent.length:
            rows.append(EXTENTS.row(extent, owner, start))
            start += extent.length
    return rows


def content_of(
    sequence: int, size: int, body: Row | None, extents: Sequence[Row]
) -> Content:
    """Where so many bytes are.

    :param body: the row of ``bodies``; ``None`` when there is no such row.
    :param extents: rows of ``extents``, by start.
    :raises Damaged: they are fewer bytes, or more.
    """
    if body is not None:
        _, seal, data, _ = body
        if not BODIES.agrees(body) or (not seal and len(data) != size):
            raise Damaged(f"the bytes of version {sequence} are damaged", "inline")
        return Content(data, (), seal, size) if seal else Content(data)
    if len(extents) == 1 and extents[0][1] == 0:
        # As of most: an upload has 10,000 such parts.
        extent = EXTENTS.read(extents[0])
        if extent.length == size:
            return Content(None, (extent,))
    content = cut_content_of(sequence, ByteRange(0, size), extents)
    if content.length != size or (extents and _end_of(extents[-1]) != size):
        raise damaged("extents", sequence, content.length, size)
    return content


def cut_content_of(owner: int, wanted: ByteRange, extents: Sequence[Row]) -> Content:
    """Where bytes of a version or part are, from the first of a range on.

    :param extents: rows of ``extents``, by start, from the one that holds the first byte on.
    :return: as far as the rows go, cut to the range.
    :raises Damaged: one of them does not begin where the one before ends, or is out of the range.
    """
    found: list[Extent] = []
    at = wanted.offset
    for row in extents:
        extent = EXTENTS.read(row)
        into = at - row[1]
        length = min(extent.length - into, wanted.end - at)
        if into < 0 or length <= 0 or (found and into):
            raise damaged("extents", owner, row[1], at)
        if length < extent.length:
            extent = Extent(extent.blob, extent.offset + into, length, extent.seal)
        found.append(extent)
        at += length
    return Content(None, tuple(found)) if found else Content(b"")


def _end_of(row: Row) -> int:
    """Where an extent ends in its version or part."""
    end: int = row[1] + row[7]
    return end


def object_part_rows(sequence: int, parts: Sequence[ObjectPart]) -> list[Row]:
    """What the table ``object_parts`` holds of all parts of an object."""
    rows = []
    start = 0
    for part in sorted(parts, key=attrgetter("number")):
        rows.append(OBJECT_PARTS.row(part, sequence, start))
        start += part.size
    return rows


def object_parts_of(
    sequence: int, before: Row | None, rows: Iterable[Row]
) -> list[ObjectPart]:
    """Parts of an object.

    :param before: the row before them; ``None`` when they are the first. So one that is missing in between is noticed.
    """
    following = 0
    if before is not None:
        part = OBJECT_PARTS.read(before)
        following = part.start + part.size
    parts = []
    for row in rows:
        part = OBJECT_PARTS.read(row)
        if part.start != following:
            raise damaged("object_parts", sequence, part.number, part.start, following)
        parts.append(part)
        following += part.size
    return parts


def owner_of(row: Row) -> tuple[int, int]:
    """The owner of a part's extents, and the part's size, from a row of ``parts``."""
    upload, number, owner, size = row[:4]
    if not PARTS.agrees(row):
        raise damaged("parts", upload, number)
    return owner, size


def part_of(row: Row, extents: Sequence[Row] | None) -> Part:
    """A part.

    :param extents: rows of ``extents``, by start; ``None`` where they were not asked for.
    """
    if extents is None:
        return PARTS.read(row, UNASKED)
    owner, size = owner_of(row)
    return PARTS.make(row, content_of(owner, size, None, extents))
