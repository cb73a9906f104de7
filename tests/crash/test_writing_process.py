"""One process writes for others: kill -9 of it, or of a worker, at any moment, and what is left."""

from __future__ import annotations

import contextlib
import os
import random
import socket
import sys
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.error import ProcessExitedAlready
from twisted.internet.interfaces import IReactorProcess
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase

from ozgate.errors import Unavailable, Uncertain
from ozgate.metadata.sqlite.store import SQLiteMetadataStore
from ozgate.testing.metadata_base import add_bucket, add_volume, ask, put
from tests.crash.writing_process import BODY, content_of
from tests.running import ROOT
from tests.started import started


class Other(ProcessProtocol):
    """The other process, while it lives.

    :ivar printed: what it has printed, line by line.
    :ivar ended: fires when it is gone.
    """

    def __init__(self) -> None:
        self.printed: list[int] = []
        self.ended: Deferred[None] = Deferred()
        self._rest = b""
        self._waiting: tuple[int, Deferred[None]] | None = None

    def outReceived(self, data: bytes) -> None:
        """Take numbers."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        self.printed += map(int, lines)
        if self._waiting is not None and len(self.printed) >= self._waiting[0]:
            waiting, self._waiting = self._waiting[1], None
            waiting.callback(None)

    def has_printed(self, count: int) -> Deferred[None]:
        """Fires when it has printed so many."""
        self._waiting = count, Deferred()
        return self._waiting[1]

    def processEnded(self, reason: Failure) -> None:
        """It is gone."""
        self.ended.callback(None)


class KillTests(TestCase):
    """A database with a bucket, and two processes: this one, and one that is killed."""

    def setUp(self) -> None:
        """Name the database."""
        self.path = os.path.abspath(self.mktemp())
        self.store = SQLiteMetadataStore(self.path, reactor)  # type: ignore[arg-type]

    async def begin(self) -> None:
        """Open it here, with a bucket."""
        await started(self.store)
        self.addCleanup(self.store.close)
        await self.store.write(add_volume, "s3v")
        self.bucket = await self.store.write(add_bucket, "bucket")

    def start(self, doing: str) -> tuple[Other, socket.socket]:
        """Start the other process; gives this one's end of the connection."""
        ours, theirs = socket.socketpair()
        other = Other()
        arguments = [sys.executable, "-m", "tests.crash.writing_process", doing]
        arguments += [self.path, str(theirs.fileno())]
        descriptors = {0: 0, 1: "r", 2: 2, theirs.fileno(): theirs.fileno()}
        self.process = IReactorProcess(reactor).spawnProcess(
            other, sys.executable, arguments, None, str(ROOT), childFDs=descriptors
        )
        theirs.close()
        self.addCleanup(self.kill)
        return other, ours

    def kill(self) -> None:
        """Kill it, without a word, unless it is gone."""
        with contextlib.suppress(ProcessExitedAlready):
            self.process.signalProcess("KILL")

    async def check(self, store: Any, known: dict[int, bool | None]) -> None:
        """See that what was written is there, what was not is not, and all that is there is whole, and counted.

        :param known: whether each number was written; ``None`` for what nobody knows.
        """
        found = 0
        for number, expected in known.items():
            version = await store.read(ask, "latest", (self.bucket, f"k{number}"))
            if expected is not None:
                self.assertEqual(version is not None, expected, number)
            if version is not None:
                found += 1
                content = await store.read(ask, "content", (self.bucket, version))
                self.assertEqual(content, content_of(number))
        bucket = await store.read(ask, "bucket", ("s3v", "bucket"))
        counted = bucket.used_bytes, bucket.used_names
        self.assertEqual(counted, (found * BODY, found))
        self.assertEqual(await store.read(ask, "recount", (bucket,)), counted)
        self.assertEqual(await store.examine(), [])

    async def test_worker(self) -> None:
        """A worker is killed: what it was told is written stays, nothing is half written, and another takes its place."""
        await self.begin()
        for least in random.Random(1).sample(range(1, 300), 3):
            worker, end = self.start("work")
            served = self.store.serve(end)
            await worker.has_printed(least)
            self.kill()
            await worker.ended
            await served
            # Behind all that it has sent.
            await self.store.write(ask, "now")
            known: dict[int, bool | None] = dict.fromkeys(range(2000))
            known |= dict.fromkeys(worker.printed, True)
            await self.check(self.store, known)

    async def test_process_that_writes(self) -> None:
        """The process that writes is killed: what it has acknowledged is there after the next start, what was not sent is not, and the rest is whole or not there."""
        await self.begin()
        await self.store.close()
        outcomes: dict[int, bool | None] = {}
        number = 0
        for least in random.Random(2).sample(range(1, 300), 3):
            writing, end = self.start("serve")
            worker, lost = self.store.sending(end)
            await worker.open()
            first = worker.write(ask, "now")
            await first
            acknowledged = 0
            while acknowledged < least:
                batch = range(number, number + 8)
                number += 8
                writes = self.write(worker, outcomes, batch)
                acknowledged += 8
                if acknowledged >= least:
                    self.kill()
                await writes
            await lost
            await writing.ended
            late = worker.write(ask, "now")
            await self.assertFailure(late, Unavailable)
            await worker.close()
            store = SQLiteMetadataStore(self.path, reactor)  # type: ignore[arg-type]
            await started(store)
            await self.check(store, outcomes)
            await store.close()
        self.assertIn(True, outcomes.values())

    def write(
        self, worker: Any, outcomes: dict[int, bool | None], numbers: range
    ) -> Deferred[Any]:
        """Write objects at once, and keep what is known of each."""

        def keep(result: object, number: int) -> None:
            if isinstance(result, Failure):
                kind = result.trap(Uncertain, Unavailable)
                outcomes[number] = None if kind is Uncertain else False
            else:
                outcomes[number] = True

        return DeferredList(
            [
                worker.write(put, self.bucket, f"k{n}", content_of(n)).addBoth(keep, n)
                for n in numbers
            ]
        )
