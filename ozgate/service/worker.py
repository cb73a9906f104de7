"""A worker: a process that serves S3 from the stores of its parent, and does nothing else.

Its parent (:mod:`ozgate.service.workers`) starts it, tells it what to do and with which sockets, and ends it. It has no life without the parent:
when that is gone, however it went, the worker is gone, too. Signals are the parent's to hear: a terminal, and some service managers, send them to
all processes alike.
"""

from __future__ import annotations

import ctypes
import gc
import os
import signal
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.protocol import Factory
from twisted.internet.task import LoopingCall
from twisted.logger import (
    ILogObserver,
    LogEvent,
    Logger,
    LogLevel,
    eventAsText,
    globalLogBeginner,
)
from twisted.python.failure import Failure
from zope.interface import implementer

from ..admin.pages.health import Health
from ..admin.pages.reload import Outcomes, Reload
from ..admin.pages.servicepages import make_reload
from ..background.certificates import CertificateWatch
from ..config.settings import Settings
from ..content.sharedreaders import WorkersReaders
from ..gateway.gateway import Gateway
from ..gateway.onreload import ReloadingParts
from ..gateway.providers import make_blob_stores, make_foreign, make_provider
from ..gateway.report import report_of
from ..gateway.troubles import ToldTroubles
from ..immutable import frozen
from ..interfaces import IMetadataStore, IWritesForOthers
from ..wire.ledger import ALIVE, Ledger
from ..wire.sharedlimits import SharedLimits
from ..wire.tls import Certificates, TlsFiles
from .clocks import dated
from .composing import (
    Sites,
    Stores,
    drain_sites,
    get_ready,
    make_context,
    make_sites,
    open_logs,
    reason_of,
    settle,
)
from .control import CONTROL, WRITES, Control
from .identity import new_process_id
from .inheriting import Inheriting, inherited
from .listening import serve
from .threads import Threads
from .tlsendpoints import TlsEndpoint

PULSE = 1.0
"""Seconds between two signs of life."""

_PR_SET_PDEATHSIG = 1

_log = Logger()


@frozen
class Beginning:
    """What a worker is told, once it can listen. Before it come descriptors: of the memory of what all workers have under way, of the data folder's lock,
    which it holds as long as it lives, and of the sockets that listen.

    :ivar settings: its own: see :func:`~ozgate.service.workers.share_of`.
    :ivar row: which of the workers it is, from 0.
    :ivar described: what S3 is served on, and ``websites`` what websites are: as the parent listens; the sockets come in that order.
    :ivar secured: the files of those that are of TLS.
    :ivar process: the id of the parent, under which others know of what it reads.
    """

    settings: Settings
    row: int
    workers: int
    described: tuple[str, ...]
    websites: tuple[str, ...]
    secured: Mapping[str, TlsFiles]
    process: str


class Worker:
    """What is in the process.

    :ivar control: hears the parent.
    """

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._dated = dated(reactor)
        self._closing = AsyncExitStack()
        self._reloads = ReloadingParts()
        self._reload: Reload | None = None
        self._late: Settings | None = None
        self._health: Health | None = None
        self._gateway: Gateway | None = None
        self._stopping = False
        self._sockets: list[int] = []
        self._lock = -1
        self.control = Control(self._heard, lambda: os._exit(1))

    def _heard(
        self, kind: str, value: Any, answer: Callable[[Any], None] | None
    ) -> None:
        if kind == "begin":
            begun = Deferred.fromCoroutine(self._begin(value))
            begun.addCallbacks(lambda _: self.control.tell("ready"), self._give_up)
        elif kind == "stop":
            Deferred.fromCoroutine(self._stop()).addErrback(self._give_up)
        elif kind == "reload" and answer is not None:
            answer(self._take_up(value))
        elif kind == "report" and answer is not None:
            answer(self._gateway and report_of(self._gateway))

    def _orphaned(self) -> None:
        """The parent is gone, or knows nothing of this process any more: nobody may believe what it would say."""
        if not self._stopping:
            os._exit(1)

    def _give_up(self, failure: Failure) -> None:
        self.control.tell("failed", reason_of(failure, _log))

    async def _begin(self, beginning: Beginning) -> None:
        """Open the stores, then listen."""
        opened, settings = self._closing, beginning.settings
        settle()
        threads = Threads(self._reactor, settings.threads)
        opened.callback(threads.stop)
        stores = await self._open_stores(settings, threads)
        memory, self._lock, *self._sockets = self.control.descriptors
        ledger = Ledger(memory, beginning.workers, beginning.row)
        os.close(memory)
        readers = WorkersReaders(ledger, beginning.process)
        context = await make_context(
            self._reactor,
            self._dated,
            settings,
            stores,
            threads,
            new_process_id(),
            readers,
            ledger,
            ToldTroubles(self._dated, self._tell_trouble),
        )
        self._show_life(ledger, readers)
        logs = open_logs(self._reactor, settings, opened, self._reloads)
        self._gateway = gateway = context.gateway
        self._health = health = Health(gateway)
        limits = SharedLimits(ledger, gateway.tally.refuse)
        made = self._reactor, self._dated, context, logs, health, limits
        sites = make_sites(*made)
        self._reload = make_reload(
            context, sites, settings, lambda: settings, self._reloads
        )
        if self._late is not None:
            self._reload.take_up(self._late)
        opened.push_async_callback(drain_sites, self._reactor, gateway, sites)
        await self._listen(beginning, sites, ledger)
        health.stage = "serving"
        gc.freeze()

    async def _open_stores(self, settings: Settings, threads: Threads) -> Stores:
        opened = self._closing
        made_of = self._dated, settings, threads.run
        metadata: IMetadataStore = make_provider(
            IMetadataStore, "ozgate.metadata", *made_of
        )
        if IWritesForOthers.providedBy(metadata):
            end = socket.socket(fileno=WRITES)
            metadata, lost = IWritesForOthers(metadata).sending(end)
            lost.addCallback(lambda _: self._orphaned())
        blobs = make_blob_stores(*made_of)
        await metadata.open()
        opened.push_async_callback(metadata.close)
        await blobs.open()
        opened.push_async_callback(blobs.close)
        foreign = make_foreign(*made_of)
        if foreign is not None:
            opened.push_async_callback(foreign.system.stop)
        get_ready(foreign)
        return metadata, blobs, foreign

    def _tell_trouble(self, *said: object) -> None:
        self.control.tell("trouble", said)

    async def _listen(self, beginning: Beginning, sites: Sites, ledger: Ledger) -> None:
        settings, opened = beginning.settings, self._closing
        secured = {
            each: TlsEndpoint(0, "", 0, Certificates(files, self._reactor))
            for each, files in beginning.secured.items()
        }
        certificates = [each.certificates for each in secured.values()]
        for each in certificates:
            self._reloads.register("certificates", each.reload)
        watch = CertificateWatch(
            certificates, self._reactor, settings.tls_check_interval
        )
        watch.startService()
        opened.callback(watch.stopService)
        reactor: Any = Inheriting(
            self._reactor,
            self._sockets,
            lambda: ledger.is_ahead(int(time.monotonic())),
        )
        every = beginning.described, beginning.websites
        for described, site in zip(every, sites, strict=True):
            renamed = [inherited(each) for each in described]
            await serve(reactor, renamed, site, settings, secured, opened)

    def _show_life(self, ledger: Ledger, readers: WorkersReaders) -> None:
        def show() -> None:
            ledger.put(ALIVE, int(time.monotonic()))
            readers.tell()

        pulse = LoopingCall(show)
        pulse.clock = self._reactor
        pulse.start(PULSE)
        self._closing.callback(pulse.stop)

    def _take_up(self, settings: Settings) -> Outcomes:
        if self._reload is None:
            # It begins: they are taken up before it listens.
            self._late = settings
            return []
        return self._reload.take_up(settings)

    async def _stop(self) -> None:
        self._stopping = True
        if self._health is not None:
            self._health.stage = "stopping"
        await self._closing.aclose()
        self._reactor.stop()


@implementer(ILogObserver)
class _ToParent:
    """Has what is logged here logged by the parent, whose log is the service's."""

    def __init__(self, control: Control) -> None:
        self._control = control

    def __call__(self, event: LogEvent) -> None:
        text = eventAsText(event, includeTimestamp=False, includeSystem=False)
        level = event.get("log_level") or LogLevel.info
        name = event.get("log_namespace") or "twisted"
        self._control.tell("log", (str(name), level.name, text))


def _die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when its parent ends, if it can do that."""
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is not None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def main(parent: int) -> None:
    """Be a worker; the reactor is installed.

    :param parent: the number of the parent's process.
    """
    _die_with_parent(parent)
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    from twisted.internet import reactor

    running: Any = reactor
    worker = Worker(running)
    globalLogBeginner.beginLoggingTo([_ToParent(worker.control)], discardBuffer=True)
    factory = Factory.forProtocol(lambda: worker.control)
    running.adoptStreamConnection(CONTROL, socket.AF_UNIX, factory)
    os.close(CONTROL)
    running.run(installSignalHandlers=False)
