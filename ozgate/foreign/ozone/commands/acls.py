"""Access control lists of volumes, buckets and keys of a cluster."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .session import Session

_SECURITY = "org.apache.hadoop.ozone.security.acl"


def get_acl(
    session: Session,
    volume: str,
    bucket: str | None = None,
    source: bool = False,
    key: str | None = None,
) -> list[Any]:
    """The list of a volume, of a bucket or link in it, or of a key.

    :param source: of what a link leads to.
    """
    if source and bucket is not None:
        real = session.bucket(volume, bucket)
        while real.isLink():
            real = session.bucket(real.getSourceVolume(), real.getSourceBucket())
        volume, bucket = str(real.getVolumeName()), str(real.getName())
    found = session.store.getAcl(_named(session, volume, bucket, key))
    return [session.shown(each) for each in found]


def add_acl(
    session: Session,
    volume: str,
    acls: list[str],
    bucket: str | None = None,
    key: str | None = None,
) -> list[Any]:
    """Add entries, or rights to entries that are there.

    :return: of each entry, whether it made a difference.
    """
    named = _named(session, volume, bucket, key)
    return _each(session, session.store.addAcl, named, acls)


def remove_acl(
    session: Session,
    volume: str,
    acls: list[str],
    bucket: str | None = None,
    key: str | None = None,
) -> list[Any]:
    """Remove rights; see :func:`add_acl`."""
    named = _named(session, volume, bucket, key)
    return _each(session, session.store.removeAcl, named, acls)


def set_acl(
    session: Session,
    volume: str,
    acls: list[str],
    bucket: str | None = None,
    key: str | None = None,
) -> list[Any]:
    """Replace the whole list."""
    entries = _parsed(session, acls)
    made = session.java("java.util.ArrayList")()
    for each in entries:
        made.add(each)
    changed = session.store.setAcl(_named(session, volume, bucket, key), made)
    return [{"acl": str(each), "changed": bool(changed)} for each in entries]


def _each(session: Session, change: Any, named: Any, acls: Sequence[str]) -> list[Any]:
    return [
        {"acl": str(each), "changed": bool(change(named, each))}
        for each in _parsed(session, acls)
    ]


def _parsed(session: Session, acls: Sequence[str]) -> list[Any]:
    parse = session.java("org.apache.hadoop.ozone.OzoneAcl").parseAcl
    return [parse(each) for each in acls]


def _named(session: Session, volume: str, bucket: str | None, key: str | None) -> Any:
    """What has a list, as Ozone names it."""
    types = session.java(f"{_SECURITY}.OzoneObj$ResourceType")
    stores = session.java(f"{_SECURITY}.OzoneObj$StoreType")
    made = session.java(f"{_SECURITY}.OzoneObjInfo$Builder").newBuilder()
    made.setStoreType(stores.OZONE).setVolumeName(volume)
    if bucket is None:
        return made.setResType(types.VOLUME).build()
    made.setBucketName(bucket)
    if key is None:
        return made.setResType(types.BUCKET).build()
    return made.setKeyName(key).setResType(types.KEY).build()
