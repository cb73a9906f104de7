"""Volumes and buckets."""

from __future__ import annotations

from ..immutable import frozen
from .access import Acl

__all__ = ["Bucket", "Volume"]


@frozen
class Volume:
    """An Ozone volume: the name space above buckets. S3 shows one of them, ``s3v``.

    :ivar number: the store's own number of the volume; 0 until stored.
    :ivar admin: who made it.
    :ivar quota_bytes: bytes that its buckets may hold together; -1: any number.
    :ivar quota_names: buckets and links that it may hold; -1: any number.
    :ivar modified: when a member last changed. The store sets it.
    :ivar used_bytes: bytes that its real buckets hold. The store counts them.
    :ivar used_names: buckets and links in it. The store counts them.
    """

    name: str
    owner: str
    created: int
    number: int = 0
    admin: str = ""
    quota_bytes: int = -1
    quota_names: int = -1
    acls: tuple[Acl, ...] = ()
    modified: int = 0
    used_bytes: int = 0
    used_names: int = 0


@frozen
class Bucket:
    """A bucket, or a link to one.

    :ivar number: the store's own number of the bucket, never used again for another; 0 until stored.
    :ivar source: for a link, the (volume, bucket) it points at; ``None`` for a real bucket.
    :ivar versioning: ``""`` (never enabled), ``"Enabled"`` or ``"Suspended"``.
    :ivar quota_bytes: bytes that it may hold; -1: any number.
    :ivar quota_names: versions that it may hold; -1: any number.
    :ivar modified: when a member last changed. The store sets it.
    :ivar used_bytes: bytes of all its versions and of uploaded parts, as they were when this was read.
        The store counts them, as it does names.
    :ivar used_names: versions in it, delete markers included.
    :ivar layout: Ozone's name of how keys are kept.
    :ivar configured: the kinds of configuration documents that it has, so that nobody looks for one that it has not. The store
        keeps it.
    """

    volume: str
    name: str
    owner: str
    created: int
    region: str = ""
    versioning: str = ""
    source: tuple[str, str] | None = None
    number: int = 0
    quota_bytes: int = -1
    quota_names: int = -1
    acls: tuple[Acl, ...] = ()
    modified: int = 0
    used_bytes: int = 0
    used_names: int = 0
    layout: str = "OBJECT_STORE"
    configured: frozenset[str] = frozenset()
