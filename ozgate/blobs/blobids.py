"""Ids of blobs: 12 hex digits of milliseconds, 4 of a counter, and random ones, the last two of which name a folder."""

from __future__ import annotations

from collections.abc import Callable

ALONE = 4
"""Random bytes of an id where one machine makes all ids of a store; two processes of it never replace a file."""

SHARED = 8
"""Where several machines do, which may count alike: that two ids are the same is not to be expected within a million years."""

FOLDERS = tuple(f"{n:02x}" for n in range(256))
"""All folders of a store."""

_LENGTHS = (24, 32)


class BlobIds:
    """Makes ids, each later than those before it.

    :param seconds: a clock.
    """

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._last = 0
        self._count = 0

    def begin(self) -> None:
        """The store opens. Should the clock go back from now on, no blob looks older than that: the sweep for orphans goes by ids."""
        self._last = max(self._last, int(self._seconds() * 1000))

    def next(self, ending: str) -> str:
        """An id later than every one before it.

        :param ending: its random digits, two for each byte.
        """
        now = int(self._seconds() * 1000)
        self._count += 1
        if now > self._last or self._count > 0xFFFF:
            # Never back, even when the clock goes back.
            self._last, self._count = max(now, self._last + 1), 0
        return f"{self._last:012x}{self._count:04x}{ending}"


def is_id(name: str) -> bool:
    """Whether a name is a blob's id; not one that the file system made, such as ``.nfs0123``."""
    return len(name) in _LENGTHS and name.isalnum()


def folders_of(ending: str) -> list[str]:
    """The folders in which there may be blobs whose ids end so."""
    if len(ending) > 1:
        return [each for each in FOLDERS if each == ending[-2:]]
    return [each for each in FOLDERS if each.endswith(ending)]


def limit_of(before: int) -> str:
    """What ids sort before that are of blobs made before a time, in milliseconds since the epoch."""
    return f"{max(before, 0):012x}"
