"""Bits that flip on the disk: each read gives what was written, or fails; never other bytes.

In this process, without a network; :mod:`tests.crash.test_bit_rot_service` asks a whole service.
"""

# ruff: noqa: ASYNC230, ASYNC240
# Nothing else waits while a test looks at its files.

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

from attrs import evolve
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase, TestCase

from ozgate.auth.sealing import MasterKey
from ozgate.auth.secretstore import MetadataSecretStore
from ozgate.blobs.files import syscalls
from ozgate.blobs.files.blobfile import BLOCK, TRAILER, file_size
from ozgate.blobs.files.knownblocks import KnownBlocks
from ozgate.blobs.files.store import FileBlobStore
from ozgate.errors import Absent, Damaged, StoreError
from ozgate.metadata.sqlite.tables import CHECKED
from ozgate.testing.blob_contract import Reader
from ozgate.values import (
    BlobRef,
    ByteRange,
    Content,
    DamagedRow,
    ObjectPart,
    ObjectVersion,
)
from tests.crash.bit_rot import (
    RIGHT,
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
from tests.unit.metadata.sqlite.metadata_rows import fill, still_store

SEED = 4


class BlobTests(SynchronousTestCase):
    """Files of blobs."""

    def setUp(self) -> None:
        """A store in which threads are calls."""
        self.path = self.mktemp()
        self.clock = Clock()
        self.clock.advance(1_700_000_000)
        self.store = self.opened()

    def opened(self) -> FileBlobStore:
        """A store over the same files, as after a start."""
        store = FileBlobStore(self.path, "files", self.clock, maybeDeferred, 10)
        self.successResultOf(started(store))
        self.addCleanup(store.close_store)
        return store

    def restart(self) -> None:
        """Forget what was verified."""
        self.successResultOf(self.store.close_store())
        self.store = self.opened()

    def put(self, data: bytes) -> BlobRef:
        """Store a blob."""
        sink = self.store.create(len(data))
        sink.write(data)
        return self.successResultOf(sink.commit())

    def file(self, blob: BlobRef) -> str:
        """The path of a blob's file."""
        return self.store.file_of(blob.id)

    def flip(self, blob: BlobRef, bit: int) -> None:
        """Flip one bit of a blob's file."""
        with open(self.file(blob), "r+b") as file:
            file.seek(bit // 8)
            byte = file.read(1)[0]
            file.seek(bit // 8)
            file.write(bytes([byte ^ 1 << bit % 8]))

    def ways(
        self, blob: BlobRef, offset: int, length: int
    ) -> Iterator[Callable[[], bytes | None]]:
        """The ways in which a run of a blob is read, each from a source of its own."""

        def pushed(source: Any) -> bytes:
            reader = Reader()
            found: list[Any] = []
            sending: Deferred[None] = source.send_to(reader)
            sending.addBoth(found.append)
            while not found:
                self.clock.advance(1)
            if found[0] is not None:
                # What came before the damage must be right, too.
                self.partial = reader.data
                found[0].raiseException()
            return reader.data

        def mapped(source: Any) -> bytes | None:
            place = source.as_file()
            return None if place is None else os.pread(place[0], place[2], place[1])

        for way in (lambda source: source.as_bytes(), mapped, pushed):

            def read(way: Callable[[Any], bytes | None] = way) -> bytes | None:
                opening = self.store.open(blob, ByteRange(offset, length))
                source = self.successResultOf(opening.addErrback(lambda f: f.value))
                if isinstance(source, Exception):
                    raise source
                try:
                    return way(source)
                finally:
                    source.close()

            yield read

    def reads(self, blob: BlobRef, data: bytes, offset: int, length: int) -> list[str]:
        """Read a run in every way, and see that none gives wrong bytes: ``right``, ``damaged`` or ``none`` for each."""
        expected = data[offset : offset + length]
        found = []
        for read in self.ways(blob, offset, length):
            self.partial = b""
            try:
                got = read()
            except Damaged:
                self.assertTrue(expected.startswith(self.partial))
                found.append("damaged")
            else:
                self.assertIn(got, (expected, None))
                found.append("none" if got is None else "right")
        return found

    def test_every_bit_of_a_small_file(self) -> None:
        """Whichever bit of a blob of one block flips, data, table or trailer, no way of reading gives a byte of it."""
        data = Random(SEED).randbytes(60)
        blob = self.put(data)
        for bit in range(file_size(len(data)) * 8):
            self.flip(blob, bit)
            self.assertEqual(
                self.reads(blob, data, 0, 60), ["damaged", "none", "damaged"], bit
            )
            self.assertNotIn("right", self.reads(blob, data, 20, 10), bit)
            self.flip(blob, bit)
        self.assertEqual(self.reads(blob, data, 0, 60), ["right", "none", "right"])

    def test_every_part_of_a_large_file(self) -> None:
        """In blobs of several blocks, blocks that no bit flipped in are read; no other byte is, in any way."""
        data = Random(SEED).randbytes(2 * BLOCK + 300)
        blob = self.put(data)
        runs = ((0, len(data)), (10, 100), (BLOCK - 5, 10), (2 * BLOCK, 300))
        end = file_size(len(data))
        table = len(data)
        for position in (
            *(0, 15, BLOCK - 1, BLOCK, 2 * BLOCK - 1, 2 * BLOCK, len(data) - 1),
            *range(table, end - TRAILER.size, 5),
            *range(end - TRAILER.size, end),
        ):
            self.flip(blob, position * 8 + position % 8)
            for offset, length in runs:
                found = self.reads(blob, data, offset, length)
                first, last = offset // BLOCK, (offset + length - 1) // BLOCK
                if position >= table or first <= position // BLOCK <= last:
                    self.assertEqual(found[0::2], ["none", "damaged"], position)
                    self.assertNotEqual(found[1], "right", position)
                else:
                    self.assertEqual(found[2], "right", (position, offset))
            self.flip(blob, position * 8 + position % 8)
        self.assertEqual(self.reads(blob, data, 0, len(data))[2], "right")

    def test_every_length(self) -> None:
        """A file that is cut off, or longer than it was, is damaged at each of its ends."""
        for length in (0, 1, 100, BLOCK, BLOCK + 1):
            data = Random(SEED).randbytes(length)
            blob = self.put(data)
            size = file_size(length)
            for cut in {
                0,
                1,
                length - 1,
                length,
                size - TRAILER.size,
                size - 1,
                size + 1,
            }:
                if cut in (-1, size):
                    continue
                shutil.copy(self.file(blob), f"{self.path}-kept")
                os.truncate(self.file(blob), cut)
                opening = self.store.open(blob, ByteRange(0, length))
                self.failureResultOf(opening, Damaged)
                os.replace(f"{self.path}-kept", self.file(blob))

    def test_swapped(self) -> None:
        """A file in the place of another one of the same length is damage, also where sendfile was allowed before."""
        for length in (100, BLOCK + 100):
            one, other = Random(1).randbytes(length), Random(2).randbytes(length)
            first, second = self.put(one), self.put(other)
            self.assertIn("right", self.reads(first, one, 0, length))
            paths = self.file(first), self.file(second)
            for old, new in (
                (paths[0], f"{self.path}-kept"),
                (paths[1], paths[0]),
                (f"{self.path}-kept", paths[1]),
            ):
                os.replace(old, new)
            for blob, data in ((first, one), (second, other)):
                for offset, count in ((0, length), (50, 10)):
                    found = self.reads(blob, data, offset, count)
                    self.assertNotIn("right", found)
                    self.assertIn("damaged", found)

    def test_sendfile_after_verification(self) -> None:
        """After a start a file is not for sendfile until each of its blocks was read and held against its checksum."""
        data = Random(SEED).randbytes(2 * BLOCK + 1)
        blob = self.put(data)
        everything, end = (0, len(data)), (2 * BLOCK, 1)
        self.assertEqual(self.reads(blob, data, *everything)[1], "right")
        self.restart()
        self.assertEqual(self.reads(blob, data, *end), ["none", "none", "right"])
        self.assertEqual(self.reads(blob, data, *end), ["right"] * 3)
        self.assertEqual(self.reads(blob, data, *everything), ["none", "none", "right"])
        self.assertEqual(
            self.reads(blob, data, *everything), ["none", "right", "right"]
        )

    def test_unnoticed_change(self) -> None:
        """What flips without the file system's knowing is found when a scrub comes by, and by reads when time is up."""
        self.patch(syscalls, "stamp", lambda fd: (os.fstat(fd).st_size, 0, 0))
        now = [0.0]
        for scrub in (True, False):
            data = Random(SEED).randbytes(BLOCK + 1)
            self.store.known = KnownBlocks(60.0, seconds=lambda: now[0])
            blob = self.put(data)
            self.flip(blob, 8)
            [_, mapped, _] = list(self.ways(blob, 0, len(data)))
            self.assertIsNotNone(mapped())
            if scrub:
                self.failureResultOf(self.store.verify(blob.id), Damaged)
            else:
                now[0] += 60
            self.assertEqual(
                self.reads(blob, data, 0, len(data)), ["none", "none", "damaged"]
            )

    def test_deleted(self) -> None:
        """Nothing is remembered of a blob that was deleted."""
        blob = self.put(bytes(BLOCK))
        self.assertEqual(len(self.store.known), 1)
        self.successResultOf(self.store.delete(blob.id))
        self.assertEqual(len(self.store.known), 0)


class VerifiedTests(SynchronousTestCase):
    """The record of what was verified."""

    def setUp(self) -> None:
        """A record of three blobs."""
        self.now = 0.0
        self.known = KnownBlocks(10.0, 3, lambda: self.now)

    def holds(self, blob: str, stamp: int = 1, first: int = 0, last: int = 0) -> bool:
        """Whether blocks are known."""
        return self.known.holds(blob, (stamp, 0, 0), first, last)

    def note(self, blob: str, block: int = 0, blocks: int = 3) -> None:
        """Note a block."""
        self.known.note(blob, (1, 0, 0), block, blocks)

    def test_blocks(self) -> None:
        """A run is known when each of its blocks is."""
        self.note("a", 0)
        self.note("a", 2)
        self.assertTrue(self.holds("a", first=2, last=2))
        self.assertFalse(self.holds("a", first=0, last=2))
        self.note("a", 1)
        self.assertTrue(self.holds("a", first=0, last=2))

    def test_stamp(self) -> None:
        """A file that was changed is not known, whatever was known of it."""
        self.note("a", 0, 1)
        self.assertFalse(self.holds("a", stamp=2))
        self.assertFalse(self.holds("a"))

    def test_age(self) -> None:
        """Time runs from the first block: the others become not known with it."""
        self.note("a", 0)
        self.now = 9.0
        self.note("a", 1)
        self.assertTrue(self.holds("a", last=1))
        self.now = 10.0
        self.assertFalse(self.holds("a", first=1, last=1))

    def test_never(self) -> None:
        """With a time of nothing, nothing is ever known."""
        self.known = KnownBlocks(0.0, 3, lambda: self.now)
        self.known.note_all("a", (1, 0, 0))
        self.assertFalse(self.holds("a"))

    def test_bounded(self) -> None:
        """Of too many blobs, that goes which was used the longest ago."""
        for blob in ("a", "b", "c"):
            self.note(blob)
        self.assertTrue(self.holds("a"))
        self.note("d")
        self.assertEqual(len(self.known), 3)
        self.assertFalse(self.holds("b"))
        self.assertTrue(self.holds("a") and self.holds("c") and self.holds("d"))


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
            await store.write(lambda tx, r=row: tx.mend_row(r, "root"))
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
        await store.write(lambda tx: tx.mend_row(row, "root"))
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
                        await store.write(lambda tx, r=row: tx.mend_row(r, "root"))
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
