"""The SQLite provider when the disk fails it or the process is killed."""

# ruff: noqa: ASYNC221, ASYNC230, ASYNC240
# Nothing else waits while a test looks at its files.

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from typing import Any

from twisted.internet import defer, error, protocol, reactor, task
from twisted.trial.unittest import SkipTest, TestCase

from ozgate.errors import NoSpace, Unavailable, Uncertain
from ozgate.interfaces import IMetadataTransaction
from ozgate.metadata.sqlite.store import SQLiteMetadataStore
from ozgate.values import Bucket, Content, ObjectVersion, Volume
from tests.started import started

MARK = b"acknowledged "


def add_bucket(tx: IMetadataTransaction) -> Bucket:
    """A volume and a bucket in it."""
    tx.add_volume(Volume("s3v", "owner", tx.now()))
    return tx.add_bucket(Bucket("s3v", "bucket", "owner", tx.now()))


def put(tx: IMetadataTransaction, key: str, size: int) -> str:
    """Add or replace an object whose body is made of its key."""
    bucket = tx.bucket("s3v", "bucket")
    assert bucket is not None
    old = tx.latest(bucket, key)
    if old is not None:
        tx.remove_version(bucket, old)
    version = ObjectVersion(key, tx.next_sequence(), tx.now(), size)
    tx.add_version(bucket, version, Content((key.encode() * size)[:size]))
    return key


def keys(tx: IMetadataTransaction) -> set[str]:
    """The keys of all objects that are whole."""
    bucket = tx.bucket("s3v", "bucket")
    assert bucket is not None
    found = set()
    for item in tx.page(bucket, "", "", "", 1_000_000).items:
        version = tx.latest(bucket, item.key)
        assert version is not None
        expected = (item.key.encode() * version.size)[: version.size]
        assert tx.content(bucket, version).body == expected
        found.add(item.key)
    return found


class FullDiskTests(TestCase):
    """Disk full: a clear error, nothing half written, and on it goes when there is room."""

    async def opened(self, path: str) -> SQLiteMetadataStore:
        """A store with a bucket in it."""
        store = SQLiteMetadataStore(path, reactor)
        await started(store)
        self.addCleanup(store.close)
        await store.write(add_bucket)
        return store

    async def fill(self, store: SQLiteMetadataStore) -> set[str]:
        """Write, some at a time, until there is no room; what was acknowledged."""
        acknowledged: set[str] = set()
        for turn in range(1000):
            outcomes = await defer.DeferredList(
                [store.write(put, f"{turn:03}-{n}", 9000) for n in range(5)],
                consumeErrors=True,
            )
            for succeeded, value in outcomes:
                if succeeded:
                    acknowledged.add(value)
                else:
                    value.trap(NoSpace)
            if not all(succeeded for succeeded, _ in outcomes):
                return acknowledged
        raise AssertionError("the disk never filled up")

    async def test_limited_database(self) -> None:
        """A database that may not grow says NoSpace, and takes writes again when it may."""
        store = await self.opened(self.mktemp())

        def limit(tx: Any, pages: int) -> None:
            tx._connection.execute(f"PRAGMA max_page_count = {pages}").fetchone()

        await store.write(limit, 200)
        acknowledged = await self.fill(store)
        self.assertEqual(await store.read(keys), acknowledged)
        await self.assertFailure(store.write(put, "more", 100_000), NoSpace)
        await store.write(limit, 1 << 30)
        await store.write(put, "more", 9000)
        self.assertEqual(await store.read(keys), acknowledged | {"more"})

    async def test_full_disk(self) -> None:
        """A file system that is full says NoSpace, and takes writes again when there is room."""
        place = os.path.abspath(self.mktemp())
        os.mkdir(place)
        mount = ["mount", "-t", "tmpfs", "-o", "size=3m", "ozgate", place]
        if os.geteuid() or subprocess.run(mount, capture_output=True).returncode:
            raise SkipTest("only root may mount a small file system")
        self.addCleanup(subprocess.run, ["umount", place], check=True)
        ballast = os.path.join(place, "ballast")
        with open(ballast, "wb") as file:
            file.write(bytes(1 << 20))
        store = await self.opened(os.path.join(place, "metadata.db"))
        acknowledged = await self.fill(store)
        self.assertEqual(await store.read(keys), acknowledged)
        await self.assertFailure(store.write(put, "more", 100_000), NoSpace)
        os.unlink(ballast)
        await store.write(put, "more", 100_000)
        self.assertEqual(await store.read(keys), acknowledged | {"more"})
        await store.close()

    async def test_failing_commit(self) -> None:
        """When writing the log fails the outcome is uncertain, and later writes are taken again."""
        path = self.mktemp()
        store = await self.opened(path)
        for number in range(100):
            await store.write(put, f"{number:03}", 9000)
        acknowledged = await store.read(keys)
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        limit = os.path.getsize(path + "-wal") + 5000
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
        try:
            await self.assertFailure(store.write(put, "lost", 100_000), Uncertain)
            # The log begins anew, and so has room.
            await store.write(put, "kept", 9000)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        acknowledged.add("kept")
        self.assertEqual(await store.read(keys), acknowledged)
        await store.write(put, "more", 9000)
        self.assertEqual(await store.read(keys), acknowledged | {"more"})

    async def test_locked(self) -> None:
        """While another process holds the database, a write is surely not done."""
        from ozgate.metadata.sqlite import connections

        self.patch(connections, "BUSY_SECONDS", 0.01)
        path = self.mktemp()
        store = await self.opened(path)
        other = connections.connect_writer(path)
        self.addCleanup(other.close)
        other.execute("BEGIN IMMEDIATE")
        await self.assertFailure(store.write(put, "key", 10), Unavailable)
        other.execute("ROLLBACK")
        await store.write(put, "key", 10)
        self.assertEqual(await store.read(keys), {"key"})


class Load(protocol.ProcessProtocol):
    """A process under load that is killed after it acknowledged so many writes."""

    def __init__(self, acknowledgements: int) -> None:
        self.acknowledged: list[str] = []
        self.ended: defer.Deferred[Any] = defer.Deferred()
        self._left = acknowledgements
        self._rest = b""

    def outReceived(self, data: bytes) -> None:
        """Note whole lines."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            if line.startswith(MARK):
                self.acknowledged.append(line.removeprefix(MARK).decode())
        if self._left and len(self.acknowledged) >= self._left:
            self._left = 0
            assert self.transport is not None
            self.transport.signalProcess("KILL")

    def errReceived(self, data: bytes) -> None:
        """Show what went wrong."""
        sys.stderr.write(data.decode(errors="replace"))

    def processEnded(self, reason: Any) -> None:
        """Tell how it ended."""
        self.ended.callback(reason.value)


class KillTests(TestCase):
    """kill -9 in the middle of a load."""

    async def test_kill(self) -> None:
        """Nothing that was acknowledged is lost, and nothing is half there."""
        path = os.path.abspath(self.mktemp())
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        for number, acknowledgements in enumerate((1, 40, 150)):
            load = Load(acknowledgements)
            reactor.spawnProcess(  # type: ignore[attr-defined]
                load,
                sys.executable,
                [sys.executable, "-m", __name__, path, str(number)],
                env=environment,
            )
            ended = await load.ended
            self.assertIsInstance(ended, error.ProcessTerminated)
            self.assertEqual(ended.signal, signal.SIGKILL)
            store = SQLiteMetadataStore(path, reactor)
            await started(store)
            found = await store.read(keys)
            self.assertEqual(set(load.acknowledged) - found, set())
            await store.write(put, "after", 10)
            await store.close()


async def work(clock: Any, path: str, run: str) -> None:
    """Write without end, 8 at a time, saying what is acknowledged."""
    store = SQLiteMetadataStore(path, reactor)
    await started(store)
    if await store.read(lambda tx: tx.volume("s3v")) is None:
        await store.write(add_bucket)

    async def writer(number: int) -> None:
        for turn in range(1_000_000):
            key = await store.write(put, f"{run}-{number}-{turn}", turn % 9000 + 1)
            os.write(1, MARK + key.encode() + b"\n")

    await defer.gatherResults(
        [defer.Deferred.fromCoroutine(writer(number)) for number in range(8)]
    )


if __name__ == "__main__":
    task.react(lambda *a: defer.Deferred.fromCoroutine(work(*a)), sys.argv[1:])
