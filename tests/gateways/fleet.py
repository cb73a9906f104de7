"""Several gateways over one PostgreSQL and one blob store, as processes, each with a data folder of its own."""

from __future__ import annotations

import itertools
import os
import re
import signal
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from twisted.trial.unittest import SynchronousTestCase

from tests.engines.postgresql import children, shared
from tests.running import Server

EAGER = ("ozgate.sweep.delay=0s", "ozgate.sweep.interval=200ms")
"""A reaper that comes all the time and waits for nothing but readers."""

_UNEXPECTED = re.compile(r"Traceback|damaged \(|Unhandled")


class Database(Protocol):
    """What holds the metadata: a :class:`~tests.engines.postgresql.PostgreSQL`, or several."""

    @property
    def port(self) -> int:
        """Where what can be written to listens, on loopback."""

    @property
    def passfile(self) -> Path:
        """What libpq finds passwords in."""

    def database(self) -> str:
        """Make a new database; the URL of it."""

    def execute(self, sql: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Run a statement as the superuser; its rows."""

    def restart(self) -> None:
        """Stop it in order, and start it."""

    def kill(self) -> None:
        """End all of it at once."""

    def start(self) -> None:
        """Start it, and wait until it answers."""


class Fleet:
    """Gateways that can be killed, over a database of their own.

    :param folder: for everything; it is there.
    :param server: for the metadata.
    :param count: how many they are.
    :param settings: further ``key=value``, of all.
    :param engine: where blobs are: ``files``, in a folder that all of them have, or ``s3``, in a bucket of another ozgate.
    :param kind: of the gateways.
    :ivar gateways: not started.
    :ivar url: of the database.
    """

    def __init__(
        self,
        folder: str,
        server: Database,
        count: int,
        settings: Sequence[str] = (),
        engine: str = "files",
        kind: type[Server] = Server,
    ) -> None:
        self._kind = kind
        self.postgresql = server
        self.url = server.database()
        self.folder = folder
        self.engine = Server(f"{folder}/engine") if engine == "s3" else None
        self._numbers = itertools.count()
        self.settings = (
            f"ozgate.metadata={self.url}",
            f"ozgate.master-key={folder}/master.key",
            *self._blobs(),
            *settings,
        )
        self.gateways = [self.gateway() for _ in range(count)]

    def _blobs(self) -> Sequence[str]:
        if self.engine is None:
            return (f"ozgate.blobs=files:{self.folder}/blobs",)
        secret = Path(self.folder, "secret")
        secret.write_text(self.engine.secret_key)
        return (
            f"ozgate.blobs=s3+{self.engine.url}/blobs/fleet",
            f"ozgate.blobs.s3.access-key={self.engine.access_key}",
            f"ozgate.blobs.s3.secret-key-file={secret}",
        )

    def gateway(self, *settings: str) -> Server:
        """A further one, not started.

        :param settings: its own.
        """
        data = f"{self.folder}/data{next(self._numbers)}"
        return self._kind(data, *self.settings, *settings)

    def start(self) -> None:
        """Start all of them, one after the other."""
        if self.engine is not None:
            self.engine.start()
            self.engine.request("PUT", "/blobs")
        for each in self.gateways:
            each.start()

    def kill(self) -> None:
        """End those that run."""
        for each in (*self.gateways, *filter(None, [self.engine])):
            if each.process is not None and each.process.poll() is None:
                each.kill()

    def unexpected(self) -> list[str]:
        """Lines of their logs that nobody should ever read."""
        return [
            line
            for each in self.gateways
            for line in each.output().splitlines()
            if _UNEXPECTED.search(line)
        ]


def freeze(gateway: Server, number: signal.Signals = signal.SIGSTOP) -> None:
    """Let a gateway and its workers run no more, with their connections open; or go on, by SIGCONT."""
    assert gateway.process is not None
    for pid in (gateway.process.pid, *children(gateway.process.pid)):
        os.kill(pid, number)


class FleetCase(SynchronousTestCase):
    """Three gateways, which run.

    :cvar settings: further ones, of all of them.
    :cvar engine: where blobs are, as of a :class:`Fleet`.
    :cvar kind: likewise.
    """

    settings: tuple[str, ...] = ()
    count = 3
    engine = "files"
    kind: type[Server] = Server

    def setUp(self) -> None:
        """Start them, with one bucket."""
        folder = tempfile.TemporaryDirectory(prefix="ozgate-fleet-")
        self.addCleanup(folder.cleanup)
        os.chmod(folder.name, 0o755)
        made = folder.name, self.database(), self.count, self.settings
        self.fleet = Fleet(*made, self.engine, self.kind)
        self.addCleanup(self.fleet.kill)
        self.fleet.start()
        self.gateways = self.fleet.gateways
        self.addCleanup(self.look_at_logs)
        self.assertEqual(self.gateways[0].request("PUT", "/bucket")[0], 200)

    def database(self) -> Database:
        """What holds the metadata."""
        return shared()

    def look_at_logs(self) -> None:
        """Nothing is in them but what was to be expected."""
        self.assertEqual(self.fleet.unexpected(), [])
