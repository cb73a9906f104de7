"""S3's access control lists of buckets and objects, as they are kept, and as documents.

What is kept is no document: a list names users as owners are named, and documents show ids that are made of that, one way.

Source: Amazon S3 API Reference, "AccessControlPolicy" and "Grantee".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from ...errors import (
    Damaged,
    MalformedACLError,
    MalformedXML,
    MissingRequestBodyError,
)
from ...immutable import frozen
from ..documents import Element, read
from ..owners import canonical_id
from ..policy.grants import MOST, PERMISSIONS, Grants, owners, pack, unpack
from ..structures import TEXT, Document, Many, One, Structure, one_of

if TYPE_CHECKING:
    from ...interfaces import IMetadataTransaction
    from ...values import Bucket, ObjectVersion

ACCESS_LIST: Final = "acl"
"""Its name among the documents of a bucket, and in ``more``: of a version, where its list is not :func:`~ozgate.s3.policy.grants.owners`; of an
upload, the list that is wanted."""

OWNER: Final = "owner"
"""In ``more`` of a version: who owns it, where that is not the bucket's owner."""

_XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"
USER, GROUP, EMAIL = "CanonicalUser", "Group", "AmazonCustomerByEmail"
_NEEDED: Final = {USER: "id", GROUP: "uri", EMAIL: "email_address"}
"""The type of a grantee → what has to be said of it."""


Stated = tuple[str, str, str]
"""A grant as a request says it: the type of grantee, who that is, the permission."""


@frozen
class Owner:
    """Whose list it is."""

    display_name: str | None = None
    id: str | None = None


@frozen
class Grantee:
    """Whom an entry is for.

    :ivar type: which of the others says that.
    """

    type: str
    id: str | None = None
    display_name: str | None = None
    email_address: str | None = None
    uri: str | None = None


@frozen
class GrantElement:
    """An entry."""

    grantee: Grantee | None
    permission: str | None


@frozen
class AccessControlPolicy:
    """A whole document."""

    owner: Owner | None
    grants: tuple[GrantElement, ...]


class _GranteeStructure(Structure[Grantee]):
    """A grantee, whose type is an attribute; the one that S3 acts on."""

    def read(self, found: Element) -> Grantee:
        """See :class:`~ozgate.s3.structures.Kind`."""
        found.allow(*(member.name for member in self.members.values()))
        values: dict[str, Any] = {
            name: member.read(found) for name, member in self.members.items()
        }
        return Grantee(found.attributes.get(f"{_XSI} type", "").strip(), **values)

    def write(self, name: str, value: Grantee) -> str:
        """See :class:`~ozgate.s3.structures.Kind`."""
        written = "".join(self._written(value))
        return f'<{name} xmlns:xsi="{_XSI}" xsi:type="{value.type}">{written}</{name}>'


DOCUMENT: Final = Document(
    "AccessControlPolicy",
    AccessControlPolicy,
    owner=One(
        "Owner",
        Structure(Owner, id=One("ID", TEXT), display_name=One("DisplayName", TEXT)),
    ),
    grants=Many(
        "Grant",
        Structure(
            GrantElement,
            grantee=One(
                "Grantee",
                _GranteeStructure(
                    Grantee,
                    id=One("ID", TEXT),
                    display_name=One("DisplayName", TEXT),
                    uri=One("URI", TEXT),
                    email_address=One("EmailAddress", TEXT),
                ),
            ),
            permission=One("Permission", one_of(*PERMISSIONS)),
        ),
        inside="AccessControlList",
        most=MOST,
    ),
)


def list_of(tx: IMetadataTransaction, bucket: Bucket) -> Grants:
    """The list of a bucket; for use inside an interaction.

    :param bucket: the real one, as read in this interaction.
    :raises Damaged: it cannot be read, or is not there.
    """
    if ACCESS_LIST not in bucket.configured:
        return owners(bucket.owner)
    kept = tx.configuration(bucket, ACCESS_LIST)
    return _read("" if kept is None else kept.decode(errors="replace"), bucket)


def _read(kept: str, bucket: Bucket) -> Grants:
    """A list that was kept.

    :raises Damaged: it is none: then nobody knows what it gives.
    """
    try:
        return unpack(kept)
    except (ValueError, TypeError):
        raise Damaged(
            f"an access control list in bucket {bucket.name!r} cannot be read",
            "metadata",
        ) from None


def with_list(more: Mapping[str, str], owner: str, grants: Grants) -> dict[str, str]:
    """What few versions have, with a list, which is not kept where it is what its owner has anyway."""
    rest = {name: value for name, value in more.items() if name != ACCESS_LIST}
    return rest if grants == owners(owner) else {**rest, ACCESS_LIST: pack(grants)}


def owner_of(bucket: Bucket, version: ObjectVersion) -> str:
    """Who owns an object, in a bucket where lists count. What is the bucket's owner's is so whoever that comes to be."""
    return version.more.get(OWNER) or bucket.owner


def list_of_object(bucket: Bucket, version: ObjectVersion) -> Grants:
    """The list of an object, in a bucket where lists count.

    :raises Damaged: it cannot be read.
    """
    kept = version.more.get(ACCESS_LIST)
    return owners(owner_of(bucket, version)) if kept is None else _read(kept, bucket)


def to_document(owner: str, grants: Grants) -> bytes:
    """A list as it is shown."""
    elements = tuple(
        GrantElement(
            Grantee(GROUP, uri=grant.grantee)
            if grant.is_group
            else Grantee(USER, canonical_id(grant.grantee), grant.grantee),
            grant.permission,
        )
        for grant in grants
    )
    return DOCUMENT.render(
        AccessControlPolicy(Owner(owner, canonical_id(owner)), elements)
    )


def from_document(data: bytes) -> tuple[str, list[Stated]]:
    """The id of the owner that a document names, and its grants.

    :raises MalformedACLError: it is another document, or an entry says too little.
    """
    try:
        root = read(data, DOCUMENT.root)
        found = DOCUMENT.read(root)
    except (MalformedXML, MissingRequestBodyError):
        raise MalformedACLError() from None
    owner = found.owner
    if owner is None or owner.id is None or root.child("AccessControlList") is None:
        raise MalformedACLError()
    return owner.id.strip(), list(map(_entry, found.grants))


def _entry(element: GrantElement) -> Stated:
    grantee, permission = element.grantee, element.permission
    if grantee is None or permission is None or grantee.type not in _NEEDED:
        raise MalformedACLError()
    who = getattr(grantee, _NEEDED[grantee.type])
    if who is None:
        raise MalformedACLError()
    return grantee.type, who.strip(), permission
