"""Idle connections, each of which was answered once: the memory of one, and what busy clients have beside them."""

from __future__ import annotations

import contextlib
import resource
from collections.abc import Iterator
from functools import partial
from urllib.parse import urlsplit

from benchmarks.suite.groups import Group, requests
from benchmarks.suite.lines import encoded
from benchmarks.suite.sample import NotHere, Row, Sample, Unit
from benchmarks.suite.scale import Scale
from benchmarks.suite.server import Server, connect

EACH = Unit("KiB/connection", lower=True)
ADDRESSES = 8
"""Of the loopback network, from which they come: there are ports enough, and servers have limits for one address."""
FEW = 100
"""With whom what is made once is made."""
SPARE = 200
"""Files that are open besides."""


@contextlib.contextmanager
def idling(server: Server, count: int) -> Iterator[None]:
    """Have so many connections.

    :raises NotHere: so many files may not be open.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most < count + SPARE:
        raise NotHere(f"{count} connections need as many open files (ulimit -Hn)")
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    ask = requests.presigned(server, "GET", server.target("of-4096"))
    data = encoded(server.url, ask)
    is_local = (urlsplit(server.url).hostname or "").startswith("127.")
    with contextlib.ExitStack() as stack:
        for number in range(count):
            connection = connect(server.url)
            if is_local:
                source = f"127.0.1.{1 + number % ADDRESSES}"
                connection.source_address = (source, 0)  # type: ignore[attr-defined]
            stack.enter_context(contextlib.closing(connection))
            connection.connect()
            connection.sock.sendall(data)
            if not connection.sock.recv(65536).startswith(b"HTTP/1.1 200 "):
                raise RuntimeError(f"connection {number} is not served")
        yield


def each_takes(server: Server, count: int, before: float) -> Sample:
    """What one of a crowd takes.

    :param before: the server's memory without one.
    """
    with idling(server, count):
        there = server.memory()
    return Sample(max(there - before, 0) * 1024 / count, memory=there)


_before: dict[str, float] = {}
"""By the server's name: its memory before the first crowd, since what a crowd leaves free is the next one's."""


def memory(server: Server, scale: Scale, count: int) -> Sample:
    """What one takes, of as many. What other work left free is theirs, too: of a fresh server, ``start`` has it."""
    if not server.pids:
        raise NotHere("its processes are not known (--pid)")
    if server.name not in _before:
        with idling(server, FEW):
            pass
        _before[server.name] = server.memory()
    return each_takes(server, count, _before[server.name])


def beside(server: Server, scale: Scale, count: int) -> Sample:
    """GET of 4 KiB by 16 clients beside them."""
    with idling(server, count):
        return requests.get(server, scale, 4096, 16)


def rows(scale: Scale) -> list[Row]:
    """For each size of the crowd."""
    return [
        row
        for count in scale.idle
        for row in (
            Row(f"{count:,} idle connections", EACH, partial(memory, count=count)),
            Row(
                f"GET 4 KiB, c=16, beside {count:,} idle",
                requests.REQUESTS,
                partial(beside, count=count),
            ),
        )
    ]


GROUP = Group("idle", rows, requests.prepare)
