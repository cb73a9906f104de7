"""1,000 idle and 1,000 slow clients beside 16 busy ones: the busy ones' rate, the server's memory, and when each kind is cut.

A third of the slow send a head at 1 byte a second, a third a body, a third read an answer so; who is cut comes again, so that
the crowd stays. Rounds with and without the crowd are interleaved, and the median of the ratios counts. Beside them, one client of
each kind is watched until it is cut. Run ``python -m benchmarks.slow_clients [rounds]``; takes three minutes, needs wrk.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import resource
import select
import socket
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from multiprocessing import Event, Process, Value
from pathlib import Path
from typing import Any

from attrs import frozen

from benchmarks.measure import MIB, Gateway, argument, free_port, gateway, verdict
from benchmarks.wrk import Ask, Busy, busy, puts, signed
from ozgate.admin.localsocket import connect_local
from ozgate.cli.tls import CERTIFICATE, KEY, LOCAL, make_pair

IDLE, SLOW = 1000, 1000
LARGE = 16 * MIB
"""Bytes of the object that slow readers ask for: more than sockets hold."""
SECONDS = 4
"""Of each measurement of a rate."""
RULES = {
    **{"idle": 60, "silent": 60, "handshake": 60, "head": 30, "body": 20},
    "read": 40,
}
"""Seconds after which each kind is to be cut, by the defaults. In the first window a reader's socket fills, which is progress."""
SLACK = 6.0
"""Seconds that a cut may come late."""


def text(server: Gateway, method: str, target: str, *lines: str) -> bytes:
    """The head of a signed request."""
    headers = server.headers(method, target)
    head = [f"{method} {target} HTTP/1.1", *lines]
    head += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*head, "", ""]).encode()


class Slow:
    """A client that sends ``start`` at once, and then does one byte a second.

    :param kind: ``idle``, ``silent``, ``head``, ``body`` or ``read``.
    """

    def __init__(self, port: int, kind: str, start: bytes) -> None:
        self.kind = kind
        self.socket = socket.socket()
        if kind == "read":
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.settimeout(30)
        self.socket.connect(("127.0.0.1", port))
        self.socket.sendall(start)
        if kind == "idle":
            self.socket.recv(65536)
        self.socket.setblocking(False)

    def step(self) -> bool:
        """The byte of this second; returns whether the connection lives."""
        try:
            if self.kind in ("head", "body"):
                self.socket.send(b"x")
            return self.kind != "read" or bool(self.socket.recv(1))
        except BlockingIOError:
            return True
        except OSError:
            return False

    def is_cut(self) -> bool:
        """Whether the server has ended it: seen at once, though there may be bytes left to read."""
        poll = select.poll()
        poll.register(self.socket, select.POLLIN | select.POLLRDHUP)
        events = sum(event for _, event in poll.poll(0))
        if events & (select.POLLERR | select.POLLHUP | select.POLLRDHUP):
            return True
        if self.kind == "read" or not events & select.POLLIN:
            return False
        with contextlib.suppress(BlockingIOError):
            while data := self.socket.recv(65536):
                if b" 400 " in data:
                    return True
            return True
        return False


def starts(server: Gateway) -> dict[str, bytes]:
    """What each kind sends at first."""
    host = f"Host: 127.0.0.1:{server.port}"
    return {
        "idle": text(server, "GET", "/bucket/small"),
        "silent": b"",
        "head": f"GET /bucket/small HTTP/1.1\r\n{host}\r\nX-Slow: ".encode(),
        "body": text(server, "PUT", "/bucket/never", f"Content-Length: {LARGE}"),
        "read": text(server, "GET", "/bucket/large"),
    }


def crowd(port: int, begin: dict[str, bytes], there: Any, end: Any, cut: Any) -> None:
    """Keep the crowd up until ``end``; runs in a process of its own.

    :param there: set when it is complete.
    :param cut: counts those that were cut, and came again.
    """
    kinds = ["idle"] * IDLE
    kinds += [("head", "body", "read")[n % 3] for n in range(SLOW)]
    clients = [Slow(port, kind, begin[kind]) for kind in kinds]
    there.set()
    while not end.is_set():
        began = time.monotonic()
        for place in range(IDLE, len(clients)):
            client = clients[place]
            if not client.step() or client.is_cut():
                client.socket.close()
                cut.value += 1
                clients[place] = Slow(port, client.kind, begin[client.kind])
            if place % 20 == 0:
                ahead = began + (place - IDLE) / SLOW - time.monotonic()
                time.sleep(max(ahead, 0))
        time.sleep(max(began + 1 - time.monotonic(), 0))


@contextlib.contextmanager
def crowded(server: Gateway) -> Iterator[Any]:
    """Have a crowd; yields the count of those cut so far."""
    there, end, cut = Event(), Event(), Value("i", 0)
    arguments = (server.port, starts(server), there, end, cut)
    child = Process(target=crowd, args=arguments, daemon=True)
    child.start()
    try:
        if not there.wait(60):
            raise RuntimeError("the crowd does not come in")
        yield cut
    finally:
        end.set()
        child.join(10)
        child.terminate()


def metric(server: Gateway, name: str) -> float:
    """A metric without labels, read over the admin socket."""
    connection = http.client.HTTPConnection("localhost", timeout=20)
    connection.sock = connect_local(server.data)
    with contextlib.closing(connection):
        connection.request("GET", "/metrics")
        for line in connection.getresponse().read().decode().splitlines():
            if line.startswith(name + " "):
                return float(line.split()[1])
    raise KeyError(name)


def watch(make: Callable[[], Slow], seen: dict[str, float], name: str) -> None:
    """Run one client until it is cut, at most 90 seconds, and note how long that was."""
    client = make()
    began = time.monotonic()
    while time.monotonic() < began + 90:
        if not client.step() or client.is_cut():
            break
        time.sleep(1)
    seen[name] = time.monotonic() - began
    client.socket.close()


def watched(
    server: Gateway, tls_port: int
) -> tuple[dict[str, float], list[threading.Thread]]:
    """One client of each kind, each in a thread: what they see, and the threads."""
    begin = starts(server)
    seen: dict[str, float] = {}
    threads: list[threading.Thread] = []
    hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"
    cases = [(kind, kind, server.port, start) for kind, start in begin.items()]
    # The rest of a handshake that comes a byte a second.
    cases.append(("handshake", "head", tls_port, hello))
    for name, kind, port, start in cases:

        def make(port: int = port, kind: str = kind, start: bytes = start) -> Slow:
            return Slow(port, kind, start)

        threads.append(threading.Thread(target=watch, args=(make, seen, name)))
        threads[-1].start()
    return seen, threads


def measured(server: Gateway, ways: list[list[Ask]]) -> list[Busy]:
    """What 16 busy clients have, for each way of being busy."""
    return [busy(server, asks, seconds=SECONDS) for asks in ways]


@frozen
class Round:
    """What one round found.

    :ivar quiet: what the busy had without the crowd, of each way of being busy.
    :ivar loud: what they had beside it.
    :ivar memory: MiB resident at the end, with the crowd there.
    :ivar cpu: seconds of the server's CPU in a second with nobody else there.
    """

    quiet: list[Busy]
    loud: list[Busy]
    memory: float
    cpu: float


def one_round(server: Gateway, ways: list[list[Ask]]) -> Round:
    """Measure without the crowd, with it, and the crowd alone for as long as it takes to have been cut once."""
    quiet = measured(server, ways)
    with crowded(server) as cut:
        connections = metric(server, "ozgate_connections")
        loud = measured(server, ways)
        cpu, alone = server.cpu, 32
        time.sleep(alone)
        cpu = (server.cpu - cpu) / alone
        memory = server.memory()
        print(
            f"     GET {quiet[0].rate:.0f}/s, beside {connections:.0f} connections {loud[0].rate:.0f}/s;"
            f" PUT {quiet[1].rate:.0f}/s, {loud[1].rate:.0f}/s; {memory:.1f} MiB; {cut.value} were cut",
            flush=True,
        )
    return Round(quiet, loud, memory, cpu)


def run(server: Gateway, tls_port: int, rounds: int) -> list[bool]:
    """All of it, on a server."""
    server.must("PUT", "/bucket")
    server.must("PUT", "/bucket/small", os.urandom(4096))
    server.must("PUT", "/bucket/large", bytes(LARGE))
    ways = [[signed(server, "GET", "/bucket/small")], puts(server)]
    seen, threads = watched(server, tls_port)
    measured(server, ways)
    server.reset_high_water()
    base = server.memory()
    found = [one_round(server, ways) for _ in range(rounds)]
    for thread in threads:
        thread.join(100)
    results = []
    for place, name in enumerate(("GET", "durable PUT")):
        pairs = [(each.loud[place], each.quiet[place]) for each in found]
        what = f"{name} of 4 KiB by 16 clients beside the crowd, relative to without:"
        ratio = statistics.median(loud.rate / quiet.rate for loud, quiet in pairs)
        results.append(verdict(f"{what} rate", ratio, 0.5, at_most=False))
        ratio = statistics.median(loud.cost / quiet.cost for loud, quiet in pairs)
        results.append(verdict(f"{what} server CPU a request", ratio, 2, at_most=True))
    for what, value, limit, unit in (
        (
            "crowds raise RSS, at its highest, by",
            server.memory("VmHWM") - base,
            64,
            " MiB",
        ),
        (
            "the last of them raises it by",
            found[-1].memory - found[-2].memory,
            8,
            " MiB",
        ),
        ("the crowd alone costs, of a CPU", max(each.cpu for each in found), 0.25, ""),
    ):
        results.append(verdict(what, value, limit, at_most=True, unit=unit))
    for name, seconds in RULES.items():
        what, limit = f"{name}: cut after", seconds + SLACK
        results.append(verdict(what, seen[name], limit, at_most=True, unit=" s"))
    return results


def main() -> int:
    """Print the figures; 1 when one misses."""
    rounds = max(int(argument(__doc__, "rounds", 3)), 2)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    tls_port = free_port()
    with tempfile.TemporaryDirectory(prefix="ozgate-slow-") as folder:
        pair = make_pair(list(LOCAL), datetime.now(UTC), 1)
        for name, data in zip((KEY, CERTIFICATE), pair, strict=True):
            Path(folder, name).write_bytes(data)
        options = (
            *("-D", "ozone.s3g.webadmin.http-address=127.0.0.1:0"),
            *("-D", "ozone.http.policy=HTTP_AND_HTTPS"),
            *("-D", f"ozone.s3g.https-address=127.0.0.1:{tls_port}"),
            *("-D", f"ozgate.tls.certificate={folder}/{CERTIFICATE}"),
            *("-D", f"ozgate.tls.key={folder}/{KEY}"),
        )
        with gateway(*options) as server:
            return 0 if all(run(server, tls_port, rounds)) else 1


if __name__ == "__main__":
    raise SystemExit(main())
