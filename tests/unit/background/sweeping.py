"""Two stores in memory on one clock, and what the tests of those who sweep them do there."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from ozgate.background.longreads import GRACE
from ozgate.background.reaper import LEASE, Reaper
from ozgate.content.intake import ExtentSink
from ozgate.content.readers import Readers
from ozgate.testing.memory_blobs import MemoryBlobStore
from ozgate.testing.memory_metadata import MemoryMetadataStore
from ozgate.testing.metadata_base import change
from ozgate.testing.metadata_needs import claim_whole
from ozgate.values import BlobRef, Bucket, Claim, Content, Extent, ObjectVersion, Volume

START = 1_700_000_000
DELAY = 60
HELD = f"{LEASE} memory"
"""The lease of the store's reaper."""

WAIT = GRACE / 1000 + 1
"""Seconds after which everything that is not noted has ended."""


def add_bucket(tx) -> Bucket:
    """The bucket everything is in."""
    tx.claim(Claim.volume("s3v"), Claim.name("s3v", "b"))
    tx.add_volume(Volume("s3v", "o", tx.now()))
    return tx.add_bucket(Bucket("s3v", "b", "o", tx.now()))


def add_scattered(tx, bucket: Bucket, key: str, extents: list[Extent]) -> None:
    """Make a version whose bytes are here and there."""
    claim_whole(tx, bucket)
    version = ObjectVersion(key, tx.next_sequence(), tx.now(), len(extents))
    tx.add_version(bucket, version, Content(None, tuple(extents)))


def name_content(tx, bucket: Bucket, key: str, content: Content) -> None:
    """Make a version of a new key."""
    claim_whole(tx, bucket)
    version = ObjectVersion(key, tx.next_sequence(), tx.now(), content.length)
    tx.add_version(bucket, version, content)


def name_blob(tx, bucket: Bucket, key: str, blob: BlobRef) -> None:
    """Make a version of a key with a blob's bytes, replacing the one before."""
    claim_whole(tx, bucket)
    before = tx.latest(bucket, key)
    if before is not None:
        tx.remove_version(bucket, before)
    version = ObjectVersion(key, tx.next_sequence(), tx.now(), blob.length)
    content = Content(None, (Extent(blob, 0, blob.length),))
    tx.add_version(bucket, version, content)


def remove_key(tx, bucket: Bucket, key: str) -> None:
    """Remove the version of a key."""
    claim_whole(tx, bucket)
    tx.remove_version(bucket, tx.latest(bucket, key))


class SweepCase(SynchronousTestCase):
    """Both stores in memory, on one clock."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(START)
        self.metadata = MemoryMetadataStore(self.clock)
        self.blobs = MemoryBlobStore(self.clock)
        self.readers = Readers()
        self.successResultOf(self.metadata.open())
        self.successResultOf(self.blobs.open_store())
        self.bucket = self.write(add_bucket)
        self.reaper = self.make_reaper("gateway")

    def make_reaper(self, owner: str, delay: float = DELAY) -> Reaper:
        return Reaper(self.metadata, self.blobs, self.readers, self.clock, owner, delay)

    def write(self, what, *args):
        return self.successResultOf(self.metadata.write(change, what, args))

    def now(self) -> int:
        return int(self.clock.seconds() * 1000)

    def put(self, key: str | None = None, data: bytes = b"data") -> BlobRef:
        """Store a blob, and an object of it when there is a key."""
        sink = self.blobs.create(None)
        sink.write(data)
        blob = self.successResultOf(sink.commit())
        if key is not None:
            self.write(name_blob, self.bucket, key, blob)
        return blob

    def reap(self, reaper: Reaper | None = None) -> int:
        return self.do(reaper or self.reaper, "reap")

    def do(self, worker: Reaper | ExtentSink, what: str, *args):
        """Run a method of a reaper, or of another, to its end."""
        done = Deferred.fromCoroutine(getattr(worker, what)(*args))
        while not done.called:
            self.clock.advance(0)
        return self.successResultOf(done)

    def sweep(self, before: int) -> int | None:
        return self.do(self.reaper, "sweep_orphans", before)

    def kept(self) -> set[str]:
        return set(self.blobs.data)
