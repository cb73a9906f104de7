"""Interactions that look at named policies and change them, likewise as :mod:`.users`.

Canned policies (:mod:`.canned`) are found like all others. Of documents that were replaced nothing is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from attrs import evolve

from ...errors.iam import (
    DeleteConflict,
    EntityAlreadyExists,
    LimitExceeded,
    NoSuchEntity,
    UnmodifiableEntity,
)
from ...immutable import frozen
from ...interfaces import IMetadataTransaction
from ...values import Claim, ManagedPolicy
from .canned import CANNED
from .groups import all_groups
from .holding import length
from .naming import POLICY, check_name, id_of
from .users import MOST_TAGS, PAGE, all_users

MOST: Final = 6144
"""Characters of a document, without white space. Source: IAM User Guide, "IAM and AWS STS quotas"."""


@frozen
class Holders:
    """Whom a policy is attached to, by name, in order."""

    users: Sequence[str]
    groups: Sequence[str]


def find_policy(tx: IMetadataTransaction, name: str) -> ManagedPolicy:
    """A policy, be it a canned one, which was never made: its times are 0.

    :raises NoSuchEntity: there is none of that name.
    """
    document = CANNED.get(name)
    if document is not None:
        return ManagedPolicy(name, id_of(POLICY, name, 0), 0, document, 0)
    policy = tx.policy(name)
    if policy is None:
        raise NoSuchEntity(f"Policy {name} was not found.")
    return policy


def all_policies(tx: IMetadataTransaction) -> Iterator[ManagedPolicy]:
    """All policies that were made, by name."""
    page = tx.policies("", PAGE)
    while page:
        yield from page
        page = tx.policies(page[-1].name, PAGE) if len(page) == PAGE else []


def holders_of(tx: IMetadataTransaction, name: str) -> Holders:
    """Whom a policy is attached to. Costs a walk through all users and groups."""
    return Holders(
        [user.name for user in all_users(tx) if name in user.policies],
        [group.name for group in all_groups(tx) if name in group.policies],
    )


def create_policy(
    tx: IMetadataTransaction,
    name: str,
    document: str,
    description: str = "",
    tags: Mapping[str, str] | None = None,
) -> ManagedPolicy:
    """Make a policy.

    :raises EntityAlreadyExists: there is one of that name.
    :raises LimitExceeded: the document is too long.
    :raises ValidationError: no policy is called so.
    """
    check_name(name, "policy")
    _check_length(document)
    tx.claim(Claim.policy(name))
    if name in CANNED or tx.policy(name) is not None:
        raise EntityAlreadyExists(f"A policy called {name} already exists.")
    now = tx.now()
    policy = ManagedPolicy(name, id_of(POLICY, name, now), now, document, now)
    policy = evolve(policy, description=description, tags=dict(tags or {}))
    tx.put_policy(policy)
    return policy


def replace_policy(tx: IMetadataTransaction, name: str, document: str) -> ManagedPolicy:
    """Write a policy anew: it counts wherever it is attached from the next request on.

    :raises NoSuchEntity: there is none of that name.
    :raises UnmodifiableEntity: it is a canned one.
    :raises LimitExceeded: the document is too long.
    """
    _check_length(document)
    policy = _changing(tx, name)
    version = policy.version + 1
    policy = evolve(policy, document=document, updated=tx.now(), version=version)
    tx.put_policy(policy)
    return policy


def tag_policy(
    tx: IMetadataTransaction, name: str, tags: Mapping[str, str]
) -> ManagedPolicy:
    """Give a policy tags; those of the same name are replaced.

    :raises NoSuchEntity: there is none of that name.
    :raises UnmodifiableEntity: it is a canned one.
    :raises LimitExceeded: there are too many.
    """
    policy = _changing(tx, name)
    tags = {**policy.tags, **tags}
    if len(tags) > MOST_TAGS:
        raise LimitExceeded(f"Cannot exceed quota for TagsPerPolicy: {MOST_TAGS}")
    policy = evolve(policy, tags=tags)
    tx.put_policy(policy)
    return policy


def untag_policy(
    tx: IMetadataTransaction, name: str, keys: Iterable[str]
) -> ManagedPolicy:
    """Take tags from a policy, if it has them.

    :raises NoSuchEntity: there is none of that name.
    :raises UnmodifiableEntity: it is a canned one.
    """
    policy, gone = _changing(tx, name), frozenset(keys)
    tags = {key: value for key, value in policy.tags.items() if key not in gone}
    policy = evolve(policy, tags=tags)
    tx.put_policy(policy)
    return policy


def delete_policy(tx: IMetadataTransaction, name: str) -> None:
    """Remove a policy that is attached to nobody.

    :raises NoSuchEntity: there is none of that name.
    :raises UnmodifiableEntity: it is a canned one.
    :raises DeleteConflict: it is attached.
    """
    _changing(tx, name)
    holders = holders_of(tx, name)
    if holders.users or holders.groups:
        raise DeleteConflict("Cannot delete a policy attached to entities.")
    tx.remove_policy(name)


def _changing(tx: IMetadataTransaction, name: str) -> ManagedPolicy:
    if name in CANNED:
        raise UnmodifiableEntity(f"The policy {name} is always there, as it is.")
    tx.claim(Claim.policy(name))
    return find_policy(tx, name)


def _check_length(document: str) -> None:
    if length(document) > MOST:
        raise LimitExceeded(f"Cannot exceed quota for PolicySize: {MOST}")
