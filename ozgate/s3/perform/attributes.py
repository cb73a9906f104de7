"""GetObjectAttributes.

Source: Amazon S3 API Reference, GetObjectAttributes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from ...errors import InvalidArgument, InvalidRequest
from ...values import Bucket, ObjectPart, ObjectVersion
from ..conditions import check_read
from ..documents import document, element
from ..headers import refuse_encryption
from ..policy.decide import authorize
from ..policy.versionactions import action_on
from ..reply import Reply, xml_reply
from ..times import http_date
from ..versions import find_authorized, id_headers, shown_id

if TYPE_CHECKING:
    from ...interfaces import IMetadataTransaction
    from ..asked import Asked
    from ..call import Call

_ATTRIBUTES = frozenset(
    ("ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize")
)
_MAX_PARTS = 1000
_LARGEST = 2**31 - 1


Found = tuple[ObjectVersion, str, Sequence[ObjectPart]]
"""A version, what answers call it, and its parts, where they were asked for."""


async def get_object_attributes(call: Call) -> Reply:
    """Tell what is asked about an object."""
    return await tell_attributes(call, _find)


async def tell_attributes(
    call: Call, find: Callable[[Call, bool, int, int], Awaitable[Found]]
) -> Reply:
    """As :func:`get_object_attributes`, wherever the object is.

    :param find: looks it up, and its parts if they are wanted: those after a number, so many at most.
    """
    refuse_encryption(call.headers)
    attributes = _attributes(call)
    limit = min(_number(call, "x-amz-max-parts", _MAX_PARTS), _MAX_PARTS)
    marker = _number(call, "x-amz-part-number-marker", 0)
    want = "ObjectParts" in attributes
    version, version_id, parts = await find(call, want, marker, limit)
    children = []
    if "ETag" in attributes:
        children.append(element("ETag", version.etag))
    if "Checksum" in attributes:
        children.append(_checksum(version))
    if want and version.parts_count:
        children.append(_parts(version, parts, marker, limit))
    if "StorageClass" in attributes:
        children.append(element("StorageClass", version.storage_class))
    if "ObjectSize" in attributes:
        children.append(element("ObjectSize", version.size))
    reply = xml_reply(document("GetObjectAttributesResponse", *children))
    reply.headers.append(("Last-Modified", http_date(version.modified)))
    reply.headers += id_headers(version_id)
    return reply


async def _find(call: Call, want_parts: bool, marker: int, limit: int) -> Found:
    return await call.read_authorized(_find_authorized, want_parts, marker, limit)


def _attributes(call: Call) -> set[str]:
    """The attributes asked for.

    :raises InvalidRequest: none is.
    :raises InvalidArgument: one is unknown.
    """
    text = call.headers.get("x-amz-object-attributes") or ""
    attributes = {name.strip() for name in text.split(",")} - {""}
    if not attributes:
        raise InvalidRequest(
            "The x-amz-object-attributes header specifying the attributes to be retrieved is either missing or empty"
        )
    if not attributes <= _ATTRIBUTES:
        raise InvalidArgument(
            "Invalid attribute name specified.",
            ArgumentName="x-amz-object-attributes",
            ArgumentValue=text,
        )
    return attributes


def _number(call: Call, name: str, default: int) -> int:
    """A whole number of a header.

    :raises InvalidArgument: it is none, or out of range.
    """
    text = call.headers.get(name)
    if text is None:
        return default
    if text.isascii() and text.isdigit() and len(text) <= 10:
        number = int(text)
        if number <= _LARGEST:
            return number
    raise InvalidArgument(
        f"Provided {name} not an integer or within integer range",
        ArgumentName=name,
        ArgumentValue=text,
    )


def _find_authorized(
    tx: IMetadataTransaction,
    asked: Asked,
    bucket: Bucket,
    want_parts: bool,
    marker: int,
    limit: int,
) -> Found:
    wanted = asked.query("versionId")
    _authorize_reading(tx, asked, bucket, wanted or "")
    version = find_authorized(tx, asked, bucket, asked.key, wanted)
    check_read(asked.headers, version.etag, version.modified, tx.now())
    parts: Sequence[ObjectPart] = ()
    if want_parts and _shows_parts(version):
        # One more than is shown tells whether the page is the last.
        parts = tx.object_parts(bucket, version, marker, limit + 1)
    return version, shown_id(bucket, version), parts


def _authorize_reading(
    tx: IMetadataTransaction, asked: Asked, bucket: Bucket, version: str
) -> None:
    """Ask for reading the object besides its attributes, as S3 does."""
    action = action_on("s3:GetObject", version)
    authorize(tx, asked, action, bucket, asked.key, version)


def _checksum(version: ObjectVersion) -> str:
    """The checksum, without the number of parts that a composite one ends in elsewhere."""
    checksum = version.checksum
    if checksum is None:
        return ""
    value = element(f"Checksum{checksum.algorithm}", checksum.value.partition("-")[0])
    return f"<Checksum>{value}{element('ChecksumType', checksum.type)}</Checksum>"


def _shows_parts(version: ObjectVersion) -> bool:
    """Whether S3 lists an object's parts: those that its checksum is one of.

    Of others it tells the number alone, as answers of S3 show that its users quote; Ozone gives the bounds of the page besides.
    """
    return version.checksum is not None and version.checksum.type == "COMPOSITE"


def _parts(
    version: ObjectVersion, parts: Sequence[ObjectPart], marker: int, limit: int
) -> str:
    count = element("PartsCount", version.parts_count)
    if not _shows_parts(version):
        return f"<ObjectParts>{count}</ObjectParts>"
    shown = parts[:limit]
    truncated = limit > 0 and len(parts) > limit
    algorithm = version.checksum.algorithm if version.checksum else ""
    rows = "".join(
        f"<Part>{element('PartNumber', part.number)}{element('Size', part.size)}"
        f"{element('Checksum' + algorithm, part.checksum) if algorithm else ''}</Part>"
        for part in shown
    )
    return (
        f"<ObjectParts>{count}"
        f"{element('PartNumberMarker', marker)}"
        f"{element('NextPartNumberMarker', shown[-1].number if shown else 0)}"
        f"{element('MaxParts', limit)}{element('IsTruncated', truncated)}"
        f"{rows}</ObjectParts>"
    )
