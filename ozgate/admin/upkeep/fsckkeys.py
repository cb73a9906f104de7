"""The steps of fsck that walk keys: versions and uploads, held against their bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial

from ...content.outlet import begin_read
from ...errors import Absent, AccessDenied, Damaged, StoreError
from ...immutable import frozen
from ...interfaces import IMetadataStore, IMetadataTransaction
from ...s3.changing import Bypass, drop_upload, remove_version
from ...secondlook import claimed
from ...values import (
    BlobRef,
    Bucket,
    Cause,
    Claim,
    Content,
    Extent,
    ObjectPart,
    ObjectVersion,
)
from .findings import Check, key_name, next_bucket

VERSIONS_AT_ONCE = 100
PARTS_AT_ONCE = 500
EXTENTS_AT_ONCE = 5000
"""Extents above which a page ends: a version may have 10,000."""


_KEPT = "it stays, for a lock keeps it, or may do so: bring it back from a backup"


@frozen
class Place:
    """Where a walk is.

    :ivar version: of a version the id, of an upload its id; what comes after it comes next.
    :ivar part: the last part that is done.
    """

    volume: str = ""
    bucket: str = ""
    key: str = ""
    version: str = ""
    part: int = 0


@frozen
class Entry:
    """A version or part, with where its bytes are.

    :ivar wrong: what is wrong with it, as far as its rows tell.
    :ivar sequence: that of a version, so that it is known again.
    :ivar is_end: whether it only says that nothing more could be looked at.
    """

    key: str
    version: str = ""
    part: int = 0
    extents: tuple[Extent, ...] = ()
    wrong: str = ""
    sequence: int = 0
    is_end: bool = False


@frozen
class Stretch:
    """What a page holds.

    :ivar following: where the next one begins; ``None`` when there is none.
    """

    entries: Sequence[Entry] = ()
    following: Place | None = None


Wrong = Mapping[tuple[str, str], str]
"""What is wrong with blobs, by store and id."""

Walk = Callable[[IMetadataTransaction, Place], Stretch]
Remove = Callable[[IMetadataTransaction, Place, Entry, Cause], str]
"""Says what was done; ``""`` where what was found is another by now."""


async def check_versions(check: Check, place: Place) -> tuple[Place | None, int]:
    """Check a page of versions; returns where the next one begins, and how many there were."""
    return await _check(check, place, walk_versions, "bytes", _remove_version)


async def check_uploads(check: Check, place: Place) -> tuple[Place | None, int]:
    """Check some parts of an upload, likewise."""
    return await _check(check, place, walk_uploads, "part", _remove_upload)


async def _check(
    check: Check, place: Place, walk: Walk, kind: str, remove: Remove
) -> tuple[Place | None, int]:
    gateway = check.gateway
    # What is named now stays until it was looked at, whoever deletes its key.
    token = begin_read(gateway)
    try:
        stretch = await _stretch(gateway.metadata, walk, place)
        wrong = await _inspect(check, stretch.entries)
    finally:
        gateway.readers.leave(token)
    for entry in stretch.entries:
        said = _said(entry, gateway.blobs.names, wrong)
        if not said:
            continue
        if entry.is_end:
            where = f"/{place.volume}/{place.bucket}" if place.bucket else "metadata"
            check.add(kind, where, said, "--remove-damaged mends the row that it is")
            continue
        name = key_name(place.volume, place.bucket, entry.key, entry.version)
        repair = "--remove-damaged removes this version of the key"
        if kind == "part":
            name = f"/{place.volume}/{place.bucket}/{entry.key} (part {entry.part} of upload {entry.version})"
            repair = "--remove-damaged aborts the upload"
        done = ""
        if check.remove and not await _is_for_good(check, entry):
            repair = "it stays, for it may be well, and only out of reach"
        elif check.remove:
            done = await check.write(remove, place, entry, Cause(check.user))
            if done == _KEPT:
                repair, done = done, ""
        check.add(kind, name, said, repair, done)
    return stretch.following, len(stretch.entries)


async def _stretch(metadata: IMetadataStore, walk: Walk, place: Place) -> Stretch:
    """A page; where names are no text any more, one that says so, and goes on with the next bucket that can be told."""
    try:
        return await metadata.read(walk, place)
    except Damaged as error:
        wrong = f"nothing after it in its bucket is looked at: {error}"
    try:
        following = await metadata.read(_next, place)
    except Damaged as error:
        following, wrong = None, f"no bucket after it is looked at: {error}"
    return Stretch([_end_of_walk(place, wrong)], following)


def _end_of_walk(place: Place, wrong: str) -> Entry:
    return Entry(place.key, place.version, wrong=wrong, is_end=True)


async def _inspect(check: Check, entries: Iterable[Entry]) -> Wrong:
    blobs = (extent.blob for entry in entries for extent in entry.extents)
    return await check.gateway.blobs.inspect(blobs)


async def _is_for_good(check: Check, entry: Entry) -> bool:
    """Whether bytes are gone or damaged: a disk that fails now may read them later."""
    if entry.wrong:
        return True
    blobs = check.gateway.blobs
    if any(extent.blob.store not in blobs.names for extent in entry.extents):
        return False
    wrong = await _inspect(check, [entry])
    for store, blob_id in wrong:
        try:
            await blobs.named(store).verify(blob_id)
        except (Absent, Damaged):
            pass
        except StoreError:
            return False
    return bool(_said(entry, blobs.names, wrong))


def _said(entry: Entry, stores: Sequence[str], wrong: Wrong) -> str:
    """What is wrong with an entry; ``""`` when nothing is."""
    lines = [entry.wrong] if entry.wrong else []
    seen: set[BlobRef] = set()
    for extent in entry.extents:
        blob = extent.blob
        if extent.offset + extent.length > blob.length:
            lines.append(f"it has bytes behind the end of blob {blob.id}")
        if blob in seen:
            continue
        seen.add(blob)
        if blob.store not in stores:
            lines.append(
                f"blob {blob.id} is in the blob store {blob.store!r}, which is not configured"
            )
        elif (blob.store, blob.id) in wrong:
            lines.append(f"blob {blob.id}: {wrong[blob.store, blob.id]}")
    return "; ".join(lines)


def walk_versions(tx: IMetadataTransaction, place: Place) -> Stretch:
    """A page of versions with their contents; an interaction. Delete markers have none."""
    bucket = _bucket(tx, place)
    if bucket is None:
        return Stretch(following=_next(tx, place))
    try:
        page = tx.version_page(
            bucket, "", place.key, place.version, "", VERSIONS_AT_ONCE
        )
    except Damaged as error:
        # The step that checks rows names them; what comes after cannot be found by walking.
        wrong = _end_of_walk(place, f"no key after it: {error}")
        return Stretch([wrong], _next(tx, place))
    entries: list[Entry] = []
    count = 0
    for item in page.items:
        entry = _version_entry(tx, bucket, item.key, item.version_id)
        entries.append(entry)
        count += len(entry.extents)
        if count > EXTENTS_AT_ONCE:
            following = Place(bucket.volume, bucket.name, item.key, item.version_id)
            return Stretch(entries, following)
    if page.next_key is None:
        return Stretch(entries, _next(tx, place))
    last = Place(bucket.volume, bucket.name, page.next_key, page.next_version_id)
    return Stretch(entries, last)


def _version_entry(
    tx: IMetadataTransaction, bucket: Bucket, key: str, version_id: str
) -> Entry:
    version = None
    try:
        version = tx.version(bucket, key, version_id)
        if version is None:
            return Entry(key, version_id, wrong="its row is not found by its id")
        if version.is_delete_marker:
            return Entry(key, version_id)
        content = tx.content(bucket, version)
        wrong = ""
        if content.length != version.size:
            wrong = f"it has {content.length} bytes, not the {version.size} that its row says"
        wrong = wrong or _wrong_parts(tx, bucket, version)
    except (Absent, Damaged) as error:
        sequence = version.sequence if version is not None else 0
        wrong = f"it cannot be read: {error}"
        return Entry(key, version_id, wrong=wrong, sequence=sequence)
    return Entry(key, version_id, 0, content.extents, wrong, version.sequence)


def _wrong_parts(
    tx: IMetadataTransaction, bucket: Bucket, version: ObjectVersion
) -> str:
    """Hold the parts of a completed upload against the object."""
    if not version.parts_count:
        return ""
    count = size = after = 0
    page: Sequence[ObjectPart]
    while page := tx.object_parts(bucket, version, after, 1000):
        count += len(page)
        size += sum(part.size for part in page)
        after = page[-1].number
    if (count, size) != (version.parts_count, version.size):
        return f"its {count} parts have {size} bytes, not {version.parts_count} parts and {version.size} bytes"
    return ""


def walk_uploads(tx: IMetadataTransaction, place: Place) -> Stretch:
    """Some parts of the next open upload; an interaction."""
    bucket = _bucket(tx, place)
    if bucket is None:
        return Stretch(following=_next(tx, place))
    try:
        if place.part:
            upload = tx.upload(bucket, place.key, place.version)
        else:
            page = tx.upload_page(bucket, "", place.key, place.version, "", 1)
            upload = page.items[0] if page.items else None
    except Damaged as error:
        wrong = _end_of_walk(place, f"no upload after it: {error}")
        return Stretch([wrong], _next(tx, place))
    if upload is None:
        if place.part:  # it ended meanwhile
            return Stretch(following=_at(bucket, place.key, place.version))
        return Stretch(following=_next(tx, place))
    key, upload_id = upload.key, upload.upload_id
    try:
        parts = tx.parts(bucket, upload, place.part, PARTS_AT_ONCE)
    except Damaged as error:
        wrong = Entry(key, upload_id, place.part, wrong=f"it cannot be read: {error}")
        return Stretch([wrong], _at(bucket, key, upload_id))
    entries = []
    for part in parts:
        length = part.content.length
        said = (
            ""
            if length == part.size
            else f"it has {length} bytes, not the {part.size} that its row says"
        )
        entries.append(Entry(key, upload_id, part.number, part.content.extents, said))
    done = parts[-1].number if len(parts) == PARTS_AT_ONCE else 0
    return Stretch(entries, _at(bucket, key, upload_id, done))


def _bucket(tx: IMetadataTransaction, place: Place) -> Bucket | None:
    """The bucket of a place, unless its row is damaged or gone."""
    if not place.bucket:
        return None
    try:
        return tx.bucket(place.volume, place.bucket)
    except Damaged:
        return None


def _at(bucket: Bucket, key: str, upload_id: str, part: int = 0) -> Place:
    return Place(bucket.volume, bucket.name, key, upload_id, part)


def _next(tx: IMetadataTransaction, place: Place) -> Place | None:
    found = next_bucket(tx, place.volume, place.bucket)
    return None if found is None else Place(*found)


def _claimed(
    tx: IMetadataTransaction,
    place: Place,
    claim: Callable[[int, str], Claim],
    name: str,
) -> Bucket | None:
    """The bucket of a place, where a key or upload in it is claimed; likewise."""

    def claims(found: Bucket | None) -> tuple[Claim, ...]:
        if found is None:
            return ()
        return *Claim.inside(found), claim(found.number, name)

    return claimed(tx, partial(_bucket, tx, place), claims)


def _remove_version(
    tx: IMetadataTransaction, place: Place, entry: Entry, cause: Cause
) -> str:
    """Remove a version that is still the one, where no lock keeps it; an interaction."""
    bucket = _claimed(tx, place, Claim.key, entry.key)
    if bucket is None or not entry.sequence:
        return ""
    found = tx.version(bucket, entry.key, entry.version)
    if found is None or found.sequence != entry.sequence:
        return ""
    try:
        remove_version(tx, cause, bucket, found, Bypass.NOTHING)
    except (AccessDenied, Damaged):
        # Before anything of it was changed.
        return _KEPT
    return "removed"


def _remove_upload(
    tx: IMetadataTransaction, place: Place, entry: Entry, cause: Cause
) -> str:
    """Abort an upload whose part is still the one; an interaction."""
    bucket = _claimed(tx, place, Claim.upload, entry.version)
    found = None if bucket is None else tx.upload(bucket, entry.key, entry.version)
    if bucket is None or found is None or found.completed is not None:
        return ""
    with suppress(Damaged):
        # Of what could not be read, what comes after the last part that could.
        after = entry.part - bool(entry.extents)
        parts = tx.parts(bucket, found, after, PARTS_AT_ONCE)
        contents = {part.number: part.content for part in parts}
        if contents.get(entry.part) != Content(None, entry.extents):
            return ""
    drop_upload(tx, bucket, found)
    return "the upload is aborted"
