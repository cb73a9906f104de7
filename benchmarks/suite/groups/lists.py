"""Listings: a page of 1,000 keys, of 1,000 common prefixes, of 1,000 versions; all keys, page by page."""

from __future__ import annotations

import time
from functools import partial

from benchmarks.suite.groups import Group
from benchmarks.suite.groups.requests import fill, presigned
from benchmarks.suite.load import check, measured
from benchmarks.suite.sample import NotHere, Row, Sample, Unit
from benchmarks.suite.scale import Scale
from benchmarks.suite.server import Server
from benchmarks.wrk import Load, wrk

PAGES = Unit("pages/s", "ms/page")
KEYS = Unit("keys/s", "µs/key")
FLAT = "list-type=2&prefix=flat-"
PREFIXES = "list-type=2&prefix=tree-&delimiter=%2F"
VERSIONS = "versions=&prefix=kept-"
VERSIONED = (
    b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
)


def page(
    server: Server, scale: Scale, clients: int, query: str, element: str, count: int
) -> Sample:
    """The first page, again and again.

    :param element: what it has as many of as ``count``.
    """
    answer = server.must("GET", server.target(query=query))
    found = answer.count(f"<{element}>".encode())
    if found < count and element == "Version":
        raise NotHere(f"it keeps no versions: {found} are listed of {count}")
    if found != count:
        raise RuntimeError(f"{found} of {count} are listed")
    ask = presigned(server, "GET", server.target(query=query))
    check(server.url, ask, (200,))
    return measured(server, lambda: wrk(server.url, [ask], clients, scale.seconds))


def everything(server: Server, scale: Scale) -> Sample:
    """All keys, by one client, page after page."""

    def run() -> Load:
        began, found = time.monotonic(), 0
        for answer in server.pages(FLAT, "NextContinuationToken", "continuation-token"):
            found += answer.count(b"<Key>")
        if found != scale.keys:
            raise RuntimeError(f"{found} keys of {scale.keys} listed")
        return Load(found, time.monotonic() - began)

    return measured(server, run, cost=1e6)


def rows(scale: Scale) -> list[Row]:
    """All of them."""
    found = []
    for name, query, element in (
        ("1,000 keys", FLAT, "Key"),
        ("1,000 prefixes", PREFIXES, "CommonPrefixes"),
        ("1,000 versions", VERSIONS, "Version"),
    ):
        for clients in (1, 16):
            work = partial(
                page, clients=clients, query=query, element=element, count=1000
            )
            found.append(Row(f"LIST page of {name}, c={clients}", PAGES, work))
    return [*found, Row(f"LIST all {scale.keys:,} keys", KEYS, everything)]


def prepare(server: Server, scale: Scale) -> None:
    """The keys, a key under each prefix, and two versions of some keys where there are versions."""
    fill(server, [f"flat-{number:09d}" for number in range(scale.keys)])
    fill(server, [f"tree-{number:06d}/key" for number in range(1000)])
    status, _, _ = server.request("PUT", server.target(query="versioning="), VERSIONED)
    if status == 200:
        for _ in range(2):
            fill(server, [f"kept-{number:06d}" for number in range(500)])


GROUP = Group("lists", rows, prepare)
