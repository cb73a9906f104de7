"""TLS on a connection: Twisted's, in larger pieces and by fewer steps.

Twisted encrypts 16 KiB at a time, each of which passes through a buffer of its own, holds small writes back until the
reactor's next turn, and has the reactor find the socket writable before it sends. An answer here is few writes, and a
large one comes in blocks of 256 KiB: ``python -m benchmarks.suite --rows tls`` (GET of 1 GiB: 0.45 of nginx's CPU with Twisted's own way).

What comes passes through the protocol once for each record of 16 KiB at most; here once for each read: a mebibyte of a PUT takes 15,231
bytecodes, not 44,960.

The superclass's ``_write``, ``_flushSendBIO`` and ``_flushReceiveBIO`` are replaced; ``_tlsConnection``, ``_lostTLSConnection``, ``_aborted``, ``_handshakeDone``,
``_bufferedWrite``, ``_shutdownTLS`` and ``_tlsShutdownFinished`` are the non-public names that this leans on.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from OpenSSL import SSL
from twisted.internet import tcp
from twisted.internet.interfaces import ITransport
from twisted.protocols.tls import TLSMemoryBIOFactory, TLSMemoryBIOProtocol
from twisted.python.failure import Failure

PIECE = 64 << 10
"""Bytes encrypted and sent at once. Twice as many cost the same, and from 128 KiB on memory is mapped anew for each."""

_SEALED = PIECE + (2 << 10)
"""Bytes that a piece takes when it is encrypted, at most: four records, each with 29 bytes more in TLS 1.2, 22 in 1.3."""


_RECORD = 16 << 10
"""Bytes in a record, at most: RFC 8446, section 5.1."""


def send_now(transport: tcp.Connection, data: bytes) -> bytes:
    """Give a socket what it takes at once, where nothing waits before it.

    Waiting for the reactor to find it writable costs two ``epoll_ctl`` and a turn. Whatever is wrong with the socket
    the transport finds out by itself.

    :return: what is left.
    """
    if transport.connected and not (transport.dataBuffer or transport._tempDataLen):
        try:
            return data[transport.socket.send(data) :]
        except OSError:
            pass
    return data


class TlsProtocol(TLSMemoryBIOProtocol):
    """One connection. Contexts are to write whole pieces (:data:`~ozgate.wire.tls.PARTIAL_WRITE`); others are served, in more steps."""

    _plain: tcp.Connection | None = None
    transport: Any
    _tlsConnection: Any
    _aborted: bool
    _handshakeDone: bool

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)  # type: ignore[no-untyped-call]
        self._records: list[bytes] = []  # received, and nobody's yet

    def makeConnection(self, transport: ITransport) -> None:
        """Begin the handshake."""
        if isinstance(transport, tcp.Connection):
            self._plain = transport
        super().makeConnection(transport)  # type: ignore[no-untyped-call]

    def abortConnection(self) -> None:
        """Cut the connection: TLS's word of a proper end is left in the buffer, for what is cut must not look whole."""
        self._plain = None
        super().abortConnection()  # type: ignore[no-untyped-call]

    def _write(self, octets: bytes) -> None:
        view, at = memoryview(octets), 0
        while at < len(view) and not self._lostTLSConnection:
            try:
                at += self._tlsConnection.send(view[at : at + PIECE])
            except SSL.WantReadError:
                # The handshake is not over.
                self._bufferedWrite(octets[at:])  # type: ignore[no-untyped-call]
                return
            except SSL.Error:
                self._tlsShutdownFinished(Failure())  # type: ignore[no-untyped-call]
                return
            self._flushSendBIO()

    def dataReceived(self, data: bytes) -> None:
        """Take what was read: a piece at a time, for OpenSSL keeps as much memory as it was ever given at once."""
        view = memoryview(data)
        while len(view) > PIECE and self._handshakeDone:
            self._tlsConnection.bio_write(view[:PIECE])
            view = view[PIECE:]
            with suppress(SSL.Error):  # it is the same the next time
                self._take_records()
        super().dataReceived(view)  # type: ignore[no-untyped-call]

    def _take_records(self) -> None:
        while not self._lostTLSConnection:
            self._records.append(self._tlsConnection.recv(_RECORD))

    def _flushReceiveBIO(self) -> None:
        ended, failure = False, None
        try:
            self._take_records()
        except SSL.WantReadError:
            pass
        except SSL.ZeroReturnError:
            ended = True
        except SSL.Error:
            failure = Failure()
        records, self._records = self._records, []
        if records and not self._aborted:
            self.wrappedProtocol.dataReceived(b"".join(records))
        if ended and not self._lostTLSConnection:
            self._shutdownTLS()  # type: ignore[no-untyped-call]
        if (ended or failure) and not self._lostTLSConnection:
            self._tlsShutdownFinished(failure)  # type: ignore[no-untyped-call]
        self._flushSendBIO()

    def _flushSendBIO(self) -> None:
        size = _SEALED
        while size == _SEALED:
            try:
                data = self._tlsConnection.bio_read(_SEALED)
            except SSL.WantReadError:
                return
            size = len(data)
            if self._plain is not None:
                data = send_now(self._plain, data)
            if data:
                self.transport.write(data)


class TlsFactory(TLSMemoryBIOFactory):
    """Adds TLS to the connections of another factory."""

    protocol = TlsProtocol
