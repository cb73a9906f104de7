"""Who the peer is: the one place that says by which address a client is known, to logs, to limits and to whatever is decided by it.

A connection comes from its other end. A proxy in between says whose it is in one of two ways:

- once for the whole connection, before anything else, in the PROXY protocol. Twisted reads that on an endpoint ``haproxy:``, and only
  proxies may reach such a port. See :class:`Announced`.
- with each request, in ``X-Forwarded-For``. Any client can write that, so it is believed of the networks that the configuration
  trusts and of nobody else; and of what it says, the part that they said: each proxy adds the address that it was asked from at the
  end. ``Forwarded`` (RFC 7239) is not read: a proxy that writes one of the two passes the other on as it came.

Source of the PROXY protocol: HAProxy's proxy-protocol.txt.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Any

from attrs import field
from twisted.internet import address as addresses

from ..config.parsers import SOCKETS
from ..immutable import frozen

Address = IPv4Address | IPv6Address
Pairs = Iterable[tuple[bytes, bytes]]

_LONGEST = 100
"""Characters of an address with its zone and port, at most: what is no address may be as long as a head, and is kept."""

NOBODY = "-"
"""Who comes over a UNIX socket, which has no address."""


@frozen
class Peers:
    """The proxies that are believed.

    :ivar networks: where they are.
    :ivar sockets: whether who comes over a UNIX socket is one.
    """

    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    sockets: bool = False
    are_any: bool = field(init=False)
    """Whether any proxy is believed."""

    @are_any.default
    def _are_any(self) -> bool:
        return bool(self.networks) or self.sockets

    @classmethod
    def trusting(cls, named: Iterable[str]) -> Peers:
        """Those of ``ozgate.http.trusted-proxies``, which were checked."""
        every = tuple(named)
        networks = [ip_network(each) for each in every if each != SOCKETS]
        return cls(tuple(networks), SOCKETS in every)

    def trusts(self, address: object) -> bool:
        """Whether a connection is a proxy's, by its address; one without ``host`` is a UNIX socket's."""
        host = getattr(address, "host", None)
        if host is None:
            return self.sockets
        return bool(self.networks) and self.trusts_host(host)

    def trusts_host(self, host: str) -> bool:
        """The same, by the address as text."""
        found = address_in(host)
        return found is not None and self._holds(found)

    def client_of(self, address: object, pairs: Pairs) -> str:
        """The address of the client that a request is of, or :data:`NOBODY`.

        :param address: the connection's.
        :param pairs: lower-case names and values of the request's headers.
        """
        host = getattr(address, "host", None) or NOBODY
        if not self.are_any or not self.trusts(address):
            return host
        said = b",".join([value for name, value in pairs if name == b"x-forwarded-for"])
        for hop in reversed(said.split(b",")):
            found = address_in(hop.decode("latin-1"))
            if found is None:
                break
            host = str(found)
            if not self._holds(found):
                break
        return host

    def _holds(self, found: Address) -> bool:
        return any(found in network for network in self.networks)


def announced(address: Any) -> Any:
    """The address that a PROXY header names, as the operating system would have it; ``None`` where it is none.

    Twisted takes any text of version 1, and writes IPv6 in its own way.
    """
    host = getattr(address, "host", None)
    if host is None:
        return address
    found = address_in(host)
    if found is None:
        return None
    kind = addresses.IPv6Address if found.version == 6 else addresses.IPv4Address
    return kind("TCP", str(found), address.port)


def address_in(text: str) -> Address | None:
    """The address in what a proxy writes: ``192.0.2.1``, ``192.0.2.1:40000``, ``2001:db8::1``, ``[2001:db8::1]:40000``.

    One of IPv4 inside of IPv6 is that of IPv4.
    """
    host = text.strip()
    return _address_in(host) if len(host) <= _LONGEST else None


@lru_cache(maxsize=4096)
def _address_in(host: str) -> Address | None:
    if host.startswith("["):
        host = host[1:].partition("]")[0]
    elif host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        found = ip_address(host.partition("%")[0])
    except ValueError:
        return None
    mapped = getattr(found, "ipv4_mapped", None)
    return found if mapped is None else mapped
