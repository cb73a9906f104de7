"""How the SQLite provider reads: at once, from one state, along its indexes."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from typing import Any

from attrs import evolve

from ozgate.interfaces import IMetadataTransaction
from ozgate.metadata.sqlite import transaction, uploads, versions
from ozgate.values import (
    BlobRef,
    ByteRange,
    Content,
    Extent,
    ManagedPolicy,
    ObjectVersion,
)
from tests.unit.metadata.sqlite.databases import SQLiteTests, add_bucket, put


class ReadingTests(SQLiteTests):
    """Reads: at once, without leaving anything open, along the indexes."""

    async def test_fires_at_once(self) -> None:
        """A read has fired when it returns."""
        store = await self.opened()
        self.assertEqual(self.successResultOf(store.read(lambda tx: 1)), 1)

    async def test_no_snapshot_is_left(self) -> None:
        """After reads, also those that stop in mid-page or fail, the log can be emptied."""
        store = await self.opened()
        bucket = await store.write(add_bucket)
        for number in range(30):
            await store.write(put, bucket, f"{number:02}/x")

        def fail(tx: IMetadataTransaction) -> None:
            tx.page(bucket, "", "", "/", 3)
            raise KeyError()

        await store.read(lambda tx: tx.page(bucket, "", "", "", 3))
        await store.read(lambda tx: tx.page(bucket, "", "", "/", 3))
        await store.read(lambda tx: tx.version_page(bucket, "", "", "", "/", 3))
        await self.assertFailure(store.read(fail), KeyError)
        busy, log, moved = self.sql("PRAGMA wal_checkpoint(TRUNCATE)")[0]
        self.assertEqual((busy, log, moved), (0, 0, 0))

    async def test_one_snapshot(self) -> None:
        """All statements of one reading interaction see the same state."""
        store = await self.opened()
        bucket = await store.write(add_bucket)

        def interaction(tx: IMetadataTransaction) -> tuple[bool, bool]:
            before = tx.setting("id")
            with closing(sqlite3.connect(self.path)) as other, other:
                other.execute("INSERT INTO settings VALUES ('id', x'01')")
            return before is None, tx.setting("id") is None

        self.assertEqual(await store.read(interaction), (True, True))
        self.assertEqual(await store.read(lambda tx: tx.setting("id")), b"\x01")
        self.assertTrue(await store.read(lambda tx: tx.is_empty(bucket)))

    async def test_kept_between_commits(self) -> None:
        """What was read is not asked for again, until anybody commits anything: then nothing of it is known any more."""
        store = await self.opened()
        bucket = await store.write(add_bucket)
        await store.write(put, bucket, "key")
        asked: list[str] = []

        def look(tx: Any) -> tuple[Any, Any]:
            tx._connection.set_trace_callback(asked.append)
            try:
                found, version = (
                    tx.bucket(bucket.volume, bucket.name),
                    tx.latest(bucket, "key"),
                )
                if version is not None:
                    tx.content(bucket, version, ByteRange(0, version.size))
                return found, version
            finally:
                tx._connection.set_trace_callback(None)

        first = await store.read(look)
        self.assertEqual(len(asked), 3)
        self.assertEqual(await store.read(look), first)
        self.assertEqual(len(asked), 3)
        changed = evolve(first[1], storage_class="GLACIER")
        await store.write(lambda tx: tx.replace_version(bucket, changed))
        _, version = await store.read(look)
        self.assertEqual(version.storage_class, "GLACIER")
        self.assertEqual(len(asked), 6)
        with closing(sqlite3.connect(self.path)) as other, other:
            other.execute("DELETE FROM versions")
        self.assertEqual(await store.read(look), (first[0], None))
        renamed = evolve(first[0], owner="other")
        await store.write(lambda tx: tx.replace_bucket(renamed))
        found, _ = await store.read(look)
        self.assertEqual(found.owner, "other")

    async def test_kept_documents(self) -> None:
        """A bucket's document and the rows of who is who are as they were committed last, too; no more documents are kept than there is room for."""
        store = await self.opened()
        bucket = await store.write(add_bucket)

        def write(tx: IMetadataTransaction, document: bytes) -> None:
            tx.set_configuration(bucket, "cors", document)
            tx.put_policy(ManagedPolicy("all", "1", 0, document.decode(), 0))

        def read(tx: IMetadataTransaction) -> tuple[bytes | None, str]:
            policy = tx.policy("all")
            assert policy is not None
            return tx.configuration(bucket, "cors"), policy.document

        for room in (100, 0):
            self.patch(transaction, "KEPT_BYTES", room)
            for document in (b"one", b"two"):
                await store.write(write, document)
                for _ in range(2):
                    found = await store.read(read)
                    self.assertEqual(found, (document, document.decode()))
        await store.write(lambda tx: tx.remove_policy("all"))
        await store.write(lambda tx: tx.set_configuration(bucket, "cors", None))
        gone = await store.read(
            lambda tx: (tx.configuration(bucket, "cors"), tx.policy("all"))
        )
        self.assertEqual(gone, (None, None))

    async def test_kept_contents(self) -> None:
        """Ranges of what is in one place are cut from what was kept, and are the same as those that are asked for; no more bodies are kept than there is room for."""
        store = await self.opened()
        bucket = await store.write(add_bucket)
        blob = Extent(BlobRef("files", "blob", 5000, 7), 100, 4096)
        several = [evolve(blob, offset=n * 1000, length=1000) for n in range(4)]
        stored = {
            "empty": Content(b""),
            "row": Content(bytes(range(256)) * 16),
            "blob": Content(None, (blob,)),
            "several": Content(None, tuple(several)),
        }

        def add(tx: IMetadataTransaction) -> None:
            for key, content in stored.items():
                sequence = tx.next_sequence()
                version = ObjectVersion(key, sequence, 1, size=content.length)
                tx.add_version(bucket, version, content)

        def found(tx: IMetadataTransaction, key: str) -> list[Content]:
            version = tx.latest(bucket, key)
            assert version is not None
            wanted = [(0, version.size), (0, 1), (999, 2), (1000, 0)]
            return [
                tx.content(bucket, version, ByteRange(*each), 64)
                for each in (wanted if version.size else wanted[:1])
            ]

        await store.write(add)
        for room in (4096, 4095):
            self.patch(transaction, "KEPT_BYTES", room)
            for key, content in stored.items():
                asked = await store.write(found, key)
                self.assertEqual(asked[0], content)
                for _ in range(2):
                    self.assertEqual(await store.read(found, key), asked, key)

    async def test_plans(self) -> None:
        """Every hot statement seeks in an index, and none sorts or walks a table."""
        store = await self.opened()
        await store.close()
        for statement in (
            versions.LATEST,
            versions.NAMED,
            versions.PAGE,
            versions.VERSION_PAGE,
            versions.OLDER_VERSIONS,
            uploads.PAGE,
            uploads.LATER_UPLOADS,
            uploads.PARTS_OF,
            uploads.BARE_PARTS,
        ):
            plan = self.sql(f"EXPLAIN QUERY PLAN {statement.replace('?', '1')}")
            details = [row[-1] for row in plan]
            for detail in details:
                self.assertTrue(detail.startswith("SEARCH "), (statement, details))
        plan = self.sql(f"EXPLAIN QUERY PLAN {versions.PAGE.replace('?', '1')}")
        self.assertIn("USING COVERING INDEX current_versions", plan[0][-1])
        for statement, table in (
            (versions.RUN, "versions USING COVERING INDEX current_versions"),
            (versions.VERSION_RUN, "versions USING PRIMARY KEY"),
            (uploads.RUN, "uploads USING INDEX open_uploads"),
        ):
            plan = self.sql("EXPLAIN QUERY PLAN " + re.sub(r"\?\d", "1", statement))
            details = [row[-1] for row in plan if table.split()[0] in row[-1]]
            self.assertEqual(len(details), 2, details)
            for detail in details:
                self.assertTrue(detail.startswith(f"SEARCH {table}"), details)

    async def test_cost_of_what_is_hidden(self) -> None:
        """A page walks neither old versions, nor delete markers, nor what is rolled up."""
        store = await self.opened()
        bucket = await store.write(add_bucket)

        def add(tx: IMetadataTransaction) -> None:
            for number in range(2000):
                for key, marker in (
                    ("a", False),
                    (f"b{number}", True),
                    (f"b/{number}", False),
                    (f"b/{number}", True),
                ):
                    sequence = tx.next_sequence()
                    version = ObjectVersion(
                        key,
                        sequence,
                        1,
                        version_id=f"v{sequence}",
                        is_delete_marker=marker,
                    )
                    tx.add_version(bucket, version, Content(b""))
                put(tx, bucket, f"c/{number}")
            put(tx, bucket, "d")

        await store.write(add)
        steps = 0

        def count() -> int:
            nonlocal steps
            steps += 1
            return 0

        def page(tx: Any) -> Any:
            tx._connection.set_progress_handler(count, 10)
            try:
                return tx.page(bucket, "", "", "/", 10)
            finally:
                tx._connection.set_progress_handler(None, 0)

        found = await store.read(page)
        self.assertEqual([item.key for item in found.items], ["a", "d"])
        self.assertEqual(found.common_prefixes, ("c/",))
        self.assertLess(steps, 50)

        def versions_page(tx: Any) -> Any:
            tx._connection.set_progress_handler(count, 10)
            try:
                rolled = tx.version_page(bucket, "", "a~", "", "/", 1)
                middle = tx.version(bucket, "a", "v4001")
                return rolled, tx.version_page(bucket, "", "a", "v4001", "", 3), middle
            finally:
                tx._connection.set_progress_handler(None, 0)

        steps = 0
        rolled, page_in_key, middle = await store.read(versions_page)
        self.assertEqual((rolled.items, rolled.common_prefixes), ((), ("b/",)))
        self.assertEqual([item.key for item in page_in_key.items], ["a"] * 3)
        self.assertFalse(middle.is_latest)
        self.assertLess(steps, 50)
