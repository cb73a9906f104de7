"""The wire over TLS: what is spoken, with whom, and that no half of a connection can be closed."""

from __future__ import annotations

import os
import socket
import ssl
import warnings
from typing import Any

from OpenSSL import SSL
from twisted.internet import reactor
from twisted.internet import ssl as twisted_ssl
from twisted.internet.endpoints import SSL4ClientEndpoint, connectProtocol
from twisted.internet.task import Clock

from ozgate.errors import AccessDenied
from ozgate.wire.request import GatewayRequest
from ozgate.wire.tls import Certificates, TlsFiles
from tests.authority import Authority, new_key
from tests.wire.handshakes import EVERY, HandshakeTestCase, client
from tests.wire.support import Peer

GOOD = {
    f"ECDHE-{kind}-{cipher}"
    for kind in ("ECDSA", "RSA")
    for cipher in ("AES128-GCM-SHA256", "AES256-GCM-SHA384", "CHACHA20-POLY1305")
}
"""The ciphers of TLS 1.2 that are spoken where no Diffie-Hellman parameters are given."""


async def refuse(request: GatewayRequest) -> None:
    """Want nothing of it."""
    raise AccessDenied()


async def cut(request: GatewayRequest) -> None:
    """Begin an answer that ends with the connection, and cut it."""
    request.answer(200, [], b"half of it")
    request.abort()


def read_to_the_end(port: int) -> bytes:
    """What a server answers that then ends TLS as it should, by saying so (RFC 8446, 6.1); ``OSError`` where it does not."""
    answer = b""
    with (
        socket.create_connection(("127.0.0.1", port), timeout=20) as plain,
        client(None).wrap_socket(plain, suppress_ragged_eofs=False) as secured,
    ):
        secured.sendall(b"GET /b/k HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        while data := secured.recv(65536):
            answer += data
    return answer


class ExchangeTests(HandshakeTestCase):
    """Requests over TLS."""

    def serve(self, *arguments: Any, **options: Any) -> Any:
        """Listen with a new certificate."""
        self.certificates = Certificates(TlsFiles(self.pair("h")), Clock())
        return super().serve(*arguments, **options)

    async def connect(self) -> Peer:
        """A new client, which believes any certificate."""
        endpoint = SSL4ClientEndpoint(
            reactor, "127.0.0.1", self.port, twisted_ssl.CertificateOptions()
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

    async def test_large(self) -> None:
        """Ten megabytes come as they were sent, and end as they should."""
        body = os.urandom(10 << 20)

        async def give(request: GatewayRequest) -> None:
            request.answer_document(200, [], body)

        self.serve(give)
        answer = await self.in_thread(read_to_the_end, self.port)
        self.assertTrue(answer.endswith(b"\r\n\r\n" + body))

    async def test_cut(self) -> None:
        """An answer that is cut does not end as one that is whole: TLS's word of an end is missing."""
        self.serve(cut)
        with self.assertRaises(OSError):
            await self.in_thread(read_to_the_end, self.port)

    async def test_refused_early(self) -> None:
        """Who is refused while still sending, on a connection that ends, can read why."""
        self.serve(refuse)
        for head in (
            b"PUT /b/k HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 2000000\r\n\r\n",
            b"PUT /b/k HTTP/1.1\r\nHost: h\r\nContent-Length: 2000000000\r\n\r\n",
        ):
            answer = await self.exchange(head + b"x" * 2_000_000)
            self.assertIn(b"<Code>AccessDenied</Code>", answer)


class SpokenTests(HandshakeTestCase):
    """Versions, ciphers and protocols."""

    async def test_versions(self) -> None:
        """TLS 1.2 and 1.3 are spoken; 1.0 and 1.1 are refused by the alert that says so."""
        self.begin(self.pair("h"))
        for version, name in (
            (ssl.TLSVersion.TLSv1_2, "TLSv1.2"),
            (ssl.TLSVersion.TLSv1_3, "TLSv1.3"),
        ):
            seen = await self.visited(minimum_version=version, maximum_version=version)
            self.assertEqual(seen.version, name)
            self.assertTrue(seen.answer.endswith(b"/seen"))
        for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
            context = client(None)
            context.set_ciphers(EVERY)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)
                context.minimum_version = context.maximum_version = version
            told = await self.refused(context)
            self.assertIn("alert protocol version", told.lower())

    async def test_ciphers(self) -> None:
        """Of all ciphers of TLS 1.2 that a client knows, only the good ones are agreed on."""
        agreed = set()
        context = client(None)
        context.set_ciphers(EVERY)
        names = [cipher["name"] for cipher in context.get_ciphers()]
        self.assertGreater(len(names), 30)
        for rsa_bits in (0, 2048):
            self.begin(self.pair("h", key=new_key(rsa_bits)))
            for name in names:
                context = client(None)
                context.maximum_version = ssl.TLSVersion.TLSv1_2
                try:
                    context.set_ciphers(f"{name}:@SECLEVEL=0")
                    seen = await self.visited_with(context)
                except OSError:
                    continue
                self.assertEqual(seen.cipher, name)
                agreed.add(seen.cipher)
        self.assertEqual(agreed, GOOD)

    async def test_diffie_hellman(self) -> None:
        """DHE is spoken where parameters for it are given."""
        path = self.put("dh.pem", FFDHE2048)
        self.begin(self.pair("h", key=new_key(2048)), dh_parameters=path)
        context = client(None)
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers("DHE-RSA-AES128-GCM-SHA256")
        seen = await self.visited_with(context)
        self.assertEqual(seen.cipher, "DHE-RSA-AES128-GCM-SHA256")

    async def test_protocols(self) -> None:
        """HTTP/1.1 is agreed on where a client offers it; who offers other protocols only is refused."""
        self.begin(self.pair("h"))
        context = client(self.authority.pem)
        self.assertIsNone((await self.visited_with(context)).protocol)
        context.set_alpn_protocols(["h2", "http/1.1"])
        self.assertEqual((await self.visited_with(context)).protocol, "http/1.1")
        context.set_alpn_protocols(["h2"])
        await self.refused(context)

    async def test_renegotiation(self) -> None:
        """A client cannot start over in the middle, which would cost us more than it."""
        self.begin(self.pair("h"))

        def renegotiate() -> str:
            context = SSL.Context(SSL.TLS_CLIENT_METHOD)
            context.set_max_proto_version(SSL.TLS1_2_VERSION)
            plain = socket.create_connection(("127.0.0.1", self.port), timeout=20)
            plain.settimeout(None)
            connection = SSL.Connection(context, plain)
            connection.set_connect_state()
            connection.do_handshake()
            connection.renegotiate()
            try:
                connection.do_handshake()
                connection.send(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
                connection.recv(1)
            except SSL.Error as error:
                return str(error)
            finally:
                plain.close()
            return ""

        self.assertIn("no renegotiation", await self.in_thread(renegotiate))

    async def test_noise(self) -> None:
        """What is no handshake, or half of one, is not worth a line in the log."""
        self.begin(self.pair("h"))

        def junk(data: bytes) -> None:
            with socket.create_connection(
                ("127.0.0.1", self.port), timeout=20
            ) as plain:
                plain.sendall(data)
                plain.shutdown(socket.SHUT_WR)
                while plain.recv(1000):
                    pass

        for data in (
            b"",
            b"\x16\x03\x01\x02\x00\x01",
            b"GET / HTTP/1.1\r\nHost: h\r\n\r\n",
            bytes(range(256)),
        ):
            await self.in_thread(junk, data)
        await self.refused(client(Authority().pem))  # trusts another
        self.assertEqual(self.lines(), [])
        self.assertEqual(self.flushLoggedErrors(), [])
        self.assertTrue((await self.visited()).answer)

    async def test_half_a_handshake(self) -> None:
        """Who begins a handshake and says no more is cut off, as one who says nothing is."""
        self.begin(self.pair("h"))
        self.site.idle_timeout = 0.05

        def wait() -> bytes:
            with socket.create_connection(
                ("127.0.0.1", self.port), timeout=20
            ) as plain:
                plain.sendall(b"\x16\x03\x01\x02\x00\x01")
                try:
                    return plain.recv(1000)
                except ConnectionResetError:
                    return b""

        self.assertEqual(await self.in_thread(wait), b"")


class ClientCertificateTests(HandshakeTestCase):
    """Certificates of clients."""

    def shown(self, issuer: Authority | None) -> ssl.SSLContext:
        """A client with a certificate of an authority's, or none."""
        context = client(self.authority.pem)
        if issuer is not None:
            certificate, key = issuer.issue("someone")
            path = self.put("client.pem", certificate + key)
            context.load_cert_chain(path)
        return context

    async def check(self, foreign: bool, none: bool, **options: Any) -> None:
        """Who comes in: with a certificate of the named authority always, with a foreign one, with none."""
        clients = Authority("clients")
        ca = self.put("clients.pem", Authority("others").pem + clients.pem)
        if options.pop("asked", True):
            options["client_ca"] = ca
        self.begin(self.pair("h"), **options)
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            for issuer, welcome in (
                (clients, True),
                (Authority("clients"), foreign),
                (None, none),
            ):
                context = self.shown(issuer)
                context.minimum_version = context.maximum_version = version
                if welcome:
                    self.assertTrue((await self.visited_with(context)).answer)
                else:
                    await self.refused(context)
        self.assertEqual(self.lines(), [])

    async def test_not_asked(self) -> None:
        """Without an authority for them, clients are not asked."""
        await self.check(foreign=True, none=True, asked=False)

    async def test_asked(self) -> None:
        """A client that is asked may have none, but none of somebody else's."""
        await self.check(foreign=False, none=True)

    async def test_needed(self) -> None:
        """Where one is needed, a client without is refused."""
        await self.check(foreign=False, none=False, need_client=True)

    async def test_needed_for_every_name(self) -> None:
        """Asking for another host is no way around."""
        ca = self.put("clients.pem", Authority("clients").pem)
        other = self.pair("other")
        self.begin(
            self.pair("h"),
            client_ca=ca,
            need_client=True,
            named=[f"other={other.certificate}:{other.key}"],
        )
        await self.refused(self.shown(None), "other")
        await self.refused(self.shown(Authority("clients")), "other")


FFDHE2048 = b"""-----BEGIN DH PARAMETERS-----
MIIBCAKCAQEA//////////+t+FRYortKmq/cViAnPTzx2LnFg84tNpWp4TZBFGQz
+8yTnc4kmz75fS/jY2MMddj2gbICrsRhetPfHtXV/WVhJDP1H18GbtCFY2VVPe0a
87VXE15/V8k1mE8McODmi3fipona8+/och3xWKE2rec1MKzKT0g6eXq8CrGCsyT7
YdEIqUuyyOP7uWrat2DX9GgdT0Kj3jlN9K5W7edjcrsZCwenyO4KbXCeAvzhzffi
7MA0BM0oNC9hkXL+nOmFg/+OTxIy7vKBg8P+OxtMb61zO7X8vC7CIAXFjvGDfRaD
ssbzSibBsu/6iGtCOGEoXJf//////////wIBAg==
-----END DH PARAMETERS-----
"""
"""Those of RFC 7919, A.1."""
