"""Users, groups and their policies, as far as there are rows of them: most users are nothing but an access id with a secret."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import Factory

from ..immutable import frozen

__all__ = ["Group", "ManagedPolicy", "User"]


@frozen
class User:
    """A user of whom more is known than a secret.

    A user without a row may do what owners and lists grant him. One who has it is at least that: policies add to it or deny.

    :ivar name: as :class:`~ozgate.values.Secret` has it: a Kerberos principal is one.
    :ivar id: IAM's, which tells two users apart who bore the same name one after the other.
    :ivar is_disabled: none of his secrets opens anything.
    :ivar groups: names of groups that he is in.
    :ivar policies: names of attached policies.
    :ivar inline: documents of policies that are his alone, as JSON, by name.
    :ivar more: what few have, by name.
    """

    name: str
    id: str
    created: int
    is_disabled: bool = False
    groups: frozenset[str] = frozenset()
    policies: frozenset[str] = frozenset()
    inline: Mapping[str, str] = Factory(dict)
    tags: Mapping[str, str] = Factory(dict)
    more: Mapping[str, str] = Factory(dict)


@frozen
class Group:
    """A group of users, for its policies. Who is in it is in the rows of the users.

    The members are those of :class:`User`.
    """

    name: str
    id: str
    created: int
    policies: frozenset[str] = frozenset()
    inline: Mapping[str, str] = Factory(dict)
    more: Mapping[str, str] = Factory(dict)


@frozen
class ManagedPolicy:
    """A policy with a name, for users and groups to have it attached.

    :ivar id: IAM's.
    :ivar document: as JSON.
    :ivar updated: when the document was written.
    :ivar version: how many documents there were, this one included; of those before nothing is kept.
    :ivar more: what few have, by name.
    """

    name: str
    id: str
    created: int
    document: str
    updated: int
    version: int = 1
    description: str = ""
    tags: Mapping[str, str] = Factory(dict)
    more: Mapping[str, str] = Factory(dict)
