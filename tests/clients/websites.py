"""A gateway that serves websites too."""

from __future__ import annotations

from functools import cache

from tests.clients.botos import DOMAIN
from tests.running import Server, free_port, shared_server

WEB = "web.localhost"
"""The domain of websites. Browsers take whatever is below ``localhost`` for this machine."""


@cache
def website_server() -> tuple[Server, int]:
    """The gateway, and the port of its websites."""
    port = free_port()
    server = shared_server(
        f"ozone.s3g.domain.name={DOMAIN}",
        f"ozgate.website.listen=tcp:{port}:interface=127.0.0.1",
        f"ozgate.website.domain-names={WEB}",
    )
    return server, port
