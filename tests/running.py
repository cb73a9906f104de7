"""A real ``twistd -n ozgate`` for tests, and raw requests to it."""

from __future__ import annotations

import atexit
import contextlib
import http.client
import os
import random
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from ozgate.auth.sigv4 import sign
from tests import elsewhere
from tests.forking import Process, launch

ROOT = Path(__file__).parent.parent
ACCESS_KEY = "testuser/scm@EXAMPLE.COM"
SECRET_KEY = "c261b6ecabf7d37d5f9ded654b1c724adac9bd9f13e247a235e567e8296d2999"
REGION = "us-east-1"
WORKERS = os.environ.get("TEST_WORKERS", "1")
"""Processes that serve clients in each service that a test starts, unless the test says how many: CI runs tests with one and with two."""


def free_port() -> int:
    """A TCP port that is free on loopback now.

    It is not one of those that the system gives to connections, of which another test may make one in the meantime.
    """
    while True:
        # Not of the numbers that Hypothesis has set, which are the same in each process.
        port = random.SystemRandom().randrange(10_240, 32_000)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port


def program(name: str) -> str:
    """The path of a console script of this Python's environment."""
    return str(Path(sys.executable).parent / name)


class Server:
    """A gateway in a process of its own, with security on and one static pair.

    :param data: its folder; kept when the server ends.
    :param settings: further ``key=value`` for ``-D``.
    :ivar access_key: who asks, and ``secret_key`` his secret.
    :cvar command: what is run in the place of twistd.
    :cvar forked: whether its start is cut short, by :class:`~tests.forking.Forked`.
    :cvar is_elsewhere: whether it has the engines that the environment says, see :mod:`tests.elsewhere`.
    """

    command: Sequence[str] = (program("twistd"),)
    forked = True
    is_elsewhere = True

    def __init__(self, data: str, *settings: str, port: int | None = None) -> None:
        self.data = data
        self.port = port or free_port()
        self.settings = settings
        self.access_key, self.secret_key = ACCESS_KEY, SECRET_KEY
        self.log = data.rstrip("/") + ".out"
        self.process: Process | None = None

    @property
    def url(self) -> str:
        """The endpoint."""
        return f"http://127.0.0.1:{self.port}"

    def environment(self) -> dict[str, str]:
        """What a client of this server needs in its environment."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("AWS_", "S3_", "OZ", "MINIO_"))
        }
        return dict(
            kept,
            AWS_ACCESS_KEY_ID=self.access_key,
            AWS_SECRET_ACCESS_KEY=self.secret_key,
            AWS_DEFAULT_REGION=REGION,
            AWS_ENDPOINT_URL=self.url,
            AWS_EC2_METADATA_DISABLED="true",
            OZGATE_WORKERS=WORKERS,
            PYTHONPATH=str(ROOT),
        )

    def own_environment(self) -> dict[str, str]:
        """What it is started in: its pair is that of its clients."""
        return self.environment()

    def start(self) -> None:
        """Start it and wait until it listens, at most 20 seconds."""
        definitions = [
            f"ozone.s3g.http-address=127.0.0.1:{self.port}",
            "ozone.s3g.webadmin.http-address=127.0.0.1:0",
            "ozone.security.enabled=true",
            *self.settings,
        ]
        if self.is_elsewhere:
            definitions += elsewhere.settings_for(self.data, self.settings)
        arguments = ["-n", "--pidfile=", "ozgate", "--data", self.data]
        arguments += [part for value in definitions for part in ("-D", value)]
        # Workers may take clients before their parent says that all of them do.
        said = self._starts_said()
        with open(self.log, "ab") as log:
            self.process = launch(
                [*self.command, *arguments],
                forked=self.forked,
                env=self.own_environment(),
                cwd=ROOT,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError(self.output())
            with contextlib.suppress(OSError), self.connect():
                if WORKERS == "1" or self._starts_said() > said:
                    return
            time.sleep(0.02)
        raise RuntimeError("does not listen: " + self.output())

    def _starts_said(self) -> int:
        with contextlib.suppress(FileNotFoundError):
            return self.output().count("ozgate listens on")
        return 0

    def now(self) -> float:
        """The date of what is signed, in seconds since the epoch."""
        return time.time()

    def output(self) -> str:
        """What it printed and logged."""
        return Path(self.log).read_text(errors="replace")

    def stop(self) -> int:
        """End it as ``systemctl stop`` does; returns its exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)

    def kill(self) -> None:
        """End it as a crash does."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        # Its workers end a moment later.
        with contextlib.suppress(OSError):
            while True:
                self.connect().close()
                time.sleep(0.01)

    def connect(self) -> socket.socket:
        """A new connection."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)

    def signed(
        self,
        method: str,
        target: str,
        headers: dict[str, str] | None = None,
        payload: str = "UNSIGNED-PAYLOAD",
    ) -> dict[str, str]:
        """Headers with a signature over them."""
        return sign(
            method,
            self.url + target,
            dict(headers or {}),
            self.access_key,
            self.secret_key,
            REGION,
            self.now(),
            payload,
        )

    def request(
        self,
        method: str,
        target: str,
        headers: dict[str, str] | None = None,
        body: bytes = b"",
        payload: str = "UNSIGNED-PAYLOAD",
    ) -> tuple[int, dict[str, str], bytes]:
        """One signed request: status, headers with lower-case names, body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            signed = self.signed(method, target, headers, payload)
            connection.request(method, target, body or None, signed)
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return answer.status, found, answer.read()
        finally:
            connection.close()

    def head(
        self,
        method: str,
        target: str,
        headers: dict[str, str] | None = None,
        unsigned: tuple[str, ...] = (),
        payload: str = "UNSIGNED-PAYLOAD",
    ) -> bytes:
        """The raw head of a signed request; ``unsigned`` are header lines added as they are."""
        signed = self.signed(method, target, headers, payload)
        lines = [f"{method} {target} HTTP/1.1"]
        if not any(name.lower() == "host" for name in signed):
            lines.append(f"Host: 127.0.0.1:{self.port}")
        lines += [f"{name}: {value}" for name, value in signed.items()]
        return "\r\n".join([*lines, *unsigned, "", ""]).encode("latin-1")

    def raw(self, data: bytes, *, half_close: bool = False) -> bytes:
        """Send bytes and read until the server closes or has answered once and is silent."""
        with self.connect() as connection:
            connection.sendall(data)
            if half_close:
                connection.shutdown(socket.SHUT_WR)
            return read_answers(connection)


def read_answers(connection: socket.socket, silence: float = 0.5) -> bytes:
    """Everything that comes until the peer closes, or is silent after having answered."""
    received = b""
    connection.settimeout(20)
    while True:
        try:
            data = connection.recv(65536)
        except TimeoutError:
            return received
        except ConnectionResetError:
            return received
        if not data:
            return received
        received += data
        connection.settimeout(silence)


@cache
def shared_server(*settings: str, purpose: str = "") -> Server:
    """One server for all tests of this process that ask for the same settings; it ends with the process.

    :param purpose: of those who need one that others leave alone.
    """
    folder = tempfile.TemporaryDirectory(prefix="ozgate-test-")
    server = Server(os.path.join(folder.name, "data"), *settings)
    server.start()
    atexit.register(folder.cleanup)
    atexit.register(server.stop)
    return server
