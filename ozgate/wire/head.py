"""The head of a request: request line and header section, read in one go and strictly.

Whatever two readers could understand differently is refused, for that is how requests are smuggled:
bare CR or LF, obs-fold, white space before a colon, more than one Content-Length, Content-Length together with
Transfer-Encoding, and so on. Rules: RFC 9110, RFC 9112. Knows no S3 but its error classes.
"""

from __future__ import annotations

import re
import socket
from functools import lru_cache

from attrs import define

from ..errors import BadRequest, RequestHeaderSectionTooLarge

TOKEN = b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
"""What a method or header name is made of (RFC 9110, 5.6.2)."""

CONTROLS = bytes(set(range(0x20)) - set(b"\t\r\n")) + b"\x7f"
"""What may appear nowhere in a head."""

_METHODS = frozenset((b"DELETE", b"GET", b"HEAD", b"OPTIONS", b"POST", b"PUT"))
"""Those that come every day need no look at each of their characters."""

_EMPTY_LINES = re.compile(rb"(?:\r\n)*+").match
_HOST = re.compile(rb"(?:(\[[0-9A-Fa-f:.]+\])|([A-Za-z0-9_.-]+))(?::([0-9]{1,5})?)?")
_LONGEST_LENGTH = 19
"""Digits of a Content-Length; more than that overflows 63 bits somewhere behind us."""


@define
class Head:
    """A request's head, found in order.

    :ivar target: the request target as sent.
    :ivar pairs: (lower-case name, value) of each header line, in order.
    :ivar host: the Host header's value, ``None`` in an HTTP/1.0 request without one.
    :ivar length: bytes of the body; ``None`` with the chunked transfer coding.
    :ivar persistent: whether the client lets the connection live on.
    :ivar expects_continue: whether it waits for ``100 Continue`` before it sends the body.
    """

    method: bytes
    target: bytes
    version: bytes
    pairs: list[tuple[bytes, bytes]]
    host: bytes | None
    length: int | None
    persistent: bool
    expects_continue: bool


_SHOWN = 128
"""Bytes that are shown of what is no request."""


def first_line(data: bytes) -> bytes:
    """What the log shows of bytes that are no request: a TLS handshake by name, else the beginning of their first line."""
    if data.startswith(
        b"\x16"
    ):  # RFC 8446, 5.1: the type of a record that is a handshake
        return b"TLS-handshake"
    line = data[: _SHOWN + 1].partition(b"\r\n")[0]
    return line if len(line) <= _SHOWN else line[:_SHOWN] + b"..."


def after_empty_lines(data: bytes) -> bytes:
    """What comes after the empty lines before a request, which are forgiven (RFC 9112, 2.2).

    All of them, since one would not be the same where it comes in a segment of its own; and in one go, since a read may
    bring a hundred thousand.
    """
    found = _EMPTY_LINES(data)
    return data[found.end() :] if found is not None else data


def parse_head(block: bytes, max_line: int, max_headers: int) -> Head:
    """Read a head.

    :param block: the bytes up to, but not including, the empty line.
    :param max_line: longest request line, in bytes.
    :param max_headers: most header lines.
    :raises BadRequest: it is malformed or ambiguous.
    :raises RequestHeaderSectionTooLarge: a limit is passed.
    """
    lines = block.split(b"\r\n")
    breaks = len(lines) - 1
    if (
        block.count(b"\n") != breaks
        or block.count(b"\r") != breaks
        or len(block.translate(None, CONTROLS)) != len(block)
    ):
        raise BadRequest("A control character stands in the request's head.")
    if len(lines[0]) > max_line:
        raise RequestHeaderSectionTooLarge(MaxSizeAllowed=max_line)
    if breaks > max_headers:
        raise RequestHeaderSectionTooLarge(MaxHeadersAllowed=max_headers)
    method, target, version = _request_line(lines[0])
    pairs, names = [], []
    for line in lines[1:]:
        name, colon, value = line.partition(b":")
        if not colon or not name:
            raise BadRequest("A header line is malformed.")
        names.append(name)
        pairs.append((name.lower(), value.strip(b" \t")))
    # Of all names at once: each call of `translate` makes a table first, which takes longer than a name.
    if b"".join(names).translate(None, TOKEN):
        raise BadRequest("A header line is malformed.")
    return _framed(method, target, version, pairs)


def _request_line(line: bytes) -> tuple[bytes, bytes, bytes]:
    parts = line.split(b" ")
    if len(parts) != 3:
        raise BadRequest("The request line is malformed.")
    method, target, version = parts
    if method not in _METHODS and (
        not method or method.translate(None, TOKEN) or len(method) > 32
    ):
        raise BadRequest("The request method is malformed.")
    if version != b"HTTP/1.1" and version != b"HTTP/1.0":
        raise BadRequest("The HTTP version is not supported.")
    # Visible characters of ASCII, for controls but the tab are refused already, and spaces separate.
    if not target or not target.isascii() or b"\t" in target:
        raise BadRequest("The request target is malformed.")
    if target[:1] != b"/" and not _has_valid_authority(target):
        raise BadRequest("The request target is malformed.")
    return method, target, version


def split_target(target: bytes) -> tuple[bytes, bytes]:
    """(authority, rest) of a target in absolute form; the authority of the origin form is empty."""
    if target[:1] == b"/":
        return b"", target
    rest = target.partition(b"://")[2]
    for index, byte in enumerate(rest):
        if byte in b"/?":
            path = rest[index:]
            return rest[:index], path if path[:1] == b"/" else b"/" + path
    return rest, b"/"


def _has_valid_authority(target: bytes) -> bool:
    """Whether it is a target in absolute form. ``*`` and CONNECT's authority form mean nothing here."""
    return target[:8].lower().startswith((b"http://", b"https://")) and valid_host(
        split_target(target)[0]
    )


def _framed(
    method: bytes, target: bytes, version: bytes, pairs: list[tuple[bytes, bytes]]
) -> Head:
    """Draw from the headers where the body ends and what becomes of the connection."""
    host: bytes | None = None
    length: int | None = None
    chunked = expects_continue = False
    persistent = version == b"HTTP/1.1"
    for name, value in pairs:
        if name == b"host":
            if host is not None or not valid_host(value):
                raise BadRequest("The Host header is missing or malformed.")
            host = value
        elif name == b"content-length":
            if length is not None or not _is_length(value):
                raise BadRequest("The Content-Length header is malformed.")
            length = int(value)
        elif name == b"transfer-encoding":
            if chunked or value.lower() != b"chunked" or version == b"HTTP/1.0":
                raise BadRequest("The Transfer-Encoding header is not supported.")
            chunked = True
        elif name == b"expect":
            expects_continue = value.lower() == b"100-continue"
        elif name == b"connection":
            tokens = [token.strip() for token in value.lower().split(b",")]
            persistent = persistent and b"close" not in tokens
    if version == b"HTTP/1.1" and host is None:
        raise BadRequest("The Host header is missing or malformed.")
    if chunked and length is not None:
        raise BadRequest("Content-Length and Transfer-Encoding exclude each other.")
    if version == b"HTTP/1.0":
        expects_continue = False  # RFC 9110, 10.1.1
    body_length = None if chunked else length or 0
    return Head(
        method, target, version, pairs, host, body_length, persistent, expects_continue
    )


def _is_length(value: bytes) -> bool:
    return value.isdigit() and len(value) <= _LONGEST_LENGTH


def valid_host(value: bytes) -> bool:
    """Whether a Host header is a host, with or without a port.

    Stricter than RFC 3986: no user information, no percent-encoding, labels of 1 to 63 bytes.
    werkzeug, for one, fails on the others.
    """
    return len(value) <= 300 and _valid_host(value)


@lru_cache(maxsize=1024)
def _valid_host(value: bytes) -> bool:
    match = _HOST.fullmatch(value)
    if match is None:
        return False
    literal, name, port = match.groups()
    if port is not None and int(port) > 65535:
        return False
    if literal is not None:
        try:
            socket.inet_pton(socket.AF_INET6, literal[1:-1].decode("ascii"))
        except OSError:
            return False
        return True
    labels = name.removesuffix(b".").split(b".")
    return all(0 < len(label) < 64 for label in labels)
