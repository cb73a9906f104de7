"""Pages about what went wrong, as S3's websites show them: HTML, and never XML. Source: S3's own answers."""

from __future__ import annotations

from html import escape
from http import HTTPStatus
from typing import TYPE_CHECKING

from ..headers import encoded

if TYPE_CHECKING:
    from ...errors import S3Error

TYPE = "text/html; charset=utf-8"
_LONGEST = 2048
"""Characters of one line of a page, and of a header, that may be the request's."""


def error_headers(error: S3Error) -> list[tuple[str, str]]:
    """The headers that say what went wrong, also to HEAD and beside the website's own page."""
    found = [
        ("x-amz-error-code", error.code),
        ("x-amz-error-message", encoded(error.message[:_LONGEST])),
    ]
    key = error.members.get("Key")
    if key is not None:
        found.append(("x-amz-error-detail-Key", encoded(str(key)[:_LONGEST])))
    return found


def error_page(
    error: S3Error, request_id: str, besides: S3Error | None = None
) -> bytes:
    """The page of an error.

    :param besides: why the website's own page is not shown instead.
    """
    ids = f"<li>RequestId: {request_id}</li>\n<li>HostId: {request_id}</li>\n"
    lines = f"<ul>\n{_lines(error)}{ids}</ul>\n"
    if besides is not None:
        lines += (
            "<h3>An Error Occurred While Attempting to Retrieve a Custom Error Document</h3>\n"
            f"<ul>\n{_lines(besides)}</ul>\n"
        )
    return _page(error.status, lines)


def redirect_page(status: int, code: str, message: str, request_id: str) -> bytes:
    """The page of a redirect, for who does not follow it."""
    lines = "".join(
        f"<li>{name}: {value}</li>\n"
        for name, value in (
            ("Code", code),
            ("Message", message),
            ("RequestId", request_id),
            ("HostId", request_id),
        )
    )
    return _page(status, f"<ul>\n{lines}</ul>\n")


def _page(status: int, lines: str) -> bytes:
    title = f"{status} {HTTPStatus(status).phrase}"
    return (
        f"<html>\n<head><title>{title}</title></head>\n<body>\n<h1>{title}</h1>\n{lines}<hr/>\n</body>\n</html>\n"
    ).encode("utf-8", "replace")


def _lines(error: S3Error) -> str:
    pairs = [("Code", error.code), ("Message", error.message), *error.members.items()]
    return "".join(
        f"<li>{name}: {escape(str(value)[:_LONGEST])}</li>\n" for name, value in pairs
    )
