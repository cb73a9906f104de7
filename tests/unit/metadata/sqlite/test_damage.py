"""Damaged rows of volumes and buckets: what is in them stays within reach, and every look ends."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from twisted.trial.unittest import TestCase

from ozgate.errors import Damaged
from ozgate.interfaces import IMetadataTransaction
from ozgate.metadata.sqlite.store import SQLiteMetadataStore
from ozgate.values import Bucket, DamagedRow, Drift
from tests.started import started
from tests.unit.metadata.sqlite.metadata_rows import fill, look, still_store

NO_TEXT = "CAST(x'62ff' AS TEXT)"
"""Text that is no UTF-8, in SQL."""


class DamageCase(TestCase):
    """A database that is changed behind the back of its store."""

    async def setUp(self) -> None:
        """Make a database with rows of every kind."""
        self.path = self.mktemp()
        store = still_store(self.path)
        await started(store)
        await store.write(fill)
        await store.close()
        self.original = contents(self.path)

    async def changed(self, *statements: str) -> SQLiteMetadataStore:
        """The store, changed behind its back: each statement changes a row."""
        change(self.path, self.original, statements)
        store = still_store(self.path)
        await started(store)
        self.addCleanup(store.close)
        return store


class WalkTests(DamageCase):
    """Walks through everything, which a backup and a scrub take."""

    async def test_blobs(self) -> None:
        """A row of bytes that is damaged, whichever column it is, keeps none of the others from being told of."""
        others = ["c2", "p1", "p2", "p4", "p5", "z1"]
        for column in ("store", "blob", "blob_length", "blob_crc64nvme", "owner"):
            for wrong in (NO_TEXT, "'X y'", "''", "x'00'", "70"):
                store = await self.changed(
                    f"UPDATE extents SET {column} = {wrong} WHERE blob = 'c1'"
                )
                found = await store.read(lambda tx: tx.blobs(("", ""), 99))
                for blob in found:
                    self.assertIsInstance(blob.length + blob.crc64nvme, int)
                ids = [each.id for each in found]
                self.assertEqual([each for each in ids if each in others], others)
                await store.close()


class CloseUpTests(DamageCase):
    """A volume or bucket whose row is damaged stays, with all that is in it."""

    async def mended(self, table: str, number: int, wrong: str) -> SQLiteMetadataStore:
        """A store with rows of every kind, one of which is changed behind its back, and then mended."""
        store = await self.changed(
            f"UPDATE {table} SET {wrong} WHERE number = {number}"
        )
        [row] = await damaged_rows(store)
        self.assertEqual((row.table, row.place), (table, (number,)))
        # Looks that change nothing come to an end before that, too.
        await store.drifts()
        self.done = await store.write(mend, row)
        self.assertEqual(await damaged_rows(store), [])
        self.assertEqual(await store.examine(), [])
        return store

    async def members(self, store: SQLiteMetadataStore) -> list[tuple[str, str, int]]:
        """The buckets of all volumes: where they are, and bytes in them. Everything in them can be read."""
        await store.read(look)
        return await store.read(buckets)

    async def test_any_column(self) -> None:
        """Whatever a column of a bucket has in it that is no text, or not of its kind, it is as in a new bucket then; but versions are kept, for they may have been."""
        for column, wrong in (
            *((name, NO_TEXT) for name in ("owner", "region", "versioning", "layout")),
            *((name, NO_TEXT) for name in ("acls", "configured", "source_volume")),
            *((name, "'x'") for name in ("created", "quota_bytes", "quota_names")),
            *((name, "x'00ff'") for name in ("region", "layout", "modified")),
            ("source_volume", "'vol1'"),
            ("source_bucket", "'data'"),
            ("configured", "'xyz'"),
        ):
            store = await self.mended("buckets", 1, f"{column} = {wrong}")
            [found, _] = await store.read(in_volume, "s3v")
            expected = Bucket("s3v", "bucket", "root", 0, versioning="Enabled")
            self.assertEqual((found.name, found.owner), ("bucket", "root"))
            self.assertEqual(found.configured, {"policy"})
            self.assertIsNone(found.source)
            for member in ("created", "quota_bytes", "quota_names", "modified"):
                self.assertIsInstance(getattr(found, member), int)
            for member in ("region", "versioning", "layout"):
                if member == column:
                    self.assertEqual(getattr(found, member), getattr(expected, member))
            self.assertIn(("s3v", "bucket", 31), await self.members(store))
            await store.close()

    async def test_any_column_of_a_volume(self) -> None:
        """Likewise of a volume."""
        for change in (
            *(f"{name} = {NO_TEXT}" for name in ("owner", "admin", "acls")),
            *(f"{name} = 'x'" for name in ("created", "quota_bytes", "modified")),
        ):
            store = await self.mended("volumes", 2, change)
            found = await store.read(lambda tx: tx.volume("vol1"))
            self.assertEqual((found.owner, found.acls), ("root", ()))
            self.assertIsInstance(found.created + found.quota_bytes, int)
            self.assertIn(("vol1", "data", 50), await self.members(store))
            await store.close()

    async def test_name_of_a_bucket(self) -> None:
        """A bucket whose name nobody can ask for has another one, which is said."""
        for wrong in (NO_TEXT, "'buc*et'", "x'62'"):
            store = await self.mended("buckets", 1, f"name = {wrong}")
            self.assertIn("called damaged-1", self.done)
            self.assertIn(("s3v", "damaged-1", 31), await self.members(store))
            await store.close()

    async def test_another_name_of_a_bucket(self) -> None:
        """One that can be asked for stays, since nobody knows which it was."""
        store = await self.mended("buckets", 1, "name = 'bucjet'")
        self.assertIn(("s3v", "bucjet", 31), await self.members(store))

    async def test_volume_of_a_bucket(self) -> None:
        """A bucket is in a volume that is there: in the one that misses it."""
        for wrong in (NO_TEXT, "'vom1'"):
            store = await self.mended("buckets", 3, f"volume = {wrong}")
            self.assertIn(("vol1", "data", 50), await self.members(store))
            self.assertEqual(await store.drifts(), [])
            await store.close()

    async def test_name_of_a_volume(self) -> None:
        """A volume has the name by which its buckets know it."""
        for wrong in (NO_TEXT, "'vom1'", "'vol*'"):
            store = await self.mended("volumes", 2, f"name = {wrong}")
            self.assertIn(("vol1", "data", 50), await self.members(store))
            self.assertEqual(await store.drifts(), [])
            await store.close()

    async def test_name_of_an_empty_volume(self) -> None:
        """A volume that no bucket knows has a name that can be asked for."""
        store = await self.changed(
            "DELETE FROM buckets WHERE number = 3",
            f"UPDATE volumes SET name = {NO_TEXT} WHERE number = 2",
        )
        [row] = await damaged_rows(store)
        await store.write(mend, row)
        found = await store.read(lambda tx: tx.volumes("", "", 9))
        self.assertEqual([each.name for each in found], ["damaged-2", "s3v"])

    async def test_counters(self) -> None:
        """A counter that is no number any more is counted anew, and its bucket or volume can be read again."""
        for table, name in (("buckets", "bucket"), ("volumes", "vol1")):
            for column in ("used_bytes", "used_names"):
                for wrong in ("'x'", "x'00'"):
                    store = await self.changed(
                        f"UPDATE {table} SET {column} = {wrong} WHERE name = '{name}'"
                    )
                    await self.assertFailure(store.read(look), Damaged)
                    [drift] = await store.drifts()
                    await store.write(correct, drift)
                    self.assertEqual(await store.drifts(), [])
                    self.assertEqual(len(await self.members(store)), 3)
                    await store.close()


def contents(path: str) -> bytes:
    """What a file has in it."""
    return Path(path).read_bytes()


def change(path: str, original: bytes, statements: Iterable[str]) -> None:
    """Write a database, and change a row with each statement."""
    Path(path).write_bytes(original)
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            assert connection.execute(statement).rowcount == 1


def correct(tx: IMetadataTransaction, drift: Drift) -> None:
    """Correct counters."""
    tx.correct_usage(drift.volume, drift.bucket, drift.more_bytes, drift.more_names)


def mend(tx: IMetadataTransaction, row: DamagedRow) -> str:
    """Mend a row, for root."""
    return tx.mend_row(row, "root", frozenset(), frozenset())


def in_volume(tx: IMetadataTransaction, volume: str) -> list[Bucket]:
    """The buckets of a volume."""
    return list(tx.buckets(volume, "", "", 99))


def buckets(tx: IMetadataTransaction) -> list[tuple[str, str, int]]:
    """All buckets, and the bytes that each has."""
    return [
        (volume.name, bucket.name, tx.recount(bucket)[0])
        for volume in tx.volumes("", "", 99)
        for bucket in tx.buckets(volume.name, "", "", 99)
    ]


async def damaged_rows(store: SQLiteMetadataStore) -> list[DamagedRow]:
    """What looking through all rows finds."""
    found: list[DamagedRow] = []
    after: str | None = ""
    while after is not None:
        rows = await store.read(_check, after)
        found += rows.damaged
        after = rows.next_after
    return found


def _check(tx: IMetadataTransaction, after: str) -> object:
    return tx.check_rows(after, 3)
