"""Histories of many clients of several gateways, while gateways and their database are killed: see :mod:`tests.crash.histories`.

A request without an answer may happen at any later moment, or never: a commit that a dead gateway asked for is the database's to finish. An answer of 500 to what changes something is no answer, either:
the gateway does not know (``Uncertain``). A 500 to a GET is wrong, as is everything else that no server should say.
"""

from __future__ import annotations

import random
import signal
import threading
import time
from collections.abc import Callable, Sequence

from attrs import define, evolve

from tests.crash.histories import Client, History, Request, crowd_of
from tests.crash.linear import GET, Event
from tests.gateways.fleet import Fleet, freeze

Trouble = Callable[[Fleet, random.Random], None]
"""Something that happens to gateways or to their database, and is over when this returns."""

TERMINATE = (
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
    " WHERE usename = 'ozgate' AND datname = '{}' {}"
)


@define
class ManyClient(Client):
    """A client of one of several gateways."""

    def _keep(
        self, key: str, event: Event, answer: tuple[int, dict[str, str], bytes]
    ) -> None:
        if answer[0] == 500 and event.kind != GET:
            self.requests.append(Request(key, evolve(event, answer=None)))
        else:
            Client._keep(self, key, event, answer)

    def _refused(self, answer: tuple[int, dict[str, str], bytes]) -> None:
        if answer[0] == 500:
            # Of the beginning of an upload, or of its part, which nobody sees.
            self.refused += 1
            return
        # With some grace for who is down: who is refused asks at once again.
        time.sleep(0.02)
        Client._refused(self, answer)


def kill_gateway(fleet: Fleet, chance: random.Random) -> None:
    """``kill -9`` of a gateway, which is started again."""
    gateway = chance.choice(fleet.gateways)
    gateway.kill()
    gateway.start()


def terminate_commits(fleet: Fleet, chance: random.Random) -> None:
    """The sessions of all gateways that are in a transaction are terminated, again and again: some of them while they commit."""
    database = fleet.url.partition("?")[0].rpartition("/")[2]
    for _ in range(10):
        busy = "AND (xact_start IS NOT NULL OR query ILIKE 'commit%')"
        fleet.postgresql.execute(TERMINATE.format(database, busy))
        time.sleep(0.02 * chance.random())


def terminate_all(fleet: Fleet, chance: random.Random) -> None:
    """All sessions of all gateways are terminated."""
    database = fleet.url.partition("?")[0].rpartition("/")[2]
    fleet.postgresql.execute(TERMINATE.format(database, ""))


def restart_database(fleet: Fleet, chance: random.Random) -> None:
    """The database is stopped in order and started."""
    fleet.postgresql.restart()


def kill_database(fleet: Fleet, chance: random.Random) -> None:
    """The database crashes, and recovers."""
    fleet.postgresql.kill()
    fleet.postgresql.start()


def freeze_gateway(fleet: Fleet, chance: random.Random) -> None:
    """A gateway stands still for a while, with transactions under way, and goes on."""
    gateway = chance.choice(fleet.gateways)
    freeze(gateway)
    time.sleep(1 + chance.random())
    freeze(gateway, signal.SIGCONT)


TROUBLES: dict[str, Trouble] = {
    "kill": kill_gateway,
    "terminate": terminate_commits,
    "disconnect": terminate_all,
    "restart": restart_database,
    "crash": kill_database,
    "freeze": freeze_gateway,
}


def crowd(fleet: Fleet, clients: int, keys: int, seed: int) -> list[ManyClient]:
    """Clients for a few keys of the bucket, by turns of each gateway."""
    found = crowd_of(ManyClient, fleet.gateways[0], "bucket", clients, keys, seed)
    for number, client in enumerate(found):
        client.server = fleet.gateways[number % len(fleet.gateways)]
    return found


def play(
    fleet: Fleet,
    clients: Sequence[ManyClient],
    seconds: float,
    troubles: Sequence[Trouble],
    seed: int,
) -> History:
    """Have clients at work on a few keys while something happens now and then.

    :param fleet: it runs, and has their bucket, with nothing in it; it runs afterwards.
    :param troubles: in this order, with time between them.
    :param seed: of when and to whom.
    """
    stop, chance = threading.Event(), random.Random(seed)
    threads = [
        threading.Thread(target=client.run, args=(stop,), daemon=True)
        for client in clients
    ]
    for thread in threads:
        thread.start()
    pause = seconds / (len(troubles) + 1)
    try:
        for trouble in troubles:
            time.sleep(pause * (0.75 + chance.random() / 2))
            trouble(fleet, chance)
        time.sleep(pause)
    finally:
        stop.set()
        for thread in threads:
            thread.join(90)
    history = History()
    history.add(clients, [])
    return history
