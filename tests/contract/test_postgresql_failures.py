"""What a gateway does when its PostgreSQL fails: nothing that was answered is lost, nothing is done twice, and all goes on by itself."""

from __future__ import annotations

import atexit
import time
from functools import cache, partial
from threading import Event as ThreadingEvent
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred, DeferredList, gatherResults
from twisted.trial.unittest import SkipTest, TestCase

from ozgate.errors import Unavailable
from ozgate.interfaces import IMetadataTransaction
from ozgate.values import Claim
from tests.engines.postgresql import PostgreSQL

try:
    import psycopg

    from ozgate.metadata.postgresql import near, pool
    from ozgate.metadata.postgresql.connections import Address
    from ozgate.metadata.postgresql.store import PostgreSQLMetadataStore
except ImportError:
    PostgreSQLMetadataStore = None  # type: ignore[assignment,misc]

SHORT = 0.3
"""Seconds of a deadline that is to pass."""


@cache
def server() -> PostgreSQL:
    """One that these tests may stop and kill; it dies with this process."""
    if PostgreSQLMetadataStore is None:
        raise SkipTest("psycopg is not installed (the extra postgresql)")
    made = PostgreSQL()
    atexit.register(made.end)
    return made


def add_one(tx: IMetadataTransaction, name: str) -> int:
    """Count in a named value."""
    tx.claim(Claim.setting(name))
    count = count_of(tx, name) + 1
    tx.set_setting(name, b"%d" % count)
    return count


def count_of(tx: IMetadataTransaction, name: str) -> int:
    """What was counted."""
    return int(tx.setting(name) or 0)


def sleep(tx: Any, seconds: float) -> None:
    """Have the server take its time."""
    tx._execute("SELECT pg_sleep($1)", (seconds,)).fetchone()


def add_crossed(tx: IMetadataTransaction, first: str, then: str) -> None:
    """Count in two named values, which are claimed one after the other."""
    add_one(tx, first)
    sleep(tx, 0.1)
    add_one(tx, then)


class FailureCase(TestCase):
    """A store over a database of its own."""

    timeout = 60

    async def setUp(self) -> None:
        """Open it."""
        self.server = server()
        self.url = self.server.database()
        self.name = self.url.partition("?")[0].rpartition("/")[2]
        self.store = await self.opened(Address(self.url))

    async def opened(self, address: Address) -> Any:
        """A store that is open."""
        store = PostgreSQLMetadataStore(address, reactor)
        await store.prepare()
        await store.open()
        self.addCleanup(store.close)
        return store

    async def refused(self, work: Deferred[Any], *said: str) -> None:
        """Hold a failure against what its one line has to say."""
        error = await self.assertFailure(work, Unavailable)
        for each in said:
            self.assertIn(each, str(error))
        self.assertNotIn("\n", str(error))


class ServerTests(FailureCase):
    """Servers that restart, crash, are full, slow or frozen."""

    async def test_restarted(self) -> None:
        """After a restart reads and writes go on, and nobody is told of it."""
        self.assertEqual(await self.store.write(add_one, "n"), 1)
        self.assertEqual(await self.store.read(count_of, "n"), 1)
        self.server.restart()
        self.assertEqual(await self.store.read(count_of, "n"), 1)
        self.assertEqual(await self.store.write(add_one, "n"), 2)

    async def test_killed(self) -> None:
        """While it is gone all is unavailable; when it is back, what was answered is there."""
        self.assertEqual(await self.store.write(add_one, "n"), 1)
        self.server.kill()
        try:
            await self.refused(self.store.write(add_one, "n"), "127.0.0.1")
            await self.refused(self.store.read(count_of, "n"), "127.0.0.1")
        finally:
            self.server.start()
        self.assertEqual(await self.store.read(count_of, "n"), 1)
        self.assertEqual(await self.store.write(add_one, "n"), 2)

    async def test_terminated(self) -> None:
        """An administrator who ends all sessions in mid-transaction has interactions run anew; each is done once."""
        writes = [self.store.write(_add_slowly, "n") for _ in range(8)]
        for _ in range(3):
            await self.store.read(sleep, 0.05)
            self.server.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                f" WHERE datname = '{self.name}' AND query NOT LIKE '%sleep%'"
            )
        outcomes = await DeferredList(writes, consumeErrors=True)
        done = sum(succeeded for succeeded, _ in outcomes)
        for succeeded, value in outcomes:
            if not succeeded:
                value.trap(Unavailable)
        self.assertEqual(await self.store.read(count_of, "n"), done)

    async def test_statement_too_slow(self) -> None:
        """A statement that takes too long is given up, for a read and a write, and its connection goes on."""
        store = await self.opened(Address(self.url, statement=SHORT))
        await self.refused(store.write(sleep, 30.0), "57014")
        await self.refused(store.read(sleep, 30.0), "57014")
        self.assertEqual(await store.write(add_one, "n"), 1)

    async def test_lock_too_slow(self) -> None:
        """Who waits too long for a claim is told so, and who has it goes on."""
        store = await self.opened(Address(self.url, lock=SHORT))
        has, done = Event(), ThreadingEvent()
        holding = self.store.write(_hold, "n", has, done)
        await has.came
        try:
            await self.refused(store.write(add_one, "n"), "55P03")
        finally:
            done.set()
        await holding
        self.assertEqual(await store.write(add_one, "n"), 2)

    async def test_no_connection_left(self) -> None:
        """Where the server takes no more connections all is unavailable, until it does again."""
        self.server.execute("ALTER ROLE ozgate CONNECTION LIMIT 0")
        try:
            await self.refused(self.store.write(add_one, "n"), "too many connections")
        finally:
            self.server.execute("ALTER ROLE ozgate CONNECTION LIMIT -1")
        self.assertEqual(await self.store.write(add_one, "n"), 1)

    async def test_few_connections_left(self) -> None:
        """Where the server gives some, and not as many as are wanted, those do all; nobody is told of it."""
        self.assertEqual(await self.store.write(add_one, "n"), 1)
        self.server.execute("ALTER ROLE ozgate CONNECTION LIMIT 1")
        try:
            found = await gatherResults(
                [self.store.write(_add_slowly, "n") for _ in range(8)]
            )
        finally:
            self.server.execute("ALTER ROLE ozgate CONNECTION LIMIT -1")
        self.assertEqual(sorted(found), list(range(2, 10)))

    async def test_read_only(self) -> None:
        """While it takes no writes, as one that was demoted, all is unavailable."""
        self.assertEqual(await self.store.write(add_one, "n"), 1)
        setting = f"ALTER DATABASE {self.name} SET default_transaction_read_only"
        self.server.execute(f"{setting} = on")
        self.server.execute(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{self.name}'"
        )
        await self.refused(self.store.write(add_one, "n"), "read-only")
        await self.refused(self.store.read(count_of, "n"), "read-only")
        self.server.execute(f"{setting} = off")
        self.assertEqual(await self.store.write(add_one, "n"), 2)

    async def test_forbidden(self) -> None:
        """While the role lacks a right, what needs it is unavailable; its connections go on."""
        self.server.execute("REVOKE ALL ON settings FROM ozgate", self.name)
        await self.refused(self.store.write(add_one, "n"), "42501")
        await self.refused(self.store.read(count_of, "n"), "42501")
        self.server.execute("GRANT ALL ON settings TO ozgate", self.name)
        self.assertEqual(await self.store.write(add_one, "n"), 1)

    async def test_locked(self) -> None:
        """A table that an administrator locks is waited for as long as any lock, by who writes and who reads."""
        store = await self.opened(Address(self.url, lock=SHORT))
        with psycopg.connect(self.url) as other:
            other.execute("LOCK TABLE settings IN ACCESS EXCLUSIVE MODE")
            await self.refused(store.write(add_one, "n"), "55P03")
            await self.refused(store.read(count_of, "n"), "55P03")
        self.assertEqual(await store.write(add_one, "n"), 1)

    async def test_locked_for_many(self) -> None:
        """Of many who wait for it one after the other, the last do not wait for as long as all others together."""
        address = Address(self.url, statement=2 * SHORT, lock=SHORT)
        store = PostgreSQLMetadataStore(address, reactor, readers=1)
        await store.open()
        self.addCleanup(store.close)
        runs: list[None] = []
        with psycopg.connect(self.url) as other:
            other.execute("LOCK TABLE settings IN ACCESS EXCLUSIVE MODE")
            reads = [store.read(_look, "n", runs) for _ in range(12)]
            for each in reads:
                await self.refused(each)
        self.assertLess(len(runs), len(reads))

    async def test_frozen(self) -> None:
        """A server that says nothing at all is waited for no longer than a statement may take."""
        self.patch(pool, "MARGIN", SHORT)
        store = await self.opened(Address(self.url, statement=SHORT))
        self.assertEqual(await store.write(add_one, "n"), 1)
        self.server.freeze()
        try:
            await self.refused(store.write(add_one, "n"))
        finally:
            self.server.thaw()
        self.assertEqual(await store.read(count_of, "n"), 1)

    async def test_no_thread(self) -> None:
        """Where no thread is to be had all is unavailable, until there is one; none of their places is lost."""
        store = await self.opened(Address(self.url))
        patched = [self.patch(each, "Thread", _never) for each in (pool, near)]
        await self.refused(store.write(add_one, "n"), "no thread")
        await self.refused(store.read(count_of, "n"), "no thread")
        for each in patched:
            each.restore()
        self.assertEqual(await store.write(add_one, "n"), 1)
        await store.close()

    async def test_there_already(self) -> None:
        """An interaction that makes what is there already is run anew in case that others did that, and no more often than that takes."""
        runs: list[None] = []
        await self.store.write(add_one, "n")
        await self.refused(self.store.write(_make_twice, "n", runs), "23505")
        self.assertEqual(len(runs), 3)

    async def test_time_noted(self) -> None:
        """Who notes an earlier time than others did meanwhile leaves theirs."""
        later = PostgreSQLMetadataStore(
            Address(self.url), reactor, lambda: time.time() + 3600
        )
        await later.open()
        self.addCleanup(later.close)
        has, done = Event(), ThreadingEvent()
        earlier = self.store.write(_hold, "n", has, done)
        await has.came
        noted = await later.write(_now)
        done.set()
        await earlier
        self.assertEqual(
            self.server.execute("SELECT last_value FROM time_noted", self.name),
            [(noted,)],
        )

    async def test_crossed(self) -> None:
        """Of two that wait for each other PostgreSQL ends one, which is run anew."""
        await gatherResults(
            [
                self.store.write(add_crossed, "a", "b"),
                self.store.write(add_crossed, "b", "a"),
            ]
        )
        self.assertEqual(await self.store.read(count_of, "a"), 2)
        self.assertEqual(await self.store.read(count_of, "b"), 2)


def _add_slowly(tx: IMetadataTransaction, name: str) -> int:
    count = add_one(tx, name)
    tx.setting(name)
    return count


class Event:
    """Something that happens in another thread.

    :ivar came: fires with it.
    """

    def __init__(self) -> None:
        self.came: Deferred[None] = Deferred()

    def set(self) -> None:
        """It has happened."""
        reactor.callFromThread(self.came.callback, None)


def _never(**_: object) -> None:
    raise RuntimeError("can't start new thread")


def _make_twice(tx: Any, name: str, runs: list[None]) -> None:
    runs.append(None)
    tx._execute("INSERT INTO settings VALUES ($1, '')", (name,)).fetchall()


def _look(tx: IMetadataTransaction, name: str, runs: list[None]) -> int:
    runs.append(None)
    return count_of(tx, name)


def _now(tx: IMetadataTransaction) -> int:
    return tx.now()


def _hold(tx: IMetadataTransaction, name: str, has: Event, done: Any) -> None:
    """Count, having claimed that for as long as somebody wants it, at a time that was asked for before."""
    add_one(tx, name)
    tx.now()
    has.set()
    done.wait(30)


class StartTests(FailureCase):
    """What a start refuses, in one line."""

    def prepare(self, url: str = "") -> Deferred[None]:
        """Prepare a database."""
        return PostgreSQLMetadataStore(Address(url or self.url), reactor).prepare()

    async def test_unsafe(self) -> None:
        """A server that may lose commits is refused."""
        self.server.execute(f"ALTER DATABASE {self.name} SET synchronous_commit = off")
        await self.refused(self.prepare(), "synchronous_commit is off", "set it to on")

    async def test_read_only(self) -> None:
        """So is a database that takes no writes."""
        self.server.execute(
            f"ALTER DATABASE {self.name} SET default_transaction_read_only = on"
        )
        await self.refused(self.prepare(), "read-only", "default_transaction_read_only")

    async def test_newer(self) -> None:
        """So is a schema that a newer ozgate made, and needs to be newer."""
        self.server.execute("UPDATE ozgate_schema SET version = 99", self.name)
        await self.prepare()
        self.server.execute("UPDATE ozgate_schema SET oldest = 99", self.name)
        await self.refused(self.prepare(), "schema 99", "newer ozgate")

    async def test_foreign(self) -> None:
        """So is a database of another program."""
        url = self.server.database()
        name = url.partition("?")[0].rpartition("/")[2]
        self.server.execute("CREATE TABLE public.other (number integer)", name)
        await self.refused(self.prepare(url), "another program")

    async def test_not_its_own(self) -> None:
        """So is a database in which the role may make nothing."""
        self.server.execute("CREATE DATABASE postgres_own")
        # As it is from PostgreSQL 15 on.
        closed = "REVOKE CREATE ON SCHEMA public FROM PUBLIC"
        self.server.execute(closed, "postgres_own")
        url = self.url.replace(self.name, "postgres_own")
        await self.refused(self.prepare(url), "42501", "has to own the database")

    async def test_not_there(self) -> None:
        """So is one that is not there, or nobody's to use."""
        url = self.url.replace(self.name, "never")
        await self.refused(self.prepare(url), '"never" does not exist')
        url = self.url.partition("?")[0] + "?passfile=/nonexistent"
        await self.refused(self.prepare(url), self.name, "ozgate.postgresql.password")

    def test_password_in_url(self) -> None:
        """So is a password where logs would show it, without saying it."""
        for url in (
            "postgresql://me:s3cr3t@db/ozgate",
            "postgresql://me@db/ozgate?password=s3cr3t",
        ):
            make = partial(PostgreSQLMetadataStore, Address(url), reactor)
            error = self.assertRaises(Unavailable, make)
            self.assertIn("ozgate.postgresql.password-file", str(error))
            self.assertNotIn("s3cr3t", str(error))

    async def test_prepared_by_many(self) -> None:
        """Of many gateways that start at a time each finds the schema made, by one of them."""
        url = self.server.database()
        await gatherResults([self.prepare(url) for _ in range(5)])
