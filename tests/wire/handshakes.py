"""What tests of TLS stand on: a site behind our certificates, and Python's own TLS as its client."""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Callable
from typing import Any

from attrs import frozen
from cryptography import x509
from twisted.internet import reactor
from twisted.internet.task import Clock
from twisted.internet.threads import deferToThread
from twisted.logger import formatEvent, globalLogPublisher

from ozgate.wire.certificates import Pair
from ozgate.wire.tls import Certificates, TlsFiles
from ozgate.wire.tlsprotocol import TlsFactory
from tests.authority import Authority, put
from tests.wire.support import WireTestCase

EVERY = "ALL:COMPLEMENTOFALL:@SECLEVEL=0"
"""OpenSSL's list of every cipher that it knows, however weak."""


@frozen
class Seen:
    """What a client saw of a server."""

    version: str
    cipher: str
    names: tuple[str, ...]
    protocol: str | None
    answer: bytes


def client(authority: bytes | None) -> ssl.SSLContext:
    """A client that trusts one authority, or whomever."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    if authority is None:
        context.verify_mode = ssl.CERT_NONE
    else:
        context.load_verify_locations(cadata=authority.decode())
    return context


def visit(port: int, context: ssl.SSLContext, name: str | None = None) -> Seen:
    """Shake hands, make a request, read the answer; blocks."""
    with (
        socket.create_connection(("127.0.0.1", port), timeout=20) as plain,
        context.wrap_socket(plain, server_hostname=name) as secured,
    ):
        secured.sendall(b"GET /seen HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        answer = b""
        while data := secured.recv(65536):
            answer += data
        shown = x509.load_der_x509_certificate(secured.getpeercert(True) or b"")
        cipher: Any = secured.cipher()
        return Seen(
            secured.version() or "",
            cipher[0],
            tuple(names_of(shown)),
            secured.selected_alpn_protocol(),
            answer,
        )


def names_of(certificate: x509.Certificate) -> list[str]:
    """The DNS names that a certificate is for."""
    kind = x509.SubjectAlternativeName
    found = certificate.extensions.get_extension_for_class(kind)
    return found.value.get_values_for_type(x509.DNSName)


class HandshakeTestCase(WireTestCase):
    """A site with certificates out of a folder of the test's.

    :ivar authority: issues them.
    """

    def setUp(self) -> None:
        """Make a folder and an authority, and listen to the log."""
        self.folder = os.path.abspath(self.mktemp())
        self.authority = Authority()
        self.logged: list[Any] = []
        globalLogPublisher.addObserver(self.logged.append)
        self.addCleanup(globalLogPublisher.removeObserver, self.logged.append)

    def listen(self) -> Any:
        """Listen with TLS."""
        secure = TlsFactory(self.certificates, False, self.site)
        return reactor.listenTCP(0, secure, interface="127.0.0.1")

    def put(self, name: str, data: bytes) -> str:
        """A file of the folder; its path."""
        return put(os.path.join(self.folder, name), data)

    def pair(self, *names: str, stem: str = "", **options: Any) -> Pair:
        """A certificate of the authority's for hosts, in files named by the first."""
        certificate, key = self.authority.issue(*names, **options)
        stem = stem or names[0]
        return Pair(self.put(f"{stem}.crt", certificate), self.put(f"{stem}.key", key))

    def begin(self, default: Pair, **options: Any) -> Certificates:
        """Serve with a default pair and further :class:`TlsFiles`."""
        files = TlsFiles(default, **options)
        self.clock = Clock()
        self.certificates = Certificates(files, self.clock)
        self.serve()
        self.logged.clear()
        return self.certificates

    async def visited(self, name: str | None = None, **limits: Any) -> Seen:
        """What a client saw that trusts the authority; ``limits`` are attributes of its context."""
        context = client(self.authority.pem)
        for key, value in limits.items():
            setattr(context, key, value)
        return await self.visited_with(context, name)

    async def visited_with(
        self, context: ssl.SSLContext, name: str | None = None
    ) -> Seen:
        """What a client saw."""
        seen: Seen = await deferToThread(visit, self.port, context, name)
        return seen

    async def refused(self, context: ssl.SSLContext, name: str | None = None) -> str:
        """What a client that gets no answer is told."""
        try:
            seen = await self.visited_with(context, name)
        except OSError as error:
            return str(error)
        self.fail(f"answered: {seen}")
        raise AssertionError

    async def in_thread(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Run what blocks."""
        return await deferToThread(function, *arguments)

    def lines(self, level: str = "") -> list[str]:
        """What was logged since listening began, of one level or all."""
        return [
            formatEvent(event)
            for event in self.logged
            if level in ("", event["log_level"].name)
        ]
