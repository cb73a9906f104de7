"""What the tests of the wire stand on: a site over loopback TCP and clients that speak bytes."""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine
from typing import Any

from klein import Klein
from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.interfaces import IConsumer, IHalfCloseableProtocol
from twisted.internet.protocol import Protocol
from twisted.trial.unittest import TestCase
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET
from zope.interface import implementer

from ozgate.errors import ClientGone, S3Error
from ozgate.wire.gatewaysite import GatewaySite
from ozgate.wire.request import GatewayRequest

Operation = Callable[[GatewayRequest], Coroutine[Any, Any, None]]


def error_body(error: S3Error, resource: str, request_id: str) -> bytes:
    """An error document in the manner of S3's."""
    return f"<Error><Code>{error.code}</Code></Error>".encode()


class Root(Resource):
    """Gives every request to one coroutine, through Klein as the gateway does."""

    isLeaf = True

    def __init__(self, operation: Operation) -> None:
        super().__init__()
        app = Klein()
        self.seen: list[bytes] = []

        @app.route("/")
        async def every(request: GatewayRequest) -> None:
            self.seen.append(request.raw_target)
            try:
                await operation(request)
            except S3Error as error:
                request.answer_document(
                    error.status,
                    [],
                    error_body(error, "", request.request_id),
                )
            except ClientGone:
                pass

        self._klein = app.resource()

    def render(self, request: Any) -> Any:
        """Whatever the path, it is Klein's ``/``."""
        request.postpath = [b""]
        return self._klein.render(request)


class Bare(Resource):
    """Gives every request to a coroutine that nothing cancels."""

    isLeaf = True

    def __init__(self, operation: Operation) -> None:
        super().__init__()
        self._operation = operation

    def render(self, request: Any) -> Any:
        """Whatever the path."""
        Deferred.fromCoroutine(self._operation(request))
        return NOT_DONE_YET


@implementer(IConsumer)
class Bytes:
    """A consumer that keeps what it gets and pauses when told to."""

    def __init__(self, pause_after: int | None = None) -> None:
        self.data = bytearray()
        self.producer: Any = None
        self.pause_after = pause_after
        self.paused: Deferred[None] = Deferred()

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Keep it."""
        self.producer = producer

    def unregisterProducer(self) -> None:
        """Forget it."""
        self.producer = None

    def write(self, data: bytes) -> None:
        """Keep the bytes."""
        self.data += data
        if self.pause_after is not None and len(self.data) >= self.pause_after:
            self.pause_after = None
            self.producer.pauseProducing()
            self.paused.callback(None)


async def echo(request: GatewayRequest) -> None:
    """Take the body and answer what was sent, or the target when there was none."""
    sink = Bytes()
    await request.body.deliver_to(sink)
    request.answer_document(200, [], bytes(sink.data) or request.raw_target)


@implementer(IHalfCloseableProtocol)
class Peer(Protocol):
    """A client that speaks bytes."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.ended: Deferred[bytes] = Deferred()
        self.over = False
        self._waiting: list[tuple[Callable[[bytearray], Any], Deferred[bytes]]] = []

    def dataReceived(self, data: bytes) -> None:
        """Keep it and see who has waited for it."""
        self.data += data
        for entry in list(self._waiting):
            if entry[0](self.data):
                self._waiting.remove(entry)
                entry[1].callback(bytes(self.data))

    def readConnectionLost(self) -> None:
        """The server has said all."""
        self._end()
        self.transport.loseConnection()

    def writeConnectionLost(self) -> None:
        """We have said all."""

    def connectionLost(self, reason: Any = None) -> None:
        """The connection is no more."""
        self._end()

    def _end(self) -> None:
        if not self.over:
            self.over = True
            self.ended.callback(bytes(self.data))

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.transport.write(data)

    def until(self, pattern: bytes) -> Deferred[bytes]:
        """Fires when what was received matches a regular expression."""

        def there(data: bytearray) -> Any:
            return re.search(pattern, data, re.DOTALL)

        found: Deferred[bytes] = Deferred()
        if there(self.data):
            found.callback(bytes(self.data))
        else:
            self._waiting.append((there, found))
        return found


class WireTestCase(TestCase):
    """Tests against a site that listens on a loopback port."""

    timeout = 30

    def serve(
        self, operation: Operation = echo, make_root: Any = Root, **arguments: Any
    ) -> GatewaySite:
        """Listen; the port is ``self.port``, the site ``self.site``."""
        self.root = make_root(operation)
        self.site = GatewaySite(self.root, error_body, reactor=reactor, **arguments)
        listening = self.listen()
        self.port = listening.getHost().port
        self._peers: list[Peer] = []
        self.addCleanup(self._stop, listening)
        return self.site

    def listen(self) -> Any:
        """Listen on a port."""
        return reactor.listenTCP(0, self.site, interface="127.0.0.1")

    async def _stop(self, listening: Any) -> None:
        await listening.stopListening()
        self.site.abort_connections()
        for peer in self._peers:
            if not peer.over:
                peer.transport.abortConnection()
        await gatherResults([peer.ended for peer in self._peers])
        while self.site.connections:
            turn: Deferred[None] = Deferred()
            reactor.callLater(0, turn.callback, None)
            await turn

    async def connect(self) -> Peer:
        """A new client."""
        endpoint = TCP4ClientEndpoint(reactor, "127.0.0.1", self.port)
        peer = await connectProtocol(endpoint, Peer())
        self._peers.append(peer)
        return peer

    async def exchange(self, data: bytes) -> bytes:
        """What a server answers to some bytes until it closes."""
        peer = await self.connect()
        peer.send(data)
        return await peer.ended
