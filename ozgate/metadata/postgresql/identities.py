"""Rows of who is who: users, groups, policies, secrets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from ...values import Secret
from ..declared.identities import KINDS, Identities
from ..declared.relation import Table
from ..declared.tables import SECRETS
from .base import Rows
from .statements import Statements, quoted

V = TypeVar("V")

_OF = {table.name: Statements(table) for table in KINDS}

_BY_NAME = {
    name: f"SELECT {each.select} FROM {name} WHERE {each.place}"
    for name, each in _OF.items()
}
"""Made once: every request asks for a secret."""


class IdentityRows(Identities, Rows):
    """Rows of each kind."""

    def secrets_of(self, user: str, after: str, limit: int) -> Sequence[Secret]:
        """Rows of a user."""
        rows = self._execute(
            f"SELECT {_OF['secrets'].select} FROM secrets WHERE secrets.user = $1"
            " AND access_id > $2 ORDER BY access_id LIMIT $3",
            (user, after, limit),
        ).fetchall()
        return [SECRETS.read(row) for row in rows]

    def _one(self, table: Table[V], name: str) -> V | None:
        row = self._execute(_BY_NAME[table.name], (name,)).fetchone()
        return None if row is None else table.read(row)

    def _some(self, table: Table[V], after: str, limit: int) -> list[V]:
        key = quoted(table.key[0])
        rows = self._execute(
            f"SELECT {_OF[table.name].select} FROM {table.name} WHERE {key} > $1"
            f" ORDER BY {key} LIMIT $2",
            (after, limit),
        ).fetchall()
        return [table.read(row) for row in rows]

    def _put(self, table: Table[V], value: V) -> None:
        self._execute(_OF[table.name].put, table.row(value))

    def _remove(self, table: Table[V], name: str) -> None:
        key = quoted(table.key[0])
        self._execute(f"DELETE FROM {table.name} WHERE {key} = $1", (name,))
