"""The same requests to an empty store, to one with 10,000 objects, and to one with a great many."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from functools import partial

from attrs import evolve

from benchmarks.suite import beside, cleaning
from benchmarks.suite.groups import Group, requests
from benchmarks.suite.groups.lists import KEYS, PAGES
from benchmarks.suite.load import measured
from benchmarks.suite.sample import NotHere, Row, Sample
from benchmarks.suite.scale import Scale
from benchmarks.suite.server import Server
from benchmarks.wrk import Load, wrk

EMPTY, SHALLOW = "empty", 10_000
BUCKET = "deep"
READ = 200
"""Pages that are read one after the other."""
PAGE, MANY = "LIST page of 1,000 keys, c=1", f"LIST up to {READ} pages"


def count_of(server: Server, scale: Scale) -> int:
    """Objects that its store has.

    :raises NotHere: none.
    """
    if server.name == EMPTY:
        raise NotHere("it has nothing to list")
    return SHALLOW if server.name == depth(SHALLOW) else scale.deep


def depth(objects: int) -> str:
    """What a store is called."""
    return f"{objects:,} objects"


def page(server: Server, scale: Scale) -> Sample:
    """A page from the middle, by one client."""
    middle = f"key-{count_of(server, scale) // 2:09d}"
    target = server.target(query=f"list-type=2&start-after={middle}")
    ask = requests.presigned(server, "GET", target)
    if server.must("GET", target).count(b"<Key>") != 1000:
        raise RuntimeError("the page has not 1,000 keys")
    return measured(server, lambda: wrk(server.url, [ask], 1, scale.seconds))


def many(server: Server, scale: Scale) -> Sample:
    """Up to 200 pages from the beginning, one after the other, by one client."""
    count_of(server, scale)

    def run() -> Load:
        began, found = time.monotonic(), 0
        answers = server.pages(
            "list-type=2&prefix=key-", "NextContinuationToken", "continuation-token"
        )
        for _, answer in zip(range(READ), answers, strict=False):
            found += answer.count(b"<Key>")
        return Load(found, time.monotonic() - began)

    return measured(server, run, cost=1e6)


def rows(scale: Scale) -> Sequence[Row]:
    """All of them."""
    get = partial(requests.get, size=4096, clients=16)
    put = partial(requests.put, size=4096, clients=16)
    delete = partial(requests.delete, clients=16)
    return [
        Row("GET 4 KiB, c=16", requests.REQUESTS, get),
        Row("PUT 4 KiB, c=16", requests.REQUESTS, put),
        Row("DELETE, c=16", requests.REQUESTS, delete),
        Row(PAGE, PAGES, page),
        Row(MANY, KEYS, many),
    ]


def prepare(server: Server, scale: Scale) -> None:
    """What GET reads."""
    if server.name == EMPTY:
        cleaning.make(server)
    requests.prepare(server, scale)


@contextlib.contextmanager
def filled(name: str, objects: int) -> Iterator[Server]:
    """An ozgate whose bucket has so many, put there before it starts."""
    with beside.folder() as made:
        data = os.path.join(made, "data")
        if objects:
            command = (sys.executable, "-m", "benchmarks.filling")
            subprocess.run([*command, data, BUCKET, str(objects)], check=True)
        with beside.ozgate(name, data=data) as server:
            yield evolve(server, bucket=BUCKET)


@contextlib.contextmanager
def stores(scale: Scale) -> Iterator[list[Server]]:
    """All three."""
    with contextlib.ExitStack() as stack:
        yield [
            stack.enter_context(filled(EMPTY, 0)),
            stack.enter_context(filled(depth(SHALLOW), SHALLOW)),
            stack.enter_context(filled(depth(scale.deep), scale.deep)),
        ]


GROUP = Group("deep", rows, prepare, own=stores)
