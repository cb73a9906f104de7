"""GetObject and HeadObject, with GetObjectAttributes beside them.

Source: Amazon S3 API Reference, the pages of these names; RFC 9110 for the order of conditions and ranges.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from attrs import evolve

from ...content.outlet import Located, begin_read, body_of, locate, read_or_open
from ...errors import InvalidArgument, InvalidPartNumber, InvalidRequest
from ...immutable import frozen
from ...values import ANONYMOUS, ByteRange, Checksum, ObjectVersion
from ..conditions import READ_CONDITIONS, is_unmodified
from ..headers import (
    checksum_headers,
    refuse_encryption,
    validators,
    version_headers,
)
from ..lockheaders import lock_headers
from ..params import parse_range
from ..policy.decide import may
from ..policy.versionactions import action_on
from ..reply import Reply
from ..times import parse_http_date
from ..versions import find_authorized, shown_id
from .attributes import get_object_attributes

if TYPE_CHECKING:
    from ...interfaces import IMetadataTransaction
    from ...values import Bucket
    from ..asked import Asked
    from ..call import Call

__all__ = [
    "Found",
    "get_object",
    "get_object_attributes",
    "head_object",
    "not_modified",
    "part_number_of",
    "read_query",
    "reply_of",
    "wanted_range",
]

MAX_PART = 10_000

_OVERRIDES = {
    "response-content-type": "Content-Type",
    "response-content-language": "Content-Language",
    "response-expires": "Expires",
    "response-cache-control": "Cache-Control",
    "response-content-disposition": "Content-Disposition",
    "response-content-encoding": "Content-Encoding",
}
_CONTROL = re.compile("[\x00-\x1f\x7f]")


@frozen
class Found:
    """What the one metadata read of a request found.

    :ivar version_id: what answers call it.
    :ivar lock: headers that show what protects it, to who may know.
    :ivar located: where the bytes are; ``None`` when they were not asked for.
    :ivar span: the bytes to send: all of the object's, or those of a range or part. A part may have none.
    :ivar ranged: whether a range or a part was asked for.
    :ivar part: whether ``span`` is a whole part, or the whole object because its one part was asked for.
    :ivar part_checksum: the checksum of that part, where it is not the whole object.
    """

    version: ObjectVersion
    version_id: str
    lock: Sequence[tuple[str, str]]
    located: Located | None
    span: ByteRange
    ranged: bool
    part: bool
    part_checksum: str | None


async def get_object(call: Call) -> Reply:
    """Give an object, or a range or part of it."""
    part_number, overrides = read_query(call.asked)
    gateway = call.gateway
    token = begin_read(gateway)
    try:
        found = await call.read_authorized(_find, part_number, True)
        if isinstance(found, Reply):
            gateway.readers.leave(token)
            return found
        reply = reply_of(found, call.asked, overrides)
        located = found.located
        assert located is not None
        body = body_of(gateway, located)
    except BaseException:
        gateway.readers.leave(token)
        raise
    if body is not None:
        gateway.readers.leave(token)
        reply.body = body
        return reply
    stored = await read_or_open(gateway, located, token)
    if isinstance(stored, bytes):
        reply.body = stored
    else:
        reply.sources = stored
    return reply


async def head_object(call: Call) -> Reply:
    """Give the headers :func:`get_object` would give."""
    part_number, overrides = read_query(call.asked)
    found = await call.read_authorized(_find, part_number, False)
    if isinstance(found, Reply):
        return found
    return reply_of(found, call.asked, overrides)


def read_query(asked: Asked) -> tuple[int | None, dict[str, str]]:
    """The part number and the header overrides a request names.

    :raises S3Error: one of them is not valid, or does not go with the rest.
    """
    refuse_encryption(asked.headers)
    part_number = None
    overrides: dict[str, str] = {}
    if not asked.address.raw_query:
        return None, {}
    query = asked.address.query
    # Most have neither, though they may have many others, as presigned URLs.
    is_named = "partNumber" in query or "response-" in "&".join(query.names())
    for name, value in query.items() if is_named else ():
        if name == "partNumber":
            part_number = part_number_of(value)
        elif name.startswith("response-"):
            overrides[_overridden(name, value)] = _override(name, value)
    if overrides and asked.principal == ANONYMOUS:
        raise InvalidRequest(
            "Request specific response headers cannot be used for anonymous GET requests."
        )
    if part_number is not None and "range" in asked.headers:
        raise InvalidRequest(
            "Cannot specify both Range header and partNumber query parameter"
        )
    return part_number, overrides


def part_number_of(text: str) -> int:
    """A part number.

    :raises InvalidArgument: it is not a whole number from 1 to 10000.
    """
    if text.isascii() and text.isdigit() and len(text) < 9:
        number = int(text)
        if 1 <= number <= MAX_PART:
            return number
    raise InvalidArgument(
        f"Part number must be an integer between 1 and {MAX_PART}, inclusive",
        ArgumentName="partNumber",
        ArgumentValue=text,
    )


def _overridden(name: str, value: str) -> str:
    """The header that a ``response-*`` parameter overrides; its capitals matter.

    :raises InvalidArgument: it overrides none.
    """
    if name not in _OVERRIDES:
        raise InvalidArgument(
            f"{name} is not in the set of overridable response headers. Please refer to the S3 API documentation for a complete list of overridable response headers.",
            ArgumentName=name,
            ArgumentValue=value,
        )
    return _OVERRIDES[name]


def _override(name: str, value: str) -> str:
    """The value of a ``response-*`` parameter.

    :raises InvalidArgument: it could split the header, or is beyond ISO 8859-1.
    """
    if _CONTROL.search(value):
        raise InvalidArgument(
            "Header value cannot contain control characters.", ArgumentName=name
        )
    if any(character > "\xff" for character in value):
        raise InvalidArgument(
            "Header value cannot be represented using ISO-8859-1.",
            ArgumentName=name,
            ArgumentValue=value,
        )
    return value


def _find(
    tx: IMetadataTransaction,
    asked: Asked,
    bucket: Bucket,
    part_number: int | None,
    want_content: bool,
) -> Found | Reply:
    """Everything a read needs, in one transaction: conditions before ranges, as RFC 9110, 13.2.2 has it.

    :return: the whole answer, 304, where the client has the object. As an error it would cost more than a GET of 4 KiB.
    """
    address = asked.address
    named = address.query.get("versionId") if address.raw_query else None
    version = find_authorized(tx, asked, bucket, address.key, named)
    if not READ_CONDITIONS.isdisjoint(asked.headers):
        # Only that one asks what time it is.
        now = tx.now() if "if-modified-since" in asked.headers else 0
        unmodified = not_modified(asked, version, now)
        if unmodified is not None:
            return unmodified
    span, ranged, part_checksum = ByteRange(0, version.size), False, None
    if part_number is not None:
        ranged = True
        span, part_checksum = _part(tx, bucket, version, part_number)
    else:
        wanted = wanted_range(asked, version)
        if wanted is not None:
            span, ranged = wanted, True
    located = locate(tx, bucket, version, span) if want_content else None
    part = part_number is not None
    shown = shown_id(bucket, version) if bucket.versioning else ""
    lock = lock_headers(tx, asked, bucket, version) if version.more else ()
    if version.tags and not _may_count_tags(tx, asked, bucket):
        version = evolve(version, tags={})
    return Found(version, shown, lock, located, span, ranged, part, part_checksum)


def not_modified(asked: Asked, version: ObjectVersion, now: int) -> Reply | None:
    """The whole answer where the client has the object already.

    :raises PreconditionFailed: a condition does not hold.
    """
    if is_unmodified(asked.headers, version.etag, version.modified, now):
        return Reply(304, validators(version))
    return None


def wanted_range(asked: Asked, version: ObjectVersion) -> ByteRange | None:
    """The range that a request asks for; ``None`` where it wants all.

    :raises InvalidRange: there is nothing of it.
    """
    if "range" not in asked.headers or not _range_holds(asked, version):
        return None
    return parse_range(asked.headers.get("range"), version.size)


def _may_count_tags(tx: IMetadataTransaction, asked: Asked, bucket: Bucket) -> bool:
    """Whether the caller is told how many tags there are: who may read them, as on S3 (API Reference, GetObject, ``x-amz-tagging-count``)."""
    named = asked.query("versionId") or ""
    action = action_on("s3:GetObjectTagging", named)
    return may(tx, asked, action, bucket, asked.key, named)


def _range_holds(asked: Asked, version: ObjectVersion) -> bool:
    """Whether ``If-Range`` lets a range apply (RFC 9110, 13.1.5): else a resumed download would mix two objects."""
    condition = asked.headers.get("if-range")
    if condition is None:
        return True
    if condition.startswith('"'):
        return condition == f'"{version.etag}"'
    return parse_http_date(condition) == version.modified // 1000


def _part(
    tx: IMetadataTransaction, bucket: Bucket, version: ObjectVersion, number: int
) -> tuple[ByteRange, str | None]:
    """The bytes of a part, which may be none, and its checksum.

    :raises InvalidPartNumber: there is no such part.
    """
    if not version.parts_count:
        if number != 1:
            raise InvalidPartNumber(PartNumberRequested=number, ActualPartCount=1)
        return ByteRange(0, version.size), None
    for part in tx.object_parts(bucket, version, number - 1, 1):
        if part.number == number:
            return ByteRange(part.start, part.size), part.checksum
    raise InvalidPartNumber(
        PartNumberRequested=number, ActualPartCount=version.parts_count
    )


def reply_of(found: Found, asked: Asked, overrides: dict[str, str]) -> Reply:
    """Status and headers of an answer; the bytes come later, if at all.

    The part of an empty object is answered 200 on S3, with no ``Content-Range``, which could name no byte. So is
    an empty part of another object here.
    """
    version, span = found.version, found.span
    headers = version_headers(version, found.version_id)
    headers += found.lock
    headers.append(("Accept-Ranges", "bytes"))
    status = 200
    if found.ranged and span.length:
        status = 206
        headers.append(
            ("Content-Range", f"bytes {span.offset}-{span.end - 1}/{version.size}")
        )
    if found.part and version.parts_count:
        headers.append(("x-amz-mp-parts-count", str(version.parts_count)))
    mode = asked.headers.get("x-amz-checksum-mode")
    if mode is not None and mode.upper() == "ENABLED":
        headers.extend(checksum_headers(_checksum(found)))
    if overrides:
        headers = [pair for pair in headers if pair[0] not in overrides]
        headers.extend(overrides.items())
    return Reply(status, headers, length=span.length)


def _checksum(found: Found) -> Checksum | None:
    """The checksum of what is sent; ``None`` when none is known of just these bytes."""
    checksum = found.version.checksum
    if checksum is None:
        return None
    if found.part and found.version.parts_count:
        if found.part_checksum is None:
            return None
        return Checksum(checksum.algorithm, checksum.type, found.part_checksum)
    return checksum if found.span.length == found.version.size else None
