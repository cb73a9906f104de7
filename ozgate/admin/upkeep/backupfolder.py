"""The form of a backup: a folder.

::

    FORMAT                "ozgate backup 1"; locked while a backup is made, whatever the form of what is in it
    manifest.json         what belongs to the backup, with checksums; written last, so that without it there is none
    metadata-STAMP.db     the metadata
    blobs-STAMP.list      a line for each blob: id, bytes, CRC64NVME as hex digits; the blob store, where it is not "files"
    blobs/00 … ff         the blobs, by the last two digits of their ids, in the form of :mod:`ozgate.blobs.files.blobfile`; those
                          of another store than "files" have its name after theirs and a dot
    master.key            the master key, only if it was asked for

A second backup into the same folder adds files under names of its own, and replaces the manifest when all of them are
durable: until then the first is whole. Then what only the first needed is removed.

Everything here blocks and runs in a thread, or in a command.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
from collections.abc import Iterator
from contextlib import suppress

from attrs import asdict

from ...blobs.files import syscalls
from ...errors import Damaged, Unavailable
from ...immutable import frozen
from ...values import FIRST_STORE, BlobRef
from ..errors import AdminError

FORMAT = 2
"""The form of the manifest, and of what it names, that is read at most."""

PLAIN_FORMAT = 1
"""The form where all blobs are in the store "files", as in every backup while there was but one."""

_PREFIX = b"ozgate backup "

MANIFEST = "manifest.json"
KEY = "master.key"

_PIECE = 1 << 20

_LARGEST_MANIFEST = 16 << 20

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
"""A name that leads nowhere else."""

_SHA256 = re.compile(r"[0-9a-f]{64}")
_BLOB_ID = re.compile(r"[0-9a-f]{8,64}")

_STORE = re.compile(r"[a-z0-9][a-z0-9+.-]{0,31}")

_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)


@frozen
class Part:
    """A file that the manifest names.

    :ivar count: entries in it, where it is a list.
    """

    file: str
    bytes: int
    sha256: str
    count: int = 0


@frozen
class Manifest:
    """What belongs to a backup.

    :ivar ozgate: the version that made it.
    :ivar store: which store it is of: a backup of another one does not go into the same folder.
    :ivar made: the time whose state it has, in milliseconds since the epoch.
    :ivar blob_bytes: bytes of all blobs.
    :ivar damaged: ids of blobs that were missing or damaged when it was made.
    :ivar structure: what was wrong then with how the metadata are built.
    :ivar has_key: whether the master key is in it.
    """

    ozgate: str
    store: str
    made: int
    metadata: Part
    blobs: Part
    blob_bytes: int
    damaged: tuple[str, ...]
    structure: tuple[str, ...]
    has_key: bool
    format: int = PLAIN_FORMAT

    @classmethod
    def read(cls, folder: str) -> Manifest:
        """That of a folder.

        :raises AdminError: there is none, or not one that this version reads; one clear line.
        :raises StoreError: it cannot be read, or is damaged.
        """
        path = os.path.join(folder, MANIFEST)
        try:
            found = json.loads(read_file(folder, MANIFEST, _LARGEST_MANIFEST))
            if found["format"] > FORMAT:
                raise AdminError(
                    "INVALID_REQUEST",
                    f"the backup in {folder} has form {found['format']}, but this ozgate knows only up to {FORMAT}: use the newer ozgate that made it",
                )
            parts = {name: Part(**found.pop(name)) for name in ("metadata", "blobs")}
            lists = {name: tuple(found[name]) for name in ("damaged", "structure")}
            read = cls(**{**found, **parts, **lists})
            read.check()
            return read
        except FileNotFoundError:
            what = "it is no backup"
            if is_backup(folder):
                what = "the backup in it was interrupted; the next one into it completes it"
            message = f"{folder} has no {MANIFEST}: {what}"
            raise AdminError("INVALID_REQUEST", message) from None
        except OSError as error:
            raise Unavailable(f"{path} cannot be read: {error.strerror}") from None
        except (ValueError, KeyError, TypeError, AttributeError):
            raise Damaged(f"{path} is not what a backup wrote") from None

    def check(self) -> None:
        """Make sure that it names files of its own folder, and has values of the kinds that it should have.

        :raises ValueError: it does not.
        """
        for part in (self.metadata, self.blobs):
            numbers = (part.bytes, part.count)
            if not all(isinstance(each, int) and each >= 0 for each in numbers):
                raise ValueError("a number that is none")
            if not _PLAIN.fullmatch(part.file) or not _SHA256.fullmatch(part.sha256):
                raise ValueError("a name that is none")
        if not isinstance(self.made, int) or not isinstance(self.blob_bytes, int):
            raise ValueError("a number that is none")

    def write(self, folder: str) -> None:
        """Make it that of a folder, whose other files are durable."""
        text = json.dumps(asdict(self), indent=2) + "\n"
        path = os.path.join(folder, MANIFEST)
        write_file(f"{path}.new", [text.encode()])
        with syscalls.translated(f"writing {path}"):
            syscalls.rename(f"{path}.new", path)
            syscalls.fsync_folder(folder)


class BackupFolder:
    """A folder that a backup is made in.

    :ivar earlier: the manifest of the backup that is in it; ``None`` when there is none yet.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.earlier: Manifest | None = None
        self._lock = -1

    def open(self) -> None:
        """Make it ready, and keep others out.

        :raises AdminError: another folder is needed; one clear line.
        :raises StoreError: it cannot be used, likewise.
        """
        try:
            with syscalls.translated(f"a backup cannot be made in {self.path}"):
                self._open()
        except BaseException as error:
            self.close()
            if getattr(error.__cause__, "errno", 0) in _FORBIDDEN:
                raise AdminError(
                    "PERMISSION_DENIED",
                    f"the service may not write to {self.path}: let its user do so (under systemd ReadWritePaths, too), or give another folder",
                    403,
                ) from error
            raise

    def _open(self) -> None:
        if not os.path.isdir(self.path):
            syscalls.mkdir(self.path)
            syscalls.fsync_folder(os.path.dirname(self.path))
        elif os.stat(self.path).st_uid not in (0, os.geteuid()):
            # Whose it is could have links in it that lead elsewhere.
            message = f"{self.path} is another user's"
            raise AdminError("INVALID_REQUEST", message)
        mark = self.file("FORMAT")
        # Killed before it had its name, the mark is made anew.
        names = set(syscalls.listdir(self.path)) - {"lost+found", "FORMAT.new"}
        if not names:
            write_file(f"{mark}.new", [_PREFIX + b"%d\n" % PLAIN_FORMAT])
            syscalls.rename(f"{mark}.new", mark)
        elif "FORMAT" not in names:
            raise AdminError(
                "INVALID_REQUEST",
                f"{self.path} holds {min(names)!r} and no backup: give a new folder, an empty one, or one with an earlier backup",
            )
        self._lock = syscalls.open_regular(mark)
        if not syscalls.pread(self._lock, 64, 0).startswith(_PREFIX):
            message = f"{mark} does not say that a backup is there"
            raise AdminError("INVALID_REQUEST", message)
        try:
            syscalls.lock(self._lock)
        except BlockingIOError:
            message = f"another process makes a backup in {self.path}"
            raise AdminError("INVALID_REQUEST", message, 409) from None
        if MANIFEST in names:
            self.earlier = Manifest.read(self.path)
        self._make("blobs")
        for n in range(256):
            self._make(f"blobs/{n:02x}")
        syscalls.fsync_folder(self.file("blobs"))
        syscalls.fsync_folder(self.path)

    def _make(self, name: str) -> None:
        with suppress(FileExistsError):
            syscalls.mkdir(self.file(name))
        if os.path.islink(self.file(name)):
            message = f"{self.file(name)} is a link: what a backup has is in its folder"
            raise AdminError("INVALID_REQUEST", message)

    def close(self) -> None:
        """Let others in."""
        fd, self._lock = self._lock, -1
        if fd >= 0:
            syscalls.close(fd)

    def file(self, name: str) -> str:
        """The path of a file in it."""
        return os.path.join(self.path, name)

    def blob(self, blob: BlobRef) -> str:
        """The path of a blob in it."""
        return self.file(blob_name(blob))

    def sync_blobs(self) -> None:
        """Make the names of all blobs durable."""
        with syscalls.translated(f"a backup cannot be made in {self.path}"):
            for n in range(256):
                syscalls.fsync_folder(self.file(f"blobs/{n:02x}"))

    def stored(self, ending: str) -> dict[str, list[str]]:
        """Ids in one of the folders of blobs, by blob store."""
        with syscalls.translated(f"listing {self.path}"):
            names = syscalls.listdir(self.file(f"blobs/{ending}"))
        found: dict[str, list[str]] = {}
        for name in names:
            blob_id, _, store = name.partition(".")
            found.setdefault(store or FIRST_STORE, []).append(blob_id)
        return found

    def remove(self, names: list[str]) -> None:
        """Remove files. What cannot be removed now, the next backup removes."""
        for name in names:
            with suppress(OSError):
                syscalls.unlink(self.file(name))

    def remove_others(self, kept: Manifest) -> None:
        """Remove the lists and metadata that belong to no backup."""
        ours = {kept.metadata.file, kept.blobs.file}
        with suppress(OSError):
            names = syscalls.listdir(self.path)
            self.remove(
                [
                    name
                    for name in names
                    if name.startswith(("metadata-", "blobs-")) and name not in ours
                ]
            )


def is_backup(folder: str) -> bool:
    """Whether a folder has a backup, or one that was begun.

    :raises OSError: it cannot be looked into.
    """
    try:
        return read_file(folder, "FORMAT", 64).startswith(_PREFIX)
    except OSError as error:
        # A link, or what is no file, no backup wrote.
        if error.errno in (errno.ENOENT, errno.EINVAL, errno.ELOOP):
            return False
        raise


def read_file(folder: str, name: str, most: int) -> bytes:
    """What a file of a folder begins with; no link is followed.

    :param most: bytes that are read at most.
    :raises OSError: it cannot be read, or is no file.
    """
    with open(syscalls.open_within(folder, name), "rb") as file:
        return file.read(most)


def blob_name(blob: BlobRef) -> str:
    """The place of a blob in a backup."""
    store = "" if blob.store == FIRST_STORE else f".{blob.store}"
    return f"blobs/{blob.id[-2:]}/{blob.id}{store}"


def line_of(blob: BlobRef) -> bytes:
    """The line of a blob in the list."""
    store = "" if blob.store == FIRST_STORE else f" {blob.store}"
    return f"{blob.id} {blob.length} {blob.crc64nvme:016x}{store}\n".encode()


def listed_blobs(folder: str, manifest: Manifest) -> Iterator[BlobRef]:
    """The blobs of a backup, whose list has been checked.

    :raises Damaged: it has something else in it.
    """
    with open(syscalls.open_within(folder, manifest.blobs.file), "rb") as file:
        for line in file:
            try:
                blob_id, length, crc, *more = line.decode("ascii").split()
                [store] = more or [FIRST_STORE]
                blob = BlobRef(store, blob_id, int(length), int(crc, 16))
            except ValueError:
                raise Damaged(f"{line[:80]!r} is no line of a blob") from None
            if not _BLOB_ID.fullmatch(blob_id):
                raise Damaged(f"{blob_id!r} is no blob's id")
            if not _STORE.fullmatch(store):
                raise Damaged(f"{store!r} is no blob store's name")
            yield blob


def write_file(path: str, pieces: list[bytes]) -> None:
    """Write a file anew, and make it durable, but for its name.

    :raises StoreError: the disk failed.
    """
    with syscalls.translated(f"writing {path}"):
        with suppress(FileNotFoundError):
            syscalls.unlink(path)
        fd = syscalls.open_new(path)
        try:
            for piece in pieces:
                syscalls.writev(fd, [piece])
            syscalls.fsync(fd)
        finally:
            syscalls.close(fd)


def remove_log(path: str) -> None:
    """Remove what SQLite left beside a database that was closed.

    :raises StoreError: its log still holds a part of it, for the disk failed.
    """
    with syscalls.translated(f"finishing {path}"):
        for name in (f"{path}-wal", f"{path}-shm"):
            if not os.path.exists(name):
                continue
            if name.endswith("-wal") and os.path.getsize(name):
                raise Unavailable(f"{path} could not be written whole")
            syscalls.unlink(name)


def summed(folder: str, file: str, count: int = 0) -> Part:
    """A file's entry for the manifest; the file is made durable.

    :raises StoreError: it cannot be read.
    """
    path = os.path.join(folder, file)
    digest, size = hashlib.sha256(), 0
    with syscalls.translated(f"reading {path}"):
        fd = syscalls.open_within(folder, file)
        try:
            syscalls.fsync(fd)
            while piece := syscalls.pread(fd, _PIECE, size):
                digest.update(piece)
                size += len(piece)
        finally:
            syscalls.close(fd)
    return Part(file, size, digest.hexdigest(), count)


def check_part(folder: str, part: Part) -> None:
    """Hold a file against the manifest.

    :raises StoreError: it is another one, or not there.
    """
    found = summed(folder, part.file, part.count)
    if found != part:
        raise Damaged(f"{os.path.join(folder, part.file)} is not what the backup wrote")
