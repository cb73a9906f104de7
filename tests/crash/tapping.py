"""Every call that blobs and SQLite make on files, passed through one :class:`Tap`.

Of blobs, the functions of :mod:`ozgate.blobs.files.syscalls` are replaced. Of SQLite, its "unix" VFS is copied, in the very
library that Python's ``sqlite3`` uses, and the copy is the default while tapped (:mod:`tests.crash.sqlitevfs`)::

    with tapped(Failing(17, errno.EIO)):
        ...

Needs neither S3 nor Twisted.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from threading import RLock
from typing import Any, Protocol, TypeVar
from unittest.mock import patch

from attrs import define, field, frozen

from ozgate.blobs.files import syscalls
from tests.crash import sqlitevfs

__all__ = [
    "DURABLE",
    "Call",
    "Counting",
    "Ending",
    "Failing",
    "Real",
    "Recording",
    "Shortening",
    "Tap",
    "tapped",
    "unavailable",
]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

DURABLE = frozenset(
    "create create_unnamed write truncate sync sync_folder link rename unlink mkdir".split()
)
"""Kinds of calls that change what a disk holds, or make it durable."""

_KINDS = {
    "allocate": "allocate",
    "close": "close",
    "drop_cache": "advise",
    "free": "size",
    "fsync": "sync",
    "fsync_folder": "sync_folder",
    "is_at": "size",
    "link": "link",
    "link_unnamed": "link",
    "listdir": "listdir",
    "lock": "lock",
    "mkdir": "mkdir",
    "open_named": "open",
    "open_new": "create",
    "open_regular": "open",
    "open_unnamed": "create_unnamed",
    "open_within": "open",
    "pread": "read",
    "preadv_nowait": "read_nowait",
    "rename": "rename",
    "size": "size",
    "stamp": "size",
    "start_writeback": "writeback",
    "unlink": "unlink",
    "will_need": "advise",
    "writev": "write",
    "written": "size",
}
"""What each function of :mod:`ozgate.blobs.files.syscalls` is called here."""

unavailable = sqlitevfs.unavailable


@frozen
class Call:
    """One call.

    :ivar kind: ``open``, ``create`` (a file with a name), ``create_unnamed``, ``read``, ``read_nowait``,
        ``write``, ``truncate`` (to ``size``), ``sync``, ``sync_folder``, ``link``, ``rename``, ``unlink``, ``mkdir``, ``listdir``,
        ``lock``, ``allocate``, ``writeback``, ``advise``, ``size``, ``close``.
    :ivar path: of the file or folder. One without a name has one here, as in ``data/3f/#17``, and keeps it.
    :ivar offset: of what is written or read.
    :ivar data: what is written.
    :ivar size: bytes written or read; the length after a truncation.
    :ivar target: the new name of ``link`` and ``rename``.
    :ivar layer: ``blobs`` or ``sqlite``.
    """

    kind: str
    path: str
    offset: int = 0
    data: bytes | None = field(default=None, repr=False)
    size: int = 0
    target: str = ""
    layer: str = "blobs"


class Real(Protocol[T_co]):
    """Does the call.

    :param most: of a write or read, how many bytes are done at most.
    :raises OSError: it failed.
    """

    def __call__(self, most: int | None = None) -> T_co: ...


class Tap:
    """Lets every call through. Calls come from any thread."""

    def call(self, call: Call, real: Real[T]) -> T:
        """Do a call, or not.

        :raises OSError: to make it fail; SQLite is told what its own VFS would tell it for that error.
        """
        return real()


@define
class Counting(Tap):
    """Counts, and does something else to the call of a number.

    :ivar at: number of that call, from 1; 0 for none.
    :ivar wanted: which calls are counted.
    :ivar count: calls so far.
    """

    at: int = 0
    wanted: Callable[[Call], bool] = lambda call: call.kind in DURABLE
    count: int = 0
    _lock: Any = field(factory=RLock, repr=False)

    def call(self, call: Call, real: Real[T]) -> T:
        """See :class:`Tap`."""
        if not self.wanted(call):
            return real()
        with self._lock:
            self.count += 1
            reached = self.count == self.at
        return self.reached(call, real) if reached else real()

    def reached(self, call: Call, real: Real[T]) -> T:
        """The call of that number."""
        return real()


@define
class Failing(Counting):
    """Fails a call with an error of the operating system.

    :ivar number: the error.
    :ivar lasting: whether every call after it fails too, as on a disk that stays full.
    :ivar done_first: whether the call takes effect before it fails.
    """

    number: int = 5
    lasting: bool = False
    done_first: bool = False

    def call(self, call: Call, real: Real[T]) -> T:
        """See :class:`Tap`."""
        if self.lasting and self.at and self.count >= self.at and self.wanted(call):
            self.count += 1
            return self.reached(call, real)
        return Counting.call(self, call, real)

    def reached(self, call: Call, real: Real[T]) -> T:
        """Fail it."""
        if self.done_first:
            real()
        raise OSError(self.number, os.strerror(self.number))


@define
class Shortening(Counting):
    """Has a write or read do a part only.

    :ivar part: what part of its bytes.
    """

    part: float = 0.5

    def reached(self, call: Call, real: Real[T]) -> T:
        """Do a part."""
        return real(int(call.size * self.part))


@define
class Ending(Counting):
    """Ends the process at a call.

    :ivar part: what part of a write is done before; 0 for nothing, and then the call is not made at all.
    """

    part: float = 0.0

    def reached(self, call: Call, real: Real[T]) -> T:
        """Kill this process, as nothing can be told before it happens."""
        if self.part >= 1:
            real()
        elif self.part and call.kind == "write":
            real(int(call.size * self.part))
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("killed")


@define
class Recording(Tap):
    """Keeps the calls that succeeded.

    :ivar calls: in order of their ends.
    """

    wanted: Callable[[Call], bool] = lambda call: call.kind in DURABLE
    calls: list[Call] = field(factory=list)

    def call(self, call: Call, real: Real[T]) -> T:
        """See :class:`Tap`."""
        result = real()
        if self.wanted(call):
            self.calls.append(call)
        return result


class _Blobs:
    """What takes the place of the functions of :mod:`ozgate.blobs.files.syscalls`.

    :ivar paths: by descriptor, where it leads.
    :ivar positions: by descriptor, where the next write goes.
    """

    def __init__(self, tap: Tap) -> None:
        self._tap = tap
        self._paths: dict[int, str] = {}
        self._positions: dict[int, int] = {}
        self._unnamed = 0

    def replacement(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        """What takes the place of a function."""
        kind = _KINDS[name]
        if name == "open_within":
            return lambda folder, path: self._open(
                kind, lambda _: int(real(folder, path)), f"{folder}/{path}"
            )
        if name.startswith("open_"):
            return lambda path: self._open(kind, real, path)
        if name == "writev":
            return lambda fd, chunks: self._write(kind, real, fd, chunks)
        if name == "close":
            return lambda fd: self._close(kind, real, fd)
        if name in ("pread", "preadv_nowait"):
            return lambda fd, what, at: self._read(kind, real, fd, what, at)

        def call(first: int | str, *rest: Any) -> Any:
            path = first if isinstance(first, str) else self._path(first)
            target = rest[0] if kind in ("link", "rename") else ""
            made = Call(kind, path, target=target)
            return self._tap.call(made, lambda most=None: real(first, *rest))

        return call

    def _path(self, fd: int) -> str:
        return self._paths.get(fd, "?")

    def _open(self, kind: str, real: Callable[..., int], path: str) -> int:
        name = path
        if kind == "create_unnamed":
            self._unnamed += 1
            name = f"{path}/#{self._unnamed}"
        fd: int = self._tap.call(Call(kind, name), lambda most=None: real(path))
        self._paths[fd], self._positions[fd] = name, 0
        return fd

    def _close(self, kind: str, real: Callable[..., None], fd: int) -> None:
        path = self._paths.pop(fd, "?")
        try:
            self._tap.call(Call(kind, path), lambda most=None: None)
        except OSError:
            return  # as io.close does
        finally:
            real(fd)

    def _write(self, kind: str, real: Callable[..., int], fd: int, chunks: Any) -> int:
        data = b"".join(chunks)
        position = self._positions.get(fd, 0)

        def write(most: int | None = None) -> int:
            return real(fd, chunks if most is None else [data[:most]])

        made = Call(kind, self._path(fd), position, data, len(data))
        taken = self._tap.call(made, write)
        self._positions[fd] = position + taken
        return taken

    def _read(
        self, kind: str, real: Callable[..., Any], fd: int, what: Any, at: int
    ) -> Any:
        """``what`` is a count of bytes, or the buffer that they go to."""
        count = what if isinstance(what, int) else len(what)

        def read(most: int | None = None) -> Any:
            wanted = what
            if most is not None:
                wanted = most if isinstance(what, int) else what[:most]
            return real(fd, wanted, at)

        return self._tap.call(Call(kind, self._path(fd), at, size=count), read)


class _SQLite:
    """What the VFS tells of its calls, as calls for a tap."""

    def __init__(self, tap: Tap) -> None:
        self._tap = tap

    def __call__(
        self,
        kind: str,
        path: str,
        real: Real[int],
        offset: int = 0,
        data: bytes | None = None,
        size: int = 0,
    ) -> int:
        call = Call(kind, path, offset, data, size, layer="sqlite")
        return self._tap.call(call, real)


@contextmanager
def tapped(tap: Tap, sqlite: bool = True, reads: bool = True) -> Iterator[None]:
    """Have all calls pass a tap. Not to be nested.

    Databases opened meanwhile, and blobs, are tapped until the end of this; those opened before are not.

    :param sqlite: whether SQLite is tapped too.
    :param reads: whether SQLite's reads are.
    :raises Exception: what went wrong in a callback that SQLite cannot be told of.
    """
    blobs = _Blobs(tap)
    with ExitStack() as stack:
        for name in syscalls.__all__:
            replacement = blobs.replacement(name, getattr(syscalls, name))
            stack.enter_context(patch.object(syscalls, name, replacement))
        if sqlite:
            stack.enter_context(sqlitevfs.watched(_SQLite(tap), reads))
        yield
