"""Linearizability with a crowd: ``python -m tests.crash.linear_run --clients 100 --seconds 60 --kills 5``.

Puts, conditional puts, gets and deletes of three keys, with ``kill -9`` and restarts in the middle; each key's history is
checked (:mod:`tests.crash.linear`). Ends with 1 when one cannot be explained; its events are printed. With ``--versions`` the bucket
keeps versions and has object lock, and in the end all versions are held against what clients were told (:mod:`tests.crash.version_histories`).
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections import Counter
from random import Random

from tests.crash.histories import Client, History, crowd_of, play
from tests.crash.linear import Undecided, order_of
from tests.crash.version_histories import LOCKING, VersionClient, unkept
from tests.running import Server

SETTINGS = (
    "ozgate.sweep.delay=0s",
    "ozgate.sweep.interval=200ms",
)
"""A reaper that comes all the time and waits for nothing."""


def unexplained(history: History) -> list[str]:
    """The keys whose history is not linearizable, with what is wrong besides."""
    found = list(history.wrong)
    for key, events in sorted(history.events.items()):
        try:
            if order_of(events) is None:
                found.append(f"{key}: {len(events)} events cannot be explained")
        except Undecided as error:
            found.append(f"{key}: {error}")
    return found


def play_versions(
    server: Server,
    bucket: str,
    clients: int,
    keys: int,
    seed: int,
    seconds: float,
    kills: int,
) -> History:
    """A history in a bucket with versions and locks, which is made here; what is wrong with them in the end is part of it."""
    status, _, body = server.request("PUT", f"/{bucket}", LOCKING)
    assert status == 200, body
    crowd = crowd_of(VersionClient, server, bucket, clients, keys, seed)
    history = play(server, crowd, seconds, kills, seed)
    server.kill()
    server.start()
    history.wrong += unkept(server, bucket, crowd, history, Random(seed))
    for client in crowd:
        history.done.update(client.beside)
    history.done["locked"] = sum(each.is_locked for c in crowd for each in c.made)
    return history


def main() -> int:
    """Play rounds, each on data of its own."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--clients", type=int, default=100)
    parser.add_argument("--keys", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=60.0, help="of a round")
    parser.add_argument("--kills", type=int, default=5, help="in a round")
    parser.add_argument("--versions", action="store_true", help="and locks")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1, help="of the first round")
    asked = parser.parse_args()
    done: Counter[str] = Counter()
    for seed in range(asked.seed, asked.seed + asked.rounds):
        with tempfile.TemporaryDirectory(prefix="ozgate-linear-") as folder:
            server = Server(os.path.join(folder, "data"), *SETTINGS)
            server.start()
            try:
                place = server, "bucket", asked.clients, asked.keys, seed
                span = asked.seconds, asked.kills, seed
                if asked.versions:
                    history = play_versions(*place, *span[:-1])
                else:
                    server.request("PUT", "/bucket")
                    history = play(server, crowd_of(Client, *place), *span)
            finally:
                server.kill()
        done.update(history.done)
        wrong = unexplained(history)
        sizes = ", ".join(str(len(each)) for each in history.events.values())
        print(f"seed {seed}: events of each key: {sizes}", flush=True)
        print(", ".join(f"{count} {kind}" for kind, count in sorted(done.items())))
        if wrong:
            print(*wrong, sep="\n")
            for key, events in sorted(history.events.items()):
                if any(line.startswith(f"{key}:") for line in wrong):
                    print(*sorted(events, key=lambda event: event.begun), sep="\n")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
