"""The header lines of an answer, as bytes: put together in one go, and looked through once for what would split them."""

from __future__ import annotations

from collections.abc import Iterable

Pairs = Iterable[tuple[bytes, bytes]]

Lines = Pairs | bytes
"""Names and values, or lines that one of the functions here has made of them."""

_SPLITS = "a response header holds a CR, LF or NUL"
_LINE = b"%b: %b\r\n".__mod__
_TEXT_LINE = "%s: %s\r\n".__mod__


def text_lines(
    pairs: Iterable[tuple[str, str]], before: str = "", count: int = 0
) -> bytes:
    """Lines of names and values that are ISO 8859-1.

    :param before: lines that go first, of nothing that was asked.
    :param count: how many these are.
    :raises ValueError: a header could split the answer.
    """
    each = list(map(_TEXT_LINE, pairs))
    made = f"{before}{''.join(each)}".encode("latin-1")
    count += len(each)
    if made.count(b"\n") != count or made.count(b"\r") != count or b"\0" in made:
        raise ValueError(_SPLITS)
    return made


def as_lines(headers: Lines) -> bytes:
    """The same of bytes; what are lines already stays as it is.

    :raises ValueError: a header could split the answer.
    """
    if isinstance(headers, bytes):
        return headers
    each = list(map(_LINE, headers))
    made = b"".join(each)
    count = len(each)
    if made.count(b"\n") != count or made.count(b"\r") != count or b"\0" in made:
        raise ValueError(_SPLITS)
    return made


def with_length(headers: Lines, length: int) -> bytes:
    """The same, with a Content-Length at the end."""
    return b"%bContent-Length: %d\r\n" % (as_lines(headers), length)
