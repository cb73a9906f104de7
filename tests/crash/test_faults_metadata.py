"""Every statement of a write of the metadata fails once, before or after it was done."""

# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import DeferredList, gatherResults

from ozgate.errors import StoreError, Unavailable, Uncertain
from ozgate.interfaces import IMetadataTransaction
from ozgate.metadata.sqlite.store import SQLiteMetadataStore
from ozgate.values import BlobRef, Bucket
from tests.crash.faulty_stores import Disk, keys, name_blob, nothing
from tests.started import started


class Faulty(sqlite3.Connection):
    """The writer's connection, of which a statement fails.

    :cvar at: number of the statement that fails, from 1; 0 for none.
    :cvar how: what happens then.
    """

    at = 0
    count = 0
    how = ""

    def execute(self, sql: str, *args: Any) -> Any:
        """Do a statement, or fail it."""
        return self._pass(super().execute, sql, *args)

    def executemany(self, sql: str, *args: Any) -> Any:
        """Likewise."""
        return self._pass(super().executemany, sql, *args)

    def _pass(self, real: Callable[..., Any], sql: str, *args: Any) -> Any:
        kind = type(self)
        kind.count += 1
        if kind.count != kind.at:
            return real(sql, *args)
        if kind.how == "memory":
            raise MemoryError()
        if kind.how == "done":
            real(sql, *args)
        if kind.how == "lost" and self.in_transaction:
            # What SQLite does by itself after some errors.
            super().execute("ROLLBACK")
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = sqlite3.SQLITE_IOERR
        raise error


class MetadataFaultTests(Disk):
    """Faults of the statements that metadata make."""

    async def setUp(self) -> None:  # type: ignore[override]
        """Have the writer use a connection that can fail."""
        real = sqlite3.connect

        def connect(*args: Any, **keywords: Any) -> sqlite3.Connection:
            return real(*args, factory=Faulty, **keywords)

        self.patch(sqlite3, "connect", connect)
        self.arm(0)
        await super().setUp()

    async def tearDown(self) -> None:  # type: ignore[override]
        """Fail no more."""
        self.arm(0)
        await super().tearDown()

    def arm(self, at: int, how: str = "") -> None:
        """Count from here; fail the statement of that number."""
        Faulty.at, Faulty.count, Faulty.how = at, 0, how

    async def pair(self, number: int) -> set[str]:
        """Two rows at once, in one commit, one of them beside a refused write; the keys acknowledged."""
        blob = BlobRef("other", f"{number:024x}", 5, 0)
        writes = [
            self.metadata.write(name_blob, self.bucket, f"{number}-{n}", blob)
            for n in range(2)
        ]
        refused = self.metadata.write(refuse, self.bucket, f"{number}-refused", blob)
        outcomes = await DeferredList([*writes, refused], consumeErrors=True)
        for succeeded, value in outcomes:
            if not succeeded:
                value.trap(StoreError, MemoryError, ZeroDivisionError)
                self.uncertain = self.uncertain or bool(value.check(Uncertain))
        return {f"{number}-{n}" for n, outcome in enumerate(outcomes[:2]) if outcome[0]}

    async def test_each_statement(self) -> None:
        """Whichever statement fails: all that was acknowledged is there, nothing else, and the thread lives on."""
        self.uncertain = False
        acknowledged = await self.pair(0)
        self.assertEqual(len(acknowledged), 2)
        self.arm(0)
        acknowledged |= await self.pair(1)
        count = Faulty.count
        self.assertGreater(count, 10)
        number = 2
        for how in ("", "done", "lost", "memory"):
            for at in range(1, count + 1):
                self.arm(at, how)
                self.uncertain = False
                acknowledged |= await self.pair(number)
                self.arm(0)
                found = set(await self.metadata.read(keys, self.bucket))
                self.assertLessEqual(acknowledged, found, (how, at))
                if not self.uncertain:
                    self.assertEqual(acknowledged, found, (how, at))
                acknowledged = found
                await self.metadata.write(nothing)
                number += 1

    async def test_put_in_doubt(self) -> None:
        """A PUT whose commit failed after it was done keeps its bytes, although they were doomed."""
        data = os.urandom(700_000)
        await self.store("before", data)
        self.arm(0)
        await self.store("a", data)
        for at in range(1, Faulty.count + 1):
            self.arm(at, "done")
            try:
                await self.store("a", data)
            except StoreError:
                self.arm(0)
            self.arm(0)
            self.assertTrue(await self.fetch("a") == data)
            await self.check_files()
            self.assertTrue(await self.fetch("a") == data)

    async def test_close_with_writes_waiting(self) -> None:
        """Writes asked for before the store closes are done and told of; those after are refused."""
        blob = BlobRef("other", "00", 5, 0)
        writes = [
            self.metadata.write(name_blob, self.bucket, f"{n:04}", blob)
            for n in range(700)
        ]
        closing = self.metadata.close()
        late = self.metadata.write(name_blob, self.bucket, "late", blob)
        await self.assertFailure(late, Unavailable)
        await gatherResults(writes)
        await closing
        self.metadata = SQLiteMetadataStore(f"{self.path}/metadata.db", reactor)
        await started(self.metadata)
        self.assertEqual(len(await self.metadata.read(keys, self.bucket)), 700)

    async def test_cancelled(self) -> None:
        """A write cancelled before it was begun is done all the same."""
        blob = BlobRef("other", "00", 5, 0)
        write = self.metadata.write(name_blob, self.bucket, "a", blob)
        write.addErrback(lambda _: None)
        write.cancel()
        await self.metadata.write(nothing)
        self.assertEqual(await self.metadata.read(keys, self.bucket), ["a"])


def refuse(tx: IMetadataTransaction, bucket: Bucket, key: str, blob: BlobRef) -> None:
    """Do a part of a write, then find that it must not be."""
    name_blob(tx, bucket, key, blob)
    raise ZeroDivisionError()
