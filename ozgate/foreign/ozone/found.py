"""What Ozone's client finds, as values. A call from Python to Java takes a microsecond or three: so maps come as one text each, and pages as columns."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from ...values import ForeignBucket, ForeignObject, ForeignRow

if TYPE_CHECKING:
    from .client import Client

ETAG = "ETag"
"""The name under which Ozone's S3 gateway keeps the ETag among a key's metadata; as seen of 2.2.0."""

_BETWEEN, _IS = "\0", "\1"


def dict_of(client: Client, entries: Any) -> dict[str, str]:
    """A Java map of strings."""
    size = entries.size()
    if not size:
        return {}
    pairs = [each.split(_IS) for each in client.join_map(entries).split(_BETWEEN)]
    if len(pairs) == size and all(len(each) == 2 for each in pairs):
        return {key: value for key, value in pairs}
    # Somebody keeps what stands between them here.
    return {str(each.getKey()): str(each.getValue()) for each in entries.entrySet()}


def object_of(client: Client, info: Any) -> ForeignObject:
    """A key that the OM told all of: an ``OmKeyInfo``."""
    times = info.getModificationTime()
    return _object(client, info, info.getKeyName(), times, info.getOwnerName())


def object_of_details(client: Client, details: Any) -> ForeignObject:
    """A key that is to be read: an ``OzoneKeyDetails``."""
    modified = details.getModificationTime().toEpochMilli()
    return _object(client, details, details.getName(), modified, details.getOwner())


def _object(
    client: Client, found: Any, key: Any, modified: Any, owner: Any
) -> ForeignObject:
    metadata = dict_of(client, found.getMetadata())
    etag = metadata.pop(ETAG, "")
    return ForeignObject(
        str(key),
        int(found.getDataSize()),
        int(modified),
        etag,
        str(owner or ""),
        metadata,
        dict_of(client, found.getTags()),
        int(found.getGeneration()),
        not found.isFile(),
        replication_of(found.getReplicationConfig()),
        parts_of(etag),
    )


def replication_of(config: Any) -> str:
    """How a key is kept, such as ``RATIS/THREE``."""
    return "" if config is None else str(config.configFormat())


def parts_of(etag: str) -> int:
    """How many parts a key was made of, as its ETag says."""
    _, dash, count = etag.rpartition("-")
    return int(count) if dash and count.isdecimal() else 0


def bucket_of(bucket: Any) -> ForeignBucket:
    """A bucket or a link: an ``OzoneBucket``."""
    source = None
    if bucket.isLink():
        source = str(bucket.getSourceVolume()), str(bucket.getSourceBucket())
    return ForeignBucket(
        str(bucket.getVolumeName()),
        str(bucket.getName()),
        str(bucket.getOwner() or ""),
        int(bucket.getCreationTime().toEpochMilli()),
        str(bucket.getBucketLayout()),
        source,
    )


def sorted_by_bytes(found: Sequence[ForeignRow]) -> list[ForeignRow]:
    """In the order of UTF-8 bytes, which is that of code points; Java's is that of UTF-16."""
    return sorted(found, key=itemgetter(0))
