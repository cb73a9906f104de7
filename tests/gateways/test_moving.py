"""Bytes that move to another store, and the gateway that moves them killed."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path
from urllib.parse import urlsplit

from tests.gateways.fleet import FleetCase
from tests.running import Server
from tests.service.intruders import command

COUNT = 100
LATER = 4 * 60 * 1000
"""Milliseconds by which the time of the database is set on: the lease is over by then."""


class MovingTests(FleetCase):
    """Gateways of which one has begun a move."""

    count = 1

    def both_stores(self) -> Server:
        """A further gateway, whose new bytes go to another store; it runs."""
        stores = (
            f"ozgate.blobs=new=files:{self.fleet.folder}/new",
            f"ozgate.blobs.more=files:{self.fleet.folder}/blobs",
        )
        gateway = self.fleet.gateway(*stores)
        self.gateways.append(gateway)
        gateway.start()
        return gateway

    def files(self, store: str) -> int:
        """How many blobs are in the folder of a store."""
        found = Path(self.fleet.folder, store, "data").glob("*/*")
        return sum(each.is_file() for each in found)

    def test_killed(self) -> None:
        """Another goes on with it once the lease is over; each object is there, byte for byte, all the time, and in the end without the old store."""
        (first,) = self.gateways
        bodies = [os.urandom(100_000) for _ in range(COUNT)]
        for number, body in enumerate(bodies):
            self.assertEqual(
                first.request("PUT", f"/bucket/{number}", body=body)[0], 200
            )
        first.stop()
        mover = self.both_stores()
        command(mover, "start_drain", store="files")
        while self.files("new") < 5:
            time.sleep(0.01)
        mover.kill()
        self.assertLess(self.files("new"), COUNT)
        other = self.both_stores()
        self.same(other, bodies)
        database = urlsplit(self.fleet.url).path.removeprefix("/")
        self.fleet.postgresql.execute(
            f"SELECT setval('time_noted', (extract(epoch FROM clock_timestamp()) * 1000)::bigint + {LATER})",
            database,
        )
        # As it does by itself, within two minutes.
        self.assertTrue(command(other, "start_drain", store="files")["goesOn"])
        # Its last minute is a wait for copies that are under way.
        status = command(other, "drain_status")
        while status["running"] and not 0 < status["total"] == status["done"]:
            time.sleep(0.1)
            status = command(other, "drain_status")
        self.assertEqual(status["left"], 0)
        os.rename(f"{self.fleet.folder}/blobs/data", f"{self.fleet.folder}/away")
        self.same(other, bodies)

    def same(self, gateway: Server, bodies: list[bytes]) -> None:
        """Each object has the bytes that it had."""
        for number, body in enumerate(bodies):
            status, _, found = gateway.request("GET", f"/bucket/{number}")
            self.assertEqual(status, 200)
            self.assertEqual(
                hashlib.sha256(found).digest(), hashlib.sha256(body).digest()
            )
