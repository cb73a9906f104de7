"""Users behind ``ozgate admin user``."""

from __future__ import annotations

from collections.abc import Sequence

from ...auth.identities import users
from ...interfaces import IMetadataTransaction
from ...values import User
from ..answers import Json
from ..caller import Caller
from ..context import AdminContext
from .identities import change, check_document, look
from .lookup import page_size


async def create_user(
    context: AdminContext,
    caller: Caller,
    user: str,
    policies: list[str] | None = None,
    groups: list[str] | None = None,
) -> Json:
    """Make a user, who has no key yet.

    :param policies: names of policies that are attached at once.
    :param groups: names of groups that he is in at once.
    """
    attached, joined = _names(policies), _names(groups)
    return await change(context, caller, _create_user, user, attached, joined)


def _names(names: list[str] | None) -> tuple[str, ...]:
    """Names in the order in which they are claimed."""
    # What is no text is no name of anything, and so found nowhere.
    said = [str(each).encode("utf-8", "replace").decode() for each in names or ()]
    return tuple(sorted(said))


def _create_user(
    tx: IMetadataTransaction, name: str, policies: Sequence[str], groups: Sequence[str]
) -> Json:
    users.create_user(tx, name)
    for group in groups:
        users.add_user_to_group(tx, name, group)
    for policy in policies:
        users.attach_user_policy(tx, name, policy)
    return shown(tx, users.find_user(tx, name))


async def list_users(
    context: AdminContext, caller: Caller, start: str = "", limit: int = users.PAGE
) -> list[Json]:
    """Users by name, those after ``start``: with their groups, policies, and how many keys they have."""
    return await look(context, caller, _list, start, page_size(limit))


def _list(tx: IMetadataTransaction, start: str, limit: int) -> list[Json]:
    return [shown(tx, user) for user in users.list_users(tx, start, limit)]


async def info_user(context: AdminContext, caller: Caller, user: str) -> Json:
    """A user, with the documents of the policies that are his alone."""
    return await look(context, caller, _info, user)


def _info(tx: IMetadataTransaction, name: str) -> Json:
    user = users.find_user(tx, name)
    return {**shown(tx, user), "documents": dict(user.inline)}


async def remove_user(context: AdminContext, caller: Caller, user: str) -> Json:
    """Remove a user with all keys; what he owns stays. Says how many ``keys`` there were."""
    keys = await change(context, caller, users.remove_user, user)
    return {"name": user, "keys": keys}


async def disable_user(context: AdminContext, caller: Caller, user: str) -> Json:
    """Have no key of a user open anything, from the next request on."""
    return await change(context, caller, _disable_user, user, True)


async def enable_user(context: AdminContext, caller: Caller, user: str) -> Json:
    """Have a user's keys open what they did before."""
    return await change(context, caller, _disable_user, user, False)


def _disable_user(tx: IMetadataTransaction, name: str, is_disabled: bool) -> Json:
    return shown(tx, users.disable_user(tx, name, is_disabled))


async def attach_user_policy(
    context: AdminContext,
    caller: Caller,
    user: str,
    policy: str,
    document: str | None = None,
) -> Json:
    """Attach a policy to a user.

    :param document: of a policy of that name that is the user's alone, instead.
    """
    if document is not None:
        check_document(context, caller, document)
    return await change(context, caller, _attach_user_policy, user, policy, document)


def _attach_user_policy(
    tx: IMetadataTransaction, name: str, policy: str, document: str | None
) -> Json:
    if document is None:
        return shown(tx, users.attach_user_policy(tx, name, policy))
    return shown(tx, users.put_user_policy(tx, name, policy, document))


async def detach_user_policy(
    context: AdminContext,
    caller: Caller,
    user: str,
    policy: str,
    inline: bool = False,
) -> Json:
    """Detach a policy from a user; or remove one that is the user's alone, where ``inline`` says so."""
    return await change(context, caller, _detach_user_policy, user, policy, inline)


def _detach_user_policy(
    tx: IMetadataTransaction, name: str, policy: str, inline: bool
) -> Json:
    act = users.delete_user_policy if inline else users.detach_user_policy
    return shown(tx, act(tx, name, policy))


def shown(tx: IMetadataTransaction, user: User) -> Json:
    """What is told of a user."""
    return {
        "name": user.name,
        "id": user.id,
        "created": user.created,
        "disabled": user.is_disabled,
        "groups": sorted(user.groups),
        "policies": sorted(user.policies),
        "inline": sorted(user.inline),
        "keys": sum(1 for _ in users.keys_of(tx, user.name)),
        "tags": dict(user.tags),
    }
