"""Metadata that were SQLite's, copied into a PostgreSQL database that has none yet: all of them in one transaction, or nothing.

Rows go as they are: both have the columns that :mod:`ozgate.metadata.declared.tables` declares, so that each row's check is good in both. What PostgreSQL keeps in
another way is made of them: what buckets use, and which versions are current. Nobody uses either database meanwhile.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from typing import Any
from urllib.parse import quote

import psycopg

from ...errors import Conflict, Damaged, Unavailable
from ..declared.columns import Row
from ..declared.conversions import any_text
from ..declared.relation import Table
from ..declared.tables import BUCKETS, CHECKED, VOLUMES
from .connections import ERRORS, Address, connect, one_line
from .objecttables import RELIST

Tell = Callable[[str, int, int], None]
"""Told how far it is: what is done with which table, rows of it so far, and in all. What it raises ends the copy, and nothing is copied."""

_PLAIN = (("doomed", "store, blob, doomed_at"), ("settings", "name, value"))
"""Tables whose rows have no check. Leases and processes stay behind: nobody has any."""

_PAGE = 1000
_MOST_NAMED = 10
_COUNTERS = {"sequence": "version_sequence", "time": "time_noted"}
"""Counters of SQLite, and the sequences of PostgreSQL that go on from them."""


def fill(address: Address, path: str, tell: Tell) -> dict[str, int]:
    """Copy; blocks until it is done.

    :param address: of a database that is prepared, and empty.
    :param path: of an SQLite database of today's schema, whose log is empty.
    :return: rows that were copied, by table; each was read again from PostgreSQL, and agreed with its check.
    :raises Conflict: the target has something in it.
    :raises Damaged: rows of the source do not agree with their checks, or what was read again was not what was written.
    :raises Unavailable: PostgreSQL failed; nothing was copied.
    """
    where = f"file:{quote(path)}?mode=ro"
    with closing(sqlite3.connect(where, uri=True)) as source:
        source.text_factory = any_text
        try:
            with closing(connect(address)) as target, target.transaction():
                counts = _Copy(source, target, tell).run()
            with closing(connect(address)) as target:
                tell("statistics", 0, 0)
                target.execute("ANALYZE")
        except ERRORS as error:
            raise Unavailable(
                f"{address.where}: {one_line(error)}; nothing was copied"
            ) from None
    return counts


class _Copy:
    """A copy under way."""

    def __init__(
        self,
        source: sqlite3.Connection,
        target: psycopg.Connection[Any],
        tell: Tell,
    ) -> None:
        self._source = source
        self._target = target
        self._tell = tell

    def run(self) -> dict[str, int]:
        """Do it, in a transaction that is open."""
        names = [table.name for table in CHECKED] + [name for name, _ in _PLAIN]
        self._require_empty(names)
        counts = {}
        for table in CHECKED:
            counts[table.name] = self._copy(table)
        for name, columns in _PLAIN:
            rows = self._source.execute(f"SELECT {columns} FROM {name}")
            counts[name] = self._write(name, columns.split(", "), rows)
        self._derive()
        for table in CHECKED:
            self._check(table, counts[table.name])
        return counts

    def _require_empty(self, names: Iterable[str]) -> None:
        # A gateway that starts meanwhile waits, and finds it filled.
        self._target.execute(
            f"LOCK TABLE {', '.join(names)} IN ACCESS EXCLUSIVE MODE NOWAIT"
        )
        full = [
            name
            for name in names
            if self._target.execute(f"SELECT 1 FROM {name} LIMIT 1").fetchone()
        ]
        if full:
            raise Conflict(
                f"the target has something in {', '.join(full)}: give a database that has nothing in it"
            )

    def _copy(self, table: Table[object]) -> int:
        """Copy the rows of a table that has checks, none of which may be damaged."""
        damaged: list[str] = []
        [[total]] = self._source.execute(f"SELECT COUNT(*) FROM {table.name}")
        kept = len(table.columns) + 1
        key = table.columns.index("key") if "key" in table.columns else -1

        def rows() -> Iterator[Row]:
            order = ", ".join(table.columns[: len(table.key)])
            found = self._source.execute(
                f"SELECT {table.select} FROM {table.name} ORDER BY {order}"
            )
            for count, row in enumerate(found):
                if count % _PAGE == 0:
                    self._tell(f"copying {table.name}", count, total)
                if not table.agrees(row):
                    damaged.append(str(row[: len(table.key)]))
                elif not damaged:
                    yield _with_key(row[:kept], key, str.encode)

        written = self._write(table.name, [*table.columns, "checked"], rows())
        if damaged:
            some = ", ".join(damaged[:_MOST_NAMED])
            raise Damaged(
                f"{len(damaged)} rows of {table.name} are damaged ({some}): 'ozgate admin fsck' mends them first",
                "metadata",
            )
        return written

    def _write(self, name: str, columns: Sequence[str], rows: Iterable[Row]) -> int:
        quoted = ", ".join(f'"{column}"' for column in columns)
        found = self._target.execute(
            "SELECT attname, atttypid FROM pg_attribute WHERE attrelid = %s::regclass",
            (name,),
        )
        types: dict[str, int] = dict(found.fetchall())
        count = 0
        with self._target.cursor().copy(
            f"COPY {name} ({quoted}) FROM STDIN (FORMAT BINARY)"
        ) as copy:
            copy.set_types([types[column] for column in columns])
            for row in rows:
                copy.write_row(row)
                count += 1
        return count

    def _derive(self) -> None:
        """Make what PostgreSQL keeps in a way of its own."""
        for table, sign in ((VOLUMES, -1), (BUCKETS, 1)):
            used = self._source.execute(
                f"SELECT {sign} * number, 0, used_bytes, used_names FROM {table.name}"
            )
            self._write("usage", ("place", "shard", "bytes", "names"), used)
        self._tell("what is current", 0, 0)
        for statement in RELIST:
            self._target.execute(statement)
        for name, sequence in _COUNTERS.items():
            found = self._source.execute(
                "SELECT value FROM counters WHERE name = ?", (name,)
            ).fetchone()
            if found is not None:
                self._target.execute("SELECT setval(%s, %s)", (sequence, found[0]))

    def _check(self, table: Table[object], count: int) -> None:
        """Read all rows of a table again.

        :param count: how many there must be.
        :raises Damaged: there are others, or one does not agree with its check.
        """
        key = table.columns.index("key") if "key" in table.columns else -1
        counted = tuple(begins for _, begins in table.counted)
        columns = ", ".join(f'"{each}"' for each in (*table.columns, "checked"))
        seen = 0
        with self._target.cursor(name="ozgate_copied", binary=True) as cursor:
            cursor.itersize = _PAGE
            for row in cursor.execute(f"SELECT {columns} FROM {table.name}"):
                if seen % _PAGE == 0:
                    self._tell(f"checking {table.name}", seen, count)
                seen += 1
                if not table.agrees(_with_key(row, key, any_text) + counted):
                    raise Damaged(
                        f"a row of {table.name} was not copied as it is; nothing was copied",
                        "metadata",
                    )
        if seen != count:
            raise Damaged(
                f"{seen} rows of {table.name} were copied, of {count}; nothing was copied",
                "metadata",
            )


def _with_key(row: Row, place: int, convert: Callable[[Any], object]) -> Row:
    """A row whose key, which is at that place, is as the other database has it; as it is where it has none."""
    if place < 0:
        return row
    return (*row[:place], convert(row[place]), *row[place + 1 :])
