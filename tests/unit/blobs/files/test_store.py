"""The file blob store, in what the contract cannot ask of every provider: its ids, and what happens while a thread is at work."""

from __future__ import annotations

import errno
import threading

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from ozgate.blobs.files import syscalls
from ozgate.blobs.files.store import FileBlobStore
from ozgate.errors import NoSpace, Unavailable
from ozgate.testing.blob_contract import Feeder
from tests.started import started
from tests.unit.blobs.files.support import MIB, FilesCase


class IdTests(FilesCase):
    """Ids and where they lead."""

    def test_clock_goes_back(self) -> None:
        """Ids go on rising when the clock goes back."""
        made = [self.put(b"x").id]
        self.clock.rightNow -= 3600
        made += [self.put(b"x").id for _ in range(3)]
        self.clock.rightNow += 7200
        made.append(self.put(b"x").id)
        self.assertEqual(made, sorted(made))

    def test_many_in_a_moment(self) -> None:
        """More ids in one millisecond than the counter holds still rise."""
        ids = [self.store.next_id("00000000") for _ in range(70_000)]
        self.assertEqual(len(set(ids)), 70_000)
        self.assertEqual(ids, sorted(ids))

    def test_time_of_commit(self) -> None:
        """A blob counts as made when it is committed, however long it was written."""
        sink = self.store.create(None)
        sink.write(b"x" * MIB)
        self.clock.advance(7200)
        now = int(self.clock.seconds() * 1000)
        blob = self.successResultOf(sink.commit())
        self.assertEqual(self.successResultOf(self.store.list(now)), [])
        self.assertEqual(self.successResultOf(self.store.list(now + 1)), [blob.id])

    def test_strangers_are_not_listed(self) -> None:
        """Files that are no blobs are not listed, and so never swept."""
        with open(f"{self.path}/data/ab/lost+found", "w"):
            pass
        self.assertEqual(self.successResultOf(self.store.list(1 << 47)), [])


class ThreadTests(TestCase):
    """What happens while a thread is at work."""

    async def setUp(self) -> None:
        self.path = self.mktemp()
        self.store = FileBlobStore(self.path, "files", reactor, deferToThread, 10)
        await started(self.store)
        self.addCleanup(self.store.close_store)
        self.gate = threading.Event()
        self.entered: Deferred[None] = Deferred()
        self.active = 0
        self.most = 0
        real = syscalls.writev

        def held(fd, chunks):
            self.active += 1
            self.most = max(self.most, self.active)
            if not self.gate.is_set():
                reactor.callFromThread(self._note)
            self.gate.wait(60)
            try:
                return real(fd, chunks)
            finally:
                self.active -= 1

        self.patch(syscalls, "writev", held)
        self.addCleanup(self.gate.set)

    def _note(self) -> None:
        if not self.entered.called:
            self.entered.callback(None)

    async def test_abort_during_a_write(self) -> None:
        """An abort while a thread writes waits for the thread, then leaves nothing."""
        sink = self.store.create(None)
        sink.write(b"x" * MIB)
        await self.entered
        aborting = sink.abort()
        await deferLater(reactor, 0)
        self.assertFalse(aborting.called)
        self.gate.set()
        await aborting
        self.assertEqual(list(await self.store.list(1 << 47)), [])

    async def test_abort_during_commit(self) -> None:
        """An abort while the commit is in a thread takes the blob back, and the commit fails."""
        sink = self.store.create(None)
        sink.write(b"abc")
        committing = sink.commit()
        await self.entered
        aborting = sink.abort()
        self.gate.set()
        await self.assertFailure(committing, Unavailable)
        await aborting
        self.assertEqual(list(await self.store.list(1 << 47)), [])

    async def test_close_during_a_write(self) -> None:
        """Closing the store waits for the threads."""
        self.store.create(None).write(b"x" * MIB)
        await self.entered
        closing = self.store.close_store()
        await deferLater(reactor, 0)
        self.assertFalse(closing.called)
        self.gate.set()
        await closing

    async def test_bounded(self) -> None:
        """A slow disk holds the producer up: no more than 1.25 MiB are taken, and one write is under way."""
        sink = self.store.create(None)
        feeder = Feeder(sink, iter([b"x" * 65536 for _ in range(80)]))
        feeder.resumeProducing()
        await self.entered
        await deferLater(reactor, 0)
        self.assertEqual(feeder.pauses, 1)
        self.assertLessEqual(feeder.written, 1_250_000)
        self.gate.set()
        await feeder.done
        blob = await sink.commit()
        self.assertEqual(blob.length, 80 * 65536)
        self.assertEqual(self.most, 1)

    async def test_failure_resumes(self) -> None:
        """A producer that is paused when the disk fails is resumed, so that it hears of it."""

        def full(fd, chunks):
            self.gate.wait(60)
            raise OSError(errno.ENOSPC, "full")

        self.patch(syscalls, "writev", full)
        sink = self.store.create(None)
        feeder = Feeder(sink, iter([b"x" * 65536 for _ in range(80)]))
        feeder.resumeProducing()
        self.assertEqual(feeder.pauses, 1)
        self.gate.set()
        await self.assertFailure(feeder.done, NoSpace)
        await self.assertFailure(sink.commit(), NoSpace)

    async def test_given_up(self) -> None:
        """A sink whose commit nobody awaits any more still ends well."""
        sink = self.store.create(None)
        sink.write(b"abc")
        committing = sink.commit()
        committing.cancel()
        self.gate.set()
        blob = await committing
        self.assertEqual(blob.length, 3)
