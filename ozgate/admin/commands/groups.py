"""Groups behind ``ozgate admin group``: those of ozgate, not of the operating system."""

from __future__ import annotations

from ...auth.identities import groups, users
from ...interfaces import IMetadataTransaction
from ...values import Group
from ..answers import Json
from ..caller import Caller
from ..context import AdminContext
from .identities import change, check_document, look
from .lookup import page_size


async def create_group(context: AdminContext, caller: Caller, group: str) -> Json:
    """Make a group, in which nobody is yet."""
    return await change(context, caller, _create_group, group)


def _create_group(tx: IMetadataTransaction, name: str) -> Json:
    return shown(groups.create_group(tx, name))


async def list_groups(
    context: AdminContext, caller: Caller, start: str = "", limit: int = users.PAGE
) -> list[Json]:
    """Groups by name, those after ``start``."""
    return await look(context, caller, _list, start, page_size(limit))


def _list(tx: IMetadataTransaction, start: str, limit: int) -> list[Json]:
    return [shown(group) for group in tx.groups(start, limit)]


async def info_group(context: AdminContext, caller: Caller, group: str) -> Json:
    """A group, with who is in it, and the documents of the policies that are its alone."""
    return await look(context, caller, _info, group)


def _info(tx: IMetadataTransaction, name: str) -> Json:
    group = groups.find_group(tx, name)
    users_in = groups.users_in_group(tx, name)
    return {**shown(group), "users": users_in, "documents": dict(group.inline)}


async def remove_group(context: AdminContext, caller: Caller, group: str) -> None:
    """Remove a group that nobody is in, and that has no policies."""
    await change(context, caller, groups.delete_group, group)


async def add_user_to_group(
    context: AdminContext, caller: Caller, group: str, user: str
) -> None:
    """Put a user into a group."""
    await change(context, caller, users.add_user_to_group, user, group)


async def remove_user_from_group(
    context: AdminContext, caller: Caller, group: str, user: str
) -> None:
    """Take a user out of a group."""
    await change(context, caller, users.remove_user_from_group, user, group)


async def attach_group_policy(
    context: AdminContext,
    caller: Caller,
    group: str,
    policy: str,
    document: str | None = None,
) -> Json:
    """Attach a policy to a group.

    :param document: of a policy of that name that is the group's alone, instead.
    """
    if document is not None:
        check_document(context, caller, document)
    return await change(context, caller, _attach_group_policy, group, policy, document)


def _attach_group_policy(
    tx: IMetadataTransaction, name: str, policy: str, document: str | None
) -> Json:
    if document is None:
        return shown(groups.attach_group_policy(tx, name, policy))
    return shown(groups.put_group_policy(tx, name, policy, document))


async def detach_group_policy(
    context: AdminContext,
    caller: Caller,
    group: str,
    policy: str,
    inline: bool = False,
) -> Json:
    """Detach a policy from a group; or remove one that is the group's alone, where ``inline`` says so."""
    return await change(context, caller, _detach_group_policy, group, policy, inline)


def _detach_group_policy(
    tx: IMetadataTransaction, name: str, policy: str, inline: bool
) -> Json:
    act = groups.delete_group_policy if inline else groups.detach_group_policy
    return shown(act(tx, name, policy))


def shown(group: Group) -> Json:
    """What is told of a group."""
    return {
        "name": group.name,
        "id": group.id,
        "created": group.created,
        "policies": sorted(group.policies),
        "inline": sorted(group.inline),
    }
