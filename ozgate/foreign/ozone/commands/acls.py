"""Access control lists of volumes and buckets of a cluster."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .session import Session

_SECURITY = "org.apache.hadoop.ozone.security.acl"


def get_acl(
    session: Session, volume: str, bucket: str | None = None, source: bool = False
) -> list[Any]:
    """The list of a volume, or of a bucket or link in it.

    :param source: of what a link leads to.
    """
    if source and bucket is not None:
        real = session.bucket(volume, bucket)
        while real.isLink():
            real = session.bucket(real.getSourceVolume(), real.getSourceBucket())
        volume, bucket = str(real.getVolumeName()), str(real.getName())
    found = session.store.getAcl(_named(session, volume, bucket))
    return [session.shown(each) for each in found]


def add_acl(
    session: Session, volume: str, acls: list[str], bucket: str | None = None
) -> list[Any]:
    """Add entries, or rights to entries that are there.

    :return: of each entry, whether it made a difference.
    """
    return _each(session, session.store.addAcl, volume, bucket, acls)


def remove_acl(
    session: Session, volume: str, acls: list[str], bucket: str | None = None
) -> list[Any]:
    """Remove rights; see :func:`add_acl`."""
    return _each(session, session.store.removeAcl, volume, bucket, acls)


def set_acl(
    session: Session, volume: str, acls: list[str], bucket: str | None = None
) -> list[Any]:
    """Replace the whole list."""
    entries = _parsed(session, acls)
    made = session.java("java.util.ArrayList")()
    for each in entries:
        made.add(each)
    changed = session.store.setAcl(_named(session, volume, bucket), made)
    return [{"acl": str(each), "changed": bool(changed)} for each in entries]


def _each(
    session: Session,
    change: Any,
    volume: str,
    bucket: str | None,
    acls: Sequence[str],
) -> list[Any]:
    named = _named(session, volume, bucket)
    return [
        {"acl": str(each), "changed": bool(change(named, each))}
        for each in _parsed(session, acls)
    ]


def _parsed(session: Session, acls: Sequence[str]) -> list[Any]:
    parse = session.java("org.apache.hadoop.ozone.OzoneAcl").parseAcl
    return [parse(each) for each in acls]


def _named(session: Session, volume: str, bucket: str | None) -> Any:
    """What has a list, as Ozone names it."""
    types = session.java(f"{_SECURITY}.OzoneObj$ResourceType")
    stores = session.java(f"{_SECURITY}.OzoneObj$StoreType")
    made = session.java(f"{_SECURITY}.OzoneObjInfo$Builder").newBuilder()
    made.setStoreType(stores.OZONE).setVolumeName(volume)
    if bucket is None:
        return made.setResType(types.VOLUME).build()
    return made.setBucketName(bucket).setResType(types.BUCKET).build()
