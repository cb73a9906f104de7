"""The headers of an object: what is kept of them can be stored and sent back, and says what was sent."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from ozgate.errors import S3Error
from ozgate.s3.checksums import declared, trailer
from ozgate.s3.conditions import (
    check_copy_source,
    check_delete,
    check_read,
    check_write,
)
from ozgate.s3.grantees import stated_in
from ozgate.s3.headers import (
    encoded,
    read_object_headers,
    read_tags,
    refuse_encryption,
    refuse_unbuilt,
    version_headers,
)
from ozgate.s3.terms import _content_md5, _decoded_length
from ozgate.values import ObjectVersion
from ozgate.wire.head import CONTROLS, TOKEN
from ozgate.wire.headers import Headers
from tests.fuzz.judging import check_error, text
from tests.fuzz.running import fuzz

VERSION = ObjectVersion(
    key="k", sequence=1, modified=1_795_000_000_000, etag="0123", owner="o"
)
SEEDS = (
    b"x-amz-meta-a: =?UTF-8?B?w6k=?=\nx-amz-meta-b: caf\xc3\xa9\ncontent-type: text/html; charset=utf-8",
    b"x-amz-meta-a: =?iso-8859-1?q?a=E9_b?= c\ncontent-encoding: aws-chunked, gzip\ncache-control: no-cache",
    b"x-amz-tagging: a=b&c=d\nx-amz-storage-class: STANDARD_IA\nx-amz-acl: private",
    b"x-amz-checksum-crc32: AAAAAA==\nx-amz-sdk-checksum-algorithm: CRC32\ncontent-md5: 1B2M2Y8AsgTpgAmY7PhCfg==",
    b"x-amz-trailer: x-amz-checksum-sha256\nx-amz-decoded-content-length: 12",
    b'if-match: "0123"\nif-none-match: *\nif-modified-since: Wed, 18 Nov 2026 11:06:40 GMT',
    b"x-amz-copy-source-if-match: 0123\nx-amz-if-match-size: 0\nx-amz-website-redirect-location: /other",
    b"x-amz-server-side-encryption: AES256\nx-amz-grant-read: id=1\nx-amz-object-lock-mode: COMPLIANCE",
)
WORDS = (
    *(b"x-amz-meta-a: ", b"=?utf-8?q?", b"=?utf-7?Q?", b"=?utf-16?B?", b"?=", b"\n"),
    *(b"content-type: ", b"content-encoding: ", b"aws-chunked", b"x-amz-tagging: "),
    *(b"x-amz-checksum-crc64nvme: ", b"x-amz-trailer: ", b"x-amz-storage-class: "),
    *(b"x-amz-acl: ", b"if-match: ", b"if-none-match: ", b"if-unmodified-since: "),
    *(b"x-amz-copy-source-if-none-match: ", b"x-amz-if-match-last-modified-time: "),
    *(b"unicode_escape", b"idna", b"punycode", b"+2AA-", b"=0D=0A", b"expires: "),
)


def one_input(data: bytes) -> None:
    """Read header lines."""
    values: dict[str, str] = {}
    for line in data.split(b"\n"):
        name, colon, value = line.partition(b":")
        if not colon or not name or name.translate(None, TOKEN):
            continue
        value = value.translate(None, CONTROLS + b"\r").strip(b" \t")
        values[name.decode("ascii").lower()] = text(value)
    headers = Headers(values)
    call: Any = SimpleNamespace(headers=headers)
    kept = _refusable(read_object_headers, call)
    if kept is not None:
        _check_kept(values, *kept)
    for read in (
        declared,
        trailer,
        _content_md5,
        _decoded_length,
        refuse_unbuilt,
        stated_in,
    ):
        _refusable(read, headers)
    _refusable(refuse_encryption, headers)
    _refusable(read_tags, call)
    for latest in (None, VERSION):
        _refusable(check_write, headers, latest)
        _refusable(check_delete, headers, latest)
    _refusable(check_read, headers, "0123", VERSION.modified, VERSION.modified)
    _refusable(check_copy_source, headers, "0123", VERSION.modified, VERSION.modified)


def _refusable(read: Any, *arguments: Any) -> Any:
    try:
        return read(*arguments)
    except S3Error as error:
        check_error(error)
        return None


def _check_kept(
    values: dict[str, str], system: dict[str, str], metadata: dict[str, str], kind: str
) -> None:
    """What is kept is Unicode without control characters, and what is sent back reads as what was kept."""
    for value in (*system.values(), *metadata.values()):
        value.encode("utf-8")
    version = ObjectVersion(
        key="k",
        sequence=1,
        modified=0,
        etag="0123",
        owner="o",
        headers=system,
        metadata=metadata,
        storage_class=kind,
    )
    for name, value in version_headers(version):
        line = name.encode("ascii") + value.encode("ascii")
        assert not any(byte in b"\r\n\0" for byte in line), line
    again: Any = SimpleNamespace(
        headers=Headers(
            {f"x-amz-meta-{name}": encoded(value) for name, value in metadata.items()}
        )
    )
    if not any("=?" in value for value in metadata.values()):
        read_again = read_object_headers(again)[1]
        assert read_again == metadata, (read_again, metadata, values)


if __name__ == "__main__":
    fuzz("headers")
