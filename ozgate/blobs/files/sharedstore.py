"""A blob store on files of a file system that several machines share, such as NFS or CephFS.

As :mod:`ozgate.blobs.files.store`, but that a file server is in between. Files have names from the beginning, which say who writes them; a blob's is linked
to its id, so that it never takes the place of another. The server may not answer: every call is made in threads of the store's own, and given up at a
deadline, so that what needs no blob goes on. No descriptor is given away, for the reactor would wait with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twisted.internet.defer import Deferred
from zope.interface import classImplementsOnly

from ...batches import Settled
from ...interfaces import IBlobStore, IByteSource, IDiagnosed, ISyncsTogether
from ...values import BlobRef, ByteRange
from ..blobids import SHARED, folders_of, limit_of
from ..boundedthreads import BoundedThreads
from .blobfile import Place
from .folders import Folders
from .sharedfolders import SharedFolders
from .source import FileSource
from .store import FileBlobStore

THREADS = 16
"""Calls to the file system at a time."""


class SharedFileBlobStore(FileBlobStore):
    """See :class:`~ozgate.interfaces.IBlobStore`.

    :param reactor: a clock for ids; threads of the store's own call back in its thread.
    :param deadline: seconds after which a call to the file system is given up.

    The rest as for :class:`~ozgate.blobs.files.store.FileBlobStore`.
    """

    is_shared = True
    randomness = SHARED
    sends_files = False

    def __init__(
        self,
        path: str,
        name: str,
        reactor: Any,
        inline_below: int,
        relaxed: bool = False,
        verified_for: float = 3600.0,
        deadline: float = 30.0,
    ) -> None:
        self._threads = BoundedThreads(
            reactor, f"the file system of {path}", THREADS, deadline
        )
        super().__init__(
            path,
            name,
            reactor,
            self._threads.run,
            inline_below,
            relaxed,
            verified_for,
        )

    def make_folders(self) -> Folders:
        """See :class:`~ozgate.blobs.files.store.FileBlobStore`."""
        self._shared = SharedFolders(self.folder, self.name, self._reactor.seconds)
        return self._shared

    async def _close_store(self) -> None:
        await super()._close_store()
        await self._threads.stop()

    def open(self, blob: BlobRef, byte_range: ByteRange) -> Deferred[IByteSource]:
        """See :class:`~ozgate.interfaces.IBlobStore`."""
        return self._threads.run(self.open_now, blob, byte_range, late=_close)

    def list(self, before: int, ending: str = "") -> Deferred[Sequence[str]]:
        """See :class:`~ozgate.interfaces.IBlobStore`."""
        # One that was cancelled would go on all the same.
        listed: Deferred[Sequence[str]] = Settled()
        listing = Deferred.fromCoroutine(self._list_all(before, ending))
        listing.addBoth(listed.callback)
        return listed

    async def _list_all(self, before: int, ending: str) -> Sequence[str]:
        """List a folder at a time, each by its own deadline."""
        found: list[str] = []
        for folder in folders_of(ending):
            found += await self.run_in_thread(
                self.list_folder, folder, limit_of(before), ending
            )
        return sorted(found)

    def place(self, ending: str) -> Place:
        """See :class:`~ozgate.blobs.files.store.FileBlobStore`."""
        return Place(
            self._folders.folder(ending),
            self._shared.staging_name(),
            self._relaxed,
            self.syncs,
            is_shared=True,
        )


# Not IFiles: whoever looks at files by themselves, such as at how much room is left, would wait for the server.
classImplementsOnly(SharedFileBlobStore, IBlobStore, IDiagnosed, ISyncsTogether)


def _close(source: FileSource) -> None:
    """Close what was opened too late."""
    source.close()
