"""The list of parts that a CompleteMultipartUpload comes with.

Source: Amazon S3 API Reference, ``CompletedMultipartUpload``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from hashlib import sha256

from ...errors import InvalidArgument, InvalidPartOrder, InvalidRequest, MalformedXML
from ...immutable import frozen
from ..checksums import ALGORITHMS
from ..documents import Element, read

MAX_PARTS = 10_000

_CHECKSUMS = {f"Checksum{name}": name for name in ALGORITHMS}
_number = re.compile(r"[+-]?[0-9]{1,10}").fullmatch


@frozen
class Listed:
    """A part as the client lists it.

    :ivar etag: without quotes.
    :ivar checksums: algorithm → base64, those the client gives.
    """

    number: int
    etag: str
    checksums: Mapping[str, str]


def read_list(data: bytes, upload_id: str) -> list[Listed]:
    """The parts a Complete lists.

    :param upload_id: whose parts; an error says it.
    :raises InvalidRequest: there is no document.
    :raises MalformedXML: it is another document, or lists nothing or more than 10000 parts.
    :raises InvalidPartOrder: they are not in ascending order.
    :raises InvalidArgument: a number is not from 1 to 10000.
    """
    if not data:
        raise InvalidRequest("You must specify at least one part")
    rows = read(data, "CompleteMultipartUpload").children
    if not 1 <= len(rows) <= MAX_PARTS:
        raise MalformedXML()
    listed = [_read_part(row) for row in rows]
    before = None
    for part in listed:
        if before is not None and part.number <= before:
            raise InvalidPartOrder(UploadId=upload_id)
        before = part.number
        if not 1 <= part.number <= MAX_PARTS:
            raise InvalidArgument(
                f"Part number must be an integer between 1 and {MAX_PARTS}, inclusive",
                ArgumentName="partNumber",
                ArgumentValue=str(part.number),
            )
    return listed


def _read_part(row: Element) -> Listed:
    if row.name != "Part":
        raise MalformedXML()
    number = etag = None
    checksums: dict[str, str] = {}
    for member in row.children:
        name, text = member.name, member.text
        if name == "PartNumber" and number is None:
            number = _integer(text)
        elif name == "ETag" and etag is None:
            etag = text.strip().strip('"')
        elif name in _CHECKSUMS and _CHECKSUMS[name] not in checksums:
            checksums[_CHECKSUMS[name]] = text.strip()
        else:
            raise MalformedXML()
    if number is None or etag is None:
        raise MalformedXML()
    return Listed(number, etag, checksums)


def _integer(text: str) -> int:
    digits = text.strip()
    if not _number(digits):
        raise MalformedXML()
    return int(digits)


def fingerprint(listed: Sequence[Listed]) -> str:
    """Tells one list of parts from another."""
    text = "\n".join(f"{part.number} {part.etag}" for part in listed)
    return sha256(text.encode("utf-8")).hexdigest()
