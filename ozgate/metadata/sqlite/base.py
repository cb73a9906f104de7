"""What the parts of a transaction share."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from ...values import Extent
from ..declared.columns import Row
from ..declared.conversions import any_text
from ..declared.pieces import extent_rows
from ..declared.relation import Table
from ..declared.tables import EXTENTS
from .counters import Sequences, Times
from .usage import Usage

LEAST_ABOVE_ALL = (1 << 63) - 1
"""Above every number that SQLite holds."""


class Rows:
    """Rows of one connection.

    One object serves all transactions of its connection, one after the other; :meth:`begin` is
    called before each interaction.

    :ivar _bare: bucket and key that this interaction has found without any version.
    :ivar _kept: volumes by name, and buckets by place, with their rows, as the writing transaction of SQLite that runs has read
        them; who changes one forgets them all. ``None`` where nobody says when such a transaction begins.
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
        self._bare: tuple[int, str] | None = None
        self._kept: dict[object, tuple[Row, Any]] | None = None
        self.usage = Usage()

    def begin(self) -> None:
        """Another interaction begins: forget the time, and what was found."""
        self._now = self._bare = None

    def begin_all(self) -> None:
        """A writing transaction of SQLite begins, in which interactions run one after the other: until it ends nobody else writes, so
        they find the volume and the bucket that one of them has read."""
        self.usage.forget()
        self._kept = {}

    def forget(self) -> None:
        """A row of a volume or bucket is about to change, or is what it was before."""
        if self._kept:
            self._kept.clear()

    @contextmanager
    def _any_text(self) -> Iterator[None]:
        """Read text that is no UTF-8, too. Who does so meets ``UnicodeEncodeError`` where such a row is held against its check."""
        self._connection.text_factory = any_text
        try:
            yield
        finally:
            self._connection.text_factory = str

    def now(self) -> int:
        """See :meth:`~ozgate.interfaces.IMetadataTransaction.now`."""
        if self._now is None:
            self._now = self._times.now()
        return self._now

    def next_sequence(self) -> int:
        """See :meth:`~ozgate.interfaces.IMetadataTransaction.next_sequence`."""
        return self._sequences.next()

    def _add_numbered(self, table: Table[object], row: Row) -> int:
        """Store a row of a table that gives its rows numbers.

        :param row: with any number.
        :return: the number that it has now.
        """
        self.forget()
        columns = row[1:-1]
        number = self._execute(table.insert, (None, *columns, 0)).lastrowid or 0
        self._execute(
            f"UPDATE {table.name} SET checked = ? WHERE {table.key[0]} = ?",
            (table.check(number, *columns), number),
        )
        return number

    def _rewrite(self, table: Table[object], row: Row, **changed: object) -> None:
        """Change columns of a row, and have it agree with its check.

        :param row: as it is stored, and known to agree.
        """
        self.forget()
        values = {**dict(zip(table.columns, row, strict=False)), **changed}
        columns = ", ".join([f"{name} = ?" for name in [*changed, "checked"]])
        place = " AND ".join([f"{name} = ?" for name in table.key])
        self._execute(
            f"UPDATE {table.name} SET {columns} WHERE {place}",
            (*changed.values(), table.check(*values.values()), *row[: len(table.key)]),
        )

    def _add_extents(
        self, owner: int, extents: Sequence[Extent], start: int = 0
    ) -> None:
        """Store extents of a version or part, from a byte of it on."""
        if extents:
            rows = extent_rows(owner, extents, start)
            self._executemany(EXTENTS.insert, rows)

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
