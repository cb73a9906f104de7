"""Buckets and links of a cluster, as ``ozone sh bucket`` has them."""

from __future__ import annotations

from functools import partial
from itertools import islice
from typing import Any

from ....errors import Refused
from .replication import default_replication
from .session import Session
from .volumes import set_quotas

REMOVED_AT_ONCE = 1000
"""Keys that one call removes of a bucket that goes with all that is in it."""

_OF_A_LINK = (
    "volumeName",
    "name",
    "sourceVolume",
    "sourceBucket",
    "creationTime",
    "modificationTime",
    "owner",
    "link",
)
"""What Ozone's shell shows of a link."""


def create_bucket(
    session: Session,
    volume: str,
    bucket: str,
    user: str | None = None,
    space_quota: int | None = None,
    namespace_quota: int | None = None,
    layout: str | None = None,
    replication_type: str | None = None,
    replication: str | None = None,
    bucketkey: str | None = None,
    enforcegdpr: bool = False,
) -> Any:
    """Make a bucket.

    :param user: its owner; whoever asks when ``None``.
    :param layout: Ozone's name of one; ``None``: the cluster's default.
    :param replication_type: of how keys are kept, such as ``RATIS``; with ``replication``, how many times, such as ``THREE``.
    :param bucketkey: the name of the key by which it is encrypted.
    """
    java = session.java
    made = _arguments(session).setOwner(user or session.user)
    if layout is not None:
        layouts = java("org.apache.hadoop.ozone.om.helpers.BucketLayout")
        made.setBucketLayout(layouts.valueOf(layout))
    if enforcegdpr:
        made.addMetadata("gdprEnabled", "true")
    if bucketkey:
        made.setBucketEncryptionKey(bucketkey)
    if (
        kept := default_replication(session, replication_type, replication)
    ) is not None:
        made.setDefaultReplicationConfig(kept)
    if space_quota is not None:
        made.setQuotaInBytes(space_quota)
    if namespace_quota is not None:
        made.setQuotaInNamespace(namespace_quota)
    return _made(session, volume, bucket, made)


def link_bucket(
    session: Session, source_volume: str, source_bucket: str, volume: str, bucket: str
) -> Any:
    """Make a link. What it points at need not exist."""
    made = _arguments(session)
    made.setSourceVolume(source_volume).setSourceBucket(source_bucket)
    return _made(session, volume, bucket, made)


def _arguments(session: Session) -> Any:
    storage = session.java("org.apache.hadoop.hdds.protocol.StorageType")
    made = session.java("org.apache.hadoop.ozone.client.BucketArgs").newBuilder()
    return made.setStorageType(storage.DEFAULT).setVersioning(False)


def _made(session: Session, volume: str, bucket: str, arguments: Any) -> Any:
    found = session.volume(volume)
    found.createBucket(bucket, arguments.build())
    return session.shown_made(partial(found.getBucket, bucket))


def info_bucket(session: Session, volume: str, bucket: str) -> Any:
    """Show a bucket or a link."""
    return _as_shown(session, session.bucket(volume, bucket))


def _as_shown(session: Session, bucket: Any) -> Any:
    """A bucket, or of a link what it is and points at."""
    shown = session.shown(bucket)
    if not bucket.isLink():
        return shown
    return {name: shown[name] for name in _OF_A_LINK}


def list_buckets(
    session: Session,
    volume: str,
    prefix: str = "",
    start: str = "",
    limit: int = 100,
    user: str | None = None,
    has_snapshot: bool = False,
) -> list[Any]:
    """A page of the buckets and links of a volume, by name.

    :param user: those of this owner alone; Ozone's own shell has no such choice.
    """
    found = session.volume(volume).listBuckets(prefix, start, has_snapshot)
    wanted = (each for each in found if user is None or str(each.getOwner()) == user)
    return [_as_shown(session, each) for each in islice(wanted, limit)]


def update_bucket(session: Session, volume: str, bucket: str, user: str) -> Any:
    """Give a bucket or link another owner."""
    session.bucket(volume, bucket).setOwner(user)
    return session.shown(session.bucket(volume, bucket))


def set_bucket_quota(
    session: Session,
    volume: str,
    bucket: str,
    space_quota: int | None = None,
    namespace_quota: int | None = None,
) -> None:
    """Set a bucket's quotas; ``None`` leaves one as it is, -1 removes it."""
    set_quotas(session, session.bucket(volume, bucket), space_quota, namespace_quota)


def delete_bucket(
    session: Session, volume: str, bucket: str, recursive: bool = False
) -> dict[str, bool]:
    """Remove a link, or an empty bucket.

    :param recursive: remove what is in it first. One call removes only so much: whoever asks goes on asking until ``deleted`` is true.
    """
    owner = session.volume(volume)
    if recursive:
        found = owner.getBucket(bucket)
        if not found.isLink() and not _is_emptied(session, found):
            return {"deleted": False}
    owner.deleteBucket(bucket)
    return {"deleted": True}


def _is_emptied(session: Session, bucket: Any) -> bool:
    """Remove the first keys of a bucket; whether that were all."""
    if str(bucket.getBucketLayout()) == "FILE_SYSTEM_OPTIMIZED":
        return _is_tree_emptied(session, bucket)
    keys = session.java("java.util.ArrayList")()
    for each in islice(bucket.listKeys(None), REMOVED_AT_ONCE):
        keys.add(each.getName())
    if keys.isEmpty():
        return True
    failed = bucket.deleteKeys(keys, True)
    for key in failed:
        error = failed.get(key)
        if str(error.getCode()) != "KEY_NOT_FOUND":
            raise Refused(str(error.getCode()), str(error.getMessage()))
    return len(keys) < REMOVED_AT_ONCE


def _is_tree_emptied(session: Session, bucket: Any) -> bool:
    """As a file system removes a folder: what is below goes with it."""
    found = list(bucket.listStatus("", False, "", REMOVED_AT_ONCE))
    protocol = session.store.getClientProxy()
    for each in found:
        key = each.getKeyInfo().getKeyName()
        protocol.deleteKey(bucket.getVolumeName(), bucket.getName(), key, True)
    return len(found) < REMOVED_AT_ONCE
