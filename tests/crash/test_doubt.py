"""A commit whose sync failed, while somebody reads all metadata: what is said of it stays true after a kill."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
from contextlib import closing

from twisted.internet import reactor
from twisted.trial.unittest import SkipTest, TestCase

from ozgate.errors import Uncertain
from ozgate.metadata.sqlite import connections
from ozgate.metadata.sqlite.store import SQLiteMetadataStore
from tests.crash.tapping import Call, Failing, tapped, unavailable
from tests.started import started
from tests.unit.metadata.sqlite.test_failures import add_bucket, keys, put


def of_the_log(call: Call) -> bool:
    """Whether a call syncs the write-ahead log."""
    return call.kind == "sync" and call.path.endswith("-wal")


class DoubtTests(TestCase):
    """Metadata on a disk that fails once."""

    async def setUp(self) -> None:  # type: ignore[override]
        """Open a store whose syncs can fail, and begin to read beside it, as a backup does."""
        if reason := unavailable():
            raise SkipTest(reason)
        self.tap = Failing(wanted=of_the_log, number=errno.EIO)
        watching = tapped(self.tap)
        watching.__enter__()
        self.addCleanup(watching.__exit__, None, None, None)
        self.patch(connections, "BUSY_SECONDS", 0.05)
        self.path = f"{self.mktemp()}.db"
        self.store = SQLiteMetadataStore(self.path, reactor)
        await started(self.store)
        self.addCleanup(self.store.close)
        await self.store.write(add_bucket)
        await self.store.write(put, "before", 9000)
        self.reader = sqlite3.connect(self.path, isolation_level=None)
        self.addCleanup(self.reader.close)
        self.reader.execute("BEGIN")
        self.reader.execute("SELECT COUNT(*) FROM versions").fetchall()

    def log_size(self) -> int:
        """Bytes of the log."""
        return os.path.getsize(f"{self.path}-wal")

    async def after_a_kill(self) -> set[str]:
        """What a process finds that starts on the files as they are now."""
        copy = f"{self.mktemp()}.db"
        for suffix in ("", "-wal"):
            shutil.copyfile(self.path + suffix, copy + suffix)
        with closing(sqlite3.connect(copy)) as connection:
            self.assertEqual(
                connection.execute("PRAGMA integrity_check").fetchall(), [("ok",)]
            )
        store = SQLiteMetadataStore(copy, reactor)
        await started(store)
        found: set[str] = await store.read(keys)
        await store.close()
        return found

    async def test_undone(self) -> None:
        """What reads as undone is not done after a kill, though the log could not be emptied for the reader."""
        self.tap.at = self.tap.count + 1
        await self.assertFailure(self.store.write(put, "doubtful", 9000), Uncertain)
        self.assertGreater(self.log_size(), 0)
        found = await self.store.read(keys)
        self.assertEqual(await self.after_a_kill(), found)
        self.assertEqual(found, {"before"})
        await self.store.write(put, "later", 9000)
        self.assertEqual(await self.after_a_kill(), {"before", "later"})
