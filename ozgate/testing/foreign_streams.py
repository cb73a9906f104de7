"""Contract of other systems: bytes on their way in and out."""

# mypy: disable-error-code="no-untyped-call"
# The assertions of trial have no types.

from __future__ import annotations

from twisted.internet.defer import CancelledError
from zope.interface.verify import verifyObject

from ..interfaces import IByteSource, IForeignReading, IForeignSink
from ..values import ByteRange
from .blob_base import MIB, Feeder, Reader, noise
from .foreign_base import ForeignTests, md5


class WritingTests(ForeignTests):
    """Keys as they are written."""

    async def test_sink_interface(self) -> None:
        """A sink has every method of its interface."""
        sink = await self.bucket.create("key", 1, {}, {})
        verifyObject(IForeignSink, sink)
        await sink.abort()

    async def test_written(self) -> None:
        """What was written in chunks is the key, with what was said in the beginning and at the end."""
        data = noise(3 * MIB + 5)
        sink = await self.bucket.create("key", len(data), {"a": "1"}, {"t": "2"})
        for at in range(0, len(data), 100_000):
            sink.write(data[at : at + 100_000])
        await sink.commit(md5(data), {"b": "3"})
        found = await self.bucket.head("key")
        self.assertEqual((found.size, found.etag), (len(data), md5(data)))
        self.assertEqual(
            (dict(found.metadata), dict(found.tags)), ({"a": "1", "b": "3"}, {"t": "2"})
        )
        self.assertTrue(await self.read("key") == data)

    async def test_producer(self) -> None:
        """A producer that obeys the sink gets all bytes through."""
        data = noise(5 * MIB)
        chunks = [data[at : at + 65536] for at in range(0, len(data), 65536)]
        sink = await self.bucket.create("key", len(data), {}, {})
        feeder = Feeder(sink, iter(chunks))
        feeder.resumeProducing()
        await feeder.done
        await sink.commit(md5(data), {})
        self.assertTrue(await self.read("key") == data)

    async def test_nothing(self) -> None:
        """A key may have no bytes."""
        await self.stream("streamed")
        await self.put("put", b"")
        for key in ("streamed", "put"):
            self.assertEqual(await self.read(key), b"")
            self.assertEqual((await self.bucket.head(key)).etag, md5(b""))

    async def test_size_is_a_hint(self) -> None:
        """There are as many bytes as were written, whatever was expected."""
        for key, size in (("less", 100), ("more", 1), ("unsaid", 0)):
            sink = await self.bucket.create(key, size, {}, {})
            sink.write(b"12345")
            await sink.commit(md5(b"12345"), {})
            self.assertEqual(await self.read(key), b"12345")

    async def test_unseen_before_the_commit(self) -> None:
        """Nothing is there before the commit; what was there is as it was."""
        await self.put("old", b"old")
        for key in ("new", "old"):
            sink = await self.bucket.create(key, 2 * MIB, {}, {})
            sink.write(noise(2 * MIB))
            await self.turn()
            await self.refused("KEY_NOT_FOUND", self.bucket.head("new"))
            self.assertEqual(await self.keys(), ["old"])
            self.assertEqual(await self.read("old"), b"old")
            await sink.abort()

    async def test_dropped(self) -> None:
        """What was dropped never becomes visible, whatever was written of it."""
        await self.put("old", b"old")
        for size in (0, 10, MIB, 3 * MIB + 1):
            for key in ("new", "old"):
                sink = await self.bucket.create(key, size, {}, {})
                sink.write(noise(size))
                await sink.abort()
                await sink.abort()
        self.assertEqual(await self.keys(), ["old"])
        self.assertEqual(await self.read("old"), b"old")


class ReadingTests(ForeignTests):
    """Keys as they are read."""

    async def test_interfaces(self) -> None:
        """What is read has every method of its interfaces."""
        await self.put("key", b"abc")
        reading = await self.bucket.open("key")
        verifyObject(IForeignReading, reading)
        source = reading.source(ByteRange(1, 2))
        verifyObject(IByteSource, source)
        self.assertEqual(source.length, 2)
        source.close()
        source.close()
        reading.close()

    async def test_ranges(self) -> None:
        """Any run of a key can be read, of a small and of a large one."""
        small, large = noise(3000), noise(3 * MIB + 7)
        await self.put("small", small)
        await self.stream("large", large)
        for key, data in (("small", small), ("large", large)):
            reading = await self.bucket.open(key)
            last = len(data) - 1
            for offset, length in (
                (0, 1),
                (0, len(data)),
                (1, last),
                (last, 1),
                (last // 2, 1000),
                (len(data), 0),
                (0, 0),
            ):
                got = await self.run_of(reading, offset, length)
                self.assertTrue(
                    got == data[offset : offset + length], (key, offset, length)
                )
            reading.close()

    async def test_small_at_once(self) -> None:
        """Where the bytes of a source are given at once, they are those that it would send."""
        await self.put("key", b"abcdef")
        reading = await self.bucket.open("key")
        for offset, length in ((0, 6), (2, 3), (6, 0)):
            source = reading.source(ByteRange(offset, length))
            self.assertIn(
                source.as_bytes(), (None, b"abcdef"[offset : offset + length])
            )
            self.assertIsNone(source.as_file())
            source.close()
        reading.close()

    async def test_two_sources(self) -> None:
        """Two sources of one key, at a time, do not disturb each other."""
        data = noise(2 * MIB)
        await self.stream("key", data)
        reading = await self.bucket.open("key")
        whole = reading.source(ByteRange(0, len(data)))
        first = Reader(lambda r: r.producer.pauseProducing())
        sending = whole.send_to(first)
        self.assertTrue(await self.run_of(reading, 10, MIB) == data[10 : 10 + MIB])
        while first.producer is not None:
            first.producer.resumeProducing()
            await self.turn()
        await sending
        whole.close()
        reading.close()
        self.assertTrue(first.data == data)

    async def test_as_it_was(self) -> None:
        """A key that is replaced or removed while it is read is read as it was."""
        for size in (10, 3 * MIB):
            data = noise(size)
            await self.stream("key", data)
            reading = await self.bucket.open("key")
            await self.put("key", b"other")
            await self.bucket.delete("key")
            self.assertTrue(await self.run_of(reading, 0, size) == data)
            reading.close()

    async def test_push_producer(self) -> None:
        """A source registers itself as a push producer, and unregisters at the end."""
        await self.put("key", b"abc")
        reading = await self.bucket.open("key")
        source = reading.source(ByteRange(0, 3))
        reader = Reader()
        await source.send_to(reader)
        source.close()
        self.assertEqual(reader.registered, [True])
        self.assertIsNone(reader.producer)

    async def test_pause(self) -> None:
        """Nothing is written to a consumer that paused, until it resumes."""
        data = noise(3 * MIB)
        await self.stream("key", data)
        reading = await self.bucket.open("key")
        source = reading.source(ByteRange(0, len(data)))
        reader = Reader(lambda r: r.producer.pauseProducing())
        sending = source.send_to(reader)
        while reader.producer is not None:
            written = len(reader.chunks)
            await self.turn()
            self.assertLessEqual(len(reader.chunks) - written, 1)
            if reader.producer is not None:
                reader.producer.resumeProducing()
        await sending
        source.close()
        self.assertTrue(reader.data == data)

    async def test_stopped(self) -> None:
        """A consumer that stops a source gets no more, and the sending fails."""
        await self.stream("key", noise(3 * MIB))
        reading = await self.bucket.open("key")
        source = reading.source(ByteRange(0, 3 * MIB))
        reader = Reader(lambda r: r.producer.stopProducing())
        with self.assertRaises(Exception):  # noqa: B017 - which one is the provider's
            await source.send_to(reader)
        source.close()
        self.assertEqual(len(reader.chunks), 1)
        self.assertIsNone(reader.producer)

    async def test_cancelled(self) -> None:
        """A cancelled sending writes no more and unregisters."""
        await self.stream("key", noise(3 * MIB))
        reading = await self.bucket.open("key")
        source = reading.source(ByteRange(0, 3 * MIB))
        reader = Reader(lambda r: r.producer.pauseProducing())
        sending = source.send_to(reader)
        while not reader.chunks:
            await self.turn()
        sending.cancel()
        await self.assertFailure(sending, CancelledError)
        await self.turn()
        source.close()
        self.assertEqual(len(reader.chunks), 1)
        self.assertIsNone(reader.producer)

    async def test_closed_while_sending(self) -> None:
        """A source closed in mid-sending writes no more."""
        await self.stream("key", noise(3 * MIB))
        reading = await self.bucket.open("key")
        source = reading.source(ByteRange(0, 3 * MIB))
        reader = Reader(lambda r: r.producer.pauseProducing())
        sending = source.send_to(reader)
        source.close()
        with self.assertRaises(Exception):  # noqa: B017 - which one is the provider's
            await sending
        self.assertLessEqual(len(reader.chunks), 1)
        self.assertIsNone(reader.producer)

    async def test_consumer_raises(self) -> None:
        """What the consumer raises is what the sending fails with."""

        def burst(reader: Reader) -> None:
            raise ZeroDivisionError()

        await self.stream("key", noise(MIB))
        reading = await self.bucket.open("key")
        source = reading.source(ByteRange(0, MIB))
        reader = Reader(burst)
        await self.assertFailure(source.send_to(reader), ZeroDivisionError)
        source.close()
        self.assertIsNone(reader.producer)
