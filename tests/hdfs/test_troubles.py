"""An HDFS that does not answer, is gone, or takes nothing: what a store says within its deadline, and that it goes on by itself."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import time
from pathlib import Path

from twisted.internet import reactor
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from ozgate.blobs.hdfs.store import HdfsBlobStore
from ozgate.errors import NoSpace, StoreError, Unavailable
from ozgate.testing.blob_base import MIB, BlobTests, noise
from ozgate.values import BlobRef, ByteRange
from tests.engines.hdfs import Hdfs, given
from tests.hdfs.store import BLOCK_SIZE, InHdfs

DEADLINE = 3.0
"""Seconds of a call. No test asserts on time: one that waits for longer is ended."""


class TroubleCase(InHdfs, BlobTests, TestCase):
    """A store whose calls are given up soon."""

    timeout = 180

    def make_store(self, **more: float) -> HdfsBlobStore:
        return super().make_store(deadline=20.0, **more)

    async def setUp(self) -> None:
        await super().setUp()
        self.data = noise(3 * MIB)
        self.blob = await self.put(self.data)
        self.small = await self.put(b"small")
        # Prepared in peace, it is impatient from now on.
        self.have(DEADLINE)

    async def tearDown(self) -> None:
        self.have(20.0)
        await super().tearDown()

    def have(self, deadline: float) -> None:
        """Give up calls after so many seconds."""
        self.store.threads._deadline = self.store.writers._deadline = deadline

    def leftovers(self) -> list[str]:
        return []

    async def put_until_it_works(self) -> None:
        """Put and read: it goes on by itself."""
        for _ in range(100):
            try:
                blob = await self.put(self.data)
                self.assertTrue(await self.get(blob) == self.data)
                self.assertEqual(await self.get(self.small), b"small")
                return
            except Unavailable:
                await deferLater(reactor, 0.5)
        self.fail("it does not go on")

    async def unavailable(self) -> None:
        """Nothing can be written; nothing is said to be gone or damaged."""
        await self.assertFailure(self.put(noise(100_000)), Unavailable)
        await self.not_lost(self.blob)

    async def not_lost(self, blob: BlobRef) -> None:
        """Reading fails for want of HDFS, if at all."""
        try:
            source = await self.store.open(blob, ByteRange(0, 10))
        except StoreError as error:
            self.assertIsInstance(error, Unavailable)
        else:
            source.close()

    def put(self, *chunks: bytes):
        """Store a blob, or leave nothing."""
        from twisted.internet.defer import ensureDeferred

        return ensureDeferred(self._put(*chunks))

    async def _put(self, *chunks: bytes) -> BlobRef:
        sink = self.store.create(sum(map(len, chunks)))
        try:
            for chunk in chunks:
                sink.write(chunk)
            return await sink.commit()
        except BaseException:
            await sink.abort()
            raise


class FrozenTests(TroubleCase):
    """Daemons that are there, and do nothing."""

    def freeze(self, name: str) -> None:
        """Stop a daemon, until it is thawed."""
        pid = int(Path(self.hdfs.folder, "pid", name).read_text())
        os.kill(pid, signal.SIGSTOP)
        self.addCleanup(os.kill, pid, signal.SIGCONT)
        self.thaw = lambda: os.kill(pid, signal.SIGCONT)

    async def test_name_node(self) -> None:
        """A name node that does not answer: unavailable, then as before."""
        self.freeze("nn")
        await self.unavailable()
        await self.assertFailure(self.store.list(self.now()), Unavailable)
        await self.assertFailure(self.store.verify(self.blob.id), Unavailable)
        self.thaw()
        await self.put_until_it_works()

    async def test_data_node(self) -> None:
        """A data node that does not answer: likewise; what needs the name node alone goes on."""
        self.freeze("dn1")
        await self.unavailable()
        listed = await self.store.list(self.now() + 1000)
        self.assertLessEqual({self.blob.id, self.small.id}, set(listed))
        self.thaw()
        await self.put_until_it_works()
        await self.all_gone()

    async def test_in_the_middle(self) -> None:
        """A data node that stops in the middle of a blob: what was written of it is nowhere, then or later."""
        sink = self.store.create(None)
        sink.write(noise(2 * MIB))
        await deferLater(reactor, 0.3)
        self.freeze("dn1")
        with self.assertRaises(Unavailable):
            for _ in range(20):
                sink.write(noise(2 * MIB))
                await deferLater(reactor, 0.1)
            await sink.commit()
        await sink.abort()
        self.thaw()
        await self.put_until_it_works()
        await self.all_gone()

    async def all_gone(self) -> None:
        """What was given up is nowhere once its calls have come back."""
        for _ in range(200):
            if not self.names("staging") and len(await self.ids()) == 3:
                return
            await deferLater(reactor, 0.2)
        self.assertEqual((self.names("staging"), len(await self.ids())), ([], 3))


class RefusingTests(TroubleCase):
    """A name node that says no."""

    async def test_safe_mode(self) -> None:
        """In safe mode nothing is written, and what is there is read."""
        self.addCleanup(self.hdfs.admin, "-safemode", "leave")
        await deferToThread(self.hdfs.admin, "-safemode", "enter")
        error = await self.assertFailure(self.put(b"x" * 100_000), Unavailable)
        self.assertIn("safe mode", str(error).lower())
        self.assertTrue(await self.get(self.blob) == self.data)
        other = self.remake_store()
        await self.assertFailure(other.prepare_store(), Unavailable)
        await other.close_store()
        await deferToThread(self.hdfs.admin, "-safemode", "leave")
        await self.put_until_it_works()

    async def test_many_files(self) -> None:
        """A folder that may have no more files is full."""
        used = len(self.names("data")) + 20
        await deferToThread(self.hdfs.admin, "-setQuota", str(used), self.path)
        for _ in range(40):
            try:
                await self.put(b"x" * 100)
            except NoSpace:
                break
        else:
            self.fail("it is never full")
        self.assertTrue(await self.get(self.blob) == self.data)
        await deferToThread(self.hdfs.admin, "-clrQuota", self.path)
        await self.put_until_it_works()


class GoneTests(TroubleCase):
    """An HDFS of the test's own, whose daemons are killed and started anew."""

    timeout = 400

    def remake_store(self, **more: float) -> HdfsBlobStore:
        given()
        if not hasattr(self, "own"):
            folder = tempfile.mkdtemp(prefix="ozgate-hdfs-")
            self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
            self.own = Hdfs(Path(folder, "hdfs"))
            self.addCleanup(self.own.stop)
            self.own.start()
        self.hdfs = self.own
        url = f"{self.own.url}{self.path}"
        return HdfsBlobStore(url, "hdfs", reactor, 16384, 20.0, BLOCK_SIZE)

    async def test_killed(self) -> None:
        """Name node and data node gone: unavailable at once; back again, everything is as it was."""
        for name in ("dn1", "nn"):
            self.own.daemons[name].kill()
            await self.unavailable()
            await self.assertFailure(self.get_whole(), Unavailable)
            self.own.daemons[name].start()
            await deferToThread(self.own.wait)
            await self.put_until_it_works()
            self.assertTrue(await self.get(self.blob) == self.data)

    def get_whole(self):
        """Read a large blob."""
        from twisted.internet.defer import ensureDeferred

        return ensureDeferred(self.get(self.blob))

    async def test_all_killed_while_writing(self) -> None:
        """Whatever dies while blobs are committed, each that was committed is whole afterwards, and no other is listed but whole ones."""
        committed = [self.blob, self.small]
        ends = time.monotonic() + 6
        killed = False
        while time.monotonic() < ends:
            try:
                committed.append(await self.put(noise(300_000)))
            except Unavailable:
                await deferLater(reactor, 0.1)
            if len(committed) > 6 and not killed:
                killed = True
                for daemon in self.own.daemons.values():
                    daemon.kill()
        for daemon in self.own.daemons.values():
            daemon.start()
        await deferToThread(self.own.wait)
        await self.put_until_it_works()
        for blob in committed:
            self.assertEqual(await self.store.verify(blob.id), blob.length)
        for blob_id in await self.ids():
            await self.store.verify(blob_id)
