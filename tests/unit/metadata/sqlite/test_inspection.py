"""Looking over a whole SQLite database, while it is used: what is wrong, who uses a blob, a copy."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from threading import Thread
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.trial.unittest import TestCase

from ozgate.errors import Unavailable
from ozgate.interfaces import IInspected, IMetadataTransaction
from ozgate.metadata.sqlite.store import SQLiteMetadataStore
from ozgate.testing.metadata_base import extents, part, put, upload
from ozgate.values import Bucket, Content, DamagedRow, Drift, Volume
from tests.started import started


class InspectionCase(TestCase):
    """A database with a bucket, three keys and an upload."""

    async def setUp(self) -> None:
        """Fill it."""
        self.path = self.mktemp()
        self.store = SQLiteMetadataStore(self.path, reactor)
        await started(self.store)
        self.addCleanup(self.store.close)

        def fill(tx: IMetadataTransaction) -> Bucket:
            tx.add_volume(Volume("s3v", "o", tx.now()))
            bucket = tx.add_bucket(Bucket("s3v", "bucket", "o", tx.now()))
            put(tx, bucket, "one", extents("b1"))
            put(tx, bucket, "two", extents("b1", "b2"))
            put(tx, bucket, "inline", Content(b"body"))
            tx.put_part(bucket, upload(tx, bucket, "open", "u1"), part(3, "b2"))
            return bucket

        self.bucket = await self.store.write(fill)

    def change(self, statement: str) -> Any:
        """Change it behind the store's back; returns the rows."""
        with closing(sqlite3.connect(self.path, isolation_level=None)) as connection:
            return connection.execute(statement).fetchall()


class LookTests(InspectionCase):
    """What is found."""

    async def test_well(self) -> None:
        """Nothing is wrong with a database that nobody tampered with."""
        self.assertTrue(IInspected.providedBy(self.store))
        self.assertEqual(list(await self.store.examine()), [])
        self.assertEqual(list(await self.store.drifts()), [])

    async def test_no_thread(self) -> None:
        """Where no thread can begin, a look fails, and is not what closing waits for."""

        def refuse(_: Thread) -> None:
            raise RuntimeError("can't start new thread")

        patches = self.patch(Thread, "start", refuse)
        await self.assertFailure(self.store.examine(), Unavailable)
        patches.restore()
        await self.store.close()

    async def test_strays(self) -> None:
        """Rows that belong to nothing are counted, by what they are."""
        for table in ("bodies", "extents", "parts", "object_parts"):
            row = self.change(f"SELECT * FROM {table}") or [(1, 1, 1, 1, None, "", 0)]
            values = ", ".join(["999", *["'1'"] * (len(row[0]) - 1)])
            self.change(f"INSERT INTO {table} VALUES ({values})")
        lines = await self.store.examine()
        self.assertEqual(len(lines), 4, lines)
        for line in lines:
            self.assertRegex(line, "^1 .* they only take room$")

    async def test_references(self) -> None:
        """A row that refers to one that is not there is named with its table."""
        self.change("UPDATE versions SET bucket = 99 WHERE key = 'one'")
        lines = await self.store.examine()
        self.assertIn(
            "row of versions refers to one of buckets that is not there", lines
        )

    async def test_drifts(self) -> None:
        """What counters are off by is told, also while more is written, and added to them it sets them right."""
        self.change("UPDATE buckets SET used_bytes = used_bytes - 5")
        self.change("UPDATE volumes SET used_names = 9, used_bytes = 0")
        drifts = await self.store.drifts()
        self.assertEqual(
            list(drifts), [Drift("s3v", "bucket", 5, 0), Drift("s3v", "", 36, -8)]
        )
        await self.store.write(lambda tx: put(tx, self.bucket, "later") and None)

        def correct(tx: IMetadataTransaction) -> None:
            for each in drifts:
                tx.correct_usage(
                    each.volume, each.bucket, each.more_bytes, each.more_names
                )

        await self.store.write(correct)
        self.assertEqual(list(await self.store.drifts()), [])

    async def test_users(self) -> None:
        """Versions and parts that name a blob are found, and those that a damaged row belongs to."""
        users = await self.store.users_of("files", ["b1", "b2", "b3"])
        found = {(each.blob, each.key, each.upload_id, each.part) for each in users}
        expected = {
            *(("b1", "one", "", 0), ("b1", "two", "", 0)),
            *(("b2", "two", "", 0), ("b2", "open", "u1", 3)),
        }
        self.assertEqual(found, expected)
        self.assertEqual(list(await self.store.users_of("others", ["b1"])), [])
        [(sequence,)] = self.change("SELECT sequence FROM bodies")
        for row in (
            DamagedRow("bodies", (sequence,), ""),
            DamagedRow("versions", (1, "x", sequence), ""),
        ):
            [user] = await self.store.users_of_row(row)
            self.assertEqual((user.volume, user.key), ("s3v", "inline"))
        secret = DamagedRow("secrets", ("alice",), "")
        self.assertEqual(list(await self.store.users_of_row(secret)), [])


class CopyTests(InspectionCase):
    """Copies."""

    async def test_one_state(self) -> None:
        """A copy that is made while others write has one state: all that had fired before, and nothing by half."""

        def add(tx: IMetadataTransaction, number: int) -> None:
            # Always two of them together.
            for name in ("left", "right"):
                body = Content(os.urandom(3000))
                put(tx, self.bucket, f"{name}{number:05}", body)

        for number in range(300):
            await self.store.write(add, number)
        copied: list[int] = []
        writes: list[Deferred[None]] = []

        def tell(done: int, total: int) -> None:
            copied.append(done)
            number = 1000 + len(copied)
            reactor.callFromThread(lambda: writes.append(self.store.write(add, number)))

        path = self.mktemp()
        await self.store.copy_to(path, tell)
        self.assertEqual(copied, sorted(copied))
        await gatherResults(writes)
        self.assertEqual(os.stat(path).st_mode & 0o077, 0)
        copy = SQLiteMetadataStore(path, reactor)
        await started(copy)
        self.addCleanup(copy.close)
        page = await copy.read(lambda tx: tx.page(self.bucket, "", "", "", 10_000))
        names = [each.key for each in page.items]
        for number in range(300):
            self.assertIn(f"left{number:05}", names)
        self.assertEqual(
            [name[4:] for name in names if name.startswith("left")],
            [name[5:] for name in names if name.startswith("right")],
        )
        self.assertEqual(list(await copy.examine()), [])
        self.assertEqual(list(await copy.drifts()), [])

    async def test_ended(self) -> None:
        """What the caller raises ends the copy; a place that cannot be written is said to be so."""

        def refuse(done: int, total: int) -> None:
            raise KeyError("enough")

        await self.assertFailure(self.store.copy_to(self.mktemp(), refuse), KeyError)
        nowhere = os.path.join(self.mktemp(), "copy")
        await self.assertFailure(
            self.store.copy_to(nowhere, lambda done, total: None), Unavailable
        )

    async def test_closed(self) -> None:
        """Closing the store ends what looks at it; later it cannot be looked at."""
        looking = self.store.examine()
        looking.addErrback(lambda failure: failure.trap(Unavailable))
        await self.store.close()
        await looking
        await self.assertFailure(self.store.examine(), Unavailable)
