"""Rows of the metadata that bits flipped in are got rid of, and nothing else goes."""

# ruff: noqa: ASYNC240
# Nothing else waits while a test looks at its files.

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

from twisted.trial.unittest import TestCase

from ozgate.errors import Damaged
from tests.crash.bit_rot import (
    RIGHT,
    SEED,
    columns_of,
    flipped,
    made,
    outcome,
    put_column,
)
from tests.started import started
from tests.unit.metadata.sqlite.metadata_rows import fill, still_store


class MendTests(TestCase):
    """Getting rid of damaged rows."""

    async def test_every_row(self) -> None:
        """Whichever row is damaged, looking finds it, mending gets rid of it, and nothing else goes."""
        path = self.mktemp()
        reads = await made(path)
        original = Path(path).read_bytes()
        rows = {(t.name, place): (t, n, v) for t, n, place, v in columns_of(path)}
        random = Random(SEED)
        for (_, place), (table, name, value) in rows.items():
            Path(path).write_bytes(original)
            with closing(sqlite3.connect(path)) as connection:
                wrong = flipped(value, random)
                put_column(
                    connection, table, name, place, wrong, isinstance(value, str)
                )
                connection.commit()
            store = still_store(path)
            await started(store)
            done = await self.mended(store)
            self.assertEqual(len(done), 1, (table.name, place, done))
            outcomes = {read.about: await outcome(store, read) for read in reads}
            self.assertNotIn("refused", outcomes.values(), table.name)
            lost = sum(was != RIGHT for was in outcomes.values())
            self.assertLessEqual(lost, 9, (table.name, place, outcomes))
            self.assertEqual(await store.examine(), [], (table.name, place))
            await store.close()

    async def test_indexes_that_disagree(self) -> None:
        """A row that was changed behind its indexes' back goes too."""
        path = self.mktemp()
        await made(path)
        data = Path(path).read_bytes()
        etag = b"f" * 32 + b"-1"
        places = [at for at in range(len(data)) if data.startswith(etag, at)]
        said = []
        for place in places:
            changed = bytearray(data)
            changed[place] ^= 1
            Path(path).write_bytes(changed)
            store = still_store(path)
            await started(store)
            for done in await self.mended(store):
                said.append(done)
                self.assertEqual(await store.examine(), [])
            await store.close()
        # The version, and the upload that became it; one place is the index.
        self.assertEqual((len(places), said), (3, ["it is removed"] * 2))

    async def mended(self, store: Any) -> list[str]:
        """Mend everything that looking finds; what was said."""
        said = []
        for _ in range(2):
            after: str | None = ""
            while after is not None:
                rows = await store.read(lambda tx, a=after: tx.check_rows(a, 4))
                for row in rows.damaged:
                    said.append(
                        await store.write(
                            lambda tx, r=row: tx.mend_row(
                                r, "root", frozenset(), frozenset()
                            )
                        )
                    )
                after = rows.next_after
        return said

    async def test_closed(self) -> None:
        """A bucket whose row was damaged belongs to who mended it, and nobody else has a right to it."""
        path = self.mktemp()
        store = still_store(path)
        await started(store)
        self.addCleanup(store.close)
        await store.write(fill)
        with closing(sqlite3.connect(path)) as connection:
            connection.execute(
                "UPDATE buckets SET acls = replace(acls, 'bob', 'eve') WHERE name = 'bucket'"
            )
            connection.commit()
        reading = store.read(lambda tx: tx.bucket("s3v", "bucket"))
        await self.assertFailure(reading, Damaged)
        await self.mended(store)
        bucket = await store.read(lambda tx: tx.bucket("s3v", "bucket"))
        self.assertEqual((bucket.owner, bucket.acls), ("root", ()))
        page = await store.read(lambda tx: tx.page(bucket, "", "", "", 9))
        self.assertEqual([item.key for item in page.items], ["bä", "c"])
