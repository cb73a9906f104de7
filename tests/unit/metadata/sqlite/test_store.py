"""The SQLite provider: its files, and what is in them when they are opened again."""

# ruff: noqa: ASYNC240
# Nothing else waits while a test looks at its files.

from __future__ import annotations

import os
from pathlib import Path

from twisted.internet import reactor

from ozgate.errors import Unavailable
from ozgate.interfaces import IMetadataTransaction
from ozgate.metadata.sqlite.store import SQLiteMetadataStore
from ozgate.values import Content, ObjectVersion, Process
from tests.unit.metadata.sqlite.databases import (
    SQLiteTests,
    add_bucket,
    content_of,
    note,
    put,
)


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
