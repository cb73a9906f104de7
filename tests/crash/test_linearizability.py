"""Requests of many clients on few keys, with kills in between, are linearizable.

The whole: ``python -m tests.crash.linear_run --clients 100 --seconds 60 --kills 5``.
"""

from __future__ import annotations

import os
import tempfile

from twisted.trial.unittest import SynchronousTestCase

from tests.crash.histories import Client, History, crowd_of, play
from tests.crash.linear import CREATE, DELETE, GET, PUT, REPLACE, Event
from tests.crash.linear_run import SETTINGS, unexplained
from tests.running import Server

SEED = 20261122


class LinearizabilityTests(SynchronousTestCase):
    """A real server, with a reaper that comes all the time."""

    def setUp(self) -> None:
        """A server on empty data with one bucket."""
        folder = tempfile.TemporaryDirectory(prefix="ozgate-linear-")
        self.addCleanup(folder.cleanup)
        self.server = Server(os.path.join(folder.name, "data"), *SETTINGS)
        self.server.start()
        self.addCleanup(lambda: self.server.kill())
        self.assertEqual(self.server.request("PUT", "/bucket")[0], 200)

    def play(self, clients: int, seconds: float, kills: int) -> History:
        """A history of three keys, which can be explained."""
        crowd = crowd_of(Client, self.server, "bucket", clients, 3, SEED)
        history = play(self.server, crowd, seconds, kills, SEED)
        self.assertEqual(unexplained(history), [])
        return history

    def test_kills(self) -> None:
        """Two kills amid twelve clients: every answer is right in some order, and what had none happened or did not."""
        history = self.play(clients=12, seconds=9, kills=2)
        done = history.done
        for kind in ("get 200", "put 200", "create 200", "replace 200", "delete 204"):
            self.assertGreater(done[kind], 0, done)
        for kind in ("get 404", "create 412", "replace 412", "lost"):
            self.assertGreater(done[kind], 0, done)

    def test_lies_are_found(self) -> None:
        """A history that was true and in which one answer is changed cannot be explained any more."""
        history = self.play(clients=4, seconds=2, kills=0)
        (key, events), *_ = sorted(history.events.items())
        end = max(event.ended for event in events)
        last = Event(PUT, end + 1, end + 2, "last", answer=200)
        for lie in (
            Event(GET, end + 3, end + 4, answer=404),
            Event(GET, end + 3, end + 4, answer="another"),
            Event(CREATE, end + 3, end + 4, "new", answer=200),
            Event(REPLACE, end + 3, end + 4, "new", "another", 200),
            Event(DELETE, end + 3, end + 4, answer=204),
        ):
            told = [*events, last, lie]
            if lie.kind == DELETE:
                told.append(Event(GET, end + 5, end + 6, answer="last"))
            history.events[key] = told
            self.assertEqual(len(unexplained(history)), 1, lie)
