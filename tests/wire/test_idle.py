"""Idle connections make room when there is no more: the longest idle first, and nobody whose request is under way."""

from __future__ import annotations

import socket
import ssl
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock, deferLater
from twisted.trial.unittest import SynchronousTestCase

from ozgate.wire import idle
from ozgate.wire.deadline import HEAD
from ozgate.wire.gatewaysite import GatewaySite
from ozgate.wire.idle import GRACE, Waiting
from ozgate.wire.limits import ADDRESS, ALL, ConnectionLimits, Refusals
from ozgate.wire.request import GatewayRequest
from ozgate.wire.tls import Certificates, TlsFiles
from tests.wire.handshakes import HandshakeTestCase, client
from tests.wire.support import Operation, Peer, WireTestCase, echo

GET = b"GET /%b HTTP/1.1\r\nHost: h\r\n\r\n"


class RoomTests(WireTestCase):
    """Over plain TCP."""

    def limited(
        self, most: int = 0, most_of_one: int = 0, operation: Operation = echo
    ) -> list[str]:
        """Listen with limits, idle connections to spare at once; returns the list of reasons why connections were refused."""
        self.patch(idle, "GRACE", 0.0)
        refused: list[str] = []
        limits = ConnectionLimits(most, most_of_one, refused.append)
        self.serve(operation, limits=limits)
        return refused

    async def welcome(self) -> Peer:
        """A connection that is answered, and idle now."""
        peer = await self.connect()
        await self.ask(peer)
        return peer

    async def ask(self, peer: Peer) -> None:
        """Have a request answered."""
        peer.data.clear()
        peer.send(GET % b"served")
        await peer.until(b"/served$")

    async def test_longest_idle(self) -> None:
        """The one that has waited longest ends without a word, whichever came first; newcomers are served."""
        refused = self.limited(most=3)
        first, second, third = [await self.welcome() for _ in range(3)]
        await self.ask(first)
        second.data.clear()
        fourth = await self.welcome()
        self.assertEqual(await second.ended, b"")
        for peer in (first, third, fourth):
            await self.ask(peer)
        self.assertEqual(len(self.site.connections), 3)
        self.assertEqual(refused, [])

    async def test_beside(self) -> None:
        """A site beside another shares its room: who comes to one has an idle connection of the other end."""
        refused = self.limited(most=2)
        first = await self.welcome()
        site = self.site
        beside = GatewaySite(site.resource, site.error_body, reactor=reactor)
        beside.stand_beside(site)
        port = reactor.listenTCP(0, beside, interface="127.0.0.1")  # type: ignore[attr-defined]
        self.addCleanup(port.stopListening)
        self.port = port.getHost().port
        await self.welcome()
        first.data.clear()
        third = await self.welcome()
        self.assertEqual(await first.ended, b"")
        await self.ask(third)
        self.assertEqual((len(self.site.connections), refused), (2, []))

    async def test_silent(self) -> None:
        """Connections that never said anything are the first to go: many of them keep nobody out."""
        refused = self.limited(most=4)
        idle = [await self.connect() for _ in range(4)]
        while len(self.site.connections) < 4:
            await deferLater(reactor, 0)
        for _ in range(20):
            peer = await self.welcome()
            peer.transport.loseConnection()
            await peer.ended
        self.assertEqual(refused, [])
        self.assertTrue(idle[0].over)

    async def test_at_work(self) -> None:
        """Whose request is under way stays; where all are such, the newcomer hears SlowDown."""
        finish = Deferred[None]()

        async def operation(request: GatewayRequest) -> None:
            await finish
            request.answer_document(200, [], b"done")

        refused = self.limited(most=2, operation=operation)
        peers = [await self.connect(), await self.connect()]
        for peer in peers:
            peer.send(GET % b"work")
        while len(self.root.seen) < 2:
            await deferLater(reactor, 0)
        answer = await self.exchange(GET % b"refused")
        self.assertIn(b"<Code>SlowDown</Code>", answer)
        self.assertEqual(refused, [ALL])
        finish.callback(None)
        for peer in peers:
            await peer.until(b"done$")

    async def test_half_a_head(self) -> None:
        """Who has sent only half a head is told to come again: to begin a request is not enough to keep others out."""
        refused = self.limited(most=1)
        peer = await self.connect()
        peer.send(b"GET / HTTP/1.1\r\nX-A: ")
        while not any(each._deadline.phase is HEAD for each in self.site.connections):
            await deferLater(reactor, 0)
        await self.welcome()
        answer = await peer.ended
        self.assertTrue(answer.startswith(b"HTTP/1.1 503 "), answer)
        self.assertIn(b"<Code>SlowDown</Code>", answer)
        self.assertEqual(refused, [])

    async def test_over_its_share(self) -> None:
        """Who has too many already ends nobody's connection by coming again."""
        refused = self.limited(most=2, most_of_one=2)
        peers = [await self.welcome(), await self.welcome()]
        self.assertIn(b"SlowDown", await self.exchange(GET % b"refused"))
        self.assertEqual(refused, [ADDRESS])
        for peer in peers:
            await self.ask(peer)

    async def test_grace(self) -> None:
        """Who has just come, or has just been answered, is left alone."""
        refused = self.limited(most=1)
        self.patch(idle, "GRACE", 1000.0)
        peer = await self.welcome()
        self.assertIn(b"SlowDown", await self.exchange(GET % b"refused"))
        await self.ask(peer)
        self.assertEqual(refused, [ALL])

    async def test_fewer(self) -> None:
        """When the limit is lowered, the next newcomer ends as many idle ones as are too many."""
        self.limited(most=5)
        peers = [await self.welcome() for _ in range(5)]
        self.site.limits.most = 2
        await self.welcome()
        for peer in peers[:4]:
            await peer.ended
        self.assertEqual(len(self.site.connections), 2)
        await self.ask(peers[4])

    async def test_nothing_left(self) -> None:
        """Who has gone is forgotten everywhere."""
        self.limited(most=2)
        for _ in range(5):
            await self.welcome()
        for peer in self._peers:
            peer.transport.abortConnection()
            await peer.ended
        while self.site.connections or len(self.site._refusals):
            await deferLater(reactor, 0)
        self.assertEqual(len(self.site._waiting), 0)


class TlsTests(HandshakeTestCase):
    """Over TLS, where the end of a connection takes two."""

    async def test_who_does_not_agree(self) -> None:
        """Clients that do not answer the end hold no place: few of them are left at a time, and newcomers are served."""
        self.patch(idle, "GRACE", 0.0)
        self.patch(Refusals, "most", 3)
        self.certificates = Certificates(TlsFiles(self.pair("h")), Clock())
        self.serve(limits=ConnectionLimits(2))
        context = client(self.authority.pem)

        def talk() -> list[bytes]:
            there: list[ssl.SSLSocket] = []
            answers = []
            try:
                for _ in range(9):
                    address = ("127.0.0.1", self.port)
                    plain = socket.create_connection(address, 20)
                    there.append(context.wrap_socket(plain, server_hostname="h"))
                    there[-1].sendall(GET % b"x")
                    answer = b""
                    while not answer.endswith(b"/x"):
                        answer += there[-1].recv(1000)
                    answers.append(answer)
            finally:
                for each in there:
                    each.close()
            return answers

        for answer in await self.in_thread(talk):
            self.assertTrue(answer.startswith(b"HTTP/1.1 200 "), answer)


class OrderTests(SynchronousTestCase):
    """The list of those that wait."""

    def test_take(self) -> None:
        """The longest idle one is given out once, those that work are passed over, those that wait but a moment are kept."""

        class Connection:
            """It waits, or works."""

            waits = True

        clock = Clock()
        found = Waiting(clock)
        channels: Any = [Connection() for _ in range(4)]
        for channel in channels:
            found.add(channel)
            clock.advance(GRACE / 4)
        self.assertIs(found.take(), channels[0])
        self.assertIsNone(found.take())
        channels[1].waits = False
        clock.advance(GRACE)
        found.add(channels[2])
        self.assertIs(found.take(), channels[3])
        self.assertIsNone(found.take())
        self.assertEqual(len(found), 1)
        channels[1].waits = True
        found.add(channels[1])
        clock.advance(GRACE)
        found.discard(channels[2])
        self.assertIs(found.take(), channels[1])
        self.assertIsNone(found.take())
