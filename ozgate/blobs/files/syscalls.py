"""Every system call that blobs make on files, and none besides.

Thin on purpose: a test that counts, records, delays, fails, shortens or tears a call replaces a
function of this module. All but :func:`preadv_nowait` may block, and raise
``OSError``;
:func:`translated` makes store errors of those.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from ...errors import Absent, NoSpace, StoreError, Unavailable

__all__ = [
    "allocate",
    "close",
    "drop_cache",
    "free",
    "fsync",
    "fsync_folder",
    "is_at",
    "link",
    "link_unnamed",
    "listdir",
    "lock",
    "mkdir",
    "open_named",
    "open_new",
    "open_regular",
    "open_unnamed",
    "open_within",
    "pread",
    "preadv_nowait",
    "rename",
    "size",
    "stamp",
    "start_writeback",
    "unlink",
    "will_need",
    "writev",
    "written",
]

Stamp = tuple[int, int, int]
"""What :func:`stamp` gives."""

FULL = (errno.ENOSPC, errno.EDQUOT)
"""What a full disk says, and a quota of the operating system that is used up."""

CANNOT_LINK = (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP, errno.ENOSYS)
"""Another file system, or one without hard links, or too many of them."""

_LIBC = ctypes.CDLL(None, use_errno=True)
_KEEP_SIZE = 1
_RANGE_WRITE = 2


def store_error(doing: str, error: OSError) -> StoreError:
    """What stores raise for an error of the operating system.

    :param doing: what was being done, for the message: ``"writing a blob"``.
    :return: ``NoSpace`` when the disk or a quota is full, ``Absent`` when there is no such
        file, ``Unavailable`` for anything else.
    """
    message = f"{doing}: {error.strerror or error}"
    if error.errno in FULL:
        return NoSpace(message)
    if error.errno == errno.ENOENT:
        return Absent(message)
    return Unavailable(message)


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Raise ``OSError`` as :func:`store_error`."""
    try:
        yield
    except OSError as error:
        raise store_error(doing, error) from error


def open_unnamed(folder: str) -> int:
    """Open a new file without a name; it is gone when closed, unless linked."""
    return os.open(folder, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)


def open_new(path: str) -> int:
    """Create a file that must not be there yet."""
    return os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600)


def open_named(path: str) -> int:
    """Open a file for reading.

    A file server may say that what a name led to a moment ago is stale: another machine replaced or removed it. The kernel looks once more where it
    can; said again, there is no such file. Source: nfs(5) of Linux, "Directory entry caching".
    """
    flags = os.O_RDONLY | os.O_CLOEXEC
    try:
        return os.open(path, flags)
    except OSError as error:
        if error.errno != errno.ESTALE:
            raise
    try:
        return os.open(path, flags)
    except OSError as error:
        if error.errno != errno.ESTALE:
            raise
        raise FileNotFoundError(
            errno.ENOENT, os.strerror(errno.ENOENT), path
        ) from error


def open_regular(path: str) -> int:
    """Open a file for reading that is nothing else: no link, which leads elsewhere, no device, and no pipe, which waits."""
    return _open_regular(path, None)


def _open_regular(path: str, folder: int | None) -> int:
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    fd = os.open(path, flags, dir_fd=folder)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise OSError(errno.EINVAL, "it is no regular file", path)
    return fd


def open_within(folder: str, name: str) -> int:
    """Open a regular file inside of a folder for reading, by way of no link.

    :param name: relative, with ``/`` between folders.
    """
    *above, last = name.split("/")
    flags = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC
    at = os.open(folder, flags)
    try:
        for each in above:
            below = os.open(each, flags | os.O_NOFOLLOW, dir_fd=at)
            os.close(at)
            at = below
        return _open_regular(last, at)
    finally:
        os.close(at)


def close(fd: int) -> None:
    """Close a descriptor. Says nothing of an error: by then ``fsync`` has reported, or nobody cares."""
    try:
        os.close(fd)
    except OSError:
        return


def size(fd: int) -> int:
    """Bytes in a file."""
    return os.fstat(fd).st_size


def stamp(fd: int) -> Stamp:
    """What is another one once a file was changed or replaced: its size, its number, the time of its last change."""
    found = os.fstat(fd)
    return found.st_size, found.st_ino, found.st_ctime_ns


def is_at(fd: int, path: str) -> bool:
    """Whether a path leads to an open file."""
    return os.path.samestat(os.fstat(fd), os.stat(path))


def writev(fd: int, chunks: Sequence[bytes | memoryview]) -> int:
    """Append chunks, at most 1024 (``IOV_MAX``); returns how many bytes were taken, which may be fewer."""
    return os.writev(fd, chunks)


def pread(fd: int, count: int, offset: int) -> bytes:
    """Read; may give fewer bytes than asked for."""
    return os.pread(fd, count, offset)


def preadv_nowait(fd: int, buffer: memoryview, offset: int) -> int:
    """Read into a buffer what is in the page cache, without waiting for a disk.

    :return: bytes read; 0 when that takes waiting, when the file system cannot tell, or when it
        fails, which :func:`pread` then finds out.
    """
    try:
        return os.preadv(fd, [buffer], offset, os.RWF_NOWAIT)
    except OSError:
        return 0


def will_need(fd: int, offset: int, count: int) -> None:
    """Have the kernel read ahead."""
    os.posix_fadvise(fd, offset, count, os.POSIX_FADV_WILLNEED)


def drop_cache(fd: int, offset: int, count: int) -> None:
    """Have the kernel forget what it has cached, so that reading reads the disk. What is dirty or in use stays."""
    os.posix_fadvise(fd, offset, count, os.POSIX_FADV_DONTNEED)


def free(fd: int) -> int:
    """Bytes that the file system of a file can take, more or less."""
    found = os.fstatvfs(fd)
    return found.f_bavail * found.f_frsize


def allocate(fd: int, count: int) -> None:
    """Reserve room for the first ``count`` bytes, where the file system can; its size stays.

    Not ``posix_fallocate``, which writes every block where the file system cannot.

    :raises OSError: there is no room.
    """
    done = _LIBC.fallocate(
        fd, _KEEP_SIZE, ctypes.c_longlong(0), ctypes.c_longlong(count)
    )
    if done != 0 and (number := ctypes.get_errno()) in FULL:
        raise OSError(number, os.strerror(number))


def start_writeback(fd: int, offset: int, count: int) -> None:
    """Have the kernel begin to write dirty pages, so that ``fsync`` finds little left to do.

    Promises nothing and so fails silently; ``fsync`` is what reports.
    """
    _LIBC.sync_file_range(
        fd, ctypes.c_longlong(offset), ctypes.c_longlong(count), _RANGE_WRITE
    )


def fsync(fd: int) -> None:
    """Make a file durable. Once it failed, the file is lost: the kernel forgets the pages it could not write."""
    os.fsync(fd)


def fsync_folder(path: str) -> None:
    """Make the names in a folder durable."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def link_unnamed(fd: int, path: str) -> None:
    """Give a file of :func:`open_unnamed` its name; never replaces another."""
    # Only with a descriptor of a folder does Python call linkat(2) with AT_SYMLINK_FOLLOW, as open(2) asks for.
    os.link(f"/proc/self/fd/{fd}", path, src_dir_fd=fd, follow_symlinks=True)


def link(old: str, new: str) -> None:
    """Give a file a further name, on the same file system; never replaces another."""
    os.link(old, new)


def rename(old: str, new: str) -> None:
    """Rename a file."""
    os.rename(old, new)


def written(path: str) -> float:
    """When a file was written to, in seconds since the epoch, by the clock of whoever keeps it."""
    return os.stat(path).st_mtime


def unlink(path: str) -> None:
    """Remove a name."""
    os.unlink(path)


def mkdir(path: str) -> None:
    """Make a folder."""
    os.mkdir(path, 0o700)


def listdir(path: str) -> list[str]:
    """Names in a folder."""
    return os.listdir(path)


def lock(fd: int, shared: bool = False) -> None:
    """Lock a file for this process, or for all that share it; raises ``BlockingIOError`` when another has it that does not."""
    fcntl.flock(fd, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
