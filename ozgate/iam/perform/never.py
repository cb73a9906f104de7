"""Actions of IAM on what nobody has here: the true answer, which clients ask for before they remove a user. Source: IAM API Reference."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING

from ...auth.identities.users import find_user
from ...errors.iam import NoSuchEntity

if TYPE_CHECKING:
    from ..answers import Value
    from ..asked import QueryCall


def none_of(name: str) -> Callable[[QueryCall], Awaitable[Mapping[str, Value]]]:
    """List nothing, of a user who is there where one is named.

    :param name: of the list in the answer.
    """

    async def list_none(call: QueryCall) -> Mapping[str, Value]:
        if call.form.get("UserName"):
            await call.read(find_user, call.form.get("UserName"))
        return {name: [], "IsTruncated": False}

    return list_none


async def login_profile(call: QueryCall) -> Mapping[str, Value]:
    """Nobody has a password."""
    user = await call.read(find_user, call.user_name)
    raise NoSuchEntity(f"Login Profile for User {user.name} cannot be found.")


async def role(call: QueryCall) -> Mapping[str, Value]:
    """There are no roles but the users themselves."""
    name = call.form.text("RoleName")
    raise NoSuchEntity(f"The role with name {name} cannot be found.")
