"""Requests of many clients through three gateways on few keys are linearizable, whatever is killed meanwhile.

The whole: ``python -m tests.gateways.linear_run --clients 24 --seconds 60 --troubles 12``.
"""

from __future__ import annotations

from tests.crash.histories import History
from tests.crash.linear_run import unexplained
from tests.gateways.fleet import EAGER, FleetCase
from tests.gateways.histories import (
    Trouble,
    crowd,
    kill_database,
    kill_gateway,
    play,
    restart_database,
    terminate_commits,
)

SEED = 20261130


class LinearizabilityTests(FleetCase):
    """Three gateways, whose reapers come all the time."""

    settings = EAGER

    def play(self, *troubles: Trouble) -> History:
        """A history of three keys, which can be explained."""
        clients = crowd(self.fleet, 9, 3, SEED)
        history = play(self.fleet, clients, 6, troubles, SEED)
        self.assertEqual(unexplained(history), [])
        done = history.done
        for kind in ("get 200", "put 200", "create 200", "replace 200", "delete 204"):
            self.assertGreater(done[kind], 0, done)
        return history

    def test_gateways(self) -> None:
        """A gateway is killed, and another; sessions of all are terminated in mid-commit."""
        self.play(kill_gateway, terminate_commits, kill_gateway)

    def test_database(self) -> None:
        """The database is restarted, and then killed: clients are told 503 at most, and everything goes on by itself."""
        history = self.play(restart_database, kill_database)
        self.assertGreater(history.done["refused"], 0, history.done)
