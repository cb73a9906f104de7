"""Object headers: what a client's headers say of an object, and what an object's answers say back.

Source: Amazon S3 API Reference, PutObject and GetObject; Amazon S3 User Guide, "Working with
object metadata" (2 KB of user metadata, RFC 2047 for what is not ASCII).
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator
from email.errors import CharsetError, HeaderParseError
from email.header import decode_header, make_header
from typing import TYPE_CHECKING

from ..errors import (
    InvalidArgument,
    InvalidRedirectLocation,
    InvalidRequest,
    InvalidStorageClass,
    MetadataTooLarge,
    NotImplemented,
)
from ..values import Checksum, ObjectVersion
from . import tags
from .times import http_date

if TYPE_CHECKING:
    from ..wire.headers import Headers
    from .call import Call

MAX_METADATA = 2048
"""Bytes of user metadata, names and values in UTF-8, without ``x-amz-meta-``."""

MAX_REDIRECT = 2048
"""Bytes of a website redirect. Source: Amazon S3 API Reference, PutObject."""

DEFAULT_TYPE = "binary/octet-stream"

STORAGE_CLASSES = frozenset(
    (
        "STANDARD",
        "REDUCED_REDUNDANCY",
        "STANDARD_IA",
        "ONEZONE_IA",
        "INTELLIGENT_TIERING",
        "GLACIER",
        "GLACIER_IR",
        "DEEP_ARCHIVE",
    )
)

SYSTEM_HEADERS = {
    "content-type": "Content-Type",
    "cache-control": "Cache-Control",
    "content-disposition": "Content-Disposition",
    "content-encoding": "Content-Encoding",
    "content-language": "Content-Language",
    "expires": "Expires",
    "x-amz-website-redirect-location": "x-amz-website-redirect-location",
}
"""Headers kept with an object, as S3 writes them."""

_OF_BEGINNING = ("x-amz-acl", "x-amz-tagging")
_ALL_OF_BEGINNING = ("x-amz-grant-", "x-amz-object-lock-")
"""How the headers are called, or how their names begin, that say of an upload what it shall become."""

_CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f]")
_META = "x-amz-meta-"
_ENCRYPTION = "x-amz-server-side-encryption"
_OF_REQUESTS = frozenset(
    (
        *("accept", "accept-encoding", "amz-sdk-invocation-id", "amz-sdk-request"),
        *("authorization", "connection", "content-length", "content-md5", "expect"),
        *("host", "user-agent", "x-amz-content-sha256", "x-amz-date"),
        *("x-amz-sdk-checksum-algorithm", "x-amz-checksum-crc32", "x-amz-trailer"),
    )
)
"""Headers that say nothing of the object to be."""
_UNBUILT = (
    _ENCRYPTION,
    "x-amz-write-offset-bytes",
    "x-amz-object-lock-event-hold",
)
_WORD = 45
"""Bytes in one RFC 2047 encoded word, which has at most 75 characters."""
_LONGEST_ENCODED = 4 * MAX_METADATA
"""Characters that all metadata allowed may take in encoded words: 3 for a byte, and 12 in 75 that frame them."""


def say_nothing(headers: Headers) -> bool:
    """Whether the headers of a write say nothing of the object to be, as those of most do not: one look finds that."""
    return headers.keys() <= _OF_REQUESTS


def read_object_headers(call: Call) -> tuple[dict[str, str], dict[str, str], str]:
    """What the headers of a write say of the object to be.

    :return: system headers, user metadata, storage class, as :class:`~ozgate.values.ObjectVersion` has them.
    :raises S3Error: the headers ask for what is not built, or break a rule of S3's.
    """
    system = {"content-type": DEFAULT_TYPE}
    metadata: dict[str, str] = {}
    for name, value in call.headers.items():
        if name in SYSTEM_HEADERS:
            kept = _system_value(name, value)
            if kept:
                system[name] = kept
        elif name.startswith(_META):
            metadata[name[len(_META) :]] = _checked(name, _decoded(value))
        elif name.startswith("x-amz-"):
            _refuse_unbuilt(name)
    if metadata:
        _check_size(metadata)
    return system, metadata, storage_class(call.headers)


def read_tags(call: Call) -> dict[str, str]:
    """The tags of the header ``x-amz-tagging``; empty without it."""
    text = call.headers.get("x-amz-tagging")
    return tags.from_header(text) if text else {}


def storage_class(headers: Headers) -> str:
    """The storage class a write asks for; ``STANDARD`` when it names none.

    :raises InvalidStorageClass: S3 has no such class for objects of a general purpose bucket.
    """
    asked = headers.get("x-amz-storage-class") or "STANDARD"
    if asked not in STORAGE_CLASSES:
        raise InvalidStorageClass(StorageClassRequested=asked)
    return asked


def refuse_unbuilt(headers: Headers) -> None:
    """Refuse headers of a part, or of what completes an upload, that ask for something that would not happen.

    Source: users of S3 quote what UploadPart is answered with ``x-amz-tagging``, and tell that it takes no ``x-amz-acl`` either, nor
    CompleteMultipartUpload what it does not know.

    :raises NotImplemented: server-side encryption, a write at an offset, or an event hold.
    :raises InvalidArgument: a list, tags, or a lock: an upload is begun with those.
    """
    for name, value in headers.items():
        if name.startswith("x-amz-"):
            _refuse_unbuilt(name)
            if name in _OF_BEGINNING or name.startswith(_ALL_OF_BEGINNING):
                raise InvalidArgument(
                    "The specified header is not valid in this context",
                    ArgumentName=name,
                    ArgumentValue=value,
                )


def refuse_encryption(headers: Headers) -> None:
    """Refuse a read that says how to encrypt, or brings a customer's key: nothing is encrypted with one.

    Source: Amazon S3 API Reference, GetObject and HeadObject, "Encryption".

    :raises InvalidArgument: it says how.
    :raises InvalidRequest: it brings a key.
    """
    method = headers.get(_ENCRYPTION)
    if method is not None:
        raise InvalidArgument(
            f"{_ENCRYPTION} header is not supported for this operation.",
            ArgumentName=_ENCRYPTION,
            ArgumentValue=method,
        )
    if f"{_ENCRYPTION}-customer-algorithm" in headers:
        raise InvalidRequest(
            "The encryption parameters are not applicable to this object."
        )


def version_headers(
    version: ObjectVersion, version_id: str = ""
) -> list[tuple[str, str]]:
    """The headers of an object's answers to GetObject and HeadObject, without its checksum.

    :param version_id: as :func:`~ozgate.s3.versions.shown_id` gives it.
    """
    answer = [
        ("Last-Modified", http_date(version.modified)),
        ("ETag", f'"{version.etag}"'),
    ]
    if version_id:
        answer.append(("x-amz-version-id", version_id))
    if version.storage_class != "STANDARD":
        answer.append(("x-amz-storage-class", version.storage_class))
    if version.tags:
        answer.append(("x-amz-tagging-count", str(len(version.tags))))
    for name, value in version.metadata.items():
        answer.append((_META + name, encoded(value)))
    for name, value in version.headers.items():
        answer.append((SYSTEM_HEADERS.get(name, name), encoded(value)))
    return answer


def validators(version: ObjectVersion) -> list[tuple[str, str]]:
    """Those of them that an answer 304 has: by which a cache knows what it has, and how long it may keep it (RFC 9110, 15.4.5)."""
    answer = [
        ("Last-Modified", http_date(version.modified)),
        ("ETag", f'"{version.etag}"'),
    ]
    for name in ("cache-control", "expires"):
        value = version.headers.get(name)
        if value is not None:
            answer.append((SYSTEM_HEADERS[name], encoded(value)))
    return answer


def checksum_headers(checksum: Checksum | None) -> list[tuple[str, str]]:
    """The headers that show a checksum."""
    if checksum is None:
        return []
    return [
        (f"x-amz-checksum-{checksum.algorithm.lower()}", checksum.value),
        ("x-amz-checksum-type", checksum.type),
    ]


def encoded(value: str) -> str:
    """A value as it may stand in a header: ASCII as it is, all else as RFC 2047 encoded words."""
    if value.isascii() and (value.isprintable() or not _CONTROL.search(value)):
        return value
    return " ".join(
        f"=?UTF-8?B?{b64encode(word).decode('ascii')}?=" for word in _words(value)
    )


def _words(value: str) -> Iterator[bytes]:
    """Runs of whole characters that each fit an encoded word."""
    word = b""
    for character in value:
        raw = character.encode("utf-8", "replace")
        if len(word) + len(raw) > _WORD:
            yield word
            word = b""
        word += raw
    yield word


def _decoded(value: str) -> str:
    """A value with its RFC 2047 encoded words read; one that is not well formed stays as it is."""
    # What follows the last word is kept from the parser, which would look for the end of each word begun there.
    end = value.rfind("?=") + 2
    if "=?" not in value or end < 2 or len(value) > _LONGEST_ENCODED:
        return value
    try:
        read = str(make_header(decode_header(value[:end]))) + value[end:]
        read.encode("utf-8")  # UTF-7 among others makes halves of surrogate pairs
        return read
    except (CharsetError, HeaderParseError, LookupError, ValueError):
        return value


def _checked(name: str, value: str) -> str:
    """A value that can be sent back in a header.

    :raises InvalidArgument: it has control characters, which could split the header.
    """
    if _CONTROL.search(value):
        raise InvalidArgument(
            "The header value contains control characters", ArgumentName=name
        )
    return value


def _system_value(name: str, value: str) -> str:
    value = _checked(name, value)
    if name == "content-encoding" and "aws-chunked" in value.lower():
        codings = (coding.strip() for coding in value.split(","))
        return ",".join(coding for coding in codings if coding.lower() != "aws-chunked")
    if name == "x-amz-website-redirect-location":
        _check_redirect(value)
    return value


def _check_redirect(value: str) -> None:
    """Refuse what a website could not send its visitors to.

    :raises InvalidRedirectLocation: it is no path and no web address, or too long.
    """
    if not value.startswith(("/", "http://", "https://")):
        raise InvalidRedirectLocation()
    if len(value.encode("utf-8", "replace")) > MAX_REDIRECT:
        raise InvalidRedirectLocation(
            "The length of website redirect location cannot exceed 2,048 characters."
        )


def _check_size(metadata: dict[str, str]) -> None:
    size = sum(
        len(name.encode("utf-8", "replace")) + len(value.encode("utf-8", "replace"))
        for name, value in metadata.items()
    )
    if size > MAX_METADATA:
        raise MetadataTooLarge(Size=size, MaxSizeAllowed=MAX_METADATA)


def _refuse_unbuilt(name: str) -> None:
    """Refuse one header that asks for what is not built."""
    if name.startswith(_UNBUILT):
        raise NotImplemented(
            "A header you provided implies functionality that is not implemented",
            Header=name,
        )
