"""Rows to values and back: the columns as text for statements, and the conversions.

An empty mapping is kept as ``""``, so that the common case costs nothing. A row becomes a value only when it agrees
with its check (:mod:`ozgate.metadata.sqlite.rowchecks`); what is listed is not checked, since it is read from an index.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from ...values import (
    Acl,
    Bucket,
    Checksum,
    ListedObject,
    ListedVersion,
    ObjectVersion,
    Traits,
    Volume,
)
from .rowchecks import (
    check_of_bucket,
    check_of_configuration,
    check_of_version,
    check_of_volume,
    damaged,
)

Row = tuple[Any, ...]

encode = json.JSONEncoder(separators=(",", ":")).encode
# What json.loads does after looking at its options, at half the cost.
scan = json.JSONDecoder().raw_decode

VOLUME = """name, owner, created, number, admin, quota_bytes, quota_names, acls, modified,
    used_bytes, used_names, checked"""

BUCKET = """buckets.volume, buckets.name, buckets.owner, buckets.created, buckets.region,
    buckets.versioning, buckets.source_volume, buckets.source_bucket, buckets.number,
    buckets.quota_bytes, buckets.quota_names, buckets.acls, buckets.modified,
    buckets.used_bytes, buckets.used_names, buckets.layout, buckets.configured, buckets.checked"""

VERSION = """bucket, key, sequence, modified, size, etag, traits, version_id, is_latest,
    is_delete_marker, headers, metadata, tags, checksum_value, parts_count, more, checked"""

CURRENT = "key, modified, size, etag, traits"

LISTED = f"{CURRENT}, version_id, is_latest, is_delete_marker"


def pack(mapping: Mapping[str, str]) -> str:
    """A mapping as compact JSON; ``""`` when it is empty."""
    return _packed(tuple(mapping.items())) if mapping else ""


@lru_cache(256)
def _packed(items: tuple[tuple[str, str], ...]) -> str:
    """Most objects have one of a few content types and nothing else."""
    return encode(dict(items))


def unpack(text: str) -> dict[str, str]:
    """The mapping that :func:`pack` made text of."""
    return scan(text)[0] if text else {}


def pack_acls(acls: Iterable[Acl]) -> str:
    """An access control list as compact JSON; ``""`` when it is empty."""
    entries = [acl.to_json() for acl in acls]
    return encode(entries) if entries else ""


@lru_cache(256)
def unpack_acls(text: str) -> tuple[Acl, ...]:
    """The list that :func:`pack_acls` made text of. Every request looks at one."""
    return tuple(map(Acl.from_json, scan(text)[0])) if text else ()


def pack_kinds(kinds: Iterable[str]) -> str:
    """The kinds of documents as compact JSON, in order; ``""`` when there are none."""
    entries = sorted(kinds)
    return encode(entries) if entries else ""


def unpack_kinds(text: str) -> frozenset[str]:
    """The kinds that :func:`pack_kinds` made text of."""
    return frozenset(scan(text)[0]) if text else frozenset()


@lru_cache(256)
def volume_of(row: Row, more_bytes: int = 0) -> Volume:
    """A volume from the columns :data:`VOLUME`. Kept, as every request looks at one: what differs is checked again.

    :param more_bytes: what the row does not yet count.
    :raises Damaged: it is not what was written, as with all that makes values of rows.
    """
    name, owner, created, number, admin, quota_bytes, quota_names, acls = row[:8]
    modified, used_bytes, used_names, checked = row[8:]
    if checked != check_of_volume(
        number,
        name,
        owner,
        created,
        admin,
        quota_bytes,
        quota_names,
        acls,
        modified,
    ):
        raise damaged("volumes", name)
    if not isinstance(used_bytes, int) or not isinstance(used_names, int):
        raise damaged("volumes", name, "what it uses")
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


@lru_cache(256)
def bucket_of(row: Row, more_bytes: int = 0, more_names: int = 0) -> Bucket:
    """A bucket from the columns :data:`BUCKET`. Kept, as a volume is.

    :param more_bytes: what the row does not yet count.
    :param more_names: what the row does not yet count.
    """
    volume, name, owner, created, region, versioning, source_volume, source = row[:8]
    number, quota_bytes, quota_names, acls, modified, used, names = row[8:15]
    layout, configured, checked = row[15:]
    if checked != check_of_bucket(
        number,
        volume,
        name,
        owner,
        created,
        region,
        versioning,
        source_volume,
        source,
        quota_bytes,
        quota_names,
        acls,
        modified,
        layout,
        configured,
    ):
        raise damaged("buckets", volume, name)
    if not isinstance(used, int) or not isinstance(names, int):
        raise damaged("buckets", volume, name, "what it uses")
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
        unpack_kinds(configured),
    )


def document_row(bucket: int, kind: str, document: bytes) -> Row:
    """What the table ``configurations`` holds of a document, in its order."""
    row = (bucket, kind, document)
    return (*row, check_of_configuration(*row))


def document_of(bucket: int, kind: str, row: Row) -> bytes:
    """A configuration document from the columns ``document, checked``."""
    document, checked = row
    if checked != check_of_configuration(bucket, kind, document):
        raise damaged("configurations", bucket, kind)
    found: bytes = document
    return found


def version_of(row: Row) -> ObjectVersion:
    """A version from the columns :data:`VERSION`."""
    bucket, key, sequence, modified, size, etag, traits, version_id, latest = row[:9]
    marker, headers, metadata, tags, value, parts, more, checked = row[9:]
    if checked != check_of_version(
        bucket,
        key,
        sequence,
        marker,
        modified,
        size,
        etag,
        traits,
        version_id,
        value,
        parts,
        tags,
        headers,
        metadata,
        more,
    ):
        raise damaged("versions", bucket, key, sequence)
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
        scan(headers)[0] if headers else {},
        scan(metadata)[0] if metadata else {},
        scan(tags)[0] if tags else {},
        Checksum(algorithm, type_, value) if algorithm else None,
        parts,
        scan(more)[0] if more else {},
    )


def version_row(bucket: int, version: ObjectVersion) -> Row:
    """What the table ``versions`` holds of a version that is the latest, in its order."""
    checksum = version.checksum
    columns: Row = (
        int(version.is_delete_marker),
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
        pack(version.more),
    )
    place = (bucket, version.key, version.sequence)
    return (*place, 1, *columns, check_of_version(*place, *columns))


def traits_text(version: ObjectVersion) -> str:
    """What listings show of a version that repeats from row to row, as one column."""
    algorithm = type_ = ""
    if version.checksum is not None:
        algorithm, type_ = version.checksum.algorithm, version.checksum.type
    return f"{version.owner}\n{version.storage_class}\n{algorithm}\n{type_}"


@lru_cache(1024)
def traits_of(text: str) -> Traits:
    """The traits that :func:`traits_text` made text of."""
    try:
        return Traits(*text.rsplit("\n", 3))
    except (AttributeError, TypeError):
        raise damaged("versions", "traits") from None


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
