"""Rows to values and back: the columns as text for statements, and the conversions.

An empty mapping is kept as ``""``, so that the common case costs nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from attrs import asdict

from ..values import (
    Acl,
    BlobRef,
    Bucket,
    Checksum,
    Extent,
    ListedObject,
    ListedVersion,
    ObjectVersion,
    Traits,
    Upload,
    Volume,
)

Row = tuple[Any, ...]

_encode = json.JSONEncoder(separators=(",", ":")).encode
# What json.loads does after looking at its options, at half the cost.
_scan = json.JSONDecoder().raw_decode

VOLUME = """name, owner, created, number, admin, quota_bytes, quota_names, acls, modified,
    used_bytes, used_names"""

BUCKET = """buckets.volume, buckets.name, buckets.owner, buckets.created, buckets.region,
    buckets.versioning, buckets.source_volume, buckets.source_bucket, buckets.number,
    buckets.quota_bytes, buckets.quota_names, buckets.acls, buckets.modified,
    buckets.used_bytes, buckets.used_names, buckets.layout"""

VERSION = """key, sequence, modified, size, etag, traits, version_id, is_latest,
    is_delete_marker, headers, metadata, tags, checksum_value, parts_count"""

CURRENT = "key, modified, size, etag, traits"

LISTED = f"{CURRENT}, version_id, is_latest, is_delete_marker"

UPLOAD = """uploads.key, uploads.upload_id, uploads.initiated, uploads.owner,
    uploads.storage_class, uploads.headers, uploads.metadata, uploads.tags,
    uploads.checksum_algorithm, uploads.checksum_type, uploads.completed,
    uploads.completed_parts"""

EXTENT = """extents.store, extents.blob, extents.blob_length, extents.blob_crc64nvme,
    extents.offset, extents.length"""


def pack(mapping: Mapping[str, str]) -> str:
    """A mapping as compact JSON; ``""`` when it is empty."""
    return _packed(tuple(mapping.items())) if mapping else ""


@lru_cache(256)
def _packed(items: tuple[tuple[str, str], ...]) -> str:
    """Most objects have one of a few content types and nothing else."""
    return _encode(dict(items))


def unpack(text: str) -> dict[str, str]:
    """The mapping that :func:`pack` made text of."""
    return _scan(text)[0] if text else {}


def pack_acls(acls: Iterable[Acl]) -> str:
    """An access control list as compact JSON; ``""`` when it is empty."""
    entries = [acl.to_json() for acl in acls]
    return _encode(entries) if entries else ""


@lru_cache(256)
def unpack_acls(text: str) -> tuple[Acl, ...]:
    """The list that :func:`pack_acls` made text of. Every request looks at one."""
    return tuple(map(Acl.from_json, _scan(text)[0])) if text else ()


def volume_of(row: Row, more_bytes: int = 0) -> Volume:
    """A volume from the columns :data:`VOLUME`.

    :param more_bytes: what the row does not yet count.
    """
    name, owner, created, number, admin, quota_bytes, quota_names, acls = row[:8]
    modified, used_bytes, used_names = row[8:]
    return Volume(
        name,
        owner,
        created,
        number,
        admin,
        quota_bytes,
        quota_names,
        unpack_acls(acls),
        modified,
        used_bytes + more_bytes,
        used_names,
    )


def bucket_of(row: Row, more_bytes: int = 0, more_names: int = 0) -> Bucket:
    """A bucket from the columns :data:`BUCKET`.

    :param more_bytes: what the row does not yet count.
    :param more_names: what the row does not yet count.
    """
    volume, name, owner, created, region, versioning, source_volume, source = row[:8]
    number, quota_bytes, quota_names, acls, modified, used, names, layout = row[8:]
    return Bucket(
        volume,
        name,
        owner,
        created,
        region,
        versioning,
        None if source_volume is None else (source_volume, source),
        number,
        quota_bytes,
        quota_names,
        unpack_acls(acls) if acls else (),
        modified,
        used + more_bytes,
        names + more_names,
        layout,
    )


def version_of(row: Row) -> ObjectVersion:
    """A version from the columns :data:`VERSION`."""
    key, sequence, modified, size, etag, traits, version_id, latest, marker = row[:9]
    headers, metadata, tags, value, parts = row[9:]
    owner, storage_class, algorithm, type_ = traits_of(traits)
    return ObjectVersion(
        key,
        sequence,
        modified,
        size,
        etag,
        owner,
        version_id,
        latest == 1,
        marker == 1,
        storage_class,
        _scan(headers)[0] if headers else {},
        _scan(metadata)[0] if metadata else {},
        _scan(tags)[0] if tags else {},
        Checksum(algorithm, type_, value) if algorithm else None,
        parts,
    )


def version_row(bucket: int, version: ObjectVersion) -> Row:
    """What the table ``versions`` holds of a version that is the latest, in its order."""
    checksum = version.checksum
    return (
        bucket,
        version.key,
        version.sequence,
        1,
        version.is_delete_marker,
        version.modified,
        version.size,
        version.etag,
        traits_text(version),
        version.version_id,
        checksum.value if checksum else "",
        version.parts_count,
        pack(version.tags),
        pack(version.headers),
        pack(version.metadata),
    )


def traits_text(version: ObjectVersion) -> str:
    """What listings show of a version that repeats from row to row, as one column."""
    algorithm = type_ = ""
    if version.checksum is not None:
        algorithm, type_ = version.checksum.algorithm, version.checksum.type
    return f"{version.owner}\n{version.storage_class}\n{algorithm}\n{type_}"


@lru_cache(1024)
def traits_of(text: str) -> Traits:
    """The traits that :func:`traits_text` made text of."""
    return Traits(*text.rsplit("\n", 3))


def current_of(rows: Iterable[Row]) -> tuple[ListedObject, ...]:
    """Listed objects from the columns :data:`CURRENT`."""
    # What ``ListedObject(*row)`` does, in a third of the time: a page has a thousand.
    new = tuple.__new__
    return tuple(
        [
            new(ListedObject, (key, modified, size, etag, traits_of(traits)))
            for key, modified, size, etag, traits in rows
        ]
    )


def listed_of(rows: Iterable[Row]) -> tuple[ListedVersion, ...]:
    """Listed versions from the columns :data:`LISTED`."""
    return tuple(
        [
            ListedVersion(
                key,
                modified,
                size,
                etag,
                traits_of(traits),
                version_id,
                latest == 1,
                marker == 1,
            )
            for key, modified, size, etag, traits, version_id, latest, marker in rows
        ]
    )


def upload_of(row: Row) -> Upload:
    """An upload from the columns :data:`UPLOAD`."""
    key, upload_id, initiated, owner, storage_class, headers, metadata, tags = row[:8]
    algorithm, type_, completed, completed_parts = row[8:]
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
    )


def completed_text(version: ObjectVersion | None) -> str:
    """A version as JSON, for an upload that became it."""
    return "" if version is None else _encode(asdict(version))


def _completed_of(text: str) -> ObjectVersion | None:
    if not text:
        return None
    members = _scan(text)[0]
    if members["checksum"] is not None:
        members["checksum"] = Checksum(**members["checksum"])
    return ObjectVersion(**members)


def extent_row(owner: int, ordinal: int, extent: Extent) -> Row:
    """What the table ``extents`` holds of an extent, in its order."""
    blob = extent.blob
    crc = blob.crc64nvme
    # SQLite's integers are signed.
    signed = crc - (1 << 64) if crc >> 63 else crc
    return (
        owner,
        ordinal,
        blob.store,
        blob.id,
        blob.length,
        signed,
        extent.offset,
        extent.length,
    )


def extent_of(row: Row) -> Extent:
    """An extent from the columns :data:`EXTENT`."""
    store, blob, blob_length, crc, offset, length = row
    return Extent(
        BlobRef(store, blob, blob_length, crc & 0xFFFFFFFFFFFFFFFF), offset, length
    )
