"""Numbers of transactions, which PostgreSQL gives again after a crash: how a commit without an answer is settled then."""

from __future__ import annotations

from twisted.internet.threads import deferToThread

from tests.contract.test_postgresql_failures import FailureCase, add_one

try:
    from ozgate.metadata.postgresql.connections import Address
    from ozgate.metadata.postgresql.session import Session
    from ozgate.metadata.postgresql.settling import ABORTED, COMMITTED, end_of
    from ozgate.metadata.postgresql.transaction import Transaction
except ImportError:
    # Each test is skipped.
    pass


class NumberTests(FailureCase):
    """A transaction whose commit was not answered."""

    async def test_number_given_again(self) -> None:
        """After a crash the number of a transaction of which nothing is left is given to another: that one's commit is not taken for its own."""
        session = Session(Address(self.url))
        session.open()
        session.begin(Transaction.HOW)
        (xid,) = session.ask("SELECT pg_current_xact_id()::text").fetchone()
        place = session.timeline, session.incarnation, session.address
        self.server.kill()
        self.server.start()
        session.close()
        while self.status_of(xid) != COMMITTED:
            await self.store.write(add_one, "n")
        self.assertEqual(await deferToThread(end_of, xid, *place), "")
        session.open()
        self.assertEqual(session.timeline, place[0])
        self.assertNotEqual(session.incarnation, place[1])
        session.close()

    async def test_number_not_given(self) -> None:
        """A number that nobody was given since a crash is of a transaction that was not committed."""
        session = Session(Address(self.url))
        session.open()
        place = session.timeline, "before", session.address
        session.close()
        end = await deferToThread(end_of, "1000000", *place)
        self.assertEqual(end, ABORTED)

    def status_of(self, xid: str) -> str:
        """What PostgreSQL says of a number."""
        # In text: one of a time to come is an error.
        later = f"SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint > {xid}"
        if not self.server.execute(later, self.name)[0][0]:
            return ""
        return str(
            self.server.execute(f"SELECT pg_xact_status('{xid}')", self.name)[0][0]
        )
