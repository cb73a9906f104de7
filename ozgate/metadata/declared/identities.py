"""Who is who, over rows of any table: what providers that keep rows in tables have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TypeVar

from ...values import Group, ManagedPolicy, Secret, User
from .relation import Table
from .tables import GROUPS, POLICIES, SECRETS, USERS

V = TypeVar("V")

KINDS = (USERS, GROUPS, POLICIES, SECRETS)
"""Each has a name, which is its key."""


class Identities(ABC):
    """Users, groups, policies and secrets; see :class:`~ozgate.interfaces.IMetadataTransaction`."""

    @abstractmethod
    def _one(self, table: Table[V], name: str) -> V | None:
        """The row of that name."""

    @abstractmethod
    def _some(self, table: Table[V], after: str, limit: int) -> list[V]:
        """Rows by name, those after one."""

    @abstractmethod
    def _put(self, table: Table[V], value: V) -> None:
        """Store a row, in the place of that of the same name."""

    @abstractmethod
    def _remove(self, table: Table[V], name: str) -> None:
        """Remove the row of that name, if there is one."""

    def user(self, name: str) -> User | None:
        """The row of a user."""
        return self._one(USERS, name)

    def users(self, after: str, limit: int) -> Sequence[User]:
        """Users by name."""
        return self._some(USERS, after, limit)

    def put_user(self, user: User) -> None:
        """Store a row."""
        self._put(USERS, user)

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
        self._put(GROUPS, group)

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
        self._put(POLICIES, policy)

    def remove_policy(self, name: str) -> None:
        """Remove a row."""
        self._remove(POLICIES, name)

    def secret_row(self, access_id: str) -> Secret | None:
        """The row of an access id."""
        return self._one(SECRETS, access_id)

    def secrets(self, after: str, limit: int) -> Sequence[Secret]:
        """Rows by access id."""
        return self._some(SECRETS, after, limit)

    def put_secret(self, secret: Secret) -> None:
        """Store a row."""
        self._put(SECRETS, secret)

    def remove_secret(self, access_id: str) -> None:
        """Remove a row."""
        self._remove(SECRETS, access_id)
