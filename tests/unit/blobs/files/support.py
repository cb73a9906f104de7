"""A file blob store on a clock that stands, whose disk can be broken: shared by the tests of :mod:`ozgate.blobs.files`."""

from __future__ import annotations

import os

from twisted.internet.defer import maybeDeferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from ozgate.blobs.files import syscalls
from ozgate.blobs.files.store import FileBlobStore
from ozgate.testing.blob_contract import Reader
from ozgate.values import BlobRef, ByteRange
from tests.started import started

MIB = 1 << 20

REAL = {name: getattr(syscalls, name) for name in syscalls.__all__}
"""The functions of :mod:`ozgate.blobs.files.syscalls`, unbroken."""


def at_once(function, *args):
    """A thread pool that is done before one looks."""
    return maybeDeferred(function, *args)


class FilesCase(SynchronousTestCase):
    """A store whose threads run at once, on a clock that stands."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(1_000_000)
        self.path = self.mktemp()
        self.store = self.make()

    def make(self, path: str | None = None, name: str = "files") -> FileBlobStore:
        store = FileBlobStore(
            path or self.path, name, self.clock, at_once, inline_below=10
        )
        self.successResultOf(started(store))
        self.addCleanup(store.close_store)
        return store

    def put(self, data: bytes) -> BlobRef:
        sink = self.store.create(len(data))
        sink.write(data)
        return self.successResultOf(sink.commit())

    def get(self, blob: BlobRef) -> bytes:
        source = self.successResultOf(self.store.open(blob, ByteRange(0, blob.length)))
        reader = Reader()
        sending = source.send_to(reader)
        while reader.producer is not None:
            self.clock.advance(0)
        self.successResultOf(sending)
        source.close()
        return reader.data

    def file(self, blob: BlobRef) -> str:
        return f"{self.path}/data/{blob.id[-2:]}/{blob.id}"

    def files(self) -> list[str]:
        """Every file the store holds, but FORMAT."""
        return [
            f"{folder}/{name}"
            for part in ("data", "staging")
            for folder, _, names in os.walk(f"{self.path}/{part}")
            for name in names
        ]

    def open_blobs(self) -> list[str]:
        """The files in ``data`` that this process has open."""
        inside = os.path.abspath(self.path) + "/data/"
        links = []
        for fd in os.listdir("/proc/self/fd"):
            try:
                links.append(os.readlink(f"/proc/self/fd/{fd}"))
            except OSError:
                continue  # the listing's own
        return [link for link in links if link.startswith(inside)]

    def record(self, *names: str) -> list[str]:
        """Note the calls of some functions of :mod:`ozgate.blobs.files.syscalls`."""
        calls: list[str] = []
        for name in names:

            def recording(*args, name=name):
                calls.append(name)
                return REAL[name](*args)

            self.patch(syscalls, name, recording)
        return calls

    def break_call(self, name: str, number: int, at: int = 1) -> list[int]:
        """Let a function of :mod:`ozgate.blobs.files.syscalls` fail from its n-th call on; returns how often it was called."""
        calls = [0]
        real = REAL[name]

        def failing(*args):
            calls[0] += 1
            if calls[0] >= at:
                raise OSError(number, os.strerror(number))
            return real(*args)

        self.patch(syscalls, name, failing)
        return calls

    def mend(self, name: str) -> None:
        """Let a function of :mod:`ozgate.blobs.files.syscalls` work again."""
        self.patch(syscalls, name, REAL[name])

    def nothing_left(self) -> None:
        """Check that no file is there, named or open."""
        self.assertEqual(self.files(), [])
        self.assertEqual(self.open_blobs(), [])
