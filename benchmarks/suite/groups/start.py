"""From the start of an ozgate's process to its first 200, its memory while it has nothing to do, and what idle connections add."""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from functools import partial

from benchmarks.measure import Gateway
from benchmarks.processes import memory_of
from benchmarks.suite import beside, cleaning
from benchmarks.suite.groups import Group, idle, requests
from benchmarks.suite.groups.transfers import MOMENT
from benchmarks.suite.sample import Row, Sample, Unit
from benchmarks.suite.scale import Scale
from benchmarks.suite.server import Server

FRESH = "fresh ozgate"
FIRST, IDLE = "first 200 after the start", "idle memory of the largest process"
WORKERS = {"1 worker": 1, "2 workers": 2}
SETTLED = 2
"""Seconds after which a process is taken to have nothing to do any more."""


@contextlib.contextmanager
def started(workers: int) -> Iterator[Gateway]:
    """One on an empty folder, ended afterwards."""
    with tempfile.TemporaryDirectory(prefix="ozgate-start-") as folder:
        data = os.path.join(folder, "data")
        gateway = Gateway(data, None, "--workers", str(workers))
        try:
            yield gateway
        finally:
            gateway.stop()


def first_answer(server: Server, scale: Scale, workers: int) -> Sample:
    """Start one, and ask it."""
    began = time.monotonic()
    with started(workers) as gateway:
        gateway.must("GET", "/")
        taken = time.monotonic() - began
        return Sample(taken * 1e3, gateway.cpu * 1e3, gateway.memory())


def idle_memory(server: Server, scale: Scale, workers: int) -> Sample:
    """The resident memory of its largest process, after a first answer; beside it that of all, in which what they share counts for each."""
    with started(workers) as gateway:
        gateway.must("GET", "/")
        time.sleep(SETTLED)
        sizes = memory_of(gateway.pid)
        return Sample(max(sizes), memory=sum(sizes))


def crowd(server: Server, scale: Scale) -> Sample:
    """What one of many idle connections takes."""
    with beside.ozgate() as fresh:
        cleaning.make(fresh)
        requests.prepare(fresh, scale)
        with idle.idling(fresh, idle.FEW):
            pass
        return idle.each_takes(fresh, scale.idle[-1], fresh.memory())


def crowd_name(scale: Scale) -> str:
    """What that row is called."""
    return f"each of {scale.idle[-1]:,} idle connections to a fresh one"


def rows(scale: Scale) -> Sequence[Row]:
    """The first two with one worker and with two."""
    memory = Unit("MiB", lower=True)
    alone = [
        Row(f"{name}, {several}", unit, partial(work, workers=count), on=FRESH)
        for name, unit, work in (
            (FIRST, MOMENT, first_answer),
            (IDLE, memory, idle_memory),
        )
        for several, count in WORKERS.items()
    ]
    return [*alone, Row(crowd_name(scale), idle.EACH, crowd, on=FRESH)]


@contextlib.contextmanager
def nobody(scale: Scale) -> Iterator[list[Server]]:
    """In the place of a server: each row starts its own."""
    yield [Server(FRESH, "", kind=FRESH)]


GROUP = Group("start", rows, own=nobody)
