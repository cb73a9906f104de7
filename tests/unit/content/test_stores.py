"""Blob stores side by side."""

from __future__ import annotations

import os

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import SynchronousTestCase

from ozgate.blobs.files.store import FileBlobStore
from ozgate.content.stores import BlobStores
from ozgate.errors import Unavailable
from ozgate.testing.memory_blobs import MemoryBlobStore
from ozgate.values import BlobRef


class Refusing(MemoryBlobStore):
    """A store that cannot be opened."""

    name = "refusing"

    def open_store(self) -> Deferred[None]:
        """Fail."""
        raise Unavailable("it cannot be opened")


class BlobStoresTests(SynchronousTestCase):
    """Which store has a blob, and which takes new ones."""

    def setUp(self) -> None:
        """Two stores."""
        self.first, self.second = (
            MemoryBlobStore(Clock(), name) for name in ("first", "second")
        )
        self.stores = BlobStores(self.second, [self.first])

    def test_of(self) -> None:
        """A blob is in the store that it names, whichever takes new ones."""
        self.assertIs(self.stores.default, self.second)
        for store in (self.first, self.second):
            blob = BlobRef(store.name, "1" * 24, 1, 0)
            self.assertIs(self.stores.of(blob), store)
            self.assertIs(self.stores.named(store.name), store)
        self.assertEqual(list(self.stores), [self.second, self.first])
        self.assertEqual(self.stores.names, ("second", "first"))

    def test_not_configured(self) -> None:
        """A blob of a store that is not configured is not called lost, and the message names the key."""
        with self.assertRaises(Unavailable) as caught:
            self.stores.of(BlobRef("third", "1" * 24, 1, 0))
        self.assertIn("'third'", str(caught.exception))
        self.assertIn("ozgate.blobs.more", str(caught.exception))

    def test_one_name(self) -> None:
        """Two stores of one name are refused: a blob would have two places."""
        with self.assertRaisesRegex(ValueError, "second"):
            BlobStores(self.second, [MemoryBlobStore(Clock(), "second")])

    def test_folder(self) -> None:
        """New blobs go to a folder, or to none of this machine."""
        self.assertEqual(self.stores.folder, "")
        folder = os.path.abspath(self.mktemp())
        files = FileBlobStore(folder, "files", Clock(), deferToThread, 0)
        self.assertEqual(BlobStores(files, [self.first]).folder, folder)

    def test_open(self) -> None:
        """All are opened and closed together; where one cannot be, none stays open."""
        self.successResultOf(Deferred.fromCoroutine(self.stores.open()))
        for store in (self.first, self.second):
            self.successResultOf(store.list(0))
        self.successResultOf(Deferred.fromCoroutine(self.stores.close()))
        stores = BlobStores(self.second, [Refusing(Clock())])
        opening = Deferred.fromCoroutine(stores.open())
        self.failureResultOf(opening, Unavailable)
        for store in (self.first, self.second):
            with self.assertRaises(Unavailable):
                store.create(1)
