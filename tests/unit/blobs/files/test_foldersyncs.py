"""Syncs of folders, shared by the files that come into them meanwhile."""

from __future__ import annotations

import errno
from collections.abc import Iterable
from threading import Event, Thread

from twisted.trial.unittest import SynchronousTestCase

from ozgate.blobs.files import syscalls
from ozgate.blobs.files.foldersyncs import MOST, FolderSyncs


class FolderSyncTests(SynchronousTestCase):
    """Of a disk whose every sync waits to be let go.

    :ivar begun: the folders of the syncs that have begun.
    """

    def setUp(self) -> None:
        """Break the disk."""
        self.syncs = FolderSyncs()
        self.begun: list[str] = []
        self.has_begun, self.go_on = Event(), Event()
        self.errors: list[OSError] = []
        self.failed: list[OSError] = []
        self.patch(syscalls, "fsync_folder", self.sync)

    def sync(self, folder: str) -> None:
        """What the disk does."""
        self.begun.append(folder)
        self.has_begun.set()
        self.go_on.wait(60)
        if self.errors:
            raise self.errors.pop()

    def ask(self, folder: str) -> None:
        """Have a folder synced, in a thread."""
        try:
            self.syncs.sync(folder)
        except OSError as error:
            self.failed.append(error)

    def start(self, folders: Iterable[str]) -> list[Thread]:
        """Have folders synced, each in a thread of its own."""
        threads = [Thread(target=self.ask, args=(each,)) for each in folders]
        for thread in threads:
            thread.start()
        return threads

    def wait_for(self, folder: str, count: int) -> None:
        """Wait until so many are in the round to come."""
        while self.syncs.waiting(folder) < count:
            Event().wait(0.001)

    def under_way(self, count: int) -> list[Thread]:
        """One sync that has begun, and so many who wait for the next."""
        threads = self.start(["a"])
        self.has_begun.wait(60)
        threads += self.start(["a"] * count)
        self.wait_for("a", count)
        return threads

    def finish(self, threads: list[Thread]) -> None:
        """Let the disk go on, and all be over."""
        self.go_on.set()
        for thread in threads:
            thread.join(60)

    def test_shared(self) -> None:
        """All who come while a sync is under way have the next in common, and none has that one."""
        self.finish(self.under_way(10))
        self.assertEqual(self.begun, ["a", "a"])
        self.assertEqual(self.failed, [])
        self.assertEqual(self.syncs.sizes(), [1, 10])
        self.assertEqual(self.syncs.sizes(), [])

    def test_alone(self) -> None:
        """Who is alone is synced at once, each time anew."""
        self.go_on.set()
        for _ in range(3):
            self.syncs.sync("a")
        self.assertEqual(self.begun, ["a"] * 3)

    def test_other_folders(self) -> None:
        """Another folder waits for nobody."""
        threads = self.under_way(1)
        threads += self.start(["b"])
        while self.begun != ["a", "b"]:
            Event().wait(0.001)
        self.finish(threads)
        self.assertEqual(self.begun, ["a", "b", "a"])

    def test_failure(self) -> None:
        """A sync that fails fails for those who came meanwhile, too, without another: the kernel tells once. Who comes later asks anew."""
        self.errors.append(OSError(errno.EIO, "broken"))
        self.finish(self.under_way(3))
        self.assertEqual(self.begun, ["a"])
        self.assertEqual([error.errno for error in self.failed], [errno.EIO] * 4)
        self.syncs.sync("a")
        self.assertEqual(self.begun, ["a", "a"])

    def test_folders(self) -> None:
        """Files go into one folder while there are others, and into that of their own when there are none, or there were many."""
        self.assertEqual(self.syncs.begin("0001"), "0001")
        self.assertEqual(self.syncs.begin("1112"), "1101")
        self.syncs.end()
        self.assertEqual(self.syncs.begin("2223"), "2201")
        for _ in range(2):
            self.syncs.end()
        self.assertEqual(self.syncs.begin("3334"), "3334")
        given = [self.syncs.begin("4445") for _ in range(MOST)]
        self.assertEqual(given, ["4434"] * (MOST - 1) + ["4445"])
