"""Where ozgate moves no bytes: the Complete of a great many parts, the copy of a large object."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Iterator, Sequence
from functools import partial

from benchmarks.measure import MIB
from benchmarks.suite import beside, cleaning
from benchmarks.suite.groups import Group
from benchmarks.suite.groups.transfers import MOMENT, begin, complete, part_targets
from benchmarks.suite.lines import encoded, lines
from benchmarks.suite.load import measured
from benchmarks.suite.sample import Row, Sample
from benchmarks.suite.scale import Scale, size_name
from benchmarks.suite.server import Server, connect
from benchmarks.suite.streams import put
from benchmarks.wrk import Ask, Load

SMALLEST = 5 * MIB
"""Bytes of a part, the last one's aside."""


def many_parts(server: Server, scale: Scale) -> Sample:
    """Complete an upload whose parts are all copies of one object."""
    upload_id = begin(server, "many")
    source = {"x-amz-copy-source": f"/{server.bucket}/part"}
    targets = part_targets(server, "many", scale.parts, upload_id)
    answer = server.must(
        "PUT", targets[0], x_amz_copy_source=source["x-amz-copy-source"]
    )
    etag = re.search(rb"<ETag>(.*?)</ETag>", answer)
    assert etag
    data = [
        encoded(server.url, Ask("PUT", target, server.signed("PUT", target, source)))
        for target in targets
    ]
    if lines(server.url, data, 16, bodies=True).failed:
        raise RuntimeError("not all parts were copied")
    etags = [etag[1].decode()] * scale.parts
    load = partial(complete, server, "many", upload_id, etags)
    return measured(server, load, timed=True)


def copy(server: Server, scale: Scale) -> Sample:
    """Copy the large object."""
    source = f"/{server.bucket}/large"

    def run() -> Load:
        began = time.monotonic()
        server.must("PUT", server.target("copy"), x_amz_copy_source=source)
        return Load(1, time.monotonic() - began)

    return measured(server, run, timed=True)


def rows(scale: Scale) -> Sequence[Row]:
    """Both."""
    copied = f"CopyObject of {size_name(scale.copied)}, alone"
    return [
        Row(f"Complete of {scale.parts:,} parts, alone", MOMENT, many_parts),
        Row(copied, MOMENT, copy, space=scale.copied),
    ]


def prepare(server: Server, scale: Scale) -> None:
    """The object that parts are copies of, and the large one, which comes in one piece: so it has an MD5."""
    cleaning.make(server)
    for key, size in (("part", SMALLEST), ("large", scale.copied)):
        target = server.presigned("PUT", server.target(key))
        with contextlib.closing(connect(server.url)) as connection:
            put(connection, target, size)


@contextlib.contextmanager
def alone(scale: Scale) -> Iterator[list[Server]]:
    """An ozgate for it."""
    with beside.ozgate() as server:
        yield [server]


GROUP = Group("parts", rows, prepare, own=alone)
