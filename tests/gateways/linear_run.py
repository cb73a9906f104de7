"""Linearizability over several gateways: ``python -m tests.gateways.linear_run --clients 24 --seconds 60 --troubles 12``.

Puts, conditional puts, gets and deletes of three keys through three gateways on one PostgreSQL, while gateways are killed and frozen, sessions are terminated in mid-commit and the database is restarted and killed;
with ``--database pair`` over a primary and a synchronous standby, which takes over, and with ``--database patroni`` over three nodes of Patroni behind HAProxy.
Each key's history is checked (:mod:`tests.crash.linear`). Ends with 1 when one cannot be explained.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import tempfile
from collections.abc import Sequence
from functools import partial
from typing import Any

from twisted.trial.unittest import SkipTest

from tests.crash.linear_run import unexplained
from tests.crash.test_clock_jumps import ClockedServer
from tests.engines.pair import Pair
from tests.engines.patroni import Patroni
from tests.engines.pgbouncer import PgBouncer
from tests.engines.postgresql import PostgreSQL
from tests.engines.suites import SKIPPED
from tests.gateways.fleet import EAGER, Fleet
from tests.gateways.histories import (
    OF_A_PAIR,
    OF_A_POOLER,
    OF_ONE,
    OF_PATRONI,
    Trouble,
    crowd,
    play,
)

DATABASES = {
    "one": (PostgreSQL, OF_ONE),
    "pair": (Pair, OF_A_PAIR),
    "pgbouncer": (PgBouncer, OF_A_POOLER),
    "patroni": (Patroni, OF_PATRONI),
    "patroni-unproxied": (partial(Patroni, proxied=False), OF_PATRONI),
}
"""What holds the metadata, and what can happen there."""


def main() -> int:
    """Play rounds, each on a database of its own."""
    asked = _arguments()
    # What it has started ends with it, also what is nobody's child.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    server, kinds = DATABASES[asked.database]
    unknown = set(asked.only or ()) - set(kinds)
    if unknown:
        print(f"over {asked.database} there is no {', '.join(sorted(unknown))}")
        return 2
    try:
        database = server()
    except SkipTest as error:
        print(error)
        return SKIPPED
    try:
        for seed in range(asked.seed, asked.seed + asked.rounds):
            chance = random.Random(seed)
            among = asked.only or sorted(kinds)
            named = [chance.choice(among) for _ in range(asked.troubles)]
            print(f"seed {seed}: {', '.join(named)}", flush=True)
            wrong = _round(asked, database, [kinds[each] for each in named], seed)
            if wrong:
                print(*wrong, sep="\n")
                return 1
    finally:
        database.end()
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--gateways", type=int, default=3)
    parser.add_argument("--clients", type=int, default=24)
    parser.add_argument("--keys", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=60.0, help="of a round")
    parser.add_argument("--troubles", type=int, default=12, help="in a round")
    every = sorted({kind for _, kinds in DATABASES.values() for kind in kinds})
    parser.add_argument("--only", choices=every, action="append", help="repeatable")
    parser.add_argument("--database", choices=sorted(DATABASES), default="one")
    parser.add_argument("--engine", choices=("files", "s3"), default="files")
    parser.add_argument("--workers", type=int, default=1, help="of each gateway")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1, help="of the first round")
    return parser.parse_args()


def _round(
    asked: argparse.Namespace, database: Any, troubles: Sequence[Trouble], seed: int
) -> list[str]:
    """Play one, and say what was done; what is wrong with it."""
    settings = (*EAGER, f"ozgate.workers={asked.workers}")
    with tempfile.TemporaryDirectory(prefix="ozgate-fleet-") as folder:
        os.chmod(folder, 0o755)
        made = folder, database, asked.gateways, settings, asked.engine
        fleet = Fleet(*made, ClockedServer)
        try:
            fleet.start()
            fleet.gateways[0].request("PUT", "/bucket")
            clients = crowd(fleet, asked.clients, asked.keys, seed)
            history = play(fleet, clients, asked.seconds, troubles, seed)
            wrong = unexplained(history) + fleet.unexpected()
        finally:
            fleet.kill()
    done = sorted(history.done.items())
    print(", ".join(f"{count} {kind}" for kind, count in done), flush=True)
    return wrong


if __name__ == "__main__":
    sys.exit(main())
