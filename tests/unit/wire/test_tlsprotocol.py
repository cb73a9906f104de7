"""TLS on a connection in memory: how what was received reaches the protocol."""

from __future__ import annotations

import ssl as stdlib_ssl

from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.ssl import KeyPair
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from ozgate.wire.tlsprotocol import TlsFactory


class Noting(Protocol):
    """Keeps each piece, and how the connection ended."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.stops = False

    def dataReceived(self, data: bytes) -> None:
        """Note it, and hang up if that is asked for."""
        self.pieces.append(data)
        if self.stops:
            assert self.transport is not None
            self.transport.abortConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Nothing comes any more."""


class ReceivedTests(SynchronousTestCase):
    """What a read has of records."""

    def setUp(self) -> None:
        """Shake hands."""
        factory = Factory.forProtocol(Noting)
        certificate = KeyPair.generate(size=2048).selfSignedCert(1, CN="localhost")
        secure = TlsFactory(certificate.options(), False, factory, Clock())
        self.protocol = secure.buildProtocol(None)
        self.transport = StringTransport()
        self.transport.abortConnection = self.transport.loseConnection  # type: ignore[method-assign]
        context = stdlib_ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, stdlib_ssl.CERT_NONE
        self.to_client, self.from_client = (
            stdlib_ssl.MemoryBIO(),
            stdlib_ssl.MemoryBIO(),
        )
        self.client = context.wrap_bio(self.to_client, self.from_client)
        self.protocol.makeConnection(self.transport)
        self.noting: Noting = self.protocol.wrappedProtocol
        for _ in range(3):
            try:
                self.client.do_handshake()
            except stdlib_ssl.SSLWantReadError:
                self.carry()
        self.carry()

    def carry(self, more: bytes = b"") -> None:
        """Carry what either side has written to the other."""
        if data := self.from_client.read() + more:
            self.protocol.dataReceived(data)
        self.to_client.write(self.transport.value())
        self.transport.clear()

    def test_joined(self) -> None:
        """All records of a read reach the protocol at once, in order; half a record waits for its other half."""
        for number in range(5):
            self.client.write(bytes([number]) * 16384)
        data = self.from_client.read()
        self.protocol.dataReceived(data[:-1])
        self.assertEqual(
            self.noting.pieces, [b"".join(bytes([n]) * 16384 for n in range(4))]
        )
        self.protocol.dataReceived(data[-1:])
        self.assertEqual(self.noting.pieces[1:], [bytes([4]) * 16384])

    def test_large(self) -> None:
        """A large read is one piece too, with its end behind it."""
        body = bytes(range(256)) * 4096
        for at in range(0, len(body), 16384):
            self.client.write(body[at : at + 16384])
        with self.assertRaises(stdlib_ssl.SSLWantReadError):
            self.client.unwrap()
        self.carry()
        self.assertEqual(self.noting.pieces, [body])
        self.assertTrue(self.transport.disconnecting)

    def test_end(self) -> None:
        """What comes with TLS's end is the protocol's before it; then the connection is closed."""
        self.client.write(b"the last")
        with self.assertRaises(stdlib_ssl.SSLWantReadError):
            self.client.unwrap()
        self.carry()
        self.assertEqual(self.noting.pieces, [b"the last"])
        self.assertTrue(self.transport.disconnecting)

    def test_broken(self) -> None:
        """What is well before a broken record is the protocol's; then the connection is closed."""
        self.client.write(b"the last")
        self.carry(b"no record of TLS" * 10000)
        self.assertEqual(self.noting.pieces, [b"the last"])
        self.assertTrue(self.transport.disconnecting)

    def test_aborted(self) -> None:
        """A protocol that has cut the connection hears no more."""
        self.noting.stops = True
        self.client.write(b"first")
        first = self.from_client.read()
        self.client.write(b"second")
        self.protocol.dataReceived(first)
        self.protocol.dataReceived(self.from_client.read())
        self.assertEqual(self.noting.pieces, [b"first"])
