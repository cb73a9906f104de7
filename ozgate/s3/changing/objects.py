"""Versions that come, change and go.

The state of a bucket's versioning is asked here and nowhere else: in :func:`_version_id` and :func:`_replaced_by`, for whatever comes, and in
:func:`delete_key`, for what goes. Whether a lock keeps a version is asked in :func:`_drop` and :func:`_add`, through which every version goes that goes.

Source: Amazon S3 User Guide, "How S3 Versioning works", "Working with objects in a versioning-enabled bucket" and
"Working with objects in a versioning-suspended bucket".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from attrs import evolve, field

from ...immutable import frozen
from ...values import NULL_VERSION, Checksum, Claim, Content, ObjectPart, ObjectVersion
from ...wire.headers import Headers
from ..conditions import check_delete, check_write
from ..quotas import check_quota, claim_quota
from .locks import (
    NO_LOCK,
    Bypass,
    Lock,
    check_removal,
    check_retention,
    lock_of,
    new_lock,
    with_lock,
)
from .outbox import note

if TYPE_CHECKING:
    from ...interfaces import IMetadataTransaction
    from ...values import Bucket, Cause, EventName


@frozen
class Draft:
    """What is to become a version, as far as its writer says it: members of :class:`~ozgate.values.ObjectVersion`, and its bytes.

    Order, time and size are given here, when it is put.

    :ivar event: what S3 calls it that a version comes to be so.
    :ivar version_id: the id of its own that it gets where the bucket is versioned, made by :func:`~ozgate.s3.versions.new_version_id`.
    :ivar content: where its bytes are, durable already.
    :ivar parts: the parts of a multipart object.
    :ivar owner: whose it will be; ``""``: the bucket's owner's.
    :ivar lock: what is to protect it; the default of its bucket where it has no retention.
    """

    event: EventName
    key: str
    version_id: str
    content: Content
    etag: str
    storage_class: str
    headers: Mapping[str, str]
    metadata: Mapping[str, str]
    tags: Mapping[str, str]
    checksum: Checksum | None
    parts_count: int = 0
    parts: Sequence[ObjectPart] = ()
    owner: str = ""
    more: Mapping[str, str] = field(factory=dict)
    lock: Lock = NO_LOCK


@frozen
class Doomed:
    """What is to be deleted.

    :ivar version_id: ``None`` for the current object.
    :ivar marker_id: the id of the delete marker, where one is made, as for :class:`Draft`.
    :ivar conditions: the conditions, as the headers of DeleteObject.
    """

    key: str
    version_id: str | None
    marker_id: str
    conditions: Headers = field(factory=lambda: Headers({}))


@frozen
class Deleted:
    """What came of a delete: nothing at all where nothing was there to be removed.

    :ivar removed: the version that was asked to go, and has gone.
    :ivar marker: the delete marker that was made instead.
    """

    removed: ObjectVersion | None = None
    marker: ObjectVersion | None = None


def check_put(
    tx: IMetadataTransaction, bucket: Bucket, key: str, size: int, conditions: Headers
) -> None:
    """Refuse a version early, before its bytes are taken. What is decided here is decided again when it is put.

    :param size: bytes that it would have.
    :param conditions: as for :func:`put_version`.
    :raises QuotaExceeded: the bucket or its volume cannot take it.
    :raises PreconditionFailed: a condition does not hold.
    :raises AccessDenied: a lock keeps what it would replace.
    """
    latest = tx.latest(bucket, key)
    replaced = _replaced_by(tx, bucket, key, latest)
    check_quota(tx, bucket, *_growth(replaced, size))
    check_write(conditions, latest, key)
    if replaced is not None:
        check_removal(tx, replaced, Bypass.NOTHING)


def put_version(
    tx: IMetadataTransaction,
    cause: Cause,
    bucket: Bucket,
    draft: Draft,
    conditions: Headers,
    freed: int = 0,
) -> ObjectVersion:
    """Make a new version of a key, the latest.

    :param bucket: as read in this interaction, as for all functions here.
    :param conditions: ``If-Match`` and ``If-None-Match`` are asked of the key's latest version.
    :param freed: bytes that the bucket's use has counted already, and that go when this version comes.
    :raises PreconditionFailed: a condition does not hold.
    :raises QuotaExceeded: the bucket or its volume cannot take it.
    :raises InvalidRequest: it is to be locked, and the bucket has no object lock.
    :raises AccessDenied: a lock keeps what it would replace.
    """
    tx.claim(Claim.key(bucket.number, draft.key))
    latest = tx.latest(bucket, draft.key)
    check_write(conditions, latest, draft.key)
    lock = new_lock(tx, bucket, draft.lock)
    replaced = _replaced_by(tx, bucket, draft.key, latest)
    size = draft.content.length
    # Before what is replaced has gone, for what is used must be as the bucket says.
    claim_quota(tx, bucket, *_growth(replaced, size - freed))
    version = ObjectVersion(
        key=draft.key,
        sequence=tx.next_sequence(),
        modified=tx.now(),
        size=size,
        etag=draft.etag,
        owner=draft.owner or bucket.owner,
        version_id=_version_id(bucket, draft.version_id),
        storage_class=draft.storage_class,
        headers=draft.headers,
        metadata=draft.metadata,
        tags=draft.tags,
        checksum=draft.checksum,
        parts_count=draft.parts_count,
        more=with_lock(draft.more, lock),
    )
    _add(tx, bucket, replaced, version, draft.content, draft.parts)
    note(tx, cause, bucket, version, draft.event)
    return version


def delete_key(
    tx: IMetadataTransaction,
    cause: Cause,
    bucket: Bucket,
    doomed: Doomed,
    bypass: Bypass,
) -> Deleted:
    """Delete a key, or one version of it, when the conditions hold.

    A key is hidden by a delete marker where its bucket is, or was, versioned, even one that is not there or is hidden already. A version that is
    named goes, whatever it is, unless a lock keeps it.

    :param bypass: what of a lock is passed over.
    :raises AccessDenied: a lock keeps the version that would go.
    :raises QuotaExceeded: a marker is wanted, and the bucket cannot take one more name.
    :raises S3Error: what :func:`~ozgate.s3.conditions.check_delete` raises.
    """
    tx.claim(Claim.key(bucket.number, doomed.key))
    version: ObjectVersion | None
    if doomed.version_id is None:
        version = tx.latest(bucket, doomed.key)
    else:
        version = tx.version(bucket, doomed.key, doomed.version_id)
    check_delete(doomed.conditions, version, doomed.key)
    if doomed.version_id is None and bucket.versioning:
        marker_id = doomed.marker_id
        return Deleted(
            marker=put_delete_marker(tx, cause, bucket, doomed.key, marker_id, version)
        )
    if version is not None:
        remove_version(tx, cause, bucket, version, bypass)
    return Deleted(version)


def put_delete_marker(
    tx: IMetadataTransaction,
    cause: Cause,
    bucket: Bucket,
    key: str,
    marker_id: str,
    latest: ObjectVersion | None,
) -> ObjectVersion:
    """Hide a key of a bucket that is, or was, versioned. While that is suspended, the null version goes.

    :param marker_id: as for :class:`Doomed`.
    :param latest: the key's newest version; the key is claimed.
    :raises QuotaExceeded: the bucket cannot take one more name.
    """
    replaced = _replaced_by(tx, bucket, key, latest)
    claim_quota(tx, bucket, *_growth(replaced, 0))
    marker = ObjectVersion(
        key=key,
        sequence=tx.next_sequence(),
        modified=tx.now(),
        owner=bucket.owner,
        version_id=_version_id(bucket, marker_id),
        is_delete_marker=True,
    )
    _add(tx, bucket, replaced, marker, Content(b""))
    note(tx, cause, bucket, marker, "ObjectRemoved:DeleteMarkerCreated")
    return marker


def remove_version(
    tx: IMetadataTransaction,
    cause: Cause,
    bucket: Bucket,
    version: ObjectVersion,
    bypass: Bypass,
) -> None:
    """Remove a version, or a delete marker, for good; what is next newest of its key is its latest then.

    :param bypass: what of a lock is passed over.
    :raises AccessDenied: a lock keeps it.
    """
    _drop(tx, bucket, version, bypass)
    note(tx, cause, bucket, version, "ObjectRemoved:Delete")


def replace_members(
    tx: IMetadataTransaction,
    cause: Cause,
    bucket: Bucket,
    version: ObjectVersion,
    event: EventName | None,
) -> None:
    """Store a version's changed members, such as its tags; its bytes stay.

    :param event: what S3 calls that; ``None``: it tells nobody.
    """
    tx.replace_version(bucket, version)
    if event is not None:
        note(tx, cause, bucket, version, event)


def replace_lock(
    tx: IMetadataTransaction,
    cause: Cause,
    bucket: Bucket,
    version: ObjectVersion,
    lock: Lock,
    bypass: Bypass,
) -> None:
    """Protect a version otherwise than it is, where that takes nothing from what was promised.

    :param bypass: what of the lock that it has is passed over. A legal hold is lifted without.
    :raises AccessDenied: the lock that it has does not allow it.
    :raises Damaged: that lock cannot be read.
    """
    check_retention(lock_of(version), lock, tx.now(), bypass)
    changed = evolve(version, more=with_lock(version.more, lock))
    replace_members(tx, cause, bucket, changed, None)


def _version_id(bucket: Bucket, own: str) -> str:
    """The id of a version that comes.

    :param own: the one that it gets where the bucket is versioned.
    """
    return own if bucket.versioning == "Enabled" else NULL_VERSION


def _replaced_by(
    tx: IMetadataTransaction, bucket: Bucket, key: str, latest: ObjectVersion | None
) -> ObjectVersion | None:
    """The version that a new one takes the place of: the null version, where the new one is null, too, wherever among the others it is.

    :param latest: the key's newest version.
    """
    if bucket.versioning == "Enabled":
        return None
    if latest is None or latest.version_id == NULL_VERSION:
        return latest
    null: ObjectVersion | None = tx.version(bucket, key, NULL_VERSION)
    return null


def _add(
    tx: IMetadataTransaction,
    bucket: Bucket,
    replaced: ObjectVersion | None,
    version: ObjectVersion,
    content: Content,
    parts: Sequence[ObjectPart] = (),
) -> None:
    """Add a version, in the place of another where it replaces one, which no lock keeps."""
    if replaced is not None:
        check_removal(tx, replaced, Bypass.NOTHING)
    tx.add_version(bucket, version, content, parts, replaced)


def _growth(replaced: ObjectVersion | None, more: int) -> tuple[int, int]:
    """Bytes and names by which a bucket grows with a version.

    :param more: bytes that come, less those that go besides the version replaced.
    """
    return (more, 1) if replaced is None else (more - replaced.size, 0)


def _drop(
    tx: IMetadataTransaction, bucket: Bucket, version: ObjectVersion, bypass: Bypass
) -> None:
    """Let go of a version, where no lock keeps it."""
    check_removal(tx, version, bypass)
    tx.remove_version(bucket, version)
