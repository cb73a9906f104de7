"""Keys of a cluster, but for their bytes, as ``ozone sh key`` has them."""

from __future__ import annotations

from itertools import islice
from typing import Any

from .session import Session

_NOT_SHOWN = "secret", "algorithm"
"""Entries of a key's metadata by which its bytes can be read; Ozone's own shell keeps them to itself as well."""


def list_keys(
    session: Session,
    volume: str,
    bucket: str,
    prefix: str = "",
    start: str = "",
    limit: int = 100,
) -> list[Any]:
    """A page of a bucket's keys, in the cluster's own order."""
    found = session.bucket(volume, bucket)
    if limit < found.getListCacheSize():
        found.setListCacheSize(limit)
    return [
        session.shown(each) for each in islice(found.listKeys(prefix, start), limit)
    ]


def info_key(session: Session, volume: str, bucket: str, key: str) -> Any:
    """Show a key."""
    shown = session.shown(session.bucket(volume, bucket).getKey(key))
    for name in _NOT_SHOWN:
        shown["metadata"].pop(name, None)
    return shown


def rename_key(session: Session, volume: str, bucket: str, key: str, to: str) -> None:
    """Give a key another name, which no key has yet."""
    session.bucket(volume, bucket).renameKey(key, to)


def delete_key(session: Session, volume: str, bucket: str, key: str) -> None:
    """Remove a key, at once: into no trash."""
    session.bucket(volume, bucket).deleteKey(key)
