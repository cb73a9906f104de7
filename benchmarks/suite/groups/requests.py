"""Small requests: GET, PUT, HEAD, 304, a mix, DELETE and DeleteObjects, beside a bare Klein ``async`` hello-world."""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from benchmarks.suite import beside
from benchmarks.suite.cleaning import delete as remove
from benchmarks.suite.groups import Group
from benchmarks.suite.lines import encoded, lines
from benchmarks.suite.load import check, measured
from benchmarks.suite.sample import Row, Sample, Unit
from benchmarks.suite.scale import Scale, size_name
from benchmarks.suite.server import Server
from benchmarks.suite.streams import BLOCK
from benchmarks.wrk import Ask, Load, wrk

SIZES = (4096, 65536)
CLIENTS = (1, 16, 64)
KEYS = 2000
"""That PUTs go to in turn, and GETs where that is said."""
BATCH = 1000
"""Keys of a DeleteObjects: as many as it may have."""
REQUESTS = Unit("req/s", "ms/request")

Signing = Callable[[Server, str, str], Ask]
"""How a request is signed: of a server, a method and a target."""


def presigned(server: Server, method: str, target: str) -> Ask:
    """In its query."""
    return Ask(method, server.presigned(method, target))


def by_headers(server: Server, method: str, target: str) -> Ask:
    """In its headers, as SDKs do."""
    return Ask(method, target, server.signed(method, target))


def over_tls(server: Server, method: str, target: str) -> Ask:
    """In its query, for the endpoint that has TLS."""
    return Ask(method, server.presigned(method, target, url=server.tls))


def get(
    server: Server,
    scale: Scale,
    size: int,
    clients: int,
    sign: Signing = presigned,
    tls: bool = False,
) -> Sample:
    """One object, again and again."""
    url = server.tls if tls else server.url
    ask = sign(server, "GET", server.target(f"of-{size}"))
    check(url, ask, (200,), size)
    return measured(server, lambda: wrk(url, [ask], clients, scale.seconds))


def get_in_turn(server: Server, scale: Scale, size: int, clients: int) -> Sample:
    """Many objects in turn: more than a server may have at hand when it is asked for one of them again."""
    names = [f"each-{size}-{number}" for number in range(KEYS)]
    if server.request("HEAD", server.target(names[-1]))[0] != 200:
        for begin in range(0, KEYS, 100):
            fill(server, names[begin : begin + 100], size)
    asks = [presigned(server, "GET", server.target(name)) for name in names]
    check(server.url, asks[0], (200,), size)
    return measured(server, lambda: wrk(server.url, asks, clients, scale.seconds))


def put(
    server: Server,
    scale: Scale,
    size: int,
    clients: int,
    sign: Signing = presigned,
    tls: bool = False,
) -> Sample:
    """Objects in turn, which are overwritten from the second turn on."""
    url = server.tls if tls else server.url
    # wrk keeps each request whole: 32 MiB of them.
    count = min(KEYS, 32 * 1024 * 1024 // size)
    asks = [
        Ask(made.method, made.target, made.headers, size)
        for number in range(count)
        for made in [sign(server, "PUT", server.target(f"put-{number}"))]
    ]
    check(url, asks[0], (200,))
    return measured(server, lambda: wrk(url, asks, clients, scale.seconds))


def head(
    server: Server, scale: Scale, clients: int, sign: Signing = presigned
) -> Sample:
    """The headers of the object of 4 KiB."""
    ask = sign(server, "HEAD", server.target("of-4096"))
    check(server.url, ask, (200,), 0)
    data = [encoded(server.url, ask)]
    return measured(server, lambda: lines(server.url, data, clients, scale.seconds))


def unchanged(
    server: Server, scale: Scale, clients: int, sign: Signing = presigned
) -> Sample:
    """The object of 4 KiB, which the client says it has."""
    _, headers, _ = server.request("HEAD", server.target("of-4096"))
    ask = sign(server, "GET", server.target("of-4096"))
    ask.headers["If-None-Match"] = headers["ETag"]
    check(server.url, ask, (304,), 0)
    return measured(server, lambda: wrk(server.url, [ask], clients, scale.seconds))


def mixed(server: Server, scale: Scale, clients: int) -> Sample:
    """Of ten requests seven GETs, two PUTs and a LIST of a hundred keys; 4 KiB."""
    gets = [presigned(server, "GET", server.target("of-4096"))] * 7
    listing = presigned(
        server, "GET", server.target(query="list-type=2&max-keys=100&prefix=of-")
    )
    asks = [*gets, listing]
    for number in range(100):
        target = server.target(f"put-{number}")
        made = Ask("PUT", server.presigned("PUT", target), body=4096)
        asks += [*gets, made, made, listing]
    random.Random(11).shuffle(asks)
    for ask in {each.method: each for each in asks}.values():
        check(server.url, ask, (200,))
    return measured(server, lambda: wrk(server.url, asks, clients, scale.seconds))


def fill(server: Server, names: Sequence[str], size: int = 16) -> None:
    """Put a small object under each name, 16 at a time."""
    data = [
        encoded(server.url, presigned(server, "PUT", server.target(name)), bytes(size))
        for name in names
    ]
    load = lines(server.url, data, 16)
    if load.failed:
        raise RuntimeError(f"{load.failed} of {len(names)} PUTs failed")


def delete(server: Server, scale: Scale, clients: int) -> Sample:
    """Objects of 16 bytes, each of which is there and is deleted once."""
    names = [f"doomed-{number}" for number in range(scale.keys)]
    fill(server, names)
    data = [
        encoded(server.url, presigned(server, "DELETE", server.target(name)))
        for name in names
    ]
    return measured(server, lambda: lines(server.url, data, clients))


def delete_objects(server: Server, scale: Scale) -> Sample:
    """Three requests of 1,000 objects of 16 bytes each, one after the other."""
    batches = [
        [f"batch-{turn}-{number}" for number in range(BATCH)] for turn in range(3)
    ]
    for names in batches:
        fill(server, names)

    def run() -> Load:
        began = time.monotonic()
        for names in batches:
            remove(server, [b"<Key>%s</Key>" % name.encode() for name in names])
        return Load(BATCH * len(batches), time.monotonic() - began)

    return measured(server, run, cost=1e6)


def hello(server: Server, scale: Scale) -> Sample:
    """The five bytes that Klein gives."""
    ask = Ask("GET", "/")
    check(server.url, ask, (200,), 5)
    return measured(server, lambda: wrk(server.url, [ask], 16, scale.seconds))


def rows(scale: Scale) -> list[Row]:
    """All of them; what the limits speak of is signed by headers, at 16 clients."""
    works: dict[str, Callable[..., Sample]] = {"HEAD": head, "304": unchanged}
    for size in SIZES:
        works[f"GET {size_name(size)}"] = partial(get, size=size)
        works[f"PUT {size_name(size)}"] = partial(put, size=size)
    found = [Row(f"{beside.HELLO}, c=16", REQUESTS, hello, on=beside.HELLO)]
    for name in ("GET 4 KiB", "HEAD", "304", "PUT 4 KiB"):
        signed = partial(works[name], clients=16, sign=by_headers)
        found.append(Row(f"{name} signed by headers, c=16", REQUESTS, signed))
    for size in SIZES:
        name = f"GET {size_name(size)} of {KEYS:,} objects in turn, c=16"
        work = partial(get_in_turn, size=size, clients=16)
        found.append(Row(name, REQUESTS, work))
    works |= {"mixed": mixed, "DELETE": delete}
    for name, work in works.items():
        for clients in CLIENTS:
            several = partial(work, clients=clients)
            found.append(Row(f"{name}, c={clients}", REQUESTS, several))
    keys = Unit("keys/s", "µs/key")
    return [*found, Row("DeleteObjects of 1,000", keys, delete_objects)]


def prepare(server: Server, scale: Scale) -> None:
    """An object of each size."""
    for size in SIZES:
        server.must("PUT", server.target(f"of-{size}"), BLOCK[:size])


@contextlib.contextmanager
def baseline(scale: Scale) -> Iterator[list[Server]]:
    """Klein."""
    with beside.hello() as server:
        yield [server]


GROUP = Group("requests", rows, prepare, baseline)
