"""Documents of issuers are fetched within bounds, from servers that are who they say."""

from __future__ import annotations

import contextlib
import os
import socketserver
import threading
from collections.abc import Callable

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from ozgate.auth import fetching
from ozgate.auth.fetching import MOST, make_fetch
from ozgate.config.sitefile import ConfigurationError
from tests.authority import Authority, put
from tests.issuer import Served


class _Saying(socketserver.StreamRequestHandler):
    """Says what its server is to say.

    :cvar after: called when the client has hung up; ``None`` where the server does that first.
    """

    after: Callable[[], None] | None = None

    def handle(self) -> None:
        """Read a head, and answer."""
        while self.rfile.readline() not in (b"\r\n", b""):
            pass
        answer: Callable[[], bytes] = self.server.answer  # type: ignore[attr-defined]
        said = answer()
        with contextlib.suppress(ConnectionError):
            self.wfile.write(said)
        if self.after is not None:
            with contextlib.suppress(ConnectionError):
                self.rfile.read()
            self.after()


class FetchingTests(TestCase):
    """A server on loopback."""

    def serve(self, answer: Callable[[], bytes]) -> str:
        """A server that says something; its URL."""
        server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Saying)
        server.daemon_threads = True
        server.answer = answer  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()

        def close() -> None:
            server.shutdown()
            server.server_close()

        self.addCleanup(deferToThread, close)
        return f"http://127.0.0.1:{server.server_address[1]}/"

    def fetch(self, url: str, authorities: str = "") -> Deferred[bytes]:
        """Get a document."""
        return Deferred.fromCoroutine(make_fetch(reactor, authorities)(url))

    async def fails(self, asked: Deferred[bytes]) -> None:
        """Assert that it cannot be had."""
        await self.assertFailure(asked, Exception)

    async def test_plain(self) -> None:
        """A document is what was sent."""
        url = self.serve(lambda: b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        self.assertEqual(await self.fetch(url), b"{}")

    async def test_refused(self) -> None:
        """Whatever is not 200 is none; nobody goes where it points."""
        seen: list[bool] = []

        def elsewhere() -> bytes:
            seen.append(True)
            return b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"

        other = self.serve(elsewhere)
        for head in (
            f"302 Found\r\nLocation: {other}",
            f"307 Temporary Redirect\r\nLocation: {other}",
            "404 Not Found",
            "204 No Content",
        ):
            said = f"HTTP/1.1 {head}\r\nContent-Length: 0\r\n\r\n".encode()
            await self.fails(self.fetch(self.serve(lambda said=said: said)))  # type: ignore[misc]
        self.assertEqual(seen, [])

    async def test_too_large(self) -> None:
        """One that is too large is not taken, whatever it says of its size."""
        body = b"x" * (MOST + 1)
        sized = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        for head in (sized, b"HTTP/1.1 200 OK\r\n\r\n"):
            await self.fails(self.fetch(self.serve(lambda head=head: head + body)))  # type: ignore[misc]

    async def test_too_slow(self) -> None:
        """One that does not come in time is not waited for."""
        self.patch(fetching, "SECONDS", 0.3)
        over = threading.Event()
        self.addCleanup(over.set)

        def wait() -> bytes:
            over.wait(20)
            return b""

        await self.fails(self.fetch(self.serve(wait)))

    async def test_hung_up(self) -> None:
        """No connection stays to a server that does not end what it says, be that a document or an error."""
        self.patch(fetching, "SECONDS", 0.5)
        for status in ("200 OK", "503 Service Unavailable"):
            head = f"HTTP/1.1 {status}\r\nContent-Length: 9\r\n\r\n{{".encode()
            url, hung_up = self.serve(lambda head=head: head), threading.Event()  # type: ignore[misc]
            self.patch(_Saying, "after", staticmethod(hung_up.set))
            await self.fails(self.fetch(url))
            self.assertTrue(await deferToThread(hung_up.wait, 5), status)

    async def test_tls(self) -> None:
        """A server shows a certificate that is trusted, of its own name."""
        folder = self.mktemp()
        os.makedirs(folder)
        authority, other = Authority(), Authority("other")
        trusted = put(f"{folder}/trusted.pem", other.pem + authority.pem)
        another = put(f"{folder}/another.pem", other.pem)
        for names, authorities, good in (
            (("localhost",), trusted, True),
            (("localhost",), another, False),
            (("localhost",), "", False),
            (("elsewhere.test",), trusted, False),
        ):
            pair = put(f"{folder}/pair.pem", b"".join(authority.issue(*names)))
            served = Served(pair)
            self.addCleanup(deferToThread, served.close)
            asked = self.fetch(f"{served.issuer.url}/keys", authorities)
            if good:
                self.assertIn(b'"keys"', await asked)
            else:
                await self.fails(asked)

    def test_configured(self) -> None:
        """A file without certificates stops the start."""
        folder = self.mktemp()
        os.makedirs(folder)
        begin = b"-----BEGIN CERTIFICATE-----\n"
        for name, text in (
            ("empty", b""),
            ("half", begin + b"AAAA"),
            ("none", b"\xff"),
        ):
            path = put(f"{folder}/{name}", text)
            with self.assertRaises(ConfigurationError):
                make_fetch(reactor, path)
        with self.assertRaises(ConfigurationError):
            make_fetch(reactor, f"{folder}/missing")
