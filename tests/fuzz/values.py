"""One value, read in each of the ways that the gateway reads single values: headers, parameters, commands, configuration."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote

from ozgate.auth.signedtimes import parse_timestamp
from ozgate.config.authtolocal import parse_rules, short_name
from ozgate.config.parsers import host_and_port
from ozgate.config.settings import knobs
from ozgate.errors import InvalidTag, S3Error
from ozgate.s3.checksums import ALGORITHMS, check_value
from ozgate.s3.conditions import matches
from ozgate.s3.params import (
    copy_source,
    copy_source_range,
    encoding_type,
    integer,
    parse_range,
    url_encode,
)
from ozgate.s3.perform.reading import part_number_of
from ozgate.s3.tags import from_document, from_header, to_document
from ozgate.s3.times import http_date, parse_http_date
from ozgate.s3.tokens import decode_token, encode_token
from ozgate.s3.versions import check_version_id
from ozgate.values import Acl, ByteRange
from tests.fuzz.judging import check_error, text
from tests.fuzz.running import fuzz

SIZE = 1000
PARSERS = tuple({each.metadata["parse"]: None for each in knobs()})
"""What reads the values of the configuration."""
SEEDS = (
    b"bytes=0-99",
    b"bytes=-5",
    b"bytes=990-",
    b"/bucket/a%20key+b?versionId=null",
    b"a=b&c=%C3%A9+d",
    b"Wed, 18 Nov 2026 11:06:40 GMT",
    b"Wednesday, 18-Nov-26 11:06:40 GMT",
    b"Wed Nov 18 11:06:40 2026",
    b"20261118T110640Z",
    b'"0123", W/"d41d8cd98f00b204e9800998ecf8427e", *',
    b"AAAAAA==",
    b"user:alice:rw[ACCESS]",
    b"world::a",
    b"RULE:[2:$1@$0](.*@EXAMPLE\\.COM)s/@.*//g/L DEFAULT",
    b"500ms",
    b"5GB",
    b"[::1]:9878",
    b"2147483648",
    b"sqlite:metadata.db",
)
WORDS = (
    *(b"bytes=", b"-", b"?versionId=", b"%2F", b"%C3%A9", b"GMT", b"Nov", b"Sunday, "),
    *(b"W/", b'"', b", ", b"*", b"user:", b"world:", b"group:", b"[DEFAULT]", b"RULE:"),
    *(b"DEFAULT", b"[1:$1]", b"s/a/b/g", b"/L", b"ms", b"KB", b"[::]", b"null", b"+"),
)


def one_input(data: bytes) -> None:
    """Read a value in every way."""
    value = text(data)
    for read in (_numbers, _ranges, _copies, _tags, _tokens, _dates, _entity_tags):
        read(value)
    for algorithm in ALGORITHMS.values():
        _refusable(check_value, algorithm, value)
    _refusable(check_version_id, value)
    _commands(value)


def _refusable(read: Callable[..., Any], *arguments: Any) -> Any:
    """What is read, or ``None`` where S3 has an error for it."""
    try:
        return read(*arguments)
    except S3Error as error:
        check_error(error)
        return None


def _numbers(value: str) -> None:
    call: Any = SimpleNamespace(query={"n": value, "encoding-type": value}.get)
    number = _refusable(integer, call, "n", 7, 1, 1000)
    assert number is None or 1 <= number <= 1000
    number = _refusable(part_number_of, value)
    assert number is None or str(number) == value.lstrip("0")
    encode = _refusable(encoding_type, call)
    assert encode is None or unquote(encode("%")) == "%" or not value
    assert unquote(url_encode(value), errors="strict") == value


def _ranges(value: str) -> None:
    for size in (0, 1, SIZE, 1 << 62):
        found: ByteRange | None = _refusable(parse_range, value, size)
        assert found is None or 0 <= found.offset < found.end <= size
        found = _refusable(copy_source_range, value, size)
        assert found is None or 0 <= found.offset < found.end <= size


def _copies(value: str) -> None:
    found = _refusable(copy_source, value)
    if found is not None:
        bucket, key, version = found
        path = value.partition("?versionId=")[0].replace("+", " ")
        assert unquote(path, errors="strict").removeprefix("/") == f"{bucket}/{key}"
        assert (version is None) == ("?versionId=" not in value)


def _tags(value: str) -> None:
    tags = _refusable(from_header, value)
    if tags:
        assert len(tags) <= 10
        again = _refusable(from_document, to_document(tags))
        assert again == tags, (again, tags)
    try:
        from_document(data := to_document({value: value}))
    except InvalidTag as error:
        check_error(error)
    except S3Error as error:
        # Some characters no document has, though the writer gives them a reference as S3 does.
        assert b"&#" in data, error


def _tokens(value: str) -> None:
    after = _refusable(decode_token, value)
    assert after is None or encode_token(after) == value
    assert not value or decode_token(encode_token(value)) == value


def _dates(value: str) -> None:
    seconds = parse_http_date(value)
    assert seconds is None or parse_http_date(http_date(seconds * 1000)) == seconds
    parse_timestamp(value)


def _entity_tags(value: str) -> None:
    weak, strong = matches(value, "0123", weak=True), matches(value, "0123")
    assert weak or not strong
    assert not weak or "0123" in value or value == "*"


def _commands(value: str) -> None:
    """What administrators write: a value, or ``ValueError`` with a line that says why."""
    acl = _or_line(Acl.parse, value)
    assert acl is None or Acl.parse(str(acl)) == acl
    rules = _or_line(parse_rules, value)
    if rules and len(value) < 60:
        short_name("alice/host@REALM", rules, "REALM")
    _or_line(host_and_port, value)
    for parse in PARSERS:
        assert _or_line(parse, value) != inf


def _or_line(parse: Callable[[str], Any], value: str) -> Any:
    try:
        return parse(value)
    except ValueError as error:
        assert len(str(error).splitlines()) == 1, error
        return None


if __name__ == "__main__":
    fuzz("values")
