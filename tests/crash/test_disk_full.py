"""A full disk: 507 or 503, nothing half written, and service goes on when there is room."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from unittest import SkipTest

from twisted.trial.unittest import SynchronousTestCase

from tests.running import Server


class DiskFullTests(SynchronousTestCase):
    """A server whose data is on a file system of 24 MiB."""

    def setUp(self) -> None:
        """Mount a small tmpfs and start a server on it."""
        folder = tempfile.mkdtemp(prefix="ozgate-full-")
        self.addCleanup(os.rmdir, folder)
        mount = ["mount", "-t", "tmpfs", "-o", "size=24m", "none", folder]
        if subprocess.run(mount, capture_output=True).returncode:
            raise SkipTest("a tmpfs cannot be mounted here: needs root")
        self.addCleanup(subprocess.run, ["umount", folder], check=True)
        self.server = Server(
            os.path.join(folder, "data"),
            "ozgate.sweep.delay=0s",
            "ozgate.sweep.interval=1s",
            "ozgate.disk.reserve=4MB",
        )
        self.server.start()
        self.addCleanup(lambda: self.server.stop())
        self.assertEqual(self.server.request("PUT", "/bucket")[0], 200)

    def fill(self, size: int) -> list[str]:
        """Put objects until one is refused for want of space; the keys that were kept."""
        kept = []
        for number in range(10_000):
            status, _, answer = self.server.request(
                "PUT", f"/bucket/{size}-{number}", {}, b"x" * size
            )
            if status != 200:
                self.assertIn(status, (503, 507), answer)
                self.assertIn(b"<Error>", answer)
                return kept
            kept.append(f"{size}-{number}")
        raise AssertionError("the disk never filled")

    def check(self, kept: list[str], size: int) -> None:
        """Exactly the acknowledged objects are there, whole."""
        listing = self.server.request("GET", "/bucket?list-type=2")[2].decode()
        self.assertEqual(listing.count("<Key>"), len(kept))
        for key in kept[:: max(1, len(kept) // 20)]:
            self.assertEqual(
                self.server.request("GET", f"/bucket/{key}")[2], b"x" * size
            )

    def test_blobs(self) -> None:
        """Large objects fill the disk; after deletes there is room again."""
        kept = self.fill(2_000_000)
        self.check(kept, 2_000_000)
        for key in kept:
            self.assertEqual(
                self.server.request("DELETE", f"/bucket/{key}")[0], 204, key
            )
        self.assert_room()

    def test_rows(self) -> None:
        """Small objects, which are in the rows, fill the disk; after deletes there is room again."""
        kept = self.fill(16_000)
        self.check_rows(kept)
        for key in kept[: len(kept) // 2]:
            self.assertEqual(
                self.server.request("DELETE", f"/bucket/{key}")[0], 204, key
            )
        self.assertEqual(
            self.server.request("PUT", "/bucket/after", {}, b"y" * 16_000)[0], 200
        )

    def check_rows(self, kept: list[str]) -> None:
        """Every acknowledged row reads whole."""
        for key in kept[:: max(1, len(kept) // 50)]:
            self.assertEqual(
                self.server.request("GET", f"/bucket/{key}")[2], b"x" * 16_000
            )

    def assert_room(self) -> None:
        """A large object fits again, once the reaper has been round."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            status, _, _ = self.server.request(
                "PUT", "/bucket/after", {}, b"y" * 2_000_000
            )
            if status == 200:
                return
        raise AssertionError("there is no room after everything was deleted")
