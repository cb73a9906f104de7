"""What was acknowledged survives a power cut: a sample of ``python -m tests.crash.sweep``, and a trial of the sweep itself."""

# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, redirect_stdout
from io import StringIO
from typing import Any
from unittest.mock import patch

from twisted.trial.unittest import SynchronousTestCase

from ozgate.blobs.files import syscalls
from ozgate.metadata.sqlite import connections, writer
from tests.crash import sweep
from tests.crash.disk import Disk, Image
from tests.crash.sequences import Tally
from tests.crash.sweep import Crashes, jobs
from tests.crash.tapping import Call, unavailable

SEED = int(os.environ.get("SWEEP_SEED", "1"))
STATES = 900
"""Crash states in a test run: 20 of each of some sequences."""


class SampleTests(SynchronousTestCase):
    """Some of all crash states."""

    skip = unavailable()
    timeout = 600

    def test_sample(self) -> None:
        """Whatever a cut leaves of any sequence of operations: all that was acknowledged is there, and nothing half."""
        tally = Tally(most=STATES)
        sweep.sweep(jobs(SEED, False, 20), tally, processes=2)
        self.assertEqual(tally.broken, [], f"seed {SEED}")
        self.assertGreaterEqual(len(tally.digests), STATES)

    def test_one(self) -> None:
        """A state is had again by its id, and so is what it breaks; an id of none is refused."""
        out = StringIO()
        with redirect_stdout(out):
            self.assertEqual(sweep.main(["--only", "tag@0/all"]), 0)
        self.assertEqual(out.getvalue(), "nothing is broken\n")
        with patch.object(sweep, "check", lambda *given: ["I1: gone"]):
            with redirect_stdout(out):
                self.assertEqual(sweep.main(["--only", "tag@0/all"]), 1)
        self.assertRaises(SystemExit, sweep.main, ["--only", "tag@1000/all"])

    def test_same(self) -> None:
        """The states of a sequence are the same each time, to the last bit; or else an id would say nothing."""
        with tempfile.TemporaryDirectory(dir=sweep.IN_MEMORY) as folder:
            crashes = Crashes(folder)
            first, second = (
                [(state.id, state.digest) for state in crashes.states("delete+copy")]
                for _ in range(2)
            )
        self.assertEqual(first, second)


@contextmanager
def blobs_not_synced() -> Iterator[None]:
    """A gateway that does not sync the files of blobs."""
    with patch.object(syscalls, "fsync", lambda fd: None):
        yield


@contextmanager
def folders_not_synced() -> Iterator[None]:
    """A gateway that does not sync the folders of blobs."""
    with patch.object(syscalls, "fsync_folder", lambda path: None):
        yield


@contextmanager
def log_not_synced() -> Iterator[None]:
    """A gateway whose commits do not wait for the disk."""
    connect = connections.connect_writer

    def connect_carelessly(path: str, *rest: Any) -> sqlite3.Connection:
        connection = connect(path, *rest)
        connection.execute("PRAGMA synchronous = OFF")
        return connection

    with patch.object(writer, "connect_writer", connect_carelessly):
        yield


class DefectTests(SynchronousTestCase):
    """The sweep finds what it is for: a gateway that is wrong in one place breaks invariants."""

    skip = unavailable()

    def broken(
        self, defect: Callable[[], AbstractContextManager[None]], sequence: str
    ) -> set[str]:
        """Which invariants the cuts in a sequence break."""
        folder = tempfile.TemporaryDirectory(prefix="ozgate-cuts-", dir=sweep.IN_MEMORY)
        self.addCleanup(folder.cleanup)
        found = Crashes(folder.name, defect).run(sequence)
        return {line.partition(":")[0] for _, line in found.broken}

    def test_blobs(self) -> None:
        """Bytes of a blob that were never synced are missed."""
        self.assertNotEqual(self.broken(blobs_not_synced, "overwrite"), set())

    def test_folders(self) -> None:
        """Names of blobs that were never synced are missed."""
        self.assertNotEqual(self.broken(folders_not_synced, "put-large"), set())

    def test_log(self) -> None:
        """Rows that were never synced are missed."""
        for operation in ("put-small", "delete", "complete", "expire"):
            self.assertIn("I1", self.broken(log_not_synced, operation))

    def test_none(self) -> None:
        """The same operations break nothing without a defect."""
        for operation in ("put-small", "overwrite"):
            self.assertEqual(self.broken(whole, operation), set())


@contextmanager
def whole() -> Iterator[None]:
    """A gateway as it is."""
    yield


class DiskTests(SynchronousTestCase):
    """The model of a disk."""

    def images(self, *calls: Call) -> dict[str, dict[str, bytes]]:
        """What is left of ``/a/old`` and of what the calls made, by kind."""
        disk = Disk({"/a/old": b"old"})
        for call in calls:
            disk.do(call)
        images: list[Image] = list(disk.images())
        return {image.kind: dict(image.files) for image in images}

    def test_unsynced(self) -> None:
        """Bytes that were not synced may be there or not, a name without them."""
        images = self.images(Call("create", "/a/new"), Call("write", "/a/new", 0, b"1"))
        self.assertEqual(images["all"], {"/a/old": b"old", "/a/new": b"1"})
        self.assertEqual(images["nothing"], {"/a/old": b"old"})
        self.assertEqual(images["names without data"]["/a/new"], b"")
        self.assertNotIn("/a/new", images["without name 0"])

    def test_synced(self) -> None:
        """A file's sync keeps its bytes, and its folder's its name."""
        calls = [
            Call("create", "/a/new"),
            Call("write", "/a/new", 0, b"1"),
            Call("sync", "/a/new"),
        ]
        self.assertNotIn("/a/new", self.images(*calls)["nothing"])
        images = self.images(*calls, Call("sync_folder", "/a"))
        self.assertEqual(images["nothing"]["/a/new"], b"1")

    def test_order(self) -> None:
        """A later write may arrive before an earlier one; where the first is missing there are zeros."""
        images = self.images(
            Call("write", "/a/old", 0, b"N" * 4096),
            Call("write", "/a/old", 4096, b"M" * 4096),
        )
        self.assertEqual(
            images["without write 0"]["/a/old"], b"old".ljust(4096, b"\0") + b"M" * 4096
        )
        self.assertEqual(images["up to write 1"]["/a/old"], b"N" * 4096)
        self.assertEqual(images["half of write 0"]["/a/old"][2048:4096], bytes(2048))

    def test_replaced(self) -> None:
        """A rename that was not synced leaves the one or the other."""
        images = self.images(
            Call("create", "/a/new"),
            Call("write", "/a/new", 0, b"new"),
            Call("sync", "/a/new"),
            Call("sync_folder", "/a"),
            Call("rename", "/a/new", target="/a/old"),
        )
        self.assertEqual(images["all"], {"/a/old": b"new"})
        self.assertEqual(images["nothing"], {"/a/old": b"old", "/a/new": b"new"})

    def test_unnamed(self) -> None:
        """A file that was never linked is never there."""
        made = Call("create_unnamed", "/a/#1")
        written = Call("write", "/a/#1", 0, b"bytes")
        for files in self.images(made, written).values():
            self.assertEqual(list(files), ["/a/old"])
        images = self.images(made, written, Call("link", "/a/#1", target="/a/blob"))
        self.assertEqual(images["all"]["/a/blob"], b"bytes")
        self.assertEqual(images["names without data"]["/a/blob"], b"")
