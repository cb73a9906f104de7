"""A full disk: 507 or 503, nothing half written, and service goes on when there is room."""

from __future__ import annotations

import contextlib
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
        for number in range(5):
            put = self.server.request("PUT", "/bucket/more", {}, b"x" * 2_000_000)
            self.assertEqual(put[0], 507, number)
        self.check(kept, 2_000_000)
        for key in kept:
            self.assertEqual(
                self.server.request("DELETE", f"/bucket/{key}")[0], 204, key
            )
        self.assert_room()
        self.check_log()

    def check_log(self) -> None:
        """The log has one line about the disk that filled, one about the room that there is again, and none of where that was met."""
        deadline = time.monotonic() + 60
        # It is said after the answer.
        while "again" not in self.server.output() and time.monotonic() < deadline:
            time.sleep(0.02)
        said = self.server.output()
        self.assertEqual(said.count("the disk is full"), 1, said)
        self.assertEqual(said.count("there is room on the disk again"), 1, said)
        self.assertNotIn("Traceback", said)

    def test_rows(self) -> None:
        """Small objects, which are in the rows, fill the disk; after deletes there is room again."""
        kept = self.fill(16_000)
        for _ in range(5):
            put = self.server.request("PUT", "/bucket/more", {}, b"x" * 16_000)
            self.assertIn(put[0], (503, 507))
        self.check_rows(kept)
        for key in kept[: len(kept) // 2]:
            self.assertEqual(
                self.server.request("DELETE", f"/bucket/{key}")[0], 204, key
            )
        self.assertEqual(
            self.server.request("PUT", "/bucket/after", {}, b"y" * 16_000)[0], 200
        )
        self.assertNotIn("Traceback", self.server.output())

    def test_start(self) -> None:
        """On a disk where no byte more fits the service starts, reads, and refuses what needs room."""
        for key, size in (("blob", 100_000), ("row", 100)):
            put = self.server.request("PUT", f"/bucket/{key}", {}, b"x" * size)
            self.assertEqual(put[0], 200)
        self.server.kill()
        filler = os.path.join(os.path.dirname(self.server.data), "filler")
        with open(filler, "wb", buffering=0) as file, contextlib.suppress(OSError):
            while file.write(b"x" * 4096):
                pass
        self.server.start()
        self.assertEqual(len(self.server.request("GET", "/bucket/blob")[2]), 100_000)
        self.assertEqual(len(self.server.request("GET", "/bucket/row")[2]), 100)
        put = self.server.request("PUT", "/bucket/more", {}, b"x")
        self.assertEqual(put[0], 507, put[2])
        self.assertNotIn("Traceback", self.server.output())
        os.unlink(filler)
        self.assertEqual(self.server.request("DELETE", "/bucket/blob")[0], 204)
        self.assert_room()

    def check_rows(self, kept: list[str]) -> None:
        """Every acknowledged row reads whole."""
        for key in kept[:: max(1, len(kept) // 50)]:
            self.assertEqual(
                self.server.request("GET", f"/bucket/{key}")[2], b"x" * 16_000
            )

    def assert_room(self) -> None:
        """A large object fits again, once the reaper has been round."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            status, _, _ = self.server.request(
                "PUT", "/bucket/after", {}, b"y" * 2_000_000
            )
            if status == 200:
                return
        raise AssertionError("there is no room after everything was deleted")
