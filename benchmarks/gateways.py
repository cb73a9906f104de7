"""Small objects through gateways over one PostgreSQL: the CPU time of a request, beside that over SQLite, and of four gateways beside that of one.

A PostgreSQL server of the benchmark's own (Debian: ``postgresql``, the extra ``postgresql``) serves all of them. Gateways that are compared are asked by
turns, so that all have the same neighbors, and the median of the turns' ratios is taken: it says about the same where others use the machine, too.
The CPU time of PostgreSQL itself is shown apart. Run ``python -m benchmarks.gateways``, or parts of it, each of which takes about a minute:

- ``put``, ``get``: over PostgreSQL and over SQLite, while nobody else does anything;
- ``between``: likewise a GET, and before each a PUT of another object through another gateway, so that something was committed since the last;
- ``four``: PUTs and GETs through four gateways over one database, and through one that has a database to itself.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from benchmarks.measure import Gateway, verdict
from benchmarks.processes import cpu_of
from tests.engines.postgresql import PostgreSQL

PUT_LIMIT, GET_LIMIT = 2.5, 1.8
"""Times the CPU time over SQLite."""

FOUR_LIMIT = 1.1
"""Times the CPU time of a gateway that is alone."""

TURNS, WARMING, REQUESTS, KEYS = 40, 4, 40, 300
BODY = os.urandom(4096)

SETTLES = 0.001
"""Seconds after a request in which what follows an answer, such as a line of a log, is done."""

PARTS = ("put", "get", "between", "four")

Act = Callable[[Gateway, int], None]


def cpu(server: Gateway) -> float:
    """CPU seconds that the one process of a gateway has used so far, to the nanosecond.

    Source: clock_getcpuclockid(3), and the number that Linux makes of a process for it.
    """
    return time.clock_gettime((~server.pid << 3) | 2)


def put(server: Gateway, number: int) -> None:
    """An object is put over one that is there."""
    server.must("PUT", f"/objects/key-{number % KEYS:06d}", BODY)


def get(server: Gateway, number: int) -> None:
    """An object is read."""
    server.must("GET", f"/objects/key-{number % KEYS:06d}")


class Gateways:
    """A PostgreSQL server, and gateways over it and over SQLite.

    :param stack: ends them all.
    """

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._engine = PostgreSQL()
        stack.callback(self._engine.end)
        self._folder = stack.enter_context(
            tempfile.TemporaryDirectory(prefix="ozgate-gateways-")
        )
        self._number = 0

    @property
    def shared(self) -> float:
        """CPU seconds of PostgreSQL so far, in all its processes."""
        return cpu_of(self._engine.pid)

    def over_sqlite(self) -> Gateway:
        """A gateway as it is by default, with objects in it."""
        return _filled(self._started())

    def over_postgresql(self, count: int) -> list[Gateway]:
        """Gateways over one new database, with objects in it."""
        self._number += 1
        place = Path(self._folder, f"shared{self._number}")
        place.mkdir()
        key = place / "key"
        key.write_text(os.urandom(32).hex())
        key.chmod(0o600)
        options = (
            f"ozgate.metadata={self._engine.database()}",
            f"ozgate.blobs=files:{place}/blobs",
            f"ozgate.master-key={key}",
            "ozone.s3g.webadmin.http-address=127.0.0.1:0",
        )
        made = [self._started(*options) for _ in range(count)]
        _filled(made[0])
        return made

    def _started(self, *options: str) -> Gateway:
        self._number += 1
        given = [word for option in options for word in ("-D", option)]
        made = Gateway(f"{self._folder}/data{self._number}", None, *given)
        self._stack.callback(made.stop)
        return made


def _filled(server: Gateway) -> Gateway:
    server.must("PUT", "/objects")
    for number in range(KEYS):
        put(server, number)
    return server


def spent(server: Gateway, acts: Sequence[Act], others: Act, batch: range) -> float:
    """CPU seconds of a gateway for each of some requests, one right after the other.

    :param others: what somebody else does before each.
    """
    before = cpu(server)
    for number in batch:
        others(server, number + KEYS // 2)
        for act in acts:
            act(server, number)
    time.sleep(SETTLES)
    return (cpu(server) - before) / len(batch) / len(acts)


def by_turns(
    servers: Sequence[Gateway], acts: Sequence[Act], others: Act, batch: int
) -> list[list[float]]:
    """CPU seconds of each gateway, for each request, of each turn.

    :param acts: the requests.
    :param others: as that of :func:`spent`.
    :param batch: how many times a gateway is asked before it is the next one's turn.
    """
    found = []
    # The first turns warm them up.
    for turn in range(-WARMING, TURNS):
        used = [0.0] * len(servers)
        for first in range(0, REQUESTS, batch):
            begin = (turn + WARMING) * REQUESTS + first
            for at, server in enumerate(servers):
                numbers = range(begin, begin + batch)
                used[at] += spent(server, acts, others, numbers) * batch / REQUESTS
        if turn >= 0:
            found.append(used)
    return found


def beside_sqlite(
    made: Gateways, name: str, act: Act, limit: float, is_disturbed: bool = False
) -> bool:
    """A request over PostgreSQL and over SQLite.

    :param is_disturbed: whether another gateway commits before each.
    """
    sqlite = made.over_sqlite()
    server, other = made.over_postgresql(2)

    def others(_: Gateway, number: int) -> None:
        if is_disturbed:
            put(other, number)

    before = made.shared
    found = by_turns((server, sqlite), [act], others, REQUESTS)
    shared = (made.shared - before) / ((TURNS + WARMING) * REQUESTS)
    mine, theirs = (1e6 * median(each) for each in zip(*found, strict=True))
    disturbance = ", two PUTs by another gateway included" if is_disturbed else ""
    print(
        f"     {name}: {mine:.0f} µs of the gateway, {theirs:.0f} µs over SQLite;"
        f" {1e6 * shared:.0f} µs of PostgreSQL{disturbance}"
    )
    ratio = median(mine / theirs for mine, theirs in found)
    what = f"CPU time of a {name} to that over SQLite"
    return verdict(what, ratio, limit, at_most=True, unit="x")


def four(made: Gateways) -> bool:
    """Gateways over one database, and one that has a database to itself."""
    servers = [*made.over_postgresql(1), *made.over_postgresql(4)]
    # By turns of one, so that others have committed between any two requests to one.
    found = by_turns(servers, [put, get], lambda server, number: None, 1)
    results = []
    for at in range(1, len(servers)):
        ratio = median(each[at] / each[0] for each in found)
        name = f"CPU time of a request to gateway {at} of 4 to that of one alone"
        results.append(verdict(name, ratio, FOUR_LIMIT, at_most=True, unit="x"))
    return all(results)


def main() -> int:
    """Print the figures; 1 when one misses."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", metavar="part", help=", ".join(PARTS))
    parts = parser.parse_args().parts or PARTS
    if not set(parts) <= set(PARTS):
        parser.error(f"there are {', '.join(PARTS)}")
    compared: dict[str, Callable[[Gateways], bool]] = {
        "put": lambda made: beside_sqlite(made, "PUT of 4 KiB", put, PUT_LIMIT),
        "get": lambda made: beside_sqlite(made, "GET of 4 KiB", get, GET_LIMIT),
        "between": lambda made: beside_sqlite(
            made, "GET of 4 KiB after a commit", get, GET_LIMIT, is_disturbed=True
        ),
        "four": four,
    }
    results = []
    for part in parts:
        with ExitStack() as stack:
            results.append(compared[part](Gateways(stack)))
    return 0 if all(results) else 1


if __name__ == "__main__":
    raise SystemExit(main())
