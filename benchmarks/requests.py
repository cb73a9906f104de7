"""Server CPU per signed request, against a bare Klein ``async`` hello-world in the same run; the slowest against the others.

GET of 4 KiB on keep-alive connections, durable PUT of 4 KiB at 16 clients, interleaved with the
baseline; the 99th percentile of the GETs of one client against their median. Run ``python -m benchmarks.requests [rounds]``; needs wrk.
"""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.measure import (
    Gateway,
    Line,
    argument,
    free_port,
    gateway,
    verdict,
    wait_for_port,
)
from benchmarks.processes import Process

HELLO = """
import sys
from klein import Klein
app = Klein()
@app.route("/")
async def hello(request):
    return b"hello"
app.run("127.0.0.1", int(sys.argv[1]), logFile=open(sys.argv[2], "w"))
"""


def wrk(
    port: int, target: str, *options: str, seconds: int = 4, clients: int = 16
) -> tuple[int, int]:
    """Load a server with some connections; returns requests answered and those that failed."""
    output = subprocess.run(
        ["wrk", "-t1", f"-c{clients}", f"-d{seconds}s", *options, f"http://127.0.0.1:{port}{target}"],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    answered = int(re.search(r"(\d+) requests in", output)[1])  # type: ignore[index]
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)", output)
    return answered, int(failed[1]) if failed else 0


def cost(server: Process, port: int, target: str, *options: str) -> float:
    """Server CPU microseconds per request."""
    before = server.cpu
    answered, failed = wrk(port, target, *options)
    if failed:
        raise RuntimeError(f"{failed} of {answered} requests failed")
    return (server.cpu - before) / answered * 1e6


def signed(server: Gateway, method: str, target: str) -> dict[str, str]:
    """Signed headers but Host, which wrk adds itself."""
    headers = server.headers(method, target)
    del headers["host"]
    return headers


def put_script(server: Gateway, folder: str, count: int = 2000) -> str:
    """A wrk script that PUTs 4 KiB to ``count`` keys in turn, each request signed."""
    lines = ["local requests = {}", 'local body = string.rep("x", 4096)']
    for number in range(count):
        target = f"/bucket/put-{number}"
        headers = ", ".join(
            f'["{name}"]="{value}"'
            for name, value in signed(server, "PUT", target).items()
        )
        lines.append(f'requests[{number + 1}] = {{"{target}", {{{headers}}}}}')
    lines += [
        "local formatted, turn = {}, 0",
        'function init() for i, r in ipairs(requests) do formatted[i] = wrk.format("PUT", r[1], r[2], body) end end',
        f"function request() turn = turn % {count} + 1; return formatted[turn] end",
    ]
    path = Path(folder) / "put.lua"
    path.write_text("\n".join(lines))
    return str(path)


def latencies(server: Gateway, target: str, count: int = 5000) -> tuple[float, float]:
    """The median and the 99th percentile of one client's GETs, in milliseconds."""
    line = Line(server.port, target, server.headers("GET", target))
    taken = []
    for _ in range(count):
        started = time.perf_counter()
        line.ask()
        taken.append((time.perf_counter() - started) * 1000)
    line.close()
    cuts = statistics.quantiles(taken, n=100)
    return cuts[49], cuts[98]


Figures = tuple[float, float, float, float]
"""CPU of hello-world, of a GET and of a PUT in µs; p99 relative to p50 of a GET."""


def measure(server: Gateway, hello: Process, port: int, folder: str) -> Figures:
    """One round."""
    get = [
        option
        for name, value in signed(server, "GET", "/bucket/small").items()
        for option in ("-H", f"{name}: {value}")
    ]
    put = put_script(server, folder)
    figures = (
        cost(hello, port, "/"),
        cost(server, server.port, "/bucket/small", *get),
        cost(server, server.port, "/bucket/x", "-s", put),
    )
    median, tail = latencies(server, "/bucket/small")
    print(f"     GET, one client: p50 {median:.2f} ms, p99 {tail:.2f} ms")
    print(
        "     hello {:.0f} µs, GET {:.0f} µs, PUT {:.0f} µs".format(*figures),
        flush=True,
    )
    return (*figures, tail / median)


def measured(rounds: int) -> Figures:
    """The medians of some rounds, after one that does not count."""
    with (
        tempfile.TemporaryDirectory(prefix="ozgate-wrk-") as folder,
        gateway() as server,
    ):
        server.must("PUT", "/bucket")
        server.must("PUT", "/bucket/small", os.urandom(4096))
        port = free_port()
        hello = Process(
            subprocess.Popen(
                [sys.executable, "-c", HELLO, str(port), f"{folder}/hello.log"]
            )
        )
        try:
            wait_for_port(port, hello.process)
            turns = [measure(server, hello, port, folder) for _ in range(rounds + 1)]
        finally:
            hello.stop()
    hello_us, get_us, put_us, tails = zip(*turns[1:], strict=True)
    return (
        statistics.median(hello_us),
        statistics.median(get_us),
        statistics.median(put_us),
        statistics.median(tails),
    )


def main() -> int:
    """Print the figures; 1 when one misses."""
    hello, get, put, tail = measured(int(argument(__doc__, "rounds", 5)))
    results = [
        verdict(
            "signed GET of 4 KiB, CPU relative to Klein hello-world",
            get / hello,
            1.8,
            at_most=True,
        ),
        verdict(
            "durable PUT of 4 KiB at 16 clients, CPU relative to Klein hello-world",
            put / hello,
            3,
            at_most=True,
        ),
        verdict(
            "signed GET of 4 KiB at one client, p99 relative to p50",
            tail,
            4,
            at_most=True,
        ),
    ]
    return 0 if all(results) else 1


if __name__ == "__main__":
    raise SystemExit(main())
