"""A client joined to a site in memory: the real connection code, Klein and treq, but no port.

Bytes move in ``reactor.callLater(0, …)``, never inside a ``write``, so that things happen in the order they
would over a socket. With trial's reactor a test just awaits; with a ``Clock`` it calls :func:`settle`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from treq.client import HTTPClient
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import (
    IConsumer,
    IHalfCloseableProtocol,
    IProducer,
    IProtocol,
    IProtocolFactory,
    IPushProducer,
    IReactorTime,
    IStreamClientEndpoint,
    ITransport,
)
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.web.client import URI, Agent
from twisted.web.iweb import (
    UNKNOWN_LENGTH,
    IAgent,
    IAgentEndpointFactory,
    IBodyProducer,
)
from zope.interface import implementer

SERVER = IPv4Address("TCP", "127.0.0.1", 9878)
CLIENT = IPv4Address("TCP", "192.0.2.1", 40000)
HIGH_WATER = 64 << 10


@implementer(ITransport, IPushProducer, IConsumer)
class MemoryTransport:
    """One end of a connection in memory, with back-pressure both ways."""

    def __init__(
        self,
        reactor: IReactorTime,
        protocol: IProtocol,
        host: IPv4Address,
        peer: IPv4Address,
    ) -> None:
        self.protocol = protocol
        self.other = self
        self.reading = True
        self.disconnecting = False
        self.disconnected = False
        self._half_closing = self._half_closed = False
        self._reactor = reactor
        self._host, self._peer = host, peer
        self._queue: list[bytes] = []
        self._scheduled = False
        self._producer: Any = None
        self._streaming = self._paused = False

    def write(self, data: bytes) -> None:
        """Queue bytes for the other end."""
        if self.disconnecting or self._half_closing or not data:
            return
        self._queue.append(bytes(data))
        if self._streaming and sum(map(len, self._queue)) > HIGH_WATER:
            self._paused = True
            self._producer.pauseProducing()
        self.deliver_soon()

    def writeSequence(self, data: Iterable[bytes]) -> None:
        """Queue bytes for the other end."""
        self.write(b"".join(data))

    def loseConnection(self) -> None:
        """End both ends when all is delivered."""
        self.disconnecting = True
        self.deliver_soon()

    def loseWriteConnection(self) -> None:
        """Tell the other end, when all is delivered, that no more comes; it may go on writing."""
        self._half_closing = True
        self.deliver_soon()

    def abortConnection(self) -> None:
        """End both ends now; what is queued is lost."""
        self._queue.clear()
        self.other._queue.clear()
        self.loseConnection()

    def getPeer(self) -> IPv4Address:
        """The other end's address."""
        return self._peer

    def getHost(self) -> IPv4Address:
        """This end's address."""
        return self._host

    def registerProducer(self, producer: IProducer, streaming: bool) -> None:
        """Pause a push producer above the high-water mark."""
        self._producer, self._streaming = producer, streaming
        if not streaming:
            self.deliver_soon()

    def unregisterProducer(self) -> None:
        """Forget the producer."""
        self._producer, self._streaming, self._paused = None, False, False

    def pauseProducing(self) -> None:
        """Deliver nothing to this end's protocol."""
        self.reading = False

    def resumeProducing(self) -> None:
        """Deliver to this end's protocol again."""
        self.reading = True
        self.other.deliver_soon()

    def stopProducing(self) -> None:
        """Close."""
        self.loseConnection()

    def deliver_soon(self) -> None:
        """Have :meth:`_deliver` called in the reactor's next turn."""
        if not self._scheduled and not self.disconnected:
            self._scheduled = True
            self._reactor.callLater(0, self._deliver)

    def _deliver(self) -> None:
        self._scheduled = False
        if self._queue and self.other.reading and not self.disconnected:
            self.other.protocol.dataReceived(self._queue.pop(0))
            if self._queue:
                # In a turn of its own, for other connections to have theirs between.
                self.deliver_soon()
        if self._queue or self.disconnected:
            return
        if self.disconnecting:
            self._lost()
            self.other._lost()
        elif self._half_closing and not self._half_closed:
            self._half_close()
        elif self._producer is not None and (self._paused or not self._streaming):
            self._paused = False
            self._producer.resumeProducing()

    def _half_close(self) -> None:
        self._half_closed = True
        reader = self.other.protocol
        if IHalfCloseableProtocol.providedBy(reader):
            reader.readConnectionLost()
        else:
            self.loseConnection()

    def _lost(self) -> None:
        if not self.disconnected:
            self.disconnecting = self.disconnected = True
            if self._producer is not None:
                self._producer.stopProducing()
            self.protocol.connectionLost(Failure(ConnectionDone()))


def join(reactor: IReactorTime, server: IProtocol, client: IProtocol) -> None:
    """Connect two protocols."""
    here = MemoryTransport(reactor, client, CLIENT, SERVER)
    there = MemoryTransport(reactor, server, SERVER, CLIENT)
    here.other, there.other = there, here
    server.makeConnection(there)
    client.makeConnection(here)


@implementer(IAgentEndpointFactory, IStreamClientEndpoint)
class _Endpoint:
    """Leads to the site, whatever the URL says."""

    def __init__(self, site: IProtocolFactory, reactor: IReactorTime) -> None:
        self._site = site
        self._reactor = reactor

    def endpointForURI(self, uri: URI) -> _Endpoint:
        """See :class:`~twisted.web.iweb.IAgentEndpointFactory`."""
        return self

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:
        """See :class:`~twisted.internet.interfaces.IStreamClientEndpoint`; fires at once."""
        server = self._site.buildProtocol(CLIENT)
        client = protocolFactory.buildProtocol(SERVER)
        assert server is not None and client is not None
        join(self._reactor, server, client)
        return succeed(client)


@implementer(IBodyProducer)
class BytesBody:
    """Bytes as a request's body, written as far as the connection takes them.

    :param counted: whether their number is said before; if not, they go in the chunked transfer coding.
    """

    def __init__(self, data: bytes, counted: bool = True) -> None:
        self.length: Any = len(data) if counted else UNKNOWN_LENGTH
        self._data = memoryview(data)
        self._consumer: Any = None
        self._done: Deferred[None] = Deferred()
        self._paused = False

    def startProducing(self, consumer: IConsumer) -> Deferred[None]:
        """Write until told to pause."""
        self._consumer = consumer
        self.resumeProducing()
        return self._done

    def resumeProducing(self) -> None:
        """Go on."""
        self._paused = False
        while self._data and not self._paused:
            piece, self._data = self._data[:HIGH_WATER], self._data[HIGH_WATER:]
            self._consumer.write(bytes(piece))
        if not self._data and not self._done.called:
            self._done.callback(None)

    def pauseProducing(self) -> None:
        """Write no more for now."""
        self._paused = True

    def stopProducing(self) -> None:
        """Stop for good."""
        self._data = self._data[:0]
        self._paused = True


def in_memory_agent(site: IProtocolFactory, reactor: IReactorTime) -> IAgent:
    """An agent whose every request, whatever its URL's host, goes to a site; a connection each.

    It is what treq stands on. Used by itself it leaves URLs and what is gzip as they are, as clients of S3 do.

    :param site: such as a :class:`~ozgate.wire.gatewaysite.GatewaySite`.
    :param reactor: what moves the bytes: trial's reactor, or a ``Clock``.
    """
    agent: IAgent = Agent.usingEndpointFactory(reactor, _Endpoint(site, reactor))
    return agent


def in_memory_client(site: IProtocolFactory, reactor: IReactorTime) -> HTTPClient:
    """A treq client on :func:`in_memory_agent`."""
    return HTTPClient(
        in_memory_agent(site, reactor),
        data_to_body_producer=lambda data: (
            BytesBody(data) if isinstance(data, bytes) else IBodyProducer(data)
        ),
    )


@implementer(IHalfCloseableProtocol)
class _Talk(Protocol):
    """Says its piece, half-closes, and listens to the end."""

    def __init__(self, data: bytes) -> None:
        self.ended: Deferred[bytes] = Deferred()
        self._data = data
        self._heard = bytearray()

    def connectionMade(self) -> None:
        """Say it, and no more."""
        transport: Any = self.transport
        transport.write(self._data)
        transport.loseWriteConnection()

    def dataReceived(self, data: bytes) -> None:
        """Keep it."""
        self._heard += data

    def readConnectionLost(self) -> None:
        """The connection's end follows."""

    def writeConnectionLost(self) -> None:
        """We said all."""

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Tell what was heard."""
        self.ended.callback(bytes(self._heard))


def talk(site: IProtocolFactory, reactor: IReactorTime, data: bytes) -> Deferred[bytes]:
    """Say to a site what no client library would, then half-close.

    :return: fires at the connection's end with everything the site said.
    """
    client, server = _Talk(data), site.buildProtocol(CLIENT)
    assert server is not None
    join(reactor, server, client)
    return client.ended


def settle(clock: Clock) -> None:
    """Run what a clock has to run now, until nothing is left to be done without time passing."""
    while any(call.getTime() <= clock.seconds() for call in clock.getDelayedCalls()):
        clock.advance(0)
