"""Bodies over real sockets: taken late, paused, refused, cut off."""

from __future__ import annotations

import gc
import socket
import struct
import weakref

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet import reactor, tcp
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import deferLater
from twisted.trial.unittest import SynchronousTestCase
from twisted.web import http

from ozgate.errors import AccessDenied, ClientGone, EntityTooLarge
from ozgate.wire.body import RequestBody, Stopped
from ozgate.wire.channel import GatewayChannel
from ozgate.wire.request import GatewayRequest
from tests.wire.support import Bare, Bytes, WireTestCase, echo

PUT = b"PUT /b/k HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n"
NEXT = b"GET /next HTTP/1.1\r\nHost: h\r\n\r\n"


async def deny(request: GatewayRequest) -> None:
    """Refuse at once, unless it is the next request."""
    if request.raw_target == b"/next":
        await echo(request)
    else:
        raise AccessDenied()


class ContinueTests(WireTestCase):
    """``Expect: 100-continue``."""

    async def test_taken(self) -> None:
        """The interim answer comes when the body is taken, and not before."""
        gate: Deferred[None] = Deferred()

        async def operation(request: GatewayRequest) -> None:
            if request.raw_target == b"/b/k":
                started.callback(None)
                await gate
            await echo(request)

        started: Deferred[None] = Deferred()
        self.serve(operation)
        peer = await self.connect()
        peer.send(PUT % 5 + b"Expect: 100-Continue\r\n\r\n")
        await started
        self.assertEqual(peer.data, b"")
        gate.callback(None)
        await peer.until(b"^HTTP/1.1 100 Continue\r\n\r\n$")
        peer.send(b"hello")
        await peer.until(b"hello$")
        peer.send(NEXT)
        await peer.until(b"/next$")

    async def test_denied(self) -> None:
        """A denied request hears no 100, and the connection ends, as nobody knows whether the body comes."""
        self.serve(deny)
        answer = await self.exchange(PUT % 5 + b"Expect: 100-continue\r\n\r\n")
        self.assertTrue(answer.startswith(b"HTTP/1.1 403 "))
        self.assertIn(b"\r\nConnection: close\r\n", answer)
        self.assertNotIn(b" 100 ", answer)

    async def test_impatient(self) -> None:
        """A client that sends the body without waiting gets no 100 any more."""
        self.serve()
        peer = await self.connect()
        peer.send(PUT % 5 + b"Expect: 100-continue\r\n\r\nhello")
        await peer.until(b"hello$")
        self.assertNotIn(b" 100 ", peer.data)

    async def test_empty(self) -> None:
        """An empty body is asked for too, though none will come: version 1 of the AWS CLI depends on it."""
        self.serve()
        peer = await self.connect()
        peer.send(PUT % 0 + b"Expect: 100-continue\r\n\r\n" + NEXT)
        await peer.until(b"/next$")
        self.assertTrue(
            peer.data.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 ")
        )

    async def test_http_1_0(self) -> None:
        """HTTP/1.0 knows no interim answers."""
        self.serve()
        head = b"PUT / HTTP/1.0\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"
        answer = await self.exchange(head + b"hello")
        self.assertTrue(answer.startswith(b"HTTP/1.1 200 OK\r\n"))


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


class DeliveryTests(WireTestCase):
    """From the socket to the consumer."""

    async def test_large(self) -> None:
        """8 MiB arrive in order, in small memory."""
        self.serve()
        data = bytes(range(256)) * 32768
        peer = await self.connect()
        peer.send(PUT % len(data) + b"\r\n" + data + NEXT)
        received = await peer.until(b"/next$")
        self.assertIn(data, received)

    async def test_back_pressure(self) -> None:
        """While the consumer pauses nothing is read; what it gets in the end is everything."""
        sink = Bytes(pause_after=1)
        done: Deferred[int] = Deferred()

        async def operation(request: GatewayRequest) -> None:
            count = await request.body.deliver_to(sink)
            done.callback(count)
            request.answer_document(200, [], b"")

        self.serve(operation)
        peer = await self.connect()
        size = 16 << 20
        peer.send(PUT % size + b"\r\n" + bytes(size))
        await sink.paused
        before = len(sink.data)
        [channel] = self.site.connections
        for _ in range(20):
            await deferLater(reactor, 0)
        self.assertEqual(len(sink.data), before)
        [request] = channel.requests
        self.assertLess(request.body.received, 1 << 20)
        sink.producer.resumeProducing()
        self.assertEqual(await done, size)
        self.assertEqual(len(sink.data), size)
        self.assertIs(sink.producer, None)

    async def test_pause_at_the_end(self) -> None:
        """A consumer that pauses with the last byte hears the end when it resumes."""
        sink = Bytes(pause_after=5)

        async def operation(request: GatewayRequest) -> None:
            count = await request.body.deliver_to(sink)
            request.answer_document(200, [], b"%d" % count)

        self.serve(operation)
        peer = await self.connect()
        peer.send(PUT % 5 + b"\r\nhello")
        await sink.paused
        self.assertEqual(peer.data, b"")
        sink.producer.resumeProducing()
        await peer.until(b"\r\n\r\n5$")

    async def test_consumer_raises(self) -> None:
        """What the consumer's write raises is what the delivery fails with; the rest is dropped."""

        class Full(Bytes):
            def write(self, data: bytes) -> None:
                raise EntityTooLarge()

        async def operation(request: GatewayRequest) -> None:
            if request.raw_target == b"/next":
                return await echo(request)
            sink = Full()
            try:
                await request.body.deliver_to(sink)
            finally:
                self.assertIs(sink.producer, None)

        self.serve(operation)
        peer = await self.connect()
        peer.send(PUT % 300_000 + b"\r\n" + b"x" * 300_000 + NEXT)
        await peer.until(b"400 .*EntityTooLarge.*/next$")

    async def test_consumer_stops(self) -> None:
        """stopProducing ends the delivery with Stopped."""
        failures = []

        async def operation(request: GatewayRequest) -> None:
            sink = Bytes(pause_after=1)
            sink.paused.addCallback(lambda _: sink.producer.stopProducing())
            try:
                await request.body.deliver_to(sink)
            except Stopped as error:
                failures.append(error)
            request.answer_document(200, [], b"stopped")

        self.serve(operation)
        peer = await self.connect()
        peer.send(PUT % 300_000 + b"\r\n" + b"x" * 300_000)
        await peer.until(b"stopped$")
        self.assertEqual(len(failures), 1)

    async def test_cancelled(self) -> None:
        """A cancelled delivery lets go of its consumer and drops the rest."""

        async def operation(request: GatewayRequest) -> None:
            sink = Bytes()
            delivery = request.body.deliver_to(sink)
            delivery.cancel()
            self.assertIs(sink.producer, None)
            with self.assertRaises(CancelledError):
                await delivery
            request.answer_document(200, [], b"cancelled")

        self.serve(operation)
        peer = await self.connect()
        peer.send(PUT % 5 + b"\r\n")
        await peer.until(b"cancelled$")

    async def test_once(self) -> None:
        """A body is taken once."""

        async def operation(request: GatewayRequest) -> None:
            await request.body.deliver_to(Bytes())
            with self.assertRaises(RuntimeError):
                request.body.deliver_to(Bytes())
            await deferLater(reactor, 0)
            request.answer_document(200, [], b"once")

        self.serve(operation)
        peer = await self.connect()
        peer.send(PUT % 5 + b"\r\nhello")
        await peer.until(b"once$")

    async def test_pipelined(self) -> None:
        """Requests in one packet are answered in order, bodies and all, however many."""
        self.serve()
        last = NEXT.replace(b"Host", b"Connection: close\r\nHost")
        received = await self.exchange((PUT % 5 + b"\r\nhello" + NEXT) * 3000 + last)
        bodies = [
            part.rpartition(b"\r\n\r\n")[2] for part in received.split(b"HTTP/1.1 ")
        ]
        self.assertEqual(bodies, [b"", *[b"hello", b"/next"] * 3000, b"/next"])


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


class StockTests(WireTestCase):
    """What this leans on in Twisted."""

    def test_names(self) -> None:
        """The non-public names of Twisted that the channel uses are there."""
        channel = http.HTTPChannel()
        for name in ("_waitingForTransport", "_requestProducer"):
            self.assertTrue(hasattr(channel, name), name)
        self.assertTrue(hasattr(http, "_ChunkedTransferDecoder"))
        self.assertTrue(issubclass(http._MalformedChunkedDataError, Exception))
        transport = tcp.Connection(socket.socket(), None, reactor)
        self.addCleanup(transport.socket.close)
        self.assertEqual(
            (transport.dataBuffer, transport.offset, transport._tempDataLen),
            (b"", 0, 0),
        )

    async def test_headers(self) -> None:
        """Twisted's and Klein's own answers have our standing headers and no content type of theirs."""

        async def operation(request: GatewayRequest) -> None:
            request.write(b"x")

        self.serve(operation)
        answer = await self.exchange(b"GET / HTTP/1.0\r\n\r\n")
        self.assertIn(b"\r\nServer: ozgate\r\n", answer)
        self.assertIn(b"\r\nDate: ", answer)
        self.assertIn(b"\r\nConnection: close\r\n", answer)
        self.assertNotIn(b"Content-Type", answer)

    async def test_unexpected(self) -> None:
        """What nobody expected is InternalError, in the site's form, and in the log."""

        async def operation(request: GatewayRequest) -> None:
            raise ZeroDivisionError()

        self.serve(operation)
        peer = await self.connect()
        peer.send(NEXT)
        await peer.until(b"500 .*<Code>InternalError</Code>")
        peer.send(NEXT)
        await peer.until(b"(InternalError.*){2}")
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 2)


class _Quiet:
    """Where a body comes from, told what to do by the test."""

    reading = True

    def pause_body(self) -> None:
        """Read no more."""
        self.reading = False

    def resume_body(self) -> None:
        """Read on."""
        self.reading = True

    def send_continue(self) -> None:
        """Nobody waits for it."""

    def drain_body(self) -> None:
        """The rest is not wanted."""


class PausingTests(SynchronousTestCase):
    """A body alone, its consumer pausing as it likes."""

    @settings(deadline=None)
    @given(st.lists(st.sampled_from("apr"), max_size=30), st.integers(0, 30))
    def test_any_pauses(self, steps: list[str], taken_at: int) -> None:
        """What arrives is delivered in order, whole and once; never while paused, and the pause reaches the client."""
        source, sink, sent = _Quiet(), Bytes(), bytearray()
        body = RequestBody(source, None)
        done: list[object] = []
        for number, step in enumerate([*steps, "r", "end"]):
            if number == min(taken_at, len(steps)):
                body.deliver_to(sink).addBoth(done.append)
            before, paused = bytes(sink.data), body._paused
            if step == "a" and source.reading:
                sent.append(number)
                body.data_received(bytes([number]))
                self.assertFalse(paused and sink.data != before)
            elif step in "pr" and sink.producer is not None:
                (body.pauseProducing if step == "p" else body.resumeProducing)()
                self.assertEqual(source.reading, step == "r")
            elif step == "end":
                body.all_received()
            self.assertTrue(sent.startswith(sink.data))
        self.assertEqual((sink.data, done), (sent, [len(sent)]))


def _reset(transport: tcp.Connection) -> None:
    """Close with a RST."""
    linger = struct.pack("ii", 1, 0)
    transport.getHandle().setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    transport.abortConnection()
