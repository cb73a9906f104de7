"""Answers of the admin listener."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from ..wire.request import GatewayRequest

Json = dict[str, object]
"""An object of JSON, as commands answer with: what :func:`json.dumps` takes."""


def answer(
    request: GatewayRequest,
    status: int,
    body: bytes = b"",
    content_type: str = "text/plain; charset=utf-8",
    *,
    reason: str = "",
    headers: Iterable[tuple[str, str]] = (),
) -> bytes:
    """Prepare an answer whose body a route returns.

    :param reason: a reason phrase instead of the usual one; a word that clients know, never what came from somewhere.
    """
    request.setResponseCode(status, reason.encode("ascii") or None)
    set_header = request.responseHeaders.setRawHeaders
    if body:
        set_header("Content-Type", [content_type])
    set_header("Content-Length", [str(len(body))])
    # Secrets and the like are for who asked, not for a cache on the way.
    set_header("Cache-Control", ["no-store"])
    for name, value in headers:
        set_header(name, [value])
    return body


def iso_time(milliseconds: int) -> str:
    """A time as Ozone's commands show it: ISO 8601, UTC, with milliseconds."""
    found = datetime.fromtimestamp(milliseconds // 1000, UTC)
    return f"{found:%Y-%m-%dT%H:%M:%S}.{milliseconds % 1000:03d}Z"
