"""What the type of a file system means."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from ozgate import filesystems
from ozgate.filesystems import diagnose_folder, file_system_of
from ozgate.values import Verdict

_MOUNTS = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:40 / /mnt/shared rw shared:2 - nfs4 server:/export rw,sync
31 30 0:41 / /mnt/shared/in\\040memory rw - tmpfs tmpfs rw
32 22 0:42 / /mnt/over rw - ext4 /dev/sdb1 rw
33 22 0:43 / /mnt/over rw - fuse.bindfs /elsewhere rw
broken
""".splitlines()


class FileSystemTests(SynchronousTestCase):
    """Mounts, and what is said of them."""

    def test_of(self) -> None:
        """The mount that a folder is in is the deepest one, and of two at one place the later."""
        for path, expected in (
            ("/var/lib", "ext4"),
            ("/mnt/shared", "nfs4"),
            ("/mnt/shared/blobs", "nfs4"),
            ("/mnt/sharedelse", "ext4"),
            ("/mnt/shared/in memory/x", "tmpfs"),
            ("/mnt/over/x", "fuse"),
        ):
            self.assertEqual(file_system_of(path, _MOUNTS), expected, path)
        self.assertEqual(file_system_of("/", ()), "")

    def test_here(self) -> None:
        """The kernel's own list is read."""
        self.assertEqual(file_system_of("/proc/self"), "proc")

    def test_verdicts(self) -> None:
        """What it means depends on the type, and on whether it is shared."""
        for kind, is_shared, verdict in (
            ("ext4", False, Verdict.WELL),
            ("tmpfs", False, Verdict.RISK),
            ("nfs4", False, Verdict.WRONG),
            ("nfs4", True, Verdict.NOTE),
            ("cifs", True, Verdict.WRONG),
            ("overlay", False, Verdict.NOTE),
            ("", False, Verdict.NOTE),
        ):
            self.patch(filesystems, "file_system_of", lambda _, kind=kind: kind)
            found = diagnose_folder("/", "blobs", is_shared)[0]
            self.assertEqual(found.verdict, verdict, kind)
            self.assertEqual(bool(found.remedy), verdict is not Verdict.WELL)
