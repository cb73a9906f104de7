"""Tests of the connections to an engine: who has one, who waits for one, and that they are kept."""

from __future__ import annotations

import os
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import deferLater
from twisted.internet.tcp import Client

from ozgate.blobs.s3.frames import BLOCK, FRAME
from ozgate.errors import Unavailable
from ozgate.testing.blob_base import Reader
from ozgate.values import ByteRange
from tests.unit.blobs.s3.badengine import changed, failure_of, refuse
from tests.unit.blobs.s3.faultcase import DATA, FaultCase


class ConnectionTests(FaultCase):
    """Whoever reads gets through, and what is done with is good for the next."""

    async def test_unread(self) -> None:
        """A source that nobody sends keeps no connection for nothing either, and can be sent all the same."""
        data = os.urandom(24 * BLOCK)
        blob = await self.put(data)
        source = await self.store.open(blob, ByteRange(0, len(data)))
        await deferLater(reactor, 2 * self.store.engine.limits.silence)
        reader = Reader()
        await source.send_to(reader)
        source.close()
        self.assertTrue(reader.data == data)

    async def test_slow_readers(self) -> None:
        """However many readers are slow, another one gets through; they find the rest when they go on, and all connections come back."""
        await self.reopen(0.05, connections=2, timeout=20.0, deadline=5.0)
        data = os.urandom(24 * BLOCK)
        blob, span = await self.put(data), ByteRange(0, 24 * BLOCK)
        readers = [Reader(lambda r: r.producer.pauseProducing()) for _ in range(3)]
        sources = [await self.store.open(blob, span) for _ in readers]
        sendings = [
            source.send_to(reader)
            for source, reader in zip(sources, readers, strict=True)
        ]
        for _ in range(3):
            self.assertTrue(await self.get(blob) == data)
        while not all(sending.called for sending in sendings):
            for reader in readers:
                if reader.producer is not None:
                    reader.producer.resumeProducing()
            await deferLater(reactor, 0)
        await gatherResults(sendings)
        for reader in readers:
            self.assertTrue(reader.data == data)
        turns = [await self.store.engine.turns.acquire() for _ in range(2)]
        self.assertFalse(any(turn.is_over for turn in turns))

    async def test_no_connection(self) -> None:
        """Who waits for a connection in vain is told so, has not asked the engine, and has left nothing behind."""
        await self.reopen(connections=1, timeout=20.0, deadline=0.2)
        blob = await self.put()
        turn = await self.store.engine.turns.acquire()
        self.engine.asked.clear()
        error = await failure_of(self.get(blob))
        self.assertIsInstance(error, Unavailable)
        self.assertIn("connections are in use", str(error))
        self.assertEqual(self.asked("GET"), 0)
        turn.release()
        self.assertTrue(await self.get(blob) == DATA)

    async def test_turn_is_kept(self) -> None:
        """Who asks once more, for the engine has refused, does so over his own connection, before those who wait for one."""
        await self.reopen(connections=1)
        first, second = await self.put(), await self.put()
        self.engine.faults["GET"] = [refuse(503, "SlowDown")]
        self.engine.asked.clear()
        found = await gatherResults(
            [Deferred.fromCoroutine(self.get(blob)) for blob in (first, second)]
        )
        self.assertTrue(found == [DATA, DATA])
        paths = [path for method, path in self.engine.asked if method == "GET"]
        self.assertEqual(
            [path.rpartition("/")[2] for path in paths],
            [first.id, first.id, second.id],
        )

    async def test_small_reads(self) -> None:
        """What is read at once waits for no connection of those who are slow."""
        await self.reopen(connections=1, timeout=20.0, deadline=0.5)
        blob, small = await self.put(), await self.put(b"small")
        source = await self.store.open(blob, ByteRange(0, len(DATA)))
        self.assertEqual(await self.get(small), b"small")
        source.close()

    async def test_no_end(self) -> None:
        """An answer whose bytes have come, and whose end has not, keeps no connection for long, whether its reader was slow or not."""
        await self.reopen(connections=1, timeout=0.2, deadline=5.0)
        blob = await self.put()
        for reader in Reader(), Reader(lambda r: r.producer.pauseProducing()):
            self.engine.faults["GET"] = [changed(self.engine, bytes, "chunks")]
            source = await self.store.open(blob, ByteRange(0, len(DATA)))
            sending = source.send_to(reader)
            while not sending.called:
                if reader.producer is not None:
                    reader.producer.resumeProducing()
                await deferLater(reactor, 0.01)
            await sending
            source.close()
            self.assertTrue(reader.data == DATA)
            (await self.store.engine.turns.acquire()).release()

    async def test_connections_are_kept(self) -> None:
        """One request after the other goes over one connection."""
        blob = await self.put()
        for _ in range(5):
            await self.get(blob)
        (kept,) = self.kept()
        self.assertEqual(kept.transport.bufferSize, Client.bufferSize)

    async def test_reads(self) -> None:
        """What is sent on as it comes is read by some blocks at a time; the connection is as before when it has come."""
        self.assertGreater(max(await self.reads()), 2 * FRAME)
        while not self.kept():
            await deferLater(reactor, 0)
        (kept,) = self.kept()
        self.assertEqual(kept.transport.bufferSize, Client.bufferSize)

    async def test_no_more_reads(self) -> None:
        """Where all connections are in use each block is read by itself: whoever stands still keeps little, however many they are."""
        await self.reopen(connections=1)
        self.assertLessEqual(max(await self.reads()), FRAME)

    async def reads(self) -> list[int]:
        """Bytes that a connection may read at once, each time that some of a blob goes on."""
        sizes: list[int] = []

        def look(reader: Reader) -> None:
            sizes.extend(
                each.bufferSize
                for each in reactor.getReaders()
                if isinstance(each, Client)
            )

        self.assertTrue(await self.get(await self.put(), Reader(look)) == DATA)
        return sizes

    def kept(self) -> list[Any]:
        """The connections that are kept for the next request."""
        pool = self.store.engine._connections._pool._connections
        return [each for some in pool.values() for each in some]
