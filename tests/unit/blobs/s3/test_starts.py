"""What a start finds out of an engine, and what it refuses in one line."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred, gatherResults
from twisted.trial.unittest import SynchronousTestCase, TestCase

from ozgate.blobs.s3.location import read_location
from ozgate.blobs.s3.probe import CRC64NVME, MD5, Honours
from ozgate.blobs.s3.sink import LARGEST, SMALLEST, Memory
from ozgate.errors import NoSpace, Unavailable
from tests.contract.s3engine import store_over
from tests.unit.blobs.s3.badengine import (
    BadEngine,
    failure_of,
    refuse,
    refuse_conditions,
)


class StartTests(TestCase):
    """A store that is prepared."""

    def setUp(self) -> None:
        self.engine = BadEngine()
        self.addCleanup(self.engine.stop)

    async def prepared(self) -> Honours:
        """What is found out of the engine."""
        store = self.engine.store(timeout=20.0)
        self.addCleanup(store.close_store)
        await store.prepare_store()
        assert store.honours is not None
        return store.honours

    async def refused(self, said: str) -> None:
        """Its start is refused, in one line."""
        store = self.engine.store(timeout=20.0)
        self.addCleanup(store.close_store)
        error = await failure_of(store.prepare_store())
        self.assertIsInstance(error, Unavailable)
        self.assertIn(said, str(error))
        self.assertNotIn("\n", str(error))

    async def test_honours(self) -> None:
        """What an engine verifies is found out by giving it something wrong; nothing is left of that."""
        for verifies, found in (
            ({"crc64nvme", "md5"}, CRC64NVME),
            ({"md5"}, MD5),
            (set[str](), ""),
        ):
            self.engine.verifies = verifies
            honours = await self.prepared()
            self.assertEqual(honours.checksum, found)
            self.assertTrue(honours.has_md5_etags)
            self.assertFalse(honours.conditions)
            self.assertEqual(list(self.engine.objects), ["/bucket/in/NAME"])

    async def test_blobs_with_any(self) -> None:
        """Blobs are put whatever the engine verifies."""
        for verifies in ({"md5"}, set[str]()):
            self.engine.verifies = verifies
            store = self.engine.store(timeout=20.0)
            await store.prepare_store()
            await store.open_store()
            sink = store.create(None)
            sink.write(b"some")
            blob = await sink.commit()
            self.assertEqual(await store.verify(blob.id), 4)
            await store.close_store()

    async def test_full(self) -> None:
        """A store that is full starts: what is there can be read and removed."""
        await self.prepared()
        self.engine.always["PUT"] = refuse(507, "InsufficientStorage")
        self.assertFalse((await self.prepared()).is_known)

    async def test_full_no_more(self) -> None:
        """One that was full at the start is tried again when something is put there, once for all who put something."""
        await self.prepared()
        self.engine.verifies = {"md5"}
        self.engine.always["PUT"] = refuse(507, "InsufficientStorage")
        store = self.engine.store(timeout=20.0)
        self.addCleanup(store.close_store)
        await store.prepare_store()
        await store.open_store()

        async def put() -> None:
            sink = store.create(None)
            sink.write(b"some")
            await sink.commit()

        for _ in range(2):
            self.assertIsInstance(
                await failure_of(Deferred.fromCoroutine(put())), NoSpace
            )
        self.engine.always.clear()
        self.engine.asked.clear()
        await gatherResults([Deferred.fromCoroutine(put()) for _ in range(3)])
        assert store.honours is not None
        self.assertEqual(store.honours.checksum, MD5)
        tried = {path for _, path in self.engine.asked if "/probe/" in path}
        self.assertEqual(len(tried), 1)
        self.assertEqual(len(self.engine.blobs()), 3)

    async def test_conditions(self) -> None:
        """Whether a put can be made to replace nothing; an engine that refuses whoever asks for that does not know it."""
        self.engine.conditions = True
        self.assertTrue((await self.prepared()).conditions)
        self.engine.always["PUT"] = refuse_conditions
        self.assertFalse((await self.prepared()).conditions)

    async def test_leftovers(self) -> None:
        """What starts that were killed have left is removed, and not what one is just trying."""
        await self.prepared()
        old, new = (f"/bucket/in/probe/{digit * 32}" for digit in "0f")
        self.engine.objects |= {old: b"", new: b""}
        await self.prepared()
        self.assertNotIn(old, self.engine.objects)
        self.assertIn(new, self.engine.objects)

    async def test_no_ranges(self) -> None:
        """An engine without ranges is refused."""
        self.engine.honours_ranges = False
        await self.refused("honours no ranges")

    async def test_answers(self) -> None:
        """What an engine answers is said with what to do about it."""
        for status, code, said in (
            (404, "NoSuchBucket", "make it"),
            (403, "InvalidAccessKeyId", "ozgate.blobs.s3.access-key"),
            (403, "SignatureDoesNotMatch", "ozgate.blobs.s3.secret-key-file"),
            (403, "RequestTimeTooSkewed", "clock"),
            (403, "AccessDenied", "allow it"),
            (301, "PermanentRedirect", "another endpoint"),
            (400, "AuthorizationHeaderMalformed", "ozgate.blobs.s3.region"),
        ):
            self.engine.always["GET"] = refuse(status, code)
            await self.refused(said)

    async def test_nothing_listens(self) -> None:
        """An engine that is not there is named."""
        await self.engine.stop()
        await self.refused(f"127.0.0.1:{self.engine.number} cannot be asked")

    async def test_strangers(self) -> None:
        """A place where something else is is left alone."""
        self.engine.objects["/bucket/in/holiday.jpg"] = b""
        await self.refused("holiday.jpg")

    async def test_another_store(self) -> None:
        """So is the place of a store with another name, or a format of a time to come."""
        await self.prepared()
        self.engine.objects["/bucket/in/NAME"] = b"ozgate blobs 1\nother 0123\n"
        await self.refused("'other'")
        self.engine.objects["/bucket/in/NAME"] = b"ozgate blobs 2\ns3 0123\n"
        await self.refused("format 2")
        self.engine.objects["/bucket/in/NAME"] = b"nothing of the kind"
        await self.refused("NAME")

    async def test_not_prepared(self) -> None:
        """What was not prepared is not opened."""
        store = self.engine.store(timeout=20.0)
        self.addCleanup(store.close_store)
        self.assertIn("not prepared", str(await failure_of(store.open_store())))


class LocationTests(SynchronousTestCase):
    """URLs of stores."""

    def test_read(self) -> None:
        """Endpoint, bucket and prefix."""
        for scheme, text, found in (
            ("https", "//h/bkt", "https://h/bkt/"),
            ("https", "//h:443/bkt/", "https://h/bkt/"),
            ("http", "//h:9000/bkt/c/d/", "http://h:9000/bkt/c/d/"),
            ("http", "//[::1]:9/bkt", "http://[::1]:9/bkt/"),
        ):
            self.assertEqual(str(read_location(scheme, text)), found)

    def test_refused(self) -> None:
        """What is no such URL, and what has keys in it, which are not said again."""
        for text in (
            "",
            "b",
            "//h",
            "//h/",
            "//h:x/bkt",
            "//h/bkt/../c",
            "//h/bkt?c",
            "/b",
        ):
            self.assertRaises(Unavailable, read_location, "https", text)
        error = self.assertRaises(
            Unavailable, read_location, "https", "//key:topsecret@h/bkt"
        )
        self.assertIn("ozgate.blobs.s3.secret-key-file", str(error))
        self.assertNotIn("topsecret", str(error))

    def test_no_pair(self) -> None:
        """A store without a key pair is refused."""
        settings: dict[str, Any] = {"access_key": ""}
        self.assertRaises(Unavailable, store_over, "h", "bkt", **settings)
        self.assertRaises(Unavailable, store_over, "h", "bkt", secret="")


class MemoryTests(SynchronousTestCase):
    """What blobs being written may hold."""

    def test_shares(self) -> None:
        """One alone is as large as can be; the more there are the smaller they are, and all is given back."""
        memory = Memory(48 << 20)
        self.assertEqual(memory.extent_size, LARGEST)
        sizes, releases = [], []
        for _ in range(64):
            sizes.append(memory.extent_size)
            releases.append(memory.promise(None))
        self.assertEqual(sizes, sorted(sizes, reverse=True))
        self.assertEqual(sizes[-1], SMALLEST)
        self.assertLess(sum(sizes), 80 << 20)
        for release in releases:
            release()
        self.assertEqual(memory.extent_size, LARGEST)

    def test_hint(self) -> None:
        """A small one takes no more than it is."""
        memory = Memory(30 << 20)
        for _ in range(1000):
            memory.promise(100)
        self.assertEqual(memory.extent_size, ((30 << 20) - 100_000) // 3)
