"""The service while it runs: how everything is put together, in order, and taken apart again.

The start is a coroutine that pushes, for each thing it opens, what closes it; stopping runs those in the
opposite order.
"""

from __future__ import annotations

import atexit
import gc
import os
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from typing import Any

from attrs import evolve
from twisted.application.service import Service
from twisted.internet.defer import (
    CancelledError,
    Deferred,
    maybeDeferred,
)
from twisted.logger import Logger
from twisted.python.failure import Failure

from ..admin.context import AdminContext
from ..admin.pages.health import Health
from ..admin.pages.servicepages import Operations, make_operations, make_reload
from ..admin.upkeep.datafolder import DataFolder
from ..admin.upkeep.drain import DrainWatch, resume_drain
from ..background.certificates import CertificateWatch
from ..background.longreads import LongReads
from ..background.reaper import Reaper, Sweeper
from ..background.rounds import Rounds
from ..background.scrub import ScrubSchedule
from ..background.uploads import UploadExpiry
from ..config.settings import Settings
from ..config.sitefile import ConfigurationError
from ..content.readers import Readers
from ..content.sharedreaders import ParentsReaders
from ..errors import Damaged
from ..gateway.onreload import ReloadingParts
from ..gateway.providers import make_blob_stores, make_foreign, make_provider
from ..interfaces import IMetadataStore, IShared
from ..s3.newbuckets import usual
from ..wire.target import valid_bucket_name
from .adminlistener import ADDRESS, serve_admin, user_with_key
from .belonging import check_belonging
from .clocks import dated
from .clockskew import ClockWatch, check_clock
from .composing import get_ready, make_context, open_logs, reason_of, settle
from .endpoints import check_endpoints
from .furnishing import lacks_something, make_missing
from .identity import announce, new_process_id, take_leave
from .launch import Terminal
from .listening import (
    WEBSITES,
    admin_description,
    descriptions,
    is_private,
    try_ports,
    website_descriptions,
)
from .serving import ByWorkers, Here, Places, Serving
from .supervision import Supervision
from .threads import Threads
from .tlsendpoints import tls_endpoints
from .welcome import welcome
from .workerprocess import WorkerProcess, how_many
from .workers import Workers

_log = Logger()

OWNER = "ozgate"
"""Who owns what the service makes by itself while there is no key pair."""


TAKEN = 60.0
"""Seconds of writes that a power cut takes, at most, with relaxed durability."""


def kept_for(settings: Settings) -> float:
    """Seconds that a blob stays when its last name went: at least while a power cut may bring the name back."""
    if settings.durability == "relaxed":
        return max(settings.sweep_delay, TAKEN)
    return settings.sweep_delay


class GatewayService(Service):
    """An S3 gateway, from its data folder to its listeners.

    :param settings: as they were read.
    :param reread: reads them again, for a reload.
    :param launch: hears how the start went.
    :param processes: which can be workers, and run already.
    :raises ConfigurationError: see :func:`~ozgate.service.makeService`.
    """

    def __init__(
        self,
        reactor: Any,
        settings: Settings,
        reread: Callable[[], Settings] | None = None,
        launch: Terminal | None = None,
        processes: Sequence[WorkerProcess] = (),
    ) -> None:
        self._reactor = reactor
        self._launch = launch or Terminal()
        self._dated = dated(reactor)
        self._started_with = settings
        self._reread = reread or (lambda: settings)
        self._supervision: Supervision | None = None
        self._operations: Operations | None = None
        self._closing = AsyncExitStack()
        self._starting: Deferred[None] | None = None
        self._described = descriptions(settings)
        self._websites = website_descriptions(settings)
        every = self._described + self._websites
        check_endpoints(reactor, every)
        self._secured = tls_endpoints(every, settings, reactor)
        self._reloads = ReloadingParts()
        for endpoint in self._secured.values():
            self._reloads.register("certificates", endpoint.certificates.reload)
        for name in settings.buckets_at_start:
            if not valid_bucket_name(name):
                raise ConfigurationError(
                    f"ozgate.s3.buckets: {name!r} is no bucket name: 3 to 63 of a-z, 0-9, - and ."
                )
        self._folder = DataFolder(settings.data)
        # A daemon changes its working folder: from here on the path is absolute.
        self._settings = settings = evolve(settings, data=self._folder.path)
        self._threads = Threads(reactor, settings.threads)
        made_of = self._dated, settings, self._threads.run
        self._metadata: IMetadataStore = make_provider(
            IMetadataStore, "ozgate.metadata", *made_of
        )
        self._is_shared = IShared.providedBy(self._metadata)
        self._blobs = make_blob_stores(*made_of)
        self._foreign = make_foreign(*made_of)
        self._workers = None
        count = how_many(settings)
        if count > 1:
            made = reactor, count, self._metadata, self._end
            self._workers = Workers(*made, processes)

    def try_ports(self) -> None:
        """See that it could listen, as far as that can be told before it runs.

        :raises ConfigurationError: it could not.
        """
        settings = self._settings
        try_ports(self._described, settings)
        try_ports(self._websites, settings, WEBSITES)
        if settings.admin_enabled and ADDRESS in settings.origins:
            try_ports([admin_description(settings)], settings, ADDRESS)

    def startService(self) -> None:
        """Begin to start, once the reactor runs: threads do not survive a daemon's fork."""
        super().startService()  # type: ignore[no-untyped-call]
        self._reactor.callWhenRunning(self._begin)

    def stopService(self) -> Deferred[None]:
        """Stop listening, let running requests end within a bound, close everything."""
        super().stopService()  # type: ignore[no-untyped-call]
        return Deferred.fromCoroutine(self._stop())

    def _begin(self) -> None:
        self._launch.begin()
        # Not before: a daemon leaves its terminal, and it is in another process that signals come.
        self._supervision = Supervision(self._reactor, os.environ)
        self._supervision.begin()
        if self._workers is not None:
            # They get ready while this process opens the stores.
            self._workers.start(self._folder.lock)
            self._closing.push_async_callback(self._workers.stop)
        self._starting = Deferred.fromCoroutine(self._start())
        self._starting.addErrback(self._give_up)

    async def _start(self) -> None:
        """Open the stores, make what must be there, then listen."""
        context = await self.open()
        self._run_in_background(context)
        # Before an administrator can begin one.
        await resume_drain(context)
        await self._serve(context)
        # What is here now stays: the garbage collector need not look at it again, which takes longer than many requests do.
        # Requests leave it nothing to find: each is freed when it ends.
        gc.freeze()

    async def _make_what_is_missing(self) -> None:
        """Make the volume and the buckets that are to be there.

        Not where nothing is missing: on a full disk the service starts, or nothing of it could be read or deleted. Nor
        where that cannot be told, for what could be repaired by an administrator must be within reach.
        """
        try:
            settings = self._settings
            wanted = settings.volume_name, tuple(settings.buckets_at_start)
            if await self._metadata.read(lacks_something, *wanted):
                owner = settings.access_key or OWNER
                await self._metadata.write(
                    make_missing, *wanted, owner, usual(settings)
                )
        except Damaged as error:
            _log.error(
                "{error}; 'ozgate admin fsck' looks through everything", error=error
            )

    async def open(self) -> AdminContext:
        """Open everything but the listeners and what runs in the background; :meth:`close` it."""
        opened, settings = self._closing, self._settings
        settle()
        opened.callback(self._folder.release)
        self._folder.sign()
        process = new_process_id()
        _log.info("this is process {process}", process=process)
        opened.callback(self._threads.stop)
        # Once for this data folder, which is locked: nobody else has its stores open, but for those that gateways share, which see to that themselves.
        # Blobs first: their lock tells whether a process that came with the one before has them open still.
        await self._blobs.prepare()
        opened.push_async_callback(self._blobs.close)
        await self._metadata.prepare()
        # Once in each process that opens them.
        await self._metadata.open()
        opened.push_async_callback(self._metadata.close)
        await self._blobs.open()
        opened.push_async_callback(self._blobs.close)
        # Once for this data folder again, now that rows can be read.
        if self._is_shared:
            await check_clock(self._metadata, self._dated, settings)
        await check_belonging(self._metadata, self._blobs, settings)
        if await announce(self._metadata, process, self._folder.former):
            self._folder.sign(process)
        opened.push_async_callback(take_leave, self._metadata, process)
        await self._make_what_is_missing()
        if self._foreign is not None:
            opened.push_async_callback(self._foreign.system.stop)
        context = await make_context(
            self._reactor,
            self._dated,
            settings,
            (self._metadata, self._blobs, self._foreign),
            self._threads,
            process,
            self._make_readers(process),
            troubles=None if self._workers is None else self._workers.troubles,
        )
        # Commands read, too, while other gateways serve.
        reads = self._metadata, context.gateway.readers, self._reactor, process
        self._run(LongReads(*reads, self._is_shared))
        opened.push_async_callback(context.upkeep.stop)
        return context

    def _make_readers(self, process: str) -> Readers:
        if self._workers is None:
            return Readers(process)
        self._workers.process = process
        return ParentsReaders(self._workers.ledger, process)

    async def close(self) -> None:
        """Close what was opened, in the opposite order."""
        await self._closing.aclose()

    def _run_in_background(self, context: AdminContext) -> None:
        settings, clock, gateway = self._settings, self._reactor, context.gateway
        owner = gateway.process
        reapers = [
            Reaper(
                self._metadata,
                store,
                gateway.readers,
                self._dated,
                owner,
                kept_for(settings),
            )
            for store in self._blobs
        ]
        rounds = settings.sweep_interval, not self._is_shared
        sweepers = [Sweeper(each, clock, *rounds) for each in reapers]
        expiry = UploadExpiry(
            self._metadata,
            clock,
            owner,
            settings.upload_expiry,
            settings.upload_expiry_interval,
        )
        if self._is_shared:
            both = clock, self._dated
            self._run(ClockWatch(self._metadata, *both, settings.metadata_provider))
            self._run(DrainWatch(context, clock))
        certificates = [each.certificates for each in self._secured.values()]
        watch = CertificateWatch(certificates, clock, settings.tls_check_interval)
        services: list[Rounds] = [*sweepers, expiry, watch]
        if settings.scrub_interval:
            control = context.upkeep.scrub_control
            services.append(ScrubSchedule(control, clock, settings.scrub_interval))
        for service in services:
            self._run(service)

    def _run(self, service: Rounds) -> None:
        service.startService()
        self._closing.push_async_callback(maybeDeferred, service.stopService)

    async def _serve(self, context: AdminContext) -> None:
        """Listen: for administrators first and longest, so that they can look on."""
        opened, settings, gateway = self._closing, self._settings, context.gateway
        logs = open_logs(self._reactor, settings, opened, self._reloads)
        workers = self._workers
        health = (
            Health(gateway) if workers is None else Health(gateway, workers.trouble)
        )
        serving: Serving
        if workers is None:
            get_ready(self._foreign)
            serving = Here(self._reactor, self._dated, context, logs, health)
        else:
            serving = ByWorkers(self._reactor, workers)
        context = evolve(context, audit_log=logs[1])
        reloading = self._started_with, self._reread, self._reloads
        operations = make_operations(
            context,
            health,
            make_reload(context, serving.sites, *reloading),
            serving.connections,
            serving.reload_workers,
            serving.reports,
        )
        admin_urls = await serve_admin(
            self._reactor, context, opened, operations.routes
        )
        places = Places(settings, self._described, self._websites, self._secured)
        ports, urls = await serving.listen(places, opened)
        secured = (self._secured.get(each) for each in self._described)
        trust = next((each.certificates.to_trust for each in secured if each), "")
        is_open = not all(is_private(port.getHost()) for port in ports)
        user = await user_with_key(context)
        count = 1 if workers is None else len(workers)
        shown = urls, settings.data, settings, admin_urls, trust, is_open, user, count
        text = welcome(*shown)
        _log.info("ozgate listens on {urls}", urls=", ".join(urls))
        self._ready(operations, f"listening on {', '.join(urls)}")
        # Last: who waits for it looks into the log, asks whether it is ready, or stops it.
        self._launch.ready(text)

    def _ready(self, operations: Operations, status: str) -> None:
        self._operations = operations
        operations.health.stage = "serving"
        if self._supervision is not None:
            self._supervision.ready(status, operations.reload)

    async def _stop(self) -> None:
        if self._supervision is not None:
            self._supervision.stopping()
        if self._operations is not None:
            self._operations.health.stage = "stopping"
        if self._starting is not None:
            self._starting.cancel()
            await self._starting
        await self.close()

    def _give_up(self, failure: Failure) -> None:
        """End the process: what was opened is closed on the way."""
        if failure.check(CancelledError):
            return
        self._end(reason_of(failure, _log))

    def _end(self, line: str) -> None:
        """End the process.

        :param line: why, for people.
        """
        if not self._launch.logs_here:
            _log.critical("{line}", line=line)
        self._launch.failed(line)
        # twistd ends with 0 whenever the reactor was stopped in order, and has no way to be told otherwise.
        atexit.register(os._exit, 1)
        self._reactor.stop()
