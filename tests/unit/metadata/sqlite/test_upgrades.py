"""A database of every earlier schema opens and means what it meant; one of a later schema is left alone."""

# ruff: noqa: ASYNC240
# Nothing else waits while a test looks at its files.

from __future__ import annotations

import os
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from threading import Barrier
from typing import Any

from attrs import evolve
from twisted.internet import reactor
from twisted.internet.defer import gatherResults
from twisted.internet.threads import deferToThread
from twisted.internet.utils import getProcessOutputAndValue
from twisted.trial.unittest import TestCase

from ozgate.errors import Unavailable
from ozgate.interfaces import IMetadataTransaction
from ozgate.metadata.sqlite import schema
from ozgate.metadata.sqlite.connections import prepare_database
from ozgate.metadata.sqlite.store import SQLiteMetadataStore
from ozgate.values import EXTENTS_AT_ONCE, Event, ObjectVersion
from tests.started import started
from tests.unit.metadata.sqlite.metadata_rows import (
    fill,
    look,
    restore,
    still_store,
)

DUMPS = {
    int(path.stem.removeprefix("metadata_v")): path.read_text(encoding="utf-8")
    for path in Path(__file__).parent.glob("metadata_v*.sql")
}
"""What earlier versions made, by the number of their schema."""


def upgrade(path: str, both: Barrier) -> bool:
    """Bring a database up to date when both are ready; whether that was done, and not refused."""
    both.wait()
    try:
        prepare_database(path).close()
    except Unavailable:
        return False
    return True


class UpgradeTests(TestCase):
    """Each schema since access control lists; :mod:`tests.unit.metadata.sqlite.test_migration` has the first."""

    async def test_dumps(self) -> None:
        """There is a dump of every schema before this one."""
        self.assertLessEqual(set(range(1, schema.SCHEMA_VERSION)), set(DUMPS))

    async def test_same(self) -> None:
        """Everything reads as it does where this version made it."""
        fresh = still_store(self.mktemp())
        await started(fresh)
        await fresh.write(fill)
        expected = await fresh.read(look)
        await fresh.close()
        self.assertGreater(len(expected), 40)
        for number, dump in DUMPS.items():
            if number == 1:
                continue
            path = self.mktemp()
            restore(dump, path)
            store = still_store(path)
            await started(store)
            found = await store.read(look)
            await store.close()
            self.assertEqual(found, expected, number)

    async def test_checks(self) -> None:
        """Each agrees with its checks, is built as it should be, and counts what there is."""
        for number, dump in DUMPS.items():
            path = self.mktemp()
            restore(dump, path)
            self.assertEqual(await self.damaged_of(path), [], number)
            store = still_store(path)
            await started(store)
            found = (await store.examine(), await store.drifts())
            await store.close()
            self.assertEqual(found, ([], []), number)

    async def test_retired(self) -> None:
        """A version that was removed and may be read still is there to be released."""
        path = self.mktemp()
        restore(DUMPS[5], path)
        store = still_store(path)
        await started(store)
        self.addCleanup(store.close)
        [sequence] = await store.read(lambda tx: tx.retired(1 << 60, 9))
        self.assertTrue(await store.write(lambda tx: tx.release(sequence, 99)))
        doomed = await store.read(lambda tx: tx.doomed("files", 1 << 60, 99))
        self.assertEqual(
            len([b for b in doomed if b.id[0] == "r"]), EXTENTS_AT_ONCE + 1
        )

    async def test_untouched(self) -> None:
        """Room for what few rows have has no row written, but for buckets that have documents."""
        path = self.mktemp()
        restore(DUMPS[5], path)
        before = checks(path)
        await self.damaged_of(path)
        changed = set(before.items()) ^ set(checks(path).items())
        self.assertEqual({place for place, _ in changed}, {("buckets", 1)})

    async def test_damaged_bucket(self) -> None:
        """A damaged row of a bucket that has documents stays damaged."""
        for wrong in ("'eve'", "CAST(x'ff' AS TEXT)"):
            path = self.mktemp()
            restore(DUMPS[5], path)
            with closing(sqlite3.connect(path)) as connection, connection:
                connection.execute(
                    f"UPDATE buckets SET owner = {wrong} WHERE number = 1"
                )
            self.assertEqual(await self.damaged_of(path), [("buckets", (1,))])

    async def test_damage_stays(self) -> None:
        """What was damaged stays so, with what comes after it; what was well before it, or elsewhere, stays well."""
        for statement, places in (
            (
                "UPDATE extents SET offset = 3 WHERE owner = 5 AND ordinal = 0",
                [("extents", (5, -2)), ("extents", (5, -1))],
            ),
            (
                "UPDATE extents SET length = 1 << 62 WHERE owner = 5 AND ordinal = 0",
                [("extents", (5, -2)), ("extents", (5, -1))],
            ),
            (
                "UPDATE extents SET ordinal = 2 WHERE owner = 5 AND ordinal = 1",
                [("extents", (5, -1))],
            ),
            (
                "DELETE FROM extents WHERE owner = 5 AND ordinal = 0",
                [("extents", (5, -1))],
            ),
            (
                "UPDATE extents SET blob = CAST(x'ff' AS TEXT) WHERE owner = 5 AND ordinal = 1",
                [("extents", (5, -1))],
            ),
            ("UPDATE object_parts SET size = 9", [("object_parts", (10, 1))]),
            (
                "UPDATE object_parts SET checksum = CAST(x'ff' AS TEXT)",
                [("object_parts", (10, 1))],
            ),
        ):
            path = self.mktemp()
            restore(DUMPS[4], path)
            with closing(sqlite3.connect(path)) as connection, connection:
                self.assertEqual(connection.execute(statement).rowcount, 1)
            store = still_store(path)
            await started(store)
            found = await store.read(_damaged)
            await store.close()
            self.assertEqual(found, places, statement)

    async def test_misplaced(self) -> None:
        """A bit that flips in a key is in the way of no upgrade, and damages nothing but what the row was of."""
        for written, places in (
            # After the rows of the owner that it has now, before them, and where no owner has any.
            ((b"\x07filesp2", b"\x05filesp2"), [(5, -1)]),
            ((b"\x05filesc2", b"\x07filesc2"), [(7, -1)]),
            ((b"\x09filesp4", b"\x08filesp4"), [(8, -1), (9, -2)]),
        ):
            path = self.mktemp()
            restore(DUMPS[4], path)
            before = Path(path).read_bytes()
            self.assertEqual(before.count(written[0]), 1)
            Path(path).write_bytes(before.replace(*written))
            found = await self.damaged_of(path)
            self.assertEqual(found, [("extents", place) for place in places])

    async def test_misplaced_part(self) -> None:
        """Likewise of a part of an object: the one whose number it is stays."""
        path = self.mktemp()
        row = "(10,1,8,'cccccccccccc',-5384663939784834274);"
        other = row.replace("(10,1", "(14,1")
        dump = f'INSERT INTO "object_parts" VALUES{row}'
        restore(DUMPS[4].replace(dump, dump + dump.replace(row, other)), path)
        before = Path(path).read_bytes()
        written = b"\x0e\x08cccccccccccc", b"\x0a\x08cccccccccccc"
        self.assertEqual(before.count(written[0]), 1)
        Path(path).write_bytes(before.replace(*written))
        with closing(sqlite3.connect(path)) as connection:
            rows = connection.execute("SELECT sequence, number FROM object_parts")
            self.assertEqual(rows.fetchall(), [(10, 1), (10, 1)])
        self.assertEqual(await self.damaged_of(path), [])

    async def test_nothing(self) -> None:
        """Nor is a column in the way that has nothing in it any more."""
        for table, column, places in (
            ("extents", "offset", [(5, -2), (5, -1)]),
            ("extents", "blob", [(5, -2), (5, -1)]),
            ("object_parts", "size", [(10, 1)]),
        ):
            path = self.mktemp()
            restore(DUMPS[4], path)
            empty(path, table, column)
            found = await self.damaged_of(path)
            self.assertEqual(found, [(table, place) for place in places], column)

    async def damaged_of(self, path: str) -> list[tuple[str, tuple[object, ...]]]:
        """The places of damaged rows in a database that is opened."""
        store = still_store(path)
        await started(store)
        found = await store.read(_damaged)
        await store.close()
        return found

    async def test_memory(self) -> None:
        """An upgrade takes no more memory where there are more rows."""
        path = self.mktemp()
        restore(DUMPS[4], path)
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.executemany(
                "INSERT INTO extents VALUES (?, 0, 'files', ?, 9, 9, 0, 9, 0)",
                ((100 + n, f"{n:018x}") for n in range(60_000)),
            )
        # In a process of its own: SQLite's limit can never be raised again.
        code = (
            "import sqlite3, sys\n"
            "from ozgate.metadata.sqlite.connections import prepare_database\n"
            "sqlite3.connect(':memory:').execute(f'PRAGMA hard_heap_limit = {10 << 20}')\n"
            "prepare_database(sys.argv[1]).close()\n"
        )
        out, err, status = await getProcessOutputAndValue(
            sys.executable, ["-c", code, os.path.abspath(path)], os.environ
        )
        self.assertEqual((out, err, status), (b"", b"", 0))

    async def test_schema(self) -> None:
        """The tables are those of a new database, which is sound, and a second start changes nothing."""
        fresh = self.mktemp()
        for path, dump in [(fresh, ""), *((self.mktemp(), d) for d in DUMPS.values())]:
            restore(dump, path)
            for _ in range(2):
                store = SQLiteMetadataStore(path, reactor)
                await started(store)
                await store.close()
                self.assertEqual(tables(path), tables(fresh))

    async def test_two_at_once(self) -> None:
        """Were two to upgrade one database at once, though a data folder is one process's: one does, and nothing is done by halves or twice."""
        expected = None
        for number in sorted(DUMPS.keys() - {1}, reverse=True):
            path = self.mktemp()
            restore(DUMPS[number], path)
            both = Barrier(2)
            outcomes = await gatherResults(
                [deferToThread(upgrade, path, both) for _ in range(2)]
            )
            self.assertIn(True, outcomes, number)
            store = still_store(path)
            await started(store)
            found = await store.read(look)
            await store.close()
            self.assertEqual(found, expected or found, number)
            expected = found

    async def test_damaged_record(self) -> None:
        """What sqlite-utils notes of migrations is in no upgrade's way when it is damaged: the number of the schema tells."""
        for statement in (
            "UPDATE _sqlite_migrations SET name = 'm003_listinf' WHERE id = 3",
            "UPDATE _sqlite_migrations SET name = CAST(x'ff' AS TEXT) WHERE id = 3",
            "UPDATE _sqlite_migrations SET migration_set = 'x' WHERE id = 1",
            "UPDATE _sqlite_migrations SET name = 'm006_sparse' WHERE id = 5",
            "DROP TABLE _sqlite_migrations",
        ):
            path = self.mktemp()
            restore(DUMPS[5], path)
            with closing(sqlite3.connect(path)) as connection, connection:
                connection.execute(statement)
            self.assertEqual(await self.damaged_of(path), [], statement)
            fresh = self.mktemp()
            restore(DUMPS[5], fresh)
            self.assertEqual(await self.damaged_of(fresh), [])
            self.assertEqual(tables(path), tables(fresh), statement)

    async def test_newer(self) -> None:
        """A database of a newer version is refused with one line that says so, and not a byte of it changes."""
        path = self.mktemp()
        store = SQLiteMetadataStore(path, reactor)
        await started(store)
        await store.close()
        newer = schema.SCHEMA_VERSION + 1
        with closing(sqlite3.connect(path)) as connection:
            connection.execute(f"PRAGMA user_version = {newer}")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        before = Path(path).read_bytes()
        store = SQLiteMetadataStore(path, reactor)
        error = await self.assertFailure(started(store), Unavailable)
        self.assertEqual(
            str(error),
            f"{path} has metadata schema {newer}, but this ozgate knows only up to"
            f" {schema.SCHEMA_VERSION}: start the newer ozgate that made it",
        )
        self.assertEqual(Path(path).read_bytes(), before)
        self.assertFalse(os.path.exists(f"{path}-wal"))

    async def test_foreign(self) -> None:
        """A database that another program made is refused, and stays as it is."""
        path = self.mktemp()
        restore("CREATE TABLE people (name TEXT);", path)
        before = Path(path).read_bytes()
        store = SQLiteMetadataStore(path, reactor)
        error = await self.assertFailure(started(store), Unavailable)
        self.assertEqual(str(error), f"{path} is a database of another program")
        self.assertEqual(Path(path).read_bytes(), before)


ORDER: dict[type, dict[str, int]] = {
    ObjectVersion: {"sequence": 0},
    Event: {"sequence": 0, "bucket": 0},
}
"""What depends on what was there before."""


def without_order(found: list[Any]) -> list[Any]:
    """Rows but for their place in the order."""
    return [
        evolve(each, **ORDER[type(each)]) if type(each) in ORDER else each
        for group in found
        for each in (group if isinstance(group, list) else [group])
    ]


def checks(path: str) -> dict[tuple[str, object], int]:
    """The check of each row of a database, by its table and what its key begins with."""
    found = {}
    with closing(sqlite3.connect(path)) as connection:
        for table in ("volumes", "buckets", "versions", "uploads", "configurations"):
            for row in connection.execute(f"SELECT checked, * FROM {table}"):
                found[table, row[1] if table != "versions" else row[3]] = row[0]
    return found


def empty(path: str, table: str, column: str) -> None:
    """Take away what a column of the first row of a table has, although it must have something."""
    for statement in (
        f"UPDATE sqlite_master SET sql = replace(sql, 'NOT NULL', '/*    */') WHERE name = '{table}'",
        f"UPDATE {table} SET {column} = NULL WHERE checked = (SELECT checked FROM {table} LIMIT 1)",
        f"UPDATE sqlite_master SET sql = replace(sql, '/*    */', 'NOT NULL') WHERE name = '{table}'",
    ):
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("PRAGMA writable_schema = ON")
            assert connection.execute(statement).rowcount == 1


def _damaged(tx: IMetadataTransaction) -> list[tuple[str, tuple[object, ...]]]:
    """Where damaged rows are."""
    found = []
    after: str | None = ""
    while after is not None:
        rows = tx.check_rows(after, 3)
        found += [(row.table, row.place) for row in rows.damaged]
        after = rows.next_after
    return found


def tables(path: str) -> list[tuple[str, str]]:
    """What a database consists of, after a look whether it is sound."""
    with closing(sqlite3.connect(path)) as connection:
        (sound,) = connection.execute("PRAGMA integrity_check").fetchone()
        assert sound == "ok", sound
        return connection.execute(
            "SELECT name, sql FROM sqlite_master ORDER BY name"
        ).fetchall()
