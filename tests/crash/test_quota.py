"""A quota of the operating system that is used up: no room, and no broken disk.

Root is above quotas, and a file system with some takes tools that are not everywhere. So the tap fails SQLite's writes
with the error that the kernel gives, and the question that the store asks the file system fails likewise.
"""

# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import errno
import os
from unittest import SkipTest

from twisted.internet import reactor
from twisted.trial.unittest import TestCase

from ozgate.errors import NoSpace, StoreError, Uncertain
from ozgate.metadata.sqlite import connections
from ozgate.metadata.sqlite.store import SQLiteMetadataStore
from tests.crash.tapping import Call, Failing, tapped, unavailable
from tests.started import started
from tests.unit.metadata.sqlite.test_failures import add_bucket, keys, put


def to_the_log(call: Call) -> bool:
    """Whether a call writes to the write-ahead log."""
    return call.kind == "write" and call.path.endswith("-wal")


class QuotaTests(TestCase):
    """Metadata under a quota."""

    async def setUp(self) -> None:  # type: ignore[override]
        """Open a store whose writes to the log can fail."""
        if reason := unavailable():
            raise SkipTest(reason)
        self.tap = Failing(wanted=to_the_log, number=errno.EDQUOT, lasting=True)
        watching = tapped(self.tap)
        watching.__enter__()
        self.addCleanup(watching.__exit__, None, None, None)
        self.path = self.mktemp()
        self.store = SQLiteMetadataStore(self.path, reactor)
        await started(self.store)
        self.addCleanup(self.store.close)
        await self.store.write(add_bucket)
        await self.store.write(put, "before", 9000)
        self.patch(connections, "_write_something", self.write_something)
        self.is_full = True

    def write_something(self, folder: str) -> None:
        """What the kernel says to somebody who is not root."""
        if self.is_full:
            raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))

    def use_up(self, at: int) -> None:
        """From that write to the log on there is no room."""
        self.tap.at, self.tap.count = at, 0

    async def test_commit(self) -> None:
        """Whichever write to the log is the first refused: NoSpace, nothing kept, and on it goes when there is room."""
        expected = {"before"}
        self.use_up(0)
        self.tap.count = 0
        await self.store.write(put, "counted", 100_000)
        expected.add("counted")
        count = self.tap.count
        self.assertGreater(count, 20)
        for at in range(1, count + 1, 5):
            self.use_up(at)
            for _ in range(2):
                await self.assertFailure(
                    self.store.write(put, "more", 100_000), NoSpace
                )
                self.assertEqual(await self.store.read(keys), expected)
            self.use_up(0)
            await self.store.write(put, f"after {at}", 9000)
            expected.add(f"after {at}")
        self.assertEqual(await self.store.read(keys), expected)

    async def test_start(self) -> None:
        """A store opens while its quota is used up, reads, and says NoSpace to writes until there is room."""
        await self.store.close()
        self.tap.wanted = lambda call: call.kind == "write"
        self.use_up(1)
        store = SQLiteMetadataStore(self.path, reactor)
        await started(store)
        self.assertEqual(await store.read(keys), {"before"})
        await self.assertFailure(store.write(put, "more", 10), NoSpace)
        self.use_up(0)
        await store.write(put, "more", 10)
        await store.close()

    async def test_broken_disk(self) -> None:
        """Where there is room after all, a commit that could not be written is uncertain."""
        self.is_full = False
        self.tap.number = errno.EIO
        self.tap.lasting = False
        self.use_up(1)
        await self.assertFailure(self.store.write(put, "lost", 9000), Uncertain)
        self.use_up(0)
        await self.store.write(put, "after", 9000)
        self.assertLessEqual({"before", "after"}, await self.store.read(keys))

    async def test_log_left(self) -> None:
        """A log that cannot be emptied for want of room stays, and the start is none the worse."""
        held = connections.connect_writer(self.path)
        held.execute("BEGIN")
        held.execute("SELECT COUNT(*) FROM versions").fetchone()
        await self.store.write(put, "logged", 9000)
        self.use_up(0)
        self.tap.wanted = lambda call: call.kind == "write"
        self.use_up(1)
        held.execute("COMMIT")
        connections.prepare_database(self.path).close()
        held.close()
        self.use_up(0)
        try:
            await self.store.write(put, "after", 10)
        except StoreError as error:
            raise AssertionError("writes go on") from error
        self.assertEqual(await self.store.read(keys), {"before", "logged", "after"})
