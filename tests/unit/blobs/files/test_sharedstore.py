"""A folder that several gateways share: who makes it, whose leftovers go, and what a file server may say."""

from __future__ import annotations

import contextlib
import errno
import os
import time
from threading import Event

from twisted.internet import reactor
from twisted.internet.defer import ensureDeferred, gatherResults
from twisted.trial.unittest import TestCase

from ozgate.blobs.files import syscalls
from ozgate.blobs.files.sharedstore import SharedFileBlobStore
from ozgate.blobs.files.store import FileBlobStore
from ozgate.blobs.temporarynames import OLD, temporary_name
from ozgate.errors import Absent, Unavailable
from ozgate.testing.blob_base import Reader
from ozgate.values import ByteRange


def touch(path: str) -> None:
    """Make an empty file."""
    with open(path, "x"):
        pass


class SharedCase(TestCase):
    """Stores over one folder, each as that of a gateway."""

    timeout = 60

    def setUp(self) -> None:
        self.path = os.path.abspath(self.mktemp())

    def store(self, name: str = "files", deadline: float = 20.0) -> SharedFileBlobStore:
        """A gateway's, not yet prepared."""
        store = SharedFileBlobStore(self.path, name, reactor, 10, deadline=deadline)
        self.addCleanup(store.close_store)
        return store

    async def opened(self, **more: float) -> SharedFileBlobStore:
        """One that is open."""
        store = self.store(**more)
        await store.prepare_store()
        await store.open_store()
        return store

    async def put(self, store: SharedFileBlobStore, data: bytes):
        """Store a blob."""
        sink = store.create(len(data))
        sink.write(data)
        return await sink.commit()

    def staging(self) -> list[str]:
        """What is being written."""
        return os.listdir(f"{self.path}/staging")

    def failing(self, name: str, error: int, times: int = 1, done: bool = False):
        """Have a call to the file system fail some times, though it may have been done."""
        left = [times]
        real = getattr(syscalls, name)

        def call(*args):
            if not left[0]:
                return real(*args)
            left[0] -= 1
            if done:
                real(*args)
            raise OSError(error, os.strerror(error))

        self.patch(syscalls, name, call)


class PreparingTests(SharedCase):
    """Several prepare the folder, at a time or one while another writes."""

    async def test_at_once(self) -> None:
        """Of several who make the folder at a time one does, and all know it for the same."""
        stores = [self.store() for _ in range(5)]
        await gatherResults([each.prepare_store() for each in stores])
        await gatherResults([each.open_store() for each in stores])
        self.assertEqual(len({each.identity for each in stores}), 1)
        self.assertNotEqual(stores[0].identity, "")
        self.assertEqual(self.staging(), [])
        kept = {"FORMAT", "NAME", "data", "staging"}
        self.assertEqual(set(os.listdir(self.path)), kept)

    async def test_unfinished_writes_of_others(self) -> None:
        """Who prepares it while another writes takes nothing from it."""
        first = await self.opened()
        sink = first.create(None)
        sink.write(b"1" * 1_000_000)
        while not self.staging():
            await self.turn()
        second = await self.opened()
        sink.write(b"2" * 1_000_000)
        blob = await sink.commit()
        self.assertEqual(await second.verify(blob.id), 2_000_000)
        self.assertEqual(self.staging(), [])

    def turn(self):
        """Fires a little later."""
        from twisted.internet.task import deferLater

        return deferLater(reactor, 0.01)

    async def test_left_over(self) -> None:
        """What a dead process of this machine wrote goes at once; what others wrote when it is old; what the kernel keeps stays."""
        await (await self.opened()).close_store()
        machine, pid, began, rest = temporary_name().split("-")
        dead = f"{machine}-{pid}-{int(began) - 1}-{rest}"
        far, old = f"{'e' * 16}-1-1-aa", f"{'e' * 16}-1-1-bb"
        for name in (dead, far, old, ".nfs00000001"):
            touch(f"{self.path}/staging/{name}")
        then = time.time() - OLD - 1
        for name in (old, ".nfs00000001"):
            os.utime(f"{self.path}/staging/{name}", (then, then))
        await self.opened()
        self.assertEqual(set(self.staging()), {far, ".nfs00000001"})

    async def test_removed_by_another(self) -> None:
        """A blob whose file was taken for left over is not committed, and that is no blob that is absent."""
        store = await self.opened()
        sink = store.create(None)
        sink.write(b"1" * 1_000_000)
        while not self.staging():
            await self.turn()
        os.unlink(f"{self.path}/staging/{self.staging()[0]}")
        await self.assertFailure(sink.commit(), Unavailable)
        self.assertEqual(list(await store.list(1 << 47)), [])

    async def test_another_name(self) -> None:
        """A folder of another store is refused."""
        await self.opened()
        error = await self.assertFailure(
            self.store("cold").prepare_store(), Unavailable
        )
        self.assertIn("a store called 'files', not 'cold'", str(error))

    async def test_something_else(self) -> None:
        """A folder that holds something else is not made a store."""
        os.mkdir(self.path)
        touch(f"{self.path}/letters.txt")
        error = await self.assertFailure(self.store().prepare_store(), Unavailable)
        self.assertIn("letters.txt", str(error))
        self.assertEqual(os.listdir(self.path), ["letters.txt"])

    async def test_from_one_gateway(self) -> None:
        """The folder of a service with a database of its own is that of many later; while that one has it, nobody else has, where locks work."""
        alone = FileBlobStore(
            self.path, "files", reactor, self.store().run_in_thread, 10
        )
        self.addCleanup(alone.close_store)
        await alone.prepare_store()
        await alone.open_store()
        blob = await self.put(alone, b"before")
        await alone.close_store()
        many = await self.opened()
        self.assertEqual(many.identity, alone.identity)
        source = await many.open(blob, ByteRange(0, 6))
        reader = Reader()
        await source.send_to(reader)
        source.close()
        self.assertEqual(reader.data, b"before")
        error = await self.assertFailure(alone.prepare_store(), Unavailable)
        self.assertIn("in use by another process", str(error))

    async def test_clock(self) -> None:
        """A machine whose clock is wrong says so, and keeps nothing there: its new blobs would look old to the sweep of another."""
        await self.opened()
        real = syscalls.written
        self.patch(syscalls, "written", lambda path: real(path) + 3600)
        error = await self.assertFailure(self.store().prepare_store(), Unavailable)
        self.assertIn("seconds behind", str(error))

    async def test_gone(self) -> None:
        """A folder that is not mounted any more has lost nothing: what is in it is out of reach."""
        store = await self.opened()
        blob = await self.put(store, b"1" * 100)
        os.rename(self.path, f"{self.path}.away")
        self.addCleanup(os.rename, f"{self.path}.away", self.path)
        opening = store.open(blob, ByteRange(0, 1))
        await self.assertFailure(opening, Unavailable)
        os.mkdir(self.path)
        self.addCleanup(os.rmdir, self.path)
        await self.assertFailure(store.open(blob, ByteRange(0, 1)), Unavailable)
        await self.assertFailure(store.verify(blob.id), Unavailable)


class FileServerTests(SharedCase):
    """What a file server in between may answer, or not."""

    async def test_deleted_by_another(self) -> None:
        """What another gateway deleted is absent here at once, however often it was read and found well before."""
        first, second = await self.opened(), await self.opened()
        blob = await self.put(first, b"1" * 300_000)
        for _ in range(2):
            source = await first.open(blob, ByteRange(0, 300_000))
            source.close()
        await second.delete(blob.id)
        await self.assertFailure(first.open(blob, ByteRange(0, 1)), Absent)

    async def test_answer_lost(self) -> None:
        """A link that was made, and whose answer was lost, is no failure when it is asked for again."""
        store = await self.opened()
        self.failing("link", errno.EEXIST, done=True)
        blob = await self.put(store, b"1" * 100)
        self.assertEqual(await store.verify(blob.id), 100)
        self.assertEqual(self.staging(), [])

    async def test_never_another(self) -> None:
        """A name that another blob has is not taken from it."""
        store = await self.opened()
        first = await self.put(store, b"first")
        self.patch(store, "next_id", lambda ending: first.id)
        await self.assertFailure(
            ensureDeferred(self.put(store, b"second")), Unavailable
        )
        self.assertEqual(await store.verify(first.id), 5)
        self.assertEqual(self.staging(), [])

    async def test_no_links(self) -> None:
        """Where there are no hard links a file is renamed."""
        store = await self.opened()
        self.failing("link", errno.EOPNOTSUPP)
        blob = await self.put(store, b"1" * 100)
        self.assertEqual(await store.verify(blob.id), 100)
        self.assertEqual(self.staging(), [])

    async def test_stale(self) -> None:
        """What is stale is looked for once more, and then is not there."""
        store = await self.opened()
        blob = await self.put(store, b"1" * 100)
        real, stale = os.open, [1]

        def opens(path, *args, **more):
            if str(path).endswith(blob.id) and stale[0]:
                stale[0] -= 1
                raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))
            return real(path, *args, **more)

        self.patch(os, "open", opens)
        source = await store.open(blob, ByteRange(0, 100))
        source.close()
        stale[0] = 2
        await self.assertFailure(store.open(blob, ByteRange(0, 100)), Absent)

    async def test_no_descriptor_is_given_away(self) -> None:
        """The reactor never reads from a file of the server's, which it would wait for."""
        store = await self.opened()
        blob = await self.put(store, b"1" * 300_000)
        source = await store.open(blob, ByteRange(0, 300_000))
        self.assertIsNone(source.as_file())
        source.close()

    async def test_does_not_answer(self) -> None:
        """Where the server does not answer, whoever asks is told at the deadline; when it does, all goes on."""
        store = await self.opened(deadline=0.2)
        gate = Event()
        self.addCleanup(gate.set)
        real = syscalls.open_named

        def open_named(path):
            gate.wait(30)
            return real(path)

        blob = await self.put(store, b"1" * 100)
        self.patch(syscalls, "open_named", open_named)
        error = await self.assertFailure(
            store.open(blob, ByteRange(0, 100)), Unavailable
        )
        self.assertIn("has not answered", str(error))
        gate.set()
        source = await store.open(blob, ByteRange(0, 100))
        source.close()

    async def test_comes_back_late(self) -> None:
        """Of a blob that was given up nothing is left when the server answers after all, whatever it was asked for last."""
        store = await self.opened()
        for name in "open_new", "writev", "link", "stamp":
            gate = Event()
            self.addCleanup(gate.set)
            real = getattr(syscalls, name)

            def late(*args, gate=gate, real=real):
                gate.wait(30)
                return real(*args)

            self.patch(syscalls, name, late)
            self.patch(store._threads, "_deadline", 0.2)
            putting = ensureDeferred(self.put(store, b"1" * 100))
            await self.assertFailure(putting, Unavailable)
            gate.set()
            self.patch(store._threads, "_deadline", 20.0)
            self.patch(syscalls, name, real)
            await store.close_store()
            self.assertEqual(self.staging(), [])
            await store.open_store()
            self.assertEqual(await store.list(1 << 47), [])
            self.assertEqual(self.open_files(), [])

    def open_files(self) -> list[str]:
        """The files of blobs that this process has open."""
        found = []
        for fd in os.listdir("/proc/self/fd"):
            with contextlib.suppress(OSError):
                found.append(os.readlink(f"/proc/self/fd/{fd}"))
        parts = f"{self.path}/data/", f"{self.path}/staging/"
        return [each for each in found if each.startswith(parts)]
