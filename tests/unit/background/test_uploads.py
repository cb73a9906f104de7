"""Multipart uploads that nobody completes."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from attrs import evolve
from twisted.internet import reactor
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase, TestCase

from ozgate.background.uploads import LEASE, TERM, UploadExpiry
from ozgate.metadata.declared.tables import CHECKED
from ozgate.metadata.sqlite.store import SQLiteMetadataStore
from ozgate.testing.memory_metadata import MemoryMetadataStore
from ozgate.testing.metadata_base import ask, change
from ozgate.testing.metadata_needs import claim_whole
from ozgate.values import (
    BlobRef,
    Bucket,
    Claim,
    Content,
    Extent,
    ObjectVersion,
    Part,
    Upload,
    Volume,
)
from tests.started import started

AGE = 7 * 86400.0
INTERVAL = 3600.0


def add_bucket(tx) -> Bucket:
    """The bucket everything is in."""
    tx.claim(Claim.volume("s3v"), Claim.name("s3v", "b"))
    tx.add_volume(Volume("s3v", "o", tx.now()))
    return tx.add_bucket(Bucket("s3v", "b", "o", tx.now()))


def begin(tx, bucket: Bucket, key: str, number: int) -> Upload:
    """Begin an upload with one part."""
    upload = Upload(key, f"{number:08}", tx.now(), "o")
    claim_whole(tx, bucket)
    tx.add_upload(bucket, upload)
    blob = BlobRef("memory", f"{number:024}", 10, 0)
    content = Content(None, (Extent(blob, 0, 10),))
    tx.put_part(bucket, upload, Part(1, 10, "etag", tx.now(), content=content))
    return upload


def complete(tx, bucket: Bucket, upload: Upload) -> None:
    """Complete an upload."""
    claim_whole(tx, bucket)
    version = ObjectVersion(upload.key, tx.next_sequence(), tx.now())
    tx.complete_upload(bucket, evolve(upload, completed=version))


class UploadExpiryTests(SynchronousTestCase):
    """:class:`UploadExpiry`."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(1_700_000_000)
        self.metadata = MemoryMetadataStore(self.clock)
        self.successResultOf(started(self.metadata))
        self.bucket = self.write(add_bucket)
        self.service = UploadExpiry(self.metadata, self.clock, "gateway", AGE, INTERVAL)

    def write(self, what, *args):
        return self.successResultOf(self.metadata.write(change, what, args))

    def start(self) -> None:
        self.service.startService()
        self.addCleanup(lambda: self.service.running and self.service.stopService())

    def uploads(self) -> list[str]:
        """The keys of all uploads, completed ones too."""
        reading = self.metadata.read(ask, "uploads_before", (1 << 60, 1000))
        return sorted(upload.key for _, upload in self.successResultOf(reading))

    def doomed(self) -> int:
        """How many blobs are doomed."""
        reading = self.metadata.read(ask, "doomed", ("memory", 1 << 60, 1000))
        return len(self.successResultOf(reading))

    def test_old(self) -> None:
        """An upload older than the age goes, its parts doomed; a younger one stays."""
        self.write(begin, self.bucket, "old", 1)
        self.clock.advance(AGE)
        self.write(begin, self.bucket, "young", 2)
        self.start()
        self.assertEqual(self.uploads(), ["old", "young"])
        self.clock.advance(INTERVAL)
        self.assertEqual(self.uploads(), ["young"])
        self.assertEqual(self.doomed(), 1)

    def test_in_time(self) -> None:
        """One second before its time an upload is there, and a round later it is not."""
        self.write(begin, self.bucket, "a", 1)
        self.start()
        self.clock.pump([INTERVAL] * int(AGE / INTERVAL))
        self.assertEqual(self.uploads(), ["a"])
        self.clock.advance(INTERVAL)
        self.assertEqual(self.uploads(), [])

    def test_completed(self) -> None:
        """A completed upload is forgotten at the same age."""
        upload = self.write(begin, self.bucket, "a", 1)
        self.write(complete, self.bucket, upload)
        self.start()
        self.assertEqual(self.uploads(), ["a"])
        self.clock.advance(AGE + INTERVAL)
        self.assertEqual(self.uploads(), [])

    def test_many(self) -> None:
        """However many there are, one round aborts them all."""
        for n in range(23):
            self.write(begin, self.bucket, f"k{n}", n)
        self.clock.advance(AGE + 1)
        self.start()
        self.assertEqual(self.uploads(), [])
        self.assertEqual(self.doomed(), 23)

    def test_lease(self) -> None:
        """While another holds the lease nothing is done; the next round makes up for it."""
        self.write(begin, self.bucket, "a", 1)
        self.clock.advance(AGE + 1)
        self.write("lease", LEASE, "other", TERM)
        self.start()
        self.assertEqual(self.uploads(), ["a"])
        self.clock.advance(INTERVAL)
        self.assertEqual(self.uploads(), [])

    def test_lost_lease(self) -> None:
        """Another that came between two batches ends the round; the next one makes up for it."""
        for n in range(8):
            self.write(begin, self.bucket, f"k{n}", n)
        self.clock.advance(AGE + 1)
        write = self.metadata.write

        def losing(*args, **named):
            done = write(*args, **named)
            self.clock.rightNow += TERM
            self.successResultOf(write(change, "lease", (LEASE, "other", 0)))
            return done

        self.patch(self.metadata, "write", losing)
        self.start()
        self.assertEqual(len(self.uploads()), 3)
        self.patch(self.metadata, "write", write)
        self.clock.advance(INTERVAL)
        self.assertEqual(self.uploads(), [])

    def test_stop(self) -> None:
        """Stopped, it leaves no delayed call."""
        self.start()
        self.successResultOf(self.service.stopService())
        self.assertEqual(self.clock.getDelayedCalls(), [])


class DamageTests(TestCase):
    """On SQLite, whose rows may be damaged."""

    async def test_beside_damaged_rows(self) -> None:
        """Uploads whose rows are damaged, or those of their parts, keep no other from expiring."""
        path = self.mktemp()
        metadata = SQLiteMetadataStore(path, reactor)
        await started(metadata)
        self.addCleanup(metadata.close)
        bucket = await metadata.write(add_bucket)
        for n in range(20):
            await metadata.write(begin, bucket, f"key{n:02}", n)
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("UPDATE uploads SET initiated = number")
            connection.execute(
                "UPDATE parts SET etag = 'x' WHERE upload BETWEEN 7 AND 13"
            )
            mend(connection)
            connection.execute("UPDATE uploads SET owner = 'x' WHERE number < 7")
        service = UploadExpiry(metadata, Clock(), "gateway", AGE, INTERVAL)
        service.running = True
        await service.work()
        with closing(sqlite3.connect(path)) as connection:
            left = connection.execute("SELECT number FROM uploads").fetchall()
        self.assertEqual(left, [(n,) for n in range(1, 14)])


def mend(connection: sqlite3.Connection) -> None:
    """Have the rows of uploads agree with their checks."""
    (table,) = [each for each in CHECKED if each.name == "uploads"]
    columns = ", ".join(table.columns)
    connection.create_function("checked", len(table.columns), table.check)
    connection.execute(f"UPDATE uploads SET checked = checked({columns})")
