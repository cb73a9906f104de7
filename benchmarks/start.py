"""From the start of the process to the first 200. Run ``python -m benchmarks.start [rounds]``."""

from __future__ import annotations

import os
import statistics
import tempfile
import time

from benchmarks.measure import Gateway, argument, verdict


def main() -> int:
    """Print the figures; 1 when one misses."""
    rounds = int(argument(__doc__, "rounds", 5))
    seconds = []
    with tempfile.TemporaryDirectory(prefix="ozgate-start-") as folder:
        for _ in range(rounds):
            started = time.monotonic()
            server = Gateway(os.path.join(folder, "data"))
            try:
                server.must("GET", "/")
                seconds.append(time.monotonic() - started)
            finally:
                server.stop()
    return (
        0
        if verdict(
            "first 200 after", statistics.median(seconds), 1.5, at_most=True, unit=" s"
        )
        else 1
    )


if __name__ == "__main__":
    raise SystemExit(main())
