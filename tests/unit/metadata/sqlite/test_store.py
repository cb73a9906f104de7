"""The SQLite provider: its files, its schema, how it reads."""

# ruff: noqa: ASYNC230, ASYNC240
# Nothing else waits while a test looks at its files.

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.trial.unittest import SkipTest, TestCase

from ozgate.errors import Damaged, Unavailable
from ozgate.interfaces import IMetadataTransaction
from ozgate.metadata.sqlite import schema, uploads, versions
from ozgate.metadata.sqlite.store import SQLiteMetadataStore
from ozgate.testing.metadata_events import EVENT
from ozgate.values import Bucket, Content, ObjectVersion, Process, Volume
from tests.started import started

NOBODY = 65534


def add_bucket(tx: IMetadataTransaction) -> Bucket:
    """A volume and a bucket in it."""
    tx.add_volume(Volume("s3v", "owner", tx.now()))
    return tx.add_bucket(Bucket("s3v", "bucket", "owner", tx.now()))


def put(
    tx: IMetadataTransaction, bucket: Bucket, key: str, body: bytes = b"body"
) -> int:
    """Add an object; its sequence number."""
    version = ObjectVersion(key, tx.next_sequence(), tx.now(), len(body))
    tx.add_version(bucket, version, Content(body))
    return version.sequence


def note(tx: IMetadataTransaction) -> int:
    """Add an event; its sequence number."""
    tx.note_event(EVENT)
    return tx.events(0, 1)[0].sequence


def content_of(tx: IMetadataTransaction, bucket: Bucket, key: str) -> Content:
    """Where the bytes of an object are."""
    version = tx.latest(bucket, key)
    assert version is not None
    return tx.content(bucket, version)


class SQLiteTests(TestCase):
    """A database of its own for each test."""

    def setUp(self) -> None:
        """Choose a place."""
        self.path = self.mktemp()

    async def opened(self) -> SQLiteMetadataStore:
        """A store that is open."""
        store = SQLiteMetadataStore(self.path, reactor)
        await started(store)
        self.addCleanup(store.close)
        return store

    async def refusal(self) -> str:
        """Why the store cannot be opened."""
        store = SQLiteMetadataStore(self.path, reactor)
        error = await self.assertFailure(started(store), Unavailable)
        self.assertNotIn("\n", str(error))
        self.assertIn(self.path, str(error))
        return str(error)

    def sql(self, statement: str) -> list[Any]:
        """What a statement gives, on a connection of its own."""
        with closing(sqlite3.connect(self.path)) as connection, connection:
            return connection.execute(statement).fetchall()


class FileTests(SQLiteTests):
    """What is on disk."""

    async def test_persistence(self) -> None:
        """What was written is there when the database is opened again, and numbers go on."""
        store = await self.opened()
        bucket = await store.write(add_bucket)
        first = await store.write(put, bucket, "key")
        await store.close()
        store = await self.opened()
        found = await store.read(lambda tx: tx.latest(bucket, "key"))
        self.assertEqual(found.sequence, first)
        self.assertGreater(await store.write(put, bucket, "other"), first)

    async def test_sequence_after_a_crash(self) -> None:
        """After a stop that was no close, numbers handed out before are not handed out again."""
        store = await self.opened()
        bucket = await store.write(add_bucket)
        last = await store.write(put, bucket, "key")
        copy = self.mktemp()
        for suffix in ("", "-wal"):
            Path(copy + suffix).write_bytes(Path(self.path + suffix).read_bytes())
        self.path = copy
        crashed = await self.opened()
        self.assertGreater(await crashed.write(put, bucket, "other"), last)

    async def test_lost_counter(self) -> None:
        """When a bit flips in the name of the counter of numbers, none is handed out again, not those of objects without bytes either."""
        for name in ("'sequencf'", "CAST(x'f3657175656e6365' AS TEXT)"):
            self.path = self.mktemp()
            store = await self.opened()
            bucket = await store.write(add_bucket)
            last = await store.write(put, bucket, "empty", b"")
            await store.close()
            self.sql(f"UPDATE counters SET name = {name} WHERE name = 'sequence'")
            store = await self.opened()
            self.assertGreater(await store.write(put, bucket, "new"), last)
            self.assertEqual(
                await store.read(content_of, bucket, "empty"), Content(b"")
            )

    async def test_lost_counter_of_events(self) -> None:
        """Nor is the number of an event that is the last thing there is."""
        store = await self.opened()
        bucket = await store.write(add_bucket)
        last = await store.write(note)
        await store.close()
        self.sql("UPDATE counters SET name = 'other' WHERE name = 'sequence'")
        store = await self.opened()
        self.assertGreater(await store.write(put, bucket, "new"), last)

    async def test_damaged_processes(self) -> None:
        """A row of a process that is damaged is in the way of nothing: its process is not there, and stores itself anew."""
        store = await self.opened()
        for damage in (
            "UPDATE processes SET id = CAST(x'686f73ff' AS TEXT)",
            "UPDATE processes SET id = ''",
            "UPDATE processes SET since = 'x', noted_until = x'ff'",
        ):
            await store.write(lambda tx: tx.put_process(Process("host", 1)))
            self.sql(damage)
            found = await store.read(lambda tx: tx.processes())
            self.assertIn([each.id for each in found], ([], ["host"]), damage)
            self.assertTrue(all(isinstance(each.since, int) for each in found))
            self.sql("DELETE FROM processes")

    async def test_not_prepared(self) -> None:
        """Who only opens a database makes none, and brings none up to date."""
        store = SQLiteMetadataStore(self.path, reactor)
        await self.assertFailure(store.open(), Unavailable)
        self.assertFalse(os.path.exists(self.path))
        store = await self.opened()
        await store.close()
        self.sql("PRAGMA user_version = 4")
        store = SQLiteMetadataStore(self.path, reactor)
        error = await self.assertFailure(store.open(), Unavailable)
        self.assertIn("not prepared", str(error))
        self.assertEqual(self.sql("PRAGMA user_version"), [(4,)])

    async def test_open_beside(self) -> None:
        """Who opens a database beside another leaves its log as it is, and the other goes on when it has closed."""
        store = await self.opened()
        bucket = await store.write(add_bucket)
        await store.write(put, bucket, "key")
        log = Path(f"{self.path}-wal").read_bytes()
        self.assertGreater(len(log), 0)
        other = SQLiteMetadataStore(self.path, reactor)
        await other.open()
        self.assertEqual(Path(f"{self.path}-wal").read_bytes(), log)
        self.assertEqual(await other.read(content_of, bucket, "key"), Content(b"body"))
        await other.close()
        await store.write(put, bucket, "other")
        self.assertEqual(await store.read(content_of, bucket, "key"), Content(b"body"))

    async def test_one_file_after_close(self) -> None:
        """A closed database is one file, without a log beside it."""
        store = await self.opened()
        await store.write(add_bucket)
        await store.close()
        folder, name = os.path.split(os.path.abspath(self.path))
        self.assertEqual([n for n in os.listdir(folder) if n.startswith(name)], [name])

    async def test_close_twice(self) -> None:
        """Closing again does nothing."""
        store = await self.opened()
        await store.close()
        await store.close()

    async def test_integrity(self) -> None:
        """SQLite finds nothing wrong with the tables and their indexes."""
        store = await self.opened()
        bucket = await store.write(add_bucket)
        for number in range(50):
            await store.write(put, bucket, f"{number}")
        await store.close()
        self.assertEqual(self.sql("PRAGMA integrity_check"), [("ok",)])
        self.assertEqual(self.sql("PRAGMA foreign_key_check"), [])

    async def test_durability_settings(self) -> None:
        """The log is written ahead, and synced at every commit."""
        store = await self.opened()
        settings = await store.write(
            lambda tx: [
                tx._connection.execute(f"PRAGMA {name}").fetchone()[0]
                for name in ("journal_mode", "synchronous", "foreign_keys")
            ]
        )
        self.assertEqual(settings, ["wal", 2, 1])

    async def test_log_is_bounded(self) -> None:
        """The log does not grow with the number of commits."""
        store = await self.opened()
        bucket = await store.write(add_bucket)
        body = Content(b"x" * 16000)

        def add(tx: IMetadataTransaction, number: int) -> None:
            for turn in range(100):
                sequence = tx.next_sequence()
                version = ObjectVersion(f"{number}-{turn}", sequence, 1, 16000)
                tx.add_version(bucket, version, body)

        for number in range(30):
            await store.write(add, number)
        self.assertGreater(os.path.getsize(self.path), 30 << 20)
        self.assertLess(os.path.getsize(self.path + "-wal"), 24 << 20)


class OpeningTests(SQLiteTests):
    """What is refused, and how."""

    async def test_newer_schema(self) -> None:
        """A schema newer than the code is refused in one line, and left as it is."""
        store = await self.opened()
        await store.close()
        newer = schema.SCHEMA_VERSION + 1
        self.sql(f"PRAGMA user_version = {newer}")
        before = Path(self.path).read_bytes()
        self.assertIn(f"schema {newer}", await self.refusal())
        self.assertEqual(Path(self.path).read_bytes(), before)

    async def test_schema_is_migrated_once(self) -> None:
        """sqlite-utils notes each migration, and none is applied again."""
        for _ in range(2):
            store = await self.opened()
            await store.close()
        names = self.sql("SELECT name FROM _sqlite_migrations")
        expected = [(migration.__name__,) for migration in schema.MIGRATIONS]
        self.assertEqual(names, expected)
        self.assertEqual(self.sql("PRAGMA user_version"), [(schema.SCHEMA_VERSION,)])

    async def test_half_made_schema(self) -> None:
        """A migration that failed leaves nothing, and the next start makes it whole."""

        def broken(db: Any) -> None:
            schema.m001_tables(db)
            raise sqlite3.OperationalError("the power went")

        whole = schema.MIGRATIONS
        self.patch(schema, "MIGRATIONS", (broken,))
        self.assertIn("the power went", await self.refusal())
        self.assertEqual(
            self.sql("SELECT name FROM sqlite_master WHERE name = 'versions'"), []
        )
        self.patch(schema, "MIGRATIONS", whole)
        store = await self.opened()
        await store.write(add_bucket)

    async def test_foreign_database(self) -> None:
        """The database of another program is refused, and left as it is."""
        self.sql("CREATE TABLE buckets (anything)")
        self.assertIn("another program", await self.refusal())
        self.assertEqual(self.sql("PRAGMA journal_mode"), [("delete",)])

    async def test_no_database(self) -> None:
        """A file that is no database is refused."""
        Path(self.path).write_bytes(b"Not a database at all. " * 100)
        self.assertIn("not a database", await self.refusal())

    async def test_no_folder(self) -> None:
        """A folder that is not there is named."""
        self.path = os.path.join(self.path, "nowhere", "metadata.db")
        self.assertIn("there is no folder", await self.refusal())

    async def test_read_only_folder(self) -> None:
        """A folder that cannot be written is refused in words that say so."""
        os.mkdir(self.path, 0o555)
        os.chmod(os.path.dirname(self.path), 0o755)
        folder = os.path.abspath(self.path)
        self.path = os.path.join(folder, "metadata.db")
        if os.geteuid() == 0:
            os.seteuid(NOBODY)
            self.addCleanup(os.seteuid, 0)
            if not os.access(folder, os.R_OK | os.X_OK, effective_ids=True):
                raise SkipTest("nobody cannot reach the folder of the tests")
        self.assertIn("not writable", await self.refusal())

    async def test_not_open(self) -> None:
        """A store that is not open refuses to read and write."""
        store = SQLiteMetadataStore(self.path, reactor)
        await self.assertFailure(store.read(lambda tx: None), Unavailable)
        await self.assertFailure(store.write(lambda tx: None), Unavailable)

    async def test_damaged(self) -> None:
        """A page that is overwritten is told as damage, not as an absent object."""
        store = await self.opened()
        bucket = await store.write(add_bucket)
        for number in range(200):
            await store.write(put, bucket, f"{number:0200}")
        await store.close()
        size = os.path.getsize(self.path)
        with open(self.path, "r+b") as file:
            file.seek(4096 * 2)
            file.write(b"\xa5" * (size - 4096 * 2))
        with self.assertRaises((Damaged, Unavailable)):
            store = await self.opened()
            await store.read(lambda tx: tx.page(bucket, "", "", "", 1000))


class ReadingTests(SQLiteTests):
    """Reads: at once, without leaving anything open, along the indexes."""

    async def test_fires_at_once(self) -> None:
        """A read has fired when it returns."""
        store = await self.opened()
        self.assertEqual(self.successResultOf(store.read(lambda tx: 1)), 1)

    async def test_no_snapshot_is_left(self) -> None:
        """After reads, also those that stop in mid-page or fail, the log can be emptied."""
        store = await self.opened()
        bucket = await store.write(add_bucket)
        for number in range(30):
            await store.write(put, bucket, f"{number:02}/x")

        def fail(tx: IMetadataTransaction) -> None:
            tx.page(bucket, "", "", "/", 3)
            raise KeyError()

        await store.read(lambda tx: tx.page(bucket, "", "", "", 3))
        await store.read(lambda tx: tx.page(bucket, "", "", "/", 3))
        await store.read(lambda tx: tx.version_page(bucket, "", "", "", "/", 3))
        await self.assertFailure(store.read(fail), KeyError)
        busy, log, moved = self.sql("PRAGMA wal_checkpoint(TRUNCATE)")[0]
        self.assertEqual((busy, log, moved), (0, 0, 0))

    async def test_one_snapshot(self) -> None:
        """All statements of one reading interaction see the same state."""
        store = await self.opened()
        bucket = await store.write(add_bucket)

        def interaction(tx: IMetadataTransaction) -> tuple[bool, bool]:
            before = tx.setting("id")
            with closing(sqlite3.connect(self.path)) as other, other:
                other.execute("INSERT INTO settings VALUES ('id', x'01')")
            return before is None, tx.setting("id") is None

        self.assertEqual(await store.read(interaction), (True, True))
        self.assertEqual(await store.read(lambda tx: tx.setting("id")), b"\x01")
        self.assertTrue(await store.read(lambda tx: tx.is_empty(bucket)))

    async def test_plans(self) -> None:
        """Every hot statement seeks in an index, and none sorts or walks a table."""
        store = await self.opened()
        await store.close()
        for statement in (
            versions.LATEST,
            versions.NAMED,
            versions.PAGE,
            versions.VERSION_PAGE,
            versions.OLDER_VERSIONS,
            uploads.PAGE,
            uploads.LATER_UPLOADS,
            uploads.PARTS_OF,
            uploads.BARE_PARTS,
        ):
            plan = self.sql(f"EXPLAIN QUERY PLAN {statement.replace('?', '1')}")
            details = [row[-1] for row in plan]
            for detail in details:
                self.assertTrue(detail.startswith("SEARCH "), (statement, details))
        plan = self.sql(f"EXPLAIN QUERY PLAN {versions.PAGE.replace('?', '1')}")
        self.assertIn("USING COVERING INDEX current_versions", plan[0][-1])

    async def test_cost_of_what_is_hidden(self) -> None:
        """A page walks neither old versions, nor delete markers, nor what is rolled up."""
        store = await self.opened()
        bucket = await store.write(add_bucket)

        def add(tx: IMetadataTransaction) -> None:
            for number in range(2000):
                for key, marker in (("a", False), (f"b{number}", True)):
                    sequence = tx.next_sequence()
                    version = ObjectVersion(
                        key,
                        sequence,
                        1,
                        version_id=f"v{sequence}",
                        is_delete_marker=marker,
                    )
                    tx.add_version(bucket, version, Content(b""))
                put(tx, bucket, f"c/{number}")
            put(tx, bucket, "d")

        await store.write(add)
        steps = 0

        def count() -> int:
            nonlocal steps
            steps += 1
            return 0

        def page(tx: Any) -> Any:
            tx._connection.set_progress_handler(count, 10)
            try:
                return tx.page(bucket, "", "", "/", 10)
            finally:
                tx._connection.set_progress_handler(None, 0)

        found = await store.read(page)
        self.assertEqual([item.key for item in found.items], ["a", "d"])
        self.assertEqual(found.common_prefixes, ("c/",))
        self.assertLess(steps, 50)
