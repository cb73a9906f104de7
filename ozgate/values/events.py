"""What becomes of objects, for who listens."""

from __future__ import annotations

from typing import Literal

from ..immutable import frozen

__all__ = ["Cause", "Event", "EventName"]

EventName = Literal[
    "ObjectCreated:Put",
    "ObjectCreated:Post",
    "ObjectCreated:Copy",
    "ObjectCreated:CompleteMultipartUpload",
    "ObjectRemoved:Delete",
    "ObjectRemoved:DeleteMarkerCreated",
    "ObjectTagging:Put",
    "ObjectTagging:Delete",
    "ObjectAcl:Put",
]
"""What S3 calls a change in a message, without ``s3:``. Source: Amazon S3 User Guide, "Supported event types"."""


@frozen
class Cause:
    """On whose behalf something is changed.

    :ivar user: who asked for it.
    :ivar peer: the client's address; ``""`` where no request asked.
    :ivar request_id: of the request that asked; likewise.
    """

    user: str
    peer: str = ""
    request_id: str = ""


@frozen
class Event:
    """One change of one object, with what S3's messages say of it.

    Source: Amazon S3 User Guide, "Event message structure".

    :ivar name: see :data:`EventName`.
    :ivar time: when it changed.
    :ivar bucket: the number of the bucket, which may be gone by now.
    :ivar owner: of the bucket.
    :ivar size: bytes that the version has, or had.
    :ivar etag: its ETag, without quotes.
    :ivar sequence: the store's order of events, 0 until it is noted: a later one is larger.
    """

    name: str
    time: int
    bucket: int
    volume: str
    bucket_name: str
    owner: str
    key: str
    version_id: str
    size: int
    etag: str
    cause: Cause
    sequence: int = 0
