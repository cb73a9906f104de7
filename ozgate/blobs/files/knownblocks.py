"""Which blocks of which blobs were found to be what was written, and how long ago.

What is sent by sendfile, or read in small pieces, is not looked at; so only blocks that are known here go that way.
Between two looks a bit may flip on the disk, and be read into the kernel's cache again: that is what looks age for.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from .syscalls import Stamp

MOST = 16384
"""Blobs known at once; the least recently used is forgotten first. Each takes some 300 bytes, and a bit for each block."""

_ALL = -1
"""The bits of a blob all of whose blocks are known; so few bytes, however long it is."""


class _Known:
    """What is known of one blob.

    :ivar until: from when on it is not.
    """

    __slots__ = ("bits", "stamp", "until")

    def __init__(self, stamp: Stamp, until: float) -> None:
        self.stamp = stamp
        self.until = until
        self.bits = 0


class KnownBlocks:
    """The blocks known of one store.

    :param lasts: seconds that a look is good for, from the first one at a blob; 0: not at all.
    :param most: see :data:`MOST`.
    :param seconds: a clock that nobody sets.
    """

    def __init__(
        self,
        lasts: float,
        most: int = MOST,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._lasts = lasts
        self._most = most
        self._seconds = seconds
        self._known: dict[str, _Known] = {}

    def __len__(self) -> int:
        """Blobs known."""
        return len(self._known)

    def holds(self, blob_id: str, stamp: Stamp, first: int, last: int) -> bool:
        """Whether blocks of a blob are known.

        :param stamp: of its file; one that was changed or replaced is not known.
        :param last: the last of them, included.
        """
        known = self._fresh(blob_id, stamp)
        if known is None:
            return False
        wanted = (1 << (last + 1)) - (1 << first)
        return known.bits & wanted == wanted

    def note(self, blob_id: str, stamp: Stamp, block: int, blocks: int) -> None:
        """A block was looked at, and is what was written.

        :param blocks: how many the blob has.
        """
        known = self._fresh(blob_id, stamp) or self._new(blob_id, stamp)
        known.bits |= 1 << block
        if known.bits == (1 << blocks) - 1:
            known.bits = _ALL

    def note_all(self, blob_id: str, stamp: Stamp) -> None:
        """All blocks of a blob were looked at just now."""
        self._known.pop(blob_id, None)
        self._new(blob_id, stamp).bits = _ALL

    def forget(self, blob_id: str) -> None:
        """Know nothing of a blob any more."""
        self._known.pop(blob_id, None)

    def _fresh(self, blob_id: str, stamp: Stamp) -> _Known | None:
        known = self._known.pop(blob_id, None)
        if known is None or known.stamp != stamp or known.until <= self._seconds():
            return None
        # The last one in a dictionary is the one that was used last.
        self._known[blob_id] = known
        return known

    def _new(self, blob_id: str, stamp: Stamp) -> _Known:
        known = self._known[blob_id] = _Known(stamp, self._seconds() + self._lasts)
        if len(self._known) > self._most:
            del self._known[next(iter(self._known))]
        return known
