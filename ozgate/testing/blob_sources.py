"""Contract of blobs: sources. Ranges of blobs, and how they are sent."""

# mypy: disable-error-code="no-untyped-call"
# The assertions of trial have no types.

from __future__ import annotations

import os

from twisted.internet.defer import CancelledError
from zope.interface.verify import verifyObject

from ..errors import Damaged
from ..interfaces import IByteSource
from ..values import ByteRange
from .blob_base import MIB, BlobTests, Reader, noise


class SourceTests(BlobTests):
    """Blobs as they are read."""

    async def test_source_interface(self) -> None:
        """A source has every method of its interface, and says how long it is."""
        blob = await self.put(b"abc")
        source = await self.store.open(blob, ByteRange(1, 2))
        verifyObject(IByteSource, source)
        self.assertEqual(source.length, 2)
        source.close()

    # Ranges

    async def test_ranges(self) -> None:
        """Any run of a blob can be read, across whatever blocks it is kept in."""
        data = noise(MIB + 3)
        blob = await self.put(data)
        edge = 262_144
        for offset, length in (
            (0, 1),
            (0, edge),
            (1, edge),
            (edge - 1, 2),
            (edge, edge),
            (edge + 5, 3 * edge - 5),
            (MIB - 1, 4),
            (MIB + 2, 1),
            (0, MIB + 3),
        ):
            got = await self.get(blob, offset, length)
            self.assertTrue(got == data[offset : offset + length], (offset, length))

    async def test_range_of_nothing(self) -> None:
        """A run of no bytes sends none."""
        blob = await self.put(b"abc")
        self.assertEqual(await self.get(blob, 0, 0), b"")
        self.assertEqual(await self.get(blob, 3, 0), b"")

    async def test_range_past_the_end(self) -> None:
        """A run that the blob does not have is damage, not a short read."""
        blob = await self.put(b"abc")
        await self.assertFailure(self.store.open(blob, ByteRange(1, 3)), Damaged)

    async def test_two_sources(self) -> None:
        """Two sources of one blob do not disturb each other."""
        data = noise(600_000)
        blob = await self.put(data)
        whole = await self.store.open(blob, ByteRange(0, len(data)))
        tail = await self.store.open(blob, ByteRange(599_990, 10))
        first, second = Reader(lambda r: r.producer.pauseProducing()), Reader()
        sending = whole.send_to(first)
        await tail.send_to(second)
        tail.close()
        while first.producer is not None:
            first.producer.resumeProducing()
            await self.turn()
        await sending
        whole.close()
        self.assertTrue(first.data == data)
        self.assertEqual(second.data, data[-10:])

    async def test_as_file(self) -> None:
        """Where there is a file, descriptor, offset and count give the same bytes."""
        data = noise(400_000)
        blob = await self.put(data)
        source = await self.store.open(blob, ByteRange(1000, 300_000))
        self.addCleanup(source.close)
        place = source.as_file()
        if place is None:
            return
        fd, offset, count = place
        self.assertEqual(count, 300_000)
        self.assertTrue(os.pread(fd, count, offset) == data[1000:301_000])

    async def test_close_twice(self) -> None:
        """Closing a source again, before or after it was sent, does nothing."""
        blob = await self.put(b"abc")
        source = await self.store.open(blob, ByteRange(0, 3))
        source.close()
        source.close()

    # Sending

    async def test_registers_as_push_producer(self) -> None:
        """A source registers itself as a push producer, and unregisters at the end."""
        blob = await self.put(b"abc")
        source = await self.store.open(blob, ByteRange(0, 3))
        reader = Reader()
        await source.send_to(reader)
        source.close()
        self.assertEqual(reader.registered, [True])
        self.assertIsNone(reader.producer)

    async def test_pause(self) -> None:
        """Nothing is written to a consumer that paused, until it resumes."""
        data = noise(2 * MIB)
        blob = await self.put(data)
        source = await self.store.open(blob, ByteRange(0, len(data)))
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
        self.assertGreater(len(reader.chunks), 1)
        self.assertTrue(reader.data == data)

    async def test_stop(self) -> None:
        """A consumer that stops the source gets no more, and the sending fails."""
        blob = await self.put(noise(2 * MIB))
        source = await self.store.open(blob, ByteRange(0, 2 * MIB))
        reader = Reader(lambda r: r.producer.stopProducing())
        with self.assertRaises(Exception):  # noqa: B017 - which one is the provider's
            await source.send_to(reader)
        source.close()
        self.assertEqual(len(reader.chunks), 1)
        self.assertIsNone(reader.producer)

    async def test_cancel_sending(self) -> None:
        """A cancelled sending writes no more and unregisters."""
        blob = await self.put(noise(2 * MIB))
        source = await self.store.open(blob, ByteRange(0, 2 * MIB))
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

    async def test_close_while_sending(self) -> None:
        """A source closed in mid-sending writes no more."""
        blob = await self.put(noise(2 * MIB))
        source = await self.store.open(blob, ByteRange(0, 2 * MIB))
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

        blob = await self.put(noise(MIB))
        source = await self.store.open(blob, ByteRange(0, MIB))
        reader = Reader(burst)
        await self.assertFailure(source.send_to(reader), ZeroDivisionError)
        source.close()
        self.assertIsNone(reader.producer)
