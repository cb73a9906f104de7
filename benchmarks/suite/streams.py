"""Bodies of a megabyte and more: clients in threads, whose time goes into system calls that let go of Python's lock."""

from __future__ import annotations

import contextlib
import http.client
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from benchmarks.measure import MIB
from benchmarks.suite.sample import quantile
from benchmarks.suite.server import connect, said
from benchmarks.wrk import Load

BLOCK = os.urandom(MIB)
"""What bodies consist of."""


def blocks(size: int) -> Iterator[bytes]:
    """A body."""
    while size > 0:
        yield BLOCK[:size] if size < MIB else BLOCK
        size -= MIB


def put(
    connection: http.client.HTTPConnection,
    target: str,
    size: int,
    *,
    method: str = "PUT",
) -> http.client.HTTPResponse:
    """Send a body; the answer, which is read.

    :raises RuntimeError: it is an error's.
    """
    headers = {"Content-Length": str(size)}
    connection.request(method, target, blocks(size), headers)
    answer = connection.getresponse()
    data = answer.read()
    if answer.status != 200:
        raise RuntimeError(f"PUT of {size} bytes: {answer.status} {said(data)}")
    return answer


def get(
    connection: http.client.HTTPConnection,
    target: str,
    buffer: memoryview,
    deadline: float,
) -> tuple[int, bool]:
    """Read a body, up to a deadline; its bytes, and whether it ended.

    :raises RuntimeError: it is an error's, or shorter than it says.
    """
    connection.request("GET", target)
    answer = connection.getresponse()
    if answer.status != 200:
        raise RuntimeError(f"GET: {answer.status} {said(answer.read())}")
    length, heard = answer.length, 0
    while count := answer.readinto(buffer):
        heard += count
        if time.monotonic() > deadline and heard != length:
            return heard, False
    if length not in (None, heard):
        raise RuntimeError(f"GET: the body ended after {heard} of {length} bytes")
    return heard, True


def _crowd(
    clients: int,
    seconds: float,
    client: Callable[[int, float], tuple[int, list[float]]],
) -> Load:
    """Have clients in threads; what they did together, in bytes.

    :param client: called with its number and the deadline; what it gives are bytes, and the seconds of each transfer that ended.
    """
    began = time.monotonic()
    with ThreadPoolExecutor(clients) as pool:
        told = [pool.submit(client, n, began + seconds) for n in range(clients)]
        found = [each.result() for each in told]
    elapsed = time.monotonic() - began
    taken = sorted(each for _, some in found for each in some)
    return Load(
        sum(count for count, _ in found),
        elapsed,
        quantile(taken, 0.5) * 1e3,
        quantile(taken, 0.99) * 1e3,
    )


def uploads(url: str, targets: Sequence[str], size: int, seconds: float) -> Load:
    """A client for each target, which PUTs a body to it again and again for so long, and once at least."""

    def client(number: int, deadline: float) -> tuple[int, list[float]]:
        taken: list[float] = []
        with contextlib.closing(connect(url)) as connection:
            while not taken or time.monotonic() < deadline:
                began = time.monotonic()
                put(connection, targets[number], size)
                taken.append(time.monotonic() - began)
        return size * len(taken), taken

    return _crowd(len(targets), seconds, client)


def downloads(url: str, target: str, clients: int, seconds: float) -> Load:
    """Clients that GET the same body again and again; what is under way after so long is cut, and what came of it counts."""

    def client(number: int, deadline: float) -> tuple[int, list[float]]:
        heard, taken = 0, list[float]()
        buffer = memoryview(bytearray(MIB))
        with contextlib.closing(connect(url)) as connection:
            while time.monotonic() < deadline:
                began = time.monotonic()
                count, ended = get(connection, target, buffer, deadline)
                heard += count
                if not ended:
                    break
                taken.append(time.monotonic() - began)
        return heard, taken

    return _crowd(clients, seconds, client)


def parts(url: str, targets: Sequence[str], size: int, clients: int) -> list[str]:
    """PUT a body to each target, so many at a time; the ETags."""

    def part(target: str) -> str:
        with contextlib.closing(connect(url)) as connection:
            return put(connection, target, size).headers["ETag"]

    with ThreadPoolExecutor(clients) as pool:
        return list(pool.map(part, targets))
