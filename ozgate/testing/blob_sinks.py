"""Contract of blobs: sinks. What is written comes back, under an id of its own, once it is committed."""

# mypy: disable-error-code="no-untyped-call"
# The assertions of trial have no types.

from __future__ import annotations

from awscrt.checksums import crc64nvme
from twisted.internet.defer import gatherResults
from zope.interface.verify import verifyObject

from ..errors import StoreError, Unavailable
from ..interfaces import IBlobSink
from .blob_base import MIB, BlobTests, Feeder, noise


class SinkTests(BlobTests):
    """Blobs as they are written."""

    async def test_sink_interface(self) -> None:
        """A sink is a consumer with commit and abort."""
        sink = self.store.create(None)
        verifyObject(IBlobSink, sink)
        await sink.abort()

    # Bytes come back

    async def test_small(self) -> None:
        """A few bytes come back as they were."""
        self.assertEqual(await self.get(await self.put(b"hello")), b"hello")

    async def test_empty(self) -> None:
        """A blob of no bytes is one."""
        blob = await self.put()
        self.assertEqual((blob.length, blob.crc64nvme), (0, 0))
        self.assertEqual(await self.get(blob), b"")

    async def test_large(self) -> None:
        """Megabytes written in uneven chunks come back as they were."""
        data = noise(3 * MIB + 7)
        blob = await self.put(data[:1], data[1:70_001], data[70_001:MIB], data[MIB:])
        self.assertEqual(await self.get(blob) == data, True)

    async def test_many_tiny_writes(self) -> None:
        """Bytes that come in twos are kept in order."""
        data = noise(20_000)
        pieces = [data[i : i + 2] for i in range(0, len(data), 2)]
        self.assertEqual(await self.get(await self.put(*pieces)), data)

    async def test_empty_chunks(self) -> None:
        """An empty write changes nothing."""
        self.assertEqual(await self.get(await self.put(b"", b"ab", b"", b"c")), b"abc")

    async def test_sizes_around_blocks(self) -> None:
        """Lengths at powers of two, one less and one more, come back whole."""
        for size in (65536, 262_144, 524_288, MIB):
            for length in (size - 1, size, size + 1):
                data = noise(length)
                self.assertTrue(await self.get(await self.put(data)) == data, length)

    async def test_wrong_size_hint(self) -> None:
        """The size hint is only a hint."""
        for hint in (0, 1, 10 * MIB):
            sink = self.store.create(hint)
            sink.write(b"hello")
            blob = await sink.commit()
            self.assertEqual(await self.get(blob), b"hello")

    async def test_reference(self) -> None:
        """A reference names the store, the length and the CRC64NVME of the bytes."""
        data = noise(300_001)
        blob = await self.put(data[:262_143], data[262_143:])
        self.assertEqual(blob.store, self.store.name)
        self.assertEqual(blob.length, len(data))
        self.assertEqual(blob.crc64nvme, crc64nvme(data))

    async def test_parallel_sinks(self) -> None:
        """Blobs written at the same time do not mix."""
        bodies = [noise(700_000 + n) for n in range(6)]
        sinks = [self.store.create(len(body)) for body in bodies]
        for start in range(0, 700_006, 100_000):
            for sink, body in zip(sinks, bodies, strict=True):
                sink.write(body[start : start + 100_000])
        blobs = await gatherResults([sink.commit() for sink in sinks])
        for blob, body in zip(blobs, bodies, strict=True):
            self.assertTrue(await self.get(blob) == body)

    # Ids

    async def test_ids_are_unique(self) -> None:
        """Equal bytes make different blobs."""
        blobs = [await self.put(b"same") for _ in range(20)]
        self.assertEqual(len({blob.id for blob in blobs}), 20)

    async def test_ids_sort_by_time(self) -> None:
        """Ids sort by the time their blobs were committed."""
        made = [(await self.put(b"x")).id for _ in range(20)]
        self.assertEqual(made, sorted(made))

    async def test_ids_are_made_at_commit(self) -> None:
        """However long ago a blob was begun, it is not listed among those made before its commit was asked for."""
        sink = self.store.create(None)
        sink.write(noise(MIB))
        begun = self.now()
        while self.now() <= begun + 2:
            await self.turn()
        before = self.now()
        committing = sink.commit()
        self.assertEqual(list(await self.store.list(before)), [])
        blob = await committing
        self.assertEqual(list(await self.store.list(before)), [])
        self.assertEqual(await self.ids(), [blob.id])

    async def test_ids_are_plain(self) -> None:
        """Ids are lower-case hex digits, so that they can be file names and keys anywhere."""
        blob = await self.put(b"x")
        self.assertLessEqual(set(blob.id), set("0123456789abcdef"))

    # Writing

    async def test_invisible_before_commit(self) -> None:
        """A blob that is being written is not listed."""
        sink = self.store.create(None)
        sink.write(noise(2 * MIB))
        self.assertEqual(await self.ids(), [])
        blob = await sink.commit()
        self.assertEqual(await self.ids(), [blob.id])

    async def test_abort(self) -> None:
        """An aborted blob leaves nothing."""
        sink = self.store.create(3 * MIB)
        sink.write(noise(2 * MIB))
        await sink.abort()
        self.assertEqual(await self.ids(), [])
        self.assertEqual(self.leftovers(), [])

    async def test_abort_before_any_write(self) -> None:
        """A blob can be aborted before it has a byte."""
        await self.store.create(None).abort()
        self.assertEqual(await self.ids(), [])

    async def test_abort_twice(self) -> None:
        """Aborting again does nothing, also at the same moment."""
        sink = self.store.create(None)
        sink.write(noise(MIB))
        await gatherResults([sink.abort(), sink.abort()])
        await sink.abort()

    async def test_abort_during_commit(self) -> None:
        """An abort before the commit has fired leaves either nothing or a blob whose commit succeeded."""
        sink = self.store.create(None)
        sink.write(noise(MIB))
        committing = sink.commit()
        await sink.abort()
        try:
            blob = await committing
        except Unavailable:
            self.assertEqual(await self.ids(), [])
        else:
            self.assertEqual(await self.ids(), [blob.id])

    async def test_abort_after_commit(self) -> None:
        """An abort after the commit has fired does not take the blob away."""
        sink = self.store.create(None)
        sink.write(b"kept")
        blob = await sink.commit()
        await sink.abort()
        self.assertEqual(await self.get(blob), b"kept")

    async def test_write_after_abort(self) -> None:
        """Bytes for a blob that was dropped are refused."""
        sink = self.store.create(None)
        await sink.abort()
        self.assertRaises((RuntimeError, StoreError), sink.write, b"x")

    async def test_commit_after_abort(self) -> None:
        """A blob that was dropped cannot be committed."""
        sink = self.store.create(None)
        sink.write(b"x")
        dropping = sink.abort()
        await self.assertFailure(sink.commit(), Unavailable)
        await dropping
        self.assertEqual(await self.ids(), [])

    async def test_commit_twice(self) -> None:
        """A second commit fails and harms nothing."""
        sink = self.store.create(None)
        sink.write(b"once")
        blob = await sink.commit()
        await self.assertFailure(sink.commit(), Unavailable)
        self.assertEqual(await self.get(blob), b"once")

    async def test_cancel_commit(self) -> None:
        """Cancelling a commit has no effect."""
        sink = self.store.create(None)
        sink.write(b"kept")
        committing = sink.commit()
        committing.cancel()
        self.assertEqual(await self.get(await committing), b"kept")

    async def test_back_pressure(self) -> None:
        """A producer that heeds pauses gets all its bytes in, and is resumed after each pause."""
        data = [noise(65536) for _ in range(64)]
        sink = self.store.create(None)
        feeder = Feeder(sink, iter(data))
        feeder.resumeProducing()
        await feeder.done
        blob = await sink.commit()
        self.assertTrue(await self.get(blob) == b"".join(data))

    async def test_one_producer(self) -> None:
        """A second producer is refused; after the first has gone another may come."""
        sink = self.store.create(None)
        feeder = Feeder(sink, iter([b"a"]))
        self.assertRaises(RuntimeError, sink.registerProducer, feeder, True)
        feeder.resumeProducing()
        Feeder(sink, iter([b"b"])).resumeProducing()
        self.assertEqual(await self.get(await sink.commit()), b"ab")
