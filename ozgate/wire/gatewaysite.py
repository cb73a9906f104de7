"""The factory of connections, with the HTTP defaults of twisted.web undone."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from twisted.internet.interfaces import IProtocolFactory, IReactorTime
from twisted.logger import Logger
from twisted.web import server
from twisted.web.http import datetimeToString
from zope.interface import implementer

from ..errors import SlowDown
from .channel import GatewayChannel
from .idle import Waiting
from .limits import (
    EACH,
    ConnectionLimits,
    Refusal,
    Refusals,
    connections_for,
    descriptors,
)
from .pagecache import half_of_memory
from .peers import Peers
from .request import GatewayRequest, new_request_id

if TYPE_CHECKING:
    from twisted.internet.interfaces import IAddress
    from twisted.web.resource import IResource

    from ..config.settings import Settings
    from ..errors import S3Error

_log = Logger()

ErrorBody = Callable[["S3Error", str, str], bytes]


class GatewaySite(server.Site):
    """Serves a resource over streaming HTTP/1.1 connections.

    :ivar error_type: the type of the documents that ``error_body`` makes.
    :ivar connections: the open ones, with those of the site beside it.
    :ivar date: what the Date header is taken from, in seconds since the epoch.
    :ivar sending: how many threads send files at the moment.
    :ivar uncached_from: bytes of an answer from which what was sent of a file leaves the page cache.
    """

    sending = 0

    protocol = GatewayChannel  # type: ignore[assignment]
    requestFactory = GatewayRequest  # type: ignore[assignment]
    server_header = b"ozgate"
    request_id_headers = (b"x-amz-id-2", b"x-amz-request-id")
    noisy = False
    error_type = b"application/xml"
    _is_beside = False

    def __init__(
        self,
        resource: IResource,
        error_body: ErrorBody,
        *,
        reactor: IReactorTime,
        header_timeout: float = 30.0,
        idle_timeout: float = 60.0,
        minimum_rate: int = 1024,
        progress_window: float = 20.0,
        log_refused: Callable[[GatewayRequest], None] | None = None,
        limits: ConnectionLimits | None = None,
        guards: bytes = b"",
        peers: Peers | None = None,
    ) -> None:
        """
        :param error_body: (error, resource, request id) → the document that says so.
        :param reactor: ``IReactorTime`` of every deadline.
        :param header_timeout: seconds for a head, from its first byte.
        :param idle_timeout: seconds between requests.
        :param minimum_rate: bytes per second a body or an answer must move at least; 0 for any.
        :param progress_window: seconds over which that is measured.
        :param log_refused: called with each request that was malformed and never dispatched, when it is answered.
        :param limits: how many connections there may be; any number by default.
        :param guards: header lines of every answer, such as :data:`~ozgate.wire.hosts.GUARDS`.
        :param peers: the proxies that are believed; none by default.
        """
        super().__init__(
            resource,
            timeout=None,
            reactor=reactor,
            parsePOSTFormSubmission=False,
        )
        self.error_body = error_body
        self.header_timeout = header_timeout
        self.idle_timeout = idle_timeout
        self.minimum_rate = minimum_rate
        self.progress_window = progress_window
        self.uncached_from = half_of_memory()
        self.log_refused = log_refused
        self.limits = limits or ConnectionLimits()
        self.connections: set[GatewayChannel] = set()
        self._waiting = Waiting(reactor)
        self._refusals = Refusals(reactor, self._refusal)
        self.date: Callable[[], float] = reactor.seconds
        self.peers = peers or Peers()
        self._guards = guards
        self._standing = (-1, b"")

    def stand_beside(self, other: GatewaySite) -> None:
        """Have the connections of this site limited together with those of another one of this service. Before either listens."""
        self._is_beside = True
        self.limits, self.connections = other.limits, other.connections
        self._waiting = other._waiting

    def take_up(self, settings: Settings) -> None:
        """Hold connections to other limits, from their next request on."""
        self.header_timeout = settings.header_timeout
        self.idle_timeout = settings.idle_timeout
        self.minimum_rate = settings.minimum_rate
        self.progress_window = settings.progress_window
        self.uncached_from = settings.uncached_from or half_of_memory()
        self.peers = Peers.trusting(settings.trusted_proxies)
        if self._is_beside:
            # The other site's are this one's.
            return
        wanted, files = settings.limit_connections, descriptors()
        self.limits.most = most = connections_for(wanted, files)
        self.limits.most_of_one = settings.limit_per_address
        if most < wanted:
            _log.warn(
                "{most} connections at a time, not the {wanted} of ozgate.limit.connections: each may take {each} of the {files} files"
                " that this process may have open; raise that (ulimit -n, LimitNOFILE=)",
                **{"most": most, "wanted": wanted, "each": EACH, "files": files},
            )

    def buildProtocol(self, addr: IAddress | None) -> Any:
        """A connection, or one that is soon told off and cut."""
        # A proxy is not limited as one client, nor is who will say whose the connection is.
        who = None if self.peers.trusts(addr) else addr
        there = self.limits.everywhere(len(self.connections))
        if self.limits.admits(who, there, self._make_room):
            return super().buildProtocol(addr)
        return Refusal(self._refusals)

    def _make_room(self) -> bool:
        """Have connections leave that wait for a request, those first that have waited longest; returns whether there is room."""
        while self.limits.everywhere(len(self.connections)) >= self.limits.most:
            channel = self._waiting.take()
            if channel is None:
                return False
            self._forget(channel)
            channel.site._refusals.add(channel)
            channel.leave()
        return True

    def waits(self, channel: GatewayChannel) -> None:
        """A connection waits for a request, or for the rest of its head, from now on."""
        self._waiting.add(channel)

    def joined(self, channel: GatewayChannel) -> None:
        """A connection is open."""
        self.connections.add(channel)
        self.limits.note(len(self.connections))

    def _forget(self, channel: GatewayChannel) -> None:
        self.connections.discard(channel)
        self.limits.note(len(self.connections))

    def left(self, channel: GatewayChannel) -> None:
        """A connection is no more."""
        self._forget(channel)
        self._waiting.discard(channel)
        self._refusals.discard(channel)

    def startFactory(self) -> None:
        """Twisted's own log, with its timer, stays off."""

    def stopFactory(self) -> None:
        """See :meth:`startFactory`."""

    def acceptableProtocols(self) -> list[bytes]:
        """HTTP/1.1 and nothing else is negotiated."""
        return [b"http/1.1"]

    def standing_headers(self) -> bytes:
        """The header lines every answer has: Server, Date and the guards, made once a second."""
        now = int(self.date())
        if self._standing[0] != now:
            lines = (self.server_header, datetimeToString(now))
            made = b"Server: %b\r\nDate: %b\r\n" % lines
            self._standing = (now, made + self._guards)
        return self._standing[1]

    def log(self, request: Any) -> None:
        """Whoever answers a request logs it; see :mod:`ozgate.wire.accesslog`."""

    def abort_connections(self) -> None:
        """Cut every open connection."""
        for channel in list(self.connections):
            channel.abort()
        self._refusals.abort()

    def _refusal(self) -> bytes:
        """The answer to a connection that is one too many."""
        error, request_id = SlowDown(), new_request_id()
        document = self.error_body(error, "", request_id)
        return (
            b"HTTP/1.1 503 Service Unavailable\r\n%bConnection: close\r\n%bRetry-After: %d\r\n"
            b"Content-Type: %b\r\nContent-Length: %d\r\n\r\n%b"
        ) % (
            self.standing_headers(),
            b"".join(
                b"%b: %b\r\n" % (name, request_id.encode("ascii"))
                for name in self.request_id_headers
            ),
            error.retry_after,
            self.error_type,
            len(document),
            document,
        )


@implementer(IProtocolFactory)
class Announced:
    """Connections to a site of which a proxy will say whose they are, before anything else: see :mod:`ozgate.wire.peers`.

    :param site: which they are to; any factory will do.
    """

    noisy = False

    def __init__(self, site: Any) -> None:
        self._site = site

    def buildProtocol(self, addr: IAddress | None) -> Any:
        """A connection that is nobody's as yet: the proxy has any number of them."""
        made: Any = self._site.buildProtocol(None)
        if isinstance(made, GatewayChannel):
            made.announced = True
        return made

    def doStart(self) -> None:
        """The endpoint listens."""
        self._site.doStart()

    def doStop(self) -> None:
        """It does not any more."""
        self._site.doStop()
