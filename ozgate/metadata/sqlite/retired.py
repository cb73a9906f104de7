"""Rows of removed versions that somebody may be reading still.

What sends a version's bytes knows only the next few of its extents. A version that has more keeps its rows when it is removed:
it is *retired*, and the reaper releases them once nobody reads any more who began before. A few at a time, so that
the end of a large object holds nobody up.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing, suppress

from ...values import EXTENTS_AT_ONCE
from ..declared.tables import RETIRED
from .base import Rows


class RetiredRows(Rows):
    """Retired versions; see :class:`~ozgate.interfaces.IMetadataTransaction`."""

    def _give_up(self, sequence: int) -> None:
        """The extents of a version that is removed: drop them, or keep them a while where they are many."""
        names = self._execute(
            "SELECT store, blob FROM extents WHERE owner = ? LIMIT ?",
            (sequence, EXTENTS_AT_ONCE + 1),
        ).fetchall()
        if len(names) > EXTENTS_AT_ONCE:
            self._execute(RETIRED.put, RETIRED.row(sequence, self.now()))
        elif names:
            self._execute("DELETE FROM extents WHERE owner = ?", (sequence,))
            self._doom_unnamed(names)

    def retired(self, before: int, limit: int) -> Sequence[int]:
        """Sequences of the versions retired before that time, oldest first, but for damaged rows."""
        rows = self._execute(
            f"SELECT {RETIRED.select} FROM retired WHERE retired_at < ?"
            " ORDER BY retired_at, owner",
            (before,),
        )
        found: list[int] = []
        with closing(rows), self._any_text():
            for row in rows:
                if len(found) >= limit:
                    break
                # A wrong owner leads to the bytes of another version.
                with suppress(UnicodeEncodeError):
                    if RETIRED.agrees(row):
                        found.append(row[0])
        return found

    def release(self, sequence: int, limit: int) -> bool:
        """Drop extents of a retired version, dooming blobs that have no name left."""
        row = self._execute(
            f"SELECT {RETIRED.select} FROM retired WHERE owner = ?",
            (sequence,),
        ).fetchone()
        if row is None or not RETIRED.agrees(row):
            return True
        names = self._execute(
            "SELECT store, blob, start FROM extents WHERE owner = ?"
            " ORDER BY start LIMIT ?",
            (sequence, limit),
        ).fetchall()
        if names:
            self._execute(
                "DELETE FROM extents WHERE owner = ? AND start <= ?",
                (sequence, names[-1][2]),
            )
            self._doom_unnamed([(store, blob) for store, blob, _ in names])
        if len(names) == limit:
            return False
        self._execute("DELETE FROM retired WHERE owner = ?", (sequence,))
        return True
