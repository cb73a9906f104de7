"""A standby takes the place of the database while three gateways are asked.

Many times, one after the other: ``python -m tests.gateways.linear_run --database pair --only failover --only failover-frozen --only switchover``.
"""

from __future__ import annotations

from tests.crash.linear_run import unexplained
from tests.engines.pair import Pair
from tests.gateways.fleet import EAGER, FleetCase
from tests.gateways.histories import crowd, fail_over, play

try:
    from ozgate.metadata.postgresql.connections import Address
    from ozgate.metadata.postgresql.session import Session
    from ozgate.metadata.postgresql.settling import end_of
except ImportError:
    # Each test is skipped.
    pass

SEED = 20261201
WARNING = "its standby is asynchronous"


class FailoverTests(FleetCase):
    """A standby that commits wait for."""

    settings = EAGER

    def database(self) -> Pair:
        """A pair of this test's own."""
        self.pair = Pair()
        self.addCleanup(self.pair.end)
        return self.pair

    def test_failover(self) -> None:
        """The primary is killed: requests are refused for a while and go on by themselves, nothing acknowledged is lost, and nothing is made up; of a standby that nobody waits for a start warns."""
        clients = crowd(self.fleet, 9, 3, SEED)
        history = play(self.fleet, clients, 4, [fail_over], SEED)
        self.assertEqual(unexplained(history), [])
        for kind in ("get 200", "put 200", "delete 204", "refused"):
            self.assertGreater(history.done[kind], 0, history.done)
        self.settled_after()
        self.warned()

    def settled_after(self) -> None:
        """A commit whose answer was lost with the old primary is neither told as done nor as not done: the number may be another's by now."""
        session = Session(Address(self.fleet.url))
        session.open()
        self.addCleanup(session.close)
        session.begin("READ WRITE")
        (xid,) = session.ask("SELECT pg_current_xact_id()::text").fetchone()
        self.assertTrue(session.commit())
        place = session.timeline, session.incarnation, session.address
        self.assertEqual(end_of(xid, *place), "committed")
        self.pair.fail_over()
        self.assertEqual(end_of(xid, *place), "")
        session.close()
        session.open()
        self.assertNotEqual(session.timeline, place[0])
        self.assertNotEqual(session.incarnation, place[1])

    def warned(self) -> None:
        """A start says in one line what a failover may lose, where it may; none has said so yet."""
        for each in self.gateways:
            self.assertNotIn(WARNING, each.output())
        self.pair.execute("ALTER SYSTEM SET synchronous_standby_names = ''")
        self.pair.execute("SELECT pg_reload_conf()")
        gateway = self.gateways[0]
        gateway.stop()
        gateway.start()
        said = [each for each in gateway.output().splitlines() if WARNING in each]
        self.assertEqual(len(said), 1, gateway.output())
        self.assertIn("set synchronous_standby_names", said[0])
