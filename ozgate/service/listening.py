"""Where the S3 endpoint listens: endpoint descriptions, and who may reach it without signatures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import maybeDeferred
from twisted.internet.endpoints import serverFromString
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import (
    IListeningPort,
    IProtocolFactory,
    IReactorTime,
)
from twisted.internet.task import deferLater
from twisted.logger import Logger

from ..config.parsers import host_and_port
from ..config.settings import Settings
from ..config.sitefile import ConfigurationError
from ..wire.gatewaysite import Announced
from .endpoints import SETTABLE, description_of, on_host, refusal, try_port
from .ports import rest_without_descriptors
from .tlsendpoints import PREFIX, TlsEndpoint

if TYPE_CHECKING:
    from ..wire.gatewaysite import GatewaySite

_log = Logger()

PROXIED = "haproxy:"
"""How a description begins of an endpoint that only proxies reach, which speak the PROXY protocol."""

WEBSITES = "ozgate.website.listen"
"""By what people choose where websites are served."""

ANYWHERE = "ozgate.insecure.listen.anywhere"

KNOWN_SECRETS = frozenset(
    (
        *("minioadmin", "minio123", "rustfsadmin", "seaweedfs", "password", "changeme"),
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    )
)
"""Secrets that S3 servers come with, or that their manuals have."""

FAREWELL = 0.5
"""Seconds that an idle connection has to close when the service stops: over TLS the client must agree."""


def descriptions(settings: Settings) -> tuple[str, ...]:
    """What to listen on, as Twisted endpoint descriptions.

    :raises ConfigurationError: nothing, a host that has no address, or what the configuration means to be
        encrypted would not be.
    """
    policy = settings.http_policy
    if settings.listen:
        found = _given(settings.listen, policy)
    else:
        found = ()
        if settings.http_enabled and policy != "HTTPS_ONLY":
            found += (_http(settings),)
        if policy != "HTTP_ONLY":
            found += (_https(settings),)
    if not found:
        raise ConfigurationError(
            "ozone.s3g.http.enabled is false and nothing else listens: give --listen an endpoint"
        )
    every = (*found, *website_descriptions(settings))
    if not any(each.startswith(PREFIX) for each in every):
        _check_unused(settings)
    return found


def website_descriptions(settings: Settings) -> tuple[str, ...]:
    """What websites are served on; nothing unless that is configured.

    :raises ConfigurationError: what the configuration means to be encrypted would not be.
    """
    return _given(settings.website_listen, settings.http_policy)


def _given(listen: Sequence[str], policy: str) -> tuple[str, ...]:
    """Descriptions that the configuration has."""
    found = tuple(map(description_of, listen))
    for each in found:
        if policy == "HTTPS_ONLY" and not each.startswith((PREFIX, "unix:")):
            raise ConfigurationError(
                f"will not listen on {each}: ozone.http.policy is HTTPS_ONLY, so make it an ssl: endpoint"
            )
    return found


def _check_unused(settings: Settings) -> None:
    """Nothing is set that speaks of TLS, which nobody listens with.

    :raises ConfigurationError: something is: who set it believes that connections are encrypted.
    """
    for key, value in (
        ("ozgate.tls.certificate", settings.tls_certificate),
        ("ozone.https.client.need-auth", settings.tls_need_client),
    ):
        if value:
            raise ConfigurationError(
                f"{key} is set but nothing listens with TLS: set ozone.http.policy to HTTPS_ONLY or HTTP_AND_HTTPS, or listen on an ssl: endpoint"
            )


def _http(settings: Settings) -> str:
    return _description(
        "tcp",
        "ozone.s3g.http-address",
        settings.http_address,
        settings.http_bind_host,
    )


def _https(settings: Settings) -> str:
    return _description(
        "ssl",
        "ozone.s3g.https-address",
        settings.https_address,
        settings.https_bind_host,
    )


def admin_description(settings: Settings) -> str:
    """What the admin listener listens on.

    :raises ConfigurationError: a host that has no address.
    """
    return _description(
        "tcp",
        "ozone.s3g.webadmin.http-address",
        settings.admin_address,
        settings.admin_bind_host,
    )


def _description(kind: str, key: str, address: str, bind_host: str) -> str:
    """An endpoint description for an address; ``key`` is whose value it is."""
    host, port = host_and_port(address)
    return on_host(kind, key, bind_host or host, port)


def is_known(access_key: str, secret_key: str) -> bool:
    """Whether a pair is one that attackers try first: a default of another server, or a key that is its own secret."""
    return secret_key in KNOWN_SECRETS or secret_key == access_key


def is_private(address: object) -> bool:
    """Whether only this machine reaches a listening port, by the address it has."""
    return is_loopback(getattr(address, "host", None))


def is_loopback(host: str | None) -> bool:
    """Whether only this machine reaches a host."""
    if host is None:
        # A UNIX socket: who reaches it is a matter of its file's mode.
        return True
    try:
        return ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False


async def serve(
    reactor: IReactorTime,
    described: Sequence[str],
    site: GatewaySite,
    settings: Settings,
    secured: Mapping[str, TlsEndpoint],
    closing: AsyncExitStack,
    settable: str = SETTABLE,
) -> tuple[list[IListeningPort], list[str]]:
    """As :func:`listen`, until something is closed.

    :param closing: what closes it.
    :return: the ports, and their URLs.
    """
    ports = await listen(reactor, described, site, settings, secured, settable)
    for port in ports:
        closing.push_async_callback(maybeDeferred, port.stopListening)
    urls = [
        url_of(port.getHost(), description)
        for port, description in zip(ports, described, strict=True)
    ]
    if settable == WEBSITES and urls:
        _log.info("websites are served on {urls}", urls=", ".join(urls))
    return ports, urls


async def listen(
    reactor: IReactorTime,
    described: Sequence[str],
    factory: IProtocolFactory,
    settings: Settings,
    secured: Mapping[str, TlsEndpoint],
    settable: str = SETTABLE,
) -> list[IListeningPort]:
    """Listen on all of them, or on none.

    What an endpoint really listens on is asked of the listening port, not read out of its
    description: plugins and inherited sockets are held to the same rule. It is asked before the
    reactor turns again, so that nothing was accepted yet.

    :param secured: those of the descriptions that are of TLS, see :func:`~ozgate.service.tlsendpoints.tls_endpoints`.
    :param settable: by what people choose other ports.
    :raises ConfigurationError: a description is wrong, a port is taken, or it would be open to others while
        signatures are not verified.
    """
    ports: list[IListeningPort] = []
    try:
        for description in described:
            port = await _listen(
                reactor, description, factory, secured.get(description), settable
            )
            ports.append(port)
            address = port.getHost()
            host, number = getattr(address, "host", None), getattr(address, "port", 0)
            _check_reach(host, number, description, settings)
    except BaseException:
        for port in ports:
            port.stopListening()
        raise
    return ports


def try_ports(
    described: Sequence[str], settings: Settings, settable: str = SETTABLE
) -> None:
    """See, before there is anything to listen with, that :func:`listen` has a good chance: who starts a second service is told at once.

    :raises ConfigurationError: as :func:`listen` does.
    """
    for description in described:
        found = try_port(description, settable)
        if found is not None:
            _check_reach(*found, description, settings)


async def _listen(
    reactor: IReactorTime,
    description: str,
    factory: IProtocolFactory,
    secured: TlsEndpoint | None,
    settable: str,
) -> IListeningPort:
    port: IListeningPort
    try:
        if secured is not None:
            port = await secured.listen(reactor, factory)
        else:
            if description.startswith(PROXIED):
                factory = Announced(factory)
            port = await serverFromString(reactor, description).listen(factory)
    except CannotListenError as error:
        reason = error.socketError
        if not isinstance(reason, OSError):
            reason = OSError(str(reason))
        raise refusal(description, reason, settable) from None
    except Exception as error:
        # Endpoints of plugins raise what they like, and so does OpenSSL.
        raise ConfigurationError(
            f"cannot listen on {description}: {' '.join(str(error).split()) or type(error).__name__}"
        ) from None
    rest_without_descriptors(reactor, port)
    return port


def _check_reach(
    host: str | None, port: int, description: str, settings: Settings
) -> None:
    if is_loopback(host):
        return
    if settings.security_enabled:
        if settings.secret_key and is_known(settings.access_key, settings.secret_key):
            raise ConfigurationError(
                f"will not listen on {description}, open to other machines, with the secret key of {settings.access_key}, which whoever tries guesses: "
                "choose another, or listen on 127.0.0.1"
            )
    elif not settings.insecure_anywhere:
        raise ConfigurationError(
            f"will not listen on {description}, open to other machines, while ozone.security.enabled is false and anyone may read and write: "
            f"set it to true, listen on 127.0.0.1:{port}, or say {ANYWHERE}=true"
        )


async def drain(clock: IReactorTime, site: GatewaySite, seconds: float) -> None:
    """Let the requests under way end, each connection closing after its own; then cut what is left.

    :param seconds: how long they may take.
    """
    idle = {channel for channel in site.connections if not channel.requests}
    for channel in list(site.connections):
        channel.persistent = False
    for channel in idle:
        channel.loseConnection()  # type: ignore[no-untyped-call]
    began = clock.seconds()
    while site.connections and clock.seconds() < began + seconds:
        await deferLater(clock, 0.02)
        if idle and clock.seconds() >= began + FAREWELL:
            for channel in idle & site.connections:
                if not channel.unsent():
                    channel.abort()
            idle = set()
    site.abort_connections()


def url_of(address: Any, description: str) -> str:
    """An address as people write it."""
    host = getattr(address, "host", None)
    if host is None:
        return description
    scheme = "https" if description.startswith(PREFIX) else "http"
    shown = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"{scheme}://{f'[{shown}]' if ':' in shown else shown}:{address.port}"
