"""What a database is built of is held against the migrations: nothing that somebody else put into one ever runs."""

# ruff: noqa: ASYNC240
# Nothing else waits while a test looks at its files.

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase, TestCase

from ozgate.errors import Unavailable
from ozgate.metadata.sqlite.connections import (
    connect_reader,
    connect_writer,
    prepare_database,
)
from ozgate.metadata.sqlite.schema import SCHEMA_VERSION
from ozgate.metadata.sqlite.structure import foreign_parts
from tests.started import started
from tests.unit.metadata.sqlite.metadata_rows import fill, restore, still_store
from tests.unit.metadata.sqlite.test_upgrades import DUMPS

TRIGGER = """CREATE TRIGGER gift AFTER INSERT ON versions BEGIN
    UPDATE buckets SET owner = 'mallory'; END"""

FOREIGN = (
    (TRIGGER, "a trigger 'gift'"),
    ("CREATE TRIGGER t AFTER UPDATE ON _sqlite_migrations BEGIN SELECT 1; END", "'t'"),
    ("CREATE VIEW shown AS SELECT * FROM secrets", "a view 'shown'"),
    ("CREATE TABLE more (x)", "a table 'more'"),
    ("CREATE VIRTUAL TABLE dump USING dbstat", "a table 'dump'"),
    ("CREATE INDEX i ON versions (abs(size))", "an index 'i'"),
    ("DROP INDEX current_versions", "no index 'current_versions'"),
    ("ALTER TABLE buckets ADD COLUMN x DEFAULT 1", "a table 'buckets' of another form"),
    ("ALTER TABLE buckets ADD COLUMN x AS (1)", "'buckets' of another form"),
    (
        "DROP INDEX named_versions; CREATE UNIQUE INDEX named_versions ON versions (bucket, key, version_id)",
        "an index 'named_versions' of another form",
    ),
    ("DROP TABLE leases; CREATE VIEW leases AS SELECT 1", "a view 'leases'"),
)
"""What may be done to a database, and what is said of it then."""


class StructureTests(TestCase):
    """A database that this version made, changed by another hand."""

    async def setUp(self) -> None:
        """Make it."""
        self.path = self.mktemp()
        store = still_store(self.path)
        await started(store)
        await store.write(fill)
        await store.close()

    async def test_refused(self) -> None:
        """Whatever no migration made is refused in a line, before anything of it runs."""
        original = Path(self.path).read_bytes()
        for statements, said in FOREIGN:
            Path(self.path).write_bytes(original)
            with closing(sqlite3.connect(self.path)) as connection:
                try:
                    connection.executescript(statements)
                except sqlite3.OperationalError as error:
                    self.assertIn("no such module", str(error))
                    continue
            error = await self.assertFailure(
                started(still_store(self.path)), Unavailable
            )
            self.assertIn(said, str(error))
            self.assertIn("restore", str(error))
            self.assertNotIn("\n", str(error))

    async def test_old_schemas(self) -> None:
        """A trigger in a database of an earlier schema is found before a migration has it run."""
        for number, dump in DUMPS.items():
            path = self.mktemp()
            restore(dump, path)
            with closing(sqlite3.connect(path)) as connection:
                connection.execute(TRIGGER)
            error = await self.assertFailure(started(still_store(path)), Unavailable)
            self.assertIn("'gift'", str(error), number)
            with closing(sqlite3.connect(path)) as connection:
                [(version,)] = connection.execute("PRAGMA user_version")
                self.assertEqual(version, number)

    async def test_statistics(self) -> None:
        """What SQLite itself keeps is nobody else's."""
        with closing(sqlite3.connect(self.path)) as connection:
            connection.execute("ANALYZE")
        store = still_store(self.path)
        await started(store)
        await store.close()

    async def test_found_by_fsck(self) -> None:
        """What comes in while the store is open is among what is wrong with its structure."""
        store = still_store(self.path)
        await started(store)
        self.addCleanup(store.close)
        self.assertEqual(await store.examine(), [])
        with closing(sqlite3.connect(self.path)) as connection:
            connection.execute(TRIGGER)
        self.assertEqual(
            await store.examine(),
            ["the database has a trigger 'gift' that is not ozgate's"],
        )


class ExpectationTests(SynchronousTestCase):
    """What is expected."""

    def test_every_version(self) -> None:
        """Databases as every version made them are as they should be, however their SQL is written."""
        self.assertEqual(
            set(DUMPS) | {SCHEMA_VERSION}, set(range(1, SCHEMA_VERSION + 1))
        )
        for number, dump in DUMPS.items():
            path = self.mktemp()
            restore(dump, path)
            with closing(sqlite3.connect(path)) as connection:
                self.assertEqual(foreign_parts(connection, number), [])

    def test_cheap(self) -> None:
        """A start does not import sqlite-utils to know what is expected."""
        path = self.mktemp()
        prepare_database(path).close()
        kept = {
            name: sys.modules.pop(name)
            for name in list(sys.modules)
            if name.startswith("sqlite_utils")
        }
        try:
            prepare_database(path).close()
            self.assertNotIn("sqlite_utils", sys.modules)
        finally:
            sys.modules.update(kept)

    def test_distrust(self) -> None:
        """Each connection runs no unknown function from a schema, and checks the sizes of cells."""
        path = self.mktemp()
        prepare_database(path).close()
        for connection in (connect_writer(path), connect_reader(path)):
            with closing(connection):
                for pragma, value in (("trusted_schema", 0), ("cell_size_check", 1)):
                    [found] = connection.execute(f"PRAGMA {pragma}")
                    self.assertEqual(found, (value,), pragma)
