"""Heads of requests with and without a body, and an operation that refuses the one."""

from __future__ import annotations

from ozgate.errors import AccessDenied
from ozgate.wire.request import GatewayRequest
from tests.wire.support import echo

PUT = b"PUT /b/k HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n"
NEXT = b"GET /next HTTP/1.1\r\nHost: h\r\n\r\n"


async def deny(request: GatewayRequest) -> None:
    """Refuse at once, unless it is the next request."""
    if request.raw_target == b"/next":
        await echo(request)
    else:
        raise AccessDenied()
