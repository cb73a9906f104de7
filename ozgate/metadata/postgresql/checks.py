"""Looking through all rows for damaged ones."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from ...values import CheckedRows, DamagedRow
from ..declared.columns import Row
from ..declared.conversions import any_text, pack_kinds
from ..declared.keptrows import agrees
from ..declared.relation import Table
from ..declared.tables import CHECKED
from .base import Rows
from .statements import KEYS, Statements, quoted
from .versionstatements import COLUMNS

_BY_NAME = {table.name: table for table in CHECKED}

# The newest version of a key is the one that is listed; a marker is not.
_WRONG_LATEST = f"""SELECT {", ".join([f"newest.{name}" for name in COLUMNS])}
    FROM unnest($1::bigint[], $2::bytea[]) AS asked (bucket, key)
    CROSS JOIN LATERAL (
        SELECT * FROM versions WHERE versions.bucket = asked.bucket AND versions.key = asked.key
        ORDER BY sequence DESC LIMIT 1
    ) AS newest
    LEFT JOIN current_versions ON current_versions.bucket = asked.bucket AND current_versions.key = asked.key
    WHERE current_versions.sequence IS DISTINCT FROM
        CASE newest.is_delete_marker WHEN 0 THEN newest.sequence END
    OR newest.is_delete_marker = 0 AND (newest.modified, newest.size, newest.etag, newest.traits) IS DISTINCT FROM
        (current_versions.modified, current_versions.size, current_versions.etag, current_versions.traits)"""

_WRONG_CONFIGURED = """SELECT buckets.number, kinds.there FROM buckets CROSS JOIN LATERAL (
        SELECT COALESCE(array_agg(kind), ARRAY[]::text[]) AS there FROM configurations WHERE bucket = buckets.number
    ) AS kinds WHERE number = ANY($1::bigint[])"""


@cache
def statements_of(table: Table[Any]) -> Statements:
    """The statements of a table."""
    return Statements(table)


def table_of(row: DamagedRow) -> Table[Any]:
    """The table that a damaged row is in."""
    return _BY_NAME[row.table]


def checked_row(table: Table[Any], row: Row) -> Row:
    """A row as its check takes it, also where its key is no text."""
    if KEYS not in table.columns:
        return row
    at = table.columns.index(KEYS)
    return (*row[:at], any_text(row[at]), *row[at + 1 :])


def told(table: Table[Any], row: Row) -> dict[str, Any]:
    """What a row says, by column."""
    return dict(zip(table.columns, row, strict=False))


def stored_place(table: Table[Any], place: Sequence[Any]) -> Row:
    """The key of a row as it is stored, of how a :class:`~ozgate.values.DamagedRow` says it."""
    return tuple(
        value.encode() if name == KEYS and isinstance(value, str) else value
        for name, value in zip(table.key, place, strict=True)
    )


def damaged_row(
    table: Table[Any], row: Row, what: str, loses: bool = True
) -> DamagedRow:
    """What is told of a row."""
    place = tuple(map(_text, row[: len(table.key)]))
    named = zip(table.key, place, strict=True)
    where = ", ".join([f"{name} {value!r}" for name, value in named])
    return DamagedRow(table.name, place, f"{where}: {what}", loses)


def _text(value: Any) -> Any:
    """A key as text, where it is."""
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return value
    return value


@cache
def _following(table: Table[Any], begins: bool) -> str:
    """A statement that gives rows by their key, those after one."""
    names = list(map(quoted, table.key))
    order = f"ORDER BY {', '.join(names)}{' DESC' if table.falling else ''}"
    select = f"SELECT {statements_of(table).checked} FROM {table.name}"
    at = [f"${place}" for place in range(1, len(names) + 1)]
    most = f"${len(names) + 1}"
    if begins:
        return f"{select} {order} LIMIT $1"
    if not table.falling:
        return f"{select} WHERE ({', '.join(names)}) > ({', '.join(at)}) {order} LIMIT {most}"
    *outer, last = names
    same = " AND ".join(
        [f"{name} = {value}" for name, value in zip(outer, at, strict=False)]
    )
    return (
        f"({select} WHERE {same} AND {last} < {at[-1]} {order} LIMIT {most}) UNION ALL"
        f" ({select} WHERE ({', '.join(outer)}) > ({', '.join(at[:-1])}) {order} LIMIT {most})"
        f" {order} LIMIT {most}"
    )


class CheckRows(Rows):
    """Rows of every kind; see :class:`~ozgate.interfaces.IMetadataTransaction`."""

    def check_rows(self, after: str, limit: int) -> CheckedRows:
        """Check rows of one table, those after ``after``.

        Which version is the latest is no part of the check, and is looked at here; so is whether a bucket has the documents
        that it says.

        :raises Damaged: text of a row is no UTF-8.
        """
        name, last = _marked(after)
        names = list(_BY_NAME)
        table = _BY_NAME[name]
        place = () if last is None else stored_place(table, last)
        rows = self._execute(
            _following(table, last is None), (*place, limit)
        ).fetchall()
        agreeing = [agrees(table, checked_row(table, row)) for row in rows]
        damaged = [
            damaged_row(table, row, "not what was written")
            for row, is_well in zip(rows, agreeing, strict=True)
            if not is_well
        ]
        if name == "versions":
            damaged += self._wrong_latest(table, rows)
        if name == "buckets":
            damaged += self._wrong_configured(table, rows, agreeing)
        at = names.index(name) + 1
        following = None
        if len(rows) == limit:
            following = _marker(name, rows[-1][: len(table.key)])
        elif at < len(names):
            following = _marker(names[at], None)
        return CheckedRows(len(rows), tuple(damaged), following)

    def _wrong_latest(self, table: Table[Any], rows: list[Row]) -> Iterator[DamagedRow]:
        """Keys whose newest version is not the one that is listed."""
        keys = list(dict.fromkeys([row[:2] for row in rows]))
        asked = [bucket for bucket, _ in keys], [key for _, key in keys]
        if keys:
            for row in self._execute(_WRONG_LATEST, asked).fetchall():
                # One that is damaged is told of as such, and mended first.
                if agrees(table, checked_row(table, row)):
                    yield damaged_row(
                        table, row, "another version is listed", loses=False
                    )

    def _wrong_configured(
        self, table: Table[Any], rows: list[Row], agreeing: list[bool]
    ) -> Iterator[DamagedRow]:
        """Buckets that have other documents than they say."""
        numbers = [row[0] for row in rows]
        kinds = dict(self._execute(_WRONG_CONFIGURED, (numbers,)).fetchall())
        for row, is_well in zip(rows, agreeing, strict=True):
            said = told(table, row)["configured"]
            there = pack_kinds(kinds[row[0]])
            if is_well and said != there:
                yield damaged_row(
                    table, row, f"it has the documents {there}, and says {said}"
                )


def _marker(name: str, place: Row | None) -> str:
    """What ``after`` is for the rows of a table after one; bytes are in lists of their own."""
    kept = place and [
        [value.hex()] if isinstance(value, bytes) else value for value in place
    ]
    return json.dumps([name, kept])


def _marked(after: str) -> tuple[str, Row | None]:
    """The table and the key that :func:`_marker` made text of."""
    if not after:
        return CHECKED[0].name, None
    name, kept = json.loads(after)
    return name, kept and tuple(
        bytes.fromhex(value[0]) if isinstance(value, list) else value for value in kept
    )
