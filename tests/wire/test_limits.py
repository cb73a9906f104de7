"""Limits: who is over one hears 503 SlowDown at once, costs little, and takes nobody's place."""

from __future__ import annotations

import socket
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet import reactor
from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock, deferLater
from twisted.internet.threads import deferToThread
from twisted.logger import formatEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from ozgate.config.settings import Settings
from ozgate.errors import SlowDown
from ozgate.wire import gatewaysite as site_module
from ozgate.wire import idle, limits
from ozgate.wire.limits import (
    ALL,
    BYTES,
    OTHERS,
    BodyMemory,
    ConnectionLimits,
    Refusal,
    Refusals,
    connections_for,
    group_of,
)
from ozgate.wire.request import GatewayRequest
from ozgate.wire.tls import Certificates, TlsFiles
from tests.wire.handshakes import HandshakeTestCase, client
from tests.wire.support import Bytes, Peer, WireTestCase, echo

GET = b"GET /%b HTTP/1.1\r\nHost: h\r\n\r\n"
PUT = b"PUT /b/k HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n"


class ConnectionTests(WireTestCase):
    """Connections over the limit, over plain TCP."""

    def limited(self, most: int = 0, most_of_one: int = 0) -> list[str]:
        """Listen with limits; returns the list of reasons why connections were refused."""
        self.patch(idle, "GRACE", 1000.0)
        refused: list[str] = []
        self.serve(limits=ConnectionLimits(most, most_of_one, refused.append))
        return refused

    async def welcome(self) -> Peer:
        """A connection that is answered."""
        peer = await self.connect()
        peer.send(GET % b"welcome")
        await peer.until(b"/welcome$")
        return peer

    def assert_slow_down(self, answer: bytes) -> None:
        """It is the one answer that refused connections get."""
        head, _, body = answer.partition(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        self.assertEqual(lines[0], b"HTTP/1.1 503 Service Unavailable")
        self.assertIn(b"Retry-After: 1", lines)
        self.assertIn(b"Connection: close", lines)
        self.assertIn(b"Content-Type: application/xml", lines)
        self.assertIn(b"Content-Length: %d" % len(body), lines)
        self.assertRegex(head, rb"\r\nx-amz-request-id: [0-9A-F]{16}\r\n")
        self.assertRegex(head, rb"\r\nx-amz-id-2: [0-9A-F]{16}\r\n")
        self.assertEqual(body, b"<Error><Code>SlowDown</Code></Error>")

    async def test_one_too_many(self) -> None:
        """The one too many is told so; the others go on; when one of those goes there is room again."""
        refused = self.limited(most=2)
        first, second = await self.welcome(), await self.welcome()
        self.assert_slow_down(await self.exchange(GET % b"refused"))
        self.assertEqual(refused, [ALL])
        for peer in (first, second):
            peer.send(GET % b"again")
            await peer.until(b"/again$")
        self.assertEqual(self.root.seen.count(b"/refused"), 0)
        first.transport.loseConnection()
        await first.ended
        await self.until_open(1)
        await self.welcome()

    async def until_open(self, count: int) -> None:
        """Wait until the site has so many connections."""
        while len(self.site.connections) != count:
            await deferLater(reactor, 0)

    async def test_of_one_address(self) -> None:
        """An address that has enough gets no more, others do; the count goes back as connections end."""
        refused = self.limited(most_of_one=1)
        first = await self.welcome()
        self.assert_slow_down(await self.exchange(GET % b"refused"))
        self.assertEqual(refused, [limits.ADDRESS])

        def elsewhere() -> bytes:
            with socket.create_connection(
                ("127.0.0.1", self.port), 20, ("127.0.0.2", 0)
            ) as other:
                other.sendall(GET.replace(b"Host", b"Connection: close\r\nHost") % b"x")
                return b"".join(iter(lambda: other.recv(1000), b""))

        self.assertTrue((await deferToThread(elsewhere)).endswith(b"/x"))
        first.transport.abortConnection()
        await first.ended
        await self.until_open(0)
        await self.welcome()

    async def test_before_the_body(self) -> None:
        """An upload over the limit hears no 100 Continue, and the answer arrives although the client sends on."""
        self.limited(most=1)
        await self.welcome()
        expecting = PUT % (5 << 30) + b"Expect: 100-continue\r\n\r\n"
        self.assert_slow_down(await self.exchange(expecting))
        self.assert_slow_down(
            await self.exchange(PUT % 500_000 + b"\r\n" + bytes(500_000))
        )

    async def test_silent(self) -> None:
        """Nobody is answered who asked nothing; who says nothing is cut soon."""
        self.patch(Refusal, "patience", 0.05)
        self.limited(most=1)
        await self.welcome()
        peer = await self.connect()
        self.assertEqual(await peer.ended, b"")

    async def test_sends_for_ever(self) -> None:
        """Who goes on sending is cut when a bound of bytes has been dropped."""
        self.patch(Refusal, "taken", 100_000)
        self.limited(most=1)
        await self.welcome()
        peer = await self.connect()
        peer.send(PUT % (1 << 30) + b"\r\n" + bytes(8 << 20))
        await peer.ended
        while len(self.site._refusals):
            await deferLater(reactor, 0)

    async def test_holding_on(self) -> None:
        """Refused connections hold no place: of many that stay, the oldest are cut, and the one admitted works on."""
        self.patch(Refusals, "most", 4)
        self.limited(most=1)
        admitted = await self.welcome()
        peers = [await self.connect() for _ in range(12)]
        for peer in peers[:8]:
            self.assertEqual(await peer.ended, b"")
        self.assertEqual(len(self.site._refusals), 4)
        admitted.send(GET % b"still")
        await admitted.until(b"/still$")
        self.assertEqual(len(self.site.connections), 1)

    def test_in_one_turn(self) -> None:
        """Of many that come in one turn of the reactor each ends another."""
        clock = Clock()
        refusals = Refusals(clock, bytes)
        ended: list[int] = []

        class Transport:
            """Ends later, as transports do."""

            def __init__(self, number: int) -> None:
                self.abortConnection = lambda: ended.append(number)

        for number in range(100):
            Refusal(refusals).makeConnection(Transport(number))  # type: ignore[arg-type]
        self.assertEqual(ended, list(range(100 - refusals.most)))
        self.assertEqual(len(refusals), refusals.most)

    async def test_stop(self) -> None:
        """When the service ends, refused connections end."""
        self.limited(most=1)
        await self.welcome()
        peer = await self.connect()
        while not len(self.site._refusals):
            await deferLater(reactor, 0)
        self.site.abort_connections()
        await peer.ended


class TlsTests(HandshakeTestCase):
    """The same over TLS."""

    async def test_one_too_many(self) -> None:
        """The one too many is told so under the certificate that it expects."""
        self.patch(idle, "GRACE", 1000.0)
        self.certificates = Certificates(TlsFiles(self.pair("h")), Clock())
        self.serve(limits=ConnectionLimits(1))

        def talk() -> bytes:
            context = client(self.authority.pem)
            address = ("127.0.0.1", self.port)
            with (
                socket.create_connection(address, 20),
                socket.create_connection(address, 20) as plain,
                context.wrap_socket(plain, server_hostname="h") as secured,
            ):
                secured.sendall(GET % b"x")
                return b"".join(iter(lambda: secured.recv(1000), b""))

        answer = await self.in_thread(talk)
        self.assertTrue(answer.startswith(b"HTTP/1.1 503 "), answer)
        self.assertIn(b"<Code>SlowDown</Code>", answer)


class CountingTests(SynchronousTestCase):
    """Whose connections are counted, and as whose."""

    def test_groups(self) -> None:
        """IPv4 counts by address, however it is written; a global IPv6 network that one host may have counts as one."""
        for one, other, same in (
            ("192.0.2.1", "192.0.2.1", True),
            ("192.0.2.1", "192.0.2.2", False),
            ("192.0.2.1", "::ffff:192.0.2.1", True),
            ("2a00:1450:4001:81b::200e", "2a00:1450:4001:81b:1:2:3:4", True),
            ("2a00:1450:4001:81b::200e", "2a00:1450:4001:81c::200e", False),
            ("fd00::1", "fd00::2", False),
            ("fe80::1%eth0", "fe80::2%eth0", False),
            ("::1", "::2", False),
            ("nonsense", "nonsense", True),
        ):
            self.assertEqual(group_of(one) == group_of(other), same, (one, other))

    def test_unix_sockets(self) -> None:
        """Who comes by a UNIX socket has no address: only the limit in all holds."""
        counted = ConnectionLimits(3, 1)
        address: Any = UNIXAddress(b"/a")
        for there in range(3):
            self.assertTrue(counted.admits(address, there))
            counted.opened(address)
        self.assertFalse(counted.admits(address, 3))
        counted.closed(address)

    @given(st.lists(st.integers(0, 3), max_size=60), st.integers(1, 4))
    def test_any_order(self, moves: list[int], most: int) -> None:
        """Whatever the order of opening and closing, no address has more than it may and nothing is left behind."""
        counted = ConnectionLimits(0, most)
        addresses: list[Any] = [
            IPv4Address("TCP", "192.0.2.1", 1),
            IPv6Address("TCP", "2a00:1450:4001:81b::1", 1),
        ]
        there = [0, 0]
        for move in moves:
            which, close = move // 2, move % 2
            if close and there[which]:
                counted.closed(addresses[which])
                there[which] -= 1
            elif not close:
                admitted = counted.admits(addresses[which], sum(there))
                self.assertEqual(admitted, there[which] < most)
                if admitted:
                    counted.opened(addresses[which])
                    there[which] += 1
        for address, count in zip(addresses, there, strict=True):
            for _ in range(count):
                counted.closed(address)
        self.assertEqual(counted._by_group, {})

    def test_descriptors(self) -> None:
        """Each connection leaves one descriptor for its blob; no limit at all is bounded too."""
        self.assertEqual(connections_for(8192, 65536), 8192)
        self.assertEqual(connections_for(8192, 4096), (4096 - OTHERS) // 2)
        self.assertEqual(connections_for(0, 4096), (4096 - OTHERS) // 2)
        self.assertEqual(connections_for(8192, 0), 8192)
        self.assertEqual(connections_for(0, 0), 0)
        self.assertGreater(connections_for(8192, 256), 0)


class FewFilesTests(WireTestCase):
    """Where the operating system permits few open files."""

    async def test_bounded(self) -> None:
        """Connections are fewer then, and one line of the log says by what and what to do."""
        said: list[str] = []

        def observe(event: Any) -> None:
            said.append(formatEvent(event) or "")

        globalLogPublisher.addObserver(observe)
        self.addCleanup(globalLogPublisher.removeObserver, observe)
        site = self.serve()
        self.patch(site_module, "descriptors", lambda: 4096)
        site.take_up(Settings())
        self.assertEqual(site.limits.most, (4096 - OTHERS) // 2)
        [line] = [each for each in said if "ozgate.limit.connections" in each]
        self.assertIn("1792 connections at a time, not the 8192", line)
        self.assertIn("4096 files", line)
        self.patch(site_module, "descriptors", lambda: 65536)
        site.take_up(Settings(limit_per_address=7))
        self.assertEqual((site.limits.most, site.limits.most_of_one), (8192, 7))
        self.assertEqual(sum("ozgate.limit" in each for each in said), 1)


class MemoryTests(SynchronousTestCase):
    """The account of what bodies take."""

    def test_announced(self) -> None:
        """What is announced must fit; but only what comes is taken, so that promises cost the others nothing."""
        refused: list[str] = []
        memory = BodyMemory(1000, refused.append)
        accounts = [memory.account(1000, 400) for _ in range(10)]
        self.assertEqual(memory.held, 0)
        accounts[0].take(300)
        accounts[0].take(300)
        self.assertEqual(memory.held, 400)
        accounts[1].take(400)
        self.assertRaises(SlowDown, memory.account, 201, 400)
        self.assertRaises(SlowDown, memory.account, None, 400)
        memory.account(200, 400)
        self.assertRaises(SlowDown, accounts[2].take, 201)
        self.assertEqual(refused, [BYTES] * 3)
        for account in accounts:
            account.close()
            account.close()
        self.assertEqual(memory.held, 0)

    def test_no_limit(self) -> None:
        """A limit of 0 is none."""
        memory = BodyMemory(0)
        memory.account(None, 1 << 40).take(1 << 40)
        self.assertTrue(memory.is_plenty())

    def test_plenty(self) -> None:
        """There is plenty as long as three quarters are free."""
        memory = BodyMemory(1000)
        account = memory.account(None, 1000)
        account.take(249)
        self.assertTrue(memory.is_plenty())
        account.take(1)
        self.assertFalse(memory.is_plenty())
        self.assertTrue(memory.is_plenty(3))


class BodyTests(WireTestCase):
    """Bodies that find no room."""

    def charging(self, memory: BodyMemory, taken: Deferred[None] | None = None) -> Any:
        """An operation that accounts for its body, and takes it then."""

        async def operation(request: GatewayRequest) -> None:
            if request.raw_target != b"/b/k":
                return await echo(request)
            body = request.body
            body.charge(memory.account(body.length, 1 << 20, body.received))
            if taken is not None:
                await taken
            try:
                await request.body.deliver_to(Bytes())
            finally:
                request.body.settle()

        return operation

    async def test_before_it(self) -> None:
        """A body that would not fit is refused before the client is told to send it."""
        memory = BodyMemory(1000)
        self.serve(self.charging(memory))
        answer = await self.exchange(PUT % 1001 + b"Expect: 100-continue\r\n\r\n")
        self.assertTrue(answer.startswith(b"HTTP/1.1 503 "), answer)
        self.assertIn(b"SlowDown", answer)
        self.assertEqual(memory.held, 0)

    async def test_in_the_middle(self) -> None:
        """When others have taken the room meanwhile, the body ends there, and the connection lives on."""
        memory = BodyMemory(1000)
        self.serve(self.charging(memory))
        peer = await self.connect()
        peer.send(PUT % 900 + b"Expect: 100-continue\r\n\r\n")
        await peer.until(b"100 Continue\r\n\r\n$")
        memory.held += 500
        peer.send(bytes(900) + GET % b"next")
        await peer.until(b"503 .*SlowDown.*/next$")
        self.assertEqual(memory.held, 500)

    async def test_not_taken_yet(self) -> None:
        """The same where the operation had not begun to take it."""
        memory, taken = BodyMemory(1000), Deferred[None]()
        self.serve(self.charging(memory, taken))
        peer = await self.connect()
        peer.send(PUT % 900 + b"\r\n")
        while not self.root.seen:
            await deferLater(reactor, 0)
        memory.held += 500
        peer.send(bytes(900))
        [channel] = self.site.connections
        while not channel.requests[0].body.complete:
            await deferLater(reactor, 0)
        taken.callback(None)
        await peer.until(b"503 .*SlowDown")
        self.assertEqual(memory.held, 500)
