"""Who is still reading in workers: what keeps the reaper, which the parent runs, from bytes that a GET of a worker has yet to send.

A worker notes a read in the memory that all processes see before it looks for what it reads, and the reaper looks there when it asks its own
readers. So everything that is said of reads in :mod:`ozgate.background.reaper` holds for those of workers, too, to the millisecond: the store need
not be told of them.
"""

from __future__ import annotations

from ..wire.ledger import READS, Ledger
from .readers import Readers


class WorkersReaders(Readers):
    """The reads of one worker, of which its parent knows.

    What is noted may be older than the oldest read, until :meth:`tell`: the reaper then leaves more alone than it must.
    """

    def __init__(self, ledger: Ledger, process: str = "") -> None:
        super().__init__(process)
        self._ledger = ledger
        self._told = 0

    def enter(self, now: int) -> int:
        """See :meth:`~ozgate.content.readers.Readers.enter`."""
        if not self._told or now < self._told:
            self._tell(now)
        return super().enter(now)

    def leave(self, token: int) -> None:
        """See :meth:`~ozgate.content.readers.Readers.leave`."""
        super().leave(token)
        if not self._began:
            self._tell(0)

    def tell(self) -> None:
        """Note when the oldest read began; to be called every second or so."""
        self._tell(self.oldest() or 0)

    def _tell(self, began: int) -> None:
        if began != self._told:
            self._told = began
            self._ledger.put(READS, began)


class ParentsReaders(Readers):
    """The reads of the parent, and those of all its workers."""

    def __init__(self, ledger: Ledger, process: str = "") -> None:
        super().__init__(process)
        self._ledger = ledger

    def oldest(self) -> int | None:
        """See :meth:`~ozgate.content.readers.Readers.oldest`."""
        every = super().oldest(), self._ledger.oldest_read()
        return min((each for each in every if each is not None), default=None)
