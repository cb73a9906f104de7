"""Calls to the disk that fail, and processes that are killed, while the stores are made."""

# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import errno
import os
import sqlite3
from typing import Any

from twisted.internet import reactor
from twisted.trial.unittest import SynchronousTestCase

from ozgate.admin.upkeep import datafolder
from ozgate.blobs.files import syscalls
from ozgate.blobs.files.store import FileBlobStore
from ozgate.errors import StoreError
from ozgate.metadata.sqlite import connections
from tests.crash.faults import SILENT, Faults, at_once, refuse_unnamed
from tests.started import started


class OpeningTests(SynchronousTestCase):
    """Faults while the stores are made."""

    def setUp(self) -> None:
        """Choose a place."""
        self.path = os.path.abspath(self.mktemp())
        self.faults = Faults()
        for name in syscalls.__all__:
            real = getattr(syscalls, name)
            if name in SILENT and name != "listdir":
                continue

            def call(*args: Any, name: str = name, real: Any = real) -> Any:
                return self.faults.call(name, real, *args)

            self.patch(syscalls, name, call)

    def open_once(self, path: str) -> None:
        """Open a blob store and close it."""
        store = FileBlobStore(path, "files", reactor, at_once, 10)
        self.successResultOf(started(store))
        self.successResultOf(store.close_store())

    def test_blobs(self) -> None:
        """Whatever fails when a blob store is made, the next try makes it; so it is when it is there already."""
        self.faults.arm(0)
        self.open_once(f"{self.path}/0")
        names = list(self.faults.calls)
        folders = [at for at, name in enumerate(names, 1) if name == "mkdir"]
        some = {*folders[:6], *folders[-2:]}
        for at, name in enumerate(names, 1):
            if name == "mkdir" and at not in some:
                continue
            path = f"{self.path}/{at}"
            store = FileBlobStore(path, "files", reactor, at_once, 10)
            self.faults.arm(at, errno.EIO)
            opened: list[object] = []
            started(store).addBoth(opened.append)
            if opened != [None]:
                opened[0].trap(StoreError)
            self.successResultOf(store.close_store())
            self.faults.arm(0)
            self.open_once(path)

    def test_full_disk(self) -> None:
        """A store that is there opens on a disk where nothing more fits: what it has can be read and deleted."""
        self.open_once(self.path)
        for refused in ("open_unnamed", "link_unnamed", "open_new"):
            for number in (errno.ENOSPC, errno.EDQUOT):

                def fail(*args: Any, number: int = number) -> None:
                    raise OSError(number, os.strerror(number))

                patches = [self.patch(syscalls, refused, fail)]
                if refused == "open_new":
                    patches.append(self.patch(syscalls, "open_unnamed", refuse_unnamed))
                self.open_once(self.path)
                for each in patches:
                    each.restore()

    def test_names_are_durable(self) -> None:
        """Also a store that is there already has its folders' names made durable: it may have been killed just then."""
        self.open_once(self.path)
        synced: list[str] = []
        self.patch(syscalls, "fsync_folder", synced.append)
        self.open_once(self.path)
        parent = os.path.dirname(self.path)
        self.assertEqual({*synced}, {parent, self.path, f"{self.path}/data"})

    def test_data_folder(self) -> None:
        """The name of a data folder, and of each folder made for it, is made durable."""
        synced: list[str] = []
        self.patch(datafolder.syscalls, "fsync_folder", synced.append)
        for _ in range(2):
            datafolder.DataFolder(f"{self.path}/a/b").release()
        parent = os.path.dirname(self.path)
        self.assertEqual(
            synced, [parent, self.path, f"{self.path}/a", f"{self.path}/a"]
        )

    def test_first_start_cut_short(self) -> None:
        """A power cut in the very first start may leave the journal of a database that never was: it starts again."""
        os.mkdir(self.path)
        with open(f"{self.path}/metadata.db-journal", "wb"):
            pass
        datafolder.DataFolder(self.path).release()

    def test_killed_while_making_metadata(self) -> None:
        """A process killed before any statement that makes the database leaves one that the next can use."""
        for at in (*range(1, 10), *range(10, 1000, 3)):
            path = f"{self.path}-{at}.db"
            child = os.fork()
            if not child:
                die_at_statement(path, at)
            status = os.waitpid(child, 0)[1]
            connections.prepare_database(path).close()
            connection = connections.connect_writer(path)
            (found,) = connection.execute("PRAGMA integrity_check").fetchone()
            connection.close()
            self.assertEqual(found, "ok", at)
            if not status:
                self.assertGreater(at, 20)
                return
        raise AssertionError("it never came to its end")


def die_at_statement(path: str, at: int) -> None:
    """In a child: make a database, and die before a statement; end with 0 when there were fewer."""
    left = [at]

    def trace(statement: str) -> None:
        left[0] -= 1
        if not left[0]:
            os._exit(9)

    class Traced(sqlite3.Connection):
        def __init__(self, *args: Any, **keywords: Any) -> None:
            super().__init__(*args, **keywords)
            self.set_trace_callback(trace)

    real = sqlite3.connect
    try:
        sqlite3.connect = lambda *a, **k: real(*a, factory=Traced, **k)
        connections.prepare_database(path).close()
        os._exit(0)
    except BaseException:
        os._exit(1)
