"""S3's access control lists, as values: who has which permission on a bucket or an object, and whom a list means.

They are apart from Ozone's (:class:`~ozgate.values.Acl`): neither says anything of the other. A user is kept by the name by which
things are owned; the canonical id that S3 shows is made of it. Pure over values.

Source: Amazon S3 User Guide, "Access control list (ACL) overview".
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from ...immutable import frozen

if TYPE_CHECKING:
    from ...values import Principal

ALL_USERS: Final = "http://acs.amazonaws.com/groups/global/AllUsers"
AUTHENTICATED_USERS: Final = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"
LOG_DELIVERY: Final = "http://acs.amazonaws.com/groups/s3/LogDelivery"
PUBLIC: Final = frozenset((ALL_USERS, AUTHENTICATED_USERS))
"""The groups that make a list public, by S3's meaning of that: whoever has any account is a stranger."""
GROUPS: Final = PUBLIC | {LOG_DELIVERY}

READ: Final = "READ"
WRITE: Final = "WRITE"
READ_ACP: Final = "READ_ACP"
WRITE_ACP: Final = "WRITE_ACP"
FULL_CONTROL: Final = "FULL_CONTROL"
PERMISSIONS: Final = (READ, WRITE, READ_ACP, WRITE_ACP, FULL_CONTROL)

MOST: Final = 100
"""Grants that one list may have."""


@frozen
class Grant:
    """One entry of a list.

    :ivar grantee: the name of a user, or the URI of a group.
    :ivar is_group: which of the two.
    :ivar permission: one of :data:`PERMISSIONS`.
    """

    grantee: str
    permission: str
    is_group: bool = False


Grants = tuple[Grant, ...]
"""A list."""


def owners(owner: str) -> Grants:
    """The list of what has no other: its owner has all, and nobody else any."""
    return (Grant(owner, FULL_CONTROL),)


def _to(uri: str, *permissions: str) -> Grants:
    return tuple(Grant(uri, permission, True) for permission in permissions)


_GIVEN_TO_GROUPS: Final = {
    "private": (),
    "public-read": _to(ALL_USERS, READ),
    "public-read-write": _to(ALL_USERS, READ, WRITE),
    "authenticated-read": _to(AUTHENTICATED_USERS, READ),
    # To Amazon EC2, which is not here.
    "aws-exec-read": (),
}
_GIVEN_TO_BUCKET_OWNER: Final = {
    "bucket-owner-read": READ,
    "bucket-owner-full-control": FULL_CONTROL,
}
OF_OBJECTS: Final = frozenset((*_GIVEN_TO_GROUPS, *_GIVEN_TO_BUCKET_OWNER))
"""The names of canned lists for objects."""
OF_BUCKETS: Final = OF_OBJECTS | {"log-delivery-write"}
"""Those for buckets; what gives to the bucket's owner is the same as ``private`` there."""


def canned(name: str, owner: str, bucket_owner: str) -> Grants:
    """A canned list.

    :param name: one of :data:`OF_BUCKETS`.
    :param owner: of the object, or of the bucket.
    :param bucket_owner: of the bucket that the object is in; of the bucket again where the list is its own.
    """
    if name == "log-delivery-write":
        return (*owners(owner), *_to(LOG_DELIVERY, WRITE, READ_ACP))
    if name in _GIVEN_TO_BUCKET_OWNER:
        if bucket_owner == owner:
            return owners(owner)
        return (*owners(owner), Grant(bucket_owner, _GIVEN_TO_BUCKET_OWNER[name]))
    return (*owners(owner), *_GIVEN_TO_GROUPS[name])


def means(grant: Grant, principal: Principal) -> bool:
    """Whether somebody is whom an entry is for. No service of AWS is here, so nobody delivers logs."""
    if not grant.is_group:
        return principal.is_called(grant.grantee)
    if grant.grantee == ALL_USERS:
        return True
    return grant.grantee == AUTHENTICATED_USERS and principal.user != ""


def is_to_public(grant: Grant) -> bool:
    """Whether an entry is for everybody, or for everybody who signs."""
    return grant.is_group and grant.grantee in PUBLIC


def is_public(grants: Iterable[Grant]) -> bool:
    """Whether a list gives the public anything. Source: Amazon S3 User Guide, "The meaning of 'public'"."""
    return any(map(is_to_public, grants))


def gives(
    grants: Grants, principal: Principal, permission: str, without_public: bool
) -> bool:
    """Whether a list gives somebody a permission.

    :param without_public: whether what it gives the public counts for nothing (``IgnorePublicAcls``).
    """
    for grant in grants:
        if grant.permission not in (permission, FULL_CONTROL):
            continue
        if means(grant, principal) and not (without_public and is_to_public(grant)):
            return True
    return False


def gives_others(grants: Grants, owner: str) -> bool:
    """Whether a list gives anything to anybody but the owner."""
    return any(grant.is_group or grant.grantee != owner for grant in grants)


def pack(grants: Grants) -> str:
    """A list as it is kept."""
    rows = [[each.grantee, each.permission, int(each.is_group)] for each in grants]
    return json.dumps(rows, ensure_ascii=False, separators=(",", ":"))


@lru_cache(1024)
def unpack(text: str) -> Grants:
    """A list that was kept."""
    return tuple(
        Grant(name, given, bool(group)) for name, given, group in json.loads(text)
    )
