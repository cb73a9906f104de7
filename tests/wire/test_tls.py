"""The wire over TLS, where no half of a connection can be closed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from twisted.internet import reactor, ssl
from twisted.internet.endpoints import SSL4ClientEndpoint, connectProtocol

from ozgate.errors import AccessDenied
from ozgate.wire.request import GatewayRequest

from .support import Peer, WireTestCase


def certificate() -> ssl.PrivateCertificate:
    """A key with a certificate it signed itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    pem += signed.public_bytes(serialization.Encoding.PEM)
    loaded: ssl.PrivateCertificate = ssl.PrivateCertificate.loadPEM(pem)
    return loaded


async def refuse(request: GatewayRequest) -> None:
    """Want nothing of it."""
    raise AccessDenied()


class TlsTests(WireTestCase):
    """Connections over TLS."""

    def listen(self) -> Any:
        """Listen with a new certificate."""
        return reactor.listenSSL(
            0, self.site, certificate().options(), interface="127.0.0.1"
        )

    async def connect(self) -> Peer:
        """A new client, which believes any certificate."""
        endpoint = SSL4ClientEndpoint(
            reactor, "127.0.0.1", self.port, ssl.CertificateOptions()
        )
        peer = await connectProtocol(endpoint, Peer())
        self._peers.append(peer)
        return peer

    async def test_round_trip(self) -> None:
        """A body goes up and down."""
        self.serve()
        body = b"x" * 300_000
        head = b"PUT /b/k HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
        answer = await self.exchange(head % len(body) + body)
        self.assertTrue(answer.endswith(body))

    async def test_refused_early(self) -> None:
        """Who is refused while still sending, on a connection that ends, can read why."""
        self.serve(refuse)
        for head in (
            b"PUT /b/k HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 2000000\r\n\r\n",
            b"PUT /b/k HTTP/1.1\r\nHost: h\r\nContent-Length: 2000000000\r\n\r\n",
        ):
            answer = await self.exchange(head + b"x" * 2_000_000)
            self.assertIn(b"<Code>AccessDenied</Code>", answer)
