"""A blob store on files of the local disk.

A blob is one file under an id of its own (:mod:`ozgate.blobs.files.blobfile`). Its id is made when it is committed: 12
hex digits of milliseconds, 4 of a counter, 8 random ones, the last two of which name its folder. It is written as a
file without a name, linked once it is durable; where the file system has no such files, under a staging name.
So a crash leaves nothing, or a file in ``staging``, which the next start removes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from twisted.internet.defer import Deferred, fail, gatherResults, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from ...batches import Batches, RunInThread, Settled
from ...errors import Absent, Damaged, StoreError, Unavailable
from ...interfaces import (
    IBlobSink,
    IBlobStore,
    IByteSource,
    IFiles,
    ISyncsTogether,
)
from ...values import BlobRef, ByteRange
from . import syscalls
from .blobfile import BlobWriter, Place, file_size
from .folders import Folders
from .foldersyncs import FolderSyncs
from .knownblocks import KnownBlocks
from .source import AT_ONCE, FileSource, ReadBuffer
from .wholeblobs import Pace, Verifier, inspect

_ID_LENGTH = 24

_log = Logger()


@implementer(IBlobSink)
class FileSink(Batches):
    """A blob being written to a file."""

    def __init__(
        self, store: FileBlobStore, ending: str, size_hint: int | None
    ) -> None:
        super().__init__(store.run_in_thread)
        self._store = store
        self._ending = ending
        self._writer = BlobWriter(store.place(ending), size_hint)
        self._committing = False
        self._aborted = False
        self._over = False
        self._waiters: list[Deferred[None]] = []

    def work(self, chunks: list[bytes]) -> None:
        """Write a batch. Runs in a thread."""
        self._writer.append(chunks)

    def commit(self) -> Deferred[BlobRef]:
        """See :class:`~ozgate.interfaces.IBlobSink`."""
        if self._committing or self._aborted:
            return fail(Unavailable("the blob was committed or dropped before"))
        self._committing = True
        done: Deferred[BlobRef] = Settled()
        Deferred.fromCoroutine(self._commit()).addBoth(done.callback)
        return done

    def abort(self) -> Deferred[None]:
        """See :class:`~ozgate.interfaces.IBlobSink`. After ``commit`` has fired, nothing happens."""
        if self._over:
            return succeed(None)
        waiter: Deferred[None] = Settled()
        self._waiters.append(waiter)
        if not self._aborted:
            self._aborted = True
            if not self._committing:
                Deferred.fromCoroutine(self._drop()).addErrback(_not_dropped)
        return waiter

    async def _commit(self) -> BlobRef:
        try:
            rest = await self.settle()
            store = self._store
            blob_id = store.next_id(store.syncs.begin(self._ending))
            try:
                length, crc = await self._run_in_thread(
                    self._writer.seal, rest, store.file_of(blob_id)
                )
            finally:
                store.syncs.end()
                store.tell_syncs()
            if self._aborted:
                await self._store.delete(blob_id)
                raise Unavailable("the blob was dropped")
            blob = BlobRef(self._store.name, blob_id, length, crc)
            if length > AT_ONCE:
                self._store.known.note_all(blob_id, self._writer.stamp)
            return blob
        finally:
            self._end()

    async def _drop(self) -> None:
        try:
            with suppress(StoreError):
                await self.settle()
            # In a thread: to give back the room of a large file takes a while.
            await self._run_in_thread(self._writer.discard)
        finally:
            self._end()

    def _end(self) -> None:
        self._over = True
        self._store.forget(self)
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            waiter.callback(None)


def _not_dropped(failure: Failure) -> None:
    """Its room is given back when the service ends."""
    if failure.check(StoreError):
        _log.warn("a blob could not be dropped: {error}", error=failure.value)
    else:
        _log.failure("dropping a blob failed", failure)


@implementer(IBlobStore, IFiles, ISyncsTogether)
class FileBlobStore:
    """See :class:`~ozgate.interfaces.IBlobStore`.

    :param path: the folder that is to hold the blobs; made when missing.
    :param name: the store's name in its blob references.
    :param reactor: a clock for ids, and for giving others a turn.
    :param run_in_thread: ``run_in_thread(f, *args)`` → Deferred.
    :param inline_below: see the interface.
    :param relaxed: a blob is committed before it survives a power cut.
    :param verified_for: seconds after which bytes are read and held against their checksums again, before
        they are sent without.
    :ivar known: blocks that need not be looked at.
    :ivar syncs: of the folders that blobs go into.
    """

    extent_size = 0

    def __init__(
        self,
        path: str,
        name: str,
        reactor: IReactorTime,
        run_in_thread: RunInThread,
        inline_below: int,
        relaxed: bool = False,
        verified_for: float = 3600.0,
    ) -> None:
        self.name = name
        self.known = KnownBlocks(verified_for)
        self.syncs = FolderSyncs()
        self._on_sync: Callable[[int], None] | None = None
        self._relaxed = relaxed
        self.inline_below = inline_below
        self.run_in_thread = run_in_thread
        self._reactor = reactor
        self.folder = os.path.abspath(path)
        self._folders = Folders(self.folder, name)
        self._sinks: set[FileSink] = set()
        self._is_open = False
        self._last = 0
        self._count = 0
        self._buffer = ReadBuffer()

    def watch_syncs(self, callback: Callable[[int], None]) -> None:
        """See :class:`~ozgate.interfaces.ISyncsTogether`."""
        self._on_sync = callback

    def tell_syncs(self) -> None:
        """Tell who watches of the syncs that have been; in the reactor's thread, for they are done in others."""
        sizes = self.syncs.sizes()
        if self._on_sync is not None:
            for each in sizes:
                self._on_sync(each)

    @property
    def identity(self) -> str:
        """See :class:`~ozgate.interfaces.IBlobStore`."""
        return self._folders.identity

    def prepare_store(self) -> Deferred[None]:
        """See :class:`~ozgate.interfaces.IBlobStore`. Fails with ``Unavailable`` and one clear line."""
        return Deferred.fromCoroutine(self._prepare_store())

    async def _prepare_store(self) -> None:
        await self.run_in_thread(self._folders.prepare)

    async def _open_store(self) -> None:
        await self.run_in_thread(self._folders.open)
        # Should the clock go back now, no blob looks older than the process: the sweep for orphans goes by ids.
        self._last = max(self._last, int(self._reactor.seconds() * 1000))
        self._is_open = True

    def open_store(self) -> Deferred[None]:
        """See :class:`~ozgate.interfaces.IBlobStore`. Fails with ``Unavailable`` and one clear line."""
        return Deferred.fromCoroutine(self._open_store())

    async def _close_store(self) -> None:
        self._is_open = False
        await gatherResults([sink.abort() for sink in list(self._sinks)])
        self._folders.close()

    def close_store(self) -> Deferred[None]:
        """See :class:`~ozgate.interfaces.IBlobStore`."""
        return Deferred.fromCoroutine(self._close_store())

    def create(self, size_hint: int | None) -> FileSink:
        """See :class:`~ozgate.interfaces.IBlobStore`. Raises ``Unavailable`` when the store is not open."""
        if not self._is_open:
            raise Unavailable("the blob store is closed")
        sink = FileSink(self, os.urandom(4).hex(), size_hint)
        self._sinks.add(sink)
        return sink

    def open(self, blob: BlobRef, byte_range: ByteRange) -> Deferred[IByteSource]:
        """See :class:`~ozgate.interfaces.IBlobStore`. Opens the file at once: that is a tenth of a hop to a thread."""
        try:
            return succeed(self._open(blob, byte_range))
        except StoreError:
            return fail()

    def _open(self, blob: BlobRef, byte_range: ByteRange) -> IByteSource:
        fd = -1
        try:
            fd = syscalls.open_named(self._path(blob.id))
            stamp = syscalls.stamp(fd)
            if stamp[0] != file_size(blob.length) or (
                byte_range.offset + byte_range.length > blob.length
            ):
                raise Damaged(
                    f"blob {blob.id} has another length than its rows say, or is asked for more"
                )
        except BaseException as error:
            if fd >= 0:
                syscalls.close(fd)
            if isinstance(error, OSError):
                self._folders.check_there()
                raise syscalls.store_error(f"opening blob {blob.id}", error) from error
            raise
        return FileSource(
            fd,
            blob,
            stamp,
            self.known,
            byte_range,
            self._reactor,
            self.run_in_thread,
            self._buffer,
        )

    def delete(self, blob_id: str) -> Deferred[None]:
        """See :class:`~ozgate.interfaces.IBlobStore`. A deletion that a power cut takes back leaves an orphan for the sweep."""
        self.known.forget(blob_id)
        return self.run_in_thread(self._delete, blob_id)

    def _delete(self, blob_id: str) -> None:
        with suppress(Absent), syscalls.translated(f"deleting blob {blob_id}"):
            syscalls.unlink(self._path(blob_id))

    def list(self, before: int, ending: str = "") -> Deferred[Sequence[str]]:
        """See :class:`~ozgate.interfaces.IBlobStore`."""
        return self.run_in_thread(self._list, before, ending)

    def _list(self, before: int, ending: str) -> Sequence[str]:
        limit = f"{max(before, 0):012x}"
        folders = [ending[-2:]] if len(ending) > 1 else [f"{n:02x}" for n in range(256)]
        found = []
        for folder in folders:
            if not folder.endswith(ending[-2:]):
                continue
            with syscalls.translated("listing blobs"):
                names = syscalls.listdir(self._folders.folder(folder))
            found += [
                name
                for name in names
                if len(name) == _ID_LENGTH and name < limit and name.endswith(ending)
            ]
        return sorted(found)

    def inspect(self, blobs: Sequence[BlobRef]) -> Deferred[Mapping[str, str]]:
        """See :class:`~ozgate.interfaces.IBlobStore`."""
        return self.run_in_thread(self._inspect, blobs)

    def _inspect(self, blobs: Sequence[BlobRef]) -> Mapping[str, str]:
        wrong = inspect([(blob, self.file_of(blob.id)) for blob in blobs])
        if wrong:
            self._folders.check_there()
        return wrong

    async def _verify(self, blob_id: str, pace: Pace | None) -> int:
        verifier = Verifier(self.file_of(blob_id))
        try:
            await self.run_in_thread(verifier.open)
            while count := await self.run_in_thread(verifier.step):
                if pace is not None:
                    await pace(count)
            return verifier.length
        except StoreError as error:
            # What is sent from now on is looked at.
            self.known.forget(blob_id)
            if isinstance(error, Absent):
                self._folders.check_there()
            raise
        finally:
            verifier.close()

    def verify(self, blob_id: str, pace: Pace | None = None) -> Deferred[int]:
        """See :class:`~ozgate.interfaces.IBlobStore`. Reads from the disk, not from what the kernel has cached."""
        return Deferred.fromCoroutine(self._verify(blob_id, pace))

    def file_of(self, blob_id: str) -> str:
        """See :class:`~ozgate.interfaces.IFiles`; raises ``Absent`` for what is no blob's id."""
        return self._path(blob_id)

    def place(self, ending: str) -> Place:
        """Where a new file goes."""
        folders = self._folders
        staging = None if folders.unnamed else folders.staging(os.urandom(12).hex())
        return Place(folders.folder(ending), staging, self._relaxed, self.syncs)

    def next_id(self, ending: str) -> str:
        """An id later than every one before it."""
        now = int(self._reactor.seconds() * 1000)
        self._count += 1
        if now > self._last or self._count > 0xFFFF:
            # Never back, even when the clock goes back.
            self._last, self._count = max(now, self._last + 1), 0
        return f"{self._last:012x}{self._count:04x}{ending}"

    def forget(self, sink: FileSink) -> None:
        """A sink is over."""
        self._sinks.discard(sink)

    def _path(self, blob_id: str) -> str:
        if not blob_id.isalnum():
            raise Absent(f"{blob_id!r} is no blob's id")
        return f"{self._folders.folder(blob_id)}/{blob_id}"
