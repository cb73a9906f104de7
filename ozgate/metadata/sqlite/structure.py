"""What a database is built of, held against what the migrations build: a trigger or a view that none of them made would run as ours.

The expected structure is not written down: the migrations are run in a database in memory, which takes some milliseconds.
Only structure is compared, not SQL text, which SQLite's own ``ALTER TABLE`` writes differently from version to version.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from ...immutable import frozen
from . import schema

if TYPE_CHECKING:
    from sqlite_utils import Database

_INTERNAL = re.compile(
    r"table sqlite_(sequence|stat[134])|(table |index idx_)_sqlite_migrations\w*"
)
"""Tables of SQLite, and what sqlite-utils has of its own, by kind and name."""

_SPECIAL = re.compile(
    r"virtual|check|collate|generated|conflict|autoincrement|without rowid|strict"
)
"""Words of a table's SQL that say what no pragma tells."""

_A = {
    "table": "a table",
    "index": "an index",
    "trigger": "a trigger",
    "view": "a view",
}

Shape = tuple[Any, ...]
"""All that is to be known of a table or index."""


@frozen
class _Plain:
    """As much of sqlite-utils' database as migrations need, without importing that."""

    conn: sqlite3.Connection

    def execute(self, sql: str) -> sqlite3.Cursor:
        """Run a statement."""
        return self.conn.execute(sql)


def foreign_parts(connection: sqlite3.Connection, version: int) -> Sequence[str]:
    """What of a database no migration made, or is missing, in words; nothing when all is as it should be.

    :param version: the schema that it should have.
    """
    expected = _built(schema.MIGRATIONS[:version])
    found = _shapes(connection)
    return [
        *(
            f"{_A.get(kind, kind)} {name!r} that is not ozgate's"
            for kind, name in sorted(found - expected.keys())
        ),
        *(f"no {kind} {name!r}" for kind, name in sorted(expected.keys() - found)),
        *(
            f"{_A.get(kind, kind)} {name!r} of another form"
            for kind, name in sorted(expected.keys() & found)
            if _shape(connection, kind, name) != expected[kind, name]
        ),
    ]


@cache
def _built(
    migrations: tuple[Callable[[Database], None], ...],
) -> Mapping[tuple[str, str], Shape]:
    """What migrations make: shapes by kind and name."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.execute("BEGIN")
        database = cast("Database", _Plain(connection))
        for migration in migrations:
            migration(database)
        return {
            (kind, name): _shape(connection, kind, name)
            for kind, name in _shapes(connection)
        }


def _shapes(connection: sqlite3.Connection) -> set[tuple[str, str]]:
    """Kinds and names of everything but what is SQLite's own."""
    found = connection.execute("SELECT type, name, sql FROM sqlite_master").fetchall()
    return {
        (kind, name)
        for kind, name, sql in found
        # Indexes without SQL are a part of their table.
        if not (kind == "index" and sql is None)
        and not _INTERNAL.fullmatch(f"{kind} {name}")
    }


def _shape(connection: sqlite3.Connection, kind: str, name: str) -> Shape:
    """What a table or index of ours is like; its name is one that a migration gave it."""
    (sql,) = connection.execute(
        "SELECT sql FROM sqlite_master WHERE type = ? AND name = ?", (kind, name)
    ).fetchone()
    text = re.sub(r'[\s"`\[\]]+', " ", sql).lower()
    if kind == "index":
        # Which rows it has is nowhere but there.
        return (re.sub(r" ?([(),=]) ?", r"\1", text), *_index(connection, name))
    indexes = connection.execute(f"PRAGMA index_list('{name}')").fetchall()
    return (
        text.startswith("create table "),
        sorted(_SPECIAL.findall(text)),
        connection.execute(f"PRAGMA table_xinfo('{name}')").fetchall(),
        connection.execute(f"PRAGMA foreign_key_list('{name}')").fetchall(),
        sorted(
            (is_unique, origin, *_index(connection, index))
            for _, index, is_unique, origin, _ in indexes
            if origin != "c"
        ),
    )


def _index(connection: sqlite3.Connection, name: str) -> list[object]:
    """The columns of an index, with their order and collation."""
    found = connection.execute(f"PRAGMA index_xinfo('{name}')").fetchall()
    return [each[1:] for each in found]
