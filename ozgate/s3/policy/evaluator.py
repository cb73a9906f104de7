"""Whether somebody may do something: owners, administrators, Ozone's access control lists.

The one evaluator. S3 reaches it through :meth:`ozgate.s3.call.Call.bucket`, the administrative commands directly.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from ...values import Acl, Bucket, Principal, Volume

GroupsOf = Callable[[str], Collection[str]]
"""Tells the groups of a user."""


def no_groups(user: str) -> Collection[str]:
    """Nobody is in any group."""
    return ()


def allows(
    acls: Sequence[Acl], user: str, right: str, groups_of: GroupsOf = no_groups
) -> bool:
    """Whether a list grants a right to a user who signed in. Entries for what is made later do not count."""
    for acl in acls:
        if acl.scope != "ACCESS":
            continue
        if right not in acl.rights and "ALL" not in acl.rights:
            continue
        if acl.kind == "world" or (acl.kind == "user" and acl.name == user):
            return True
        if acl.kind == "group" and acl.name in groups_of(user):
            return True
    return False


def may(
    principal: Principal,
    right: str,
    thing: Bucket | Volume,
    groups_of: GroupsOf = no_groups,
) -> bool:
    """Whether somebody has a right on a bucket, link or volume: administrators and its owner have all."""
    return (
        principal.is_admin
        or thing.owner == principal.user
        or allows(thing.acls, principal.user, right, groups_of)
    )


def inherited(acls: Sequence[Acl]) -> tuple[Acl, ...]:
    """What something new inside gets from a volume's list: its DEFAULT entries, in force (Ozone's rule)."""
    return tuple(
        Acl(acl.kind, acl.name, acl.rights) for acl in acls if acl.scope == "DEFAULT"
    )
