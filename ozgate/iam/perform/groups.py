"""Actions of IAM on groups and who is in them. Source: IAM API Reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ...auth.identities import groups, users
from ...errors.iam import NotImplemented
from ..shown import check_path, is_listed, page_of, shown_group, shown_user

if TYPE_CHECKING:
    from ...interfaces import IMetadataTransaction
    from ...values import Group, User
    from ..answers import Value
    from ..asked import QueryCall


def _all(tx: IMetadataTransaction) -> Sequence[Group]:
    return list(groups.all_groups(tx))


def _with_users(tx: IMetadataTransaction, name: str) -> tuple[Group, Sequence[User]]:
    group, names = groups.find_group(tx, name), groups.users_in_group(tx, name)
    return group, [users.find_user(tx, each) for each in names]


def _of_user(tx: IMetadataTransaction, name: str) -> Sequence[Group]:
    user = users.find_user(tx, name)
    return [groups.find_group(tx, each) for each in sorted(user.groups)]


async def create_group(call: QueryCall) -> Mapping[str, Value]:
    """Make a group."""
    check_path(call.form)
    group = await call.write(groups.create_group, call.form.text("GroupName"))
    return {"Group": shown_group(group)}


async def get_group(call: QueryCall) -> Mapping[str, Value]:
    """Show a group, and who is in it, in pages."""
    group, found = await call.read(_with_users, call.form.text("GroupName"))
    page, end = page_of(call.form, found, lambda each: each.name)
    members = [shown_user(each) for each in page]
    return {"Group": shown_group(group), "Users": members, **end}


async def list_groups(call: QueryCall) -> Mapping[str, Value]:
    """List groups, in pages."""
    found = await call.read(_all) if is_listed(call.form) else []
    page, end = page_of(call.form, found, lambda each: each.name)
    return {"Groups": [shown_group(each) for each in page], **end}


async def update_group(call: QueryCall) -> Mapping[str, Value]:
    """Rename a group, which is refused: lists grant by its name."""
    check_path(call.form, "NewPath")
    name = call.form.text("GroupName")
    await call.read(groups.find_group, name)
    if call.form.get("NewGroupName", name) != name:
        raise NotImplemented("Groups cannot be renamed: lists grant by the name.")
    return {}


async def delete_group(call: QueryCall) -> Mapping[str, Value]:
    """Remove a group that has nothing left."""
    await call.write(groups.delete_group, call.form.text("GroupName"))
    return {}


async def add_user_to_group(call: QueryCall) -> Mapping[str, Value]:
    """Put a user into a group."""
    name = call.form.text("UserName", high=256)
    await call.write(users.add_user_to_group, name, call.form.text("GroupName"))
    return {}


async def remove_user_from_group(call: QueryCall) -> Mapping[str, Value]:
    """Take a user out of a group."""
    name = call.form.text("UserName", high=256)
    await call.write(users.remove_user_from_group, name, call.form.text("GroupName"))
    return {}


async def list_groups_for_user(call: QueryCall) -> Mapping[str, Value]:
    """List the groups that a user is in, in pages."""
    found = await call.read(_of_user, call.form.text("UserName", high=256))
    page, end = page_of(call.form, found, lambda each: each.name)
    return {"Groups": [shown_group(each) for each in page], **end}
