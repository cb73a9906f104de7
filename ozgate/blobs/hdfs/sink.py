"""A blob as a file of HDFS while it is written.

A writer that is dropped, whatever the reason, commits what it has: the file looks whole, and is short. So a file has a name that is no id until all of it
is on the disks of its data nodes and its length is what was written; then it is renamed, in the place of no other.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager, suppress
from threading import Lock
from typing import TYPE_CHECKING, Any

from ...errors import Absent, StoreError, Unavailable
from ...values import BlobRef
from ..files.blobfile import BlockSums
from ..sinks import ThreadedSink
from .filesystem import FileSystem, forget

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .store import HdfsBlobStore


class HdfsWriter:
    """A file while it is written. One call at a time but for :meth:`discard`, in any thread; all block.

    When a call fails, the file is gone.

    :param staging: its path until it is whole.
    :param block_size: of HDFS; ``None`` for that of the name node.
    """

    def __init__(
        self, system: FileSystem, staging: str, block_size: int | None
    ) -> None:
        self._system = system
        self._staging = staging
        self._block_size = block_size
        self._file: Any = None
        self._path = ""
        self._sums = BlockSums()
        self._lock = Lock()
        self._busy = self._discarded = False

    def append(self, chunks: list[bytes]) -> None:
        """Add bytes.

        :raises NoSpace: a quota is used up, or the data nodes are full.
        :raises Unavailable: HDFS cannot.
        """
        with self._working():
            self._append(chunks)

    def seal(self, chunks: list[bytes], path: str) -> tuple[int, int]:
        """Add the last bytes, and make the file durable under its name.

        :return: the blob's length and CRC64NVME.
        :raises NoSpace: as :meth:`append`.
        :raises Unavailable: likewise.
        """
        with self._working():
            self._append(chunks)
            length = self._sums.length
            footer = self._sums.footer()
            with self._system.translated("making a blob durable"):
                self._file.write(footer)
                # On the disks of all its data nodes; a close alone leaves it in their memory. Source: HDFS's API of Syncable.hsync.
                self._file.hsync()
                self._file.close()
            forget(self._file)
            self._check_length(length + len(footer))
            if self._discarded:
                raise Unavailable("the blob was dropped")
            self._path = path
            self._name(path, length + len(footer))
            return length, self._sums.whole

    def discard(self) -> None:
        """Leave nothing. Idempotent. A call under way, which may have been given up, does it when it comes back."""
        with self._lock:
            if self._discarded:
                return
            self._discarded = True
            if self._busy:
                return
        self._remove()

    @contextmanager
    def _working(self) -> Iterator[None]:
        with self._lock:
            if self._discarded:
                raise Unavailable("the blob was dropped")
            self._busy = True
        is_well = False
        try:
            yield
            is_well = True
        finally:
            with self._lock:
                self._busy = False
                is_over = self._discarded or not is_well
                self._discarded = is_over
            if is_over:
                self._remove()

    def _append(self, chunks: list[bytes]) -> None:
        if self._file is None:
            self._file = self._system.create(self._staging, self._block_size)
        data = b"".join(chunks)
        if data:
            self._sums.add(data)
            with self._system.translated("writing a blob"):
                self._file.write(data)

    def _check_length(self, length: int) -> None:
        try:
            found = self._system.length(self._staging)
        except Absent:
            # It was taken for left over.
            raise Unavailable("a blob was removed while it was written") from None
        if found != length:
            raise Unavailable(
                f"HDFS has kept {found} bytes of a blob of which {length} were written"
            )

    def _name(self, path: str, length: int) -> None:
        try:
            self._system.rename(self._staging, path)
        except StoreError as error:
            # It may have been done, and the answer lost; asked again, another name node knows nothing of the old name.
            with suppress(StoreError):
                if (
                    not self._system.is_there(self._staging)
                    and self._system.length(path) == length
                ):
                    return
            if isinstance(error, Absent):
                raise Unavailable(str(error)) from error
            raise

    def _remove(self) -> None:
        """Remove the file; what cannot be now is left over, for whoever prepares the store, or an orphan, for the sweep."""
        file, self._file = self._file, None
        if file is None:
            return
        forget(file)
        for path in (self._staging, self._path):
            with suppress(StoreError):
                if path:
                    self._system.delete(path)


class HdfsSink(ThreadedSink):
    """A blob being written to a file of HDFS."""

    def __init__(self, store: HdfsBlobStore, writer: HdfsWriter, ending: str) -> None:
        run: Callable[..., Any] = store.writers.run
        super().__init__(run, store.forget)
        self._store = store
        self._writer = writer
        self._ending = ending

    def work(self, chunks: list[bytes]) -> None:
        """Write a batch. Runs in a thread."""
        self._writer.append(chunks)

    async def seal(self, rest: list[bytes]) -> BlobRef:
        """See :class:`~ozgate.blobs.sinks.ThreadedSink`."""
        store = self._store
        blob_id = store.next_id(self._ending)
        length, crc = await self._run_in_thread(
            self._writer.seal, rest, store.path_of(blob_id)
        )
        return BlobRef(store.name, blob_id, length, crc)

    async def take_back(self, blob: BlobRef) -> None:
        """See :class:`~ozgate.blobs.sinks.ThreadedSink`."""
        await self._store.delete(blob.id)

    def discard(self) -> None:
        """See :class:`~ozgate.blobs.sinks.ThreadedSink`."""
        self._writer.discard()
