"""An engine that is down, slow, full, or wrong: what is told of it, and that all goes on when it is over."""

from __future__ import annotations

import os
from typing import Any

from twisted.internet import reactor
from twisted.internet.task import deferLater

from ozgate.blobs.s3.frames import BLOCK
from ozgate.errors import Absent, Damaged, NoSpace, Unavailable
from ozgate.testing.blob_base import Reader
from ozgate.values import ByteRange
from tests.running import ACCESS_KEY, SECRET_KEY
from tests.unit.blobs.s3.badengine import (
    after,
    changed,
    failure_of,
    flipped,
    hang_up,
    refuse,
    silence,
)
from tests.unit.blobs.s3.faultcase import DATA, FaultCase


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
