"""Emptying a blob store, on stores in memory."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred, ensureDeferred
from zope.interface import directlyProvides

from ozgate.background import drain as drain_module
from ozgate.background.drain import LEASE, SETTLING, TERM, Drain, rename_blob
from ozgate.background.leased import Lease
from ozgate.background.reaper import Reaper
from ozgate.content.storenames import KnownStore, known_stores, note_configured
from ozgate.content.stores import BlobStores
from ozgate.errors import NoSpace, Unavailable
from ozgate.interfaces import IMetadataStore, IShared
from ozgate.testing.memory_blobs import MemoryBlobStore
from ozgate.testing.metadata_base import ask, change
from ozgate.values import BlobRef
from tests.operations.support import OperationTestCase, settle
from tests.unit.background.sweeping import name_blob


class DrainCase(OperationTestCase):
    """A gateway whose first store is called ``memory``, and whose new one ``disk2``."""

    async def fill(self) -> None:
        """Objects in blobs, one of them in two buckets, an upload; then bytes go to another store."""
        self.bodies = {f"key{n}": bytes([n]) * (50_000 + n) for n in range(5)}
        for key, body in self.bodies.items():
            await self.client.request("PUT", f"/bucket/{key}", body=body)
        await self.client.request(
            "PUT", "/bucket/copy", headers={"x-amz-copy-source": "/bucket/key1"}
        )
        self.bodies["copy"] = self.bodies["key1"]
        self.gateway = self.client.gateway
        old: Any = self.gateway.blobs.default
        self.old = old
        self.new = MemoryBlobStore(self.clock, "disk2")
        self.gateway.blobs = BlobStores(self.new, [old])
        self.new.open_store()
        self.addCleanup(self.new.close_store)
        identities = {"memory": old.identity, "disk2": self.new.identity}
        for name in identities:
            await self.gateway.metadata.write(note_configured, name, identities)

    def drain(self) -> Drain:
        """Run a drain to its end."""
        drain = Drain(self.gateway, "memory", "owner")
        while not drain.running.is_over:
            settle(self.clock)
        return drain

    async def check(self) -> None:
        """Every object is what was stored."""
        for key, body in self.bodies.items():
            got = await self.client.request("GET", f"/bucket/{key}")
            self.assertEqual((got.status, got.body), (200, body), key)

    async def named(self) -> set[str]:
        """The stores that rows name."""
        found = await self.gateway.metadata.read(ask, "blobs", (("", ""), 1000))
        return {blob.store for blob in found}


class DrainTests(DrainCase):
    """From the beginning to the end."""

    async def test_all(self) -> None:
        """Everything is in the new store then, each blob once, the old ones are doomed, and a start does not miss the store."""
        await self.fill()
        drain = self.drain()
        self.assertIsNone(drain.running.failure)
        self.assertEqual((drain.moved, drain.left_count, drain.is_empty), (5, 0, True))
        self.assertEqual(drain.done, drain.total)
        self.assertEqual(await self.named(), {"disk2"})
        self.assertEqual(len(self.new.data), 5)
        self.assertEqual(await drain.waiting(100), 5)
        self.old.data.clear()
        await self.check()
        known = await self.gateway.metadata.read(known_stores)
        self.assertFalse(known["memory"].is_needed)
        again = self.drain()
        self.assertEqual((again.moved, again.total, again.is_empty), (0, 0, True))

    async def share(self) -> Drain:
        """A drain where several transactions run at once, which waits before its last look."""
        await self.fill()
        self.before = await self.gateway.metadata.read(ask, "blobs", (("", ""), 1000))
        directlyProvides(self.gateway.metadata, IShared, IMetadataStore)
        drain = Drain(self.gateway, "memory", "owner")
        while drain.moved < 5:
            settle(self.clock)
        for _ in range(20):
            settle(self.clock)
        self.assertFalse(drain.running.is_over)
        return drain

    async def test_committed_late(self) -> None:
        """A row that named an old blob before its name was changed, and is committed after, is found: the store is not empty before."""
        drain = await self.share()
        bucket = await self.gateway.metadata.read(ask, "bucket", ("s3v", "bucket"))
        await self.gateway.metadata.write(name_blob, bucket, "late", self.before[0])
        while not drain.running.is_over:
            self.clock.advance(SETTLING / 4)
        self.assertIsNone(drain.running.failure)
        self.assertEqual((drain.moved, drain.is_empty), (6, True))
        self.assertEqual(await self.named(), {"disk2"})

    async def test_stopped_at_last(self) -> None:
        """It can be stopped while it waits."""
        drain = await self.share()
        self.successResultOf(ensureDeferred(drain.stop()))
        self.assertTrue(drain.running.is_over)
        self.assertFalse(drain.is_empty)

    async def test_long_copy(self) -> None:
        """While one blob is copied for hours nobody else begins to drain."""
        await self.fill()
        copying: Deferred[list[BlobRef]] = Deferred()
        copy = drain_module.copy_stored

        async def slow(*args: Any) -> list[BlobRef]:
            await copying
            return await copy(*args)

        self.patch(drain_module, "copy_stored", slow)
        drain = Drain(self.gateway, "memory", "owner")
        for _ in range(200):
            settle(self.clock)
            self.clock.advance(TERM / 5)
        other = Lease(LEASE, "other", TERM)
        self.assertFalse(await other.begin().begins(self.gateway.metadata))
        copying.callback([])
        while not drain.running.is_over:
            settle(self.clock)
        self.assertTrue(drain.is_empty)
        self.assertTrue(await other.begin().begins(self.gateway.metadata))

    async def test_short_blobs(self) -> None:
        """Where the new store takes short blobs only, extents are cut, and ranges over the cuts read as before."""
        await self.fill()
        self.new.extent_size = 20_000  # type: ignore[misc]
        self.assertEqual(self.drain().moved, 5)
        self.assertEqual(len(self.new.data), 15)
        await self.check()
        got = await self.client.request(
            "GET", "/bucket/key3", headers={"range": "bytes=19990-40010"}
        )
        self.assertEqual(got.body, self.bodies["key3"][19990:40011])

    async def test_damaged(self) -> None:
        """What is damaged or gone stays, with the reason, and all the rest is moved; the store goes on being known."""
        await self.fill()
        gone, damaged = sorted(self.old.data)[:2]
        del self.old.data[gone]
        self.old.data[damaged] = bytes(len(self.old.data[damaged]))
        drain = self.drain()
        self.assertEqual((drain.moved, drain.left_count, drain.is_empty), (3, 2, False))
        self.assertEqual(set(drain.left), {gone, damaged})
        self.assertEqual(await self.named(), {"memory", "disk2"})
        known = await self.gateway.metadata.read(known_stores)
        self.assertTrue(known["memory"].is_needed)
        self.flushLoggedErrors()

    async def test_full(self) -> None:
        """A full disk ends it; another one goes on, and nothing was lost."""
        await self.fill()
        self.new.capacity = 120_000
        drain = self.drain()
        assert drain.running.failure is not None
        self.assertTrue(drain.running.failure.check(NoSpace))
        self.assertEqual(drain.moved, 2)
        await self.check()
        self.new.capacity = None
        self.assertEqual(self.drain().moved, 3)
        await self.check()

    async def test_failing(self) -> None:
        """A new disk that fails ends it, and no blob that is well is said to have to stay."""
        await self.fill()
        create = self.new.create

        def fails(size: int | None) -> Any:
            raise Unavailable("Input/output error")

        self.patch(self.new, "create", fails)
        drain = self.drain()
        assert drain.running.failure is not None
        self.assertTrue(drain.running.failure.check(Unavailable))
        self.assertEqual((drain.moved, drain.left), (0, {}))
        self.assertTrue((await self.known("memory")).is_draining)
        self.patch(self.new, "create", create)
        self.assertEqual(self.drain().moved, 5)
        await self.check()

    async def test_goes_on(self) -> None:
        """From its beginning to its end the metadata know of a drain, so that another goes on with it; what has to stay is no reason for one."""
        await self.fill()
        drain = Drain(self.gateway, "memory", "owner")
        stopping = ensureDeferred(drain.stop())
        while not stopping.called:
            settle(self.clock)
        self.assertEqual((drain.goes_on, drain.is_empty), (False, False))
        self.assertTrue((await self.known("memory")).is_draining)
        damaged = sorted(self.old.data)[-1]
        kept, self.old.data[damaged] = self.old.data[damaged], b"damaged"
        drain = self.drain()
        self.assertEqual((drain.goes_on, drain.left_count), (True, 1))
        self.assertFalse((await self.known("memory")).is_draining)
        self.old.data[damaged] = kept
        drain = self.drain()
        self.assertEqual((drain.goes_on, drain.is_empty), (False, True))
        self.assertFalse((await self.known("memory")).is_draining)
        await self.check()
        self.flushLoggedErrors()

    async def known(self, name: str) -> KnownStore:
        """What metadata know of a store."""
        return (await self.gateway.metadata.read(known_stores))[name]

    async def test_swept_meanwhile(self) -> None:
        """What a sweep takes for orphans while it is copied, for that takes hours, is there when rows come to name it."""
        await self.fill()
        metadata, write = self.gateway.metadata, self.gateway.metadata.write
        reaper = Reaper(
            metadata, self.new, self.gateway.readers, self.clock, "owner", 0.0
        )

        def write_later(interaction: Any, *args: Any) -> Any:
            if rename_blob in args:
                self.patch(metadata, "write", write)
                swept = reaper.sweep_orphans(1 << 47)
                self.assertEqual(self.successResultOf(ensureDeferred(swept)), 1)
                self.clock.advance(7200)
                self.successResultOf(ensureDeferred(reaper.reap()))
            return write(interaction, *args)

        self.patch(metadata, "write", write_later)
        self.assertEqual(self.drain().moved, 5)
        await self.check()

    async def test_lease(self) -> None:
        """While another process drains, this one does not; one that loses its lease ends."""
        await self.fill()
        await self.gateway.metadata.write(change, "lease", (LEASE, "other", TERM))
        drain = self.drain()
        assert drain.running.failure is not None
        self.assertTrue(drain.running.failure.check(Unavailable))
        self.assertEqual(drain.moved, 0)
        await self.check()

    async def test_removed_meanwhile(self) -> None:
        """A key that goes while its blob is copied leaves no copy that is not doomed."""
        await self.fill()
        create = self.new.create

        def create_then(size: int | None) -> Any:
            self.patch(self.new, "create", create)
            self.removed = self.client.request("DELETE", "/bucket/key4")
            return create(size)

        del self.bodies["key4"]
        self.patch(self.new, "create", create_then)
        drain = self.drain()
        await self.removed
        self.assertIsNone(drain.running.failure)
        await self.check()
        for blob_id in self.new.data:
            named = await self.gateway.metadata.read(
                ask, "is_named", ("disk2", blob_id)
            )
            doomed = await self.gateway.metadata.read(
                ask, "is_doomed", ("disk2", blob_id)
            )
            self.assertTrue(named or doomed)
