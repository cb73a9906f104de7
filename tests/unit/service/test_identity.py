"""Who this process is, and what becomes of the one that held its data folder before."""

from __future__ import annotations

import os
import re

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from ozgate.admin.upkeep.datafolder import DataFolder
from ozgate.background.longreads import join
from ozgate.config.sitefile import ConfigurationError
from ozgate.errors import NoSpace
from ozgate.service.identity import announce, new_process_id, take_leave
from ozgate.testing.memory_metadata import MemoryMetadataStore
from ozgate.testing.metadata_base import ask, change


class ProcessTests(SynchronousTestCase):
    """Ids."""

    def test_id(self) -> None:
        """An id is one word that says host and pid."""
        process = new_process_id()
        self.assertRegex(process, r"\A[0-9A-Za-z.-]+\Z")
        self.assertIn(f"-{os.getpid()}-", process)

    def test_strange_host(self) -> None:
        """Whatever the host is called, it is one word that is not too long."""
        self.patch(os, "getpid", lambda: 7)
        self.patch(__import__("socket"), "gethostname", lambda: "my höst\n" + "x" * 300)
        process = new_process_id()
        self.assertTrue(re.fullmatch(r"my-h-st-x+-7-[0-9a-f]{12}", process), process)
        self.assertLess(len(process), 100)

    def test_two_on_one_host(self) -> None:
        """Two processes on one host never have a lease together."""
        metadata = MemoryMetadataStore(Clock())
        self.successResultOf(metadata.open())
        terms = [
            self.successResultOf(
                metadata.write(change, "lease", ("reaper", new_process_id(), 30))
            )
            for _ in range(2)
        ]
        self.assertEqual(terms, [1, None])


class FormerTests(SynchronousTestCase):
    """The process that held a data folder before: the lock proves that it is dead."""

    def setUp(self) -> None:
        """A folder, and metadata with a lease of who had it."""
        self.path = self.mktemp()
        self.metadata = MemoryMetadataStore(Clock())
        self.successResultOf(self.metadata.open())

    def lease(self, owner: str) -> int | None:
        """Take a lease, if it can be had."""
        return self.successResultOf(
            self.metadata.write(change, "lease", ("reaper", owner, 30))
        )

    def start(self, process: str) -> DataFolder:
        """What a start does."""
        folder = DataFolder(self.path)
        folder.sign()
        done = Deferred.fromCoroutine(announce(self.metadata, process, folder.former))
        if self.successResultOf(done):
            folder.sign(process)
        return folder

    def test_restart(self) -> None:
        """A process need not wait for the leases of the dead one before it, but for those of others."""
        first = self.start("first")
        self.assertEqual(first.former, "")
        self.assertEqual(self.lease("first"), 1)
        first.release()
        second = self.start("second")
        self.assertEqual(second.former, "first")
        self.assertEqual(self.lease("second"), 2)
        second.release()
        self.lease("gateway elsewhere")
        third = self.start("third")
        self.assertEqual(self.lease("third"), 3)
        third.release()

    def test_other_holds_it(self) -> None:
        """Leases of a process that is not known to be dead stay its own."""
        self.start("first").release()
        self.assertEqual(self.lease("gateway elsewhere"), 1)
        self.start("second").release()
        self.assertIsNone(self.lease("second"))

    def test_not_ended(self) -> None:
        """Where the disk is full at a start, the start goes on, and the next one knows of the dead all the same."""
        self.start("first").release()
        self.lease("first")
        write = self.metadata.write

        async def full(*args: object, **named: object) -> None:
            raise NoSpace("full")

        self.patch(
            self.metadata, "write", lambda *args: Deferred.fromCoroutine(full(*args))
        )
        self.start("second").release()
        self.patch(self.metadata, "write", write)
        third = self.start("third")
        self.assertEqual(third.former, "first")
        self.assertEqual(self.lease("third"), 2)
        third.release()

    def known(self) -> list[str]:
        """The processes that others wait for."""
        found = self.successResultOf(self.metadata.read(ask, "processes"))
        return sorted(each.id for each in found)

    def test_known(self) -> None:
        """A process is known from its start to its end; one that was killed, until the next one in its folder starts."""
        self.start("first").release()
        self.assertEqual(self.known(), ["first"])
        self.start("second").release()
        self.assertEqual(self.known(), ["second"])
        self.assertEqual(self.lease("second"), 1)
        self.successResultOf(
            Deferred.fromCoroutine(take_leave(self.metadata, "second"))
        )
        self.assertEqual(self.known(), [])
        self.assertEqual(self.lease("gateway elsewhere"), 2)

    def test_all_dead(self) -> None:
        """Who has prepared the stores is the only one: nobody waits for others that were killed, whatever the lock says of them."""
        self.start("first").release()
        for process in ("beside", "not signed yet"):
            self.successResultOf(self.metadata.write(join, process, ""))
        self.assertEqual(self.lease("beside"), 1)
        self.start("second").release()
        self.assertEqual(self.known(), ["second"])
        self.assertEqual(self.lease("second"), 2)

    def test_in_use(self) -> None:
        """Who finds the folder in use is told the pid, signed with an id or not."""
        folder = DataFolder(self.path)
        for process in ("", "an-id"):
            folder.sign(process)
            with self.assertRaisesRegex(
                ConfigurationError, rf"in use by process {os.getpid()}: stop"
            ):
                DataFolder(self.path)
        folder.release()

    def test_former_release(self) -> None:
        """A lock file of a version that wrote no id is of nobody in particular."""
        DataFolder(self.path).release()
        for text in ("4711\n", "", "\n"):
            with open(f"{self.path}/lock", "w", encoding="ascii") as file:
                file.write(text)
            folder = DataFolder(self.path)
            self.assertEqual(folder.former, "")
            folder.release()
