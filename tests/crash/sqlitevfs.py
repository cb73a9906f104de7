"""SQLite's own "unix" VFS with a watcher between it and SQLite.

The library is the one that Python's ``sqlite3`` has loaded already; ``ctypes`` finds it by its path. Watched are the
database, its write-ahead log and its rollback journal. The ``-shm`` file is none of a disk's business: SQLite
makes it anew from the log.
"""

from __future__ import annotations

import ctypes
import errno
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ctypes import (
    CFUNCTYPE,
    POINTER,
    Structure,
    byref,
    c_char_p,
    c_int,
    c_int64,
    c_void_p,
    cast,
)
from functools import cache
from typing import Any

_OK, _CANTOPEN, _FULL = 0, 14, 13
_IOERR = 10
_FAILURES = {
    "read": _IOERR | 1 << 8,
    "write": _IOERR | 3 << 8,
    "sync": _IOERR | 4 << 8,
    "truncate": _IOERR | 6 << 8,
    "unlink": _IOERR | 10 << 8,
    "close": _IOERR | 16 << 8,
    "open": _CANTOPEN,
    "create": _CANTOPEN,
    # SQLite goes on when a folder cannot be opened, to be synced.
    "sync_folder": _CANTOPEN,
}
_SHORT_READ = _IOERR | 2 << 8
_DELETE_NOENT = _IOERR | 23 << 8

_WATCHED = 0x100 | 0x800 | 0x80000
"""SQLITE_OPEN_MAIN_DB, _MAIN_JOURNAL, _WAL."""

Watcher = Callable[..., int]
"""``watcher(kind, path, real, offset, data, size)``: calls ``real``, which gives SQLite's code, or raises
``OSError``."""


class _VFS(Structure):
    """``sqlite3_vfs``, version 3."""


_X_OPEN = CFUNCTYPE(c_int, POINTER(_VFS), c_void_p, c_void_p, c_int, POINTER(c_int))
_X_DELETE = CFUNCTYPE(c_int, POINTER(_VFS), c_char_p, c_int)
_X_SET_SYSTEM_CALL = CFUNCTYPE(c_int, POINTER(_VFS), c_char_p, c_void_p)
_X_GET_SYSTEM_CALL = CFUNCTYPE(c_void_p, POINTER(_VFS), c_char_p)
_VFS._fields_ = [
    ("iVersion", c_int),
    ("szOsFile", c_int),
    ("mxPathname", c_int),
    ("pNext", c_void_p),
    ("zName", c_char_p),
    ("pAppData", c_void_p),
    ("xOpen", _X_OPEN),
    ("xDelete", _X_DELETE),
    # xAccess, xFullPathname, xDlOpen, xDlError, xDlSym, xDlClose, xRandomness, xSleep, xCurrentTime,
    # xGetLastError, xCurrentTimeInt64
    ("others", c_void_p * 11),
    ("xSetSystemCall", _X_SET_SYSTEM_CALL),
    ("xGetSystemCall", _X_GET_SYSTEM_CALL),
    ("xNextSystemCall", c_void_p),
]

_X_CLOSE = CFUNCTYPE(c_int, c_void_p)
_X_READ = CFUNCTYPE(c_int, c_void_p, c_void_p, c_int, c_int64)
_X_TRUNCATE = CFUNCTYPE(c_int, c_void_p, c_int64)
_X_SYNC = CFUNCTYPE(c_int, c_void_p, c_int)


class _Methods(Structure):
    """``sqlite3_io_methods``, version 3."""

    _fields_ = [
        ("iVersion", c_int),
        ("xClose", _X_CLOSE),
        ("xRead", _X_READ),
        ("xWrite", _X_READ),
        ("xTruncate", _X_TRUNCATE),
        ("xSync", _X_SYNC),
        # xFileSize, xLock, xUnlock, xCheckReservedLock, xFileControl, xSectorSize, xDeviceCharacteristics,
        # xShmMap, xShmLock, xShmBarrier, xShmUnmap, xFetch, xUnfetch
        ("others", c_void_p * 13),
    ]


class _File(Structure):
    """``sqlite3_file``, as far as every VFS has it."""

    _fields_ = [("pMethods", POINTER(_Methods))]


_OPEN_DIRECTORY = CFUNCTYPE(c_int, c_char_p, POINTER(c_int))


@cache
def _library() -> ctypes.CDLL | None:
    """The library that ``sqlite3`` uses, which is loaded already."""
    paths: list[str | None] = [None]
    with open("/proc/self/maps") as maps:
        for line in maps:
            mapped = line.split(maxsplit=5)[-1].strip()
            if "sqlite3" in os.path.basename(mapped) and mapped not in paths:
                paths.insert(0, mapped)
    for path in paths:
        try:
            library = ctypes.CDLL(path)
            library.sqlite3_libversion.restype = c_char_p
            library.sqlite3_vfs_find.restype = POINTER(_VFS)
            library.sqlite3_vfs_find.argtypes = [c_char_p]
            version = library.sqlite3_libversion().decode()
        except (OSError, AttributeError):
            continue
        if version == sqlite3.sqlite_version and library.sqlite3_vfs_find(b"unix"):
            return library
    return None


def unavailable() -> str | None:
    """Why SQLite cannot be watched here; ``None`` when it can."""
    try:
        found = _library()
    except OSError as error:
        return f"SQLite's library cannot be looked for: {error}"
    if found is None:
        return "the functions of the SQLite that Python's sqlite3 has are not to be reached with ctypes"
    return None


class _Watching:
    """The VFS of a process. Made once and never freed: connections may outlive the watching.

    A file belongs to the watcher that saw it opened. What a connection left from an earlier watching does, when the garbage
    collector closes it for one, is no business of a later watcher.

    :ivar watcher: who is asked about calls; ``None`` for nobody.
    :ivar reads: whether about reads too.
    :ivar failures: of the watcher, which SQLite cannot be told of.
    """

    def __init__(self, library: ctypes.CDLL) -> None:
        self.watcher: Watcher | None = None
        self.reads = True
        self.failures: list[BaseException] = []
        self._library = library
        self._original = library.sqlite3_vfs_find(b"unix")
        self._opened: dict[int, tuple[str, Watcher | None]] = {}
        self._tables: dict[int, tuple[_Methods, _Methods]] = {}
        unix = self._original.contents
        self._vfs = _VFS.from_buffer_copy(unix)
        self._vfs.zName = b"watched"
        self._vfs.xOpen = _X_OPEN(self._open)
        self._vfs.xDelete = _X_DELETE(self._delete)
        address = unix.xGetSystemCall(self._original, b"openDirectory")
        self._real_open_directory = _OPEN_DIRECTORY(address)
        self._open_directory = _OPEN_DIRECTORY(self._sync_folder)

    def start(self) -> None:
        """Be the default VFS."""
        self._library.sqlite3_vfs_register(byref(self._vfs), 1)
        self._set_open_directory(cast(self._open_directory, c_void_p))

    def stop(self) -> None:
        """Be it no more."""
        self._set_open_directory(None)
        self._library.sqlite3_vfs_register(self._original, 1)
        self._library.sqlite3_vfs_unregister(byref(self._vfs))

    def _set_open_directory(self, function: c_void_p | None) -> None:
        unix = self._original.contents
        assert unix.xSetSystemCall(self._original, b"openDirectory", function) == _OK

    def _ask(
        self, kind: str, path: str, real: Callable[..., int], *what: Any, **how: Any
    ) -> int:
        """Ask the watcher. No exception leaves: SQLite would not know what to do with it."""
        watcher = self.watcher
        if watcher is None:
            return real()
        try:
            return watcher(kind, path, real, *what, **how)
        except OSError as error:
            return _code(kind, error)
        except BaseException as error:
            self.failures.append(error)
            return _FAILURES[kind]

    # The VFS

    def _open(self, vfs: Any, name: int | None, file: int, flags: int, out: Any) -> int:
        unix = self._original.contents
        if not name or not flags & _WATCHED:
            return int(unix.xOpen(vfs, name, file, flags, out))
        path = os.fsdecode(ctypes.string_at(name))
        kind = "open" if os.path.exists(path) else "create"

        def real(most: int | None = None) -> int:
            return int(unix.xOpen(vfs, name, file, flags, out))

        opened = cast(file, POINTER(_File)).contents
        opened.pMethods = None  # SQLite closes what has methods, also when xOpen failed
        code = self._ask(kind, path, real)
        if opened.pMethods:
            self._opened[file] = path, self.watcher
            opened.pMethods = ctypes.pointer(self._table(opened.pMethods))
        return code

    def _delete(self, vfs: Any, name: bytes, sync_folder: int) -> int:
        def real(most: int | None = None) -> int:
            return int(self._original.contents.xDelete(vfs, name, 0))

        path = os.fsdecode(name)
        code = self._ask("unlink", path, real)
        if code == _OK and sync_folder:
            # What the unix VFS does in one call, as two for the watcher to see.
            folder = os.path.dirname(path)
            code = self._ask("sync_folder", folder, lambda most=None: _sync(folder))
            code = _OK if code == _CANTOPEN else code
        return code

    def _sync_folder(self, name: bytes, fd: Any) -> int:
        """SQLite opens the folder of a file for one reason only."""

        def real(most: int | None = None) -> int:
            return int(self._real_open_directory(name, fd))

        return self._ask("sync_folder", os.path.dirname(os.fsdecode(name)), real)

    # Files

    def _table(self, methods: Any) -> _Methods:
        """The methods of a file that is watched."""
        address = ctypes.addressof(methods.contents)
        if address not in self._tables:
            real = methods.contents
            table = _Methods.from_buffer_copy(real)
            table.xClose = _X_CLOSE(lambda file: self._close(real, file))
            table.xRead = _X_READ(
                lambda file, data, size, at: self._read(real, file, data, size, at)
            )
            table.xWrite = _X_READ(
                lambda file, data, size, at: self._write(real, file, data, size, at)
            )
            table.xTruncate = _X_TRUNCATE(
                lambda file, size: self._truncate(real, file, size)
            )
            table.xSync = _X_SYNC(lambda file, flags: self._sync(real, file, flags))
            self._tables[address] = table, real
        return self._tables[address][0]

    def _watched(self, file: int) -> bool:
        """Whether the one who watches now saw the file opened."""
        _, watcher = self._opened.get(file, (None, None))
        return watcher is not None and watcher is self.watcher

    def _close(self, methods: _Methods, file: int) -> int:
        code = _OK
        if self._watched(file):
            code = self._ask("close", self._opened[file][0], lambda most=None: _OK)
        self._opened.pop(file, None)
        return int(methods.xClose(file)) or code

    def _read(self, methods: _Methods, file: int, data: int, size: int, at: int) -> int:
        if not self.reads or not self._watched(file):
            return int(methods.xRead(file, data, size, at))

        def real(most: int | None = None) -> int:
            if most is None or most >= size:
                return int(methods.xRead(file, data, size, at))
            ctypes.memset(data, 0, size)
            return int(methods.xRead(file, data, most, at)) or _SHORT_READ

        return self._ask("read", self._opened[file][0], real, at, size=size)

    def _write(
        self, methods: _Methods, file: int, data: int, size: int, at: int
    ) -> int:
        def real(most: int | None = None) -> int:
            if most is None or most >= size:
                return int(methods.xWrite(file, data, size, at))
            # Less was written than asked for, and no error: unixWrite takes the disk to be full.
            return int(methods.xWrite(file, data, most, at)) or _FULL if most else _FULL

        if not self._watched(file):
            return real()
        written = ctypes.string_at(data, size)
        return self._ask("write", self._opened[file][0], real, at, written, size)

    def _truncate(self, methods: _Methods, file: int, size: int) -> int:
        def real(most: int | None = None) -> int:
            return int(methods.xTruncate(file, size))

        if not self._watched(file):
            return real()
        return self._ask("truncate", self._opened[file][0], real, size=size)

    def _sync(self, methods: _Methods, file: int, flags: int) -> int:
        def real(most: int | None = None) -> int:
            return int(methods.xSync(file, flags))

        if not self._watched(file):
            return real()
        return self._ask("sync", self._opened[file][0], real)


def _sync(folder: str) -> int:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
    return _OK


def _code(kind: str, error: OSError) -> int:
    """What the unix VFS gives for an error; a quota that is used up is none of a full disk for it."""
    if kind == "write" and error.errno == errno.ENOSPC:
        return _FULL
    if kind == "unlink" and error.errno == errno.ENOENT:
        return _DELETE_NOENT
    return _FAILURES[kind]


@cache
def _watching() -> _Watching:
    library = _library()
    assert library is not None, "ask unavailable() first"
    return _Watching(library)


@contextmanager
def watched(watcher: Watcher, reads: bool) -> Iterator[None]:
    """Ask a watcher about each call on a database that is opened meanwhile.

    :param reads: whether about reads too.
    :raises BaseException: what the watcher raised that is no ``OSError``.
    """
    watching = _watching()
    watching.failures.clear()
    watching.watcher, watching.reads = watcher, reads
    watching.start()
    try:
        yield
    finally:
        watching.stop()
        watching.watcher = None
    if watching.failures:
        raise watching.failures[0]


_PRNG_SEED = 28


def seed_randomness(seed: int) -> None:
    """Have SQLite draw the same numbers from here on, such as the salts of a write-ahead log.

    :param seed: not 0.
    """
    library = _library()
    assert library is not None, "ask unavailable() first"
    library.sqlite3_test_control(_PRNG_SEED, ctypes.c_int(seed), None)
