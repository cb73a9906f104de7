"""Deadlines and the floor on progress, by a clock."""

from __future__ import annotations

from typing import Any

from twisted.internet import protocol
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from ozgate.errors import RequestTimeout
from ozgate.testing.inmemory import join, settle
from ozgate.wire.gatewaysite import GatewaySite
from ozgate.wire.request import GatewayRequest
from tests.wire.support import Bytes, Operation, Root, echo, error_body

PUT = b"PUT /b/k HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n"
GET = b"GET /k HTTP/1.1\r\nHost: h\r\n\r\n"


class Client(protocol.Protocol):
    """A client that keeps what it gets."""

    def __init__(self) -> None:
        self.data = b""
        self.over = False

    def dataReceived(self, data: bytes) -> None:
        """Keep it."""
        self.data += data

    def connectionLost(self, reason: Any = None) -> None:
        """Note it."""
        self.over = True


class ProgressTests(SynchronousTestCase):
    """Every phase of a request has its limit, and only the client's own slowness counts."""

    def begin(self, operation: Operation = echo, **arguments: Any) -> Client:
        """A client connected to a site with short deadlines."""
        self.clock = Clock()
        given = {
            "header_timeout": 10,
            "idle_timeout": 30,
            "minimum_rate": 100,
            "progress_window": 5,
            **arguments,
        }
        self.site = GatewaySite(
            Root(operation), error_body, reactor=self.clock, **given
        )
        client = Client()
        channel = self.site.buildProtocol(None)
        assert channel is not None
        join(self.clock, channel, client)
        self.addCleanup(self._no_timers)
        return client

    def _no_timers(self) -> None:
        self.site.abort_connections()
        settle(self.clock)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(self.site.connections, set())

    def send(self, client: Client, data: bytes) -> None:
        """Send, and let it arrive."""
        client.transport.write(data)
        settle(self.clock)

    def pass_time(self, seconds: int) -> None:
        """Let whole seconds pass."""
        for _ in range(seconds):
            self.clock.advance(1)
            settle(self.clock)

    def lingers(self, client: Client) -> None:
        """Assert that the connection ends, but only when what the client may still send was taken in."""
        self.assertFalse(client.over)
        self.pass_time(3)
        self.assertTrue(client.over)

    def test_idle(self) -> None:
        """A connection that says nothing is closed without a word after the idle timeout."""
        client = self.begin()
        self.pass_time(29)
        self.assertFalse(client.over)
        self.pass_time(1)
        self.assertTrue(client.over)
        self.assertEqual(client.data, b"")

    def test_idle_between_requests(self) -> None:
        """Each answer begins the idle time anew."""
        client = self.begin()
        for _ in range(4):
            self.pass_time(29)
            self.send(client, GET)
        self.assertEqual(client.data.count(b" 200 OK"), 4)
        self.pass_time(29)
        self.assertFalse(client.over)
        self.pass_time(1)
        self.assertTrue(client.over)

    def test_slow_head(self) -> None:
        """A head has its time from its first byte on, however busily it trickles."""
        client = self.begin()
        self.pass_time(25)
        for byte in b"GET / HTTP":
            self.assertFalse(client.over)
            self.send(client, bytes([byte]))
            self.pass_time(1)
        self.assertTrue(client.data.startswith(b"HTTP/1.1 400 "))
        self.assertIn(b"RequestTimeout", client.data)
        self.lingers(client)

    def test_slow_body(self) -> None:
        """A body that trickles is RequestTimeout, and the connection ends."""
        client = self.begin()
        self.send(client, PUT)
        for _ in range(5):
            self.assertEqual(client.data, b"")
            self.send(client, b"x" * 99)
            self.pass_time(1)
        self.assertTrue(client.data.startswith(b"HTTP/1.1 400 "))
        self.assertIn(RequestTimeout.__name__.encode(), client.data)
        self.lingers(client)

    def test_steady_body(self) -> None:
        """A body just above the floor may take as long as it takes."""
        client = self.begin()
        self.send(client, PUT.replace(b"1000000", b"10000"))
        for _ in range(100):
            self.send(client, b"x" * 100)
            self.pass_time(1)
        self.assertTrue(client.data.endswith(b"x" * 10000))

    def test_no_floor(self) -> None:
        """A minimum rate of 0 turns the floor off."""
        client = self.begin(minimum_rate=0)
        self.send(client, PUT)
        self.pass_time(10_000)
        self.assertFalse(client.over)

    def test_paused_body(self) -> None:
        """While we pause a body the client is not to blame, nor before anybody takes it."""
        sink = Bytes(pause_after=1)
        gate: Deferred[None] = Deferred()

        async def operation(request: GatewayRequest) -> None:
            await gate
            await request.body.deliver_to(sink)

        client = self.begin(operation)
        self.send(client, PUT + b"x")
        self.pass_time(1000)
        gate.callback(None)
        self.pass_time(1000)
        self.assertFalse(client.over)
        sink.producer.resumeProducing()
        self.pass_time(4)
        self.assertFalse(client.over)
        self.pass_time(1)
        self.assertIn(b"RequestTimeout", client.data)

    def test_long_operation(self) -> None:
        """An operation may take as long as it takes."""
        gate: Deferred[None] = Deferred()

        async def operation(request: GatewayRequest) -> None:
            await gate
            request.answer_document(200, [], b"late")

        client = self.begin(operation)
        self.send(client, GET)
        self.pass_time(10_000)
        gate.callback(None)
        settle(self.clock)
        self.assertTrue(client.data.endswith(b"late"))

    def test_slow_reader(self) -> None:
        """A client that does not read its answer is cut off, with what it had not read."""
        large = bytes(1 << 20)

        async def operation(request: GatewayRequest) -> None:
            request.answer_document(200, [], large)

        client = self.begin(operation)
        client.transport.pauseProducing()
        self.send(client, GET)
        self.pass_time(4)
        self.assertEqual(len(self.site.connections), 1)
        self.pass_time(1)
        self.assertEqual(len(self.site.connections), 0)

    def test_slow_reader_without_floor(self) -> None:
        """Without a minimum rate a client may leave its answer as long as it likes."""
        large = bytes(1 << 20)

        async def operation(request: GatewayRequest) -> None:
            request.answer_document(200, [], large)

        client = self.begin(operation, minimum_rate=0)
        client.transport.pauseProducing()
        self.send(client, GET)
        self.pass_time(1000)
        client.transport.resumeProducing()
        self.pass_time(1)
        self.assertTrue(client.data.endswith(large))

    def test_drain(self) -> None:
        """The rest of an unwanted body is waited for so long and not longer."""

        async def operation(request: GatewayRequest) -> None:
            request.answer_document(403, [], b"no")

        client = self.begin(operation)
        self.send(client, PUT)
        self.assertTrue(client.data.endswith(b"no"))
        for _ in range(9):
            self.send(client, b"x" * 1000)
            self.pass_time(1)
        self.assertFalse(client.over)
        self.pass_time(1)
        self.lingers(client)

    def test_stalled_pipeline(self) -> None:
        """Who sends requests and reads no answers does not have them all worked on."""
        large = bytes(100_000)

        async def operation(request: GatewayRequest) -> None:
            request.answer_document(200, [], large)

        client = self.begin(operation)
        client.transport.pauseProducing()
        for _ in range(100):
            self.send(client, GET)
        self.assertEqual(len(self.site.resource.seen), 1)
        client.transport.resumeProducing()
        self.pass_time(1)
        self.assertEqual(len(self.site.resource.seen), 100)
        self.assertEqual(client.data.count(b" 200 OK"), 100)
