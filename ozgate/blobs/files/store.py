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
from zope.interface import implementer

from ...batches import RunInThread
from ...errors import Absent, Damaged, StoreError, Unavailable
from ...interfaces import (
    IBlobStore,
    IByteSource,
    IDiagnosed,
    IFiles,
    ISyncsTogether,
)
from ...values import BlobRef, ByteRange, Diagnosis
from ..blobids import ALONE, BlobIds, folders_of, is_id, limit_of
from ..sinks import ThreadedSink
from . import syscalls
from .blobfile import BlobWriter, Place, file_size
from .diagnosis import diagnose
from .folders import Folders
from .foldersyncs import FolderSyncs
from .knownblocks import KnownBlocks
from .source import AT_ONCE, FileSource, ReadBuffer
from .wholeblobs import Pace, Verifier, inspect


class FileSink(ThreadedSink):
    """A blob being written to a file."""

    def __init__(
        self, store: FileBlobStore, ending: str, size_hint: int | None
    ) -> None:
        super().__init__(store.run_in_thread, store.forget)
        self._store = store
        self._ending = ending
        self._writer = BlobWriter(store.place(ending), size_hint)

    def work(self, chunks: list[bytes]) -> None:
        """Write a batch. Runs in a thread."""
        self._writer.append(chunks)

    async def seal(self, rest: list[bytes]) -> BlobRef:
        """See :class:`~ozgate.blobs.sinks.ThreadedSink`."""
        store = self._store
        blob_id = store.next_id(store.syncs.begin(self._ending))
        try:
            length, crc = await self._run_in_thread(
                self._writer.seal, rest, store.file_of(blob_id)
            )
        finally:
            store.syncs.end()
            store.tell_syncs()
        if length > AT_ONCE:
            store.known.note_all(blob_id, self._writer.stamp)
        return BlobRef(store.name, blob_id, length, crc)

    async def take_back(self, blob: BlobRef) -> None:
        """See :class:`~ozgate.blobs.sinks.ThreadedSink`."""
        await self._store.delete(blob.id)

    def discard(self) -> None:
        """See :class:`~ozgate.blobs.sinks.ThreadedSink`."""
        self._writer.discard()


@implementer(IBlobStore, IDiagnosed, IFiles, ISyncsTogether)
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

    is_shared = False
    """Whether several gateways may have it open."""

    randomness = ALONE
    """Random bytes in an id."""

    sends_files = True
    """Whether descriptors are given away, for sendfile: the reactor's thread reads their files, which the disk may have to be waited for."""

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
        self._folders = self.make_folders()
        self._sinks: set[ThreadedSink] = set()
        self._is_open = False
        self._ids = BlobIds(reactor.seconds)
        self._buffer = ReadBuffer()

    def make_folders(self) -> Folders:
        """The folders of the store, as they are prepared and opened."""
        return Folders(self.folder, self.name)

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
        self._ids.begin()
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
        sink = FileSink(self, os.urandom(self.randomness).hex(), size_hint)
        self._sinks.add(sink)
        return sink

    def open(self, blob: BlobRef, byte_range: ByteRange) -> Deferred[IByteSource]:
        """See :class:`~ozgate.interfaces.IBlobStore`. Opens the file at once: that is a tenth of a hop to a thread."""
        try:
            return succeed(self.open_now(blob, byte_range))
        except StoreError:
            return fail()

    def open_now(self, blob: BlobRef, byte_range: ByteRange) -> IByteSource:
        """As :meth:`open`; blocks, where the file system does."""
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
            self.sends_files,
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
        found: list[str] = []
        for folder in folders_of(ending):
            found += self.list_folder(folder, limit_of(before), ending)
        return sorted(found)

    def list_folder(self, folder: str, limit: str, ending: str) -> Sequence[str]:
        """Ids in one of the folders; blocks."""
        with syscalls.translated("listing blobs"):
            names = syscalls.listdir(self._folders.folder(folder))
        return [
            name
            for name in names
            if is_id(name) and name < limit and name.endswith(ending)
        ]

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
                await self.run_in_thread(self._folders.check_there)
            raise
        finally:
            verifier.close()

    def verify(self, blob_id: str, pace: Pace | None = None) -> Deferred[int]:
        """See :class:`~ozgate.interfaces.IBlobStore`. Reads from the disk, not from what the kernel has cached."""
        return Deferred.fromCoroutine(self._verify(blob_id, pace))

    def diagnose(self) -> Deferred[Sequence[Diagnosis]]:
        """See :class:`~ozgate.interfaces.IDiagnosed`."""
        return self.run_in_thread(diagnose, self.folder, self._relaxed, self.is_shared)

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
        return self._ids.next(ending)

    def forget(self, sink: ThreadedSink) -> None:
        """A sink is over."""
        self._sinks.discard(sink)

    def _path(self, blob_id: str) -> str:
        if not blob_id.isalnum():
            raise Absent(f"{blob_id!r} is no blob's id")
        return f"{self._folders.folder(blob_id)}/{blob_id}"
