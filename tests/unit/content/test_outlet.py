"""Stored bytes on their way out: cutting extents, and opening them one by one."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import fail
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase, TestCase
from zope.interface import directlyProvides

from ozgate.background.reaper import Reaper
from ozgate.content.outlet import HELD, Sources, begin_read, locate, open_sources
from ozgate.content.readers import Readers
from ozgate.content.stores import BlobStores
from ozgate.errors import Absent, Damaged, Unavailable
from ozgate.interfaces import IBlobStore, IOpenedAhead
from ozgate.testing.memory_blobs import MemoryBlobStore
from ozgate.testing.memory_metadata import MemoryMetadataStore
from ozgate.testing.metadata_base import OWNER, change, put
from ozgate.values import (
    EXTENTS_AT_ONCE,
    BlobRef,
    Bucket,
    ByteRange,
    Content,
    Extent,
    ObjectVersion,
    Volume,
)
from ozgate.wire.limits import BodyMemory


class CutTests(SynchronousTestCase):
    """What of a content a range covers."""

    @given(
        st.lists(st.tuples(st.integers(0, 5), st.integers(1, 9)), max_size=6),
        st.data(),
    )
    def test_extents(self, runs: list[tuple[int, int]], data: Any) -> None:
        """Cut extents name just the bytes of the range, in order, and none is empty."""
        extents = tuple(
            Extent(BlobRef("s", str(at), 99, 0), offset, length)
            for at, (offset, length) in enumerate(runs)
        )
        size = sum(length for _, length in runs)
        low = data.draw(st.integers(0, size))
        wanted = ByteRange(low, data.draw(st.integers(0, size - low)))
        got = Content(extents=extents).cut(wanted)

        def names(some: tuple[Extent, ...]) -> list[tuple[str, int]]:
            return [
                (extent.blob.id, extent.offset + at)
                for extent in some
                for at in range(extent.length)
            ]

        self.assertEqual(names(got.extents), names(extents)[low : wanted.end])
        self.assertTrue(all(extent.length for extent in got.extents))

    def test_body(self) -> None:
        """A body in the row is sliced."""
        content = Content(b"abcdef")
        self.assertEqual(content.cut(ByteRange(2, 3)).body, b"cde")
        self.assertEqual(content.cut(ByteRange(0, 6)), content)

    def test_nothing(self) -> None:
        """An empty range covers nothing, wherever it is: an empty body, and no extents."""
        extents = Content(extents=(Extent(BlobRef("s", "a", 9, 0), 0, 9),))
        for content in (extents, Content(b"abcdef"), Content(b"")):
            for offset in (0, 3, 9):
                self.assertEqual(content.cut(ByteRange(offset, 0)), Content(b""))


class SourcesTests(TestCase):
    """Byte sources of extents."""

    async def setUp(self) -> None:  # type: ignore[override]
        """Stores with an object of three blobs."""
        clock = Clock()
        clock.advance(1_795_000_000)
        self.metadata = MemoryMetadataStore(clock)
        await self.metadata.open()
        self.blobs = MemoryBlobStore(clock)
        self.readers = Readers()
        self.memory = BodyMemory()
        self.gateway: Any = SimpleNamespace(
            metadata=self.metadata,
            blobs=BlobStores(self.blobs),
            sealing=None,
            readers=self.readers,
            memory=self.memory,
            clock=clock,
        )
        volume = Volume("s3v", OWNER, 1)
        await self.metadata.write(change, "add_volume", (volume,))
        self.bucket = await self.metadata.write(
            change, "add_bucket", (Bucket("s3v", "bucket", OWNER, 1),)
        )
        self.version = await self.store(b"one", b"two", b"three")

    async def store(self, *data: bytes) -> ObjectVersion:
        """An object with an extent for each of these bytes; its blobs are in ``refs``."""
        return await self.name(*(self.blobs.keep(each) for each in data))

    async def name(self, *refs: BlobRef) -> ObjectVersion:
        """An object of these blobs."""
        self.refs = list(refs)
        content = Content(None, tuple(Extent(ref, 0, ref.length) for ref in refs))
        added: ObjectVersion = await self.metadata.write(
            change, put, (self.bucket, "key", content)
        )
        return added

    async def open(self, span: ByteRange | None = None) -> Sources:
        """Open all of the object, or a range."""
        span = span or ByteRange(0, self.version.size)
        token = begin_read(self.gateway)
        located = await self.metadata.read(locate, self.bucket, self.version, span)
        return await open_sources(self.gateway, located, token)

    async def test_in_order(self) -> None:
        """Sources come one by one, each opened when asked for but the first; then the reader is gone."""
        sources = await self.open()
        first = await sources.__anext__()
        self.assertEqual(first.length, 3)
        await self.blobs.delete(self.refs[1].id)
        with self.assertRaises(Damaged):
            await sources.__anext__()
        self.assertIsNotNone(self.readers.oldest())
        await sources.aclose()
        await sources.aclose()
        self.assertIsNone(self.readers.oldest())

    async def test_ahead(self) -> None:
        """Where to open a blob takes a while, the next one is opened while one is sent, and closed if nobody comes to want it; one that could not be is opened when its turn comes."""
        real, opened, closed = self.blobs.open, [], []
        failures = [Unavailable("not now")]

        def opens(ref: BlobRef, span: ByteRange) -> Any:
            opened.append(ref.id)
            if ref.id == self.refs[1].id and failures:
                return fail(failures.pop())
            opening = real(ref, span)

            def watch(source: Any) -> Any:
                end = source.close
                source.close = lambda: (closed.append(ref.id), end())
                return source

            return opening.addCallback(watch)

        self.patch(self.blobs, "open", opens)
        directlyProvides(self.blobs, IBlobStore, IOpenedAhead)
        one, two, three = (ref.id for ref in self.refs)
        sources = await self.open()
        self.assertEqual(opened, [one])
        self.assertEqual((await sources.__anext__()).as_bytes(), b"one")
        self.assertEqual(opened, [one, two])
        self.assertEqual((await sources.__anext__()).as_bytes(), b"two")
        self.assertEqual(opened, [one, two, two, three])
        await sources.aclose()
        self.assertIn(three, closed)
        sources = await self.open()
        found = [source.as_bytes() async for source in sources]
        self.assertEqual(found, [b"one", b"two", b"three"])
        self.assertIsNone(self.readers.oldest())

    async def test_first_missing(self) -> None:
        """A first blob that is gone fails the opening, and leaves no reader."""
        await self.blobs.delete(self.refs[0].id)
        with self.assertRaises(Damaged):
            await self.open()
        self.assertIsNone(self.readers.oldest())
        self.assertEqual(self.memory.held, 0)

    async def test_two_stores(self) -> None:
        """Each blob is read from the store that it names; one of a store that is not configured is not called lost."""
        more = MemoryBlobStore(self.gateway.clock, "more")
        data = [b"two", b"one", b"three"]
        stores = [more, self.blobs, more]
        refs = [store.keep(each) for store, each in zip(stores, data, strict=True)]
        self.version = await self.name(*refs)
        self.gateway.blobs = BlobStores(self.blobs, [more])
        sources = await self.open()
        self.assertEqual([source.as_bytes() async for source in sources], data)
        self.gateway.blobs = BlobStores(self.blobs)
        with self.assertRaises(Unavailable):
            await self.open()
        self.assertIsNone(self.readers.oldest())
        sources = await self.open(ByteRange(3, 8))
        await sources.__anext__()
        with self.assertRaises(Unavailable):
            await sources.__anext__()
        await sources.aclose()
        self.assertIsNone(self.readers.oldest())

    async def test_forgotten(self) -> None:
        """Sources that nobody sends leave no reader behind, and nothing counted."""
        sources = await self.open()
        self.assertIsNotNone(self.readers.oldest())
        self.assertGreater(self.memory.held, 0)
        del sources
        self.assertIsNone(self.readers.oldest())
        self.assertEqual(self.memory.held, 0)

    async def test_none(self) -> None:
        """No extents make no sources."""
        sources = await self.open(ByteRange(3, 0))
        self.assertEqual([source async for source in sources], [])
        self.assertIsNone(self.readers.oldest())

    async def test_pages(self) -> None:
        """Many extents come in order, a few known at a time; ranges begin and end anywhere; what is held is counted."""
        count = 3 * EXTENTS_AT_ONCE + 1
        data = [b"%07d" % number for number in range(count)]
        self.version = await self.store(*data)
        whole, most = b"".join(data), EXTENTS_AT_ONCE * HELD
        edge = 7 * EXTENTS_AT_ONCE
        for low, high in (
            (0, len(whole)),
            (0, 1),
            (len(whole) - 1, len(whole)),
            (edge - 1, edge + 1),
            (edge, 2 * edge),
            (3, 3 * edge + 2),
        ):
            sources = await self.open(ByteRange(low, high - low))
            self.assertLessEqual(self.memory.held, most)
            found = b""
            async for source in sources:
                found += source.as_bytes() or b""
            self.assertEqual(found, whole[low:high])
            self.assertEqual(self.memory.held, 0)

    async def test_removed_meanwhile(self) -> None:
        """Of an object that is removed while it is read, all is there until its reader is gone; then the reaper takes it."""
        count = 2 * EXTENTS_AT_ONCE + 1
        self.version = await self.store(*[b"%07d" % n for n in range(count)])
        clock = self.gateway.clock
        reaper = Reaper(self.metadata, self.blobs, self.readers, clock, "owner", 0.0)
        clock.advance(1)
        self.assertEqual(await reaper.reap(), 3)  # what was there before
        sources = await self.open()
        await self.metadata.write(change, "remove_version", (self.bucket, self.version))
        for _ in range(3):
            clock.advance(100)
            self.assertEqual(await reaper.reap(), 0)
        found = [source.as_bytes() async for source in sources]
        self.assertEqual(found, [b"%07d" % number for number in range(count)])
        self.assertEqual(await reaper.reap(), 0)
        clock.advance(1)
        self.assertEqual(await reaper.reap(), count)
        with self.assertRaises(Absent):
            await self.open()
