"""A metadata store behind PgBouncer, whose server connections change hands with each transaction."""

from __future__ import annotations

import time

from twisted.internet import reactor
from twisted.internet.defer import gatherResults
from twisted.internet.task import deferLater
from twisted.trial.unittest import SkipTest, TestCase

from ozgate.interfaces import IMetadataTransaction
from ozgate.values import Claim
from tests.engines.pgbouncer import PgBouncer
from tests.engines.postgresql import shared

try:
    import psycopg

    from ozgate.metadata.postgresql.connections import Address
    from ozgate.metadata.postgresql.near import PAUSE
    from ozgate.metadata.postgresql.store import PostgreSQLMetadataStore
except ImportError:
    psycopg = None  # type: ignore[assignment]


def add_one(tx: IMetadataTransaction, name: str) -> int:
    """Count in a named value."""
    tx.claim(Claim.setting(name))
    count = int(tx.setting(name) or 0) + 1
    tx.set_setting(name, b"%d" % count)
    return count


def read(tx: IMetadataTransaction, name: str) -> bytes | None:
    """A named value."""
    return tx.setting(name)


class PgBouncerTests(TestCase):
    """Transaction mode: nothing that a session keeps is there in the next transaction."""

    timeout = 60

    async def setUp(self) -> None:
        """Start it over a database of its own, with fewer server connections than the store has threads."""
        if psycopg is None:
            raise SkipTest("psycopg is not installed (the extra postgresql)")
        pooler = PgBouncer(shared(), connections=3)
        self.addCleanup(pooler.end)
        address = pooler.database()
        self.store = PostgreSQLMetadataStore(Address(address), reactor)
        await self.store.prepare()
        await self.store.open()
        self.addCleanup(self.store.close)

    async def test_many(self) -> None:
        """Of many that write at a time each builds on the one before, and who reads finds the last."""
        await gatherResults([self.store.write(add_one, "n") for _ in range(40)])
        found = await gatherResults([self.store.read(read, "n") for _ in range(20)])
        self.assertEqual(set(found), {b"40"})
        self.assertEqual(await self.store.write(add_one, "n"), 41)
        self.assertEqual(await self.store.read(read, "n"), b"41")

    async def test_near(self) -> None:
        """That no connection for the reactor's thread is to be had through a pooler is found out by one, not by one each second."""
        near = self.store._near
        await self.store.read(read, "n")
        while near._is_coming or not near._not_before:
            await deferLater(reactor, 0.01)
        self.assertGreater(near._not_before, time.monotonic() + 2 * PAUSE)
        self.assertIsNone(await self.store.read(read, "n"))
        self.assertFalse(near._is_coming)
