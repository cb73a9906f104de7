"""What a server and a generator use while there is load."""

from __future__ import annotations

import contextlib
import resource
import time
from collections.abc import Callable, Sequence

from benchmarks.suite.sample import Sample
from benchmarks.suite.server import Server, connect, said
from benchmarks.wrk import Ask, Load


def _client_cpu() -> float:
    """CPU seconds of this process, and of its children that ended."""
    ours = resource.getrusage(resource.RUSAGE_SELF)
    theirs = resource.getrusage(resource.RUSAGE_CHILDREN)
    return ours.ru_utime + ours.ru_stime + theirs.ru_utime + theirs.ru_stime


def measured(
    server: Server,
    run: Callable[[], Load],
    *,
    per: float = 1,
    cost: float = 1e3,
    timed: bool = False,
) -> Sample:
    """Have load, and see what it costs.

    :param per: how much of what is counted is one of the row's unit.
    :param cost: by which seconds of CPU are multiplied, such as 1000 for ms.
    :param timed: whether the result is ms for each, and not how many a second.
    """
    server.forget_peak()
    before, client, began = server.cpu, _client_cpu(), time.monotonic()
    load = run()
    used, wall = server.cpu - before, time.monotonic() - began
    if load.done <= 0:
        raise RuntimeError("nothing was answered in time")
    done = load.done / per
    return Sample(
        load.seconds / done * 1e3 if timed else done / load.seconds,
        used / done * cost,
        server.memory("VmHWM"),
        load.p50,
        load.p99,
        (_client_cpu() - client) / wall,
        load.failed,
    )


def check(url: str, ask: Ask, expected: Sequence[int], length: int = -1) -> None:
    """Make a request once, so that what is measured is what was meant.

    :param expected: the statuses it may have.
    :param length: bytes of the answer's body, if they are known.
    :raises RuntimeError: it is answered otherwise.
    """
    with contextlib.closing(connect(url)) as connection:
        body = bytes(ask.body) if ask.body else None
        connection.request(ask.method, ask.target, body, ask.headers)
        answer = connection.getresponse()
        data = answer.read()
    path = ask.target.partition("?")[0]
    if answer.status not in expected:
        raise RuntimeError(f"{ask.method} {path}: {answer.status} {said(data)}")
    if length not in (-1, len(data)):
        raise RuntimeError(f"{ask.method} {path}: {len(data)} bytes, not {length}")
