"""What versions, parts and blobs share: rows of extents, and the blobs that lose their names with them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ...values import Extent
from ..declared.columns import Row
from ..declared.pieces import extent_rows
from ..declared.relation import Table
from ..declared.tables import EXTENTS, OBJECT_PARTS
from .base import Rows

_ARRAYS = {
    EXTENTS.name: "bigint bigint text text bigint bigint bigint bigint text bigint",
    OBJECT_PARTS.name: "bigint bigint bigint bigint text text bigint",
}
"""The types of the columns of those tables of which many rows are stored at once."""

PAGES_AT_ONCE = 16_384
"""Pages of a table that one statement looks through: 128 MiB, well below any deadline."""

STRETCH = "{table}.ctid >= $1::tid AND {table}.ctid < $2::tid"
"""Which rows are in a stretch of pages. Source: PostgreSQL manual, "5.5. System Columns" (ctid)."""

_PAGES = "SELECT pg_relation_size($1::regclass) / current_setting('block_size')::bigint"

DOOM = "ON CONFLICT (store, blob) DO UPDATE SET doomed_at = excluded.doomed_at"

NAMED = """SELECT 1 FROM extents WHERE extents.blob = {named}.blob AND extents.store = {named}.store{others}
    LIMIT 1 FOR KEY SHARE"""
"""What else names a blob. It is held: of two that name one blob and go at the same time, in transactions that do not see each other, one waits for the
other, and dooms it. Source: PostgreSQL manual, "13.2.1. Read Committed Isolation Level", "13.3.2. Row-Level Locks".
"""

# In one order: two that doom the same ones do not wait for each other crosswise.
_DOOM_UNNAMED = f"""INSERT INTO doomed (store, blob, doomed_at)
    SELECT DISTINCT store, blob, $3::bigint FROM unnest($1::text[], $2::text[]) AS named (store, blob)
    WHERE NOT EXISTS ({NAMED.format(named="named", others="")})
    ORDER BY store, blob {DOOM}"""

DOOM_GONE = f"""INSERT INTO doomed (store, blob, doomed_at)
    SELECT store, blob, $2::bigint FROM (SELECT DISTINCT store, blob FROM gone) AS named
    WHERE NOT EXISTS ({{others}}) ORDER BY store, blob {DOOM}"""

_NOT_HIS = NAMED.format(named="named", others=" AND extents.owner <> $1")

DOOM_HIS = DOOM_GONE.format(others=_NOT_HIS)
"""The end of a statement that has removed the extents of an owner, as ``gone``, which it still sees."""

_DROP_EXTENTS = f"""WITH gone AS (DELETE FROM extents WHERE owner = $1 RETURNING store, blob)
    {DOOM_HIS}"""
"""Removes the extents of a version or part, and dooms blobs that have no name left."""

_NOT_THEIRS = NAMED.format(named="named", others=" AND extents.owner <> ALL($1)")

_DROP_REST = f"""WITH gone AS (
    DELETE FROM extents WHERE owner = ANY($1::bigint[])
    AND NOT EXISTS (SELECT 1 FROM retired WHERE retired.owner = extents.owner) RETURNING store, blob
) {DOOM_GONE.format(others=_NOT_THEIRS)}"""
"""Removes what a move has added to the extents of versions and parts while their removal waited for it: rows that this statement is the first to see.
Source: PostgreSQL manual, "13.2.1. Read Committed Isolation Level".
"""


def _put_many(table: Table[object]) -> str:
    """A statement that stores rows, given as a list for each column."""
    columns = ", ".join([f'"{name}"' for name in (*table.columns, "checked")])
    arrays = [
        f"${place}::{kind}[]"
        for place, kind in enumerate(_ARRAYS[table.name].split(), 1)
    ]
    return f"INSERT INTO {table.name} ({columns}) SELECT * FROM unnest({', '.join(arrays)})"


_PUT_MANY = {table.name: _put_many(table) for table in (EXTENTS, OBJECT_PARTS)}


class ExtentRows(Rows):
    """Rows of extents, and what no index leads to."""

    def _looked_through(
        self, table: str, statement: str, values: Sequence[Any]
    ) -> Iterator[Row]:
        """What is found in all pages of a table, a stretch of them after the other.

        :param statement: finds rows in one :data:`STRETCH`.
        :param values: take the places from ``$3`` on.
        """
        (pages,) = self._execute(_PAGES, (table,)).fetchone()
        # One more than there are: others may be adding to the last.
        for first in range(0, pages + 1, PAGES_AT_ONCE):
            stretch = f"({first},0)", f"({first + PAGES_AT_ONCE},0)"
            yield from self._execute(statement, (*stretch, *values)).fetchall()

    def _put_rows(self, table: Table[object], rows: Sequence[Row]) -> None:
        """Store rows, however many, by one statement."""
        if rows:
            columns = [list(column) for column in zip(*rows, strict=True)]
            self._execute(_PUT_MANY[table.name], columns)

    def _add_extents(
        self, owner: int, extents: Iterable[Extent], start: int = 0
    ) -> None:
        """Store extents of a version or part, from a byte of it on."""
        self.touches_bytes = True
        self._put_rows(EXTENTS, extent_rows(owner, extents, start))

    def _drop_extents(self, owner: int) -> None:
        """Remove the extents of a version or part, dooming blobs that have no name left."""
        self._execute(_DROP_EXTENTS, (owner, self.now()))
        self._drop_rest([owner])

    def _drop_rest(self, owners: Sequence[int]) -> None:
        """Extents of these were removed: remove those that a move has added meanwhile, unless their owner is retired."""
        self.touches_bytes = True
        if owners:
            self._execute(_DROP_REST, (list(owners), self.now()))

    def _doom_unnamed(self, names: Iterable[tuple[str, str]]) -> None:
        """Doom those of these blobs, each a store and an id, that no extent names."""
        stores, blobs = [], []
        for store, blob in names:
            stores.append(store)
            blobs.append(blob)
        self.touches_bytes = True
        if blobs:
            self._execute(_DOOM_UNNAMED, (stores, blobs, self.now()))
