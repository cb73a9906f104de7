"""The head of a request: request line and header section, read in one go and strictly.

Whatever two readers could understand differently is refused, for that is how requests are smuggled:
bare CR or LF, obs-fold, white space before a colon, more than one Content-Length, Content-Length together with
Transfer-Encoding, and so on. Rules: RFC 9110, RFC 9112. Knows no S3 but its error classes.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Mapping
from functools import lru_cache

from attrs import define, field

from ..errors import BadRequest, RequestHeaderSectionTooLarge
from .headers import Headers

TOKEN = b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
"""What a method or header name is made of (RFC 9110, 5.6.2)."""

CONTROLS = bytes(set(range(0x20)) - set(b"\t\r\n")) + b"\x7f"
"""What may appear nowhere in a head."""

_CONTROLS_AND_BREAKS = CONTROLS + b"\r\n"

_PLAIN_LINE = re.compile(
    r"(DELETE|GET|HEAD|OPTIONS|POST|PUT) (/[!-~]*+) HTTP/1\.1(?=\r|\Z)"
).match
"""The request line of almost every request."""

_HEADER_LINES = re.compile(r"\n([!#$%&'*+.^_`|~0-9A-Za-z-]++):[ \t]*+(.*+)").findall
"""(name, value) of each line but the first that is a header's; blanks, and the CR, may be left at a value's end."""

_AROUND = " \t\r"
_EMPTY_LINES = re.compile(rb"(?:\r\n)*+").match
_HOST = re.compile(rb"(?:(\[[0-9A-Fa-f:.]+\])|([A-Za-z0-9_.-]+))(?::([0-9]{1,5})?)?")
_LONGEST_LENGTH = 19
"""Digits of a Content-Length; more than that overflows 63 bits somewhere behind us."""


@define
class Head:
    """A request's head, found in order.

    :ivar target: the request target as sent.
    :ivar headers: its headers, as values.
    :ivar host: the Host header's value, ``None`` in an HTTP/1.0 request without one.
    :ivar length: bytes of the body; ``None`` with the chunked transfer coding.
    :ivar persistent: whether the client lets the connection live on.
    :ivar expects_continue: whether it waits for ``100 Continue`` before it sends the body.
    :ivar is_plain: whether it is ASCII and names each header once, so that ``headers`` says all that ``pairs`` says.
    :ivar block: all of it, as sent.
    """

    method: bytes
    target: bytes
    version: bytes
    headers: Headers
    host: bytes | None
    length: int | None
    persistent: bool
    expects_continue: bool
    is_plain: bool
    block: bytes = field(eq=False)

    @property
    def pairs(self) -> list[tuple[bytes, bytes]]:
        """(lower-case name, value) of each header line, in order; made when asked for, as for few requests."""
        return _pairs(self.block.decode("latin-1"))


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

    One expression finds all header lines, in C: with a few calls for each line this took twice as long.

    :param block: the bytes up to, but not including, the empty line.
    :param max_line: longest request line, in bytes.
    :param max_headers: most header lines.
    :raises BadRequest: it is malformed or ambiguous.
    :raises RequestHeaderSectionTooLarge: a limit is passed.
    """
    breaks = block.count(b"\r\n")
    # What a CR or LF alone is one of, too.
    if len(block) - len(block.translate(None, _CONTROLS_AND_BREAKS)) != 2 * breaks:
        raise BadRequest("A control character stands in the request's head.")
    text = block.decode("latin-1")
    plain = _PLAIN_LINE(text)
    longest = len(text.partition("\r\n")[0]) if plain is None else plain.end()
    if longest > max_line:
        raise RequestHeaderSectionTooLarge(MaxSizeAllowed=max_line)
    if breaks > max_headers:
        raise RequestHeaderSectionTooLarge(MaxHeadersAllowed=max_headers)
    if plain is None:
        line = _request_line(block[:longest])
    else:
        line = plain[1].encode(), plain[2].encode(), b"HTTP/1.1"
    headers = Headers()
    framing: Mapping[str, str] = headers
    for name, value in _HEADER_LINES(text):
        headers[name.lower()] = value.strip(_AROUND)
    is_plain = len(headers) == breaks and text.isascii()
    if not is_plain:
        headers, framing = _repeated(text, breaks)
    host, length, lasts, expects = _framed(line[2], framing)
    return Head(*line, headers, host, length, lasts, expects, is_plain, block)


def _pairs(text: str) -> list[tuple[bytes, bytes]]:
    return [
        (name.lower().encode("ascii"), value.strip(_AROUND).encode("latin-1"))
        for name, value in _HEADER_LINES(text)
    ]


def _repeated(text: str, breaks: int) -> tuple[Headers, Mapping[str, str]]:
    """The headers of a head that is not ASCII, or where one is there twice; and those that say how it is framed.

    :raises BadRequest: a line is no header's, or one that may be there once only is there twice.
    """
    pairs = _pairs(text)
    if len(pairs) != breaks:
        raise BadRequest("A header line is malformed.")
    names = [name for name, _ in pairs]
    for name, error in _ONCE.items():
        if names.count(name) > 1:
            raise BadRequest(error)
    headers = Headers.of(pairs)
    framing = {name.decode("ascii"): value.decode("latin-1") for name, value in pairs}
    if "connection" in headers:
        framing["connection"] = headers["connection"]
    return headers, framing


def _request_line(line: bytes) -> tuple[bytes, bytes, bytes]:
    parts = line.split(b" ")
    if len(parts) != 3:
        raise BadRequest("The request line is malformed.")
    method, target, version = parts
    if not method or method.translate(None, TOKEN) or len(method) > 32:
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


_BAD_HOST = "The Host header is missing or malformed."
_BAD_LENGTH = "The Content-Length header is malformed."
_BAD_CODING = "The Transfer-Encoding header is not supported."
_ONCE = {
    b"host": _BAD_HOST,
    b"content-length": _BAD_LENGTH,
    b"transfer-encoding": _BAD_CODING,
}
"""Headers that may be there once only, and what is said of others."""


_FRAMING = frozenset(("content-length", "transfer-encoding", "connection", "expect"))
"""Headers that say how a request is framed, where the rules for it are not those of HTTP/1.1 without any."""


def _framed(
    version: bytes, headers: Mapping[str, str]
) -> tuple[bytes | None, int | None, bool, bool]:
    """Draw from the headers where the body ends and what becomes of the connection: host, length, persistent, expects continue.

    :param headers: each once; of those that were sent more than once, the last.
    """
    is_1_1 = version == b"HTTP/1.1"
    host, sent_host = None, headers.get("host")
    if sent_host is not None:
        host = sent_host.encode("latin-1")
        if not valid_host(host):
            raise BadRequest(_BAD_HOST)
    elif is_1_1:
        raise BadRequest(_BAD_HOST)
    if is_1_1 and _FRAMING.isdisjoint(headers):
        # Most have no body, and say nothing of the connection.
        return host, 0, True, False
    length: int | None = 0
    stated = headers.get("content-length")
    if stated is not None:
        if not _is_length(stated):
            raise BadRequest(_BAD_LENGTH)
        length = int(stated)
    coding = headers.get("transfer-encoding")
    if coding is not None:
        if coding.lower() != "chunked" or not is_1_1:
            raise BadRequest(_BAD_CODING)
        if stated is not None:
            raise BadRequest("Content-Length and Transfer-Encoding exclude each other.")
        length = None
    persistent = is_1_1
    if "connection" in headers:
        tokens = headers["connection"].lower().split(",")
        persistent = persistent and "close" not in map(str.strip, tokens)
    # RFC 9110, 10.1.1: not of HTTP/1.0.
    expects = is_1_1 and headers.get("expect", "").lower() == "100-continue"
    return host, length, persistent, expects


def _is_length(value: str) -> bool:
    return value.isascii() and value.isdigit() and len(value) <= _LONGEST_LENGTH


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
