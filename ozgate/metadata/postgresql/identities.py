"""Rows of who is who: users, groups, policies, secrets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from ...values import Group, ManagedPolicy, Secret, User
from ..declared.relation import Table
from ..declared.tables import GROUPS, POLICIES, SECRETS, USERS
from .base import Rows
from .statements import Statements, quoted

V = TypeVar("V")

_OF = {table.name: Statements(table) for table in (USERS, GROUPS, POLICIES, SECRETS)}

_BY_NAME = {
    name: f"SELECT {each.select} FROM {name} WHERE {each.place}"
    for name, each in _OF.items()
}
"""Made once: every request asks for a secret."""


class IdentityRows(Rows):
    """Users, groups, policies and secrets; see :class:`~ozgate.interfaces.IMetadataTransaction`."""

    def user(self, name: str) -> User | None:
        """The row of a user."""
        return self._one(USERS, name)

    def users(self, after: str, limit: int) -> Sequence[User]:
        """Users by name."""
        return self._some(USERS, after, limit)

    def put_user(self, user: User) -> None:
        """Store a row."""
        self._execute(_OF["users"].put, USERS.row(user))

    def remove_user(self, name: str) -> None:
        """Remove a row."""
        self._remove(USERS, name)

    def group(self, name: str) -> Group | None:
        """The row of a group."""
        return self._one(GROUPS, name)

    def groups(self, after: str, limit: int) -> Sequence[Group]:
        """Groups by name."""
        return self._some(GROUPS, after, limit)

    def put_group(self, group: Group) -> None:
        """Store a row."""
        self._execute(_OF["groups"].put, GROUPS.row(group))

    def remove_group(self, name: str) -> None:
        """Remove a row."""
        self._remove(GROUPS, name)

    def policy(self, name: str) -> ManagedPolicy | None:
        """The row of a policy."""
        return self._one(POLICIES, name)

    def policies(self, after: str, limit: int) -> Sequence[ManagedPolicy]:
        """Policies by name."""
        return self._some(POLICIES, after, limit)

    def put_policy(self, policy: ManagedPolicy) -> None:
        """Store a row."""
        self._execute(_OF["policies"].put, POLICIES.row(policy))

    def remove_policy(self, name: str) -> None:
        """Remove a row."""
        self._remove(POLICIES, name)

    def secret_row(self, access_id: str) -> Secret | None:
        """The row of an access id."""
        return self._one(SECRETS, access_id)

    def put_secret(self, secret: Secret) -> None:
        """Store a row."""
        self._execute(_OF["secrets"].put, SECRETS.row(secret))

    def remove_secret(self, access_id: str) -> None:
        """Remove a row."""
        self._remove(SECRETS, access_id)

    def secrets(self, after: str, limit: int) -> Sequence[Secret]:
        """Rows by access id."""
        return self._some(SECRETS, after, limit)

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

    def _remove(self, table: Table[object], name: str) -> None:
        key = quoted(table.key[0])
        self._execute(f"DELETE FROM {table.name} WHERE {key} = $1", (name,))
