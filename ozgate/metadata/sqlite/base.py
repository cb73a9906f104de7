"""What the parts of a transaction share."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from ...values import Content
from .counters import Sequences, Times
from .pieces import extent_rows
from .usage import Usage

LEAST_ABOVE_ALL = (1 << 63) - 1
"""Above every number that SQLite holds."""


class Rows:
    """Rows of one connection.

    One object serves all transactions of its connection, one after the other; :meth:`begin` is
    called before each interaction.
    """

    def __init__(
        self, connection: sqlite3.Connection, times: Times, sequences: Sequences
    ) -> None:
        self._connection = connection
        self._execute = connection.execute
        self._executemany = connection.executemany
        self._times = times
        self._sequences = sequences
        self._now: int | None = None
        self.usage = Usage()

    def begin(self) -> None:
        """Another interaction begins: forget the time."""
        self._now = None

    def now(self) -> int:
        """See :meth:`~ozgate.interfaces.IMetadataTransaction.now`."""
        if self._now is None:
            self._now = self._times.now()
        return self._now

    def next_sequence(self) -> int:
        """See :meth:`~ozgate.interfaces.IMetadataTransaction.next_sequence`."""
        return self._sequences.next()

    def _add_extents(self, owner: int, content: Content) -> None:
        """Store the extents of a version or part."""
        if content.extents:
            self._executemany(
                "INSERT INTO extents (owner, start, store, blob, blob_length,"
                " blob_crc64nvme, offset, length, seal, checked)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                extent_rows(owner, content.extents),
            )

    def _drop_extents(self, owner: int) -> None:
        """Remove the extents of a version or part, dooming blobs that have no name left."""
        names = self._execute(
            "SELECT store, blob FROM extents WHERE owner = ?", (owner,)
        ).fetchall()
        if names:
            self._execute("DELETE FROM extents WHERE owner = ?", (owner,))
            self._doom_unnamed(names)

    def _doom_unnamed(self, names: Iterable[tuple[str, str]]) -> None:
        """Doom those of these blobs that no extent names.

        One that another version still names is doomed when that one goes: with a single writer
        nothing comes in between, and the reaper asks again anyway.
        """
        now = self.now()
        self._executemany(
            "INSERT INTO doomed (store, blob, doomed_at) SELECT ?1, ?2, ?3"
            " WHERE NOT EXISTS (SELECT 1 FROM extents WHERE blob = ?2 AND store = ?1)"
            " ON CONFLICT (store, blob) DO UPDATE SET doomed_at = excluded.doomed_at",
            [(store, blob, now) for store, blob in names],
        )
