"""The folders of a file blob store: made and checked when it is prepared, locked while it is open.

::

    FORMAT          "ozgate blobs 1"; locked by the process that prepares the store, and shared by those that have it open
    NAME            what blob references call the store, and what tells it from every other store of whatever name; absent
                    in a folder from the time when all were called "files", until it is prepared
    data/00 … ff    blobs, by the last two digits of their ids
    staging/        files being written, where the file system has no files without names

Everything here blocks and runs in a thread.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from ...errors import Unavailable
from ...values import FIRST_STORE
from . import syscalls

FORMAT = 1

PREFIX = b"ozgate blobs "
"""What stands before it in the file of that name."""

NAME = "NAME"
"""The file that says which store a folder is."""


class Folders:
    """The folders of one store.

    :param name: what blob references call it.
    :ivar identity: what tells it from every other; ``""`` until it is known, and while a full disk cannot keep it.
    :ivar unnamed: whether the file system has files without names (``O_TMPFILE`` and ``linkat``).
    """

    def __init__(self, path: str, name: str = FIRST_STORE) -> None:
        self.path = path
        self._name = name
        self.identity = ""
        self.unnamed = False
        self._lock = -1

    def folder(self, ending: str) -> str:
        """Where blobs go whose ids have that ending, of two digits or more."""
        return f"{self.path}/data/{ending[-2:]}"

    def staging(self, name: str) -> str:
        """Where a file with that name is while it is written."""
        return f"{self.path}/staging/{name}"

    def prepare(self) -> None:
        """Make what is missing, and remove what unfinished writes left, while nobody has the store open.

        :raises Unavailable: the folder cannot be used, or somebody has; the message says why in one line.
        """
        with self._made_usable():
            self._make(self.path)
            if not os.path.exists(f"{self.path}/FORMAT"):
                self._write_format(f"{self.path}/FORMAT")
            self._open_format()
            self._take()
            self._check_format()
            self._check_name()
            if not self.identity:
                self._identify()
            for folder in ("staging", "data"):
                self._make(f"{self.path}/{folder}")
            self._make_durable()
            self._make_fan_out()
            self._clear_staging()
            self._share()

    def open(self) -> None:
        """Find out what can be done here, beside others who have the store open.

        :raises Unavailable: the folder cannot be used, or is not prepared; the message says why in one line.
        """
        with self._made_usable():
            if self._lock < 0:
                self._open_format()
                self._share()
                self._check_format()
                self._check_name()
            self.unnamed = self._probe()

    @contextmanager
    def _made_usable(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self.close()
            raise Unavailable(
                f"blobs cannot be kept in {self.path}: {error.strerror or error}"
            ) from error
        except BaseException:
            self.close()
            raise

    def check_there(self) -> None:
        """Make sure that the folder is the one that was opened: what is not in another one is not lost.

        :raises Unavailable: it is another, or there is none.
        """
        with suppress(OSError):
            if syscalls.is_at(self._lock, f"{self.path}/FORMAT"):
                return
        raise Unavailable(
            f"{self.path} is not the folder any more that was opened: is its disk mounted?"
        )

    def close(self) -> None:
        """Release the lock."""
        fd, self._lock = self._lock, -1
        if fd >= 0:
            syscalls.close(fd)

    def _make(self, path: str) -> None:
        if os.path.isdir(path):
            return
        parent = os.path.dirname(os.path.abspath(path))
        self._make(parent)
        with suppress(FileExistsError):
            syscalls.mkdir(path)
        syscalls.fsync_folder(parent)

    def _make_durable(self) -> None:
        """Make the names made so far durable, whoever made them: a process before may have been killed just then."""
        syscalls.fsync_folder(self.path)
        with suppress(OSError):  # one that is not ours to read was not made here
            syscalls.fsync_folder(os.path.dirname(self.path))

    def _make_fan_out(self) -> None:
        data = f"{self.path}/data"
        there = set(syscalls.listdir(data))
        missing = [f"{n:02x}" for n in range(256) if f"{n:02x}" not in there]
        for name in missing:
            syscalls.mkdir(f"{data}/{name}")
        # Also when none is missing: whoever made them may not have come this far.
        syscalls.fsync_folder(data)

    def _check_format(self) -> None:
        path = f"{self.path}/FORMAT"
        text = syscalls.pread(self._lock, 64, 0)
        number = text.removeprefix(PREFIX).strip()
        if not text.startswith(PREFIX) or not number.isdigit():
            raise Unavailable(f"{path} does not say that ozgate keeps blobs there")
        if int(number) > FORMAT:
            raise Unavailable(
                f"blobs in {self.path} have format {int(number)}; this version of ozgate knows {FORMAT} at most"
            )

    def _check_name(self) -> None:
        """Refuse another store's folder: the sweep would find no name for anything in it."""
        name, self.identity = self._read_name()
        if name != self._name:
            raise Unavailable(
                f"the blobs in {self.path} are those of a store called {name!r}, not {self._name!r}: give it its own name, or the other one another folder"
            )

    def _read_name(self) -> tuple[str, str]:
        """The store's name and identity, as its folder has them."""
        try:
            fd = syscalls.open_named(f"{self.path}/{NAME}")
        except FileNotFoundError:
            text = FIRST_STORE
        else:
            try:
                text = syscalls.pread(fd, 128, 0).decode("ascii", "replace")
            finally:
                syscalls.close(fd)
        name, _, identity = text.strip().partition(" ")
        return name, identity.strip()

    def _open_format(self) -> None:
        try:
            self._lock = syscalls.open_named(f"{self.path}/FORMAT")
        except FileNotFoundError:
            raise Unavailable(f"{self.path} is not prepared to keep blobs") from None

    def _share(self) -> None:
        """Let others open what is prepared, but nobody prepare it."""
        self._take(shared=True)

    def _take(self, shared: bool = False) -> None:
        try:
            syscalls.lock(self._lock, shared)
        except BlockingIOError:
            raise Unavailable(
                f"blobs in {self.path} are in use by another process"
            ) from None

    def _identify(self) -> None:
        """Give it an identity. A full disk keeps none, and is none the less to be opened: the next start tries again."""
        try:
            self._write_name()
        except OSError as error:
            if error.errno not in syscalls.FULL:
                raise

    def _write_name(self) -> None:
        identity = os.urandom(8).hex()
        text = f"{self._name} {identity}\n"
        self._write(f"{self.path}/{NAME}", text.encode())
        self.identity = identity

    def _check_strangers(self) -> None:
        """Refuse a folder that is something else."""
        strangers = [
            name
            for name in syscalls.listdir(self.path)
            if name != NAME and not name.startswith(("FORMAT.", f"{NAME}.", ".nfs"))
        ]
        if strangers:
            raise Unavailable(
                f"{self.path} holds {min(strangers)!r} and no FORMAT: not a folder of ozgate's blobs"
            )

    def _write_format(self, path: str) -> None:
        self._check_strangers()
        self._write_name()
        self._write(path, PREFIX + b"%d\n" % FORMAT)

    def _write(self, path: str, text: bytes) -> None:
        with suppress(FileNotFoundError):
            syscalls.unlink(f"{path}.new")
        fd = syscalls.open_new(f"{path}.new")
        try:
            syscalls.writev(fd, [text])
            syscalls.fsync(fd)
        finally:
            syscalls.close(fd)
        syscalls.rename(f"{path}.new", path)
        syscalls.fsync_folder(self.path)

    def _clear_staging(self) -> None:
        for name in syscalls.listdir(f"{self.path}/staging"):
            syscalls.unlink(self.staging(name))

    def _probe(self) -> bool:
        """Find out whether files without names work; also whether one may write at all.

        On a full disk they are taken to work, and writes find out: what is there can still be read and deleted.
        """
        # Others may probe at the same time.
        path = self.staging(os.urandom(12).hex())
        try:
            return self._try_unnamed(path)
        except OSError as error:
            if error.errno not in syscalls.FULL:
                raise
            return True

    def _try_unnamed(self, path: str) -> bool:
        try:
            fd = syscalls.open_unnamed(f"{self.path}/data")
        except OSError as error:
            if error.errno in (errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL):
                self._try_staging(path)
                return False
            raise
        try:
            syscalls.link_unnamed(fd, path)
        except FileNotFoundError:
            return False  # no /proc
        finally:
            syscalls.close(fd)
        syscalls.unlink(path)
        return True

    def _try_staging(self, path: str) -> None:
        try:
            syscalls.close(syscalls.open_new(path))
        except OSError as error:
            if error.errno not in syscalls.FULL:
                raise
        else:
            syscalls.unlink(path)
