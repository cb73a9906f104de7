"""Clients that go while their answer is worked out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet import reactor
from twisted.internet import ssl as twisted_ssl
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.endpoints import SSL4ClientEndpoint, connectProtocol
from twisted.internet.task import Clock, deferLater

from ozgate.errors import ClientGone
from ozgate.wire.request import GatewayRequest
from ozgate.wire.tls import Certificates, TlsFiles
from tests.wire.handshakes import HandshakeTestCase
from tests.wire.support import Peer, WireTestCase

GET = b"GET /one HTTP/1.1\r\nHost: h\r\n\r\n"
UNREAD = GET + b"x" * (64 << 10)
"""More is behind the request than is read ahead, so that nothing is read while it is worked on."""


class ComputingTestCase(WireTestCase):
    """An operation that computes until it is stopped.

    :ivar began: fires when it has begun.
    :ivar stopped: fires with what stopped it.
    """

    def work(self) -> None:
        """Serve it."""
        self.began: Deferred[None] = Deferred()
        self.stopped: Deferred[type[BaseException]] = Deferred()

        async def operation(request: GatewayRequest) -> None:
            try:
                with request.computing() as check:
                    self.began.callback(None)
                    await self.compute(check)
            except (CancelledError, ClientGone) as error:
                self.stopped.callback(type(error))
                raise
            request.answer_document(200, [], b"done")

        self.serve(operation)

    async def compute(self, check: Callable[[], None]) -> None:
        """Go on and on, a slice at a time."""
        while True:
            check()
            await deferLater(reactor, 0.001)

    async def leave(self, say: bytes, go: Callable[[Any], None]) -> bytes:
        """Ask, go, and see that the work stops; what was heard."""
        self.work()
        peer = await self.connect()
        peer.send(say)
        await self.began
        go(peer.transport)
        await self.stopped
        heard = await peer.ended
        while self.site.connections:
            await deferLater(reactor, 0.001)
        return heard


class PlainTests(ComputingTestCase):
    """Over plain TCP."""

    async def test_half_closed(self) -> None:
        """Who has said all and wants something computed is gone: nothing is answered, no connection stays."""
        for say in (GET, UNREAD):
            heard = await self.leave(say, lambda it: it.loseWriteConnection())
            self.assertEqual(heard, b"")

    async def test_closed(self) -> None:
        """So is who closes, or breaks off."""
        for say in (GET, UNREAD):
            await self.leave(say, lambda it: it.loseConnection())
            await self.leave(say, lambda it: it.abortConnection())

    async def test_half_closed_before(self) -> None:
        """So is who had said all before the computing began."""
        stopped: Deferred[None] = Deferred()

        async def operation(request: GatewayRequest) -> None:
            channel = request.channel
            assert channel is not None
            while not channel.has_ended():
                await deferLater(reactor, 0.001)
            try:
                with request.computing():
                    raise AssertionError("it is computed all the same")
            except ClientGone:
                stopped.callback(None)
                raise

        self.serve(operation)
        peer = await self.connect()
        peer.send(GET)
        peer.transport.loseWriteConnection()
        await stopped
        self.assertEqual(await peer.ended, b"")

    async def test_after(self) -> None:
        """Who has said all once the computing is over gets the answer."""
        finish: Deferred[None] = Deferred()

        async def operation(request: GatewayRequest) -> None:
            with request.computing():
                await deferLater(reactor, 0.001)
            await finish
            request.answer_document(200, [], b"done")

        self.serve(operation)
        peer = await self.connect()
        peer.send(GET)
        await deferLater(reactor, 0.02)
        peer.transport.loseWriteConnection()
        await deferLater(reactor, 0.02)
        finish.callback(None)
        self.assertTrue((await peer.ended).endswith(b"done"))

    async def test_stays(self) -> None:
        """Who stays, be much unread behind its request, gets the answer."""
        self.work()

        async def compute(check: Callable[[], None]) -> None:
            for _ in range(10):
                check()
                await deferLater(reactor, 0.001)

        self.compute = compute
        peer = await self.connect()
        peer.send(UNREAD)
        await peer.until(b"done")


class TlsTests(HandshakeTestCase, ComputingTestCase):
    """Over TLS."""

    def serve(self, *arguments: Any, **options: Any) -> Any:
        """Listen with a new certificate."""
        self.certificates = Certificates(TlsFiles(self.pair("h")), Clock())
        return super().serve(*arguments, **options)

    async def connect(self) -> Peer:
        """A new client, which believes any certificate."""
        endpoint = SSL4ClientEndpoint(
            reactor, "127.0.0.1", self.port, twisted_ssl.CertificateOptions()
        )
        peer = await connectProtocol(endpoint, Peer())
        self._peers.append(peer)
        return peer

    async def test_gone(self) -> None:
        """Who closes TLS, or the connection below it by half or all, is gone."""

        def shut(transport: Any) -> None:
            transport.transport.loseWriteConnection()

        # Behind what is unread nobody sees TLS being closed: that client stays until it closes the connection.
        await self.leave(GET, lambda it: it.loseConnection())
        for say in (GET, UNREAD):
            for go in (lambda it: it.abortConnection(), shut):
                await self.leave(say, go)
