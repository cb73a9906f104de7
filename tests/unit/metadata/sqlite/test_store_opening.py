"""The SQLite provider opens what is its own; what is not, it refuses in words."""

# ruff: noqa: ASYNC230, ASYNC240
# Nothing else waits while a test looks at its files.

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.trial.unittest import SkipTest

from ozgate.errors import Damaged, Unavailable
from ozgate.metadata.sqlite import schema
from ozgate.metadata.sqlite.store import SQLiteMetadataStore
from tests.unit.metadata.sqlite.databases import SQLiteTests, add_bucket, put

NOBODY = 65534


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
