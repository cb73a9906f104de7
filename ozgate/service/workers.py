"""The workers of a service: started, looked after and ended by their parent.

The parent has the data folder, the sockets and all that is done once for a service; workers (:mod:`ozgate.service.worker`) take clients from
the sockets, all from the same, and serve them. A worker that dies is started again, and costs nobody but its own clients anything.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from attrs import evolve
from twisted.internet.defer import (
    Deferred,
    DeferredList,
    FirstError,
    gatherResults,
    succeed,
)
from twisted.internet.error import ConnectionDone
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from ..admin.pages.reload import Outcomes
from ..config.settings import Settings
from ..config.sitefile import ConfigurationError
from ..gateway.report import Report, Reports
from ..gateway.tally import Tally
from ..gateway.troubles import Troubles
from ..interfaces import IMetadataStore, IWritesForOthers
from ..wire import ledger
from ..wire.ledger import ALIVE, CONNECTIONS, Ledger
from ..wire.tls import TlsFiles
from .worker import Beginning
from .workerprocess import WorkerProcess, how_many_first

_log = Logger()

LIVED = 10.0
"""Seconds after which a worker has lived: what it dies of then is no fault of its start."""

DELAYS = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds until a worker is started again that died before it had lived, by how often in a row; after one more the service ends, unless others serve."""

FAREWELL = 5.0
"""Seconds beyond the grace of running requests that workers have to end."""

PATIENCE = 2.0
"""Seconds that a worker has to tell what it counted."""

LOOK = 10.0
"""Seconds between two looks whether workers live."""

HUNG = 6
"""Looks after which a worker that shows no life is killed."""


def share_of(settings: Settings, workers: int) -> Settings:
    """The settings of one of so many workers: of the turns at hashing each has its share, and at least one.

    All else is counted together, see :mod:`ozgate.wire.ledger`: clients and what they do are not spread that evenly.
    """

    def share(limit: int) -> int:
        return max(limit // workers, min(limit, 1))

    few = min(len(os.sched_getaffinity(0)), max(settings.threads // 2, 1))
    return evolve(
        settings,
        limit_hashing=share(settings.limit_hashing or few),
        limit_hashing_user=share(settings.limit_hashing_user),
        limit_hashing_waiting=share(settings.limit_hashing_waiting),
    )


class Workers:
    """All workers of a service, to be started in the process that stays.

    :param count: how many there are.
    :param metadata: open when they begin; writes for them, where it does so for others.
    :param spare: processes that run already.
    :param given_up: called with a line for people when workers die as soon as they begin, again and again.
    :ivar ledger: what they have under way.
    :ivar process: the id of the parent, under which others know of what they read.
    :ivar troubles: says what they meet.
    :ivar gone: what those have counted that are no more.
    """

    def __init__(
        self,
        reactor: Any,
        count: int,
        metadata: IMetadataStore,
        given_up: Callable[[str], None],
        spare: Iterable[WorkerProcess] = (),
    ) -> None:
        self._reactor = reactor
        self._metadata = metadata
        self._given_up = given_up
        self._memory = ledger.make(count)
        self._lock = -1
        self._spare = list(spare)
        self.ledger = Ledger(self._memory, count)
        self._all = [_Worker(self, row) for row in range(count)]
        first = how_many_first(count)
        self._first, self._others = self._all[:first], self._all[first:]
        self._look = LoopingCall(self._look_after)
        self._look.clock = reactor
        self.settings: Settings | None = None
        self.process = ""
        self.sockets: Sequence[int] = ()
        self.described: tuple[tuple[str, ...], tuple[str, ...]] = (), ()
        self.secured: Mapping[str, TlsFiles] = {}
        self.troubles = Troubles(reactor)
        self.gone = Tally()
        self.stopping = False

    def __len__(self) -> int:
        return len(self._all)

    def start(self, lock: int) -> None:
        """Start the processes of those that begin with the service, which get ready.

        :param lock: the descriptor of the data folder's lock, which they hold as long as they live.
        """
        self._lock = lock
        for each in self._first:
            each.start()

    async def begin(
        self,
        settings: Settings,
        described: tuple[tuple[str, ...], tuple[str, ...]],
        secured: Mapping[str, TlsFiles],
        sockets: Sequence[int],
    ) -> None:
        """Have them serve, and all that come after them.

        It is over when those serve that begin with the service; the others are started then.

        :param described: what S3 and what websites are served on.
        :param secured: the files of what is of TLS there.
        :param sockets: descriptors of the listening sockets, in that order. They stay the caller's.
        :raises ConfigurationError: one cannot.
        """
        self.settings = share_of(settings, len(self._all))
        self.described, self.secured, self.sockets = described, secured, sockets
        every = [each.begin() for each in self._first]
        try:
            await gatherResults(every, consumeErrors=True)
        except FirstError as error:
            error.subFailure.raiseException()
        self._look.start(LOOK, now=False)
        # A stop may have come while the first began.
        for each in () if self.stopping else self._others:
            each.start()

    async def reload(self, settings: Settings) -> Outcomes:
        """Have them reload, one after the other.

        :param settings: those that are in force from now on, also for workers that begin later.
        :return: what came of it, for each part of each of them.
        """
        self.settings = share = share_of(settings, len(self._all))
        outcomes: Outcomes = []
        for each in self._all:
            outcomes += await each.reload(share)
        return outcomes

    async def reports(self) -> Reports:
        """What they have to tell. One that does not answer has told it before."""
        await DeferredList([each.report() for each in self._all])
        numbered = list(enumerate(self._all, 1))
        return Reports(
            {number: each.told for number, each in numbered if each.told},
            self.gone,
            {number: self.ledger.of(number - 1, CONNECTIONS) for number, _ in numbered},
            sum(each.starts for each in self._all),
        )

    def trouble(self) -> str:
        """What is wrong with them, in a few words, where nobody is served; else ``""``."""
        return "" if any(each.serves for each in self._all) else "no worker serves"

    async def stop(self) -> None:
        """Have them finish the requests under way, and end. Idempotent."""
        self.stopping = True
        if self._look.running:
            self._look.stop()
        grace = 0.0 if self.settings is None else self.settings.stop_grace
        await DeferredList([each.stop(grace + FAREWELL) for each in self._all])

    def make_process(self) -> WorkerProcess:
        """A process for a worker, which runs."""
        return self._spare.pop() if self._spare else WorkerProcess(self._reactor)

    def call_later(self, seconds: float, function: Callable[[], None]) -> Any:
        """See ``IReactorTime``."""
        return self._reactor.callLater(seconds, function)

    def descriptors(self) -> Sequence[int]:
        """What a worker is given, see :class:`~ozgate.service.worker.Beginning`."""
        return self._memory, self._lock, *self.sockets

    def write(self, end: socket.socket) -> None:
        """Run what a worker asks to write, where it does not write by itself."""
        if IWritesForOthers.providedBy(self._metadata):
            IWritesForOthers(self._metadata).serve(end)
        else:
            end.close()

    def time_out(self, deferred: Deferred[Any], seconds: float) -> None:
        """Wait so long for it and no longer."""
        deferred.addTimeout(seconds, self._reactor)

    def seconds(self) -> float:
        """What the time is, for durations."""
        return float(self._reactor.seconds())

    def give_up(self, line: str) -> None:
        """A worker cannot be kept alive."""
        if not self.stopping:
            self.stopping = True
            self._given_up(line)

    def _look_after(self) -> None:
        for each in self._all:
            each.look()


class _Worker:
    """One worker, whichever process it is by now."""

    def __init__(self, workers: Workers, row: int) -> None:
        self._workers = workers
        self._row = row
        self._process: WorkerProcess | None = None
        self._started = 0.0
        self._failures = 0
        self._again: Any = None
        self._begun: Deferred[None] | None = None
        self._ended: Deferred[None] | None = None
        self._seen, self._looks = 0, 0
        self.starts = 0
        self.serves = False
        self.told: Report | None = None

    def start(self) -> None:
        """Start a process; it begins at once where others have begun."""
        self._again = None
        self.starts += 1
        self._started = self._workers.seconds()
        try:
            self._process = self._workers.make_process()
        except OSError as error:
            self._died(f"before it began: {error}")
            return
        self._process.become(self._row + 1, self._heard, self._died)
        if self._workers.settings is not None and self._process is not None:
            self._begin()

    def begin(self) -> Deferred[None]:
        """Have it serve.

        :return: fires when it does; fails with ``ConfigurationError`` when it cannot.
        """
        self._begun = Deferred()
        begun = self._begun
        if self._process is not None:
            self._begin()
        return begun

    def _begin(self) -> None:
        workers, settings = self._workers, self._workers.settings
        assert self._process is not None and settings is not None
        beginning = Beginning(
            settings,
            self._row,
            len(workers),
            *workers.described,
            workers.secured,
            workers.process,
        )
        self._process.begin(beginning, workers.descriptors(), workers.write)

    async def reload(self, settings: Settings) -> Outcomes:
        """See :meth:`Workers.reload`."""
        if self._process is None:
            return []
        try:
            outcomes: Outcomes = await self._process.control.ask("reload", settings)
        except ConnectionDone:
            # The next process begins with the new ones.
            return []
        return outcomes

    def report(self) -> Deferred[None]:
        """Have it tell what it has to, within :data:`PATIENCE`; fires when that is over."""
        if self._process is None:
            return succeed(None)
        asked: Deferred[Any] = self._process.control.ask("report")
        self._workers.time_out(asked, PATIENCE)
        return asked.addCallbacks(self._tell, lambda _: None)

    def _tell(self, report: Report | None) -> None:
        self.told = report

    def stop(self, seconds: float) -> Deferred[None]:
        """Have it end, within that time."""
        if self._again is not None:
            self._again.cancel()
            self._again = None
        ended: Deferred[None] = Deferred()
        if self._process is None:
            ended.callback(None)
            return ended
        self._ended, process = ended, self._process
        process.control.tell("stop")
        late = self._workers.call_later(seconds, process.kill)
        return ended.addBoth(lambda _: late.active() and late.cancel())

    def look(self) -> None:
        """See whether it shows life, once it serves; kill it where it has not for long."""
        alive = self._workers.ledger.of(self._row, ALIVE)
        hangs = self.serves and alive == self._seen
        self._looks = self._looks + 1 if hangs else 0
        self._seen = alive
        if self._looks >= HUNG and self._process is not None:
            _log.error("worker {number} hangs: it is killed", number=self._row + 1)
            self._process.kill()

    def _heard(self, kind: str, value: Any) -> None:
        if kind == "ready":
            self.serves = True
            _log.info(
                "worker {number} serves, as process {pid}",
                number=self._row + 1,
                pid=self._process and self._process.pid,
            )
            self._is_begun(None)
        elif kind == "failed":
            _log.error(
                "worker {number} cannot begin: {line}",
                number=self._row + 1,
                line=value,
            )
            self._is_begun(ConfigurationError(value))
            if self._process is not None:
                self._process.kill()
        elif kind == "trouble":
            change, *what = value
            troubles = self._workers.troubles
            (troubles.met if change == "met" else troubles.over)(*what)

    def _is_begun(self, result: Any) -> None:
        begun, self._begun = self._begun, None
        if begun is not None:
            fire = begun.callback if result is None else begun.errback
            fire(result)

    def _died(self, how: str) -> None:
        self._process, self._looks, self.serves = None, 0, False
        workers, number = self._workers, self._row + 1
        workers.ledger.wipe(self._row)
        told, self.told = self.told, None
        if told is not None:
            told.tally.in_flight = 0
            workers.gone.include(told.tally)
        ended, self._ended = self._ended, None
        if ended is not None:
            ended.callback(None)
            return
        if workers.stopping:
            return
        line = f"worker {number} ended {how}"
        if self._begun is not None:
            self._is_begun(ConfigurationError(f"{line} before it served"))
            return
        has_lived = workers.seconds() - self._started >= LIVED
        self._failures = 1 if has_lived else self._failures + 1
        if self._failures > len(DELAYS) and workers.trouble():
            workers.give_up(
                f"{line}, as it did {self._failures - 1} times before in a row, each time soon after its start, and no other worker serves"
            )
            return
        delay = DELAYS[min(self._failures, len(DELAYS)) - 1]
        _log.error("{line}; it is started again", line=line)
        self._again = workers.call_later(delay, self.start)
