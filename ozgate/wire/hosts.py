"""What pages in a browser may ask of a service that trusts whoever reaches it.

While ``ozone.security.enabled`` is false, all that protects the data is that only this machine reaches them. A page in a browser
of this machine does too, in two ways.

- Whoever owns the page has a name of their site point to 127.0.0.1 ("DNS rebinding"), and the browser takes the service for a
  part of that site. But it sends the name, in the Host header. So a name that somebody else may own is refused, unless the
  configuration has it (:func:`may_be_called`).
- The page names the service as what it is: in a script, an image, a frame, a form. It cannot read the answer, but a form can write, a
  script runs, and an object that is shown as a page is a page of the service. So what another site sends is refused (:func:`of_another_site`),
  and browsers that do not say who sends it are told to keep the answer from other sites (:data:`GUARDS`).
"""

from __future__ import annotations

import socket
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..config.settings import Settings
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
        or request.over_tls
        or request.over_socket
    )


GUARDS = (
    b"Cross-Origin-Resource-Policy: same-origin\r\nX-Content-Type-Options: nosniff\r\n"
)
"""Header lines of answers that no page of another site is to have, and no browser is to take for what they do not say they are.

Source: Fetch Standard, 3.6 and 3.7.
"""

OWN = (b"same-origin", b"none")
"""What ``Sec-Fetch-Site`` says of a request that a page of the service sends, or a person (Fetch Metadata, 2.4)."""


def of_another_site(request: GatewayRequest, names: tuple[str, ...] = ()) -> bool:
    """Whether a page of another site sent it, as browsers say.

    Of all requests but reading ones they say the origin (Fetch Standard, 3.2), of all of them whether that is the service's own;
    a page on another port of the same machine is of another site, too. Neither header can be set by a page.

    :param names: hosts whose pages may ask, besides those of the host that is asked; one with a port means that port alone.
    """
    said = False
    foreign = False
    for name, value in request.header_pairs():
        if name == b"origin":
            said = True
            authority = value.partition(b"://")[2].lower()
            if authority != (request.raw_host or b"").lower() and not _is_named(
                authority, names
            ):
                return True
        elif name == b"sec-fetch-site":
            foreign = foreign or value.lower() not in OWN
    # An origin that may ask is of another site where it is named.
    return foreign and not said


def named_origins(settings: Settings) -> tuple[str, ...]:
    """Hosts whose pages may ask the S3 endpoint: those that the configuration says it has."""
    addresses = (settings.http_address, settings.https_address)
    return (*settings.domain_names, *addresses)


def _is_named(authority: bytes, names: tuple[str, ...]) -> bool:
    """Whether the authority of an origin, in lower case, is one of some names or, as the host of a bucket, below one."""
    for each in names:
        name = each.strip().strip(".").lower().encode()
        found = authority if b":" in name else authority.partition(b":")[0]
        if found == name or found.endswith(b"." + name):
            return True
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
