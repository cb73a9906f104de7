"""Who serves S3 clients and visitors of websites: the process of the service itself, or its workers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Any, Protocol

from twisted.internet.interfaces import IListeningPort
from twisted.internet.protocol import Factory

from ..admin.context import AdminContext
from ..admin.pages.health import Health
from ..admin.pages.reload import Workers as ReloadWorkers
from ..config.settings import Settings
from ..config.sitefile import ConfigurationError
from ..gateway.report import Reports
from ..immutable import frozen
from ..wire.gatewaysite import GatewaySite
from ..wire.ledger import CONNECTIONS
from .composing import Logs, drain_sites, make_sites
from .listening import WEBSITES, serve
from .tlsendpoints import TlsEndpoint
from .workers import Workers

Listening = tuple[list[IListeningPort], list[str]]
"""The ports of S3, and their URLs."""


@frozen
class Places:
    """Where to listen.

    :ivar described: for S3, and ``websites`` for websites.
    :ivar secured: those of them that are of TLS.
    """

    settings: Settings
    described: tuple[str, ...]
    websites: tuple[str, ...]
    secured: Mapping[str, TlsEndpoint]


class Serving(Protocol):
    """Who serves."""

    @property
    def sites(self) -> Sequence[GatewaySite]:
        """Those in this process."""

    @property
    def reload_workers(self) -> ReloadWorkers | None:
        """Reloads what serves in others; ``None`` where nothing does."""

    @property
    def reports(self) -> Callable[[], Awaitable[Reports]] | None:
        """Gets what those have to tell, likewise."""

    def connections(self) -> int:
        """Open connections of clients."""

    async def listen(self, places: Places, opened: AsyncExitStack) -> Listening:
        """Serve, until what is pushed to ``opened`` is closed.

        :raises ConfigurationError: it cannot listen there.
        """


class Here:
    """The process of the service serves.

    See :func:`~ozgate.service.composing.make_sites` for what it is made of.
    """

    reload_workers: ReloadWorkers | None = None
    reports: Callable[[], Awaitable[Reports]] | None = None

    def __init__(
        self,
        reactor: Any,
        clock: Any,
        context: AdminContext,
        logs: Logs,
        health: Health,
    ) -> None:
        self._reactor = reactor
        self._gateway = context.gateway
        self.sites = make_sites(reactor, clock, context, logs, health)

    def connections(self) -> int:
        """See :meth:`Serving.connections`."""
        return len(self.sites[0].connections)

    async def listen(self, places: Places, opened: AsyncExitStack) -> Listening:
        """See :meth:`Serving.listen`."""
        site, websites = self.sites
        where = places.settings, places.secured, opened
        opened.push_async_callback(
            drain_sites, self._reactor, self._gateway, self.sites
        )
        listening = await serve(self._reactor, places.described, site, *where)
        await serve(self._reactor, places.websites, websites, *where, WEBSITES)
        return listening


class ByWorkers:
    """Workers serve, on sockets that this process opens and takes nobody from."""

    sites: Sequence[GatewaySite] = ()

    def __init__(self, reactor: Any, workers: Workers) -> None:
        self._reactor = reactor
        self._workers = workers
        self.reload_workers: ReloadWorkers | None = workers.reload
        self.reports: Callable[[], Awaitable[Reports]] | None = workers.reports

    def connections(self) -> int:
        """See :meth:`Serving.connections`."""
        return self._workers.ledger.total(CONNECTIONS)

    async def listen(self, places: Places, opened: AsyncExitStack) -> Listening:
        """See :meth:`Serving.listen`."""
        where = places.settings, places.secured, opened
        nobody: Any = Factory()
        nobody.noisy = False
        opened.push_async_callback(self._workers.stop)
        sockets: list[int] = []
        listening = await serve(self._reactor, places.described, nobody, *where)
        sockets += _held(listening[0], places.described)
        more, _ = await serve(self._reactor, places.websites, nobody, *where, WEBSITES)
        sockets += _held(more, places.websites)
        await self._workers.begin(
            places.settings,
            (places.described, places.websites),
            {
                each: endpoint.certificates.files
                for each, endpoint in places.secured.items()
            },
            sockets,
        )
        return listening


def _held(ports: Sequence[Any], described: Sequence[str]) -> list[int]:
    """Take nobody from ports that listen; their descriptors.

    :raises ConfigurationError: one has none.
    """
    sockets = []
    for port, description in zip(ports, described, strict=True):
        try:
            port.stopReading()
            sockets.append(port.fileno())
        except AttributeError:
            raise ConfigurationError(
                f"cannot share {description} among workers: set ozgate.workers to 1"
            ) from None
    return sockets
