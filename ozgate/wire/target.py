"""What a request is addressed to: bucket, key and query, from the raw target and the Host.

Nothing between the socket and this module has decoded, merged or split anything: keys are
kept byte for byte. Sources: Amazon S3 User Guide, "Virtual hosting of general purpose
buckets", "General purpose bucket naming rules", "Naming Amazon S3 objects"; RFC 9112, 3.
"""

from __future__ import annotations

import re
from collections.abc import KeysView, Sequence
from enum import Enum
from functools import lru_cache
from ipaddress import AddressValueError, IPv6Address
from urllib.parse import unquote_to_bytes

from ..errors import BadRequest, InvalidBucketName, InvalidURI, KeyTooLongError
from ..immutable import frozen


class Scope(Enum):
    """What an address names."""

    SERVICE = "service"
    BUCKET = "bucket"
    OBJECT = "object"


MAX_KEY = 1024
"""Bytes of UTF-8 that a key may have."""

MAX_PARAMETERS = 500
"""Parameters that a query may have: as many as a request may have headers, which is what a presigned URL carries in them."""

_SHORT = 100
"""Bytes of a parameter that is worth keeping."""

_LAMBDA_PATH = b"/WriteGetObjectResponse"
"""The one path of S3's service model that has no bucket in it."""

_PLAIN = re.compile(
    rb"/([a-z0-9.-]{3,63})(?:/([!-$&->@-~]*))?(?:\?([!-~]*))?"
).fullmatch
"""A path-style target without escapes in its path: bucket, key, query."""

_NOT_PRINTED = re.compile(rb"[\x00-\x20\x7f]").search
_BAD_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})").search
_HOST = re.compile(rb"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::([0-9]{0,5}))?").fullmatch
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]").fullmatch
_LIKE_IPV4 = re.compile(r"(?:[0-9]+\.){3}[0-9]+").fullmatch
_RESERVED_PREFIXES = ("xn--", "sthree-", "amzn-s3-demo-")
_RESERVED_SUFFIXES = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")


class Query:
    """A query string, decoded: ``&`` alone separates, a name without ``=`` has the value ``""``.

    ``+`` is a space, as S3 reads it. Where a name is there twice, :meth:`get` gives its
    first value.
    """

    __slots__ = ("_items", "_values")

    def __init__(self, items: Sequence[tuple[str, str]] = ()) -> None:
        self._items = items
        self._values = dict(items)
        if len(self._values) < len(items):
            self._values = dict(reversed(items))

    def get(self, name: str) -> str | None:
        """The value of a name; ``""`` when it has none, ``None`` when it is not there."""
        return self._values.get(name)

    def names(self) -> KeysView[str]:
        """Each name once."""
        return self._values.keys()

    def items(self) -> list[tuple[str, str]]:
        """All pairs in the order sent, those of repeated names too."""
        return list(self._items)

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def __bool__(self) -> bool:
        return bool(self._items)


_NO_QUERY = Query()


@frozen
class Address:
    """What a request names.

    :ivar bucket: ``""`` in a service request.
    :ivar key: ``""`` unless ``scope`` is an object.
    :ivar raw_path: the path as sent, without scheme, host and query.
    :ivar raw_query: the query as sent, without its question mark.
    :ivar host: the host as sent, its port included; ``""`` when none was.
    :ivar virtual_host: whether the bucket came from the host.
    """

    scope: Scope
    bucket: str
    key: str
    query: Query
    raw_path: bytes
    raw_query: bytes
    host: str
    virtual_host: bool

    @property
    def resource(self) -> str:
        """``/bucket/key``, as error documents name it, whatever the style of the address."""
        if self.scope is Scope.OBJECT:
            return f"/{self.bucket}/{self.key}"
        return f"/{self.bucket}"


def parse_address(target: bytes, host: bytes | None, domains: Sequence[str]) -> Address:
    """Read an address, path style and virtual-host style at once.

    A host ``bucket.domain`` of one of ``domains`` names the bucket (the longest domain wins);
    any other host is path style. In paths ``+`` is a plus; ``%2F`` in a key is a slash of the
    key, in a bucket's name a bad name. ``//b/k`` has an empty bucket name.

    :param target: the request target: a path with query, or a whole URL whose authority must
        be that of ``host``, since the signature covers the header alone.
    :param host: the Host header; ``None`` when there is none.
    :param domains: ``ozone.s3g.domain.name``; ports in it are ignored.
    :raises InvalidURI: bad escapes, no UTF-8, control characters or no path at all.
    :raises BadRequest: the host is none, or contradicts the target.
    :raises InvalidBucketName: no bucket can have that name.
    :raises KeyTooLongError: the key has more than 1024 bytes.
    """
    bucket, sent_host = _host(host, tuple(domains))
    if bucket is None:
        plain = _PLAIN(target)
        if plain is not None and len(target) <= MAX_KEY:
            name, raw_key, raw_query = plain.groups()
            text = name.decode()
            if not _valid_bucket_name(text):
                raise InvalidBucketName(BucketName=text)
            return Address(
                Scope.OBJECT if raw_key else Scope.BUCKET,
                text,
                raw_key.decode() if raw_key else "",
                parse_query(raw_query) if raw_query else _NO_QUERY,
                target[: len(target) - len(raw_query) - 1]
                if raw_query is not None
                else target,
                raw_query or b"",
                sent_host,
                False,
            )
    return _parse_any(target, host, tuple(domains))


def parse_page(target: bytes, host: bytes | None, domains: Sequence[str]) -> Address:
    """Read the address of a website's page: the host names the bucket, as ``bucket.domain`` or by all of it.

    Source: Amazon S3 User Guide, "Website endpoints", "Configuring a static website using a custom domain".

    :param domains: ``ozgate.website.domain-names``.
    :raises S3Error: as for :func:`parse_address`.
    """
    return _parse_any(target, host, tuple(domains), is_page=True)


def _parse_any(
    target: bytes,
    host: bytes | None,
    domains: tuple[str, ...],
    is_page: bool = False,
) -> Address:
    """Every form of target; see :func:`parse_address` and :func:`parse_page`."""
    if _NOT_PRINTED(target):
        raise _invalid(target)
    if not target.startswith(b"/"):
        target, host = _absolute(target, host)
    bucket, sent_host = _host(host, domains)
    if is_page and bucket is None:
        bucket = sent_host.partition(":")[0].removesuffix(".").lower()
    raw_path, _, raw_query = target.partition(b"?")
    query = parse_query(raw_query) if raw_query else _NO_QUERY
    virtual_host = bucket is not None
    if bucket is not None:
        raw_key = raw_path[1:]
    else:
        raw_bucket, _, raw_key = raw_path[1:].partition(b"/")
        bucket = _decode(raw_bucket, target)
        if raw_path in (b"/", _LAMBDA_PATH):
            return Address(
                Scope.SERVICE, "", "", query, raw_path, raw_query, sent_host, False
            )
    if not valid_bucket_name(bucket):
        raise InvalidBucketName(BucketName=bucket)
    key = _decode(raw_key, target)
    check_key(key)
    scope = Scope.OBJECT if key else Scope.BUCKET
    return Address(
        scope, bucket, key, query, raw_path, raw_query, sent_host, virtual_host
    )


def check_key(key: str) -> None:
    """Check a key's length, wherever the key came from.

    :raises KeyTooLongError: it has more than 1024 bytes in UTF-8.
    """
    if len(key) * 4 > MAX_KEY:
        size = len(key.encode())
        if size > MAX_KEY:
            raise KeyTooLongError(Size=size, MaxSizeAllowed=MAX_KEY)


def parse_query(raw: bytes) -> Query:
    """Decode a query string.

    :raises InvalidURI: a bad escape, what is no UTF-8, or more than :data:`MAX_PARAMETERS`: who asks so need not have a key, and
        each of them is looked at several times.
    """
    if raw.count(b"&") >= MAX_PARAMETERS:
        raise InvalidURI(f"The query has more than {MAX_PARAMETERS} parameters.")
    query = raw.replace(b"+", b" ") if b"+" in raw else raw
    if not query.isascii():
        return Query([_pair_of(piece, raw) for piece in query.split(b"&") if piece])
    items = []
    for piece in query.decode("ascii").split("&"):
        if "%" in piece:
            items.append(_pair_of(piece.encode("ascii"), raw))
        elif piece:
            name, _, value = piece.partition("=")
            items.append((name, value))
    return Query(items)


def _pair_of(piece: bytes, raw: bytes) -> tuple[str, str]:
    # Presigned URLs repeat what is escaped in them, which is no secret.
    is_kept = piece[:6] == b"X-Amz-" and len(piece) <= _SHORT
    found = (_pair if is_kept else _pair.__wrapped__)(piece)
    if found is None:
        raise _invalid(raw)
    return found


@lru_cache(maxsize=1024)
def _pair(piece: bytes) -> tuple[str, str] | None:
    """A name and a value, decoded; ``None`` where they cannot be."""
    name, _, value = piece.partition(b"=")
    try:
        return _decode(name, piece), _decode(value, piece)
    except InvalidURI:
        return None


def _decode(raw: bytes, target: bytes) -> str:
    """Undo percent-encoding, strictly."""
    if b"%" in raw:
        if _BAD_ESCAPE(raw):
            raise _invalid(target)
        raw = unquote_to_bytes(raw)
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise _invalid(target) from None


def _invalid(target: bytes) -> InvalidURI:
    return InvalidURI(URI=target.decode("ascii", "backslashreplace"))


def _absolute(target: bytes, host: bytes | None) -> tuple[bytes, bytes]:
    """The path and the authority of a target in absolute form (RFC 9112, 3.2.2)."""
    scheme, separator, rest = target.partition(b"://")
    if not separator or scheme.lower() not in (b"http", b"https"):
        raise _invalid(target)
    ends = [place for mark in b"/?" if (place := rest.find(mark)) >= 0]
    end = min(ends, default=len(rest))
    authority, path = rest[:end], rest[end:]
    if host is not None and authority.lower() != host.strip().lower():
        raise BadRequest("The request target and the Host header name different hosts.")
    return (path if path.startswith(b"/") else b"/" + path), authority


@lru_cache(maxsize=1024)
def _host(host: bytes | None, domains: tuple[str, ...]) -> tuple[str | None, str]:
    """The bucket that a Host header names, if any, and the header as text.

    :raises BadRequest: what was sent is no host; nothing that passes upsets IDNA encoding.
    """
    if host is None:
        return None, ""
    match = _HOST(host.strip(b" \t"))
    if match is None or int(match[2] or 0) > 65535:
        raise BadRequest("The Host header is not a host.")
    sent = match[0].decode()
    name = match[1].decode().lower()
    if name.startswith("["):
        try:
            IPv6Address(name[1:-1])
        except AddressValueError:
            raise BadRequest("The Host header is not a host.") from None
        return None, sent
    name = name.removesuffix(".")
    if len(name) > 253 or not all(0 < len(label) < 64 for label in name.split(".")):
        raise BadRequest("The Host header is not a host.")
    for domain in _longest_first(domains):
        if name == domain:
            break
        if name.endswith(f".{domain}"):
            return name[: -len(domain) - 1], sent
    return None, sent


@lru_cache(maxsize=16)
def _longest_first(domains: tuple[str, ...]) -> tuple[str, ...]:
    """Domains as hosts are compared with them: lower case, without ports and outer dots."""
    names = {domain.partition(":")[0].strip().strip(".").lower() for domain in domains}
    return tuple(sorted(names - {""}, key=len, reverse=True))


def valid_bucket_name(name: str) -> bool:
    """Whether a general purpose bucket may have that name.

    3 to 63 lower-case letters, digits, dots and hyphens; a letter or digit at both ends; no
    two dots together; not formatted as an IPv4 address; none of the reserved prefixes and suffixes. (A hyphen
    beside a dot was forbidden once; the rules published now allow it.)
    """
    return len(name) <= 63 and _valid_bucket_name(name)


@lru_cache(maxsize=4096)
def _valid_bucket_name(name: str) -> bool:
    if _BUCKET(name) is None or ".." in name:
        return False
    if name.startswith(_RESERVED_PREFIXES) or name.endswith(_RESERVED_SUFFIXES):
        return False
    return _LIKE_IPV4(name) is None
