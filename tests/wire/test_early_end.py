"""Answers that come before the body has, and what becomes of the body."""

from __future__ import annotations

from twisted.internet import reactor
from twisted.internet.task import deferLater

from ozgate.wire.channel import GatewayChannel
from ozgate.wire.request import GatewayRequest
from tests.wire.bodies import NEXT, PUT, deny
from tests.wire.support import WireTestCase


class EarlyEndTests(WireTestCase):
    """Answers that come before the body."""

    async def test_drained(self) -> None:
        """The answer comes at once, the rest is read and dropped, and the connection lives on."""
        self.serve(deny)
        peer = await self.connect()
        peer.send(PUT % 5_000_000 + b"\r\n")
        await peer.until(b"403 .*AccessDenied")
        peer.send(b"GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n".ljust(5_000_000) + NEXT)
        await peer.until(b"/next$")
        self.assertEqual(self.root.seen, [b"/b/k", b"/next"])

    async def test_too_much(self) -> None:
        """More than is drained: the answer says close, arrives although the client sends on, nothing is parsed."""
        self.patch(GatewayChannel, "drain_bytes", 100_000)
        self.serve(deny)
        answer = await self.exchange(PUT % (3 << 20) + b"\r\n" + NEXT * 50_000)
        self.assertTrue(answer.startswith(b"HTTP/1.1 403 "))
        self.assertIn(b"\r\nConnection: close\r\n", answer)
        self.assertEqual(answer.count(b"HTTP/1.1 "), 1)

    async def test_too_much_chunked(self) -> None:
        """The same where the length is not known before."""
        self.patch(GatewayChannel, "drain_bytes", 100_000)
        self.serve(deny)
        head = b"PUT /b/k HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
        answer = await self.exchange(head + b"10000\r\n%b\r\n" % bytes(65536) * 30)
        self.assertTrue(answer.startswith(b"HTTP/1.1 403 "))
        self.assertEqual(answer.count(b"HTTP/1.1 "), 1)

    async def test_too_much_of_framing(self) -> None:
        """The bound is one of bytes that are read: framing counts, however little of a body is in it."""
        self.patch(GatewayChannel, "drain_bytes", 100_000)
        self.patch(GatewayChannel, "drain_seconds", 1000.0)
        self.serve(deny)
        head = b"PUT /b/k HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
        peer = await self.connect()
        peer.send(head + b"1;%b\r\nx\r\n" % (b"e" * 500) * 400)
        answer = await peer.ended
        self.assertTrue(answer.startswith(b"HTTP/1.1 403 "))
        self.assertEqual(answer.count(b"HTTP/1.1 "), 1)

    async def test_discarded_before_the_answer(self) -> None:
        """A body that an operation discards is dropped while the operation works."""

        async def operation(request: GatewayRequest) -> None:
            request.body.discard()
            request.body.discard()
            await deferLater(reactor, 0)
            request.answer_document(200, [], b"done")

        self.serve(operation)
        peer = await self.connect()
        peer.send(PUT % 300_000 + b"\r\n" + b"x" * 300_000 + NEXT)
        await peer.until(b"done.+done$")

    async def test_stock_chunked_answer(self) -> None:
        """An answer in the chunked transfer coding is ended before the drain, not after it."""

        async def operation(request: GatewayRequest) -> None:
            request.write(b"early")

        self.serve(operation)
        peer = await self.connect()
        peer.send(PUT % 5 + b"\r\n")
        await peer.until(b"5\r\nearly\r\n0\r\n\r\n$")
