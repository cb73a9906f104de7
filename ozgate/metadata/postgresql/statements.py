"""The statements of a declared table, as PostgreSQL has them."""

from __future__ import annotations

from typing import Any

from ..declared.columns import Row
from ..declared.relation import Table

KEYS = "key"
"""How columns are called that hold keys: ``bytea``, for text has no NUL there. All other text is ``text COLLATE "C"``."""


class Statements:
    """What is made of a declaration.

    Values take the places ``$1``, ``$2`` and so on, in the order of the columns and the check behind them.

    :ivar checked: what the check covers, and the check, for a SELECT.
    :ivar select: likewise, with what changes on its own.
    :ivar insert: takes what ``Table.row`` makes, by :meth:`row_in`.
    :ivar put: likewise, in the place of a row of the same key.
    :ivar place: which row is meant, by the values of its key, the first of which is ``$1``.
    """

    def __init__(self, table: Table[Any], is_counted_elsewhere: bool = False) -> None:
        """Make them.

        :param is_counted_elsewhere: whether what changes on its own is no column here, but in a table of its own.
        """
        counted = () if is_counted_elsewhere else table.counted
        name, stored = table.name, (*table.columns, "checked")
        self.checked = ", ".join([f"{name}.{each}" for each in stored])
        others = "".join([f", {name}.{each}" for each, _ in counted])
        self.select = f"{self.checked}{others}"
        into = ", ".join([quoted(each) for each in (*stored, *dict(counted))])
        values = [f"${place}" for place in range(1, len(stored) + 1)]
        values += [str(begins) for _, begins in counted]
        self.insert = f"INSERT INTO {name} ({into}) VALUES ({', '.join(values)})"
        key = ", ".join(map(quoted, table.key))
        changed = [
            f"{quoted(e)} = EXCLUDED.{quoted(e)}" for e in stored[len(table.key) :]
        ]
        self.put = (
            f"{self.insert} ON CONFLICT ({key}) DO UPDATE SET {', '.join(changed)}"
        )
        self.place = " AND ".join(
            [f"{name}.{each} = ${at}" for at, each in enumerate(table.key, 1)]
        )
        self._key = table.columns.index(KEYS) if KEYS in table.columns else None

    def row_in(self, row: Row) -> Row:
        """A row as it is stored."""
        at = self._key
        return row if at is None else (*row[:at], row[at].encode(), *row[at + 1 :])

    def row_out(self, row: Row) -> Row:
        """A row as its table's functions take it.

        :raises UnicodeDecodeError: its key is no UTF-8.
        """
        at = self._key
        return row if at is None else (*row[:at], row[at].decode(), *row[at + 1 :])


def quoted(name: str) -> str:
    """The name of a column, some of which are PostgreSQL's words."""
    return f'"{name}"'
