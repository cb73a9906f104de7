"""What the workers of a service have under way, in memory that all of its processes see: how many connections, of whom, and since when they read.

Each worker writes a row of its own and no other, so nothing is locked; whoever asks adds the rows up. A number may be as old as the time that
two processes take to do one thing at once: a limit is exceeded by one connection for each worker, at most. What a worker that died leaves in
its row, the parent wipes out.

Single numbers are eight bytes in one place, which processors of today write and read as a whole.
"""

from __future__ import annotations

import mmap
import os
from hashlib import blake2b

CONNECTIONS, READS, ALIVE, REQUESTS, BYTES = range(5)
"""Open connections; when the oldest read under way began, in milliseconds since the epoch, 0 for none; when the worker last said that it lives,
in seconds of the monotonic clock; requests being answered; bytes of bodies in memory."""

STALE = 3
"""Seconds after its last sign of life from which on a worker is not counted on."""

_NUMBERS = 8
"""Places for such numbers in a row."""

_GROUPS = 1 << 16
"""Counts of connections by address in a row. Those that share one are few: a start shuffles them by a key of its own."""

_KEY = 16
_ROW = _NUMBERS * 8 + _GROUPS * 4


class Ledger:
    """The rows of all workers.

    :param fd: the memory, as :func:`make` gave it; not needed once this is made.
    :param workers: how many rows it has.
    :param row: the one that this process writes; ``None`` for one that only looks on.
    """

    def __init__(self, fd: int, workers: int, row: int | None = None) -> None:
        self._row = row
        self._map = mmap.mmap(fd, _KEY + workers * _ROW)
        everything = memoryview(self._map)
        self._key = bytes(everything[:_KEY])
        rows = [everything[_KEY + n * _ROW :][:_ROW] for n in range(workers)]
        self._numbers = [each[: _NUMBERS * 8].cast("q") for each in rows]
        self._groups = [each[_NUMBERS * 8 :].cast("i") for each in rows]

    def put(self, what: int, value: int) -> None:
        """Write one of this process' numbers."""
        assert self._row is not None
        self._numbers[self._row][what] = value

    def of(self, row: int, what: int) -> int:
        """One number of a worker's."""
        return self._numbers[row][what]

    def total(self, what: int) -> int:
        """One number of all workers, added up."""
        return sum(each[what] for each in self._numbers)

    def is_ahead(self, now: int) -> bool:
        """Whether this process has so many more connections than another that lives that it had better leave the next one to that.

        :param now: seconds of the monotonic clock.
        """
        assert self._row is not None
        own = self._numbers[self._row][CONNECTIONS]
        others = [
            each[CONNECTIONS] for each in self._numbers if now - each[ALIVE] <= STALE
        ]
        fewest = min(others, default=own)
        return own > fewest + 1 + fewest // 16

    def oldest_read(self) -> int | None:
        """When the oldest read under way in any worker began; ``None`` when there is none."""
        began = [each[READS] for each in self._numbers]
        return min(filter(None, began), default=None)

    def place_of(self, group: str) -> int:
        """Where connections of one address are counted."""
        digest = blake2b(group.encode(), key=self._key, digest_size=2).digest()
        return int.from_bytes(digest, "big")

    def count(self, place: int, more: int) -> None:
        """Count connections of an address that this process has from now on, or has not any more."""
        assert self._row is not None
        self._groups[self._row][place] += more

    def counted(self, place: int) -> int:
        """Connections of an address that all workers have."""
        return sum(each[place] for each in self._groups)

    def wipe(self, row: int) -> None:
        """A worker is dead: nothing of it is under way."""
        self._numbers[row][:] = memoryview(bytes(_NUMBERS * 8)).cast("q")
        self._groups[row][:] = memoryview(bytes(_GROUPS * 4)).cast("i")


def make(workers: int) -> int:
    """Memory for the rows of so many workers: a descriptor, to be inherited by them and to be closed."""
    fd = os.memfd_create("ozgate-ledger")
    os.ftruncate(fd, _KEY + workers * _ROW)
    os.pwrite(fd, os.urandom(_KEY), 0)
    return fd
