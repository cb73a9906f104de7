"""Clients that go while what they wrote is about to be named."""

from __future__ import annotations

import os
import socket
import struct
import time
from urllib.parse import urlsplit

from tests.engines.postgresql import connected
from tests.gateways.fleet import EAGER, FleetCase


class LeavingTests(FleetCase):
    """One gateway, alone over its database, and a reaper that waits for nothing but readers."""

    count = 1
    settings = EAGER

    def test_bytes_stay(self) -> None:
        """A row that waited for a lock when its client went names bytes that are there."""
        (gateway,) = self.gateways
        body = os.urandom(1 << 20)
        head = gateway.head("PUT", "/bucket/key", {"content-length": str(len(body))})
        server = self.fleet.postgresql
        database = urlsplit(self.fleet.url).path.removeprefix("/")
        with connected(server.port, database, server.passfile) as other:
            other.autocommit = False
            # Rows of versions wait; those that the reaper reads and writes do not.
            other.execute("LOCK TABLE versions IN SHARE ROW EXCLUSIVE MODE")
            with gateway.connect() as connection:
                connection.sendall(head + body)
                self.wait_for_waiting()
                # It resets the connection, which is heard of whatever the gateway is at.
                now = struct.pack("ii", 1, 0)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, now)
            # The reaper comes some times: it must do nothing, of which nothing tells.
            time.sleep(1.5)
            other.rollback()
        for _ in range(100):
            # When the lock is free, the row comes.
            status, _, said = gateway.request("GET", "/bucket/key")
            if status != 404:
                break
            time.sleep(0.1)
        self.assertEqual(status, 200, said[:300])

    def wait_for_waiting(self) -> None:
        """Until the row waits for the lock."""
        for _ in range(200):
            found = self.fleet.postgresql.execute(
                "SELECT count(*) FROM pg_locks WHERE NOT granted"
            )
            if found[0][0]:
                return
            time.sleep(0.05)
        self.fail("nothing waits for the lock")
