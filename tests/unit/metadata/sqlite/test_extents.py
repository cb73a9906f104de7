"""The SQLite provider and objects of many extents: what is read of them costs what it is, not what they are."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from itertools import product
from typing import Any

from twisted.internet import reactor
from twisted.trial.unittest import TestCase

from ozgate.errors import Damaged
from ozgate.interfaces import IMetadataTransaction
from ozgate.metadata.sqlite.store import SQLiteMetadataStore
from ozgate.testing.metadata_base import OWNER, blob, part, upload, version
from ozgate.values import (
    EXTENTS_AT_ONCE,
    Bucket,
    ByteRange,
    Content,
    DamagedRow,
    Extent,
    ObjectPart,
    ObjectVersion,
    Volume,
)
from tests.started import started

SIZES = (1, 1_000, 10_000)
LENGTH = 1000
"""Bytes of an extent."""


def add(tx: IMetadataTransaction, bucket: Bucket, key: str, count: int) -> Any:
    """A multipart object with an extent a part; no two are neighbours."""
    content = Content(
        None,
        tuple(
            Extent(blob(f"b{count}x{n}", 10 * LENGTH), 1, LENGTH) for n in range(count)
        ),
    )
    parts = [ObjectPart(number, LENGTH) for number in range(1, count + 1)]
    added = version(tx, key, size=content.length, parts_count=count)
    tx.add_version(bucket, added, content, parts)
    return added


def steps_of(tx: Any, interaction: Callable[[Any], Any]) -> int:
    """How many steps an interaction takes."""
    count = 0

    def step() -> int:
        nonlocal count
        count += 1
        return 0

    tx._connection.set_progress_handler(step, 1)
    try:
        interaction(tx)
    finally:
        tx._connection.set_progress_handler(None, 1)
    return count


class CostTests(TestCase):
    """Steps of SQLite's machine, which do not depend on how fast the computer is."""

    async def setUp(self) -> None:  # type: ignore[override]
        """A store with objects of different numbers of extents."""
        self.store = SQLiteMetadataStore(self.mktemp(), reactor)
        await started(self.store)
        self.addCleanup(self.store.close)
        volume = Volume("s3v", OWNER, 1)
        await self.store.write(lambda tx: tx.add_volume(volume) and 0)
        self.bucket = await self.store.write(
            lambda tx: tx.add_bucket(Bucket("s3v", "bucket", OWNER, 1))
        )
        self.objects: dict[int, ObjectVersion] = {}
        for size in SIZES:
            self.objects[size] = await self.store.write(
                add, self.bucket, f"key{size}", size
            )

    async def steps(self, interaction: Callable[..., Any]) -> int:
        """How many steps reading takes."""
        steps: int = await self.store.read(steps_of, interaction)
        return steps

    async def test_range(self) -> None:
        """Where a byte is, at the beginning, in the middle or at the end, costs the same of any object; a page costs a page."""
        for place, limit in product((0.0, 0.5, 1.0), (0, EXTENTS_AT_ONCE)):
            found = []
            for each in self.objects.values():
                byte = ByteRange(min(int(each.size * place), each.size - 1), 1)
                found.append(
                    await self.steps(
                        lambda tx, v=each, b=byte, n=limit: tx.content(
                            self.bucket, v, b, n
                        )
                    )
                )
            self.assertLessEqual(max(found), 1.5 * min(found), (place, found))
        pages = [
            await self.steps(
                lambda tx, v=each: tx.content(
                    self.bucket, v, ByteRange(0, v.size), EXTENTS_AT_ONCE
                )
            )
            for each in (self.objects[1_000], self.objects[10_000])
        ]
        self.assertLessEqual(pages[1], 1.1 * pages[0], pages)

    async def test_part(self) -> None:
        """The last part of any object costs what the first one does."""
        found = [
            await self.steps(
                lambda tx, v=each, n=number: tx.object_parts(self.bucket, v, n - 1, 1)
            )
            for size, each in self.objects.items()
            for number in (1, size)
        ]
        self.assertLessEqual(max(found), 2 * min(found), found)

    async def test_release(self) -> None:
        """Some extents of a retired version are released at the cost of so many, whatever it has."""
        costs = []
        for each in (self.objects[1_000], self.objects[10_000]):
            await self.store.write(lambda tx, v=each: tx.remove_version(self.bucket, v))
            costs.append(
                await self.store.write(
                    steps_of, lambda tx, v=each: tx.release(v.sequence, 64)
                )
            )
        self.assertLessEqual(costs[1], 1.1 * costs[0], costs)

    async def test_parts_listed(self) -> None:
        """Parts are listed, and their extents counted up to a number, at the same cost whatever they are made of."""
        costs = []
        for count in (10, 1_000):
            begun = await self.store.write(
                lambda tx, n=count: upload(tx, self.bucket, "key", f"u{n}")
            )
            made = part(1, *(f"p{count}x{number}" for number in range(count)))
            await self.store.write(
                lambda tx, u=begun, p=made: tx.put_part(self.bucket, u, p)
            )
            costs.append(
                (
                    await self.steps(
                        lambda tx, u=begun: tx.parts(self.bucket, u, 0, 9, False)
                    ),
                    await self.steps(
                        lambda tx, u=begun: tx.count_extents(self.bucket, u, 10)
                    ),
                )
            )
        for few, many in zip(*costs, strict=True):
            self.assertLessEqual(many, 1.5 * few, costs)

    async def test_lost(self) -> None:
        """An extent that is lost is missed by whoever wants its bytes, and by nobody else."""
        large = self.objects[1_000]
        await self.store.write(
            lambda tx: (
                tx._execute(
                    "DELETE FROM extents WHERE owner = ? AND start = ?",
                    (large.sequence, 500 * LENGTH),
                )
                and 0
            )
        )

        def read(first: int, count: int, limit: int = 0) -> Any:
            wanted = ByteRange(first * LENGTH, count * LENGTH)
            return self.store.read(
                lambda tx: tx.content(self.bucket, large, wanted, limit)
            )

        for first, count, limit in ((0, 500, 0), (501, 499, 0), (0, 1000, 500)):
            found = await read(first, count, limit)
            self.assertEqual(len(found.extents), min(count, limit or count))
        for first, count, limit in (
            (500, 1, 0),
            (499, 2, 0),
            (500, 2, 1),
            (0, 999, 501),
        ):
            await self.assertFailure(read(first, count, limit), Damaged)


class RetiredTests(TestCase):
    """Versions that are gone, and whose extents are still there."""

    async def setUp(self) -> None:  # type: ignore[override]
        """A store with such a version, and one that is there."""
        self.path = self.mktemp()
        self.store = SQLiteMetadataStore(self.path, reactor)
        await started(self.store)
        self.addCleanup(self.store.close)
        volume = Volume("s3v", OWNER, 1)
        await self.store.write(lambda tx: tx.add_volume(volume) and 0)
        bucket = await self.store.write(
            lambda tx: tx.add_bucket(Bucket("s3v", "bucket", OWNER, 1))
        )
        self.there = await self.store.write(add, bucket, "there", 70)
        self.gone = await self.store.write(add, bucket, "gone", 80)
        await self.store.write(lambda tx: tx.remove_version(bucket, self.gone))

    def count(self, statement: str) -> Any:
        """A number that a statement finds."""
        with closing(sqlite3.connect(self.path)) as connection:
            return connection.execute(statement).fetchone()[0]

    async def test_well(self) -> None:
        """Whoever looks over the store finds nothing wrong."""
        self.assertEqual(list(await self.store.examine()), [])
        self.assertEqual(list(await self.store.drifts()), [])
        self.assertEqual(self.count("SELECT COUNT(*) FROM extents"), 150)
        found = await self.store.read(lambda tx: tx.retired(1 << 60, 9))
        self.assertEqual(found, [self.gone.sequence])

    async def test_damaged(self) -> None:
        """A damaged row leads to the bytes of no version that is there; when it is mended, those of the one that is gone are dropped."""
        with closing(sqlite3.connect(self.path)) as connection, connection:
            connection.execute("UPDATE retired SET owner = ?", (self.there.sequence,))
        self.assertEqual(
            list(await self.store.examine()),
            [
                "80 rows of extents belong to no version and no part: nothing is lost, they only take room"
            ],
        )
        found = await self.store.read(lambda tx: tx.retired(1 << 60, 9))
        self.assertEqual(found, [])
        await self.store.write(lambda tx: tx.release(self.there.sequence, 999))
        self.assertEqual(self.count("SELECT COUNT(*) FROM extents"), 150)
        after: Any = ""
        while after is not None:
            rows = await self.store.read(lambda tx, a=after: tx.check_rows(a, 1000))
            for row in rows.damaged:
                self.assertEqual(row.table, "retired")
                await self.store.write(
                    lambda tx, r=row: tx.mend_row(r, "root", frozenset(), frozenset())
                )
            after = rows.next_after
        self.assertEqual(self.count("SELECT COUNT(*) FROM extents"), 70)
        self.assertEqual(self.count("SELECT COUNT(*) FROM doomed"), 80)
        self.assertEqual(list(await self.store.examine()), [])

    async def test_damaged_extent(self) -> None:
        """A damaged extent of a version that is gone is removed by itself; the rest goes as it would have."""
        with closing(sqlite3.connect(self.path)) as connection, connection:
            connection.execute(
                "UPDATE extents SET offset = 5 WHERE owner = ? AND start = 3000",
                (self.gone.sequence,),
            )
        damaged = await self.store.read(_damaged_extents)
        (row,) = damaged
        await self.store.write(
            lambda tx: tx.mend_row(row, "root", frozenset(), frozenset())
        )
        self.assertEqual(self.count("SELECT COUNT(*) FROM extents"), 149)
        done = await self.store.write(lambda tx: tx.release(self.gone.sequence, 999))
        self.assertTrue(done)
        self.assertEqual(self.count("SELECT COUNT(*) FROM extents"), 70)
        self.assertEqual(list(await self.store.examine()), [])


def _damaged_extents(tx: IMetadataTransaction) -> list[DamagedRow]:
    found = []
    after: str | None = ""
    while after is not None:
        rows = tx.check_rows(after, 1000)
        found += [row for row in rows.damaged if row.table == "extents"]
        after = rows.next_after
    return found
