"""Which operations are built for buckets of another system: the column ``foreign`` of the table of operations.

What reads a configuration that can have no place there says what AWS says of a bucket that has none, for clients look before they do anything else. What would put
one is not there: 501.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Final

from ..perform import buckets as ours
from . import buckets, listings, reads, removals, writes
from .plain import as_plain

if TYPE_CHECKING:
    from ..call import Call
    from ..reply import Reply

FOREIGN: Final[Mapping[str, Callable[[Call], Awaitable[Reply]]]] = {
    "ListBuckets": buckets.list_buckets,
    "CreateBucket": buckets.create_bucket,
    "HeadBucket": as_plain(ours.head_bucket),
    "DeleteBucket": buckets.delete_bucket,
    "GetBucketLocation": as_plain(ours.get_bucket_location),
    "ListObjects": listings.list_objects,
    "ListObjectsV2": listings.list_objects_v2,
    "ListObjectVersions": listings.list_object_versions,
    "GetObject": reads.get_object,
    "HeadObject": reads.head_object,
    "PutObject": writes.put_object,
    "DeleteObject": removals.delete_object,
    "DeleteObjects": removals.delete_objects,
}
"""Name of an operation → what does it there."""
