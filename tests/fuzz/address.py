"""Request targets and hosts: both ways of reading a target agree, and an address says what was asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import unquote, unquote_plus

from attrs import evolve

from ozgate.errors import S3Error
from ozgate.s3.resolve import resolve
from ozgate.wire import target as module
from ozgate.wire.target import (
    Address,
    Query,
    Scope,
    parse_address,
    parse_query,
    valid_bucket_name,
)
from tests.fuzz.judging import check_error
from tests.fuzz.running import fuzz

VISIBLE = bytes(range(0x21, 0x7F))
"""What a request target is made of; what is not ASCII must come percent-encoded."""

DOMAINS = ("s3.example.com", "example.com:9878")
SEEDS = (
    b"/bucket/key?versionId=null\nlocalhost",
    b"/a%2Fb/c+d%20e?prefix=a+b&max-keys=3\nbucket.s3.example.com:9878",
    b"http://bucket.example.com/k%C3%A9?uploads&uploadId=\nbucket.example.com",
    b"//bucket//key/../%00\n[::1]:80",
    b"/?x-id=ListBuckets",
)
WORDS = (
    *(b"/", b"//", b"%2F", b"%00", b"%C3%A9", b"%FF", b"+", b"?", b"&", b"=", b"\n"),
    *(b"http://", b"bucket", b"s3.example.com", b".example.com", b"[::1]", b":80"),
    *(b"uploads", b"uploadId=", b"partNumber=", b"versionId=", b"tagging", b"acl"),
    *(b"list-type=2", b"versions", b"delete", b"policy", b"attributes", b"xn--"),
)
_NO_QUERY = Query()
METHODS = ("GET", "PUT", "POST", "DELETE", "HEAD", "OPTIONS", "PATCH")


def one_input(data: bytes) -> None:
    """Read a target and, after a line feed, a host."""
    target, line, sent = data.partition(b"\n")
    host = sent if line else None
    found = _read(parse_address, target, host)
    try:
        in_host = module._host(host, DOMAINS)[0]
    except S3Error:
        in_host = ""
    if in_host is None and not target.translate(None, VISIBLE):
        # Targets without escapes have a way of their own; the other must read them so too.
        other = _read(module._parse_any, target, host)
        assert _seen(found) == _seen(other)
    if isinstance(found, S3Error):
        check_error(found)
        return
    if not target.translate(None, VISIBLE):
        _check(found, target)
    for method in METHODS:
        for copies in (False, True):
            try:
                row = resolve(method, found, copies)
                assert row.scope is found.scope and row.method == method
            except S3Error as error:
                check_error(error)


def _read(
    read: Callable[..., Address], target: bytes, host: bytes | None
) -> Address | S3Error:
    try:
        return read(target, host, DOMAINS)
    except S3Error as error:
        return error


def _seen(found: Address | S3Error) -> Any:
    """What can be compared."""
    if isinstance(found, S3Error):
        return S3Error  # whichever is found first, of several
    return evolve(found, query=_NO_QUERY), found.query.items()


def _check(found: Address, target: bytes) -> None:
    """What the standard library reads in a target is what we read."""
    assert (
        target.endswith(found.raw_path + b"?" + found.raw_query)
        or (
            not found.raw_query
            and (target.endswith((found.raw_path, found.raw_path + b"?")))
        )
        or found.raw_path == b"/"
    ), found
    if found.scope is Scope.SERVICE:
        assert not found.bucket and not found.key
    else:
        assert valid_bucket_name(found.bucket)
        assert (found.scope is Scope.OBJECT) == bool(found.key)
        path = unquote(found.raw_path.decode(), errors="strict")
        assert path.endswith(found.key), (path, found.key)
        assert len(found.key.encode()) <= 1024
    theirs = [
        tuple(unquote_plus(part, errors="strict") for part in piece.split("=", 1))
        for piece in found.raw_query.decode().split("&")
        if piece
    ]
    ours = found.query.items()
    assert ours == [pair if len(pair) == 2 else (pair[0], "") for pair in theirs]
    assert parse_query(found.raw_query).items() == ours
    for name in found.query.names():
        assert found.query.get(name) == next(v for n, v in ours if n == name)


if __name__ == "__main__":
    fuzz("address")
