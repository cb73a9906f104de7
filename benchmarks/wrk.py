"""Load by wrk, on requests that are signed before.

wrk reads bodies in pieces of 8 KiB and takes HEAD's answers for unfinished: what is large is for ``suite.streams``, what has no body for ``suite.lines``.
"""

from __future__ import annotations

import json
import math
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from attrs import field, frozen

from benchmarks.measure import Gateway

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
        # What a thread of wrk makes, hardly a server takes; the suite says where it did.
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


def signed(server: Gateway, method: str, target: str, body: int = 0) -> Ask:
    """A request with a signature in its headers, as SDKs make it."""
    headers = server.headers(method, target)
    # wrk adds it itself.
    del headers["host"]
    return Ask(method, target, headers, body)


def puts(server: Gateway, count: int = 2000) -> list[Ask]:
    """PUTs of 4 KiB to ``count`` keys of a bucket ``bucket``, in turn."""
    return [
        signed(server, "PUT", f"/bucket/put-{number}", 4096) for number in range(count)
    ]


@frozen
class Busy:
    """What busy clients had.

    :ivar rate: requests a second.
    :ivar cost: seconds of the server's CPU a request, whoever else they were for.
    """

    rate: float
    cost: float


def busy(
    server: Gateway, asks: Sequence[Ask], clients: int = 16, seconds: int = 4
) -> Busy:
    """Load a server.

    :raises RuntimeError: some requests failed.
    """
    cpu = server.cpu
    found = wrk(server.url, asks, clients, seconds)
    if found.failed:
        raise RuntimeError(f"{found.failed} of {found.done} requests failed")
    return Busy(found.done / found.seconds, (server.cpu - cpu) / found.done)
