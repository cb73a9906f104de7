"""The backup: what ``ozgate admin backup`` does while the service runs; its form is in :mod:`ozgate.admin.upkeep.backupfolder`.

The metadata are copied as they are at one moment, and with them every blob that they name then. None of those can go
meanwhile: a backup counts as a reader, and the reaper waits for readers.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from attrs import evolve
from twisted.logger import Logger

from ... import __version__
from ...background.sharedwork import Running
from ...blobs.files import syscalls
from ...blobs.files.copies import copy_blob, copy_file, is_copy, link_blob
from ...content.outlet import begin_read
from ...errors import Absent, Damaged, Unavailable
from ...gateway.providers import make_provider
from ...interfaces import IMetadataStore, IMetadataTransaction
from ...values import FIRST_STORE, BlobRef, Claim
from ..context import AdminContext
from ..errors import AdminError
from .backupfolder import (
    FORMAT,
    KEY,
    PLAIN_FORMAT,
    BackupFolder,
    Manifest,
    blob_name,
    line_of,
    remove_log,
    summed,
)

_log = Logger()

_PAGE = 100
"""Blobs whose files are dealt with in one hop to a thread."""

_MOST_DAMAGED = 1000
"""Damaged blobs that the manifest names at most."""

_STORE = "backup.store"
"""The setting that tells one store from another."""


class Interrupted(Exception):
    """The backup was stopped."""


class Backup:
    """One backup.

    :param target: the folder it goes into, absolute.
    :param link: whether blobs may be hard links, where the file system allows it.
    :param with_key: whether the master key is copied.
    :ivar stage: what it does now, a word.
    :ivar done: bytes of this stage that are dealt with.
    :ivar total: bytes of this stage, as far as that is known.
    :ivar counts: blobs that were linked, copied, and there already.
    :ivar manifest: what it wrote, once it is over.
    """

    def __init__(
        self, context: AdminContext, target: str, link: bool, with_key: bool
    ) -> None:
        self.target = target
        self.stage = "metadata"
        self.done = self.total = 0
        self.counts = {"linked": 0, "copied": 0, "kept": 0}
        self.manifest: Manifest | None = None
        self._gateway = context.gateway
        self._run_in_thread = context.gateway.run_in_thread
        self._link, self._with_key = link, with_key
        self._folder = BackupFolder(target)
        self._damaged: list[str] = []
        self._stores: set[str] = set()
        self._stopping = False
        self._copy: IMetadataStore | None = None
        self.running = Running(context.gateway.clock, self._run())

    async def stop(self) -> None:
        """Have it end; returns when it has."""
        self._stopping = True
        if self._copy is not None:
            # Looking over all of it may take minutes.
            await self._copy.close()
        await self.running.wait()

    def _check(self) -> None:
        if self._stopping:
            raise Interrupted

    async def _run(self) -> None:
        token = begin_read(self._gateway)
        try:
            await self._run_in_thread(self._folder.open)
            self.manifest = await self._make()
        except BaseException as error:
            if self._stopping:
                _log.info("the backup in {target} was stopped", target=self.target)
                return
            _log.error(
                "the backup in {target} failed: {error}",
                target=self.target,
                error=error,
            )
            raise
        finally:
            self._gateway.readers.leave(token)
            self._folder.close()

    async def _make(self) -> Manifest:
        store, made = await self._identify()
        # Names of their own, so that the backup before stays whole. Never in the form of a time that was before.
        stamp = f"{made:013d}-{os.urandom(2).hex()}"
        copied, listed = f"metadata-{stamp}.db", f"blobs-{stamp}.list"
        path = self._folder.file(copied)
        inspected: Any = self._gateway.metadata
        await inspected.copy_to(path, self._tell)
        copy = self._copy = await self._open_copy(path)
        unneeded: list[str] = []
        try:
            count, size = await self._copy_blobs(copy, self._folder.file(listed))
            # A copy has the damage of its original. Better known now than when it is needed.
            self.stage = "structure"
            structure = await self._look_over(copy)
            # What is damaged may need more than it names.
            if self._folder.earlier is not None and not structure:
                unneeded = await self._unneeded(copy)
        finally:
            self._copy = None
            await copy.close()
        self.stage = "checksums"
        run = self._run_in_thread
        await run(remove_log, path)
        await run(self._copy_key)
        await run(self._folder.sync_blobs)
        manifest = Manifest(
            __version__,
            store,
            made,
            await run(summed, self.target, copied),
            await run(summed, self.target, listed, count),
            size,
            tuple(self._damaged[:_MOST_DAMAGED]),
            tuple(structure),
            self._with_key,
            FORMAT if self._stores - {FIRST_STORE} else PLAIN_FORMAT,
        )
        await self._complete(manifest, unneeded)
        return manifest

    async def _identify(self) -> tuple[str, int]:
        """What tells this store from others, and its time.

        :raises AdminError: the folder has a backup of another store.
        """
        store, made = await self._gateway.metadata.write(
            _identity, os.urandom(12).hex()
        )
        earlier = self._folder.earlier
        if earlier is not None and earlier.store != store:
            raise AdminError(
                "INVALID_REQUEST",
                f"{self.target} has a backup of another store: give a folder of its own",
            )
        return store, made

    async def _complete(self, manifest: Manifest, unneeded: list[str]) -> None:
        """Write the manifest, which makes it a backup, and remove what only the one before needed."""
        run = self._run_in_thread
        self._check()
        await run(manifest.write, self.target)
        await run(self._folder.remove_others, manifest)
        await run(self._folder.remove, unneeded)
        _log.info(
            "backup in {target}: {count} blobs, {size} bytes",
            target=self.target,
            count=manifest.blobs.count,
            size=manifest.blob_bytes,
        )

    def _tell(self, done: int, total: int) -> None:
        self.done, self.total = done, total
        self._check()

    async def _open_copy(self, path: str) -> IMetadataStore:
        """The copy of the metadata, as a store of its own."""
        settings = self._gateway.settings
        scheme = settings.metadata_provider.partition(":")[0]
        copy: IMetadataStore = make_provider(
            IMetadataStore,
            "ozgate.metadata",
            self._gateway.clock,
            evolve(settings, metadata_provider=f"{scheme}:{path}", durability="strict"),
            self._run_in_thread,
        )
        await copy.prepare()
        await copy.open()
        return copy

    async def _look_over(self, copy: Any) -> Sequence[str]:
        """What is wrong with how the copy of the metadata is built."""
        lines: Sequence[str] = await copy.examine()
        for line in lines:
            _log.error(
                "damaged: metadata: {line}: it is so in the backup, too", line=line
            )
        return lines

    async def _copy_blobs(self, copy: IMetadataStore, listed: str) -> tuple[int, int]:
        """Copy what a copy of the metadata names; returns how many blobs that are, and their bytes."""
        self.stage, self.done, self.total = "blobs", 0, 0
        count, size = 0, 0
        after = ("", "")
        while page := await copy.read(_blobs, after, 1000):
            self.total += sum(blob.length for blob in page)
            after = page[-1].id, page[-1].store
            self._check()
        after = ("", "")
        fd = await self._run_in_thread(syscalls.open_new, listed)
        try:
            while page := await copy.read(_blobs, after, _PAGE):
                after = page[-1].id, page[-1].store
                page = self._within_reach(page)
                await self._run_in_thread(self._copy_page, page, fd)
                count += len(page)
                size += sum(blob.length for blob in page)
                self.done = size
        finally:
            syscalls.close(fd)
        return count, size

    def _within_reach(self, page: Sequence[BlobRef]) -> Sequence[BlobRef]:
        """Those of some blobs whose stores are there; of the others, a damaged row may have the wrong store."""
        found = []
        for blob in page:
            if blob.store in self._gateway.blobs.names:
                self._stores.add(blob.store)
                found.append(blob)
            else:
                _log.error(
                    "blob {blob.id} is not in the backup, for the blob store {blob.store!r} is not configured",
                    blob=blob,
                )
                self._damaged.append(blob.id)
        return found

    def _copy_page(self, page: Sequence[BlobRef], listed: int) -> None:
        """Deal with some blobs. Runs in a thread."""
        before = self.done
        for blob in page:
            self._check()
            self.counts[self._copy_blob(blob)] += 1
            before += blob.length
            self.done = before
        with syscalls.translated("writing the list of blobs"):
            data = b"".join(map(line_of, page))
            if syscalls.writev(listed, [data]) != len(data):
                raise Unavailable("the list of blobs cannot be written whole")

    def _copy_blob(self, blob: BlobRef) -> str:
        files: Any = self._gateway.blobs.of(blob)
        source, target = files.file_of(blob.id), self._folder.blob(blob)
        is_there = is_copy(target, blob)
        if is_there and (self._link or not _same_file(source, target)):
            return "kept"
        with syscalls.translated("replacing a blob"):
            # A link that becomes a copy is replaced when that is whole.
            if not is_there and os.path.lexists(target):
                syscalls.unlink(target)
        try:
            if self._link and link_blob(source, target):
                return "linked"
            copy_blob(source, target, self._tell_copied)
        except (Absent, Damaged) as error:
            _log.error(
                "damaged: blob {blob}: {error}: it is so in the backup, too",
                blob=blob.id,
                error=error,
            )
            self._damaged.append(blob.id)
            if not isinstance(error, Absent):
                copy_file(source, target, self._tell_copied)
        return "copied"

    def _tell_copied(self, count: int) -> None:
        self.done += count
        self._check()

    async def _unneeded(self, copy: IMetadataStore) -> list[str]:
        """Blobs of the backup before that this one does not name."""
        unneeded: list[str] = []
        for n in range(256):
            stored = await self._run_in_thread(self._folder.stored, f"{n:02x}")
            for store, ids in stored.items():
                for start in range(0, len(ids), _PAGE):
                    self._check()
                    some = ids[start : start + _PAGE]
                    found = await copy.read(_nameless, store, some)
                    unneeded += [
                        blob_name(BlobRef(store, each, 0, 0)) for each in found
                    ]
        return unneeded

    def _copy_key(self) -> None:
        target = self._folder.file(KEY)
        if self._with_key:
            settings = self._gateway.settings
            copy_file(os.path.join(settings.data, settings.master_key), target)
        else:
            self._folder.remove([KEY])


def _same_file(first: str, second: str) -> bool:
    """Whether two names lead to the same bytes."""
    try:
        return os.path.samefile(first, second)
    except OSError:
        return False


def _identity(tx: IMetadataTransaction, new: str) -> tuple[str, int]:
    """What tells this store from others, made when it is asked for first; and the time."""
    tx.claim(Claim.setting(_STORE))
    kept = tx.setting(_STORE)
    if kept is None:
        tx.set_setting(_STORE, new.encode())
    return (kept or new.encode()).decode(), tx.now()


def _blobs(
    tx: IMetadataTransaction, after: tuple[str, str], limit: int
) -> Sequence[BlobRef]:
    return tx.blobs(after, limit)


def _nameless(
    tx: IMetadataTransaction, store: str, ids: Sequence[str]
) -> Sequence[str]:
    return [blob_id for blob_id in ids if not tx.is_named(store, blob_id)]
