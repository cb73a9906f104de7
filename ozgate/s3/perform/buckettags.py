"""Tags of buckets: PutBucketTagging, GetBucketTagging, DeleteBucketTagging, and what CreateBucket says of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...errors import MalformedXML, NoSuchTagSet
from ..configuration.tagging import MOST_TAGS, TAGGING, Tag, Tagging
from ..tags import check_tags, tags_of
from .configuration import keep, remove, show

if TYPE_CHECKING:
    from ..call import Call
    from ..documents import Element
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


def tags_of_new(root: Element) -> bytes | None:
    """The document of the tags that a new bucket is to have; ``None`` where it is to have none.

    Source: Amazon S3 API Reference, "CreateBucketConfiguration".

    :param root: the document of CreateBucket.
    :raises MalformedXML: it has something else for tags.
    :raises InvalidTag: a tag that S3 does not take, or too many.
    """
    listed = root.child("Tags")
    if listed is None:
        return None
    listed.allow("Tag")
    tags = []
    for each in listed.all("Tag"):
        each.allow("Key", "Value")
        key, value = each.text_of("Key"), each.text_of("Value")
        if key is None or value is None:
            raise MalformedXML()
        tags.append(Tag(key, value))
    tagging = Tagging(tuple(tags))
    _check(tagging)
    return TAGGING.document.render(tagging) if tags else None


def _check(tagging: Tagging) -> None:
    pairs = [(tag.key, tag.value) for tag in tagging.tags]
    check_tags(pairs, MOST_TAGS, "Bucket")
    tags_of(pairs)
