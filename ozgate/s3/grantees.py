"""S3's lists as requests say them: canned ones and grants in headers, and grants in documents.

Source: Amazon S3 API Reference, PutObjectAcl and PutBucketAcl; Amazon S3 User Guide, "Access control list (ACL) overview".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from ..errors import (
    InvalidArgument,
    InvalidRequest,
    MalformedACLError,
    UnresolvableGrantByEmailAddress,
)
from ..immutable import frozen
from .configuration.accesslist import EMAIL, GROUP, USER, Stated
from .knownusers import names_of
from .policy.grants import (
    FULL_CONTROL,
    GROUPS,
    MOST,
    OF_OBJECTS,
    READ,
    READ_ACP,
    WRITE,
    WRITE_ACP,
    Grant,
    Grants,
    pack,
    unpack,
)
from .policy.grants import canned as canned_list
from .receive import authorize_entry

if TYPE_CHECKING:
    from ..interfaces import IMetadataTransaction
    from ..wire.headers import Headers
    from .asked import Asked
    from .call import Call

Authorize = Callable[["IMetadataTransaction", "Asked"], None]
ACL: Final = "x-amz-acl"
_PERMISSIONS: Final = {
    "x-amz-grant-full-control": FULL_CONTROL,
    "x-amz-grant-read": READ,
    "x-amz-grant-read-acp": READ_ACP,
    "x-amz-grant-write": WRITE,
    "x-amz-grant-write-acp": WRITE_ACP,
}
_NAMES: Final = frozenset((ACL, *_PERMISSIONS))
_GRANTEE: Final = re.compile(
    r'\s*(id|uri|emailaddress)\s*=\s*(?:"([^"]*)"|([^",\s]*))\s*(?:,|\Z)', re.I | re.A
)
_TYPES: Final = {"id": USER, "uri": GROUP, "emailaddress": EMAIL}
IN_HEADERS: Final = {USER: "id", GROUP: "uri"}
IN_DOCUMENTS: Final = {USER: "CanonicalUser/ID", GROUP: "Group/URI"}
"""What S3 calls the argument that is wrong."""


@frozen
class Wanted:
    """A list that a request asks for.

    :ivar canned: the name of a canned one; ``""`` where it says grants.
    """

    canned: str = ""
    grants: Grants = ()

    def of(self, owner: str, bucket_owner: str) -> Grants:
        """The list, for what has an owner, in a bucket that has one."""
        if self.canned:
            return canned_list(self.canned, owner, bucket_owner)
        return self.grants

    def pack(self) -> str:
        """As an upload keeps it."""
        return self.canned or pack(self.grants)

    @classmethod
    def unpack(cls, text: str) -> Wanted:
        """What :meth:`pack` gave: JSON begins with a bracket, and no name does."""
        if text.startswith("["):
            return cls(grants=unpack(text))
        return cls(text)


PRIVATE: Final = Wanted("private")


def says_list(headers: Headers) -> bool:
    """Whether headers say anything of a list."""
    return not _NAMES.isdisjoint(headers)


async def from_headers(
    call: Call, names: frozenset[str], authorize: Authorize = authorize_entry
) -> Wanted:
    """The list that headers ask for; :data:`PRIVATE` where they ask for none.

    :param names: of the canned lists that there are.
    :param authorize: as for :func:`~ozgate.s3.receive.document`.
    :raises InvalidArgument: a name, or a grantee, that is none.
    :raises InvalidRequest: it is asked for in both ways.
    :raises UnresolvableGrantByEmailAddress: nobody has an address here.
    """
    canned, stated = asked_in(call.headers, names)
    if not stated:
        return Wanted(canned) if canned else PRIVATE
    return Wanted(grants=await grants_of(call, stated, IN_HEADERS, authorize))


def asked_in(headers: Headers, names: frozenset[str]) -> tuple[str, list[Stated]]:
    """The canned list that headers ask for, ``""`` for none, or the grants.

    :param names: of the canned lists that there are.
    :raises InvalidArgument: a name that is none, or what is no grant.
    :raises InvalidRequest: both are there.
    """
    canned = headers.get(ACL) or ""
    stated = stated_in(headers)
    if canned and canned not in names:
        raise InvalidArgument(ArgumentName=ACL, ArgumentValue=canned)
    if canned and stated:
        raise InvalidRequest(
            "Specifying both Canned ACLs and Header Grants is not allowed"
        )
    return canned, stated


async def wanted_of(call: Call) -> Wanted | None:
    """The list that a write of an object asks for; ``None`` where it asks for none, or for what there is anyway.

    :raises S3Error: what :func:`from_headers` raises.
    """
    if not says_list(call.headers):
        return None
    wanted = await from_headers(call, OF_OBJECTS)
    return None if wanted == PRIVATE else wanted


def stated_in(headers: Headers) -> list[Stated]:
    """The grants that headers say.

    :raises InvalidArgument: one is not a list of pairs such as ``id="…"``.
    """
    found = []
    for header, permission in _PERMISSIONS.items():
        value = headers.get(header)
        if value is None:
            continue
        at = 0
        while at < len(value) or not value:
            match = _GRANTEE.match(value, at)
            if match is None:
                raise InvalidArgument(
                    "Argument format not recognized",
                    ArgumentName=header,
                    ArgumentValue=value,
                )
            who = match[3] if match[2] is None else match[2]
            found.append((_TYPES[match[1].lower()], who, permission))
            at = match.end()
    return found


async def grants_of(
    call: Call,
    stated: Sequence[Stated],
    arguments: Mapping[str, str],
    authorize: Authorize = authorize_entry,
) -> Grants:
    """Grants as they are kept.

    :param arguments: what S3 calls the argument that is wrong.
    :param authorize: as for :func:`~ozgate.s3.receive.document`.
    :raises InvalidArgument: nobody has an id, or a group is none of S3's.
    :raises MalformedACLError: they are more than a list may have.
    :raises UnresolvableGrantByEmailAddress: nobody has an address here.
    """
    if len(stated) > MOST:
        raise MalformedACLError()
    ids = {who.lower() for kind, who, _ in stated if kind == USER}
    known = {}
    if ids:
        # Who may not has nobody looked for.
        await call.read(authorize)
        known = await names_of(call, ids)
    grants = []
    for kind, who, permission in stated:
        if kind == EMAIL:
            raise UnresolvableGrantByEmailAddress(EmailAddress=who)
        name = who if kind == GROUP else known.get(who.lower(), "")
        if not name or (kind == GROUP and who not in GROUPS):
            message = "Invalid group uri" if kind == GROUP else "Invalid id"
            raise InvalidArgument(
                message, ArgumentName=arguments[kind], ArgumentValue=who
            )
        grants.append(Grant(name, permission, kind == GROUP))
    return tuple(grants)
