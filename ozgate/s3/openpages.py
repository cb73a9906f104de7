"""What the S3 endpoint tells anybody, without a signature: whether the service is well.

Load balancers, compose files and charts ask for that where S3 is served, and sign nothing. The paths are names of buckets and
keys as well. So a page is shown only where S3 itself could only refuse: to GET and HEAD, without credentials, without a query,
and not in the bucket that a host names.

Imports the address only: what the pages say comes from whoever puts the service together.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING

from ..wire.target import parse_address

if TYPE_CHECKING:
    from ..config.settings import Settings
    from ..wire.request import GatewayRequest

OpenPage = Callable[[], Awaitable[tuple[int, bytes]]]
"""→ HTTP status, and what is said as text."""

OpenPages = Mapping[bytes, OpenPage]
"""By the request target, which has to be just that."""

HEADERS = (
    (b"Content-Type", b"text/plain; charset=utf-8"),
    (b"Cache-Control", b"no-store"),
)


def open_page(
    request: GatewayRequest, settings: Settings, pages: OpenPages
) -> OpenPage | None:
    """The page that a request is shown, whoever sent it; ``None`` for all that is S3's."""
    page = pages.get(request.raw_target) if settings.health_on_s3 else None
    if page is None or request.method not in (b"GET", b"HEAD"):
        return None
    if any(name == b"authorization" for name, _ in request.header_pairs()):
        return None
    address = parse_address(request.raw_target, request.raw_host, settings.domain_names)
    return None if address.virtual_host else page
