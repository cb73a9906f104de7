"""The tags of a bucket. Source: Amazon S3 API Reference, "PutBucketTagging": at most 50, else as for objects."""

from __future__ import annotations

from typing import Final

from ...immutable import frozen
from ..structures import TEXT, Document, Many, One, Structure
from .kept import Kept

MOST_TAGS: Final = 50


@frozen
class Tag:
    """One tag."""

    key: str
    value: str


@frozen
class Tagging:
    """The tags, in the order in which they came."""

    tags: tuple[Tag, ...]


TAG: Final = Structure(
    Tag,
    key=One("Key", TEXT, is_needed=True),
    value=One("Value", TEXT, is_needed=True),
)
DOCUMENT: Final = Document(
    "Tagging", Tagging, tags=Many("Tag", TAG, inside="TagSet", is_needed=True)
)
TAGGING: Final = Kept("tagging", DOCUMENT)
