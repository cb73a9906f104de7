"""What serves S3 in one process, put together: the same for a service of one process and for each worker."""

from __future__ import annotations

import gc
import os
import sys
from contextlib import AsyncExitStack
from typing import Any

from twisted.internet.defer import Deferred, gatherResults
from twisted.logger import Logger
from twisted.python.failure import Failure

from ..admin.context import AdminContext
from ..admin.pages.health import Health
from ..auth.accounts import Accounts, in_daemon_threads
from ..auth.administrators import Administrators
from ..config.settings import Settings
from ..config.sitefile import ConfigurationError
from ..content.readers import Readers
from ..content.stores import BlobStores
from ..errors import StoreError
from ..gateway.foreign import Foreign
from ..gateway.gateway import Gateway
from ..gateway.onreload import ReloadingParts
from ..gateway.room import make_room
from ..gateway.sharedcounts import SharedMemory, SharedTally
from ..gateway.tally import Tally
from ..gateway.troubles import Troubles
from ..interfaces import IMetadataStore, IShared, ISyncsTogether
from ..s3.app import make_site
from ..s3.website.serving import make_website_site
from ..wire.accesslog import AccessLog, AuditLog
from ..wire.gatewaysite import GatewaySite
from ..wire.ledger import Ledger
from ..wire.limits import BodyMemory, ConnectionLimits, raise_descriptors
from .credentials import make_neighbor, open_secrets, verifier_of
from .listening import drain
from .threads import Threads

_log = Logger()

GARBAGE = 20_000
"""Objects made, less those freed, between two looks for cyclic garbage; Python's 700 are made by every page of a list."""

SWITCH = 0.0005
"""Seconds that a busy thread keeps the interpreter while another waits for it.

The reactor and the thread that writes metadata hand it to and fro: beside a busy thread a write takes 14 ms with
Python's default of 5 ms, and 3 ms with this; less makes it worse again (``benchmarks/metadata.py``).
"""

Stores = tuple[IMetadataStore, BlobStores, Foreign | None]
Logs = tuple[AccessLog, AuditLog]
Sites = tuple[GatewaySite, GatewaySite]
"""The one of S3, which knows all connections, and the one of websites."""


def settle() -> None:
    """Set what holds for the whole process."""
    os.umask(0o077)
    raise_descriptors()
    sys.setswitchinterval(SWITCH)
    gc.set_threshold(GARBAGE)


async def make_context(
    reactor: Any,
    clock: Any,
    settings: Settings,
    stores: Stores,
    threads: Threads,
    process: str,
    readers: Readers,
    ledger: Ledger | None = None,
    troubles: Troubles | None = None,
) -> AdminContext:
    """A gateway over stores that are open, and who proves who asks.

    :param clock: the reactor with the wall clock's date.
    :param process: the id of this process.
    :param ledger: of a worker: where it counts what limits hold over all of them.
    :param troubles: of a worker: those that its parent says.
    :raises Unavailable: the master key is missing or wrong.
    """
    metadata, blobs, foreign = stores
    rows = "" if IShared.providedBy(metadata) else settings.data
    tally, memory = _counts(settings.limit_inflight, ledger)
    for store in filter(ISyncsTogether.providedBy, blobs):
        ISyncsTogether(store).watch_syncs(tally.syncs.add)
    gateway = Gateway(
        settings,
        metadata,
        blobs,
        readers,
        clock,
        threads.run,
        make_room(rows, settings.disk_reserve, blobs.folder),
        administrators=Administrators(
            settings, Accounts(in_daemon_threads(reactor), clock)
        ),
        process=process,
        tally=tally,
        memory=memory,
        troubles=Troubles(clock) if troubles is None else troubles,
        foreign=foreign,
    )
    sessions = await open_secrets(settings, metadata, foreign)
    return AdminContext(
        gateway,
        None if sessions is None else sessions.secrets,
        clock.seconds(),
        sessions=sessions,
    )


def _counts(most: int, ledger: Ledger | None) -> tuple[Tally, BodyMemory]:
    """What is counted, in this process or over all workers.

    :param most: bytes of bodies that may be in memory.
    """
    if ledger is None:
        tally = Tally()
        return tally, BodyMemory(most, tally.refuse)
    tally = SharedTally(ledger)
    return tally, SharedMemory(ledger, most, tally.refuse)


def get_ready(foreign: Foreign | None) -> None:
    """Have another system get ready before the first request for it comes. Nobody waits for that, and where it fails the first call says so."""
    if foreign is not None:
        foreign.system.start().addErrback(_say_not_ready)


def _say_not_ready(failure: Failure) -> None:
    _log.error("the other system does not answer: {error}", error=failure.value)


def open_logs(
    reactor: Any, settings: Settings, opened: AsyncExitStack, reloads: ReloadingParts
) -> Logs:
    """The access and the audit log.

    :param opened: what closes them.
    :raises OSError: a file cannot be opened.
    """
    access_log = AccessLog(settings, reactor)
    opened.callback(access_log.file.close)
    reloads.register("access log", access_log.file.reopen)
    audit_log = AuditLog(settings, reactor)
    opened.callback(audit_log.file.close)
    reloads.register("audit log", audit_log.file.reopen)
    return access_log, audit_log


def make_sites(
    reactor: Any,
    clock: Any,
    context: AdminContext,
    logs: Logs,
    health: Health,
    limits: ConnectionLimits | None = None,
) -> Sites:
    """What serves S3, and websites.

    :param clock: the reactor with the wall clock's date.
    :param health: shown to everybody.
    :param limits: of connections; the process' own by default.
    :raises ConfigurationError: what is said of issuers of web identities cannot be.
    """
    gateway, sessions = context.gateway, context.sessions
    neighbor = make_neighbor(reactor, clock, gateway.settings, sessions)
    verifier = verifier_of(gateway.foreign) or sessions
    site = make_site(
        reactor, gateway, verifier, *logs, health.pages(), neighbor, limits
    )
    websites = make_website_site(reactor, gateway, *logs, site)
    for each in (site, websites):
        each.date = clock.seconds
    return site, websites


async def drain_sites(reactor: Any, gateway: Gateway, sites: Sites) -> None:
    """Let the requests under way end, within the grace that the settings give them."""
    grace = gateway.settings.stop_grace
    every = [drain(reactor, site, grace) for site in sites]
    await gatherResults(map(Deferred.fromCoroutine, every))


def reason_of(failure: Failure, log: Logger) -> str:
    """Why a start has failed, in one line; what nobody expected is in the log besides."""
    line = " ".join(str(failure.value).split())
    if failure.check(ConfigurationError, StoreError, OSError):
        return line
    log.failure("cannot start", failure)
    return f"cannot start: {type(failure.value).__name__}: {line}; the log has more"
