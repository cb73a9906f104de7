"""Two gateways over one database and one folder of blobs: the reaper of one waits for a slow client of the other."""

from __future__ import annotations

import os
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from ozgate.background.longreads import EVERY, LASTS, LongReads, join
from ozgate.background.reaper import Reaper
from ozgate.blobs.files.store import FileBlobStore
from ozgate.config.settings import Settings
from ozgate.content.outlet import Sources, begin_read, locate, open_sources
from ozgate.content.readers import Readers
from ozgate.content.stores import BlobStores
from ozgate.errors import Damaged
from ozgate.gateway.gateway import Gateway
from ozgate.interfaces import IMetadataTransaction
from ozgate.metadata.sqlite.store import SQLiteMetadataStore
from ozgate.values import Bucket, ByteRange, Extent
from tests.unit.background.sweeping import (
    DELAY,
    START,
    WAIT,
    add_bucket,
    add_scattered,
    remove_key,
)


class TwoGatewaysTests(TestCase):
    """Two gateways over one database and one folder of blobs: one reaps, and a slow client reads from the other."""

    async def setUp(self) -> None:
        """Open both, with an object in two blobs."""
        self.folder = self.mktemp()
        self.notes = True
        os.mkdir(self.folder)
        self.clock = Clock()
        self.clock.advance(START)
        self.one = await self.gateway("one")
        self.other = await self.gateway("other")
        self.long_reads = LongReads(
            self.other.metadata, self.other.readers, self.clock, "other"
        )
        self.reaper = Reaper(
            self.one.metadata,
            self.one.blobs.default,
            self.one.readers,
            self.clock,
            "one",
            DELAY,
        )
        self.bucket = await self.one.metadata.write(add_bucket)
        extents = [Extent(await self.blob(), 0, 1) for _ in range(2)]
        await self.one.metadata.write(add_scattered, self.bucket, "key", extents)
        self.clock.advance(WAIT)
        self.sources = await self.get()
        self.addCleanup(self.sources.aclose)
        self.clock.advance(1)
        await self.one.metadata.write(remove_key, self.bucket, "key")

    async def gateway(self, process: str) -> Gateway:
        """A gateway of a process."""
        metadata = SQLiteMetadataStore(
            f"{self.folder}/metadata.db", reactor, self.clock
        )
        blobs = FileBlobStore(
            f"{self.folder}/blobs", "files", self.clock, deferToThread, 0
        )
        if process == "one":
            await metadata.prepare()
            await blobs.prepare_store()
            self.addCleanup(blobs.close_store)
        await metadata.open()
        self.addCleanup(metadata.close)
        await blobs.open_store()
        self.addCleanup(blobs.close_store)
        await metadata.write(join, process, "")
        return Gateway(
            Settings(data=self.folder),
            metadata,
            BlobStores(blobs),
            Readers(),
            self.clock,
            deferToThread,
            process=process,
        )

    async def blob(self) -> Any:
        """A blob."""
        sink = self.one.blobs.default.create(100_000)
        sink.write(os.urandom(100_000))
        return await sink.commit()

    async def get(self) -> Sources:
        """Begin to read the object from the other gateway; the second of its blobs is not open yet."""
        token = begin_read(self.other)
        located = await self.other.metadata.read(find, self.bucket, "key")
        return await open_sources(self.other, located, token)

    async def rest(self) -> int:
        """Read what is left."""
        return len([source async for source in self.sources])

    async def wait(self) -> int:
        """Let all the time pass that the reaper ever waits, and reap; tells how many blobs went."""
        for _ in range(int(WAIT / EVERY) + 1):
            self.clock.advance(EVERY)
            if self.notes:
                await self.long_reads.work()
        return await self.reaper.reap()

    async def test_noted(self) -> None:
        """The slow client gets all of it, and the blobs go when it has."""
        for _ in range(3):
            self.assertEqual(await self.wait(), 0)
        self.assertEqual(await self.rest(), 2)
        self.clock.advance(LASTS)
        self.assertEqual(await self.reaper.reap(), 2)

    async def test_not_noted(self) -> None:
        """Without the note its answer would end in the middle."""
        self.notes = False
        self.assertEqual(await self.wait(), 2)
        await self.assertFailure(Deferred.fromCoroutine(self.rest()), Damaged)


def find(tx: IMetadataTransaction, bucket: Bucket, key: str) -> Any:
    """Find out where all bytes of a key are."""
    version = tx.latest(bucket, key)
    assert version is not None
    return locate(tx, bucket, version, ByteRange(0, version.size))
