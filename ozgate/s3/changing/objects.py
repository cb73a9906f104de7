"""Versions that come, change and go.

Where the state of a bucket's versioning will be asked: in :func:`_replaced_by`, for writes, and in :func:`delete_key`. Where a
lock will be asked: in :func:`_drop`, through which every version goes that goes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from attrs import field

from ...immutable import frozen
from ...values import NULL_VERSION, Checksum, Claim, Content, ObjectPart, ObjectVersion
from ...wire.headers import Headers
from ..conditions import check_delete, check_write
from ..quotas import check_quota, claim_quota
from .outbox import note

if TYPE_CHECKING:
    from ...interfaces import IMetadataTransaction
    from ...values import Bucket, Cause, EventName


@frozen
class Draft:
    """What is to become a version, as far as its writer says it: members of :class:`~ozgate.values.ObjectVersion`, and its bytes.

    Order, time, owner, size and version id are given here, when it is put.

    :ivar event: what S3 calls it that a version comes to be so.
    :ivar content: where its bytes are, durable already.
    :ivar parts: the parts of a multipart object.
    """

    event: EventName
    key: str
    content: Content
    etag: str
    storage_class: str
    headers: Mapping[str, str]
    metadata: Mapping[str, str]
    tags: Mapping[str, str]
    checksum: Checksum | None
    parts_count: int = 0
    parts: Sequence[ObjectPart] = ()


@frozen
class Doomed:
    """What is to be deleted.

    :ivar version_id: ``None`` for the current object.
    :ivar conditions: the conditions, as the headers of DeleteObject.
    """

    key: str
    version_id: str | None
    conditions: Headers = field(factory=lambda: Headers({}))


def check_put(
    tx: IMetadataTransaction, bucket: Bucket, key: str, size: int, conditions: Headers
) -> None:
    """Refuse a version early, before its bytes are taken. What is decided here is decided again when it is put.

    :param size: bytes that it would have.
    :param conditions: as for :func:`put_version`.
    :raises QuotaExceeded: the bucket or its volume cannot take it.
    :raises PreconditionFailed: a condition does not hold.
    """
    latest = tx.latest(bucket, key)
    check_quota(tx, bucket, *_growth(_replaced_by(tx, bucket, key, latest), size))
    check_write(conditions, latest, key)


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
    """
    tx.claim(Claim.key(bucket.number, draft.key))
    latest = tx.latest(bucket, draft.key)
    check_write(conditions, latest, draft.key)
    replaced = _replaced_by(tx, bucket, draft.key, latest)
    size = draft.content.length
    # Before what is replaced has gone, for what is used must be as the bucket says.
    claim_quota(tx, bucket, *_growth(replaced, size - freed))
    if replaced is not None:
        _drop(tx, bucket, replaced)
    version = ObjectVersion(
        key=draft.key,
        sequence=tx.next_sequence(),
        modified=tx.now(),
        size=size,
        etag=draft.etag,
        owner=bucket.owner,
        storage_class=draft.storage_class,
        headers=draft.headers,
        metadata=draft.metadata,
        tags=draft.tags,
        checksum=draft.checksum,
        parts_count=draft.parts_count,
    )
    tx.add_version(bucket, version, draft.content, draft.parts)
    note(tx, cause, bucket, version, draft.event)
    return version


def delete_key(
    tx: IMetadataTransaction, cause: Cause, bucket: Bucket, doomed: Doomed
) -> ObjectVersion | None:
    """Delete a key, or one version of it, when the conditions hold; gives what was removed.

    :raises S3Error: what :func:`~ozgate.s3.conditions.check_delete` raises.
    """
    tx.claim(Claim.key(bucket.number, doomed.key))
    version: ObjectVersion | None
    if doomed.version_id is None:
        version = tx.latest(bucket, doomed.key)
    else:
        version = tx.version(bucket, doomed.key, doomed.version_id)
    check_delete(doomed.conditions, version, doomed.key)
    if version is not None:
        remove_version(tx, cause, bucket, version)
    return version


def remove_version(
    tx: IMetadataTransaction, cause: Cause, bucket: Bucket, version: ObjectVersion
) -> None:
    """Remove a version, whatever it is."""
    _drop(tx, bucket, version)
    note(tx, cause, bucket, version, "ObjectRemoved:Delete")


def replace_members(
    tx: IMetadataTransaction,
    cause: Cause,
    bucket: Bucket,
    version: ObjectVersion,
    event: EventName,
) -> None:
    """Store a version's changed members, such as its tags; its bytes stay.

    :param event: what S3 calls that.
    """
    tx.replace_version(bucket, version)
    note(tx, cause, bucket, version, event)


def _replaced_by(
    tx: IMetadataTransaction, bucket: Bucket, key: str, latest: ObjectVersion | None
) -> ObjectVersion | None:
    """The version that a new one takes the place of: the null version, for no bucket is versioned.

    :param latest: the key's newest version.
    """
    if latest is None or latest.version_id == NULL_VERSION:
        return latest
    null: ObjectVersion | None = tx.version(bucket, key, NULL_VERSION)
    return null


def _growth(replaced: ObjectVersion | None, more: int) -> tuple[int, int]:
    """Bytes and names by which a bucket grows with a version.

    :param more: bytes that come, less those that go besides the version replaced.
    """
    return (more, 1) if replaced is None else (more - replaced.size, 0)


def _drop(tx: IMetadataTransaction, bucket: Bucket, version: ObjectVersion) -> None:
    """Let go of a version: it is deleted, or another takes its place."""
    tx.remove_version(bucket, version)
