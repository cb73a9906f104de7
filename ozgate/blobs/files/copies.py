"""Blobs as files outside of their store: for backups and what becomes of them.

All functions here block and run in a thread.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from contextlib import suppress

from ...errors import Damaged
from ...values import BlobRef
from . import syscalls
from .blobfile import Trailer
from .wholeblobs import STEP, Verifier

Tell = Callable[[int], None]
"""Is told how many bytes were copied; what it raises ends the copying."""


Opens = Callable[[str], int]
"""Opens a file for reading."""


def nothing(_: int) -> None:
    """Be told, and do nothing."""


def is_copy(path: str, blob: BlobRef, opens: Opens | None = None) -> bool:
    """Whether a file looks like that blob's: its size and trailer do. It is not read."""
    try:
        fd = (opens or syscalls.open_regular)(path)
    except OSError:
        return False
    try:
        trailer = Trailer.read(fd)
    except (OSError, Damaged):
        return False
    finally:
        syscalls.close(fd)
    return (trailer.length, trailer.crc) == (blob.length, blob.crc64nvme)


def link_blob(source: str, target: str) -> bool:
    """Give a blob's file a further name.

    :return: whether that can be done; else it is to be copied.
    :raises StoreError: the disk failed, or there is no such blob.
    """
    with syscalls.translated("linking a blob"):
        try:
            syscalls.link(source, target)
        except OSError as error:
            if error.errno in syscalls.CANNOT_LINK:
                return False
            raise
    return True


def copy_blob(
    source: str, target: str, tell: Tell = nothing, opens: Opens | None = None
) -> None:
    """Copy a blob's file, checking every byte; it survives a power cut, but for its name.

    :raises Damaged: it is not what was written, and nothing is left of the copy.
    :raises StoreError: the disk failed, or there is no such blob.
    """
    verifier = Verifier(source, opens)
    try:
        verifier.open()
        with _Written(target) as written:
            while data := verifier.read():
                written.append(data)
                tell(len(data))
            written.append(verifier.footer)
            written.finish()
    finally:
        verifier.close()


def copy_file(
    source: str, target: str, tell: Tell = nothing, opens: Opens | None = None
) -> None:
    """Copy any file as it is; as for the rest see :func:`copy_blob`."""
    with syscalls.translated(f"copying {source}"):
        fd = (opens or syscalls.open_named)(source)
    try:
        with _Written(target) as written:
            at = 0
            while True:
                with syscalls.translated(f"reading {source}"):
                    data = syscalls.pread(fd, STEP, at)
                if not data:
                    break
                written.append(data)
                at += len(data)
                tell(len(data))
            written.finish()
    finally:
        syscalls.close(fd)


class _Written:
    """A new file, under another name until it is whole; a context manager, which leaves nothing of one that is not."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._staged = f"{path}.new"
        self._fd = -1

    def __enter__(self) -> _Written:
        with syscalls.translated(f"writing {self._path}"):
            with suppress(FileNotFoundError):
                syscalls.unlink(self._staged)
            self._fd = syscalls.open_new(self._staged)
        return self

    def __exit__(self, *_: object) -> None:
        fd, self._fd = self._fd, -1
        if fd >= 0:
            syscalls.close(fd)
            with suppress(OSError):
                syscalls.unlink(self._staged)

    def append(self, data: bytes | memoryview) -> None:
        """Add bytes."""
        with syscalls.translated(f"writing {self._path}"):
            rest = memoryview(data)
            while rest:
                taken = syscalls.writev(self._fd, [rest])
                if not taken:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                rest = rest[taken:]

    def finish(self) -> None:
        """It is whole."""
        with syscalls.translated(f"writing {self._path}"):
            syscalls.fsync(self._fd)
            syscalls.rename(self._staged, self._path)
        syscalls.close(self._fd)
        self._fd = -1
