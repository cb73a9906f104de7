"""Whether somebody has one of Ozone's rights on something: owners, administrators, Ozone's access control lists.

Pure over values: a principal brings its groups. The administrative commands ask here, and S3 for links, which are Ozone's. What S3's
own operations may do is decided by action in :mod:`ozgate.s3.policy.decide`.
"""

from __future__ import annotations

from collections.abc import Sequence

from ...errors import AccessDenied
from ...values import Acl, Bucket, Principal, Volume


def allows(acls: Sequence[Acl], principal: Principal, right: str) -> bool:
    """Whether a list grants a right to a user who signed in; to nobody else it grants any, for those are not in its world.

    As in Ozone: ``DEFAULT`` entries are in force for the thing itself, besides what is made inside it later; an entry with
    ``NONE`` gives nothing, whatever else it has; and no entry takes away what another gives.
    """
    if not principal.user:
        return False
    for acl in acls:
        if right not in acl.rights and "ALL" not in acl.rights:
            continue
        if "NONE" in acl.rights:
            continue
        if acl.kind == "world":
            return True
        if acl.kind == "user" and principal.is_called(acl.name):
            return True
        if acl.kind == "group" and acl.name in principal.groups:
            return True
    return False


def may(principal: Principal, right: str, thing: Bucket | Volume) -> bool:
    """Whether somebody has a right on a bucket, link or volume: administrators and its owner have all."""
    return (
        principal.is_admin
        or principal.is_called(thing.owner)
        or allows(thing.acls, principal, right)
    )


def authorize_right(principal: Principal, right: str, thing: Bucket | Volume) -> None:
    """Make sure that somebody has a right on something.

    :raises AccessDenied: no.
    """
    if not may(principal, right, thing):
        raise AccessDenied()


def shown_to(principal: Principal, thing: Bucket | Volume) -> bool:
    """Whether somebody may see that something is there: who may list or read it."""
    return any(may(principal, right, thing) for right in ("LIST", "READ"))


def may_remove(principal: Principal, bucket: Bucket, volume: Volume | None) -> bool:
    """Whether somebody may remove a bucket or link: its owner, and who has ``DELETE`` on it and ``WRITE`` on its volume.

    Ozone's rule. Were ``DELETE`` enough, who may remove a bucket's keys could remove the bucket, make one of the same
    name, and have what others go on writing to it.
    """
    if principal.is_admin or principal.is_called(bucket.owner):
        return True
    return (
        volume is not None
        and allows(bucket.acls, principal, "DELETE")
        and may(principal, "WRITE", volume)
    )


def inherited(acls: Sequence[Acl]) -> tuple[Acl, ...]:
    """What something new inside gets from a volume's list: its DEFAULT entries, in force (Ozone's rule)."""
    return tuple(
        Acl(acl.kind, acl.name, acl.rights) for acl in acls if acl.scope == "DEFAULT"
    )


def new_acls(owner: str, above: Sequence[Acl]) -> tuple[Acl, ...]:
    """The access control list of a new bucket: all for its owner, and what it inherits.

    :param above: the list of its volume.
    """
    return (Acl("user", owner, frozenset(("ALL",))), *inherited(above))
