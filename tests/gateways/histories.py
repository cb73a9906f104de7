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
from tests.crash.test_clock_jumps import ClockedServer
from tests.engines.pair import Pair
from tests.engines.patroni import Node, Patroni
from tests.engines.pgbouncer import PgBouncer
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
        if answer[0] == 403 and b"<Code>RequestTimeTooSkewed<" in answer[2]:
            self.refused += 1
        elif answer[0] == 500 and event.kind != GET:
            self.requests.append(Request(key, evolve(event, answer=None)))
        else:
            Client._keep(self, key, event, answer)

    def _refused(self, answer: tuple[int, dict[str, str], bytes]) -> None:
        if answer[0] == 500 or b"<Code>RequestTimeTooSkewed<" in answer[2]:
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
    for _ in range(10):
        busy = "AND (xact_start IS NOT NULL OR query ILIKE 'commit%')"
        fleet.postgresql.execute(TERMINATE.format(_database(fleet), busy))
        time.sleep(0.02 * chance.random())


def terminate_all(fleet: Fleet, chance: random.Random) -> None:
    """All sessions of all gateways are terminated."""
    fleet.postgresql.execute(TERMINATE.format(_database(fleet), ""))


def _database(fleet: Fleet) -> str:
    """The name of the database."""
    return fleet.url.partition("?")[0].rpartition("/")[2]


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


def fail_over(fleet: Fleet, chance: random.Random) -> None:
    """The primary is killed, and its standby takes over."""
    _pair(fleet).fail_over()


def fail_over_frozen(fleet: Fleet, chance: random.Random) -> None:
    """The primary stands still with its connections open, its standby takes over, and the primary is killed."""
    _pair(fleet).fail_over(2 + 6 * chance.random())


def switch_over(fleet: Fleet, chance: random.Random) -> None:
    """The primary stops in order, and its standby takes over."""
    _pair(fleet).switch_over()


def _pair(fleet: Fleet) -> Pair:
    assert isinstance(fleet.postgresql, Pair)
    return fleet.postgresql


def pause_gateway(fleet: Fleet, chance: random.Random) -> None:
    """The gateway that removes bytes stands still for longer than its leases and its transactions last, and goes on."""
    asked = "SELECT owner FROM leases WHERE name LIKE 'reaper %' ORDER BY expires"
    owners = [each for (each,) in fleet.postgresql.execute(asked, _database(fleet))]
    gateway = chance.choice(fleet.gateways)
    for each in fleet.gateways:
        # Who owns a lease has its process id in its name.
        if each.process is not None and f"-{each.process.pid}-" in "".join(owners[-1:]):
            gateway = each
    freeze(gateway)
    time.sleep(65 + 10 * chance.random())
    freeze(gateway, signal.SIGCONT)


def set_clock(fleet: Fleet, chance: random.Random) -> None:
    """The clock of a gateway is set, forward or back, by minutes or by days, and is right again after a while; who asks goes by the right time."""
    gateway = chance.choice(fleet.gateways)
    assert isinstance(gateway, ClockedServer)
    seconds = chance.choice((600.0, -600.0, 172_800.0, -172_800.0))
    gateway.set_clock(seconds, with_clients=False)
    time.sleep(2 + 2 * chance.random())
    gateway.set_clock(0.0)


TROUBLES: dict[str, Trouble] = {
    "kill": kill_gateway,
    "terminate": terminate_commits,
    "disconnect": terminate_all,
    "restart": restart_database,
    "crash": kill_database,
    "freeze": freeze_gateway,
}

OF_ONE: dict[str, Trouble] = {
    **TROUBLES,
    "clock": set_clock,
    "pause": pause_gateway,
}
"""What can happen besides, in a run that has the time."""

OF_A_PAIR: dict[str, Trouble] = {
    **OF_ONE,
    "failover": fail_over,
    "failover-frozen": fail_over_frozen,
    "switchover": switch_over,
}
"""What can happen besides where there is a standby."""


def kill_pooler(fleet: Fleet, chance: random.Random) -> None:
    """PgBouncer is killed, and comes back after a while."""
    pooler = _pooler(fleet)
    pooler.stop_pooler()
    time.sleep(2 * chance.random())
    pooler.start_pooler()


def restart_pooler(fleet: Fleet, chance: random.Random) -> None:
    """PgBouncer stops in order, and is started."""
    pooler = _pooler(fleet)
    pooler.stop_pooler(signal.SIGINT)
    pooler.start_pooler()


def _pooler(fleet: Fleet) -> PgBouncer:
    assert isinstance(fleet.postgresql, PgBouncer)
    return fleet.postgresql


OF_A_POOLER: dict[str, Trouble] = {
    **TROUBLES,
    "pooler-kill": kill_pooler,
    "pooler-restart": restart_pooler,
}
"""What can happen besides where PgBouncer is between."""


def kill_leading_machine(fleet: Fleet, chance: random.Random) -> None:
    """The Patroni that leads and its PostgreSQL are killed at once, and come back when another leads."""
    cluster, leader = _leading(fleet)
    leader.kill()
    cluster.await_leader_but(leader)
    leader.start()
    cluster.await_all()


def kill_leading_postgres(fleet: Fleet, chance: random.Random) -> None:
    """The PostgreSQL that leads is killed; its Patroni starts it again, or another leads."""
    cluster, leader = _leading(fleet)
    leader.kill(patroni=False)
    cluster.await_all()


def kill_leading_patroni(fleet: Fleet, chance: random.Random) -> None:
    """The Patroni that leads is killed, and its PostgreSQL runs on; it comes back when another leads."""
    cluster, leader = _leading(fleet)
    leader.kill(postgres=False)
    cluster.await_leader_but(leader)
    time.sleep(5 * chance.random())
    leader.start()
    cluster.await_all()


def freeze_leading_patroni(fleet: Fleet, chance: random.Random) -> None:
    """The Patroni that leads stands still, and its PostgreSQL does not; it goes on when another leads."""
    cluster, leader = _leading(fleet)
    _freeze_until_another_leads(cluster, leader, chance, leader.patroni())


def freeze_leading_machine(fleet: Fleet, chance: random.Random) -> None:
    """The Patroni that leads and its PostgreSQL stand still, and go on when another leads."""
    cluster, leader = _leading(fleet)
    leader.signal(signal.SIGSTOP, leader.postgres())
    pids = [*leader.postgres(), *leader.patroni()]
    _freeze_until_another_leads(cluster, leader, chance, pids)


def freeze_synchronous_machine(fleet: Fleet, chance: random.Random) -> None:
    """The machine that commits wait for stands still until they wait for another, and the one that leads is killed then."""
    cluster, leader = _leading(fleet)
    [frozen] = [each for each in cluster.nodes if each.says("synchronous")]
    frozen.signal(signal.SIGSTOP, frozen.postgres())
    pids = [*frozen.postgres(), *frozen.patroni()]
    frozen.signal(signal.SIGSTOP, pids)
    cluster.await_synchronous_but(frozen)
    time.sleep(5 * chance.random())
    leader.kill()
    cluster.await_leader_but(leader)
    frozen.signal(signal.SIGCONT, pids)
    leader.start()
    cluster.await_all()


def switch_leader(fleet: Fleet, chance: random.Random) -> None:
    """``patronictl switchover``."""
    cluster, _ = _leading(fleet)
    cluster.switch_over()
    cluster.await_all()


def kill_etcd(fleet: Fleet, chance: random.Random) -> None:
    """The etcd is killed, and comes back: whoever leads cannot be sure of it meanwhile."""
    cluster, _ = _leading(fleet)
    cluster.restart_etcd(25 * chance.random())
    cluster.await_all()


def _freeze_until_another_leads(
    cluster: Patroni, leader: Node, chance: random.Random, pids: Sequence[int]
) -> None:
    leader.signal(signal.SIGSTOP, pids)
    cluster.await_leader_but(leader)
    time.sleep(5 * chance.random())
    leader.signal(signal.SIGCONT, pids)
    cluster.await_all()


def _leading(fleet: Fleet) -> tuple[Patroni, Node]:
    assert isinstance(fleet.postgresql, Patroni)
    return fleet.postgresql, fleet.postgresql.leader()


OF_PATRONI: dict[str, Trouble] = {
    "kill": kill_gateway,
    "machine": kill_leading_machine,
    "postgres": kill_leading_postgres,
    "patroni": kill_leading_patroni,
    "patroni-frozen": freeze_leading_patroni,
    "machine-frozen": freeze_leading_machine,
    "standby-frozen": freeze_synchronous_machine,
    "switchover": switch_leader,
    "etcd": kill_etcd,
}
"""What can happen over nodes of Patroni."""


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
