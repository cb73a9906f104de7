"""Requests whose answers have no body, or a short one, each once, on kept connections: HEAD, DELETE, small PUTs.

One thread that does nothing but send what was made before and wait for the end of each head: some 20 µs of CPU a request, a third of
them in the kernel.
"""

from __future__ import annotations

import contextlib
import re
import select
import socket
import time
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from benchmarks.suite.sample import quantile
from benchmarks.suite.server import connect
from benchmarks.wrk import Ask, Load

PATIENCE = 60
"""Seconds without any answer after which it is given up."""


def encoded(url: str, ask: Ask, body: bytes = b"") -> bytes:
    """A request as it goes over the wire."""
    lines = [f"{ask.method} {ask.target} HTTP/1.1", f"Host: {urlsplit(url).netloc}"]
    lines += [f"{name}: {value}" for name, value in ask.headers.items()]
    if body or ask.method in ("PUT", "POST"):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def _length(head: bytes) -> int:
    """Bytes of the body that follows a head."""
    found = re.search(rb"\r\ncontent-length: (\d+)", head, re.I)
    return int(found[1]) if found else 0


class _Crowd:
    """So many connections, each with a request that it waits for an answer to.

    :ivar taken: seconds of each answer that was good.
    :ivar failed: how many were not, or none.
    """

    def __init__(self, url: str, good: bytes, bodies: bool) -> None:
        self.url, self.good, self.bodies = url, good, bodies
        self.poll = select.epoll()
        self.sockets: dict[int, socket.socket] = {}
        self.heard: dict[int, bytes] = {}
        self.asked: dict[int, float] = {}
        self.taken: list[float] = []
        self.failed = 0

    def begin(self, request: bytes) -> None:
        """Have one more connection, with a request."""
        connection = connect(self.url)
        connection.connect()
        made: socket.socket = connection.sock
        self.sockets[made.fileno()] = made
        self.poll.register(made.fileno(), select.EPOLLIN)
        self.ask(made.fileno(), request)

    def ask(self, number: int, request: bytes) -> None:
        """Send a request on a connection."""
        self.heard[number] = b""
        self.asked[number] = time.perf_counter()
        self.sockets[number].sendall(request)

    def end(self, number: int) -> None:
        """Close a connection."""
        self.sockets.pop(number).close()

    def hear(self, number: int) -> bool | None:
        """Hear what came on a connection; whether it can be asked again, ``None`` while the answer is not whole."""
        try:
            data = self.sockets[number].recv(65536)
        except ConnectionError:
            data = b""
        self.heard[number] += data
        head, ended, body = self.heard[number].partition(b"\r\n\r\n")
        if data and (not ended or (self.bodies and len(body) < _length(head))):
            return None
        if not data or not head.startswith(self.good):
            # The body of an error may follow: it is not waited for.
            self.failed += 1
            return False
        self.taken.append(time.perf_counter() - self.asked[number])
        return b"\r\nconnection: close" not in head.lower()

    def run(self, waiting: Iterator[bytes]) -> None:
        """Make the requests that wait, until none does."""
        while self.sockets:
            events = self.poll.poll(PATIENCE)
            if not events:
                raise RuntimeError(f"no answer for {PATIENCE} seconds")
            for number, _ in events:
                goes_on = self.hear(number)
                if goes_on is None:
                    continue
                request = next(waiting, None)
                if request is not None and goes_on:
                    self.ask(number, request)
                    continue
                self.end(number)
                if request is not None:
                    self.begin(request)

    def close(self) -> None:
        """End it."""
        for number in list(self.sockets):
            self.end(number)
        self.poll.close()


def lines(
    url: str,
    requests: Sequence[bytes],
    clients: int,
    seconds: float | None = None,
    good: bytes = b"HTTP/1.1 2",
    bodies: bool = False,
) -> Load:
    """Make requests on so many connections: each once, or again and again for so long.

    :param requests: whole ones (:func:`encoded`).
    :param good: how the head of an answer begins that is none of an error.
    :param bodies: whether answers have bodies, then with their lengths.
    """
    began = time.monotonic()
    waiting = _turns(requests, None if seconds is None else began + seconds)
    with contextlib.closing(_Crowd(url, good, bodies)) as crowd:
        for _, request in zip(range(clients), waiting, strict=False):
            crowd.begin(request)
        crowd.run(waiting)
    taken = sorted(crowd.taken)
    return Load(
        len(taken),
        time.monotonic() - began,
        quantile(taken, 0.5) * 1e3,
        quantile(taken, 0.99) * 1e3,
        crowd.failed,
    )


def _turns(requests: Sequence[bytes], deadline: float | None) -> Iterator[bytes]:
    """Requests in turn: each once, or until a deadline."""
    while True:
        for request in requests:
            if deadline is not None and time.monotonic() > deadline:
                return
            yield request
        if deadline is None:
            return
