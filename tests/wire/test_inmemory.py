"""The client in memory."""

from __future__ import annotations

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase, TestCase

from ozgate.testing.inmemory import in_memory_client, settle, talk
from ozgate.wire.gatewaysite import GatewaySite
from ozgate.wire.request import GatewayRequest
from tests.wire.support import Bytes, Root, echo, error_body


class InMemoryTests(TestCase):
    """With trial's reactor a test just awaits."""

    async def test_round_trip(self) -> None:
        """300 kB go up and come down again through the real channel, Klein and treq."""
        site = GatewaySite(Root(echo), error_body, reactor=Clock())
        client = in_memory_client(site, reactor)
        data = bytes(range(256)) * 1200
        response = await client.put("http://any.host/b/k", data=data)
        self.assertEqual(response.code, 200)
        self.assertEqual(response.headers.getRawHeaders("server"), ["ozgate"])
        self.assertEqual(await response.content(), data)

    async def test_raw_target(self) -> None:
        """What treq asks for is what the request shows."""
        site = GatewaySite(Root(echo), error_body, reactor=Clock())
        response = await in_memory_client(site, reactor).get("http://h/b/a%2Fb?acl")
        self.assertEqual(await response.content(), b"/b/a%2Fb?acl")


class ClockTests(SynchronousTestCase):
    """With a Clock time passes as the test says."""

    def test_settle(self) -> None:
        """Everything that needs no time happens, and nothing else."""
        clock = Clock()
        waiting: Deferred[None] = Deferred()

        async def operation(request: GatewayRequest) -> None:
            sink = Bytes()
            await request.body.deliver_to(sink)
            await waiting
            request.answer_document(200, [], bytes(sink.data))

        site = GatewaySite(Root(operation), error_body, reactor=clock)
        client = in_memory_client(site, clock)
        answer = client.put("http://h/b/k", data=b"x" * 200_000)
        settle(clock)
        self.assertNoResult(answer)
        waiting.callback(None)
        settle(clock)
        content = self.successResultOf(answer).content()
        settle(clock)
        self.assertEqual(self.successResultOf(content), b"x" * 200_000)

    def test_talk(self) -> None:
        """Bytes are said as they are; the answer to what was cut short still comes."""
        clock = Clock()
        site = GatewaySite(Root(echo), error_body, reactor=clock)
        head = b"PUT /b/k? HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n"
        whole, short = talk(site, clock, head + b"12345"), talk(site, clock, head)
        settle(clock)
        self.assertTrue(self.successResultOf(whole).endswith(b"\r\n\r\n12345"))
        self.assertIn(b"IncompleteBody", self.successResultOf(short))
        self.assertEqual(clock.getDelayedCalls(), [])
