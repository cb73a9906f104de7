"""Linearizability over several gateways: ``python -m tests.gateways.linear_run --clients 24 --seconds 60 --troubles 12``.

Puts, conditional puts, gets and deletes of three keys through three gateways on one PostgreSQL, while gateways are killed and frozen, sessions are terminated in mid-commit and the database is restarted and killed.
Each key's history is checked (:mod:`tests.crash.linear`). Ends with 1 when one cannot be explained.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile

from tests.crash.linear_run import unexplained
from tests.engines.postgresql import shared
from tests.gateways.fleet import EAGER, Fleet
from tests.gateways.histories import TROUBLES, crowd, play


def main() -> int:
    """Play rounds, each on a database of its own."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--gateways", type=int, default=3)
    parser.add_argument("--clients", type=int, default=24)
    parser.add_argument("--keys", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=60.0, help="of a round")
    parser.add_argument("--troubles", type=int, default=12, help="in a round")
    parser.add_argument("--only", choices=TROUBLES, action="append", help="repeatable")
    parser.add_argument("--engine", choices=("files", "s3"), default="files")
    parser.add_argument("--workers", type=int, default=1, help="of each gateway")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1, help="of the first round")
    asked = parser.parse_args()
    for seed in range(asked.seed, asked.seed + asked.rounds):
        chance = random.Random(seed)
        kinds = asked.only or sorted(TROUBLES)
        named = [chance.choice(kinds) for _ in range(asked.troubles)]
        print(f"seed {seed}: {', '.join(named)}", flush=True)
        settings = (*EAGER, f"ozgate.workers={asked.workers}")
        with tempfile.TemporaryDirectory(prefix="ozgate-fleet-") as folder:
            os.chmod(folder, 0o755)
            fleet = Fleet(folder, shared(), asked.gateways, settings, asked.engine)
            try:
                fleet.start()
                fleet.gateways[0].request("PUT", "/bucket")
                clients = crowd(fleet, asked.clients, asked.keys, seed)
                troubles = [TROUBLES[each] for each in named]
                history = play(fleet, clients, asked.seconds, troubles, seed)
                wrong = unexplained(history) + fleet.unexpected()
            finally:
                fleet.kill()
        done = sorted(history.done.items())
        print(", ".join(f"{count} {kind}" for kind, count in done), flush=True)
        if wrong:
            print(*wrong, sep="\n")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
