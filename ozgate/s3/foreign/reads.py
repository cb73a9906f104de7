"""GetObject and HeadObject of a key of another system; :mod:`ozgate.s3.perform.reading` has what S3 says of both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from attrs import evolve

from ...errors import Damaged, InvalidPartNumber, Refused
from ...values import ByteRange
from ..perform.reading import (
    Found,
    not_modified,
    read_query,
    reply_of,
    wanted_range,
)
from ..reply import Reply
from .keptnames import missing_metadata, version_of
from .place import bucket_of, is_kept, judge
from .versionids import refuse_other_versions

if TYPE_CHECKING:
    from twisted.internet.interfaces import IConsumer

    from ...interfaces import IByteSource, IForeignReading
    from ...values import ForeignObject
    from ..call import Call


_AT_ONCE: Final = 64 << 10
"""Bytes that cost less to send as a document than from a source."""


class OneSource:
    """The bytes of a key, as a reply has them: nothing is read of them before they are asked for."""

    def __init__(self, reading: IForeignReading, span: ByteRange) -> None:
        self._reading = reading
        self._next: ByteRange | None = span if span.length else None
        self._source: IByteSource | None = None

    def __aiter__(self) -> OneSource:
        return self

    async def __anext__(self) -> IByteSource:
        """The one source, once."""
        span, self._next = self._next, None
        if span is None:
            self.close()
            raise StopAsyncIteration
        self._source = source = self._reading.source(span)
        return source

    async def send_to(self, consumer: IConsumer) -> None:
        """Write all bytes to a consumer, and close."""
        try:
            async for source in self:
                await source.send_to(consumer)
        finally:
            self.close()

    async def aclose(self) -> None:
        """Close what is open. Idempotent."""
        self.close()

    def close(self) -> None:
        """As :meth:`aclose`, at once."""
        self._next = None
        source, self._source = self._source, None
        if source is not None:
            source.close()
        self._reading.close()

    def __del__(self) -> None:
        self.close()


async def get_object(call: Call) -> Reply:
    """Give an object, or a range or part of it."""
    number, overrides = read_query(call.asked)
    refuse_other_versions(call)
    await judge(call)
    reading = await _open(call, number)
    try:
        found = await _find(call, reading.found, _part(reading, number))
        if isinstance(found, Reply):
            reading.close()
            return found
        reply = _reply(call, reading.found, found, overrides)
        span = found.span
        span = ByteRange(span.offset - reading.start, span.length)
        body = small_body(reading, span)
        if body is None:
            reply.sources = OneSource(reading, span)
        else:
            reply.body = body
    except BaseException:
        reading.close()
        raise
    return reply


def small_body(reading: IForeignReading, span: ByteRange) -> bytes | None:
    """Bytes of a key, where they are here already, and the key is closed then; ``None`` where they are yet to be read."""
    if span.length > _AT_ONCE:
        return None
    if not span.length:
        reading.close()
        return b""
    source: IByteSource = reading.source(span)
    try:
        body: bytes | None = source.as_bytes()
    finally:
        source.close()
    if body is not None:
        reading.close()
        if len(body) != span.length:
            raise Damaged("bytes of a key are not as many as they should be")
    return body


async def head_object(call: Call) -> Reply:
    """Give the headers :func:`get_object` would give."""
    number, overrides = read_query(call.asked)
    refuse_other_versions(call)
    await judge(call)
    part = None
    if number is None:
        shown = await bucket_of(call).head(call.key)
    else:
        reading = await _open(call, number)
        reading.close()
        shown, part = reading.found, _part(reading, number)
    found = await _find(call, shown, part)
    if isinstance(found, Reply):
        return found
    return _reply(call, shown, found, overrides)


async def _open(call: Call, number: int | None) -> IForeignReading:
    """Look a key up.

    :raises InvalidPartNumber: it has no such part.
    """
    try:
        return await bucket_of(call).open(call.key, number or 0)
    except Refused as refused:
        if refused.code == "INVALID_PART":
            raise InvalidPartNumber(PartNumberRequested=number or 0) from refused
        raise


def _part(reading: IForeignReading, number: int | None) -> tuple[ByteRange, int] | None:
    """Where a part is in its object, and how large that is; ``None`` where none was asked for."""
    if number is None:
        return None
    return ByteRange(reading.start, reading.found.size), reading.whole


async def _find(
    call: Call, shown: ForeignObject, part: tuple[ByteRange, int] | None
) -> Found | Reply:
    """What is to be sent; the whole answer where the client has the object."""
    asked, version = call.asked, version_of(shown)
    now = int(call.gateway.clock.seconds() * 1000)
    unmodified = not_modified(asked, version, now)
    if unmodified is not None:
        return unmodified
    if version.tags and await is_kept(call, "s3:GetObjectTagging"):
        version = evolve(version, tags={})
    span, ranged = ByteRange(0, version.size), part is not None
    if part is not None:
        span, size = part
        version = evolve(version, size=size)
    else:
        wanted = wanted_range(asked, version)
        if wanted is not None:
            span, ranged = wanted, True
    return Found(version, "", (), None, span, ranged, part is not None, None)


def _reply(
    call: Call, shown: ForeignObject, found: Found, overrides: dict[str, str]
) -> Reply:
    reply = reply_of(found, call.asked, overrides)
    missing = missing_metadata(shown)
    if missing:
        reply.headers.append(("x-amz-missing-meta", str(missing)))
    return reply
