"""What the S3 endpoint tells anybody about its health, and who goes before he is told."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path

from twisted.internet.defer import Deferred
from twisted.internet.protocol import Protocol

from ozgate.s3.app import make_site
from ozgate.testing.inmemory import CLIENT, join, settle
from ozgate.wire.channel import GatewayChannel
from ozgate.wire.request import GatewayRequest
from tests.operations.support import OperationTestCase


class HealthPagesTests(OperationTestCase):
    """Pages without a signature."""

    def test_gone(self) -> None:
        """Who goes before the answer is in the access log, as on other paths, and nothing of the request stays behind."""
        client = self.client
        waiting: Deferred[tuple[int, bytes]] = Deferred()

        async def page() -> tuple[int, bytes]:
            return await waiting

        logs = client.access_log, client.audit_log
        site = make_site(self.clock, client.gateway, None, *logs, {b"/readyz": page})
        made: list[weakref.ref[GatewayRequest]] = []

        def make_request(channel: GatewayChannel) -> GatewayRequest:
            request = GatewayRequest(channel)
            made.append(weakref.ref(request))
            return request

        site.requestFactory = make_request
        gc.disable()
        self.addCleanup(gc.enable)
        peer = Protocol()
        join(self.clock, site.buildProtocol(CLIENT), peer)
        assert peer.transport is not None
        peer.transport.write(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        settle(self.clock)
        self.assertEqual(len(made), 1)
        peer.transport.abortConnection()
        settle(self.clock)
        self.assertEqual([each() for each in made], [None])
        client.access_log.file.flush()
        log = Path(client.gateway.settings.data, "access.log").read_text()
        self.assertIn('"GET /readyz HTTP/1.1" 499 0 ', log)
