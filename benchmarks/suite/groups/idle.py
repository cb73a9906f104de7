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


def memory(server: Server, scale: Scale, count: int) -> Sample:
    """What one takes, of as many.

    The second crowd is what counts: with the first, what is made once is made.
    """
    if not server.pids:
        raise NotHere("its processes are not known (--pid)")
    with idling(server, count):
        pass
    before = server.memory()
    with idling(server, count):
        grown = server.memory() - before
        return Sample(max(grown, 0) * 1024 / count, memory=server.memory())


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
