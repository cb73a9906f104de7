"""The computation of Signature Version 4 that the signing and the verifying side share.

Source: Amazon S3 API Reference, "Signature Calculations for the Authorization Header". Pure functions; imports nothing of ozgate.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from urllib.parse import quote, unquote_plus, unquote_to_bytes

ALGORITHM = "AWS4-HMAC-SHA256"
UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"
TERMINATOR = "aws4_request"

_plain_path = re.compile(rb"[A-Za-z0-9_.~/-]*").fullmatch
_plain_text = re.compile(r"[A-Za-z0-9_.~-]*").fullmatch
_blanks = re.compile(r"[ \t]+")
_PARAMETER = "%s=%s".__mod__
_HEADER_LINE = "%s:%s\n".__mod__


def canonical_request(
    method: str,
    path: bytes,
    query: Sequence[tuple[str, str]],
    headers: Iterable[tuple[str, str]],
    signed_headers: str,
    payload: str,
) -> str:
    """The canonical request.

    :param path: as sent. It is decoded and encoded again, once and without normalizing, so that
        clients that encode differently agree.
    :param query: decoded names and values.
    :param headers: the signed ones, in the order signed, their values without blanks at the ends.
    :param signed_headers: their names, separated by ``;``.
    """
    if not _plain_path(path):
        path = quote(unquote_to_bytes(path), safe="/-_.~").encode()
    signed = "".join(map(_HEADER_LINE, headers))
    if "  " in signed or "\t" in signed:
        signed = _blanks.sub(" ", signed)
    return (
        f"{method}\n{path.decode() or '/'}\n{_canonical_query(query) if query else ''}\n"
        f"{signed}\n{signed_headers}\n{payload}"
    )


def _canonical_query(query: Iterable[tuple[str, str]]) -> str:
    pairs = [
        (_encode(name), _encode(value))
        for name, value in query
        if name != "X-Amz-Signature"
    ]
    pairs.sort()
    return "&".join(map(_PARAMETER, pairs))


def string_to_sign(timestamp: str, scope: str, request: str) -> str:
    """What is signed for a canonical request."""
    digest = hashlib.sha256(request.encode()).hexdigest()
    return f"{ALGORITHM}\n{timestamp}\n{scope}\n{digest}"


def signature(key: bytes, text: str) -> str:
    """The signature of a string to sign, 64 hex digits."""
    inside, outside = _keyed(key)
    inner = inside.copy()
    inner.update(text.encode())
    outer = outside.copy()
    outer.update(inner.digest())
    return outer.hexdigest()


@lru_cache(maxsize=1024)
def _keyed(key: bytes) -> tuple[hashlib._Hash, hashlib._Hash]:
    """Both hashes of HMAC (RFC 2104) with the key in them: copying them takes a third of what ``hmac`` does."""
    block = key.ljust(64, b"\0")
    return (
        hashlib.sha256(bytes(byte ^ 0x36 for byte in block)),
        hashlib.sha256(bytes(byte ^ 0x5C for byte in block)),
    )


def signing_key(secret: str, date: str, region: str, service: str = "s3") -> bytes:
    """The key of one secret for one day, region and service: it signs nothing for another service."""
    # What nobody calls a region is not worth keeping.
    make = _signing_key if len(region) <= 64 else _signing_key.__wrapped__
    return make(secret, date, region, service)


@lru_cache(maxsize=1024)
def _signing_key(secret: str, date: str, region: str, service: str) -> bytes:
    key = ("AWS4" + secret).encode()
    for part in (date, region, service, TERMINATOR):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def query_items(query: str) -> list[tuple[str, str]]:
    """Decoded names and values of an encoded query, in order."""
    pairs = (pair.partition("=") for pair in query.split("&") if pair)
    return [(unquote_plus(name), unquote_plus(value)) for name, _, value in pairs]


def _encode(text: str) -> str:
    if _plain_text(text):
        return text
    return (_quoted if len(text) <= 128 else _quoted.__wrapped__)(text)


@lru_cache(maxsize=1024)
def _quoted(text: str) -> str:
    """Kept where it is short, as the credential of a presigned URL."""
    return quote(text, safe="-_.~")
