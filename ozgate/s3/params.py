"""Parameters that many operations share: numbers, ranges, copy sources, encoded names."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote_to_bytes

from ..errors import InvalidArgument, InvalidBucketName, InvalidRange
from ..values import ByteRange
from ..wire.target import check_key, valid_bucket_name

if TYPE_CHECKING:
    from .call import Call

MAX_INTEGER: Final = (1 << 31) - 1
"""The largest value of S3's numeric query parameters."""

_CALLED: Final = {"max-keys": "maxKeys"}
"""What S3 calls a parameter whose value is out of its range, where that is not its name."""

_integer = re.compile(r"[+-]?[0-9]{1,20}").fullmatch
_range = re.compile(r"bytes=[ \t]*([0-9]*)-([0-9]*)[ \t]*", re.IGNORECASE).fullmatch
_copy_range = re.compile(r"bytes=([0-9]+)-([0-9]+)").fullmatch
_bad_escape = re.compile(r"%(?![0-9A-Fa-f]{2})").search
_reserved = re.compile(r"[^A-Za-z0-9/._~-]+")


def argument(name: str, value: str, message: str) -> InvalidArgument:
    """An error about one argument, with S3's members."""
    return InvalidArgument(message, ArgumentName=name, ArgumentValue=value)


def integer(
    call: Call, name: str, default: int, low: int = 0, high: int = MAX_INTEGER
) -> int:
    """A whole number in the query; one without a value is as good as none.

    :raises InvalidArgument: it is no number of 32 bits, or not from ``low`` to ``high``.
    """
    text = call.query(name)
    if not text:
        return default
    number = int(text) if _integer(text) else MAX_INTEGER + 1
    if not -MAX_INTEGER - 1 <= number <= MAX_INTEGER:
        raise argument(
            name, text, f"Provided {name} not an integer or within integer range"
        )
    if not low <= number <= high:
        called = _CALLED.get(name, name)
        raise argument(
            called,
            text,
            f"Argument {called} must be an integer between {low} and {high}",
        )
    return number


def _same(text: str) -> str:
    return text


def url_encode(text: str) -> str:
    """Percent-encode a name as listings with ``encoding-type=url`` do: all but ``/``.

    A space is ``%20``, which every client decodes; S3's own ``+`` some take for a plus.
    """
    return _reserved.sub(_encoded, text)


def _encoded(match: re.Match[str]) -> str:
    """Characters that follow each other: all at once, at a fraction of what ``urllib`` takes."""
    return f"%{match[0].encode().hex('%').upper()}"


def encoding_type(call: Call) -> Callable[[str], str]:
    """How a listing writes names.

    :return: :func:`url_encode`, or what leaves a name alone.
    :raises InvalidArgument: the query asks for another encoding; capitals do not matter.
    """
    asked = call.query("encoding-type")
    if not asked:
        return _same
    if asked.lower() != "url":
        raise argument(
            "encoding-type", asked, "Invalid Encoding Method specified in Request"
        )
    return url_encode


def _offset(digits: str) -> int:
    """A number of any length: those no object can reach are as good as 10^19."""
    return int(digits) if len(digits) < 20 else int(digits.lstrip("0")[:20] or "0")


def parse_range(header: str | None, size: int) -> ByteRange | None:
    """What a ``Range`` header asks for, of an object of ``size`` bytes.

    :return: ``None`` for the whole object: also when the header is no range of bytes, ends
        before it starts, or names several ranges, which S3 does not serve (RFC 9110, 14.2
        lets a server ignore them all). The last bytes of an empty object are all of it (RFC 9110, 14.1.2).
    :raises InvalidRange: it starts at or past the end, or asks for the last 0 bytes.
    """
    match = _range(header) if header else None
    if header is None or match is None:
        return None
    first, last = match.groups()
    if not first:
        if not last:
            return None
        wanted = _offset(last)
        if wanted and not size:
            return None
        length = min(wanted, size)
        start = size - length
    else:
        start = _offset(first)
        end = _offset(last) if last else size
        if last and end < start:
            return None
        length = min(end + 1 if last else size, size) - start
    if length <= 0:
        raise InvalidRange(RangeRequested=header, ActualObjectSize=size)
    return ByteRange(start, length)


def copy_source_range(header: str, size: int) -> ByteRange:
    """What ``x-amz-copy-source-range`` asks for: both ends are needed, inside the source.

    :raises InvalidArgument: it is not of that form, or reaches past the source.
    """
    match = _copy_range(header)
    if match is None:
        raise argument(
            "x-amz-copy-source-range",
            header,
            "The x-amz-copy-source-range value must be of the form bytes=first-last where"
            " first and last are the zero-based offsets of the first and last bytes to copy",
        )
    first, last = _offset(match[1]), _offset(match[2])
    if not first <= last < size:
        raise argument(
            "x-amz-copy-source-range",
            header,
            f"Range specified is not valid for source object of size: {size}",
        )
    return ByteRange(first, last - first + 1)


def copy_source(header: str) -> tuple[str, str, str | None]:
    """What ``x-amz-copy-source`` names: (bucket, key, version id).

    The value is percent-encoded, its slashes too if the client likes; ``+`` is a space, as AWS reads it:
    s5cmd writes spaces so, and rclone encodes each plus because of it. A leading ``/`` is optional.
    ``?versionId=`` ends it.

    :raises InvalidArgument: it does not name a bucket and a key, or an empty version.
    :raises InvalidBucketName: no bucket can have that name.
    :raises KeyTooLongError: the key has more than 1024 bytes.
    """
    path, mark, version = header.partition("?versionId=")
    if mark and not version:
        raise argument(
            "x-amz-copy-source", header, "Version id cannot be the empty string"
        )
    bucket, _, key = _decode(path, header).removeprefix("/").partition("/")
    if not bucket or not key:
        raise _no_source(header)
    if not valid_bucket_name(bucket):
        raise InvalidBucketName(BucketName=bucket)
    check_key(key)
    return bucket, key, _decode(version, header) if mark else None


def _no_source(header: str) -> InvalidArgument:
    return argument(
        "x-amz-copy-source",
        header,
        "Copy Source must mention the source bucket and key: sourcebucket/sourcekey",
    )


def _decode(text: str, header: str) -> str:
    try:
        return form_decoded(text)
    except ValueError:
        raise _no_source(header) from None


def form_decoded(text: str) -> str:
    """A name or value of a query string, decoded; ``+`` is a space.

    :raises ValueError: a ``%`` has no two hexadecimal digits after it, or it is not UTF-8.
    """
    if _bad_escape(text):
        raise ValueError("a % without two hexadecimal digits")
    return unquote_to_bytes(text.replace("+", " ")).decode("utf-8")
