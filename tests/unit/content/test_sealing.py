"""Sealing at the door: what comes out is what went in, whatever is stored."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from awscrt.checksums import crc64nvme
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from ozgate.content import intake
from ozgate.content.extents import joined, known_crc64nvme
from ozgate.content.outlet import Located, Stores, body_of, open_sources
from ozgate.content.readers import Readers
from ozgate.content.sealing import copied, is_sealed
from ozgate.content.stores import BlobStores
from ozgate.errors import Damaged, Unavailable
from ozgate.testing.memory_blobs import MemoryBlobStore
from ozgate.testing.xorseal import BLOCK, TAG, XorSealing
from ozgate.values import ByteRange, Content, Extent
from ozgate.wire.limits import BodyMemory
from ozgate.wire.streams import Collect

BODY = bytes(range(251)) * 80
"""Five blocks, the last of them not full."""


def too_big() -> Exception:
    """What is raised for more bytes than there are."""
    return AssertionError("too many bytes")


class SealingTests(SynchronousTestCase):
    """An intake and an outlet with a sealing."""

    def setUp(self) -> None:
        """Stores in memory."""
        self.clock = Clock()
        self.blobs = MemoryBlobStore(self.clock)
        self.blobs.open_store()
        self.gateway: Any = SimpleNamespace(
            metadata=None,
            blobs=BlobStores(self.blobs),
            sealing=XorSealing(),
            readers=Readers(),
            clock=self.clock,
            memory=BodyMemory(),
        )

    def had(self, done: Any) -> Any:
        """What a coroutine comes to, at once."""
        return self.successResultOf(Deferred.fromCoroutine(done))

    def stored(self, body: bytes, extent_size: int = 0) -> Content:
        """A body in blobs of at most so many bytes."""
        self.blobs.extent_size = extent_size
        content: Content = self.had(intake.store(self.gateway, body))
        return content

    async def _read(self, content: Content) -> bytes:
        version: Any = None
        span = ByteRange(0, content.length)
        located = Located(version, version, span, content)
        stores: Stores = self.gateway
        collect = Collect(content.length, too_big)  # type: ignore[arg-type]
        sources = await open_sources(stores, located, 0)
        await sources.send_to(collect)
        return collect.value()

    def read(self, content: Content) -> bytes:
        """The bytes of a content."""
        data: bytes = self.had(self._read(content))
        return data

    @settings(max_examples=50, deadline=None)
    @given(st.integers(1, len(BODY)), st.integers(TAG + 1, 2 * len(BODY)), st.data())
    def test_ranges(self, size: int, limit: int, data: Any) -> None:
        """Any range of a body in blobs of any size is had; none is larger than its store lets it be."""
        limit = max(limit, 500)
        content = self.stored(BODY[:size], limit)
        self.assertEqual(content.length, size)
        for extent in content.extents:
            stored = self.blobs.data[extent.blob.id]
            self.assertEqual(len(stored), extent.blob.length)
            self.assertTrue(extent.length < extent.blob.length <= limit)
        low = data.draw(st.integers(0, size - 1))
        wanted = ByteRange(low, data.draw(st.integers(1, size - low)))
        cut = content.cut(wanted)
        self.assertEqual(self.read(cut), BODY[low : wanted.end])
        again = ByteRange(0, data.draw(st.integers(1, wanted.length)))
        self.assertEqual(self.read(cut.cut(again)), BODY[low : low + again.length])

    def test_few_blocks(self) -> None:
        """Of a range only the blocks are read that it is in; no file has its bytes, few are had at once."""
        [extent] = self.stored(BODY).extents
        part = Extent(extent.blob, BLOCK + 5, 10, extent.seal)
        asked = []
        real = self.blobs.open

        def noted(blob: Any, span: ByteRange) -> Any:
            asked.append(span)
            return real(blob, span)

        self.patch(self.blobs, "open", noted)
        version: Any = None
        located = Located(version, version, ByteRange(0, 10), Content(None, (part,)))
        sources = self.had(open_sources(self.gateway, located, 0))
        source = self.had(sources.__anext__())
        self.assertEqual(asked, [ByteRange(BLOCK + TAG, BLOCK + TAG)])
        self.assertEqual(source.as_bytes(), BODY[BLOCK + 5 : BLOCK + 15])
        self.assertIsNone(source.as_file())
        self.assertEqual(source.length, 10)

    def test_checksum(self) -> None:
        """The intake knows the CRC64NVME of the plain bytes; what the blob store says is never taken for it."""
        self.blobs.extent_size = 5000
        extents = intake.begin(self.gateway, len(BODY))
        extents.write(BODY)
        content = self.had(extents.commit())
        self.assertGreater(len(content.extents), 3)
        self.assertEqual(extents.crc64nvme, crc64nvme(BODY))
        self.assertIsNone(known_crc64nvme(content))

    def test_inline(self) -> None:
        """A body for the row is sealed, cut when it is opened, and refused when it is damaged; an empty one is as it was."""
        content = intake.inline_content(self.gateway, BODY)
        self.assertTrue(is_sealed(content))
        assert content.body is not None
        self.assertNotIn(BODY[:16], content.body)
        wanted = ByteRange(BLOCK - 1, 7)
        version: Any = None
        located = Located(version, version, wanted, content.cut(wanted))
        self.assertTrue(located.is_all)
        self.assertEqual(body_of(self.gateway, located), BODY[BLOCK - 1 : BLOCK + 6])
        flipped = content.body[:-1] + bytes([content.body[-1] ^ 1])
        wrong = Content(flipped, (), content.seal, len(BODY))
        damaged = Located(version, version, wanted, wrong)
        self.assertRaises(Damaged, body_of, self.gateway, damaged)
        self.assertEqual(intake.inline_content(self.gateway, b""), Content(b""))

    def test_joined(self) -> None:
        """Neighbours under one seal are put together, and no others."""
        [extent] = self.stored(BODY).extents
        halves = [
            Extent(extent.blob, 0, 100, extent.seal),
            Extent(extent.blob, 100, len(BODY) - 100, extent.seal),
        ]
        whole = Content(None, tuple(halves))
        self.assertEqual(joined(whole).extents, (extent,))
        anew = copied(self.gateway, Content(None, (halves[1],)))
        apart = Content(None, (halves[0], *anew.extents))
        self.assertEqual(joined(apart), apart)
        self.assertEqual(self.read(apart), BODY)

    def test_damaged(self) -> None:
        """What is not what was sealed is damaged, though the blob store finds nothing wrong."""
        content = self.stored(BODY)
        [extent] = content.extents
        other = self.stored(BODY[::-1]).extents[0]
        swapped = Content(None, (Extent(other.blob, 0, len(BODY), extent.seal),))
        self.failureResultOf(Deferred.fromCoroutine(self._read(swapped)), Damaged)

    def test_no_sealing(self) -> None:
        """Without a sealing nothing is sealed; what is sealed cannot be read, nor copied, and is not damaged."""
        sealed = self.stored(BODY)
        inline = intake.inline_content(self.gateway, BODY)
        self.gateway.sealing = None
        plain = self.stored(BODY)
        self.assertFalse(is_sealed(plain))
        self.assertEqual(self.read(plain), BODY)
        self.assertEqual(copied(self.gateway, plain), plain)
        version: Any = None
        located = Located(version, version, ByteRange(0, 9), inline)
        self.assertRaises(Unavailable, body_of, self.gateway, located)
        self.assertRaises(Unavailable, copied, self.gateway, sealed)
        self.gateway.readers.enter(1)
        span = ByteRange(0, sealed.length)
        opening = open_sources(self.gateway, Located(version, version, span, sealed), 0)
        self.failureResultOf(Deferred.fromCoroutine(opening), Unavailable)
        self.assertIsNone(self.gateway.readers.oldest())

    def test_given_up(self) -> None:
        """A body that breaks off leaves nothing, sealed or not; its full blobs are doomed."""
        doomed = []
        self.gateway.metadata = SimpleNamespace(
            write=lambda interaction, refs: succeed(doomed.extend(refs))
        )
        self.blobs.extent_size = 5000
        extents = intake.begin(self.gateway, len(BODY))
        extents.write(BODY[:6000])
        self.had(intake.abandon(self.gateway, extents))
        self.assertEqual([ref.id for ref in doomed], list(self.blobs.data))
        self.assertEqual(self.blobs.sinks, set())
