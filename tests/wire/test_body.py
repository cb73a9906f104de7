"""Bodies over real sockets: asked for, taken late, paused, refused."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import deferLater
from twisted.trial.unittest import SynchronousTestCase

from ozgate.errors import EntityTooLarge
from ozgate.wire.body import READ_LARGE, RequestBody, Stopped
from ozgate.wire.request import GatewayRequest
from tests.wire.bodies import NEXT, PUT, deny
from tests.wire.support import Bytes, WireTestCase, echo


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

    async def test_read_at_once(self) -> None:
        """As many bytes are read at once as the body says, each time up to a multiple of that; while it pauses no more than one read is held."""
        sink, done = Bytes(pause_after=1), Deferred[int]()

        async def operation(request: GatewayRequest) -> None:
            request.body.read_at_once = READ_LARGE
            done.callback(await request.body.deliver_to(sink))
            request.answer_document(200, [], b"")

        self.serve(operation)
        peer = await self.connect()
        size = (8 << 20) + 12345
        peer.send(PUT % size + b"\r\n" + bytes(size))
        await sink.paused
        [channel] = self.site.connections
        body = channel.requests[0].body
        await deferLater(reactor, 0)  # the sink has paused from within
        for _ in range(4):
            sink.producer.resumeProducing()
            self.assertEqual(
                (body.received + channel.transport.bufferSize) % READ_LARGE, 0
            )
            sink.producer.pauseProducing()
            for _ in range(20):
                await deferLater(reactor, 0)
            self.assertLess(body.received, 2 * READ_LARGE)
        sink.producer.resumeProducing()
        self.assertEqual(await done, size)
        self.assertEqual(channel.transport.bufferSize, channel.read_size)

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


class WholeTests(SynchronousTestCase):
    """A body that is here already."""

    def test_here(self) -> None:
        """It is taken in one piece, once."""
        body = RequestBody(_Quiet(), 5)
        body.data_received(b"he")
        body.data_received(b"llo")
        body.all_received()
        self.assertEqual(body.whole(), b"hello")
        self.assertIsNone(body.whole())
        self.assertRaises(RuntimeError, body.deliver_to, Bytes())

    def test_to_come(self) -> None:
        """Of one that has not all arrived nothing is taken."""
        body, sink = RequestBody(_Quiet(), 5), Bytes()
        body.data_received(b"he")
        self.assertIsNone(body.whole())
        done = body.deliver_to(sink)
        body.data_received(b"llo")
        body.all_received()
        self.assertEqual((self.successResultOf(done), sink.data), (5, b"hello"))

    def test_failed(self) -> None:
        """One that failed is never whole, nor is one that nobody wants."""
        failed, unwanted = RequestBody(_Quiet(), 5), RequestBody(_Quiet(), 0)
        failed.failed(EntityTooLarge())
        unwanted.discard()
        self.assertIsNone(failed.whole())
        self.assertIsNone(unwanted.whole())
