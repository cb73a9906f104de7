"""Interactions that look at users and change them: what IAM's calls and the admin commands mean by it.

Whoever has a key is a user, and needs no row until something is said of him: then he gets one, and each of his keys says so, so that a
row that is lost is missed (:mod:`.grants`). Names and documents come checked.
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
)
from ...interfaces import IMetadataTransaction
from ...values import Claim, Secret, User
from . import holding
from .naming import USER, check_user_name, id_of

PAGE: Final = 1000
"""Rows that are read at a time."""

MOST_GROUPS: Final = 10
"""Groups that a user is in at most. Source: IAM User Guide, "IAM and AWS STS quotas"."""

MOST_TAGS: Final = 50


def find_user(tx: IMetadataTransaction, name: str) -> User:
    """A user; one who has nothing but keys looks as his row would.

    One whose row is lost looks disabled, for his keys open nothing, and stays that until somebody enables him.

    :raises NoSuchEntity: there is nobody of that name.
    """
    user = tx.user(name)
    if user is not None:
        return user
    keys = list(keys_of(tx, name))
    if not keys:
        raise NoSuchEntity(f"The user with name {name} cannot be found.")
    created, is_lost = (
        min(row.created for row in keys),
        any(row.is_managed for row in keys),
    )
    return User(name, id_of(USER, name, created), created, is_disabled=is_lost)


def is_user(tx: IMetadataTransaction, name: str) -> bool:
    """Whether there is a user of that name, with a row or with a key."""
    return tx.user(name) is not None or bool(tx.secrets_of(name, "", 1))


def keys_of(tx: IMetadataTransaction, name: str) -> Iterator[Secret]:
    """All keys of a user, by access id."""
    after, page = "", tx.secrets_of(name, "", PAGE)
    while page:
        yield from page
        after = page[-1].access_id
        page = tx.secrets_of(name, after, PAGE) if len(page) == PAGE else []


def all_users(tx: IMetadataTransaction) -> Iterator[User]:
    """All users that have a row, by name."""
    page = tx.users("", PAGE)
    while page:
        yield from page
        page = tx.users(page[-1].name, PAGE) if len(page) == PAGE else []


def list_users(tx: IMetadataTransaction, after: str, limit: int) -> Sequence[User]:
    """Users by name, those after ``after``, at most ``limit``: those who have nothing but keys, too. Costs a walk through all keys."""
    names = {row.user for row in all_keys(tx)}
    names.update(user.name for user in all_users(tx))
    later = sorted(name for name in names if name > after)
    return [find_user(tx, name) for name in later[:limit]]


def all_keys(tx: IMetadataTransaction) -> Iterator[Secret]:
    """All keys of all users, by access id."""
    page = tx.secrets("", PAGE)
    while page:
        yield from page
        page = tx.secrets(page[-1].access_id, PAGE) if len(page) == PAGE else []


def create_user(
    tx: IMetadataTransaction, name: str, tags: Mapping[str, str] | None = None
) -> User:
    """Make a user, who has no key yet.

    :raises EntityAlreadyExists: there is one of that name, be it that he has nothing but keys.
    :raises ValidationError: nobody is called so.
    """
    check_user_name(name)
    tx.claim(Claim.user(name))
    if is_user(tx, name):
        raise EntityAlreadyExists(f"User with name {name} already exists.")
    now = tx.now()
    user = User(name, id_of(USER, name, now), now, tags=dict(tags or {}))
    tx.put_user(user)
    return user


def delete_user(tx: IMetadataTransaction, name: str) -> None:
    """Remove a user who has nothing left. What he owns in the store stays, and is the next one's of that name.

    :raises NoSuchEntity: there is nobody of that name.
    :raises DeleteConflict: he has something: policies, groups, keys.
    """
    tx.claim(Claim.user(name))
    user = find_user(tx, name)
    for members, what in (
        (user.policies, "must detach all policies first."),
        (user.inline, "must delete policies first."),
        (user.groups, "must remove users from group first."),
        (tx.secrets_of(name, "", 1), "must delete access keys first."),
    ):
        if members:
            raise DeleteConflict(f"Cannot delete entity, {what}")
    tx.remove_user(name)


def remove_user(tx: IMetadataTransaction, name: str) -> int:
    """Remove a user with all his keys; what he owns in the store stays.

    :return: how many keys he had.
    :raises NoSuchEntity: there is nobody of that name.
    """
    tx.claim(Claim.user(name))
    find_user(tx, name)
    access_ids = [row.access_id for row in keys_of(tx, name)]
    keys = list(_claimed(tx, access_ids, name))
    for row in keys:
        tx.remove_secret(row.access_id)
    tx.remove_user(name)
    return len(keys)


def disable_user(tx: IMetadataTransaction, name: str, is_disabled: bool) -> User:
    """Have no key of a user open anything, or each again that is not disabled itself.

    :raises NoSuchEntity: there is nobody of that name.
    """
    return _put(tx, evolve(_changing(tx, name), is_disabled=is_disabled))


def tag_user(tx: IMetadataTransaction, name: str, tags: Mapping[str, str]) -> User:
    """Give a user tags; those of the same name are replaced.

    :raises NoSuchEntity: there is nobody of that name.
    :raises LimitExceeded: there are too many.
    """
    user = _changing(tx, name)
    tags = {**user.tags, **tags}
    if len(tags) > MOST_TAGS:
        raise LimitExceeded(f"Cannot exceed quota for TagsPerUser: {MOST_TAGS}")
    return _put(tx, evolve(user, tags=tags))


def untag_user(tx: IMetadataTransaction, name: str, keys: Iterable[str]) -> User:
    """Take tags from a user, if he has them.

    :raises NoSuchEntity: there is nobody of that name.
    """
    user = _changing(tx, name)
    gone = frozenset(keys)
    tags = {key: value for key, value in user.tags.items() if key not in gone}
    return _put(tx, evolve(user, tags=tags))


def add_user_to_group(tx: IMetadataTransaction, name: str, group: str) -> User:
    """Put a user into a group; he may be in it already.

    :raises NoSuchEntity: there is no such user or group.
    :raises LimitExceeded: he is in too many.
    """
    user = _changing(tx, name, Claim.group(group, shared=True))
    if tx.group(group) is None:
        raise NoSuchEntity(f"The group with name {group} cannot be found.")
    groups = user.groups | {group}
    if len(groups) > max(MOST_GROUPS, len(user.groups)):
        raise LimitExceeded(f"Cannot exceed quota for GroupsPerUser: {MOST_GROUPS}")
    return _put(tx, evolve(user, groups=groups))


def remove_user_from_group(tx: IMetadataTransaction, name: str, group: str) -> User:
    """Take a user out of a group, be that lost.

    :raises NoSuchEntity: there is nobody of that name, or he is not in it.
    """
    user = _changing(tx, name)
    if group not in user.groups:
        raise NoSuchEntity(f"User {name} in group {group} does not exist.")
    return _put(tx, evolve(user, groups=user.groups - {group}))


def attach_user_policy(tx: IMetadataTransaction, name: str, policy: str) -> User:
    """Attach a policy to a user; see :func:`.holding.attached`.

    :raises NoSuchEntity: there is no such user or policy.
    """
    user = _changing(tx, name, Claim.policy(policy, shared=True))
    return _put(tx, holding.attached(tx, user, policy))


def detach_user_policy(tx: IMetadataTransaction, name: str, policy: str) -> User:
    """Detach a policy, be that lost.

    :raises NoSuchEntity: there is no such user, or it was not attached.
    """
    return _put(tx, holding.detached(_changing(tx, name), policy))


def put_user_policy(
    tx: IMetadataTransaction, name: str, policy: str, document: str
) -> User:
    """Give a user a policy of his own; see :func:`.holding.with_inline`.

    :raises NoSuchEntity: there is nobody of that name.
    """
    return _put(tx, holding.with_inline(_changing(tx, name), policy, document))


def delete_user_policy(tx: IMetadataTransaction, name: str, policy: str) -> User:
    """Take a policy of his own from a user.

    :raises NoSuchEntity: there is no such user, or policy of his.
    """
    return _put(tx, holding.without_inline(_changing(tx, name), policy))


def has_row(tx: IMetadataTransaction, name: str) -> bool:
    """Whether a user has a row, be it lost: his keys know.

    For whoever has claimed the user and makes him a key.
    """
    if tx.user(name) is not None:
        return True
    return any(row.is_managed for row in keys_of(tx, name))


def _changing(tx: IMetadataTransaction, name: str, *claims: Claim) -> User:
    """A user, claimed, and what else is claimed with him."""
    tx.claim(Claim.user(name), *claims)
    return find_user(tx, name)


def _put(tx: IMetadataTransaction, user: User) -> User:
    """Store what :func:`_changing` gave, changed."""
    if tx.user(user.name) is None:
        access_ids = [row.access_id for row in keys_of(tx, user.name)]
        for row in _claimed(tx, access_ids, user.name):
            tx.put_secret(evolve(row, is_managed=True))
    tx.put_user(user)
    return user


def _claimed(
    tx: IMetadataTransaction, access_ids: Sequence[str], user: str
) -> Iterator[Secret]:
    """Keys of a user as they are now that they are claimed: one that was revoked meanwhile does not come back."""
    tx.claim(*(Claim.secret(access_id) for access_id in access_ids))
    for access_id in access_ids:
        row = tx.secret_row(access_id)
        if row is not None and row.user == user:
            yield row
