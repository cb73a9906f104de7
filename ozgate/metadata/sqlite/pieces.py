"""Rows to values and back, as in :mod:`ozgate.metadata.sqlite.rows`: uploads, parts, where bytes are, secrets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import attrgetter

from attrs import asdict

from ...errors import Damaged
from ...values import (
    BlobRef,
    ByteRange,
    Checksum,
    Content,
    Extent,
    ObjectPart,
    ObjectVersion,
    Part,
    Secret,
    Upload,
)
from .rowchecks import (
    check_of_body,
    check_of_extent,
    check_of_object_part,
    check_of_part,
    check_of_secret,
    check_of_upload,
    damaged,
)
from .rows import Row, encode, pack, scan, unpack

UPLOAD = """uploads.key, uploads.upload_id, uploads.initiated, uploads.owner,
    uploads.storage_class, uploads.headers, uploads.metadata, uploads.tags,
    uploads.checksum_algorithm, uploads.checksum_type, uploads.completed,
    uploads.completed_parts, uploads.number, uploads.bucket, uploads.is_completed, uploads.more,
    uploads.checked"""

EXTENT = """extents.owner, extents.start, extents.store, extents.blob, extents.blob_length,
    extents.blob_crc64nvme, extents.offset, extents.length, extents.seal, extents.checked"""

BODY = "body, seal, checked"

PART = """parts.upload, parts.number, parts.owner, parts.size, parts.etag, parts.modified,
    parts.checksums, parts.checked"""

UNASKED = Content()
"""The content of a part where it was not asked for."""

OBJECT_PART = "number, start, size, checksum, etag, checked"

SECRET = "access_id, user, sealed, created, expires, checked"


def upload_of(row: Row) -> Upload:
    """An upload from the columns :data:`UPLOAD`."""
    key, upload_id, initiated, owner, storage_class, headers, metadata, tags = row[:8]
    algorithm, type_, completed, completed_parts, number, bucket = row[8:14]
    is_completed, more, checked = row[14:]
    if checked != check_of_upload(
        number,
        bucket,
        key,
        upload_id,
        initiated,
        owner,
        storage_class,
        algorithm,
        type_,
        is_completed,
        completed,
        completed_parts,
        tags,
        headers,
        metadata,
        more,
    ):
        raise damaged("uploads", bucket, key, upload_id)
    return Upload(
        key,
        upload_id,
        initiated,
        owner,
        storage_class,
        unpack(headers),
        unpack(metadata),
        unpack(tags),
        algorithm,
        type_,
        _completed_of(completed),
        completed_parts,
        unpack(more),
    )


def upload_row(bucket: int, upload: Upload) -> Row:
    """What the table ``uploads`` holds of an upload, in its order, but for its number and check."""
    return (
        bucket,
        upload.key,
        upload.upload_id,
        upload.initiated,
        upload.owner,
        upload.storage_class,
        upload.checksum_algorithm,
        upload.checksum_type,
        int(upload.completed is not None),
        completed_text(upload.completed),
        upload.completed_parts,
        pack(upload.tags),
        pack(upload.headers),
        pack(upload.metadata),
        pack(upload.more),
    )


def completed_text(version: ObjectVersion | None) -> str:
    """A version as JSON, for an upload that became it."""
    return "" if version is None else encode(asdict(version))


def _completed_of(text: str) -> ObjectVersion | None:
    if not text:
        return None
    members = scan(text)[0]
    if members["checksum"] is not None:
        members["checksum"] = Checksum(**members["checksum"])
    return ObjectVersion(**members)


def extent_rows(owner: int, extents: Iterable[Extent]) -> list[Row]:
    """What the table ``extents`` holds of all extents of a version or part, in its order."""
    rows = []
    start = 0
    for extent in extents:
        if extent.length:
            rows.append(_extent_row(owner, start, extent))
            start += extent.length
    return rows


def _extent_row(owner: int, start: int, extent: Extent) -> Row:
    blob = extent.blob
    crc = blob.crc64nvme
    row = (
        owner,
        start,
        blob.store,
        blob.id,
        blob.length,
        # SQLite's integers are signed.
        crc - (1 << 64) if crc >> 63 else crc,
        extent.offset,
        extent.length,
        extent.seal,
    )
    return (*row, check_of_extent(*row))


def extent_of(row: Row) -> Extent:
    """An extent from the columns :data:`EXTENT`."""
    owner, start, store, blob, blob_length, crc, offset, length, seal, checked = row
    if checked != check_of_extent(
        owner, start, store, blob, blob_length, crc, offset, length, seal
    ):
        raise damaged("extents", owner, start)
    ref = BlobRef(store, blob, blob_length, crc & 0xFFFFFFFFFFFFFFFF)
    return Extent(ref, offset, length, seal)


def secret_row(secret: Secret) -> Row:
    """What the table ``secrets`` holds of a secret, in the order of :data:`SECRET`."""
    row = (
        secret.access_id,
        secret.user,
        secret.sealed,
        secret.created,
        secret.expires,
    )
    return (*row, check_of_secret(*row))


def secret_of(row: Row) -> Secret:
    """A secret from the columns :data:`SECRET`."""
    *columns, checked = row
    if checked != check_of_secret(*columns):
        raise damaged("secrets", row[0])
    return Secret(*columns)


def body_row(sequence: int, body: bytes, seal: str) -> Row:
    """What the table ``bodies`` holds of an inline body: its key, and the columns :data:`BODY`."""
    return (sequence, body, seal, check_of_body(sequence, body, seal))


def content_of(
    sequence: int, size: int, body: Row | None, extents: Sequence[Row]
) -> Content:
    """Where so many bytes are.

    :param body: the columns :data:`BODY`; ``None`` when there is no such row.
    :param extents: rows of the columns :data:`EXTENT`, by start.
    :raises Damaged: they are fewer bytes, or more.
    """
    if body is not None:
        data, seal, checked = body
        if checked != check_of_body(sequence, data, seal) or (
            not seal and len(data) != size
        ):
            raise Damaged(f"the bytes of version {sequence} are damaged", "inline")
        return Content(data, (), seal, size) if seal else Content(data)
    content = cut_content_of(sequence, ByteRange(0, size), extents)
    if content.length != size or (extents and _end_of(extents[-1]) != size):
        raise damaged("extents", sequence, content.length, size)
    return content


def cut_content_of(owner: int, wanted: ByteRange, extents: Sequence[Row]) -> Content:
    """Where bytes of a version or part are, from the first of a range on.

    :param extents: rows of the columns :data:`EXTENT`, by start, from the one that holds the first byte on.
    :return: as far as the rows go, cut to the range.
    :raises Damaged: one of them does not begin where the one before ends, or is out of the range.
    """
    found: list[Extent] = []
    at = wanted.offset
    for row in extents:
        extent = extent_of(row)
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
    """What the table ``object_parts`` holds of all parts of an object, in its order."""
    rows: list[Row] = []
    start = 0
    for part in sorted(parts, key=attrgetter("number")):
        row = (sequence, part.number, start, part.size, part.checksum, part.etag)
        rows.append((*row, check_of_object_part(*row)))
        start += part.size
    return rows


def object_parts_of(
    sequence: int, before: Row | None, rows: Iterable[Row]
) -> list[ObjectPart]:
    """Parts from rows of the columns :data:`OBJECT_PART`.

    :param before: the row before them; ``None`` when they are the first. So one that is missing in between is noticed.
    """
    following = 0
    if before is not None:
        part = _object_part_of(sequence, before)
        following = part.start + part.size
    parts = []
    for row in rows:
        part = _object_part_of(sequence, row)
        if part.start != following:
            raise damaged("object_parts", sequence, part.number, part.start, following)
        parts.append(part)
        following += part.size
    return parts


def _object_part_of(sequence: int, row: Row) -> ObjectPart:
    number, start, size, checksum, etag, checked = row
    if checked != check_of_object_part(sequence, number, start, size, checksum, etag):
        raise damaged("object_parts", sequence, number)
    return ObjectPart(number, size, checksum, etag, start)


def part_row(upload: int, owner: int, part: Part) -> Row:
    """What the table ``parts`` holds of a part, in its order."""
    checksums = pack(part.checksums)
    row = (upload, part.number, owner, part.size, part.etag, part.modified, checksums)
    return (*row, check_of_part(*row))


def owner_of(row: Row) -> tuple[int, int]:
    """The owner of a part's extents, and the part's size, from the columns :data:`PART`."""
    *columns, checked = row
    if checked != check_of_part(*columns):
        raise damaged("parts", *columns[:2])
    return columns[2], columns[3]


def part_of(row: Row, extents: Sequence[Row] | None) -> Part:
    """A part from the columns :data:`PART`.

    :param extents: rows of the columns :data:`EXTENT`, by start; ``None`` where they were not asked for.
    """
    owner, size = owner_of(row)
    number, etag, modified, checksums = row[1], *row[4:7]
    content = UNASKED
    if extents is not None:
        content = content_of(owner, size, None, extents)
    return Part(number, size, etag, modified, unpack(checksums), content)
