"""Stored bytes on their way out: cutting extents, and opening them one by one."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase, TestCase

from ozgate.blobs.readers import Readers
from ozgate.errors import Damaged
from ozgate.s3.bytes import begin_read, cut, open_sources
from ozgate.testing.memory_blobs import MemoryBlobStore
from ozgate.values import BlobRef, ByteRange, Content, Extent


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
        got = cut(Content(extents=extents), wanted)

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
        self.assertEqual(cut(content, ByteRange(2, 3)).body, b"cde")
        self.assertEqual(cut(content, ByteRange(0, 6)), content)

    def test_nothing(self) -> None:
        """An empty range covers nothing, wherever it is: an empty body, and no extents."""
        extents = Content(extents=(Extent(BlobRef("s", "a", 9, 0), 0, 9),))
        for content in (extents, Content(b"abcdef"), Content(b"")):
            for offset in (0, 3, 9):
                self.assertEqual(cut(content, ByteRange(offset, 0)), Content(b""))


class SourcesTests(TestCase):
    """Byte sources of extents."""

    def setUp(self) -> None:
        """A store with three blobs."""
        clock = Clock()
        clock.advance(1_795_000_000)
        self.blobs = MemoryBlobStore(clock)
        self.readers = Readers()
        self.gateway: Any = SimpleNamespace(
            blobs=self.blobs, readers=self.readers, clock=clock
        )
        refs = [self.blobs.keep(data) for data in (b"one", b"two", b"three")]
        self.extents = [Extent(ref, 0, ref.length) for ref in refs]

    async def test_in_order(self) -> None:
        """Sources come one by one, each opened when asked for but the first; then the reader is gone."""
        token = begin_read(self.gateway)
        sources = await open_sources(self.gateway, self.extents, token)
        first = await sources.__anext__()
        self.assertEqual(first.length, 3)
        await self.blobs.delete(self.extents[1].blob.id)
        with self.assertRaises(Damaged):
            await sources.__anext__()
        self.assertIsNotNone(self.readers.oldest())
        await sources.aclose()
        await sources.aclose()
        self.assertIsNone(self.readers.oldest())

    async def test_first_missing(self) -> None:
        """A first blob that is gone fails the opening, and leaves no reader."""
        await self.blobs.delete(self.extents[0].blob.id)
        token = begin_read(self.gateway)
        with self.assertRaises(Damaged):
            await open_sources(self.gateway, self.extents, token)
        self.assertIsNone(self.readers.oldest())

    async def test_forgotten(self) -> None:
        """Sources that nobody sends leave no reader behind."""
        token = begin_read(self.gateway)
        sources = await open_sources(self.gateway, self.extents, token)
        self.assertIsNotNone(self.readers.oldest())
        del sources
        self.assertIsNone(self.readers.oldest())

    async def test_none(self) -> None:
        """No extents make no sources."""
        token = begin_read(self.gateway)
        sources = await open_sources(self.gateway, (), token)
        self.assertEqual([source async for source in sources], [])
        self.assertIsNone(self.readers.oldest())
