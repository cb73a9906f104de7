"""Bringing a backup back into a data folder: what ``ozgate admin restore`` does while no service runs.

Everything is made in ``restoring`` inside of the data folder, and moved to its place when all of it is there and durable; the
metadata come last. As long as there is a folder of that name, no service takes the data folder for its own. Everything here blocks.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from functools import partial

from ...auth.sealing import KEY_BYTES, MasterKey
from ...blobs.files import syscalls
from ...blobs.files.copies import copy_blob, copy_file, is_copy
from ...blobs.files.folders import Folders
from ...errors import Absent, Damaged, Unavailable
from ...immutable import frozen
from ...values import FIRST_STORE, BlobRef
from ..errors import AdminError
from .backupfolder import (
    KEY,
    Manifest,
    blob_name,
    check_part,
    listed_blobs,
    read_file,
    write_file,
)
from .datafolder import RESTORING

WORK = RESTORING
"""The folder in the data folder where everything is made."""

METADATA, BLOBS = "metadata.db", "blobs"
"""Where a service looks for them unless it is told otherwise."""


def folder_of(store: str) -> str:
    """The folder in the data folder where the blobs of a store come to be; another than that of new ones has to be configured."""
    return BLOBS if store == FIRST_STORE else f"{BLOBS}-{store}"


_MOST_NAMED = 1000

Tell = Callable[[str, int, int], None]
"""Is told the stage, and how many of how many bytes are dealt with."""

OpenMetadata = Callable[[str, Mapping[str, str]], bytes | None]
"""Opens metadata in a file as a service would, has them know all blob stores by name and identity, where there are any, and closes them again.

It returns the check value of their master key, and raises ``StoreError`` when they cannot be opened, as when they are of a newer ozgate.
"""


@frozen
class Restored:
    """What came of it.

    :ivar damaged: ids of blobs that are missing or damaged in the backup, as far as they are named.
    :ivar stores: the further blob stores that it has blobs of; their folders are those of :func:`folder_of`.
    """

    manifest: Manifest
    damaged: tuple[str, ...]
    stores: tuple[str, ...]


def restore(
    backup: str,
    data: str,
    open_metadata: OpenMetadata,
    tell: Tell,
    accept_damage: bool = False,
) -> Restored:
    """Restore.

    :param backup: the backup's folder.
    :param data: the data folder: absent, or empty.
    :param accept_damage: go on although blobs are missing or damaged; else nothing is restored then.
    :raises AdminError: there is no backup, or the data folder is in use; one clear line.
    :raises StoreError: it cannot be done; one clear line. Nothing is left in the data folder, unless the disk failed when
        everything was there and moved to its place.
    """
    manifest = Manifest.read(backup)
    _make_ready(data)
    work = os.path.join(data, WORK)
    try:
        tell("checksums", 0, 0)
        check_part(backup, manifest.metadata)
        check_part(backup, manifest.blobs)
        with syscalls.translated(f"restoring into {data}"):
            syscalls.mkdir(work)
        within = partial(syscalls.open_within, backup)
        copy_file(manifest.metadata.file, os.path.join(work, METADATA), opens=within)
        # Before anything else: metadata of a newer ozgate, or built by somebody else, are refused here.
        check = open_metadata(os.path.join(work, METADATA), {})
        if manifest.has_key:
            write_file(os.path.join(work, KEY), [_key_of(backup, check)])
        copying = _Copying(backup, work, manifest, tell)
        damaged = copying.run(accept_damage)
        # The folders are new ones: a start takes none for them that is left of those before, or made where those were.
        identities = {name: each.identity for name, each in copying.stores.items()}
        open_metadata(os.path.join(work, METADATA), identities)
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise
    # From here on, what is cut short leaves the folder of that name: no service starts beside it.
    _move(work, data, copying.stores)
    more = [each for each in copying.stores if each != FIRST_STORE]
    return Restored(manifest, tuple(damaged), tuple(sorted(more)))


def _key_of(backup: str, check: bytes | None) -> bytes:
    """The file of the master key in a backup.

    :param check: what the metadata know it by; ``None`` where nothing is sealed under any.
    :raises StoreError: it is no such file, or another key.
    """
    path = os.path.join(backup, KEY)
    with syscalls.translated(f"reading {path}"):
        text = read_file(backup, KEY, 4 * KEY_BYTES)
    key = MasterKey.parse(text, path)
    if check is not None and not key.fits(check):
        raise Unavailable(
            f"{path} is not the key that the secrets in the backup were encrypted under: put that one there"
        )
    return text


def _make_ready(data: str) -> None:
    try:
        if not os.path.isdir(data):
            os.makedirs(os.path.dirname(data), exist_ok=True)
            syscalls.mkdir(data)
            syscalls.fsync_folder(os.path.dirname(data))
        names = set(syscalls.listdir(data)) - {"lost+found"}
    except OSError as error:
        raise Unavailable(f"{data} cannot be used: {error.strerror}") from None
    if WORK in names:
        raise AdminError(
            "INVALID_REQUEST",
            f"{data} holds {WORK!r}: another restore is under way there, or was interrupted; if none is, empty {data}",
        )
    if names:
        raise AdminError(
            "INVALID_REQUEST",
            f"{data} is not empty, it holds {min(names)!r}: give --data a new folder, or an empty one",
        )


class _Copying:
    """The copying of all blobs of a backup.

    :ivar stores: the blob stores that have a folder.
    """

    def __init__(self, backup: str, work: str, manifest: Manifest, tell: Tell) -> None:
        self._backup = backup
        self._manifest = manifest
        self._tell = tell
        self._done = 0
        self._damaged: list[str] = []
        self._work = work
        self.stores: dict[str, Folders] = {}

    def run(self, accept_damage: bool) -> list[str]:
        """Copy them; returns the ids of those that are missing or damaged.

        :raises Damaged: there are such, and they are not accepted.
        """
        try:
            self._open(FIRST_STORE)
            for blob in listed_blobs(self._backup, self._manifest):
                self._copy(blob, self._open(blob.store), accept_damage)
            if self._damaged and not accept_damage:
                raise Damaged(_refusal(self._damaged))
            with syscalls.translated("restoring blobs"):
                for folders in self.stores.values():
                    for n in range(256):
                        syscalls.fsync_folder(folders.folder(f"{n:02x}"))
        finally:
            for folders in self.stores.values():
                folders.close()
        return self._damaged

    def _open(self, store: str) -> Folders:
        """The folders of a blob store, made when they are needed first."""
        if store not in self.stores:
            folders = Folders(os.path.join(self._work, folder_of(store)), store)
            folders.prepare()
            self.stores[store] = folders
        return self.stores[store]

    def _copy(self, blob: BlobRef, folders: Folders, accept_damage: bool) -> None:
        source, within = blob_name(blob), partial(syscalls.open_within, self._backup)
        target = f"{folders.folder(blob.id)}/{blob.id}"
        before = self._done
        try:
            with syscalls.translated(f"reading {os.path.join(self._backup, source)}"):
                syscalls.close(within(source))
            if not is_copy(source, blob, within):
                raise Damaged("it is another blob, or cut off")
            copy_blob(source, target, self._copied, within)
        except (Absent, Damaged) as error:
            if len(self._damaged) < _MOST_NAMED:
                self._damaged.append(blob.id)
            if accept_damage and isinstance(error, Damaged):
                # What is left of it may be worth having; a read that meets the damage fails.
                copy_file(source, target, opens=within)
        self._done = before + blob.length

    def _copied(self, count: int) -> None:
        self._done += count
        self._tell("blobs", self._done, self._manifest.blob_bytes)


def _refusal(damaged: list[str]) -> str:
    shown = ", ".join(damaged[:5]) + (", …" if len(damaged) > 5 else "")
    return (
        f"{len(damaged)} blobs of the backup are missing or damaged ({shown}): nothing was restored; "
        "--accept-damage restores all the rest"
    )


def _move(work: str, data: str, stores: Iterable[str]) -> None:
    """Move everything to its place."""
    with syscalls.translated(f"restoring into {data}"):
        syscalls.fsync_folder(work)
        for name in (*map(folder_of, stores), KEY):
            if os.path.exists(os.path.join(work, name)):
                syscalls.rename(os.path.join(work, name), os.path.join(data, name))
        syscalls.fsync_folder(data)
        syscalls.rename(os.path.join(work, METADATA), os.path.join(data, METADATA))
    # By it other commands know a data folder.
    write_file(os.path.join(data, "lock"), [])
    with syscalls.translated(f"restoring into {data}"):
        syscalls.fsync_folder(data)
        shutil.rmtree(work)
        syscalls.fsync_folder(data)
