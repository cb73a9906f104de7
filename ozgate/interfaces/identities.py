"""The facets of a transaction for who is who: users, groups and policies, and the secrets of access ids."""

from __future__ import annotations

from collections.abc import Sequence

from zope.interface import Interface

from ..values import Group, ManagedPolicy, Secret, User

__all__ = ["IIdentities", "ISecretRows"]


class IIdentities(Interface):
    """Rows of users, groups and named policies. Most users have none.

    A row that is damaged is not to be had: reading it raises ``Damaged``, and whoever it is about is refused.
    """

    def user(name: str) -> User | None:
        """The row of a user."""

    def users(after: str, limit: int) -> Sequence[User]:
        """Users by name, those after ``after``."""

    def put_user(user: User) -> None:
        """Store a row; one of the same name is replaced."""

    def remove_user(name: str) -> None:
        """Remove a row; nothing happens if it is gone."""

    def group(name: str) -> Group | None:
        """The row of a group."""

    def groups(after: str, limit: int) -> Sequence[Group]:
        """Groups by name, those after ``after``."""

    def put_group(group: Group) -> None:
        """Store a row; one of the same name is replaced."""

    def remove_group(name: str) -> None:
        """Remove a row; nothing happens if it is gone."""

    def policy(name: str) -> ManagedPolicy | None:
        """The row of a policy."""

    def policies(after: str, limit: int) -> Sequence[ManagedPolicy]:
        """Policies by name, those after ``after``."""

    def put_policy(policy: ManagedPolicy) -> None:
        """Store a row; one of the same name is replaced."""

    def remove_policy(name: str) -> None:
        """Remove a row; nothing happens if it is gone."""


class ISecretRows(Interface):
    """Rows of secrets, sealed."""

    def secret_row(access_id: str) -> Secret | None:
        """The row of an access id, whether expired or not."""

    def put_secret(secret: Secret) -> None:
        """Store a row; one of the same access id is replaced."""

    def remove_secret(access_id: str) -> None:
        """Remove a row; nothing happens if it is gone."""

    def secrets(after: str, limit: int) -> Sequence[Secret]:
        """Rows by access id, those after ``after``."""

    def secrets_of(user: str, after: str, limit: int) -> Sequence[Secret]:
        """Rows of a user by access id, those after ``after``. Costs what it returns."""
