"""From the start of an ozgate's process to its first 200, and its memory while it has nothing to do."""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections.abc import Iterator, Sequence

from benchmarks.measure import Gateway
from benchmarks.processes import memory_of
from benchmarks.suite.groups import Group
from benchmarks.suite.groups.transfers import MOMENT
from benchmarks.suite.sample import Row, Sample, Unit
from benchmarks.suite.scale import Scale
from benchmarks.suite.server import Server

FRESH = "fresh ozgate"
FIRST, IDLE = "first 200 after the start", "idle memory of the largest process"
SETTLED = 2
"""Seconds after which a process is taken to have nothing to do any more."""


def first_answer(server: Server, scale: Scale) -> Sample:
    """Start one on an empty folder, and ask it."""
    with tempfile.TemporaryDirectory(prefix="ozgate-start-") as folder:
        began = time.monotonic()
        gateway = Gateway(os.path.join(folder, "data"))
        try:
            gateway.must("GET", "/")
            taken = time.monotonic() - began
            return Sample(taken * 1e3, gateway.cpu * 1e3, gateway.memory())
        finally:
            gateway.stop()


def idle_memory(server: Server, scale: Scale) -> Sample:
    """The resident memory of its largest process, after a first answer; beside it that of all, in which what they share counts for each."""
    with tempfile.TemporaryDirectory(prefix="ozgate-start-") as folder:
        gateway = Gateway(os.path.join(folder, "data"))
        try:
            gateway.must("GET", "/")
            time.sleep(SETTLED)
            sizes = memory_of(gateway.pid)
            return Sample(max(sizes), memory=sum(sizes))
        finally:
            gateway.stop()


def rows(scale: Scale) -> Sequence[Row]:
    """Both."""
    memory = Unit("MiB", lower=True)
    return [
        Row(FIRST, MOMENT, first_answer, on=FRESH),
        Row(IDLE, memory, idle_memory, on=FRESH),
    ]


@contextlib.contextmanager
def nobody(scale: Scale) -> Iterator[list[Server]]:
    """In the place of a server: each row starts its own."""
    yield [Server(FRESH, "", kind=FRESH)]


GROUP = Group("start", rows, own=nobody)
