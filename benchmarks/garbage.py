"""Server memory over 200,000 requests while nothing collects cyclic garbage: what requests leave to the collector stays.

GETs of 4 KiB, listings, objects that are not there, and PUTs. Run ``python -m benchmarks.garbage [requests]``; takes four minutes.
"""

from __future__ import annotations

import os
import sys
import tempfile

from benchmarks.measure import Gateway, Line, argument, verdict

SHARE = 0.1
"""Of the requests, after which memory is looked at first."""
LIMIT = 10
"""MiB that it may grow by then."""


class Uncollected(Gateway):
    """A gateway whose garbage collector is off."""

    command = (sys.executable, "-m", "benchmarks.uncollected")


def work(server: Gateway, count: int) -> None:
    """About so many requests: of 20, 16 GETs, a listing, one that fails, two PUTs."""
    get, listing = (
        Line(server.port, target, server.headers("GET", target))
        for target in ("/bucket/small", "/bucket?list-type=2&prefix=small")
    )
    for turn in range(count // 20):
        get.ask(16)
        listing.ask()
        server.request("GET", "/bucket/none")
        for number in range(2):
            server.must("PUT", f"/bucket/put-{(2 * turn + number) % 100}", b"x" * 4096)
    get.close()
    listing.close()


def main() -> int:
    """Print the figures; 1 when one misses."""
    count = int(argument(__doc__, "requests", 200_000))
    with tempfile.TemporaryDirectory(prefix="ozgate-garbage-") as folder:
        server = Uncollected(os.path.join(folder, "data"))
        try:
            server.must("PUT", "/bucket")
            server.must("PUT", "/bucket/small", os.urandom(4096))
            early = int(count * SHARE)
            steps = [early] + [(count - early) // 4] * 4
            sizes = []
            for step in steps:
                # Signatures are good for 15 minutes: each step makes its own.
                work(server, step)
                sizes.append(server.memory())
                print(f"     {sizes[-1]:.1f} MiB", flush=True)
        finally:
            server.stop()
    what = f"RSS grows from {early:,} to {count:,} requests by"
    grown = sizes[-1] - sizes[0]
    return 0 if verdict(what, grown, LIMIT, at_most=True, unit=" MiB") else 1


if __name__ == "__main__":
    raise SystemExit(main())
