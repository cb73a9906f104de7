"""Actions of IAM on the policies that users and groups have: attached ones, and those that are theirs alone. Source: IAM API Reference."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ...auth.identities import groups, users
from ...auth.identities.holding import find_inline
from ..arns import arn_of, policy_name
from ..shown import is_listed, page_of, read_document, shown_document

if TYPE_CHECKING:
    from ...values import Group, User
    from ..answers import Value
    from ..asked import QueryCall


def _user(call: QueryCall) -> str:
    return call.form.text("UserName", high=256)


def _group(call: QueryCall) -> str:
    return call.form.text("GroupName")


def _attached(call: QueryCall) -> str:
    return policy_name(call.form.text("PolicyArn", 20, 2048))


def _own(call: QueryCall) -> str:
    return call.form.text("PolicyName")


def _list_attached(call: QueryCall, holder: User | Group) -> Mapping[str, Value]:
    names = sorted(holder.policies) if is_listed(call.form) else []
    page, end = page_of(call.form, names, str)
    shown = [{"PolicyName": name, "PolicyArn": arn_of("policy", name)} for name in page]
    return {"AttachedPolicies": shown, **end}


def _list_own(call: QueryCall, holder: User | Group) -> Mapping[str, Value]:
    page, end = page_of(call.form, sorted(holder.inline), str)
    return {"PolicyNames": page, **end}


def _show_own(name: str, document: str) -> dict[str, Value]:
    return {"PolicyName": name, "PolicyDocument": shown_document(document)}


async def attach_user_policy(call: QueryCall) -> Mapping[str, Value]:
    """Attach a policy to a user."""
    await call.write(users.attach_user_policy, _user(call), _attached(call))
    return {}


async def detach_user_policy(call: QueryCall) -> Mapping[str, Value]:
    """Detach a policy from a user."""
    await call.write(users.detach_user_policy, _user(call), _attached(call))
    return {}


async def list_attached_user_policies(call: QueryCall) -> Mapping[str, Value]:
    """List the policies that are attached to a user, in pages."""
    return _list_attached(call, await call.read(users.find_user, _user(call)))


async def put_user_policy(call: QueryCall) -> Mapping[str, Value]:
    """Give a user a policy of his own."""
    document = read_document(call.form)
    await call.write(users.put_user_policy, _user(call), _own(call), document)
    return {}


async def get_user_policy(call: QueryCall) -> Mapping[str, Value]:
    """Show a policy of a user's own."""
    user = await call.read(users.find_user, _user(call))
    name = _own(call)
    return {"UserName": user.name, **_show_own(name, find_inline(user, name))}


async def delete_user_policy(call: QueryCall) -> Mapping[str, Value]:
    """Take a policy of his own from a user."""
    await call.write(users.delete_user_policy, _user(call), _own(call))
    return {}


async def list_user_policies(call: QueryCall) -> Mapping[str, Value]:
    """List the policies of a user's own, in pages."""
    return _list_own(call, await call.read(users.find_user, _user(call)))


async def attach_group_policy(call: QueryCall) -> Mapping[str, Value]:
    """Attach a policy to a group."""
    await call.write(groups.attach_group_policy, _group(call), _attached(call))
    return {}


async def detach_group_policy(call: QueryCall) -> Mapping[str, Value]:
    """Detach a policy from a group."""
    await call.write(groups.detach_group_policy, _group(call), _attached(call))
    return {}


async def list_attached_group_policies(call: QueryCall) -> Mapping[str, Value]:
    """List the policies that are attached to a group, in pages."""
    return _list_attached(call, await call.read(groups.find_group, _group(call)))


async def put_group_policy(call: QueryCall) -> Mapping[str, Value]:
    """Give a group a policy of its own."""
    document = read_document(call.form)
    await call.write(groups.put_group_policy, _group(call), _own(call), document)
    return {}


async def get_group_policy(call: QueryCall) -> Mapping[str, Value]:
    """Show a policy of a group's own."""
    group = await call.read(groups.find_group, _group(call))
    name = _own(call)
    return {"GroupName": group.name, **_show_own(name, find_inline(group, name))}


async def delete_group_policy(call: QueryCall) -> Mapping[str, Value]:
    """Take a policy of its own from a group."""
    await call.write(groups.delete_group_policy, _group(call), _own(call))
    return {}


async def list_group_policies(call: QueryCall) -> Mapping[str, Value]:
    """List the policies of a group's own, in pages."""
    return _list_own(call, await call.read(groups.find_group, _group(call)))
