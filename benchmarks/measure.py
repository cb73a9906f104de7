"""What the benchmarks share: a server in a process of its own, its CPU time and memory, signed requests.

Machines are noisy, so a benchmark prints a ratio to a limit measured in the same run, and CPU time
of the server process, not wall time alone.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.processes import Process
from ozgate.auth.sigv4 import sign

ACCESS_KEY = "benchmark"
SECRET_KEY = "benchmark-secret"
REGION = "us-east-1"
GIB = 1 << 30
MIB = 1 << 20


def argument(doc: str | None, name: str, default: float) -> float:
    """The one number that a benchmark may be given on its command line.

    :param doc: the benchmark's docstring, for ``--help``.
    """
    parser = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        name,
        nargs="?",
        type=type(default),
        default=default,
        help=f"{default} if left out",
    )
    found: float = getattr(parser.parse_args(), name)
    if found <= 0:
        parser.error(f"{name} must be more than 0")
    return found


def free_port() -> int:
    """A TCP port that is free on loopback now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_port(port: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until something listens, at most 20 seconds."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}")
        with (
            contextlib.suppress(OSError),
            socket.create_connection(("127.0.0.1", port)),
        ):
            return
        time.sleep(0.01)
    raise RuntimeError("the server does not listen")


class Gateway(Process):
    """A running ``twistd -n ozgate`` with security on and one static pair, of one process unless the options say otherwise.

    :cvar command: what is run in the place of twistd.
    """

    command: Sequence[str] = (str(Path(sys.executable).parent / "twistd"),)

    def __init__(self, data: str, port: int | None = None, *options: str) -> None:
        self.port = port or free_port()
        self.data = data
        environment = dict(
            os.environ,
            AWS_ACCESS_KEY_ID=ACCESS_KEY,
            AWS_SECRET_ACCESS_KEY=SECRET_KEY,
            OZGATE_WORKERS="1",
            PYTHONPATH=str(Path(__file__).parent.parent),
        )
        arguments = [
            "-D", f"ozone.s3g.http-address=127.0.0.1:{self.port}",
            "-D", "ozone.security.enabled=true",
            "--data", data,
            *options,
        ]  # fmt: skip
        self.log = Path(data + ".log").open("wb")
        process = subprocess.Popen(
            [
                *self.command,
                "-n",
                "--pidfile=",
                "ozgate",
                *arguments,
            ],
            env=environment,
            cwd=str(Path(__file__).parent.parent),
            stdout=self.log,
            stderr=self.log,
        )
        super().__init__(process)
        try:
            wait_for_port(self.port, process)
        except BaseException:
            self.stop()
            raise
        self._connection = http.client.HTTPConnection(
            "127.0.0.1", self.port, timeout=600
        )

    @property
    def url(self) -> str:
        """The endpoint."""
        return f"http://127.0.0.1:{self.port}"

    def headers(
        self, method: str, target: str, payload: str = "UNSIGNED-PAYLOAD", **more: str
    ) -> dict[str, str]:
        """Signed headers for a request; ``more`` are extra headers with ``_`` for ``-``."""
        extra = {name.replace("_", "-"): value for name, value in more.items()}
        return sign(
            method,
            self.url + target,
            extra,
            ACCESS_KEY,
            SECRET_KEY,
            REGION,
            time.time(),
            payload,
        )

    def request(
        self, method: str, target: str, body: bytes = b"", **more: str
    ) -> tuple[int, dict[str, str], bytes]:
        """One signed request: status, headers, body. The connection is kept alive, as clients' are."""
        headers = self.headers(method, target, **more)
        try:
            self._connection.request(method, target, body or None, headers)
            answer = self._connection.getresponse()
        except ConnectionError:
            # Idle for too long: the server has closed it.
            self._connection.close()
            self._connection.request(method, target, body or None, headers)
            answer = self._connection.getresponse()
        return (
            answer.status,
            {k.lower(): v for k, v in answer.getheaders()},
            answer.read(),
        )

    def must(self, method: str, target: str, body: bytes = b"", **more: str) -> bytes:
        """Like :meth:`request`, but anything else than success is an error."""
        status, _, answer = self.request(method, target, body, **more)
        if status >= 300:
            raise RuntimeError(
                f"{method} {urlsplit(target).path}: {status} {answer[:500]!r}"
            )
        return answer


@contextlib.contextmanager
def gateway(*options: str) -> Iterator[Gateway]:
    """A gateway on fresh data, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="ozgate-benchmark-") as folder:
        server = Gateway(os.path.join(folder, "data"), None, *options)
        try:
            yield server
        finally:
            server.stop()


def upload(
    server: Gateway, target: str, size: int, pattern: bytes | None = None
) -> float:
    """PUT ``size`` bytes over a plain socket; returns wall seconds until the answer."""
    block = pattern or os.urandom(MIB)
    headers = server.headers("PUT", target)
    head = [f"PUT {target} HTTP/1.1", f"Content-Length: {size}", "Expect: 100-continue"]
    head += [f"{name}: {value}" for name, value in headers.items()]
    if not any(name.lower() == "host" for name in headers):
        head.insert(1, f"Host: 127.0.0.1:{server.port}")
    with socket.create_connection(
        ("127.0.0.1", server.port), timeout=600
    ) as connection:
        started = time.monotonic()
        connection.sendall("\r\n".join(head).encode() + b"\r\n\r\n")
        answer = connection.recv(65536)
        if b" 100 " not in answer.split(b"\r\n", 1)[0]:
            raise RuntimeError(answer.decode("latin-1"))
        left = size
        while left:
            piece = block if left >= len(block) else block[:left]
            connection.sendall(piece)
            left -= len(piece)
        answer = connection.recv(65536)
        elapsed = time.monotonic() - started
    if b" 200 " not in answer.split(b"\r\n", 1)[0]:
        raise RuntimeError(answer.decode("latin-1"))
    return elapsed


def download(port: int, target: str, headers: dict[str, str]) -> tuple[float, int]:
    """GET over a plain socket, discarding the body; returns wall seconds and bytes."""
    head = [f"GET {target} HTTP/1.1"]
    if not any(name.lower() == "host" for name in headers):
        head.append(f"Host: 127.0.0.1:{port}")
    head += [f"{name}: {value}" for name, value in headers.items()]
    buffer = bytearray(MIB)
    with socket.create_connection(("127.0.0.1", port), timeout=600) as connection:
        started = time.monotonic()
        connection.sendall("\r\n".join(head).encode() + b"\r\n\r\n")
        first = b""
        while b"\r\n\r\n" not in first:
            first += connection.recv(65536)
        top, rest = first.split(b"\r\n\r\n", 1)
        if b" 200 " not in top.split(b"\r\n", 1)[0]:
            raise RuntimeError(first.decode("latin-1"))
        length = next(
            int(line.split(b":")[1])
            for line in top.split(b"\r\n")
            if line.lower().startswith(b"content-length:")
        )
        received = len(rest)
        while received < length:
            count = connection.recv_into(buffer)
            if not count:
                raise RuntimeError(f"the body ended after {received} of {length} bytes")
            received += count
        return time.monotonic() - started, received


class Line:
    """A kept connection on which the same request is made again and again, with little work of the client's."""

    def __init__(self, port: int, target: str, headers: dict[str, str]) -> None:
        lines = [f"GET {target} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self._asked = "\r\n".join([*lines, "", ""]).encode()
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = bytearray(1 << 20)

    def ask(self, times: int = 1) -> None:
        """Make the request, several in one go, and read the answers, which are as long as the first was."""
        self._socket.sendall(self._asked * times)
        wanted, heard = self._length * times, 0
        while heard < wanted:
            room = memoryview(self._buffer)[heard:wanted]
            count = self._socket.recv_into(room)
            if not count:
                raise RuntimeError("the server closed the connection")
            heard += count
        if not self._buffer.startswith(b"HTTP/1.1 200 "):
            raise RuntimeError(bytes(self._buffer[:500]).decode("latin-1"))

    @cached_property
    def _length(self) -> int:
        """Bytes of one answer."""
        with socket.create_connection(self._socket.getpeername()) as one:
            one.sendall(self._asked)
            heard = b""
            while b"\r\n\r\n" not in heard:
                heard += one.recv(65536)
        head, _, _ = heard.partition(b"\r\n\r\n")
        length = re.search(rb"\r\ncontent-length: (\d+)", head, re.I)
        assert length is not None, heard
        return len(head) + 4 + int(length[1])

    def close(self) -> None:
        """End it."""
        self._socket.close()


def verdict(
    name: str, value: float, limit: float, *, at_most: bool, unit: str = ""
) -> bool:
    """Print a figure against its limit; returns whether it holds."""
    holds = value <= limit if at_most else value >= limit
    relation = "at most" if at_most else "at least"
    print(
        f"{'ok  ' if holds else 'MISS'} {name}: {value:.3f}{unit} ({relation} {limit:g}{unit})",
        flush=True,
    )
    return holds
