"""A blob store on HDFS.

A blob is a file of HDFS, in the form that it has on a disk (:mod:`ozgate.blobs.files.blobfile`): what ``hdfs dfs -get`` fetches is a file of a ``files:``
store. hdfs-native blocks, and gives up the lock of Python: it is called in threads of the store's own, and given up at a deadline.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from twisted.internet.defer import Deferred, FirstError, gatherResults
from zope.interface import implementer

from ...batches import Settled
from ...errors import Absent, StoreError, Unavailable
from ...interfaces import IBlobStore, IByteSource, IDiagnosed
from ...values import BlobRef, ByteRange, Diagnosis
from ..blobids import SHARED, BlobIds, folders_of, is_id, limit_of
from ..boundedthreads import BoundedThreads
from ..sinks import ThreadedSink
from .diagnosis import diagnose
from .filesystem import FileSystem, HdfsPath
from .folders import HdfsFolders
from .sink import HdfsSink, HdfsWriter
from .source import HdfsReader, HdfsSource
from .wholefile import WholeFile

EXTENT = 128 << 20
"""Bytes of a blob at most: with its checksums little more than a block of HDFS as it is by default, and written in a bounded time."""

THREADS = 16
"""Calls to HDFS at a time, but for those that write."""

WRITERS = 64
"""Calls that write, at a time. They wait for the name node to have heard of a block, half a second at a time, and nobody who reads is to wait with them."""

_INSPECTED = 8
"""Blobs inspected at a time."""

Pace = Callable[[int], "Deferred[None]"]


def make_store(
    reactor: Any, url: str, settings: Mapping[str, Any], name: str
) -> HdfsBlobStore:
    """The store that a URL names.

    :raises Unavailable: it names none, or hdfs-native is not installed.
    """
    return HdfsBlobStore(
        url,
        name,
        reactor,
        settings["ozgate.blobs.inline-below"],
        deadline=settings["ozgate.blobs.deadline"],
    )


@implementer(IBlobStore, IDiagnosed)
class HdfsBlobStore:
    """See :class:`~ozgate.interfaces.IBlobStore`.

    :param url: ``hdfs://NAMESERVICE/FOLDER`` or ``hdfs://HOST:PORT/FOLDER``.
    :param name: the store's name in its blob references.
    :param reactor: a clock for ids; threads of the store's own call back in its thread.
    :param inline_below: see the interface.
    :param deadline: seconds after which a call to HDFS is given up.
    :param block_size: of files of HDFS; ``None`` for that of the name node.
    :ivar threads: what asks HDFS.
    :ivar writers: what writes there.
    """

    extent_size = EXTENT

    def __init__(
        self,
        url: str,
        name: str,
        reactor: Any,
        inline_below: int,
        deadline: float = 30.0,
        block_size: int | None = None,
    ) -> None:
        where = HdfsPath(url)
        self.name = name
        self.inline_below = inline_below
        self.threads = BoundedThreads(reactor, where.system, THREADS, deadline)
        self.writers = BoundedThreads(reactor, where.system, WRITERS, deadline)
        self._block_size = block_size
        self._system = FileSystem(where.system)
        self._folders = HdfsFolders(self._system, where.folder, name, reactor.seconds)
        self._ids = BlobIds(reactor.seconds)
        self._sinks: set[ThreadedSink] = set()
        self._is_open = False

    @property
    def identity(self) -> str:
        """See :class:`~ozgate.interfaces.IBlobStore`."""
        return self._folders.identity

    def prepare_store(self) -> Deferred[None]:
        """See :class:`~ozgate.interfaces.IBlobStore`."""
        return self.threads.run(self._folders.prepare)

    def open_store(self) -> Deferred[None]:
        """See :class:`~ozgate.interfaces.IBlobStore`."""
        return Deferred.fromCoroutine(self._open_store())

    async def _open_store(self) -> None:
        await self.threads.run(self._folders.open)
        self._ids.begin()
        self._is_open = True

    def close_store(self) -> Deferred[None]:
        """See :class:`~ozgate.interfaces.IBlobStore`."""
        return Deferred.fromCoroutine(self._close_store())

    async def _close_store(self) -> None:
        self._is_open = False
        await gatherResults([sink.abort() for sink in list(self._sinks)])
        await gatherResults([self.threads.stop(), self.writers.stop()])

    def create(self, size_hint: int | None) -> HdfsSink:
        """See :class:`~ozgate.interfaces.IBlobStore`. Raises ``Unavailable`` when the store is not open."""
        if not self._is_open:
            raise Unavailable("the blob store is closed")
        staging = self._folders.new_staging()
        writer = HdfsWriter(self._system, staging, self._block_size)
        sink = HdfsSink(self, writer, os.urandom(SHARED).hex())
        self._sinks.add(sink)
        return sink

    def open(self, blob: BlobRef, byte_range: ByteRange) -> Deferred[IByteSource]:
        """See :class:`~ozgate.interfaces.IBlobStore`."""
        opening = self.threads.run(self._open, blob, byte_range)
        return opening.addCallback(HdfsSource, byte_range, self.threads)

    def _open(self, blob: BlobRef, byte_range: ByteRange) -> HdfsReader:
        try:
            path = self.path_of(blob.id)
            return HdfsReader(self._system, path, blob, byte_range).open()
        except Absent:
            self._folders.check_there()
            raise

    def delete(self, blob_id: str) -> Deferred[None]:
        """See :class:`~ozgate.interfaces.IBlobStore`."""
        return self.threads.run(self._delete, blob_id)

    def _delete(self, blob_id: str) -> None:
        if is_id(blob_id):
            self._system.delete(self.path_of(blob_id))

    def list(self, before: int, ending: str = "") -> Deferred[Sequence[str]]:
        """See :class:`~ozgate.interfaces.IBlobStore`."""
        # One that was cancelled would go on all the same.
        listed: Deferred[Sequence[str]] = Settled()
        listing = Deferred.fromCoroutine(self._list(before, ending))
        listing.addBoth(listed.callback)
        return listed

    async def _list(self, before: int, ending: str) -> Sequence[str]:
        """List a folder at a time, each by its own deadline."""
        found: list[str] = []
        for folder in folders_of(ending):
            found += await self.threads.run(
                self._list_folder, folder, limit_of(before), ending
            )
        return sorted(found)

    def _list_folder(self, folder: str, limit: str, ending: str) -> Sequence[str]:
        found = []
        for name, _ in self._system.entries(self._folders.folder(folder)):
            if name >= limit:
                break  # they come in order, so that of very many new ones a page is asked for
            if is_id(name) and name.endswith(ending):
                found.append(name)
        return found

    def inspect(self, blobs: Sequence[BlobRef]) -> Deferred[Mapping[str, str]]:
        """See :class:`~ozgate.interfaces.IBlobStore`."""
        return Deferred.fromCoroutine(self._inspect_all(blobs))

    async def _inspect_all(self, blobs: Sequence[BlobRef]) -> Mapping[str, str]:
        wrong: dict[str, str] = {}
        for start in range(0, len(blobs), _INSPECTED):
            some = blobs[start : start + _INSPECTED]
            looks = [self.threads.run(self._inspect, blob) for blob in some]
            try:
                outcomes = await gatherResults(looks, consumeErrors=True)
            except FirstError as error:
                error.subFailure.raiseException()
            wrong |= {
                blob.id: said for blob, said in zip(some, outcomes, strict=True) if said
            }
        return wrong

    def _inspect(self, blob: BlobRef) -> str:
        """What is wrong with a blob."""
        try:
            file = WholeFile(self._system, self.path_of(blob.id))
            file.open()
            file.check(blob)
        except Absent:
            self._folders.check_there()
            return "its file is not there"
        except StoreError as error:
            return str(error)
        return ""

    def verify(self, blob_id: str, pace: Pace | None = None) -> Deferred[int]:
        """See :class:`~ozgate.interfaces.IBlobStore`. HDFS reads from the disk of a data node, or from what its kernel has cached."""
        return Deferred.fromCoroutine(self._verify(blob_id, pace))

    async def _verify(self, blob_id: str, pace: Pace | None) -> int:
        file = WholeFile(self._system, self.path_of(blob_id))
        try:
            await self.threads.run(file.open)
        except Absent:
            await self.threads.run(self._folders.check_there)
            raise
        await self.threads.run(file.read_table)
        while count := await self.threads.run(file.step):
            if pace is not None:
                await pace(count)
        return file.length

    def path_of(self, blob_id: str) -> str:
        """The path of a blob's file; raises ``Absent`` for what is no blob's id."""
        if not is_id(blob_id):
            raise Absent(f"{blob_id!r} is no blob's id")
        return self._folders.path_of(blob_id)

    def diagnose(self) -> Deferred[Sequence[Diagnosis]]:
        """See :class:`~ozgate.interfaces.IDiagnosed`."""
        return self.threads.run(diagnose, self._system, self._folders.path_of_format)

    def next_id(self, ending: str) -> str:
        """An id later than every one before it."""
        return self._ids.next(ending)

    def forget(self, sink: ThreadedSink) -> None:
        """A sink is over."""
        self._sinks.discard(sink)
