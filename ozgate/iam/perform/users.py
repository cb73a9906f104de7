"""Actions of IAM on users and their tags. Source: IAM API Reference."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ...auth.identities import users
from ...auth.identities.naming import USER, id_of
from ...errors.iam import NoSuchEntity, NotImplemented
from ...values import User
from ..shown import (
    check_path,
    is_listed,
    page_end,
    page_from,
    page_of,
    read_tags,
    shown_tags,
    shown_user,
)

if TYPE_CHECKING:
    from ...interfaces import IMetadataTransaction
    from ..answers import Value
    from ..asked import QueryCall


def _known(tx: IMetadataTransaction, name: str, is_caller: bool) -> User:
    """A user; the caller, too, where nothing is stored of him, as of a pair of the configuration."""
    try:
        return users.find_user(tx, name)
    except NoSuchEntity:
        if not is_caller:
            raise
        return User(name, id_of(USER, name, 0), 0)


async def create_user(call: QueryCall) -> Mapping[str, Value]:
    """Make a user."""
    check_path(call.form)
    tags = read_tags(call.form)
    name = call.form.text("UserName", high=256)
    user = await call.write(users.create_user, name, tags)
    return {"User": shown_user(user, with_tags=True)}


async def get_user(call: QueryCall) -> Mapping[str, Value]:
    """Show a user, the caller where none is named."""
    name = call.user_name
    user = await call.read(_known, name, name == call.principal.user)
    return {"User": shown_user(user, with_tags=True)}


async def list_users(call: QueryCall) -> Mapping[str, Value]:
    """List users, in pages."""
    after, most = page_from(call.form)
    found = await call.read(users.list_users, after, most + 1)
    if not is_listed(call.form):
        found = []
    page = [shown_user(each) for each in found[:most]]
    return {"Users": page, **page_end(found, most, lambda each: each.name)}


async def update_user(call: QueryCall) -> Mapping[str, Value]:
    """Rename a user, which is refused: what he owns is known by his name."""
    check_path(call.form, "NewPath")
    name = call.form.text("UserName", high=256)
    await call.read(users.find_user, name)
    if call.form.get("NewUserName", name) != name:
        raise NotImplemented("Users cannot be renamed: what they own goes by the name.")
    return {}


async def delete_user(call: QueryCall) -> Mapping[str, Value]:
    """Remove a user who has nothing left."""
    await call.write(users.delete_user, call.form.text("UserName", high=256))
    return {}


async def tag_user(call: QueryCall) -> Mapping[str, Value]:
    """Give a user tags."""
    tags = read_tags(call.form)
    await call.write(users.tag_user, call.form.text("UserName", high=256), tags)
    return {}


async def untag_user(call: QueryCall) -> Mapping[str, Value]:
    """Take tags from a user."""
    keys = tuple(call.form.members("TagKeys"))
    await call.write(users.untag_user, call.form.text("UserName", high=256), keys)
    return {}


async def list_user_tags(call: QueryCall) -> Mapping[str, Value]:
    """List the tags of a user, in pages."""
    user = await call.read(users.find_user, call.form.text("UserName", high=256))
    page, end = page_of(call.form, sorted(user.tags.items()), lambda each: each[0])
    return {"Tags": shown_tags(dict(page)), **end}
