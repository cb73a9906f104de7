"""Bodies of 1 MiB to 1 GiB: GET, PUT, ranges, parts, copies; beside nginx's sendfile and a bare loop."""

from __future__ import annotations

import contextlib
import random
import re
import time
from collections.abc import Callable, Iterator
from functools import partial

from attrs import evolve

from benchmarks.measure import GIB, MIB
from benchmarks.suite import beside
from benchmarks.suite.groups import Group
from benchmarks.suite.groups.requests import REQUESTS
from benchmarks.suite.load import check, measured
from benchmarks.suite.sample import Row, Sample, Unit
from benchmarks.suite.scale import Scale, size_name
from benchmarks.suite.server import Server, connect, said
from benchmarks.suite.streams import downloads, parts, put, uploads
from benchmarks.wrk import Ask, Load, wrk

BYTES = Unit("MiB/s", "s/GiB")
MOMENT = Unit("ms", "ms", lower=True)
RANGE = 65536
PART = 8 * MIB
_UPLOAD_ID = re.compile(rb"<UploadId>(.*?)</UploadId>")


def measured_bytes(server: Server, load: Callable[[], Load]) -> Sample:
    """Of a load that counts bytes: MiB a second, CPU seconds a GiB."""
    return measured(server, load, per=MIB, cost=GIB / MIB)


def get(
    server: Server, scale: Scale, size: int, clients: int, *, tls: bool = False
) -> Sample:
    """One object by some clients, each again and again for as long as is measured."""
    url = server.tls if tls else server.url
    target = "/large"
    if server.kind == "s3":
        target = server.presigned("GET", server.target(f"of-{size}"), url=url)
    load = partial(downloads, url, target, clients, scale.seconds)
    return measured_bytes(server, load)


def put_streams(
    server: Server, scale: Scale, size: int, clients: int, *, tls: bool = False
) -> Sample:
    """An object for each client, again and again for as long as is measured, and once at least."""
    url = server.tls if tls else server.url
    targets = [f"/put-{number}" for number in range(clients)]
    if server.kind == "s3":
        keys = [server.target(f"put-{number}") for number in range(clients)]
        targets = [server.presigned("PUT", key, url=url) for key in keys]
    load = partial(uploads, url, targets, size, scale.seconds)
    return measured_bytes(server, load)


def ranges(server: Server, scale: Scale, clients: int) -> Sample:
    """64 KiB anywhere in the largest object."""
    target = server.presigned("GET", server.target(f"of-{scale.large}"))
    draw = random.Random(11)
    firsts = [draw.randrange(scale.large - RANGE) for _ in range(1000)]
    asks = [
        Ask("GET", target, {"Range": f"bytes={first}-{first + RANGE - 1}"})
        for first in firsts
    ]
    check(server.url, asks[0], (206,), RANGE)
    return measured(server, lambda: wrk(server.url, asks, clients, scale.seconds))


def copy(server: Server, scale: Scale) -> Sample:
    """The largest object, to another key."""
    source = f"/{server.bucket}/of-{scale.large}"

    def run() -> Load:
        began = time.monotonic()
        answer = server.must("PUT", server.target("copy"), x_amz_copy_source=source)
        if b"<ETag>" not in answer:
            raise RuntimeError(f"not copied: {said(answer)}")
        return Load(1, time.monotonic() - began)

    return measured(server, run, timed=True)


def begin(server: Server, key: str) -> str:
    """Begin an upload; its id."""
    answer = server.must("POST", server.target(key, "uploads="))
    found = _UPLOAD_ID.search(answer)
    assert found
    return found[1].decode()


def part_targets(server: Server, key: str, count: int, upload_id: str) -> list[str]:
    """Where an upload's parts go."""
    return [
        server.target(key, f"partNumber={number}&uploadId={upload_id}")
        for number in range(1, count + 1)
    ]


def complete(server: Server, key: str, upload_id: str, etags: list[str]) -> Load:
    """Complete an upload."""
    listed = "".join(
        f"<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"
        for number, etag in enumerate(etags, 1)
    )
    document = f"<CompleteMultipartUpload>{listed}</CompleteMultipartUpload>"
    target = server.target(key, f"uploadId={upload_id}")
    began = time.monotonic()
    answer = server.must("POST", target, document.encode())
    if b"<ETag>" not in answer:
        raise RuntimeError(f"not completed: {said(answer)}")
    return Load(1, time.monotonic() - began)


def part_count(scale: Scale) -> int:
    """Of the upload whose bytes are sent: 64, where the largest object has a GiB."""
    return max(2, min(64, scale.large // 2 // PART))


def _sent(server: Server, key: str, count: int) -> tuple[str, list[str]]:
    upload_id = begin(server, key)
    targets = part_targets(server, key, count, upload_id)
    signed = [server.presigned("PUT", target) for target in targets]
    return upload_id, parts(server.url, signed, PART, 8)


def multipart(server: Server, scale: Scale) -> Sample:
    """Parts of 8 MiB, 8 at a time, and their Complete."""
    count = part_count(scale)

    def run() -> Load:
        began = time.monotonic()
        complete(server, "parts", *_sent(server, "parts", count))
        return Load(count * PART, time.monotonic() - began)

    return measured_bytes(server, run)


def complete_alone(server: Server, scale: Scale) -> Sample:
    """The Complete of such an upload."""
    upload_id, etags = _sent(server, "parts", part_count(scale))
    return measured(
        server, lambda: complete(server, "parts", upload_id, etags), timed=True
    )


def rows(scale: Scale) -> list[Row]:
    """All of them, each beside what it is held against."""
    found: list[Row] = []
    for size in dict.fromkeys((MIB, 64 * MIB, scale.large)):
        for place in (0, 1):
            is_largest = size == scale.large
            for clients in (1, 4, 16, 64) if is_largest else (1, 16, 64):
                row = _both(size, clients)[place]
                found += [row, *(_limits(row, clients) if is_largest else ())]
    name = size_name(scale.large)
    for clients in (1, 16, 64):
        work = partial(ranges, clients=clients)
        found.append(Row(f"64 KiB range of {name}, c={clients}", REQUESTS, work))
    count = part_count(scale)
    return [
        *found,
        Row(f"{count} parts of 8 MiB, 8 at a time", BYTES, multipart),
        Row(f"Complete of {count} parts", MOMENT, complete_alone),
        Row(f"CopyObject of {name}", MOMENT, copy),
    ]


def _both(size: int, clients: int) -> list[Row]:
    """GET and PUT. What is overwritten is there for a while."""
    name = f"{size_name(size)}, c={clients}"
    reading = partial(get, size=size, clients=clients)
    writing = partial(put_streams, size=size, clients=clients)
    return [
        Row(f"GET {name}", BYTES, reading),
        Row(f"PUT {name}", BYTES, writing, space=2 * size * clients),
    ]


def _limits(row: Row, clients: int) -> list[Row]:
    """What a row of the largest object is held against: nginx by one client, the bare loop by one and by four."""
    if row.space and clients in (1, 4):
        return [evolve(row, name=f"{beside.LOOP}: {row.name}", on=beside.LOOP)]
    if not row.space and clients == 1:
        return [evolve(row, name=f"{beside.NGINX}: {row.name}", on=beside.NGINX)]
    return []


def prepare(server: Server, scale: Scale) -> None:
    """An object of each size."""
    for size in {MIB, 64 * MIB, scale.large}:
        target = server.presigned("PUT", server.target(f"of-{size}"))
        with contextlib.closing(connect(server.url)) as connection:
            put(connection, target, size)


@contextlib.contextmanager
def limits(scale: Scale) -> Iterator[list[Server]]:
    """nginx, where it is installed, and the bare loop."""
    with contextlib.ExitStack() as stack:
        there = [stack.enter_context(beside.bare_loop())]
        if beside.nginx_binary():
            there.append(stack.enter_context(beside.nginx(scale.large)))
        yield there


GROUP = Group("transfers", rows, prepare, limits)
