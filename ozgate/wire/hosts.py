"""By which names a service that trusts whoever reaches it may be called.

While ``ozone.security.enabled`` is false, all that protects the data is that only this machine reaches them. A page in a browser
of this machine does too: whoever owns the page has a name of their site point to 127.0.0.1 ("DNS rebinding"), and the browser takes the
service for a part of that site. But it sends the name, in the Host header. So a name that somebody else may own is
refused, unless the configuration has it.
"""

from __future__ import annotations

import socket
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..config import Settings
    from .request import GatewayRequest

NOBODYS = ("internal", "localhost", "test")
"""Domains that nobody can own. Sources: RFC 6761, 6; ICANN's resolution 2024.07.29.06."""


def may_be_called(request: GatewayRequest, settings: Settings) -> bool:
    """Whether a request came by a name that is no stranger's.

    Always while signatures are verified, and where the operator lets whoever reaches the service do everything. Over TLS the
    certificate has the names, and browsers do not reach UNIX sockets.
    """
    if settings.security_enabled or settings.insecure_anywhere:
        return True
    host = request.raw_host
    return (
        host is None
        or _is_ours(
            host,
            settings.domain_names,
            (
                settings.http_address,
                settings.https_address,
                settings.admin_address,
            ),
        )
        or request.isSecure()  # type: ignore[no-untyped-call]
        or request.client_ip == "-"
    )


def of_another_site(request: GatewayRequest) -> bool:
    """Whether a page of another site sent it: browsers say so with all requests but reading ones (Fetch Standard, 3.2)."""
    for name, value in request.header_pairs():
        if name == b"origin":
            authority = value.partition(b"://")[2]
            return authority.lower() != (request.raw_host or b"").lower()
    return False


@lru_cache(maxsize=1024)
def _is_ours(host: bytes, domains: tuple[str, ...], addresses: tuple[str, ...]) -> bool:
    """Whether a valid Host header has an address in it, a name without dots, or one of ours."""
    name = _name_in(host.decode("ascii"))
    last = name.rpartition(".")[2]
    if "." not in name or name.startswith("[") or last.isdigit() or last in NOBODYS:
        return True
    if any(name == own or name.endswith(f".{own}") for own in map(_name_in, domains)):
        return True
    return name in (socket.gethostname().lower(), *map(_name_in, addresses))


def _name_in(authority: str) -> str:
    """The name in an authority, as names are compared."""
    if authority.startswith("["):
        return authority
    return authority.partition(":")[0].strip().strip(".").lower()
