"""The contract of blob stores, on each of the providers."""

from __future__ import annotations

import os

from twisted.internet import reactor
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from ozgate.blobs.files import syscalls
from ozgate.blobs.files.sharedstore import SharedFileBlobStore
from ozgate.blobs.files.store import FileBlobStore
from ozgate.testing.blob_contract import BlobContract
from ozgate.testing.memory_blobs import MemoryBlobStore
from ozgate.values import BlobRef


class MemoryBlobTests(BlobContract, TestCase):
    """The contract on :class:`MemoryBlobStore`."""

    def make_store(self) -> MemoryBlobStore:
        return MemoryBlobStore(reactor)

    def now(self) -> int:
        return int(reactor.seconds() * 1000)

    def damage(self, blob: BlobRef, offset: int) -> None:
        changed = bytearray(self.store.data[blob.id])
        changed[offset] ^= 0x10
        self.store.data[blob.id] = bytes(changed)

    def truncate(self, blob: BlobRef, length: int) -> None:
        self.store.data[blob.id] = self.store.data[blob.id][:length]

    def fill(self) -> None:
        self.store.capacity = 2 << 20


class FileBlobTests(BlobContract, TestCase):
    """The contract on :class:`FileBlobStore`."""

    def make_store(self) -> FileBlobStore:
        self.path = self.mktemp()
        return self.remake_store()

    def remake_store(self) -> FileBlobStore:
        return FileBlobStore(self.path, "files", reactor, deferToThread, 16384)

    def now(self) -> int:
        return int(reactor.seconds() * 1000)

    def file(self, blob: BlobRef) -> str:
        return f"{self.path}/data/{blob.id[-2:]}/{blob.id}"

    def damage(self, blob: BlobRef, offset: int) -> None:
        with open(self.file(blob), "r+b") as file:
            file.seek(offset)
            byte = file.read(1)[0]
            file.seek(offset)
            file.write(bytes([byte ^ 0x10]))

    def truncate(self, blob: BlobRef, length: int) -> None:
        os.truncate(self.file(blob), length)

    def fill(self) -> None:
        left = [2_500_000]
        real = syscalls.writev

        def writev(fd, chunks):
            count = sum(map(len, chunks))
            if count > left[0]:
                raise OSError(28, "No space left on device")
            left[0] -= count
            return real(fd, chunks)

        self.patch(syscalls, "writev", writev)

    def leftovers(self) -> list[str]:
        open_files = [
            os.readlink(f"/proc/self/fd/{fd}")
            for fd in os.listdir("/proc/self/fd")
            if os.path.islink(f"/proc/self/fd/{fd}")
        ]
        inside = os.path.abspath(self.path) + "/data/"
        return os.listdir(f"{self.path}/staging") + [
            name for name in open_files if name.startswith(inside)
        ]


class StagedFileBlobTests(FileBlobTests):
    """The contract on :class:`FileBlobStore` where files without names cannot be made."""

    def make_store(self) -> FileBlobStore:
        def open_unnamed(folder):
            raise OSError(95, "Operation not supported")

        self.patch(syscalls, "open_unnamed", open_unnamed)
        return super().make_store()


class ColdFileBlobTests(FileBlobTests):
    """The contract on :class:`FileBlobStore` when nothing is in the page cache, so that threads read."""

    def make_store(self) -> FileBlobStore:
        self.patch(syscalls, "preadv_nowait", lambda fd, buffer, offset: 0)
        return super().make_store()


class SharedFileBlobTests(FileBlobTests):
    """The contract on :class:`SharedFileBlobStore`: a file system that several machines share, where locks keep nobody out."""

    def make_store(self) -> SharedFileBlobStore:
        def lock(fd, shared=False):
            raise OSError(37, "No locks available")

        def open_unnamed(folder):
            raise AssertionError("a file without a name")

        self.patch(syscalls, "lock", lock)
        self.patch(syscalls, "open_unnamed", open_unnamed)
        return super().make_store()

    def remake_store(self) -> SharedFileBlobStore:
        return SharedFileBlobStore(self.path, "files", reactor, 16384)
