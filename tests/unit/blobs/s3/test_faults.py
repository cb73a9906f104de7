"""An engine that is down, slow, full, or wrong: what is told of it, and that all goes on when it is over."""

from __future__ import annotations

import os
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import gatherResults
from twisted.internet.task import deferLater
from twisted.internet.tcp import Client
from twisted.trial.unittest import TestCase

from ozgate.blobs.s3.frames import BLOCK, FRAME
from ozgate.errors import Absent, Damaged, NoSpace, Unavailable
from ozgate.testing.blob_base import Reader
from ozgate.values import BlobRef, ByteRange
from tests.running import ACCESS_KEY, SECRET_KEY
from tests.unit.blobs.s3.badengine import (
    BadEngine,
    after,
    changed,
    failure_of,
    flipped,
    hang_up,
    refuse,
    silence,
)

DATA = os.urandom(3 * BLOCK + 7)


class FaultCase(TestCase):
    """A store over an engine that misbehaves."""

    async def setUp(self) -> None:
        self.engine = BadEngine()
        self.addCleanup(self.engine.stop)
        self.store = self.engine.store()
        self.addCleanup(lambda: self.store.close_store())
        await self.store.prepare_store()
        await self.store.open_store()
        self.engine.asked.clear()

    async def reopen(self, patience: float = 60.0, **settings: Any) -> None:
        """Have it anew, otherwise set."""
        await self.store.close_store()
        self.store = self.engine.store(**settings)
        self.store.engine.turns.patience = patience
        await self.store.open_store()

    async def put(self, data: bytes = DATA) -> BlobRef:
        """Store a blob."""
        sink = self.store.create(len(data))
        sink.write(data)
        return await sink.commit()

    async def get(self, blob: BlobRef, reader: Reader | None = None) -> bytes:
        """Read a blob."""
        reader = reader or Reader()
        source = await self.store.open(blob, ByteRange(0, blob.length))
        try:
            await source.send_to(reader)
        finally:
            source.close()
        return reader.data

    def asked(self, method: str) -> int:
        """How often the engine was asked so."""
        return [each for each, _ in self.engine.asked].count(method)


class WriteTests(FaultCase):
    """Blobs that are put."""

    async def test_passing(self) -> None:
        """A put that fails is tried again, under another id each time; what became of the others is removed."""
        faults = (
            refuse(500, "InternalError"),
            refuse(503, "SlowDown"),
            hang_up,
            after(self.engine, hang_up),
            after(self.engine, silence),
            refuse(400, "BadDigest"),
        )
        for fault in faults:
            self.engine.asked.clear()
            self.engine.faults["PUT"] = [fault]
            blob = await self.put()
            paths = [path for method, path in self.engine.asked if method == "PUT"]
            self.assertGreaterEqual(len(paths), 2)
            self.assertEqual(len(set(paths)), len(paths))
            self.assertEqual(self.engine.blobs(), [paths[-1]])
            self.assertTrue(await self.get(blob) == DATA)
            await self.store.delete(blob.id)

    async def test_lasting(self) -> None:
        """One that goes on failing is unavailable, and leaves nothing; when the engine is well again all goes on."""
        for fault in (refuse(503, "SlowDown"), after(self.engine, hang_up)):
            self.engine.always["PUT"] = fault
            self.assertIsInstance(await failure_of(self.put()), Unavailable)
            self.engine.always.clear()
            self.assertEqual(self.engine.blobs(), [])
            blob = await self.put()
            self.assertTrue(await self.get(blob) == DATA)
            await self.store.delete(blob.id)

    async def test_full(self) -> None:
        """An engine that is full is not asked again."""
        for status, code in ((507, "InsufficientStorage"), (403, "QuotaExceeded")):
            self.engine.asked.clear()
            self.engine.always["PUT"] = refuse(status, code)
            self.assertIsInstance(await failure_of(self.put()), NoSpace)
            self.assertEqual(self.asked("PUT"), 1)

    async def test_refused(self) -> None:
        """Keys that were revoked are no reason to ask again, and the message says what to look at."""
        self.engine.always["PUT"] = refuse(403, "InvalidAccessKeyId")
        error = await failure_of(self.put())
        self.assertIsInstance(error, Unavailable)
        self.assertIn("ozgate.blobs.s3.access-key", str(error))
        self.assertEqual(self.asked("PUT"), 1)

    async def test_taken(self) -> None:
        """Where an engine honours conditions a put replaces nothing: an id that is another's is left alone, and another is taken."""
        self.engine.conditions = True
        await self.reopen()
        first = await self.put(b"another's")
        ids = iter([first.id])
        made = self.store.next_id
        self.patch(self.store, "next_id", lambda: next(ids, None) or made())
        second = await self.put()
        self.assertNotEqual(first.id, second.id)
        self.assertEqual(await self.get(first), b"another's")
        self.assertTrue(await self.get(second) == DATA)

    async def test_left_over(self) -> None:
        """What is left of a put that was given up, and could not be removed, is listed, as the sweep asks for it."""
        await self.reopen(timeout=30.0, deadline=0.2)
        self.engine.always["DELETE"] = refuse(403, "AccessDenied")
        self.engine.always["PUT"] = after(self.engine, silence)
        self.assertIsInstance(await failure_of(self.put()), Unavailable)
        (path,) = self.engine.blobs()
        self.assertEqual(await self.store.list(1 << 47), [path.rpartition("/")[2]])

    async def test_secrets(self) -> None:
        """What an engine says of keys and signatures is not said again, whichever part of an answer it is in."""
        blob = await self.put()
        status = f"HTTP/1.1 {ACCESS_KEY} {SECRET_KEY} {'5' * 64}\r\n\r\n".encode()

        def garbled(request: Any) -> Any:
            request.transport.write(status)
            return silence(request)

        for fault in (
            refuse(400, "Odd", "a key: {}"),
            refuse(400, "Odd", "x" * 290 + ACCESS_KEY),
            refuse(400, ACCESS_KEY, SECRET_KEY),
            garbled,
        ):
            self.engine.always = {"GET": fault, "PUT": fault, "DELETE": fault}
            for asked in self.put(), self.get(blob), self.store.delete(blob.id):
                said = str(await failure_of(asked))
                for each in (ACCESS_KEY[:10], SECRET_KEY):
                    self.assertNotIn(each, said)
                self.assertNotRegex(said, "[0-9a-f]{64}")

    async def test_other_bytes(self) -> None:
        """An engine that says that it has other bytes than were sent does not have the blob."""

        def lie(request: Any) -> None:
            request.setHeader("x-amz-checksum-crc64nvme", "AAAAAAAAAAA=")

        self.engine.always["PUT"] = lie
        self.assertIsInstance(await failure_of(self.put()), Unavailable)
        self.assertEqual(self.engine.blobs(), [])

    async def test_deadline(self) -> None:
        """However slow an engine is, there is an answer."""
        await self.reopen(timeout=30.0, deadline=0.2)
        self.engine.always["PUT"] = silence
        self.assertIsInstance(await failure_of(self.put()), Unavailable)

    async def test_down(self) -> None:
        """An engine that is not there is unavailable; when it is back all goes on."""
        blob = await self.put()
        await self.engine.stop()
        self.assertIsInstance(await failure_of(self.put()), Unavailable)
        self.assertIsInstance(await failure_of(self.get(blob)), Unavailable)
        for asked in (
            self.store.delete(blob.id),
            self.store.list(1 << 47),
            self.store.inspect([blob]),
            self.store.verify(blob.id),
        ):
            self.assertIsInstance(await failure_of(asked), Unavailable)
        self.engine.listen(self.engine.number)
        self.assertTrue(await self.get(blob) == DATA)
        await self.put()


class ReadTests(FaultCase):
    """Blobs that are read."""

    async def test_broken_off(self) -> None:
        """An answer that breaks off, or stops, is gone on with from the block where it did, and the reader sees nothing of it."""
        blob = await self.put()
        for then, count in (
            ("close", 0),
            ("close", BLOCK + 8),
            ("close", 2 * BLOCK + 100),
            ("silence", BLOCK + 100),
        ):
            self.engine.asked.clear()
            self.engine.faults["GET"] = [
                changed(self.engine, lambda data: data[:count], then)  # noqa: B023
            ]
            self.assertTrue(await self.get(blob) == DATA, (then, count))
            self.assertGreaterEqual(self.asked("GET"), 2)

    async def test_broken_off_for_good(self) -> None:
        """One that never comes further fails, after what was well."""
        blob = await self.put()
        cut = changed(self.engine, lambda data: data[:BLOCK], "close")
        self.engine.always["GET"] = cut
        reader = Reader()
        self.assertIsInstance(await failure_of(self.get(blob, reader)), Unavailable)
        self.assertTrue(DATA.startswith(reader.data))

    async def test_wrong_bytes(self) -> None:
        """Bytes that are wrong are asked for once more; if they stay so they are damage, and none of their block goes on."""
        blob = await self.put()
        for at in (0, BLOCK + 8, 3 * BLOCK + 24 + 6):
            self.engine.always.clear()
            wrong = changed(self.engine, flipped(at))
            self.engine.faults["GET"] = [wrong]
            self.assertTrue(await self.get(blob) == DATA)
        self.engine.objects = {
            path: flipped(BLOCK + 8)(data) if "/data/" in path else data
            for path, data in self.engine.objects.items()
        }
        reader = Reader()
        self.assertIsInstance(await failure_of(self.get(blob, reader)), Damaged)
        self.assertTrue(reader.data == DATA[:BLOCK])

    async def test_another_blob(self) -> None:
        """An object that is another blob's is damage, though all in it is well."""
        first, second = await self.put(), await self.put(os.urandom(len(DATA)))
        mine, other = sorted(self.engine.blobs(), key=lambda path: path[-24:])
        self.engine.objects[mine] = self.engine.objects[other]
        self.assertIsInstance(await failure_of(self.get(first)), Damaged)
        self.assertIsInstance(await failure_of(self.store.verify(first.id)), Damaged)
        self.assertEqual(await self.store.verify(second.id), len(DATA))

    async def test_gone(self) -> None:
        """A blob that is gone is absent; where its store is gone with it, nothing is known of it."""
        blob = await self.put()
        kept = dict(self.engine.objects)
        del self.engine.objects[self.engine.blobs()[0]]
        self.assertIsInstance(await failure_of(self.get(blob)), Absent)
        self.engine.objects.clear()
        for asked in (
            self.get(blob),
            self.store.verify(blob.id),
            self.store.inspect([blob]),
        ):
            self.assertIsInstance(await failure_of(asked), Unavailable)
        self.engine.objects = kept
        self.assertTrue(await self.get(blob) == DATA)

    async def test_slow_reader(self) -> None:
        """A reader who stops keeps no connection for nothing, and finds the rest when he goes on."""
        data = os.urandom(24 * BLOCK)
        blob = await self.put(data)
        reader = Reader(lambda r: r.producer.pauseProducing())
        source = await self.store.open(blob, ByteRange(0, len(data)))
        sending = source.send_to(reader)
        while not reader.chunks:
            await deferLater(reactor, 0.01)
        self.engine.asked.clear()
        await deferLater(reactor, 2 * self.store.engine.limits.silence)
        while reader.producer is not None:
            reader.producer.resumeProducing()
            await deferLater(reactor, 0)
        await sending
        source.close()
        self.assertTrue(reader.data == data)
        self.assertGreaterEqual(self.asked("GET"), 1)

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
        """What is sent on as it comes is read a block at a time; the connection is as before when it has come."""
        blob = await self.put()
        sizes: list[int] = []

        def look(reader: Reader) -> None:
            sizes.extend(
                each.bufferSize
                for each in reactor.getReaders()
                if isinstance(each, Client)
            )

        self.assertTrue(await self.get(blob, Reader(look)) == DATA)
        self.assertEqual(max(sizes), FRAME)
        while not self.kept():
            await deferLater(reactor, 0)
        (kept,) = self.kept()
        self.assertEqual(kept.transport.bufferSize, Client.bufferSize)

    def kept(self) -> list[Any]:
        """The connections that are kept for the next request."""
        pool = self.store.engine._connections._pool._connections
        return [each for some in pool.values() for each in some]
