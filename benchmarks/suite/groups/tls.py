"""Over TLS: small requests on kept connections, and the largest object beside nginx."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from benchmarks.suite import beside
from benchmarks.suite.groups import Group, requests, transfers
from benchmarks.suite.sample import NotHere, Row, Sample
from benchmarks.suite.scale import Scale, size_name
from benchmarks.suite.server import Server, connect
from benchmarks.suite.streams import put


def over_tls(
    work: Callable[..., Sample], **given: object
) -> Callable[[Server, Scale], Sample]:
    """Work, on the endpoint of a server that has TLS."""

    def run(server: Server, scale: Scale) -> Sample:
        if not server.tls:
            raise NotHere("it was not said where it has TLS (--tls)")
        return work(server, scale, tls=True, **given)

    return run


def rows(scale: Scale) -> list[Row]:
    """All of them."""
    found = []
    for name, small in (("GET", requests.get), ("PUT", requests.put)):
        work = over_tls(small, size=4096, clients=16, sign=requests.over_tls)
        found.append(Row(f"{name} 4 KiB over TLS, c=16", requests.REQUESTS, work))
    size = scale.large
    name = f"{size_name(size)} over TLS, c=1"
    reading = over_tls(transfers.get, size=size, clients=1)
    writing = over_tls(transfers.put_streams, size=size, clients=1)
    return [
        *found,
        Row(f"GET {name}", transfers.BYTES, reading),
        Row(f"{beside.NGINX}: GET {name}", transfers.BYTES, reading, on=beside.NGINX),
        Row(f"PUT {name}", transfers.BYTES, writing, space=2 * size),
    ]


def prepare(server: Server, scale: Scale) -> None:
    """The smallest object and the largest."""
    requests.prepare(server, scale)
    target = server.presigned("PUT", server.target(f"of-{scale.large}"))
    with contextlib.closing(connect(server.url)) as connection:
        put(connection, target, scale.large)


@contextlib.contextmanager
def limits(scale: Scale) -> Iterator[list[Server]]:
    """nginx, where it is installed."""
    with contextlib.ExitStack() as stack:
        if beside.nginx_binary():
            yield [stack.enter_context(beside.nginx(scale.large))]
        else:
            yield []


GROUP = Group("tls", rows, prepare, limits)
