"""Whether SQLite's write-ahead log has lost what was acknowledged; asked before the log is used.

A checksum runs through all frames of the log (https://www.sqlite.org/walformat.html). SQLite reads them up to the first that does
not agree, and takes the rest for a transaction that a crash cut short. A bit that flipped ends the log just so, and what
was acknowledged after it would be missing without an error.

The two can be told apart. With ``synchronous=FULL`` a transaction is written once the one before is synced, so that a crash
cuts short the last one only. Each frame says how the checksum goes on from it, so that one can be checked by the frame
before it alone. Where such a frame comes after a commit, that commit was durable. What a transaction that was rolled back, or
the log before it began anew, left behind has other checksums or other salts, and has no frame after a commit.

Not to be told from a crash is damage to the very last transaction. In a log that was written with ``synchronous=NORMAL``
nothing can be told: :func:`mark_relaxed` says so, in a file beside it.
"""

from __future__ import annotations

import os
import sqlite3
import struct
from array import array
from collections.abc import Iterator
from contextlib import closing, suppress
from sys import byteorder

from attrs import define

from ...errors import Unavailable
from ...immutable import frozen

ACCEPTING = "ozgate.metadata.accept-lost-writes"
"""The property that has the service start all the same."""

_HEADER = struct.Struct(">8I")
"""Magic, version, page size, sequence of checkpoints, two salts, two sums."""

_FRAME = struct.Struct(">6I")
"""Page, size of the database after a commit or 0, two salts, two sums; the page follows."""

_MAGIC = 0x377F0682
"""Little-endian words are summed; with the last bit set, big-endian ones."""

_PAGE = 4096
"""Bytes of a page, where the header cannot be believed."""

_INDEX = struct.Struct("=16xI")
"""The beginning of ``-shm``: how many frames of the log are used."""

_WORD = 0xFFFFFFFF

Sums = tuple[int, int]


def check_log(path: str, accept: bool) -> str:
    """Look whether something is lost, before SQLite opens the database to write.

    :param path: of the database.
    :param accept: go on although something is.
    :return: what is lost; empty: nothing is, as far as can be told.
    :raises Unavailable: something is lost, and that is not accepted.
    """
    if is_marked_relaxed(path):
        return ""
    try:
        lost = _lost(path)
    except OSError as error:
        raise Unavailable(f"cannot read {path}-wal: {error.strerror}") from None
    if not lost:
        return ""
    said = f"metadata in {path}: the write-ahead log is damaged {lost}"
    if accept:
        return said
    raise Unavailable(
        f"{said}: restore a backup; or, after a copy of the folder, start once with {ACCEPTING}=true, which goes on"
        " without them, and look at the rest with 'ozgate admin fsck'"
    )


def mark_relaxed(path: str) -> None:
    """Note, durably, that the log may have gaps from now on.

    :raises OSError: it cannot be noted.
    """
    folder = os.path.dirname(path) or "."
    for name, flags in (
        (_marker(path), os.O_WRONLY | os.O_CREAT),
        (folder, os.O_DIRECTORY),
    ):
        fd = os.open(name, flags | os.O_CLOEXEC, 0o600)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


def is_marked_relaxed(path: str) -> bool:
    """Whether the log may have gaps."""
    return os.path.exists(_marker(path))


def unmark_relaxed(path: str) -> None:
    """Note that it has none: it is empty, and what comes is synced. Should the note be lost, a check is left out."""
    with suppress(OSError):
        if is_marked_relaxed(path):
            # Nor does a power cut bring back what was in it.
            fd = os.open(f"{path}-wal", os.O_RDWR | os.O_CLOEXEC)
            try:
                os.fsync(fd)
            finally:
                os.close(fd)
            os.unlink(_marker(path))


def _marker(path: str) -> str:
    return f"{path}-relaxed"


def _lost(path: str) -> str:
    """What is lost, in the middle of a sentence; empty when nothing is."""
    try:
        with open(f"{path}-wal", "rb", buffering=0) as file:
            size = os.fstat(file.fileno()).st_size
            if size < _HEADER.size + _FRAME.size:
                return ""
            used = _frames_used(path)
            log = Log.of(file.fileno(), size)
            if log.is_sound:
                return log.lost_after(used)
            return log.lost_by_header()
    except FileNotFoundError:
        return ""
    except sqlite3.Error:
        # What it cannot open to be read, it speaks of when it is opened to be written.
        return ""


def _frames_used(path: str) -> int:
    """How many frames SQLite makes use of: it knows at once, where Python would take a second for 80 MB.

    A connection that cannot write leaves the log as it is when it closes. The index is read after that: a process that closes
    the file itself loses SQLite's locks on it.
    """
    with closing(
        sqlite3.connect(f"file:{_quoted(path)}?mode=ro", uri=True)
    ) as connection:
        connection.execute("SELECT 1 FROM sqlite_master").fetchone()
    with open(f"{path}-shm", "rb") as file:
        (frames,) = _INDEX.unpack(file.read(_INDEX.size))
    return int(frames)


def _quoted(path: str) -> str:
    for special in "%?#":
        path = path.replace(special, f"%{ord(special):02x}")
    return path


def _sums(data: bytes, seed: Sums, big: bool) -> Sums:
    """The checksum of some bytes after those that ``seed`` is of."""
    words = array("I", data)
    if big != (byteorder == "big"):
        words.byteswap()
    first, second = seed
    pairs = iter(words)
    for even, odd in zip(pairs, pairs, strict=True):
        first = (first + even + second) & _WORD
        second = (second + odd + first) & _WORD
    return first, second


@frozen
class Frame:
    """What a frame says before its page.

    :ivar pages: of the database after the commit that it ends; 0 when it ends none.
    :ivar sums: of the log up to its end.
    :ivar place: in the log, in bytes.
    """

    page: int
    pages: int
    salts: Sums
    sums: Sums
    place: int


@define
class Log:
    """A log as it is in its file.

    :ivar is_sound: whether its header agrees with the sums in it.
    :ivar stated: the sums in the header, with which those of the frames go on.
    :ivar counted: the sums of the header.
    """

    fd: int
    size: int
    page_size: int
    big: bool
    salts: Sums
    stated: Sums
    counted: Sums
    is_sound: bool

    @classmethod
    def of(cls, fd: int, size: int) -> Log:
        """The log in an open file."""
        data = os.pread(fd, _HEADER.size, 0)
        magic, _, page_size, _, *rest = _HEADER.unpack(data)
        big = bool(magic & 1)
        stated = (rest[2], rest[3])
        counted = _sums(data[:24], (0, 0), big)
        is_sound = magic & ~1 == _MAGIC and stated == counted
        salts = (rest[0], rest[1])
        return cls(fd, size, page_size, big, salts, stated, counted, is_sound)

    @property
    def frames(self) -> int:
        """How many frames there are."""
        return (self.size - _HEADER.size) // (_FRAME.size + self.page_size)

    def frame(self, number: int) -> Frame:
        """A frame; the first is 1."""
        place = _HEADER.size + (number - 1) * (_FRAME.size + self.page_size)
        page, pages, *rest = _FRAME.unpack(os.pread(self.fd, _FRAME.size, place))
        return Frame(page, pages, (rest[0], rest[1]), (rest[2], rest[3]), place)

    def body(self, frame: Frame) -> bytes:
        """What a frame has of the database: the number of the page, the size after a commit, the page."""
        whole = os.pread(self.fd, _FRAME.size + self.page_size, frame.place)
        return whole[:8] + whole[_FRAME.size :]

    def follows(self, frame: Frame, seed: Sums) -> bool:
        """Whether a frame was written after what has these sums."""
        if frame.salts != self.salts or not frame.page:
            return False
        return frame.sums == _sums(self.body(frame), seed, self.big)

    def lost_after(self, used: int) -> str:
        """What is lost after the frames that SQLite makes use of; empty when that may be nothing."""
        if not self._is_rot(used):
            return ""
        lost = sum(
            1
            for number in range(used + 1, self.frames + 1)
            if (frame := self.frame(number)).pages and frame.salts == self.salts
        )
        return (
            f"(frame {used + 1} of {self.frames}, or soon after), and what was acknowledged later cannot be read;"
            f" commits in it, each of one write or several: {lost}"
        )

    def _is_rot(self, used: int) -> bool:
        """Whether a frame follows a commit among those that are not used."""
        before = self.frame(used) if used else None
        sums = before.sums if before else self.stated
        after_commit = after_damaged = False
        for frame in self._frames_from(used + 1):
            follows = self.follows(frame, sums)
            if follows and after_commit and not self._is_padding(frame, before):
                return True
            if follows and after_damaged and frame.pages:
                # Two commits, of which the first is damaged, but what it says of the checksum is not.
                return True
            if frame.pages:
                after_commit, after_damaged = follows, not follows
            else:
                after_commit, after_damaged = False, after_damaged and follows
            before, sums = frame, frame.sums
        return False

    def _frames_from(self, number: int) -> Iterator[Frame]:
        return map(self.frame, range(number, self.frames + 1))

    def _is_padding(self, frame: Frame, before: Frame | None) -> bool:
        """Whether a frame repeats the commit before it: SQLite fills sectors so, where disks tear what lies beside a write."""
        return before is not None and self.body(frame) == self.body(before)

    def lost_by_header(self) -> str:
        """What is lost because the header is damaged; empty when that may be nothing.

        It was synced before the first frame was written. So a frame that follows it shows that it is damaged, and not torn.
        """
        if self._is_torn():
            return ""
        for page_size in {self.page_size, _PAGE}:
            if not 512 <= page_size <= 65536 or page_size & (page_size - 1):
                continue
            self.page_size = page_size
            if not self.frames:
                continue
            self.salts = self.frame(1).salts
            for self.big in (False, True):
                for seed in (self.stated, self.counted):
                    if commits := self._commits_from(seed):
                        return f"(its header), and cannot be read; commits in it, each of one write or several: {commits}"
        return ""

    def _is_torn(self) -> bool:
        """Whether all that is wrong with the header may be the sequence of checkpoints.

        So it is when a log begins anew and half of the new header is written over the old one. What the frames then hold is in the
        database. A change of that one word adds to the sums once and twice.
        """
        first, second = (
            (stated - counted) & _WORD
            for stated, counted in zip(self.stated, self.counted, strict=True)
        )
        return second == 2 * first & _WORD

    def _commits_from(self, sums: Sums) -> int:
        """How many whole transactions follow the header."""
        commits = 0
        for frame in self._frames_from(1):
            if not self.follows(frame, sums):
                break
            commits += bool(frame.pages)
            sums = frame.sums
        return commits
