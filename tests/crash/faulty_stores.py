"""Both stores on a real disk, with faults between them and it, and what a gateway does with them."""

# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

from twisted.internet import reactor
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from ozgate.background.reaper import Reaper
from ozgate.blobs.files import syscalls
from ozgate.blobs.files.store import FileBlobStore
from ozgate.content.readers import Readers
from ozgate.errors import StoreError, Uncertain
from ozgate.interfaces import IMetadataTransaction
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
from tests.crash.faults import SILENT, Faults, refuse_unnamed
from tests.started import started


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


def doom(tx: IMetadataTransaction, blob: BlobRef) -> None:
    """Doom a blob."""
    tx.doom([blob])


def nothing(tx: IMetadataTransaction) -> None:
    """Do nothing."""


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


def named_blobs(tx: Any) -> set[str]:
    """Ids of all blobs of files that an extent names."""
    rows = tx._execute("SELECT DISTINCT blob FROM extents WHERE store = 'files'")
    return {blob for (blob,) in rows}
