"""Bits that flip in the metadata: each read gives what was written, or fails; never anything else.

In this process, without a network; :mod:`tests.crash.test_bit_rot_service` asks a whole service. Files of blobs are in
:mod:`tests.crash.test_bit_rot_blobs`.
"""

# ruff: noqa: ASYNC230, ASYNC240
# Nothing else waits while a test looks at its files.

from __future__ import annotations

import contextlib
import sqlite3
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

from attrs import evolve
from twisted.trial.unittest import TestCase

from ozgate.auth.identities.users import disable_user
from ozgate.auth.sealing import MasterKey
from ozgate.auth.secretstore import MetadataSecretStore
from ozgate.errors import Absent, Damaged, StoreError
from ozgate.metadata.declared.tables import CHECKED
from ozgate.values import Content, DamagedRow, ObjectPart, ObjectVersion
from tests.crash.bit_rot import (
    RIGHT,
    SEED,
    WRONG,
    Read,
    after_flip,
    columns_of,
    flipped,
    made,
    outcome,
    put_column,
)
from tests.started import started
from tests.unit.auth.signed import presented
from tests.unit.metadata.sqlite.metadata_rows import still_store


class RowTests(TestCase):
    """Rows of the metadata."""

    async def setUp(self) -> None:  # type: ignore[override]
        """A database with rows of every kind."""
        self.path = self.mktemp()
        self.reads: list[Read] = await made(self.path)
        self.random = Random(SEED)

    async def damaged_rows(self, store: Any) -> list[DamagedRow]:
        """What looking through all rows finds."""
        found: list[DamagedRow] = []
        after: str | None = ""
        while after is not None:
            rows = await store.read(lambda tx, a=after: tx.check_rows(a, 3))
            found += rows.damaged
            after = rows.next_after
        return found

    async def test_every_column(self) -> None:
        """A bit that flips in any column of any row is found by looking, and no read gives anything made of it."""
        store = still_store(self.path)
        await started(store)
        self.addCleanup(store.close)
        self.assertEqual(await self.damaged_rows(store), [])
        seen = set()
        with closing(sqlite3.connect(self.path, isolation_level=None)) as connection:
            for table, name, place, value in list(columns_of(self.path)):
                wrong = flipped(value, self.random)
                is_text = isinstance(value, str)
                there = tuple(
                    wrong if key == name else part
                    for key, part in zip(table.key, place, strict=True)
                )
                with contextlib.suppress(sqlite3.IntegrityError):
                    put_column(connection, table, name, place, wrong, is_text)
                    damaged = await self.damaged_rows(store)
                    self.assertIn(table.name, [row.table for row in damaged], name)
                    for read in self.reads:
                        was = await outcome(store, read)
                        self.assertNotEqual(was, WRONG, (read.about, table.name, name))
                    put_column(connection, table, name, there, value, is_text)
                    seen.add((table.name, name))
        for read in self.reads:
            self.assertEqual(await outcome(store, read), RIGHT)
        expected = {(t.name, n) for t in CHECKED for n in (*t.key, "checked")}
        self.assertLessEqual(expected, seen)

    async def test_latest(self) -> None:
        """When the newest version of a key is lost, or no longer called the latest, the one before is not given for it."""
        store = still_store(self.path)
        await started(store)
        self.addCleanup(store.close)
        [read] = [read for read in self.reads if read.about == "latest a"]
        for statement in (
            "UPDATE versions SET is_latest = 0 WHERE key = 'a' AND sequence = 3",
            "DELETE FROM versions WHERE key = 'a' AND sequence = 3",
        ):
            with closing(sqlite3.connect(self.path)) as connection:
                connection.execute(statement)
                connection.commit()
            await self.assertFailure(store.read(read.interaction), Damaged)
            [row] = await self.damaged_rows(store)
            self.assertEqual((row.table, row.place[1]), ("versions", "a"))
            await store.write(
                lambda tx, r=row: tx.mend_row(r, "root", frozenset(), frozenset())
            )
            self.assertEqual(await self.damaged_rows(store), [])

    async def test_lost_bytes(self) -> None:
        """A version whose bytes are not there, or not all, is damaged, and not an empty or shorter one."""
        store = still_store(self.path)
        await started(store)
        self.addCleanup(store.close)
        for statement, about in (
            (
                "DELETE FROM extents WHERE owner = 5 AND start = 8",
                "content of c null",
            ),
            ("DELETE FROM extents WHERE owner = 5", "content of c null"),
            ("DELETE FROM bodies WHERE sequence = 1", "content of a v1"),
            ("DELETE FROM extents WHERE owner = 7 AND start = 0", "parts of u1"),
        ):
            with closing(sqlite3.connect(self.path)) as connection:
                connection.execute(statement)
                connection.commit()
            [read] = [read for read in self.reads if read.about == about]
            await self.assertFailure(store.read(read.interaction), Damaged)

    async def test_lost_document(self) -> None:
        """A bucket whose document is lost is damaged, not one that never had any, until somebody says that it is so."""
        store = still_store(self.path)
        await started(store)
        self.addCleanup(store.close)
        bucket = await store.read(lambda tx: tx.bucket("s3v", "bucket"))
        with closing(sqlite3.connect(self.path)) as connection:
            connection.execute("DELETE FROM configurations")
            connection.commit()
        reading = store.read(lambda tx: tx.configuration(bucket, "policy"))
        await self.assertFailure(reading, Damaged)
        self.assertIsNone(await store.read(lambda tx: tx.configuration(bucket, "cors")))
        [row] = await self.damaged_rows(store)
        self.assertEqual((row.table, row.place), ("buckets", (bucket.number,)))
        await store.write(lambda tx: tx.mend_row(row, "root", frozenset(), frozenset()))
        self.assertEqual(await self.damaged_rows(store), [])
        self.assertIsNone(
            await store.read(lambda tx: tx.configuration(bucket, "policy"))
        )
        found = await store.read(lambda tx: tx.bucket("s3v", "bucket"))
        self.assertEqual(found, evolve(bucket, configured=frozenset()))

    async def test_lost_part(self) -> None:
        """When a part of an object is lost from its list, those after it are not taken for what begins where it did."""
        store = still_store(self.path)
        await started(store)
        self.addCleanup(store.close)
        parts = [(1, 5), (2, 6), (3, 7)]

        def add(tx: Any) -> Any:
            bucket = tx.bucket("vol1", "data")
            version = ObjectVersion("p", tx.next_sequence(), 1, 0, parts_count=3)
            tx.add_version(
                bucket, version, Content(b""), [ObjectPart(*part) for part in parts]
            )
            return bucket, version

        place = await store.write(add)
        for after in range(3):
            found = await store.read(lambda tx, a=after: tx.object_parts(*place, a, 9))
            self.assertEqual([(p.number, p.size) for p in found], parts[after:])
        with closing(sqlite3.connect(self.path)) as connection:
            sequence = (place[1].sequence,)
            connection.execute(
                "DELETE FROM object_parts WHERE sequence = ? AND number = 1", sequence
            )
            connection.commit()
        for after in (0, 1):
            reading = store.read(lambda tx, a=after: tx.object_parts(*place, a, 9))
            await self.assertFailure(reading, Damaged)
        [last] = await store.read(lambda tx: tx.object_parts(*place, 2, 9))
        self.assertEqual((last.number, last.start), (3, 11))

    async def test_pages(self) -> None:
        """Bits that flip anywhere in the database's file: pages, cells, the schema. A sample; the module has the rest."""
        original = Path(self.path).read_bytes()
        for _ in range(120):
            bit = self.random.randrange(len(original) * 8)
            path = self.mktemp()
            found = await after_flip(original, path, bit, self.reads)
            self.assertEqual(found[WRONG], 0, (bit, dict(found)))

    async def test_listing(self) -> None:
        """A page that is no page any more fails the listing, and nothing else: the store goes on."""
        store = still_store(self.path)
        await started(store)

        def add(tx: Any, start: int) -> None:
            bucket = tx.bucket("vol1", "data")
            for number in range(start, start + 200):
                key = f"{number:05}" + "k" * 200
                version = ObjectVersion(key, tx.next_sequence(), 1, 1)
                tx.add_version(bucket, version, Content(b"x"))

        for start in range(0, 1000, 200):
            await store.write(add, start)
        await store.close()
        with closing(sqlite3.connect(self.path)) as connection:
            sql = "SELECT pageno FROM dbstat WHERE name = 'current_versions' AND pagetype = 'leaf'"
            try:
                pages = [page for (page,) in connection.execute(sql)]
            except sqlite3.OperationalError:
                # SQLite was built without it: the root, which all listings pass.
                sql = (
                    "SELECT rootpage FROM sqlite_master WHERE name = 'current_versions'"
                )
                pages = [page for (page,) in connection.execute(sql)]
        with open(self.path, "r+b") as file:
            for page in pages:
                file.seek((page - 1) * 4096)
                kind = file.read(1)[0]
                file.seek((page - 1) * 4096)
                file.write(bytes([kind ^ 0x40]))
        store = still_store(self.path)
        await started(store)
        self.addCleanup(store.close)
        bucket = await store.read(lambda tx: tx.bucket("vol1", "data"))
        listing = store.read(lambda tx: tx.page(bucket, "", "", "", 1000))
        error = await self.assertFailure(listing, Damaged)
        self.assertEqual(error.kind, "metadata")
        found = await store.read(lambda tx: tx.latest(bucket, "x"))
        self.assertEqual(found.size, 10)

    async def test_circles(self) -> None:
        """Keys out of their order lead no listing back to where it has been."""
        store = still_store(self.path)
        await started(store)
        bucket = await store.read(lambda tx: tx.bucket("vol1", "data"))

        def add(tx: Any) -> None:
            for letter in "abcdef":
                version = ObjectVersion(letter * 40, tx.next_sequence(), 1, 0)
                tx.add_version(bucket, version, Content(b""))

        await store.write(add)
        await store.close()
        data = Path(self.path).read_bytes()
        data = data.replace(b"e" * 40, b"A" + b"e" * 39)
        Path(self.path).write_bytes(data)
        store = still_store(self.path)
        await started(store)
        self.addCleanup(store.close)
        after: str | None = ""
        pages = 0
        with contextlib.suppress(StoreError):
            while after is not None:
                page = await store.read(
                    lambda tx, a=after: tx.page(bucket, "", a, "", 1)
                )
                after = page.next_after
                pages += 1
                self.assertLess(pages, 20)

    async def test_lost_name(self) -> None:
        """A blob whose name its index lost is no orphan: the sweep leaves it alone."""
        data = Path(self.path).read_bytes()
        place = data.find(b"c1files")
        self.assertGreater(place, 0)
        changed = bytearray(data)
        changed[place + 1] ^= 1
        Path(self.path).write_bytes(changed)
        store = still_store(self.path)
        await started(store)
        self.addCleanup(store.close)
        self.assertFalse(await store.read(lambda tx: tx.is_named("files", "c1")))
        ids = ["c1", "c2", "orphan"]
        found = await store.read(lambda tx: tx.nameless("files", ids))
        self.assertEqual(found, ["orphan"])

    async def test_revoked(self) -> None:
        """A secret whose row is damaged opens nothing, and can be revoked."""
        store = still_store(self.path)
        await started(store)
        self.addCleanup(store.close)
        key = MasterKey(bytes(32))
        secrets = MetadataSecretStore(store, key)
        await secrets.revoke("bob")
        access_id, secret = await secrets.issue("bob")
        sent = presented(access_id, secret)
        with closing(sqlite3.connect(self.path)) as connection:
            connection.execute(
                "UPDATE secrets SET user = 'eve' WHERE access_id = 'bob'"
            )
            connection.commit()
        await self.assertFailure(secrets.verify(sent), Damaged)
        await secrets.revoke(access_id)
        await self.assertFailure(secrets.verify(sent), Absent)

    async def test_denied(self) -> None:
        """Where the row of a user, of one of his groups or of a policy is damaged or lost, none of his keys opens anything; also after it was mended."""
        store = still_store(self.path)
        await started(store)
        self.addCleanup(store.close)
        secrets = MetadataSecretStore(store, MasterKey(bytes(32)))
        pairs = [await secrets.issue(*each) for each in (("carol",), ("carol", None))]
        await store.write(disable_user, "carol", False)
        sent = [presented(*pair) for pair in pairs]
        for table, name in (
            ("users", "carol"),
            ("groups", "staff"),
            ("policies", "all"),
        ):
            [row] = self.execute(f"SELECT * FROM {table} WHERE name = '{name}'")
            marks = ", ".join("?" * len(row))
            for change in ("name = 'x'", "more = 'x'", "checked = 1"):
                for each in sent:
                    self.assertIsNotNone(await secrets.verify(each))
                statement = f"UPDATE {table} SET {change} WHERE name = '{name}'"
                self.execute(statement)
                for _ in range(2):
                    for each in sent:
                        await self.assertFailure(secrets.verify(each), Damaged)
                    for damaged in await self.damaged_rows(store):
                        done = await store.write(
                            lambda tx, r=damaged: tx.mend_row(
                                r, "me", frozenset(), frozenset()
                            )
                        )
                        self.assertIn("is refused until there is one again", done)
                self.execute(f"DELETE FROM {table} WHERE name = '{name}'")
                self.execute(f"INSERT INTO {table} VALUES ({marks})", *row)

    def execute(self, statement: str, *values: object) -> list[Any]:
        """Do something behind the back of the store."""
        with closing(sqlite3.connect(self.path)) as connection, connection:
            return connection.execute(statement, values).fetchall()
