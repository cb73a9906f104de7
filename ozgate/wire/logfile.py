"""A log file that lines are added to cheaply, and that does not grow without end."""

from __future__ import annotations

import fcntl
import os
import stat
from contextlib import suppress
from typing import TYPE_CHECKING

from twisted.logger import Logger

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall, IReactorTime


class BufferedLog:
    """A file that lines are added to, many at once.

    Lines leave when ``batch`` bytes are waiting, a second after the first of them, and at :meth:`close`. A file
    that cannot be written never disturbs whoever logs: up to ``most`` bytes wait for better times, the lines
    after that are counted, and the count is written when there is room.

    A file that has as many bytes as :meth:`bound` says is moved to ``….1``, what was there to ``….2``, and so on. Where somebody
    else has moved it, a new one begins.

    Several processes may add to one file: each writes whole lines, at its end. One of them moves it. The others find it too large, too, when they
    have written next, and no longer at its place.

    :cvar batch: bytes that are written at once.
    :cvar most: most bytes that wait while the file cannot be written.
    :cvar delay: seconds a line waits at most.
    """

    batch = 64 << 10
    most = 4 << 20
    delay = 1.0
    _log = Logger()

    def __init__(self, path: str, clock: IReactorTime | None) -> None:
        """
        :param path: the file, made if need be; ``-`` for no log at all.
        :param clock: what times the second; ``None``: each line is written at once.
        :raises OSError: the file cannot be opened.
        """
        self.path = path
        self._clock = clock
        self._call: IDelayedCall | None = None
        self._lines: list[str] = []
        self._size = 0
        self._rest = b""
        self._lost = 0
        self._failing = False
        self._largest = self._keep = self._stays = 0
        self._fd: int | None = None
        if path != "-":
            self._take(_open(path))

    def bound(self, largest: int, keep: int) -> None:
        """Say how much is kept, from the next write on.

        :param largest: bytes of the file at which it is moved; 0 for any number. What is no regular file never is.
        :param keep: files that were moved, at least one.
        """
        self._largest, self._keep = largest, keep

    def write(self, line: str) -> None:
        """Add a line, its line break included."""
        size = self._size + len(line)
        if self._call is not None and size < self.batch and size < self.most:
            # Almost every line: it leaves with others.
            self._lines.append(line)
            self._size = size
        else:
            self._add(line)

    def _add(self, line: str) -> None:
        if self._fd is None:
            return
        if self._size >= self.most:
            self._lost += 1
            return
        self._lines.append(line)
        self._size += len(line)
        if self._clock is None or (self._size >= self.batch and not self._failing):
            self.flush()
        elif self._call is None:
            self._call = self._clock.callLater(self.delay, self._due)

    def flush(self) -> None:
        """Write what waits, as far as the file takes it."""
        if self._fd is None:
            return
        data = self._rest + "".join(self._lines).encode("utf-8", "backslashreplace")
        self._lines.clear()
        try:
            while data:
                count = os.write(self._fd, data)
                data = data[count:]
        except OSError as error:
            if not self._failing:
                self._log.error(
                    "{path} cannot be written: {error}", path=self.path, error=error
                )
            self._failing = True
        else:
            self._failing = False
            if self._lost:
                lost, self._lost = self._lost, 0
                self._lines.append(f"# {lost} lines are missing here\n")
        self._rest = data
        self._size = len(data) + sum(map(len, self._lines))
        if not data and self._largest:
            size = os.fstat(self._fd).st_size
            if size - self._stays >= self._largest:
                self._rotate(size)

    def reopen(self) -> str:
        """Open the file of that name anew, after a rotation; where that fails, go on with the old one.

        :return: what came of it, for people.
        """
        if self._fd is None:
            return "there is none"
        self.flush()
        try:
            fd = _open(self.path)
        except OSError as error:
            self._log.error(
                "{path} cannot be reopened: {error}", path=self.path, error=error
            )
            return f"failed, goes on in the old file: {error}"
        self._take(fd)
        return f"reopened {self.path}"

    def close(self) -> None:
        """Write everything and close. Idempotent."""
        call, self._call = self._call, None
        if call is not None:
            call.cancel()
        if self._fd is not None:
            self.flush()
            self.flush()  # the line about missing lines, if there was one
            os.close(self._fd)
            self._fd = None

    def _rotate(self, size: int) -> None:
        """Go on in a new file of that name; where there can be none, in the old one, until it has grown as much again."""
        self._stays = size
        assert self._fd is not None
        try:
            if not stat.S_ISREG(os.fstat(self._fd).st_mode):
                return
            # Until it is closed: of several processes the first moves it.
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if self._is_there():
                for number in range(self._keep, 0, -1):
                    before = f"{self.path}.{number - 1}" if number > 1 else self.path
                    with suppress(FileNotFoundError):
                        os.replace(before, f"{self.path}.{number}")
            fd = _open(self.path)
        except BlockingIOError:
            # Another process is about to move it.
            self._stays = 0
        except OSError as error:
            fcntl.flock(self._fd, fcntl.LOCK_UN)
            self._log.error(
                "{path} cannot be moved: {error}", path=self.path, error=error
            )
        else:
            self._take(fd)

    def _is_there(self) -> bool:
        """Whether the file still has its name."""
        assert self._fd is not None
        try:
            return os.path.samestat(os.stat(self.path), os.fstat(self._fd))
        except FileNotFoundError:
            return False

    def _take(self, fd: int) -> None:
        """Add to another file from now on."""
        before, self._fd = self._fd, fd
        self._stays = 0
        if before is not None:
            os.close(before)

    def _due(self) -> None:
        self._call = None
        self.flush()
        if self._size and self._clock is not None:
            self._call = self._clock.callLater(self.delay, self._due)


def _open(path: str) -> int:
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
