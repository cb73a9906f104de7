"""A column of any row holds something of another kind: the store opens, walks end, and what can be mended is."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random

from twisted.trial.unittest import TestCase

from ozgate.interfaces import IMetadataTransaction
from ozgate.values import Cause, Event, Process
from tests.started import started
from tests.unit.metadata.sqlite.metadata_rows import (
    fill,
    identities,
    retire,
    still_store,
)
from tests.unit.metadata.sqlite.test_damage import correct, damaged_rows, mend

SEED = 20261130

WRONG = ("''", "'x'", "x'00ff'", "CAST(x'62ff' AS TEXT)", "1.5", "-7", "1 << 62")

MET = (
    ("counters", "value", "CAST(x'62ff' AS TEXT)"),
    ("configurations", "kind", "x'00ff'"),
    ("doomed", "store", "CAST(x'62ff' AS TEXT)"),
    ("doomed", "blob", "CAST(x'62ff' AS TEXT)"),
    ("uploads", "storage_class", "CAST(x'62ff' AS TEXT)"),
    ("versions", "sequence", "CAST(x'62ff' AS TEXT)"),
    ("versions", "is_latest", "CAST(x'62ff' AS TEXT)"),
    ("versions", "key", "x'00ff'"),
    ("object_parts", "sequence", "CAST(x'62ff' AS TEXT)"),
    ("retired", "checked", "CAST(x'62ff' AS TEXT)"),
    ("secrets", "access_id", "x'00ff'"),
    ("extents", "owner", "''"),
)
"""Some that once kept a service from starting, a walk from ending, or a row from being mended."""

NUMBERS = {("buckets", "number"), ("uploads", "number"), ("extents", "owner")}
"""What is kept under another number is found by comparing, not by looking at rows."""


class WrongColumnTests(TestCase):
    """Rows of every kind, one of which is changed behind the back of the store."""

    async def setUp(self) -> None:
        """Make the database."""
        self.path = self.mktemp()
        store = still_store(self.path)
        await started(store)
        for interaction in (fill, identities, retire, fill_more):
            await store.write(interaction)
        await store.close()
        self.original = contents(self.path)

    async def test_met(self) -> None:
        """Those that were met."""
        for place in MET:
            await self.look(*place)

    async def test_every_column(self) -> None:
        """Every column of every table, with something drawn by lot."""
        random = Random(SEED)
        for table, column in list(columns_of(self.path)):
            await self.look(table, column, random.choice(WRONG))

    async def look(self, table: str, column: str, wrong: str) -> None:
        """Change a column of the first row of a table, then look at everything, and mend."""
        where = f"{table}.{column} = {wrong}"
        if not changed(self.path, self.original, table, column, wrong):
            return
        store = still_store(self.path)
        await started(store)
        try:
            await store.read(walk)
            await store.write(go_on)
            await store.drifts()
            while rows := await damaged_rows(store):
                for row in rows:
                    done = await store.write(mend, row)
                    self.assertNotIn("not there any more", done, where)
            for drift in await store.drifts():
                await store.write(correct, drift)
            self.assertEqual(await store.drifts(), [], where)
            if (table, column) not in NUMBERS:
                self.assertEqual(await store.examine(), [], where)
        finally:
            await store.close()


def fill_more(tx: IMetadataTransaction) -> None:
    """Rows that :func:`fill` has none of."""
    cause = Cause("user")
    members = ("ObjectCreated:Put", 1, 1, "s3v", "bucket", "o", "k", "null", 1, "e")
    tx.note_event(Event(*members, cause))
    tx.put_process(Process("p1", 1, 2, 3))


def walk(tx: IMetadataTransaction) -> None:
    """What background work looks at."""
    tx.blobs(("", ""), 99)
    tx.nameless("files", ["c1", "none"])
    for name in tx.doomed_stores():
        tx.doomed(name, 1 << 60, 99)
    tx.retired(1 << 60, 99)
    tx.uploads_before(1 << 60, 99)
    tx.processes()


def go_on(tx: IMetadataTransaction) -> None:
    """What it writes."""
    tx.lease("another", "me", 30.0)
    tx.put_process(Process("p2", 1, 2, 3))
    tx.next_sequence()


def contents(path: str) -> bytes:
    """What a file has in it."""
    return Path(path).read_bytes()


def columns_of(path: str) -> Iterator[tuple[str, str]]:
    """Tables, and their columns."""
    with closing(sqlite3.connect(path)) as connection:
        for (table,) in connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND substr(name, 1, 1) <> '_'"
        ).fetchall():
            for row in connection.execute(f"PRAGMA table_info({table})").fetchall():
                if not table.startswith("sqlite"):
                    yield table, row[1]


def changed(path: str, original: bytes, table: str, column: str, wrong: str) -> bool:
    """Change the first row of a table; whether SQLite let it."""
    Path(path).write_bytes(original)
    for each in (f"{path}-wal", f"{path}-shm"):
        Path(each).unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as connection, connection:
        info = connection.execute(f"PRAGMA table_info({table})").fetchall()
        key = ", ".join([row[1] for row in info if row[5]])
        first = f"({key}) = (SELECT {key} FROM {table} LIMIT 1)"
        try:
            connection.execute(f"UPDATE {table} SET {column} = {wrong} WHERE {first}")
        except sqlite3.Error:
            return False
    return True
