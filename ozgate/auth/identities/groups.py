"""Interactions that look at groups and change them, likewise as :mod:`.users`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...errors.iam import DeleteConflict, EntityAlreadyExists, NoSuchEntity
from ...interfaces import IMetadataTransaction
from ...values import Claim, Group
from . import holding
from .naming import GROUP, check_name, id_of
from .users import PAGE, all_users


def find_group(tx: IMetadataTransaction, name: str) -> Group:
    """A group.

    :raises NoSuchEntity: there is none of that name.
    """
    group = tx.group(name)
    if group is None:
        raise NoSuchEntity(f"The group with name {name} cannot be found.")
    return group


def all_groups(tx: IMetadataTransaction) -> Iterator[Group]:
    """All groups, by name."""
    page = tx.groups("", PAGE)
    while page:
        yield from page
        page = tx.groups(page[-1].name, PAGE) if len(page) == PAGE else []


def users_in_group(tx: IMetadataTransaction, name: str) -> Sequence[str]:
    """The names of those who are in a group, in order. Costs a walk through all users.

    :raises NoSuchEntity: there is no such group.
    """
    find_group(tx, name)
    return [user.name for user in all_users(tx) if name in user.groups]


def create_group(tx: IMetadataTransaction, name: str) -> Group:
    """Make a group, in which nobody is yet.

    :raises EntityAlreadyExists: there is one of that name.
    :raises ValidationError: no group is called so.
    """
    check_name(name, "group")
    tx.claim(Claim.group(name))
    if tx.group(name) is not None:
        raise EntityAlreadyExists(f"Group with name {name} already exists.")
    now = tx.now()
    group = Group(name, id_of(GROUP, name, now), now)
    tx.put_group(group)
    return group


def delete_group(tx: IMetadataTransaction, name: str) -> None:
    """Remove a group that nobody is in, and that has no policies.

    :raises NoSuchEntity: there is none of that name.
    :raises DeleteConflict: it has something.
    """
    group = _changing(tx, name)
    for members, what in (
        (group.policies, "must detach all policies first."),
        (group.inline, "must delete policies first."),
        (users_in_group(tx, name), "must remove users from group first."),
    ):
        if members:
            raise DeleteConflict(f"Cannot delete entity, {what}")
    tx.remove_group(name)


def attach_group_policy(tx: IMetadataTransaction, name: str, policy: str) -> Group:
    """Attach a policy to a group; see :func:`.holding.attached`.

    :raises NoSuchEntity: there is no such group or policy.
    """
    group = _changing(tx, name, Claim.policy(policy, shared=True))
    return _put(tx, holding.attached(tx, group, policy))


def detach_group_policy(tx: IMetadataTransaction, name: str, policy: str) -> Group:
    """Detach a policy, be that lost.

    :raises NoSuchEntity: there is no such group, or it was not attached.
    """
    return _put(tx, holding.detached(_changing(tx, name), policy))


def put_group_policy(
    tx: IMetadataTransaction, name: str, policy: str, document: str
) -> Group:
    """Give a group a policy of its own; see :func:`.holding.with_inline`.

    :raises NoSuchEntity: there is no such group.
    """
    return _put(tx, holding.with_inline(_changing(tx, name), policy, document))


def delete_group_policy(tx: IMetadataTransaction, name: str, policy: str) -> Group:
    """Take a policy of its own from a group.

    :raises NoSuchEntity: there is no such group, or policy of it.
    """
    return _put(tx, holding.without_inline(_changing(tx, name), policy))


def _changing(tx: IMetadataTransaction, name: str, *claims: Claim) -> Group:
    tx.claim(Claim.group(name), *claims)
    return find_group(tx, name)


def _put(tx: IMetadataTransaction, group: Group) -> Group:
    tx.put_group(group)
    return group
