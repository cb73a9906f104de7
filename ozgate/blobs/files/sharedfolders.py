"""The folders of a file blob store on a file system that several machines share, such as NFS.

As :mod:`ozgate.blobs.files.folders` has them, but that others may have the store open whenever it is prepared: nothing relies on locks, which such a file
system may keep to each machine; what is made is made by linking, so that of two who make it one does; and what unfinished writes left goes only when no
living gateway writes it (:mod:`ozgate.blobs.temporarynames`). Everything here blocks and runs in a thread.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress

from ...errors import Unavailable
from ..blobids import FOLDERS
from ..clocks import check_clock
from ..temporarynames import is_left_over, temporary_name
from . import syscalls
from .folders import FORMAT, NAME, PREFIX, Folders


class SharedFolders(Folders):
    """The folders of one store.

    :param seconds: the clock that ids of blobs are made by.
    """

    def __init__(
        self, path: str, name: str, seconds: Callable[[], float] = time.time
    ) -> None:
        super().__init__(path, name)
        self._seconds = seconds

    def prepare(self) -> None:
        """Make what is missing, and remove what nobody writes any more; others may have the store open.

        :raises Unavailable: the folder cannot be used; the message says why in one line.
        """
        with self._made_usable():
            self._make(self.path)
            if not os.path.exists(f"{self.path}/FORMAT"):
                self._check_strangers()
                self._keep_name()
                self._keep("FORMAT", PREFIX + b"%d\n" % FORMAT)
            self._open_format()
            self._share()
            self._check_format()
            self._check_name()
            if not self.identity:
                # It is from the time before folders had one.
                self._identify()
            for folder in ("staging", "data"):
                self._make(f"{self.path}/{folder}")
            self._make_durable()
            self._make_fan_out()
            self._clear_staging()

    def check_there(self) -> None:
        """Make sure that the folder is the one that was opened: what is not in another one is not lost.

        :raises Unavailable: it is another, or there is none.
        """
        # Not by a descriptor: that of a file server which was started anew may be stale, and the folder the same.
        found: tuple[str, str] | None = None
        with suppress(OSError):
            found = self._read_name()
        if found != (self._name, self.identity):
            raise Unavailable(
                f"{self.path} is not the folder any more that was opened: is its file system mounted?"
            )

    def staging_name(self) -> str:
        """A new path for what is being written."""
        return self.staging(temporary_name())

    def _share(self) -> None:
        """Keep out who would have the folder for themselves, a service with a database of its own, where the file system can."""
        with suppress(OSError):
            super()._share()

    def _identify(self) -> None:
        try:
            self._keep_name()
        except OSError as error:
            if error.errno not in syscalls.FULL:
                raise
        else:
            self._check_name()

    def _keep_name(self) -> None:
        self._keep(NAME, f"{self._name} {os.urandom(8).hex()}\n".encode())

    def _keep(self, name: str, text: bytes) -> None:
        """Make a file, unless it is there, or another makes it meanwhile."""
        path = f"{self.path}/{name}"
        new = f"{path}.{temporary_name()}"
        fd = syscalls.open_new(new)
        try:
            syscalls.writev(fd, [text])
            syscalls.fsync(fd)
            try:
                syscalls.link(new, path)
            except OSError as error:
                if error.errno in syscalls.CANNOT_LINK:
                    syscalls.rename(new, path)
                elif not os.path.exists(path):
                    raise
        finally:
            syscalls.close(fd)
            with suppress(OSError):
                syscalls.unlink(new)
        syscalls.fsync_folder(self.path)

    def _make_fan_out(self) -> None:
        data = f"{self.path}/data"
        there = set(syscalls.listdir(data))
        for name in FOLDERS:
            if name not in there:
                with suppress(FileExistsError):
                    syscalls.mkdir(f"{data}/{name}")
        syscalls.fsync_folder(data)

    def _clear_staging(self) -> None:
        """Remove what nobody writes any more, by the clock of the file system."""
        now = self._now()
        check_clock(self._seconds(), now, self.path)
        for name in syscalls.listdir(f"{self.path}/staging"):
            if name.startswith(".nfs"):
                continue  # the kernel's, for what was removed while it was open; nfs(5)
            path = self.staging(name)
            with suppress(FileNotFoundError):
                if is_left_over(name, now - syscalls.written(path)):
                    syscalls.unlink(path)

    def _now(self) -> float:
        path = self.staging_name()
        syscalls.close(syscalls.open_new(path))
        try:
            return syscalls.written(path)
        finally:
            syscalls.unlink(path)

    def _probe(self) -> bool:
        """There are no files without names; also whether one may write at all."""
        self._try_staging(self.staging_name())
        return False
