"""Every call to the disk fails once: nothing half made is seen, nothing acknowledged is lost, trying again works."""

# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Callable, Iterator
from typing import Any

from attrs import define, field
from twisted.internet import reactor
from twisted.internet.defer import DeferredList, gatherResults
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import SynchronousTestCase, TestCase

from ozgate.admin.upkeep import datafolder
from ozgate.background.reaper import Reaper
from ozgate.blobs.files import syscalls
from ozgate.blobs.files.store import FileBlobStore
from ozgate.content.readers import Readers
from ozgate.errors import Absent, StoreError, Unavailable, Uncertain
from ozgate.interfaces import IMetadataTransaction
from ozgate.metadata.sqlite import connections
from ozgate.metadata.sqlite.store import SQLiteMetadataStore
from ozgate.testing.blob_contract import Reader
from ozgate.values import (
    BlobRef,
    Bucket,
    ByteRange,
    Content,
    Extent,
    ObjectVersion,
    Volume,
)
from tests.started import started

SILENT = ("close", "listdir", "preadv_nowait", "start_writeback", "will_need")
"""Functions of :mod:`ozgate.blobs.files.syscalls` that do not fail, or whose failures are looked at on their own."""

MAKE_DESCRIPTORS = (
    "open_named",
    "open_new",
    "open_regular",
    "open_unnamed",
    "open_within",
)


FAILURES = (
    (errno.EIO, False, [name for name in syscalls.__all__ if name not in SILENT]),
    (errno.ENOSPC, False, [*MAKE_DESCRIPTORS, "writev", "link_unnamed", "rename"]),
    (errno.EMFILE, False, [*MAKE_DESCRIPTORS, "fsync_folder"]),
    (errno.EIO, True, ["fsync", "link_unnamed", "rename", "fsync_folder", "unlink"]),
)
"""Error number, whether the call takes effect, and what fails so."""


@define
class Faults:
    """Fails one call of many.

    :ivar at: number of the call that fails, from 1; 0 for none.
    :ivar done_first: whether the call takes effect before it fails.
    :ivar calls: the names of the calls so far.
    :ivar off: whether nothing is counted or failed just now.
    """

    at: int = 0
    off: bool = False
    number: int = errno.EIO
    done_first: bool = False
    calls: list[str] = field(factory=list)

    def arm(self, at: int, number: int = 0, done_first: bool = False) -> None:
        """Count from here; fail the call of that number."""
        self.at, self.number, self.done_first = at, number, done_first
        self.calls.clear()

    def call(self, name: str, real: Callable[..., Any], *args: Any) -> Any:
        """Do a call, or fail it."""
        if self.off:
            return real(*args)
        self.calls.append(name)
        if len(self.calls) != self.at:
            return real(*args)
        if self.done_first and name not in MAKE_DESCRIPTORS:
            real(*args)
        raise OSError(self.number, os.strerror(self.number))


class Disk(TestCase):
    """Both stores on a real disk, with faults between them and it."""

    staged = False

    async def setUp(self) -> None:  # type: ignore[override]
        """Open both stores, and make a bucket."""
        self.faults = Faults()
        self.break_io()
        self.path = os.path.abspath(self.mktemp())  # noqa: ASYNC240
        os.mkdir(self.path)
        self.blobs = self.make_blobs()
        await started(self.blobs)
        self.metadata = SQLiteMetadataStore(f"{self.path}/metadata.db", reactor)
        await started(self.metadata)
        self.bucket: Bucket = await self.metadata.write(add_bucket)
        self.readers = Readers()
        self.reaper = Reaper(
            self.metadata, self.blobs, self.readers, reactor, "test", 0.0
        )
        self.expected: dict[str, bytes] = {}

    async def tearDown(self) -> None:  # type: ignore[override]
        """Close them."""
        await self.blobs.close_store()
        await self.metadata.close()

    def make_blobs(self) -> FileBlobStore:
        """A blob store, not yet open."""
        return FileBlobStore(f"{self.path}/blobs", "files", reactor, deferToThread, 10)

    def break_io(self) -> None:
        """Put the faults between blobs and the disk."""
        for name in syscalls.__all__:
            if name in SILENT:
                continue
            real = getattr(syscalls, name)
            if self.staged and name == "open_unnamed":
                continue

            def call(*args: Any, name: str = name, real: Any = real) -> Any:
                return self.faults.call(name, real, *args)

            self.patch(syscalls, name, call)
        if self.staged:
            self.patch(syscalls, "open_unnamed", refuse_unnamed)

    # What a gateway does

    async def store(self, key: str, data: bytes) -> None:
        """Put an object, as PutObject does."""
        sink = self.blobs.create(len(data))
        try:
            for start in range(0, len(data), 100_000):
                sink.write(data[start : start + 100_000])
            blob = await sink.commit()
        except BaseException:
            await sink.abort()
            raise
        try:
            await self.metadata.write(name_blob, self.bucket, key, blob)
        except BaseException:
            await self.metadata.write(doom, blob)
            raise

    async def remove(self, key: str) -> None:
        """Remove an object."""
        await self.metadata.write(remove_key, self.bucket, key)

    async def copy(self, key: str, source: str) -> None:
        """Copy an object without moving its bytes."""
        await self.metadata.write(copy_key, self.bucket, key, source)

    async def fetch(self, key: str) -> bytes | None:
        """All bytes of an object; ``None`` when it is absent."""
        content = await self.metadata.read(content_of, self.bucket, key)
        if content is None:
            return None
        data = b""
        for extent in content.extents:
            source = await self.blobs.open(
                extent.blob, ByteRange(extent.offset, extent.length)
            )
            reader = Reader()
            try:
                await source.send_to(reader)
            finally:
                source.close()
            data += reader.data
        return data

    async def clean(self) -> None:
        """Sweep and reap everything that has no name."""
        horizon = int((reactor.seconds() + 10) * 1000)
        await self.reaper.sweep_orphans(horizon)
        while await self.metadata.read(any_doomed):
            await self.reaper.reap()

    # What is checked

    async def check(self) -> None:
        """Exactly what was acknowledged is there, byte for byte."""
        self.faults.off = True
        for key, data in self.expected.items():
            self.assertTrue(await self.fetch(key) == data, key)
        listed = await self.metadata.read(keys, self.bucket)
        self.assertEqual(listed, sorted(self.expected))
        self.faults.off = False

    async def check_files(self) -> None:
        """After a cleaning there is a file for each named blob, and no other, named or open."""
        while await self.metadata.read(any_doomed):
            await self.reaper.reap()
        named = sorted(await self.metadata.read(named_blobs))
        if sorted(self.files()) != named:
            await self.clean()
        self.assertEqual(sorted(self.files()), named)
        self.assertEqual(os.listdir(f"{self.path}/blobs/staging"), [])
        self.assertEqual(self.open_files(), [])

    def files(self) -> list[str]:
        """Names of all blobs' files."""
        walk = os.walk(f"{self.path}/blobs/data")
        return [name for _, _, names in walk for name in names]

    def open_files(self) -> list[str]:
        """Blobs that this process holds open."""
        links = []
        for fd in os.listdir("/proc/self/fd"):
            try:
                links.append(os.readlink(f"/proc/self/fd/{fd}"))
            except OSError:
                continue  # the listing's own
        return [link for link in links if link.startswith(f"{self.path}/blobs/data/")]

    def steps(self) -> Iterator[tuple[Callable[[], Any], dict[str, bytes]]]:
        """A small workload: each step, and what is there once it was acknowledged."""
        first, second = os.urandom(60_001), os.urandom(1_200_000)
        yield lambda: self.store("a", first), {"a": first}
        yield lambda: self.store("a", second), {"a": second}
        yield lambda: self.copy("b", "a"), {"a": second, "b": second}
        yield lambda: self.store("a", first), {"a": first, "b": second}
        yield lambda: self.fetch("b"), {"a": first, "b": second}
        yield lambda: self.remove("b"), {"a": first}
        yield lambda: self.clean(), {"a": first}
        yield lambda: self.remove("a"), {}

    async def work(self) -> list[StoreError]:
        """Do the workload; each step that fails is looked at, then tried again. Gives what failed."""
        failures: list[StoreError] = []
        for step, after in self.steps():
            try:
                await step()
            except StoreError as error:
                failures.append(error)
                if not isinstance(error, Uncertain):
                    await self.check()
                await step()
            self.expected = after
            await self.check()
        return failures


class BlobFaultTests(Disk):
    """Faults of the calls that blobs make."""

    failures = FAILURES

    async def test_each_call(self) -> None:
        """Whichever call fails, and however: one step fails at most, and its second try succeeds."""
        self.faults.arm(0)
        await self.work()
        names = list(self.faults.calls)
        self.assertIn("fsync", names)
        for number, done_first, among in self.failures:
            for at, name in enumerate(names, 1):
                if name not in among:
                    continue
                self.faults.arm(at, number, done_first)
                failures = await self.work()
                self.assertLessEqual(len(failures), 1, (name, at))
                self.faults.arm(0)
                await self.check_files()

    async def test_reading(self) -> None:
        """A read that fails is an error, never fewer bytes."""
        data = os.urandom(900_000)
        await self.store("a", data)
        self.patch(syscalls, "preadv_nowait", lambda fd, buffer, offset: 0)
        self.faults.arm(0)
        await self.fetch("a")
        for at in range(1, len(self.faults.calls) + 1):
            self.faults.arm(at, errno.EIO)
            with self.assertRaises(StoreError):
                await self.fetch("a")
            self.faults.arm(0)
            self.assertTrue(await self.fetch("a") == data)
        self.assertEqual(self.open_files(), [])


class StagedBlobFaultTests(BlobFaultTests):
    """The same where files have names while they are written."""

    staged = True
    failures = (FAILURES[0], FAILURES[-1])


class OpeningTests(SynchronousTestCase):
    """Faults while the stores are made."""

    def setUp(self) -> None:
        """Choose a place."""
        self.path = os.path.abspath(self.mktemp())
        self.faults = Faults()
        for name in syscalls.__all__:
            real = getattr(syscalls, name)
            if name in SILENT and name != "listdir":
                continue

            def call(*args: Any, name: str = name, real: Any = real) -> Any:
                return self.faults.call(name, real, *args)

            self.patch(syscalls, name, call)

    def open_once(self, path: str) -> None:
        """Open a blob store and close it."""
        store = FileBlobStore(path, "files", reactor, at_once, 10)
        self.successResultOf(started(store))
        self.successResultOf(store.close_store())

    def test_blobs(self) -> None:
        """Whatever fails when a blob store is made, the next try makes it; so it is when it is there already."""
        self.faults.arm(0)
        self.open_once(f"{self.path}/0")
        names = list(self.faults.calls)
        folders = [at for at, name in enumerate(names, 1) if name == "mkdir"]
        some = {*folders[:6], *folders[-2:]}
        for at, name in enumerate(names, 1):
            if name == "mkdir" and at not in some:
                continue
            path = f"{self.path}/{at}"
            store = FileBlobStore(path, "files", reactor, at_once, 10)
            self.faults.arm(at, errno.EIO)
            opened: list[object] = []
            started(store).addBoth(opened.append)
            if opened != [None]:
                opened[0].trap(StoreError)
            self.successResultOf(store.close_store())
            self.faults.arm(0)
            self.open_once(path)

    def test_full_disk(self) -> None:
        """A store that is there opens on a disk where nothing more fits: what it has can be read and deleted."""
        self.open_once(self.path)
        for refused in ("open_unnamed", "link_unnamed", "open_new"):
            for number in (errno.ENOSPC, errno.EDQUOT):

                def fail(*args: Any, number: int = number) -> None:
                    raise OSError(number, os.strerror(number))

                patches = [self.patch(syscalls, refused, fail)]
                if refused == "open_new":
                    patches.append(self.patch(syscalls, "open_unnamed", refuse_unnamed))
                self.open_once(self.path)
                for each in patches:
                    each.restore()

    def test_names_are_durable(self) -> None:
        """Also a store that is there already has its folders' names made durable: it may have been killed just then."""
        self.open_once(self.path)
        synced: list[str] = []
        self.patch(syscalls, "fsync_folder", synced.append)
        self.open_once(self.path)
        parent = os.path.dirname(self.path)
        self.assertEqual({*synced}, {parent, self.path, f"{self.path}/data"})

    def test_data_folder(self) -> None:
        """The name of a data folder, and of each folder made for it, is made durable."""
        synced: list[str] = []
        self.patch(datafolder.syscalls, "fsync_folder", synced.append)
        for _ in range(2):
            datafolder.DataFolder(f"{self.path}/a/b").release()
        parent = os.path.dirname(self.path)
        self.assertEqual(
            synced, [parent, self.path, f"{self.path}/a", f"{self.path}/a"]
        )

    def test_first_start_cut_short(self) -> None:
        """A power cut in the very first start may leave the journal of a database that never was: it starts again."""
        os.mkdir(self.path)
        with open(f"{self.path}/metadata.db-journal", "wb"):
            pass
        datafolder.DataFolder(self.path).release()

    def test_killed_while_making_metadata(self) -> None:
        """A process killed before any statement that makes the database leaves one that the next can use."""
        for at in (*range(1, 10), *range(10, 1000, 3)):
            path = f"{self.path}-{at}.db"
            child = os.fork()
            if not child:
                die_at_statement(path, at)
            status = os.waitpid(child, 0)[1]
            connections.prepare_database(path).close()
            connection = connections.connect_writer(path)
            (found,) = connection.execute("PRAGMA integrity_check").fetchone()
            connection.close()
            self.assertEqual(found, "ok", at)
            if not status:
                self.assertGreater(at, 20)
                return
        raise AssertionError("it never came to its end")


def die_at_statement(path: str, at: int) -> None:
    """In a child: make a database, and die before a statement; end with 0 when there were fewer."""
    left = [at]

    def trace(statement: str) -> None:
        left[0] -= 1
        if not left[0]:
            os._exit(9)

    class Traced(sqlite3.Connection):
        def __init__(self, *args: Any, **keywords: Any) -> None:
            super().__init__(*args, **keywords)
            self.set_trace_callback(trace)

    real = sqlite3.connect
    try:
        sqlite3.connect = lambda *a, **k: real(*a, factory=Traced, **k)
        connections.prepare_database(path).close()
        os._exit(0)
    except BaseException:
        os._exit(1)


class Faulty(sqlite3.Connection):
    """The writer's connection, of which a statement fails.

    :cvar at: number of the statement that fails, from 1; 0 for none.
    :cvar how: what happens then.
    """

    at = 0
    count = 0
    how = ""

    def execute(self, sql: str, *args: Any) -> Any:
        """Do a statement, or fail it."""
        return self._pass(super().execute, sql, *args)

    def executemany(self, sql: str, *args: Any) -> Any:
        """Likewise."""
        return self._pass(super().executemany, sql, *args)

    def _pass(self, real: Callable[..., Any], sql: str, *args: Any) -> Any:
        kind = type(self)
        kind.count += 1
        if kind.count != kind.at:
            return real(sql, *args)
        if kind.how == "memory":
            raise MemoryError()
        if kind.how == "done":
            real(sql, *args)
        if kind.how == "lost" and self.in_transaction:
            # What SQLite does by itself after some errors.
            super().execute("ROLLBACK")
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = sqlite3.SQLITE_IOERR
        raise error


class MetadataFaultTests(Disk):
    """Faults of the statements that metadata make."""

    async def setUp(self) -> None:  # type: ignore[override]
        """Have the writer use a connection that can fail."""
        real = sqlite3.connect

        def connect(*args: Any, **keywords: Any) -> sqlite3.Connection:
            return real(*args, factory=Faulty, **keywords)

        self.patch(sqlite3, "connect", connect)
        self.arm(0)
        await super().setUp()

    async def tearDown(self) -> None:  # type: ignore[override]
        """Fail no more."""
        self.arm(0)
        await super().tearDown()

    def arm(self, at: int, how: str = "") -> None:
        """Count from here; fail the statement of that number."""
        Faulty.at, Faulty.count, Faulty.how = at, 0, how

    async def pair(self, number: int) -> set[str]:
        """Two rows at once, in one commit, one of them beside a refused write; the keys acknowledged."""
        blob = BlobRef("other", f"{number:024x}", 5, 0)
        writes = [
            self.metadata.write(name_blob, self.bucket, f"{number}-{n}", blob)
            for n in range(2)
        ]
        refused = self.metadata.write(refuse, self.bucket, f"{number}-refused", blob)
        outcomes = await DeferredList([*writes, refused], consumeErrors=True)
        for succeeded, value in outcomes:
            if not succeeded:
                value.trap(StoreError, MemoryError, ZeroDivisionError)
                self.uncertain = self.uncertain or bool(value.check(Uncertain))
        return {f"{number}-{n}" for n, outcome in enumerate(outcomes[:2]) if outcome[0]}

    async def test_each_statement(self) -> None:
        """Whichever statement fails: all that was acknowledged is there, nothing else, and the thread lives on."""
        self.uncertain = False
        acknowledged = await self.pair(0)
        self.assertEqual(len(acknowledged), 2)
        self.arm(0)
        acknowledged |= await self.pair(1)
        count = Faulty.count
        self.assertGreater(count, 10)
        number = 2
        for how in ("", "done", "lost", "memory"):
            for at in range(1, count + 1):
                self.arm(at, how)
                self.uncertain = False
                acknowledged |= await self.pair(number)
                self.arm(0)
                found = set(await self.metadata.read(keys, self.bucket))
                self.assertLessEqual(acknowledged, found, (how, at))
                if not self.uncertain:
                    self.assertEqual(acknowledged, found, (how, at))
                acknowledged = found
                await self.metadata.write(nothing)
                number += 1

    async def test_put_in_doubt(self) -> None:
        """A PUT whose commit failed after it was done keeps its bytes, although they were doomed."""
        data = os.urandom(700_000)
        await self.store("before", data)
        self.arm(0)
        await self.store("a", data)
        for at in range(1, Faulty.count + 1):
            self.arm(at, "done")
            try:
                await self.store("a", data)
            except StoreError:
                self.arm(0)
            self.arm(0)
            self.assertTrue(await self.fetch("a") == data)
            await self.check_files()
            self.assertTrue(await self.fetch("a") == data)

    async def test_close_with_writes_waiting(self) -> None:
        """Writes asked for before the store closes are done and told of; those after are refused."""
        blob = BlobRef("other", "00", 5, 0)
        writes = [
            self.metadata.write(name_blob, self.bucket, f"{n:04}", blob)
            for n in range(700)
        ]
        closing = self.metadata.close()
        late = self.metadata.write(name_blob, self.bucket, "late", blob)
        await self.assertFailure(late, Unavailable)
        await gatherResults(writes)
        await closing
        self.metadata = SQLiteMetadataStore(f"{self.path}/metadata.db", reactor)
        await started(self.metadata)
        self.assertEqual(len(await self.metadata.read(keys, self.bucket)), 700)

    async def test_cancelled(self) -> None:
        """A write cancelled before it was begun is done all the same."""
        blob = BlobRef("other", "00", 5, 0)
        write = self.metadata.write(name_blob, self.bucket, "a", blob)
        write.addErrback(lambda _: None)
        write.cancel()
        await self.metadata.write(nothing)
        self.assertEqual(await self.metadata.read(keys, self.bucket), ["a"])


class ReaperTests(Disk):
    """The reaper between other transactions."""

    async def test_read_begun_while_it_waits(self) -> None:
        """A read that begins while the reaper's transaction waits behind an overwrite keeps its bytes."""
        data = os.urandom(300_000)
        await self.store("a", data)
        await self.store("b", data)
        await self.remove("b")
        new = self.blobs.create(None)
        new.write(b"new")
        blob = await new.commit()
        real = self.metadata.write
        found: list[Content | None] = []
        tokens: list[int] = []

        async def overwrite_first(interaction: Any, *args: Any, **keywords: Any) -> Any:
            if not tokens:
                # What is queued before the reaper's write, and a GET that still sees what it replaces.
                tokens.append(self.readers.enter(int(reactor.seconds() * 1000)))
                found.append(await self.metadata.read(content_of, self.bucket, "a"))
                await real(name_blob, self.bucket, "a", blob)
                await real(wait_a_moment)
            return await real(interaction, *args, **keywords)

        while not await self.metadata.read(any_doomed_by_now):
            await self.metadata.write(nothing)
        self.patch(self.metadata, "write", overwrite_first)
        self.assertEqual(await self.reaper.reap(), 1)
        assert found[0] is not None
        extent = found[0].extents[0]
        source = await self.blobs.open(extent.blob, ByteRange(0, extent.length))
        source.close()
        self.readers.leave(tokens[0])
        await self.check_files()
        gone = self.blobs.open(extent.blob, ByteRange(0, extent.length))
        await self.assertFailure(gone, Absent)


def at_once(function: Callable[..., Any], *args: Any) -> Any:
    """A pool of threads that is done before one looks."""
    from twisted.internet.defer import maybeDeferred

    return maybeDeferred(function, *args)


def refuse_unnamed(folder: str) -> int:
    """A file system without nameless files."""
    raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))


# Interactions


def add_bucket(tx: IMetadataTransaction) -> Bucket:
    """The bucket that everything is in."""
    tx.add_volume(Volume("s3v", "owner", tx.now()))
    return tx.add_bucket(Bucket("s3v", "bucket", "owner", tx.now()))


def replace(
    tx: IMetadataTransaction, bucket: Bucket, key: str, content: Content
) -> None:
    """Put a version in the place of the one before."""
    old = tx.latest(bucket, key)
    if old is not None:
        tx.remove_version(bucket, old)
    version = ObjectVersion(key, tx.next_sequence(), tx.now(), content.length)
    tx.add_version(bucket, version, content)


def name_blob(
    tx: IMetadataTransaction, bucket: Bucket, key: str, blob: BlobRef
) -> None:
    """Make a blob the content of a key."""
    replace(tx, bucket, key, Content(None, (Extent(blob, 0, blob.length),)))


def copy_key(tx: IMetadataTransaction, bucket: Bucket, key: str, source: str) -> None:
    """Make the content of a key that of another too."""
    version = tx.latest(bucket, source)
    assert version is not None
    replace(tx, bucket, key, tx.content(bucket, version))


def remove_key(tx: IMetadataTransaction, bucket: Bucket, key: str) -> None:
    """Remove a key, if it is there."""
    version = tx.latest(bucket, key)
    if version is not None:
        tx.remove_version(bucket, version)


def refuse(tx: IMetadataTransaction, bucket: Bucket, key: str, blob: BlobRef) -> None:
    """Do a part of a write, then find that it must not be."""
    name_blob(tx, bucket, key, blob)
    raise ZeroDivisionError()


def doom(tx: IMetadataTransaction, blob: BlobRef) -> None:
    """Doom a blob."""
    tx.doom([blob])


def nothing(tx: IMetadataTransaction) -> None:
    """Do nothing."""


def wait_a_moment(tx: IMetadataTransaction) -> None:
    """Let the clock of the store go on by two milliseconds."""
    began = int(reactor.seconds() * 1000)
    while int(reactor.seconds() * 1000) < began + 2:
        pass


def content_of(tx: IMetadataTransaction, bucket: Bucket, key: str) -> Content | None:
    """Where the bytes of a key are."""
    version = tx.latest(bucket, key)
    return None if version is None else tx.content(bucket, version)


def keys(tx: IMetadataTransaction, bucket: Bucket) -> list[str]:
    """All keys."""
    return [item.key for item in tx.page(bucket, "", "", "", 100_000).items]


def any_doomed(tx: IMetadataTransaction) -> bool:
    """Whether anything waits for the reaper."""
    return bool(tx.doomed("files", 1 << 60, 1))


def any_doomed_by_now(tx: IMetadataTransaction) -> bool:
    """Whether anything waits that the reaper may take now."""
    return bool(tx.doomed("files", tx.now(), 1))


def named_blobs(tx: Any) -> set[str]:
    """Ids of all blobs of files that an extent names."""
    rows = tx._execute("SELECT DISTINCT blob FROM extents WHERE store = 'files'")
    return {blob for (blob,) in rows}
