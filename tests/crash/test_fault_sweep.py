"""A sample of the fault sweep, and what it would find."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import SkipTest
from unittest.mock import patch

from twisted.logger import globalLogBeginner
from twisted.trial.unittest import SynchronousTestCase

from ozgate.blobs.files import blobfile, syscalls
from ozgate.errors import StoreError
from ozgate.metadata.sqlite import connections
from tests.crash import tapping
from tests.crash.earlier_schemas import dumps, rows_of
from tests.crash.fault_sweep import Failing, forget
from tests.crash.faulty_disk import FAILURES, SHORT, Fault
from tests.crash.kill_sweep import make_folder
from tests.crash.tapping import Call, tapped, unavailable
from tests.crash.test_kill_sweep import python
from tests.unit.metadata.sqlite.metadata_rows import restore

SEED = 20261122


class FaultSweepTests(SynchronousTestCase):
    """:mod:`tests.crash.fault_sweep`. In processes of their own: errors are logged, and trial minds."""

    def setUp(self) -> None:
        """See that calls can be failed."""
        if reason := unavailable():
            raise SkipTest(reason)

    def test_sample(self) -> None:
        """Calls drawn by lot fail, once or for a while: nothing half made, nothing lost, and on it goes."""
        said = python(
            "-m", "tests.crash.fault_sweep", "--count=30", f"--seed={SEED}", "--jobs=2"
        )
        self.assertIn(" 0 things broken", said)

    def test_locked(self) -> None:
        """What is locked is refused with another error where its lock cannot be read; it stays."""
        said = python("-m", "tests.crash.fault_sweep", "--only=cling@1/EIO/once")
        self.assertIn(" 0 things broken", said)

    def test_faults(self) -> None:
        """Calls of blobs and of SQLite fail, in every way, under every operation."""
        python("-c", f"from {__name__} import look_at_faults; look_at_faults()")

    def test_sync(self) -> None:
        """A commit whose log was not synced is in doubt; what is acknowledged next survives a power cut."""
        python("-c", f"from {__name__} import fail_syncs; fail_syncs()")

    def test_migration(self) -> None:
        """A start that fails while it migrates leaves a database that the next migrates, or has as it is to be."""
        python("-c", f"from {__name__} import fail_migrations; fail_migrations()")

    def test_found(self) -> None:
        """A gateway that asks a failed fsync again, and believes the second answer, is found."""
        python("-c", f"from {__name__} import ask_again; ask_again()")

    def test_names(self) -> None:
        """A failure is found again by its name."""
        for fault in (Fault("copy", 3, "EIO", True), Fault("tag", 4, SHORT)):
            self.assertEqual(Fault.parse(str(fault)), fault)


def begin() -> Failing:
    """In a process of its own."""
    globalLogBeginner.beginLoggingTo([forget], redirectStandardIO=False)
    return Failing(make_folder())


def where(
    failing: Failing, operation: str, wanted: Callable[[Call], bool]
) -> list[int]:
    """The numbers of the calls of an operation that are wanted."""
    calls = failing.plan(operation).calls
    return [at for at, call in enumerate(calls, 1) if wanted(call)]


def look_at_faults() -> None:
    """What fails in the whole sweep."""
    failing = begin()
    faults = list(failing.faults())
    assert {fault.operation for fault in faults} == set(failing.operations())
    struck = {
        (fault.name, failing.plan(fault.operation).calls[fault.at - 1].layer)
        for fault in faults
    }
    assert struck == {(n, layer) for n in FAILURES for layer in ("blobs", "sqlite")}
    assert len(faults) > 1000, len(faults)


def fail_syncs() -> None:
    """Fail each sync of the log under a write."""
    failing = begin()
    for operation in ("put-small", "overwrite", "delete"):
        found = where(
            failing,
            operation,
            lambda call: call.kind == "sync" and call.path.endswith("-wal"),
        )
        assert found, operation
        for at in found:
            for lasting in (False, True):
                status, broken = failing.strike(Fault(operation, at, "EIO", lasting))
                assert (status, broken) == (500, []), (operation, at, status, broken)


def fail_migrations(step: int = 11) -> None:
    """Fail calls while databases of earlier schemas are opened.

    :param step: from one call that fails to the next. Each schema begins with another call, since most of what is done is done for each.
    """
    folder = make_folder()
    path = f"{folder}/metadata.db"
    for place, dump in enumerate(dumps().values()):

        def begin_again(dump: Path = dump) -> None:
            for each in os.listdir(folder):
                os.unlink(f"{folder}/{each}")
            restore(dump.read_text(encoding="utf-8"), path)

        begin_again()
        tap = tapping.Failing()
        with tapped(tap, reads=False):
            connections.prepare_database(path).close()
        expected = rows_of(folder)
        # A migration that only adds columns makes some three dozen.
        assert tap.count > 30, tap.count
        for number, lasting in ((errno.EIO, False), (errno.ENOSPC, True)):
            for at in range(1 + place % step, tap.count + 1, step):
                begin_again()
                failing = tapping.Failing(at=at, number=number, lasting=lasting)
                with tapped(failing, reads=False), contextlib.suppress(StoreError):
                    connections.prepare_database(path).close()
                assert rows_of(folder) == expected, (dump, at, number)


class Retrying:
    """The module of system calls, with an fsync that is asked again."""

    def __getattr__(self, name: str) -> Any:
        return getattr(syscalls, name)

    def fsync(self, fd: int) -> None:
        """As those do who never read of it."""
        try:
            syscalls.fsync(fd)
        except OSError:
            syscalls.fsync(fd)


def ask_again() -> None:
    """Fail an fsync of a blob under such a gateway."""
    failing = begin()
    (at, *_) = where(
        failing, "overwrite", lambda call: (call.layer, call.kind) == ("blobs", "sync")
    )
    fault = Fault("overwrite", at, "EIO")
    status, broken = failing.strike(fault)
    assert (status, broken) == (503, []), (status, broken)
    with patch.object(blobfile, "syscalls", Retrying()):
        status, broken = failing.strike(fault)
    assert status == 200, status
    assert any("cut" in line for line in broken), broken
