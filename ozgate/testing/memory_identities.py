"""Who is who, of the memory provider: users, groups, policies, secrets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from ..values import Claim, Group, ManagedPolicy, Secret, User
from .memory_state import Rows, by_name

V = TypeVar("V")


class IdentityRows(Rows):
    """Users, groups, policies and secrets; see :class:`~ozgate.interfaces.IIdentities`."""

    def user(self, name: str) -> User | None:
        """The row of a user."""
        return self._state.users.get(name)

    def users(self, after: str, limit: int) -> Sequence[User]:
        """Users by name."""
        return _some(self._state.users, after, limit)

    def put_user(self, user: User) -> None:
        """Store a row."""
        self._written(Claim.user(user.name)).users[user.name] = user

    def remove_user(self, name: str) -> None:
        """Remove a row."""
        self._written(Claim.user(name)).users.pop(name, None)

    def group(self, name: str) -> Group | None:
        """The row of a group."""
        return self._state.groups.get(name)

    def groups(self, after: str, limit: int) -> Sequence[Group]:
        """Groups by name."""
        return _some(self._state.groups, after, limit)

    def put_group(self, group: Group) -> None:
        """Store a row."""
        self._written(Claim.group(group.name)).groups[group.name] = group

    def remove_group(self, name: str) -> None:
        """Remove a row."""
        self._written(Claim.group(name)).groups.pop(name, None)

    def policy(self, name: str) -> ManagedPolicy | None:
        """The row of a policy."""
        return self._state.policies.get(name)

    def policies(self, after: str, limit: int) -> Sequence[ManagedPolicy]:
        """Policies by name."""
        return _some(self._state.policies, after, limit)

    def put_policy(self, policy: ManagedPolicy) -> None:
        """Store a row."""
        self._written(Claim.policy(policy.name)).policies[policy.name] = policy

    def remove_policy(self, name: str) -> None:
        """Remove a row."""
        self._written(Claim.policy(name)).policies.pop(name, None)

    def secret_row(self, access_id: str) -> Secret | None:
        """The row of an access id."""
        return self._state.secrets.get(access_id)

    def put_secret(self, secret: Secret) -> None:
        """Store a row."""
        self._written(Claim.secret(secret.access_id)).secrets[secret.access_id] = secret

    def remove_secret(self, access_id: str) -> None:
        """Remove a row."""
        self._written(Claim.secret(access_id)).secrets.pop(access_id, None)

    def secrets(self, after: str, limit: int) -> Sequence[Secret]:
        """Rows by access id."""
        return _some(self._state.secrets, after, limit)

    def secrets_of(self, user: str, after: str, limit: int) -> Sequence[Secret]:
        """Rows of a user."""
        secrets = self._state.secrets
        his = {name: row for name, row in secrets.items() if row.user == user}
        return _some(his, after, limit)


def _some(rows: Mapping[str, V], after: str, limit: int) -> list[V]:
    return [rows[name] for name in by_name(rows, "", after, limit)]
