"""Two workers beside one: what they reach together."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from benchmarks.measure import MIB
from benchmarks.suite import beside, cleaning
from benchmarks.suite.groups import Group, lists, requests, transfers
from benchmarks.suite.sample import Row, Sample, Unit
from benchmarks.suite.scale import Scale
from benchmarks.suite.server import Server, connect
from benchmarks.suite.streams import put

ONE, TWO = "1 worker", "2 workers"


_WORK: dict[str, tuple[Unit, Callable[..., Sample]]] = {
    "GET 4 KiB": (requests.REQUESTS, partial(requests.get, size=4096)),
    "PUT 4 KiB": (requests.REQUESTS, partial(requests.put, size=4096)),
    "HEAD": (requests.REQUESTS, requests.head),
    "304": (requests.REQUESTS, requests.unchanged),
    "DELETE": (requests.REQUESTS, requests.delete),
    "GET 64 KiB": (requests.REQUESTS, partial(requests.get, size=65536)),
    "PUT 64 KiB": (requests.REQUESTS, partial(requests.put, size=65536)),
    "GET 1 MiB": (transfers.BYTES, partial(transfers.get, size=MIB)),
    "PUT 1 MiB": (transfers.BYTES, partial(transfers.put_streams, size=MIB)),
    "LIST page of 1,000 keys": (
        lists.PAGES,
        partial(lists.page, query=lists.FLAT, element="Key", count=1000),
    ),
}
ROWS = [f"{name}, c=16" for name in _WORK]
"""Some of each group's, at 16 clients: a client alone keeps one worker busy."""


def rows(scale: Scale) -> Sequence[Row]:
    """All of them."""
    return [
        Row(name, unit, partial(work, clients=16))
        for name, (unit, work) in zip(ROWS, _WORK.values(), strict=True)
    ]


def prepare(server: Server, scale: Scale) -> None:
    """What the rows read."""
    cleaning.make(server)
    requests.prepare(server, scale)
    requests.fill(server, [f"flat-{number:09d}" for number in range(1000)])
    target = server.presigned("PUT", server.target(f"of-{MIB}"))
    with contextlib.closing(connect(server.url)) as connection:
        put(connection, target, MIB)


@contextlib.contextmanager
def both(scale: Scale) -> Iterator[list[Server]]:
    """An ozgate with one, and one with two."""
    with (
        beside.ozgate(ONE, workers=1) as one,
        beside.ozgate(TWO, workers=2) as two,
    ):
        yield [one, two]


GROUP = Group("workers", rows, prepare, own=both)
