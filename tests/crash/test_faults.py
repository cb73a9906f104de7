"""Every call of blobs to the disk fails once: nothing half made is seen, nothing acknowledged is lost, trying again works."""

# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import errno
import os

from ozgate.blobs.files import syscalls
from ozgate.errors import StoreError
from tests.crash.faults import MAKE_DESCRIPTORS, SILENT
from tests.crash.faulty_stores import Disk

FAILURES = (
    (errno.EIO, False, [name for name in syscalls.__all__ if name not in SILENT]),
    (errno.ENOSPC, False, [*MAKE_DESCRIPTORS, "writev", "link_unnamed", "rename"]),
    (errno.EMFILE, False, [*MAKE_DESCRIPTORS, "fsync_folder"]),
    (errno.EIO, True, ["fsync", "link_unnamed", "rename", "fsync_folder", "unlink"]),
)
"""Error number, whether the call takes effect, and what fails so."""


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
