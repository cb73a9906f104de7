"""Tags of buckets: PutBucketTagging, GetBucketTagging, DeleteBucketTagging."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...errors import NoSuchTagSet
from ..configuration.tagging import MOST_TAGS, TAGGING, Tagging
from ..tags import check_tags, tags_of
from .configuration import keep, remove, show

if TYPE_CHECKING:
    from ..call import Call
    from ..reply import Reply


async def put_bucket_tagging(call: Call) -> Reply:
    """Replace the tags of a bucket."""
    return await keep(call, TAGGING, _check, 204)


async def get_bucket_tagging(call: Call) -> Reply:
    """Show the tags of a bucket."""
    return await show(call, TAGGING.kind, NoSuchTagSet)


async def delete_bucket_tagging(call: Call) -> Reply:
    """Remove the tags of a bucket."""
    return await remove(call, TAGGING.kind)


def _check(tagging: Tagging) -> None:
    pairs = [(tag.key, tag.value) for tag in tagging.tags]
    check_tags(pairs, MOST_TAGS, "Bucket")
    tags_of(pairs)
