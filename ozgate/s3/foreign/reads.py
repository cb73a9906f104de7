"""GetObject and HeadObject of a key of another system; :mod:`ozgate.s3.perform.reading` has what S3 says of both."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve

from ...content.foreignbytes import OneSource, small_body
from ...errors import InvalidPartNumber, Refused
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
    from ...interfaces import IForeignReading
    from ...values import ForeignObject
    from ..call import Call


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
