"""A gateway over the real SQLite and file providers in one thread that a test drives, turn by turn.

Requests go through the channel, Klein and the pipeline in memory; files are real. Only SQLite's writing thread is a
thread of its own: what it has to tell is taken up between two turns. A process that was killed is a copy of its
folder, made at that moment: a copy has what the kernel had, and no file without a name.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Coroutine
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, ensureDeferred, maybeDeferred
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure

from ozgate.background.reaper import Reaper
from ozgate.blobs.files.store import FileBlobStore
from ozgate.config.settings import Settings
from ozgate.content.readers import Readers
from ozgate.content.stores import BlobStores
from ozgate.gateway.gateway import Gateway
from ozgate.gateway.room import Room
from ozgate.interfaces import IMetadataTransaction
from ozgate.metadata.sqlite.store import SQLiteMetadataStore
from ozgate.s3.perform.buckets import shared_volume
from ozgate.testing.inmemory import settle
from ozgate.wire.accesslog import AccessLog, AuditLog
from tests.crash.seals import sealing
from tests.operations.support import Client
from tests.started import started

T = TypeVar("T")

PATIENCE = 60
"""Seconds without a sign of the writing thread after which a test gives up."""


class Turns(MemoryReactorClock):
    """A reactor whose turns are a test's doing, and which threads can call."""

    def __init__(self) -> None:
        super().__init__()
        self._calls: SimpleQueue[tuple[Callable[..., Any], tuple[Any, ...]]] = (
            SimpleQueue()
        )

    def callFromThread(self, f: Callable[..., Any], *args: Any) -> None:
        """Have a function called in a turn of this reactor."""
        self._calls.put((f, args))

    def until(self, work: Coroutine[Any, Any, T] | Deferred[T]) -> T:
        """Turn until something is done; what it gives."""
        done = work if isinstance(work, Deferred) else ensureDeferred(work)
        outcomes: list[Any] = []
        done.addBoth(outcomes.append)
        while True:
            settle(self)
            if outcomes:
                break
            try:
                f, args = self._calls.get(timeout=PATIENCE)
            except Empty:
                raise AssertionError("hangs") from None
            f(*args)
        if isinstance(outcomes[0], Failure):
            outcomes[0].raiseException()
        result: T = outcomes[0]
        return result


class DiskSite:
    """A gateway in a folder.

    :ivar client: asks it.
    :ivar is_open: whether the stores are.
    """

    def __init__(self, clock: Turns, folder: str) -> None:
        self.clock, self.folder = clock, folder
        self.is_open = False
        os.makedirs(folder, exist_ok=True)
        settings = Settings(security_enabled=True, data=folder)
        reactor: Any = clock
        self.metadata = SQLiteMetadataStore(f"{folder}/metadata.db", reactor)
        self.blobs = FileBlobStore(
            f"{folder}/blobs", "files", clock, maybeDeferred, settings.inline_below
        )
        self.gateway = Gateway(
            settings,
            self.metadata,
            BlobStores(self.blobs),
            Readers(),
            clock,
            maybeDeferred,
            Room(folder, 0),
            process="test",
            sealing=sealing(),
        )
        self.reaper = Reaper(
            self.metadata, self.blobs, self.gateway.readers, clock, "test", 0.0
        )
        self._logs = AccessLog(settings), AuditLog(settings)
        self.client = Client(self.gateway, *self._logs)

    def open(self) -> None:
        """Open the stores, as the service does."""
        self.clock.until(self._open())

    async def _open(self) -> None:
        await started(self.metadata)
        try:
            await started(self.blobs)
            volume = self.gateway.settings.volume_name
            if await self.metadata.read(_lacks, volume):
                await self.metadata.write(_prepare, volume)
        except BaseException:
            await self.blobs.close_store()
            await self.metadata.close()
            raise
        self.is_open = True

    def join(self) -> None:
        """Open the stores beside the process that has prepared them."""
        self.clock.until(self.metadata.open())
        self.clock.until(self.blobs.open_store())
        self.is_open = True

    def close(self) -> None:
        """Close the stores."""
        self.clock.until(self._close())

    async def _close(self) -> None:
        self.is_open = False
        await self.blobs.close_store()
        await self.metadata.close()
        for log in self._logs:
            log.file.close()

    def look(self, interaction: Callable[..., T], *args: Any) -> T:
        """Read from the metadata store, past S3."""
        found: T = self.clock.until(self.metadata.read(interaction, *args))
        return found

    def settle(self) -> None:
        """Wait for what was asked of the writing thread."""
        self.clock.until(self.metadata.write(_nothing))

    def sweep(self) -> None:
        """All that the background does about bytes without a name, at a time when nothing is under way."""
        # What is doomed goes a millisecond later at the earliest.
        self.clock.advance(1)
        self.clock.until(self.reaper.sweep_orphans(1 << 47))
        self.clock.advance(1)
        self.clock.until(self.reaper.reap())

    def blob_ids(self) -> set[str]:
        """The files with bytes of objects, those in the making among them."""
        found: set[str] = set()
        for folder, _, names in os.walk(f"{self.folder}/blobs"):
            found.update(name for name in names if name not in ("FORMAT", "NAME"))
            assert not folder.endswith("staging") or not names, names
        return found


def _nothing(tx: IMetadataTransaction) -> None:
    """Nothing."""


def _lacks(tx: IMetadataTransaction, volume: str) -> bool:
    return tx.volume(volume) is None


def _prepare(tx: IMetadataTransaction, volume: str) -> None:
    tx.add_volume(shared_volume(volume, "ozgate", tx.now()))


def image(folder: str, target: str) -> str:
    """What a process that is killed now leaves of its folder."""
    shutil.copytree(folder, target)
    return target
