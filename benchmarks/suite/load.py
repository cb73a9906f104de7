"""Load by wrk, on requests that are signed before; and what a server and a generator use while there is load.

wrk reads bodies in pieces of 8 KiB and takes HEAD's answers for unfinished: what is large is for ``streams``, what has no body for ``lines``.
"""

from __future__ import annotations

import contextlib
import json
import math
import resource
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from attrs import field, frozen

from benchmarks.suite.sample import Sample
from benchmarks.suite.server import Server, connect, said

TIMEOUT = 20
"""Seconds that wrk waits for an answer."""


@frozen
class Ask:
    """A request that is made again and again.

    :ivar target: as it is sent.
    :ivar headers: as they are sent, but Host.
    :ivar body: its length; what is in it is the same for all.
    """

    method: str
    target: str
    headers: dict[str, str] = field(factory=dict)
    body: int = 0


@frozen
class Load:
    """What a generator found.

    :ivar done: requests that were answered, or whatever else is counted.
    :ivar seconds: that they took.
    """

    done: float
    seconds: float
    p50: float = math.nan
    p99: float = math.nan
    failed: int = 0


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


REPORT = """
done = function(summary, latency)
  local errors = summary.errors
  io.write(string.format('\\n{"done": %d, "micros": %d, "p50": %d, "p99": %d, "failed": %d}\\n', summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), errors.connect + errors.read + errors.write + errors.timeout + errors.status))
end
"""


def script(asks: Sequence[Ask], folder: str) -> str:
    """A wrk script that makes these requests in turn, and tells what it found in a line of JSON; its path."""
    lengths = sorted({ask.body for ask in asks if ask.body})
    lines = [REPORT, "local bodies, asks, formatted, turn = {}, {}, {}, 0"]
    for length in lengths:
        # Random, so that nobody has it shorter by compression.
        path = Path(folder, f"body-{length}")
        path.write_bytes(Path("/dev/urandom").open("rb").read(length))
        lines.append(f'bodies[{length}] = io.open({_lua(str(path))}, "rb"):read("*a")')
    for number, ask in enumerate(asks, 1):
        headers = ", ".join(
            f"[{_lua(name)}]={_lua(value)}" for name, value in ask.headers.items()
        )
        lines.append(
            f"asks[{number}] = {{{_lua(ask.method)}, {_lua(ask.target)}, {{{headers}}}, bodies[{ask.body}]}}"
        )
    lines += [
        "init = function() for i, a in ipairs(asks) do formatted[i] = wrk.format(a[1], a[2], a[3], a[4]) end end",
        # One that is always the same is formatted by wrk itself, once.
        "wrk.method, wrk.path, wrk.headers, wrk.body = asks[1][1], asks[1][2], asks[1][3], asks[1][4]"
        if len(asks) == 1
        else f"request = function() turn = turn % {len(asks)} + 1; return formatted[turn] end",
    ]
    made = Path(folder, "load.lua")
    made.write_text("\n".join(lines))
    return str(made)


def _lua(text: str) -> str:
    """A string of Lua's. What is sent is ASCII, in which JSON's are written alike."""
    return json.dumps(text)


def wrk(url: str, asks: Sequence[Ask], clients: int, seconds: int) -> Load:
    """Make these requests in turn on so many kept connections, for so long.

    :param url: of the endpoint.
    """
    parts = urlsplit(url)
    with tempfile.TemporaryDirectory(prefix="ozgate-wrk-") as folder:
        # What a thread of wrk makes, hardly a server takes; it says so where it did (``Sample.client``).
        command = [
            *("wrk", "-t1", f"-c{clients}", f"-d{seconds}s"),
            *("--timeout", f"{TIMEOUT}s", "-s", script(asks, folder)),
            f"{parts.scheme}://{parts.netloc}/",
        ]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            try:
                output, _ = process.communicate(timeout=seconds + 60)
            except BaseException:
                process.send_signal(signal.SIGKILL)
                raise
    if process.returncode:
        raise RuntimeError(f"wrk ended with {process.returncode}: {output}")
    found = json.loads(output.splitlines()[-1])
    return Load(
        found["done"] - found["failed"],
        found["micros"] / 1e6,
        found["p50"] / 1e3,
        found["p99"] / 1e3,
        found["failed"],
    )
