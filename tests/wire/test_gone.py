"""Clients that stop sending in mid-request, or vanish."""

from __future__ import annotations

import gc
import socket
import struct
import weakref

from twisted.internet import reactor, tcp
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import deferLater

from ozgate.errors import ClientGone
from ozgate.wire.request import GatewayRequest
from tests.wire.bodies import NEXT, PUT
from tests.wire.support import Bare, Bytes, WireTestCase, echo


class GoneTests(WireTestCase):
    """Clients that stop sending, and clients that vanish."""

    async def test_half_closed(self) -> None:
        """Who stops early but still listens hears IncompleteBody."""
        self.serve()
        for body in (b"", b"hell"):
            peer = await self.connect()
            peer.send(PUT % 5 + b"\r\n" + body)
            peer.transport.loseWriteConnection()
            self.assertIn(b"<Code>IncompleteBody</Code>", await peer.ended)

    async def test_half_closed_when_done(self) -> None:
        """Who stops sending after whole requests gets every answer."""

        async def operation(request: GatewayRequest) -> None:
            await deferLater(reactor, 0.001)
            await echo(request)

        self.serve(operation)
        peer = await self.connect()
        peer.send(PUT % 5 + b"\r\nhello" + NEXT)
        peer.transport.loseWriteConnection()
        self.assertTrue((await peer.ended).endswith(b"/next"))

    async def test_half_closed_head(self) -> None:
        """Half a head and no more is no request."""
        self.serve()
        peer = await self.connect()
        peer.send(b"GET / HT")
        peer.transport.loseWriteConnection()
        self.assertEqual(await peer.ended, b"")

    async def test_reset(self) -> None:
        """A reset in mid-body fails the delivery with ClientGone where nothing cancels it first."""
        failed: Deferred[Exception] = Deferred()
        gone: Deferred[None] = Deferred()
        sink = Bytes(pause_after=None)

        async def operation(request: GatewayRequest) -> None:
            request.on_gone(lambda: gone.callback(None))
            started.callback(None)
            try:
                await request.body.deliver_to(sink)
            except ClientGone as error:
                failed.callback(error)

        started: Deferred[None] = Deferred()
        self.serve(operation, Bare)
        peer = await self.connect()
        peer.send(PUT % 5 + b"\r\nhel")
        await started
        _reset(peer.transport)
        await failed
        await gone
        self.assertIs(sink.producer, None)
        self.assertEqual(self.site.connections, set())

    async def test_freed(self) -> None:
        """A connection without a request under way is freed as it ends: who comes again and again leaves nothing for the garbage collector."""
        self.serve()
        for start in (b"", b"GET / HTTP"):
            peer = await self.connect()
            peer.send(start)
            while not self.site.connections:
                await deferLater(reactor, 0)
            [channel] = self.site.connections
            while channel._pending != start:
                await deferLater(reactor, 0)
            freed = weakref.ref(channel)
            del channel
            gc.disable()
            try:
                peer.transport.abortConnection()
                await peer.ended
                while self.site.connections:
                    await deferLater(reactor, 0)
                await deferLater(reactor, 0)
                self.assertIs(freed(), None)
            finally:
                gc.enable()

    async def test_cancels(self) -> None:
        """A reset cancels the operation, quietly."""
        cancelled: Deferred[bool] = Deferred()
        started: Deferred[None] = Deferred()

        async def operation(request: GatewayRequest) -> None:
            started.callback(None)
            try:
                await request.body.deliver_to(Bytes())
            except CancelledError:
                cancelled.callback(request.gone)
                raise

        self.serve(operation)
        peer = await self.connect()
        peer.send(PUT % 5 + b"\r\nhel")
        await started
        _reset(peer.transport)
        self.assertTrue(await cancelled)


def _reset(transport: tcp.Connection) -> None:
    """Close with a RST."""
    linger = struct.pack("ii", 1, 0)
    transport.getHandle().setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    transport.abortConnection()
