"""Where a copy comes from that goes through this gateway: a key of another system, or an object of ours that goes there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...content.foreignbytes import OneSource, small_body
from ...content.outlet import Located, begin_read, body_of, locate, read_or_open
from ...errors import AccessDenied, NoSuchVersion, Refused
from ...immutable import frozen
from ...values import NULL_VERSION, ByteRange, ObjectVersion
from ..conditions import check_copy_source
from ..params import copy_source_range
from ..perform.copysource import CopySource, check_size, locate_authorized_source
from ..policy.decide import authorize
from ..policy.versionactions import action_on
from ..versions import shown_id
from .keptnames import version_of
from .place import bucket_of, is_source_kept, judge_source
from .refusals import as_s3_error_of

if TYPE_CHECKING:
    from twisted.internet.interfaces import IConsumer

    from ...content.outlet import Streams
    from ...interfaces import IMetadataTransaction
    from ..asked import Asked
    from ..call import Call
    from .place import ForeignPlace


@frozen(eq=False)
class OpenSource:
    """What is copied, and its bytes.

    :ivar version_id: what answers call it.
    :ivar span: the bytes that are copied of it.
    """

    version: ObjectVersion
    version_id: str
    span: ByteRange
    content: bytes | Streams

    async def send_to(self, consumer: IConsumer) -> None:
        """Write all bytes to a consumer, and close."""
        if not isinstance(self.content, bytes):
            await self.content.send_to(consumer)
        elif self.content:
            consumer.write(self.content)

    async def close(self) -> None:
        """Release what it holds. Idempotent."""
        if not isinstance(self.content, bytes):
            await self.content.aclose()


async def open_source(call: Call, source: CopySource, with_tags: bool) -> OpenSource:
    """Look up what is copied, where the caller may read it, with the conditions on it asked.

    :param with_tags: whether its tags are copied as well.
    :raises PreconditionFailed: a condition does not hold.
    :raises InvalidRequest: it is too large.
    """
    place = call.copied_from
    if place is None:
        return await _open_ours(call, source, with_tags)
    if source.version_id not in (None, NULL_VERSION):
        raise NoSuchVersion(Key=source.key, VersionId=source.version_id or "")
    try:
        return await _open(call, place, source, with_tags)
    except Refused as refused:
        raise as_s3_error_of(refused, source.bucket, source.key) from refused


async def _open(
    call: Call, place: ForeignPlace, source: CopySource, with_tags: bool
) -> OpenSource:
    await judge_source(call, place, source.key)
    reading = await bucket_of(call, place).open(source.key)
    try:
        version = version_of(reading.found)
        now = int(call.gateway.clock.seconds() * 1000)
        check_copy_source(call.headers, version.etag, version.modified, now)
        span = _span(call.asked, version)
        if version.tags and with_tags and await is_source_kept(call, place, source.key):
            raise AccessDenied()
        body = small_body(reading, span)
        content = OneSource(reading, span) if body is None else body
    except BaseException:
        reading.close()
        raise
    return OpenSource(version, "", span, content)


async def _open_ours(call: Call, source: CopySource, with_tags: bool) -> OpenSource:
    gateway = call.gateway
    token = begin_read(gateway)
    try:
        located, shown = await call.read(_locate_authorized, source, with_tags)
        body = body_of(gateway, located)
    except BaseException:
        gateway.readers.leave(token)
        raise
    if body is None:
        content = await read_or_open(gateway, located, token)
    else:
        gateway.readers.leave(token)
        content = body
    return OpenSource(located.version, shown, located.span, content)


def _locate_authorized(
    tx: IMetadataTransaction, asked: Asked, source: CopySource, with_tags: bool
) -> tuple[Located, str]:
    """Find an object of ours, and where its bytes are; an interaction."""
    bucket, version = locate_authorized_source(tx, asked, source)
    if version.tags and with_tags:
        named = source.version_id or ""
        action = action_on("s3:GetObjectTagging", named)
        authorize(tx, asked, action, bucket, source.key, named)
    located = locate(tx, bucket, version, _span(asked, version))
    return located, shown_id(bucket, version)


def _span(asked: Asked, version: ObjectVersion) -> ByteRange:
    """The bytes that are copied.

    :raises InvalidArgument: a range that the source does not have.
    :raises InvalidRequest: they are too many.
    """
    header, span = (
        asked.headers.get("x-amz-copy-source-range"),
        ByteRange(0, version.size),
    )
    if header is not None and asked.operation == "UploadPartCopy":
        span = copy_source_range(header, version.size)
    check_size(span.length)
    return span
