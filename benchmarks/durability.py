"""What durability costs: PUT of 4 KiB at 1 and 16 clients, answered strictly and relaxed.

Rounds are interleaved and medians count; beside them, what the disk does at best: one process that
appends 4 KiB and calls fdatasync, again and again. Run ``python -m benchmarks.durability [rounds]``; needs wrk.
"""

from __future__ import annotations

import os
import statistics
import time

from benchmarks.measure import argument, gateway, verdict
from benchmarks.wrk import busy, puts

SECONDS = 3

Rates = dict[tuple[str, int], list[float]]
"""By durability and the number of clients."""


def syncs_per_second(folder: str) -> float:
    """Appends of 4 KiB that the disk makes durable in a second, one after the other."""
    block, count = os.urandom(4096), 0
    fd = os.open(os.path.join(folder, "syncs"), os.O_CREAT | os.O_WRONLY)
    try:
        started = time.monotonic()
        while time.monotonic() < started + SECONDS:
            os.write(fd, block)
            os.fdatasync(fd)
            count += 1
        return count / (time.monotonic() - started)
    finally:
        os.close(fd)
        os.unlink(os.path.join(folder, "syncs"))


def measure(rounds: int) -> tuple[list[float], Rates]:
    """What the disk does in a second, and PUTs answered in a second: a figure for each round."""
    rates: Rates = {}
    disk = []
    with (
        gateway() as strict,
        gateway("-D", "ozgate.durability=relaxed") as relaxed,
    ):
        servers = {"strict": strict, "relaxed": relaxed}
        for server in servers.values():
            server.must("PUT", "/bucket")
        for _ in range(rounds):
            disk.append(syncs_per_second(os.path.dirname(strict.data)))
            for name, server in servers.items():
                for clients in (1, 16):
                    rate = busy(server, puts(server), clients, SECONDS).rate
                    rates.setdefault((name, clients), []).append(rate)
    return disk, rates


def main() -> int:
    """Print the figures; 1 when one misses."""
    disk, rates = measure(int(argument(__doc__, "rounds", 3)))
    print(
        f"     the disk: {statistics.median(disk):.0f} appends of 4 KiB made durable in a second, one after the other"
    )
    for (name, clients), figures in rates.items():
        print(
            f"     PUT of 4 KiB, {name}, {clients} client{'s' * (clients > 1)}: {statistics.median(figures):.0f} a second"
        )
    results = []
    for clients in (1, 16):
        shares = [
            kept / loose
            for kept, loose in zip(
                rates["strict", clients], rates["relaxed", clients], strict=True
            )
        ]
        results.append(
            verdict(
                f"strict PUT relative to relaxed, {clients} client{'s' * (clients > 1)}",
                statistics.median(shares),
                0.1 if clients == 1 else 0.5,
                at_most=False,
            )
        )
    return 0 if all(results) else 1


if __name__ == "__main__":
    raise SystemExit(main())
