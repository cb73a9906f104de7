"""Services with workers, and which of these has a connection."""

from __future__ import annotations

import http.client
import os
import re
import socket
import time
from collections.abc import Callable
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.running import Server

_SERVES = re.compile(r"worker (\d+) serves, as process (\d+)")


def until(ready: Callable[[], bool], what: str) -> None:
    """Wait until something is so, at most a minute."""
    deadline = time.monotonic() + 60
    while not ready():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and that nobody has asked after does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


class WorkersCase(SynchronousTestCase):
    """A service with two workers, of one class of tests or of one test."""

    def serve(self, *settings: str) -> Server:
        """A service, which ends with the test."""
        server = Server(os.path.abspath(self.mktemp()), "ozgate.workers=2", *settings)
        self.addCleanup(server.stop)
        self.start(server)
        return server

    def start(self, server: Server) -> None:
        """Start a service, and wait until both of its workers serve."""
        server.start()
        until(lambda: self.serving(server) == 2, server.output())

    def serving(self, server: Server) -> int:
        """How many workers serve."""
        return sum(map(is_alive, self.workers(server).values()))

    def workers(self, server: Server) -> dict[int, int]:
        """The processes of the workers that serve, or have served last: number → pid."""
        found = _SERVES.findall(server.output())
        return {int(number): int(pid) for number, pid in found}

    def worker_of(self, connection: http.client.HTTPConnection, server: Server) -> int:
        """The process that has the other end of a connection."""
        assert connection.sock is not None
        port = connection.sock.getsockname()[1]
        inode = _inode(server.port, port)
        for pid in self.workers(server).values():
            if is_alive(pid) and inode in _sockets(pid):
                return pid
        raise AssertionError(f"nobody has the other end of port {port}")

    def connected(
        self, server: Server, pids: set[int] | None = None
    ) -> list[http.client.HTTPConnection]:
        """Connections that have been served once, at least one to each of the workers."""
        wanted = pids or set(self.workers(server).values())
        found: list[http.client.HTTPConnection] = []
        self.addCleanup(lambda: [each.close() for each in found])
        reached: set[int] = set()
        for _ in range(200):
            made = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
            found.append(made)
            self.ask(made, server, "GET", "/")
            reached.add(self.worker_of(made, server))
            if reached >= wanted:
                return found
        raise AssertionError(f"only {reached} of {wanted} accept clients")

    def ask(
        self,
        connection: http.client.HTTPConnection,
        server: Server,
        method: str,
        target: str,
        body: bytes = b"",
    ) -> tuple[int, bytes]:
        """One signed request on a connection, which stays open."""
        headers = server.signed(method, target)
        connection.request(method, target, body or None, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()


def _inode(port: int, peer: int) -> str:
    """The inode of the socket that has these two ports on loopback."""
    ends = f":{port:04X}", f":{peer:04X}"
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[1].endswith(ends[0]) and fields[2].endswith(ends[1]):
            return fields[9]
    return "none"


def _sockets(pid: int) -> set[str]:
    found = set()
    folder = f"/proc/{pid}/fd"
    for name in os.listdir(folder):
        try:
            link = os.readlink(f"{folder}/{name}")
        except OSError:
            continue
        if link.startswith("socket:["):
            found.add(link[8:-1])
    return found


def shut(connection: http.client.HTTPConnection) -> bool:
    """Whether the other end of a connection that waits has closed it."""
    assert connection.sock is not None
    connection.sock.setblocking(False)
    try:
        return not connection.sock.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        return False
    except ConnectionResetError:
        return True
    finally:
        connection.sock.setblocking(True)
