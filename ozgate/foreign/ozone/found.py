"""What Ozone's client finds, as values. A call from Python to Java takes a microsecond or three: so a key comes as one text, and a page as columns."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from ...values import ForeignBucket, ForeignObject, ForeignRow
from .descriptions import BETWEEN, BETWEEN_FIELDS, IS

if TYPE_CHECKING:
    from .client import Client

ETAG = "ETag"
"""The name under which Ozone's S3 gateway keeps the ETag among a key's metadata; as seen of 2.2.0."""


def dict_of(client: Client, entries: Any) -> dict[str, str]:
    """A Java map of strings."""
    size = entries.size()
    if not size:
        return {}
    found = _entries(client.join_map(entries), size)
    if found is None:
        found = {
            str(each.getKey()): str(each.getValue()) for each in entries.entrySet()
        }
    return found


def _entries(text: str, size: int) -> dict[str, str] | None:
    """The entries of a map that was made one text.

    :param size: how many there are.
    :return: ``None`` where somebody keeps what stands between them.
    """
    if not size:
        return {}
    pairs = [each.split(IS) for each in text.split(BETWEEN)]
    if len(pairs) == size and all(len(each) == 2 for each in pairs):
        return {key: value for key, value in pairs}
    return None


def object_of(client: Client, info: Any) -> ForeignObject:
    """A key that the OM told all of: an ``OmKeyInfo``."""
    found = _described(client.descriptions.of_info(info))
    if found is not None:
        return found
    times = info.getModificationTime()
    return _object(client, info, info.getKeyName(), times, info.getOwnerName())


def object_of_details(client: Client, details: Any) -> ForeignObject:
    """A key that is to be read: an ``OzoneKeyDetails``."""
    found = _described(client.descriptions.of_details(details))
    if found is not None:
        return found
    modified = details.getModificationTime().toEpochMilli()
    return _object(client, details, details.getName(), modified, details.getOwner())


def _described(text: Any) -> ForeignObject | None:
    """What a text of :class:`~ozgate.foreign.ozone.descriptions.Descriptions` tells; ``None`` where something in it has what stands between."""
    try:
        (
            joined, entries, labels, tags,
            size, generation, is_file, replication,
            name, owner, modified,
        ) = str(text).split(BETWEEN_FIELDS)  # fmt: skip
    except ValueError:
        return None
    metadata, kept_tags = _entries(joined, int(entries)), _entries(labels, int(tags))
    if metadata is None or kept_tags is None:
        return None
    etag = metadata.pop(ETAG, "")
    return ForeignObject(
        name,
        int(size),
        int(modified),
        etag,
        owner,
        metadata,
        kept_tags,
        int(generation),
        is_file == "false",
        replication,
        parts_of(etag),
    )


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
        str(found.getReplicationConfig().configFormat()),
        parts_of(etag),
    )


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
