"""The folder that holds everything ozgate stores: made private, and used by one process at a time."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import time
from pathlib import Path

from ...blobs.files import syscalls
from ...config.sitefile import ConfigurationError
from .backupfolder import is_backup

MARKS = {
    "lock",
    "metadata.db",
    "metadata.db-journal",
    "blobs",
    "master.key",
    "admin.sock",
}
"""Names that a data folder has, some of them even when only a part of it was copied, or a power cut took the rest."""


PATIENCE, REST = 5.0, 0.02
"""Seconds that workers of a process have to end once that is dead, and seconds between two looks."""

RESTORING = "restoring"
"""The folder in which a restore makes everything, until all of it is in its place."""


class DataFolder:
    """A data folder held by this process.

    It is locked by ``flock`` on a file in it, which a daemon inherits from the process that
    forked it, and which the kernel releases whatever way the process ends. Workers of the process inherit it, too: until the last of them has
    ended nobody else has the folder.

    :ivar lock: the descriptor of that file.
    :ivar former: the id of the process that held it before, which is dead then; ``""`` where there was none, or none is known.
    :raises ConfigurationError: it cannot be made or written to, holds what is not ours, or another process holds it.
    """

    def __init__(self, path: str) -> None:
        self.path = os.path.abspath(path)
        try:
            _make(self.path)
            _check_ours(self.path)
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
            self.lock = os.open(Path(self.path, "lock"), flags, 0o600)
        except OSError as error:
            raise ConfigurationError(
                f"the data folder {self.path} cannot be used ({error.strerror}): give --data a folder that this user may write to"
            ) from None
        try:
            _take(self.lock)
        except OSError:
            pid, _ = _signature(self.lock)
            os.close(self.lock)
            raise ConfigurationError(
                f"the data folder {self.path} is in use by process {pid or 'unknown'}: stop that one, or give --data another folder"
            ) from None
        _, self.former = _signature(self.lock)

    def sign(self, process: str = "") -> None:
        """Write down which process holds it; to be called in the process that stays.

        :param process: its id, once what :attr:`former` left has ended. Until then the next one has to know of that.
        """
        signature = f"{os.getpid()} {process or self.former}\n".encode()
        # In this order: whoever dies in between leaves what was there.
        os.pwrite(self.lock, signature, 0)
        os.ftruncate(self.lock, len(signature))

    def release(self) -> None:
        """Let another process have it."""
        os.close(self.lock)


def _take(lock: int) -> None:
    """Lock it. Where who held it is dead, its workers are about to be.

    :raises OSError: another process has it.
    """
    for _ in range(round(PATIENCE / REST)):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            pid, _ = _signature(lock)
            if not pid.isdigit() or os.path.exists(f"/proc/{pid}"):
                raise
            time.sleep(REST)
        else:
            return
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _signature(lock: int) -> tuple[str, str]:
    """The pid and the id in a lock file; ``""`` for what is not there. Processes before this schema had no id."""
    pid, _, process = os.pread(lock, 256, 0).decode("ascii", "replace").partition(" ")
    return pid.strip(), process.strip()


def _check_ours(path: str) -> None:
    """Stay out of a home, or a checkout: a data folder is taken over whole, and made private.

    :raises ConfigurationError: it holds something, and nothing of ours, or a backup.
    :raises OSError: it cannot be looked into.
    """
    if is_backup(path):
        raise ConfigurationError(
            f"the data folder {path} is a backup: bring it back into another folder with 'ozgate admin restore {path} --data FOLDER'"
        )
    # A new file system has lost+found; a home that nobody lives in has its hidden files.
    names = {name for name in os.listdir(path) if name[0] != "."} - {"lost+found"}
    if RESTORING in names:
        raise ConfigurationError(
            f"the data folder {path} holds {RESTORING!r}: a restore into it is under way, or was interrupted; if none is, empty the folder and restore again"
        )
    if names and not names & MARKS:
        raise ConfigurationError(
            f"the data folder {path} is no data folder: it has {min(names)} in it; give --data a new folder, or an empty one"
        )


def _make(path: str) -> None:
    """Make a folder, with those above it, so that its name outlives a power cut.

    :raises OSError: it cannot be made.
    """
    above = os.path.dirname(path)
    if not os.path.isdir(above):
        _make(above)
    try:
        os.mkdir(path, 0o700)
    except FileExistsError:
        if not os.path.isdir(path):
            raise NotADirectoryError(errno.ENOTDIR, "it is a file") from None
        # Whoever made it may not have come as far as this; but a folder above it need not be ours to read.
        with contextlib.suppress(OSError):
            syscalls.fsync_folder(above)
    else:
        syscalls.fsync_folder(above)
