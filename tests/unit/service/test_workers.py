"""How a parent looks after its workers, with processes that are none."""

from __future__ import annotations

import os
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from ozgate.config.settings import Settings
from ozgate.config.sitefile import ConfigurationError
from ozgate.gateway.report import Report
from ozgate.gateway.tally import Tally
from ozgate.service import workers as module
from ozgate.service.workerprocess import how_many, how_many_first
from ozgate.service.workers import (
    DELAYS,
    FAREWELL,
    HUNG,
    LIVED,
    LOOK,
    Workers,
    share_of,
)
from ozgate.testing.memory_metadata import MemoryMetadataStore
from ozgate.wire.ledger import ALIVE, CONNECTIONS, Ledger


class Process:
    """What a parent has of a process.

    :ivar told: what it was told.
    :ivar report: what it answers when it is asked.
    """

    pid = 1234

    number: int
    heard: Any
    ended: Any

    def __init__(self) -> None:
        self.told: list[str] = []
        self.killed = False
        self.report: Report | None = None
        self.control = self

    def become(self, number: int, heard: Any, ended: Any) -> None:
        """Be a worker."""
        self.number, self.heard, self.ended = number, heard, ended

    def begin(self, beginning: Any, sockets: Any, write: Any) -> None:
        """Be told to serve."""
        self.told.append("begin")

    def tell(self, kind: str, value: object = None) -> None:
        """Be told something."""
        self.told.append(kind)

    def ask(self, kind: str, value: object = None) -> Deferred[Any]:
        """Be asked something."""
        self.told.append(kind)
        answer: Deferred[Any] = Deferred()
        if self.report is not None:
            answer.callback(self.report)
        return answer

    def kill(self) -> None:
        """Be killed."""
        self.killed = True


class FakeWorkers(Workers):
    """Workers of which no process runs."""

    def make_process(self) -> Any:
        """A process."""
        made = Process()
        self.processes.append(made)
        return made

    processes: list[Process]


class WorkersTests(SynchronousTestCase):
    """Two workers.

    :cvar first: how many of them begin with the service.
    """

    first = 2

    def setUp(self) -> None:
        """They are started, and told to serve."""
        self.patch(module, "how_many_first", lambda workers: self.first)
        self.clock, self.lines = Clock(), list[str]()
        self.workers = FakeWorkers(
            self.clock, 2, MemoryMetadataStore(self.clock), self.lines.append
        )
        self.workers.processes = []
        self.workers.start(0)
        self.begun = Deferred.fromCoroutine(
            self.workers.begin(Settings(), ((), ()), {}, ())
        )

    @property
    def last(self) -> Process:
        """The process that was started last."""
        return self.workers.processes[-1]

    def serve(self) -> None:
        """Have both serve."""
        for each in self.workers.processes:
            each.heard("ready", None)
        self.successResultOf(self.begun)

    def test_begin(self) -> None:
        """The start is over when all of them serve that begin with it, and fails with what one says that cannot, or with how it ended."""
        first, second = self.workers.processes
        first.heard("ready", None)
        self.assertNoResult(self.begun)
        second.heard("failed", "no disk")
        failure = self.failureResultOf(self.begun, ConfigurationError)
        self.assertEqual(failure.getErrorMessage(), "no disk")

    def test_ends_before_it_serves(self) -> None:
        """A process that ends without a word fails the start."""
        self.last.ended("with exit code 3")
        failure = self.failureResultOf(self.begun, ConfigurationError)
        self.assertIn("worker 2 ended with exit code 3", failure.getErrorMessage())

    def test_started_again(self) -> None:
        """One that dies is started again, at once; what it had under way is wiped out, what it counted is kept."""
        self.serve()
        row = Ledger(self.workers._memory, 2, 1)
        row.put(CONNECTIONS, 7)
        tally = Tally()
        tally.failed("NoSuchKey")
        tally.in_flight = 3
        dying = self.last
        dying.report = Report(tally, 0, 0, 1.0, 1)
        self.workers.processes[0].report = Report(Tally(), 0, 0, 1.0, 1)
        self.successResultOf(Deferred.fromCoroutine(self.workers.reports()))
        self.assertEqual(self.workers.trouble(), "")
        self.workers.processes[0].ended("by SIGKILL")
        self.assertEqual(self.workers.trouble(), "")
        dying.ended("by SIGKILL")
        self.assertEqual(self.workers.trouble(), "no worker serves")
        self.assertEqual(self.workers.ledger.total(CONNECTIONS), 0)
        self.assertEqual(self.workers.gone.errors, {"NoSuchKey": 1})
        self.assertEqual(self.workers.gone.in_flight, 0)
        self.clock.advance(0)
        self.assertEqual(len(self.workers.processes), 4)
        self.assertEqual((self.last.number, self.last.told), (2, ["begin"]))

    def test_dies_again_and_again(self) -> None:
        """One that does not live long is started later and later, and at last the service ends, if no other serves; one that lived begins anew."""
        self.serve()
        for delay in DELAYS:
            count = len(self.workers.processes)
            self.last.ended("by SIGSEGV")
            if delay:
                self.clock.advance(delay * 0.9)
                self.assertEqual(len(self.workers.processes), count)
            self.clock.advance(delay)
            self.assertEqual(len(self.workers.processes), count + 1)
        self.assertEqual(self.lines, [])
        self.clock.advance(LIVED)
        self.last.ended("by SIGSEGV")
        self.clock.advance(0)
        for delay in DELAYS[1:]:
            self.last.ended("by SIGSEGV")
            self.clock.advance(delay)
        self.last.ended("by SIGSEGV")
        self.clock.advance(DELAYS[-1])
        self.assertEqual(self.lines, [])
        self.workers._all[0].serves = False
        self.last.ended("by SIGSEGV")
        [line] = self.lines
        self.assertIn("worker 2 ended by SIGSEGV, as it did", line)

    def test_cannot_be_started(self) -> None:
        """Where the system starts no process, that is tried again."""
        self.serve()
        count = len(self.workers.processes)
        make = self.workers.make_process

        def refuse() -> Any:
            self.workers.make_process = make  # type: ignore[method-assign]
            raise BlockingIOError("no more processes")

        self.workers.make_process = refuse  # type: ignore[method-assign]
        self.last.ended("by SIGKILL")
        self.clock.advance(0)
        self.assertEqual(len(self.workers.processes), count)
        self.clock.advance(DELAYS[1])
        self.assertEqual(len(self.workers.processes), count + 1)

    def test_hangs(self) -> None:
        """One that shows no life for long is killed; one that does is not."""
        self.serve()
        rows = [Ledger(self.workers._memory, 2, row) for row in range(2)]
        for number in range(HUNG + 1):
            rows[0].put(ALIVE, number + 1)
            self.clock.advance(LOOK)
        first, second = self.workers.processes
        self.assertEqual((first.killed, second.killed), (False, True))

    def test_stop(self) -> None:
        """A stop waits for all of them, kills who takes too long, and starts nobody."""
        self.serve()
        stopped = Deferred.fromCoroutine(self.workers.stop())
        first, second = self.workers.processes
        self.assertEqual(first.told[-1], "stop")
        first.ended("by itself")
        self.assertNoResult(stopped)
        self.clock.advance(Settings().stop_grace + FAREWELL)
        self.assertTrue(second.killed)
        second.ended("by SIGKILL")
        self.successResultOf(stopped)
        self.clock.advance(60)
        self.assertEqual(len(self.workers.processes), 2)
        self.successResultOf(Deferred.fromCoroutine(self.workers.stop()))

    def test_no_answer(self) -> None:
        """Who does not answer keeps nobody waiting for long."""
        self.serve()
        asked = Deferred.fromCoroutine(self.workers.reports())
        self.clock.advance(60)
        self.assertEqual(self.successResultOf(asked).each, {})

        def gone(kind: str, value: object = None) -> Deferred[Any]:
            answer: Deferred[Any] = Deferred()
            answer.errback(ConnectionDone())
            return answer

        for each in self.workers.processes:
            each.ask = gone  # type: ignore[method-assign]
        reloaded = Deferred.fromCoroutine(self.workers.reload(Settings()))
        self.assertEqual(self.successResultOf(reloaded), [])


class FirstTests(WorkersTests):
    """Two workers, of which one begins with the service."""

    first = 1

    def test_begin(self) -> None:
        """The start is over when the first serves; then the other is started, and told to serve."""
        [first] = self.workers.processes
        self.assertNoResult(self.begun)
        first.heard("ready", None)
        self.successResultOf(self.begun)
        _, second = self.workers.processes
        self.assertEqual(second.told, ["begin"])

    def test_ends_before_it_serves(self) -> None:
        """One that follows and ends before it serves is started again: the service goes on."""
        self.serve()
        self.last.ended("with exit code 3")
        self.clock.advance(0)
        self.assertEqual(len(self.workers.processes), 3)
        self.assertEqual(self.lines, [])

    def test_stopped(self) -> None:
        """Where a stop comes first, none follows."""
        [first] = self.workers.processes
        stopped = Deferred.fromCoroutine(self.workers.stop())
        first.heard("ready", None)
        first.ended("by itself")
        self.successResultOf(stopped)
        self.assertEqual(len(self.workers.processes), 1)


class SharesTests(SynchronousTestCase):
    """What each of several workers may have under way."""

    def test_shares(self) -> None:
        """Of the turns at hashing each has its share, and at least one; 0 stays what it means."""
        settings = Settings(
            limit_hashing=9, limit_hashing_waiting=1, limit_hashing_user=0
        )
        share = share_of(settings, 4)
        self.assertEqual((share.limit_hashing, share.limit_hashing_waiting), (2, 1))
        self.assertEqual(share.limit_hashing_user, 0)
        few = share_of(Settings(limit_hashing=0), 64)
        self.assertEqual(few.limit_hashing, 1)
        self.assertEqual(share.limit_requests, settings.limit_requests)

    def test_how_many(self) -> None:
        """As many as somebody says; else one for each core, and at most eight."""
        self.assertEqual(how_many(Settings(workers=3)), 3)
        cores = len(os.sched_getaffinity(0))
        self.assertEqual(how_many(Settings()), min(cores, 8))

    def test_how_many_first(self) -> None:
        """One for each core but the parent's, and at least one."""
        cores = len(os.sched_getaffinity(0))
        self.assertEqual(how_many_first(1), 1)
        self.assertEqual(how_many_first(cores + 5), max(cores - 1, 1))
