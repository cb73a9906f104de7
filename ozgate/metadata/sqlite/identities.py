"""Rows of who is who: users, groups, policies, secrets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from ...values import Secret
from ..declared.identities import KINDS, Identities
from ..declared.relation import Table
from ..declared.tables import SECRETS
from .base import Rows

V = TypeVar("V")

_BY_NAME = {
    table.name: f"SELECT {table.select} FROM {table.name} WHERE {table.key[0]} = ?"
    for table in KINDS
}
"""Made once: every request asks for a secret."""


class IdentityRows(Identities, Rows):
    """Rows of each kind."""

    def secrets_of(self, user: str, after: str, limit: int) -> Sequence[Secret]:
        """Rows of a user."""
        rows = self._execute(
            f"SELECT {SECRETS.select} FROM secrets WHERE user = ? AND access_id > ?"
            " ORDER BY access_id LIMIT ?",
            (user, after, limit),
        ).fetchall()
        return [SECRETS.read(row) for row in rows]

    def _one(self, table: Table[V], name: str) -> V | None:
        row = self._execute(_BY_NAME[table.name], (name,)).fetchone()
        return None if row is None else table.read(row)

    def _some(self, table: Table[V], after: str, limit: int) -> list[V]:
        rows = self._execute(
            f"SELECT {table.select} FROM {table.name} WHERE {table.key[0]} > ?"
            f" ORDER BY {table.key[0]} LIMIT ?",
            (after, limit),
        ).fetchall()
        return [table.read(row) for row in rows]

    def _put(self, table: Table[V], value: V) -> None:
        self._execute(table.put, table.row(value))

    def _remove(self, table: Table[V], name: str) -> None:
        self._execute(f"DELETE FROM {table.name} WHERE {table.key[0]} = ?", (name,))
