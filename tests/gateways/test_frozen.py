"""A gateway that is frozen for so long that the others take it for dead, and then goes on."""

from __future__ import annotations

import os
import signal
import time
from urllib.parse import urlsplit

from tests.gateways.fleet import FleetCase, freeze
from tests.running import read_answers

_AHEAD = 2 * 3600 * 1000
"""Milliseconds by which the time of the database is set on."""


class FrozenTests(FleetCase):
    """Two gateways."""

    count = 2

    def execute(self, statement: str) -> int:
        """What the database answers to a statement."""
        database = urlsplit(self.fleet.url).path.removeprefix("/")
        return int(self.fleet.postgresql.execute(statement, database)[0][0])

    def processes(self) -> int:
        """How many the database knows of."""
        return self.execute("SELECT count(*) FROM processes")

    def test_names_nothing(self) -> None:
        """What it was writing it does not name: its client is answered 503, and may send it again."""
        first, second = self.gateways
        body = os.urandom(1 << 20)
        length = {"content-length": str(len(body))}
        head = first.head("PUT", "/bucket/key", length)
        self.assertEqual(self.processes(), 2)
        with first.connect() as connection:
            connection.sendall(head + body[: len(body) // 2])
            # Long enough for the gateway to have begun to keep it: nothing tells when.
            time.sleep(1)
            freeze(first)
            # Two hours pass, in which it shows no life.
            self.execute(
                f"SELECT setval('time_noted', (extract(epoch FROM clock_timestamp()) * 1000)::bigint + {_AHEAD})"
            )
            for _ in range(300):
                if self.processes() == 1:
                    break
                time.sleep(0.1)
            self.assertEqual(self.processes(), 1)
            freeze(first, signal.SIGCONT)
            connection.sendall(body[len(body) // 2 :])
            connection.settimeout(20)
            said = read_answers(connection)
        self.assertTrue(said.startswith(b"HTTP/1.1 503 "), said[:300])
        self.assertEqual(second.request("GET", "/bucket/key")[0], 404)
