"""What the wire leans on in Twisted and Klein, and what they answer by themselves."""

from __future__ import annotations

import socket

from twisted.internet import reactor, tcp
from twisted.web import http

from ozgate.wire.request import GatewayRequest
from tests.wire.bodies import NEXT
from tests.wire.support import WireTestCase


class StockTests(WireTestCase):
    """What this leans on in Twisted."""

    def test_names(self) -> None:
        """The non-public names of Twisted that the channel uses are there."""
        channel = http.HTTPChannel()
        for name in ("_waitingForTransport", "_requestProducer"):
            self.assertTrue(hasattr(channel, name), name)
        self.assertTrue(hasattr(http, "_ChunkedTransferDecoder"))
        self.assertTrue(issubclass(http._MalformedChunkedDataError, Exception))
        transport = tcp.Connection(socket.socket(), None, reactor)
        self.addCleanup(transport.socket.close)
        self.assertEqual(
            (transport.dataBuffer, transport.offset, transport._tempDataLen),
            (b"", 0, 0),
        )

    async def test_headers(self) -> None:
        """Twisted's and Klein's own answers have our standing headers and no content type of theirs."""

        async def operation(request: GatewayRequest) -> None:
            request.write(b"x")

        self.serve(operation)
        answer = await self.exchange(b"GET / HTTP/1.0\r\n\r\n")
        self.assertIn(b"\r\nServer: ozgate\r\n", answer)
        self.assertIn(b"\r\nDate: ", answer)
        self.assertIn(b"\r\nConnection: close\r\n", answer)
        self.assertNotIn(b"Content-Type", answer)

    async def test_unexpected(self) -> None:
        """What nobody expected is InternalError, in the site's form, and in the log."""

        async def operation(request: GatewayRequest) -> None:
            raise ZeroDivisionError()

        self.serve(operation)
        peer = await self.connect()
        peer.send(NEXT)
        await peer.until(b"500 .*<Code>InternalError</Code>")
        peer.send(NEXT)
        await peer.until(b"(InternalError.*){2}")
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 2)
