"""S3's access control lists: those of buckets and objects, put and shown.

Source: Amazon S3 API Reference, PutBucketAcl, GetBucketAcl, PutObjectAcl and GetObjectAcl; Amazon S3 User Guide, "Controlling
ownership of objects": where lists do not count, they can be read, and the owner has all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve

from ...errors import (
    AccessControlListNotSupported,
    AccessDenied,
    MissingSecurityHeader,
    UnexpectedContent,
)
from ...immutable import frozen
from ...values import Claim
from ..changing import replace_members
from ..configuration.accesslist import (
    ACCESS_LIST,
    from_document,
    list_of,
    list_of_object,
    owner_of,
    to_document,
    with_list,
)
from ..configuration.ownership import lists_count
from ..grantees import ACL, IN_DOCUMENTS, Wanted, from_headers, grants_of, says_list
from ..owners import canonical_id
from ..ownership import refuse_public
from ..policy.grants import OF_BUCKETS, OF_OBJECTS, Grants, owners, pack
from ..receive import document
from ..reply import Reply, xml_reply
from ..versions import (
    check_version_id,
    find_authorized,
    find_version,
    id_headers,
    shown_id,
)
from .configuration import keep_document

if TYPE_CHECKING:
    from ...interfaces import IMetadataTransaction
    from ...values import Bucket
    from ..asked import Asked
    from ..call import Call


_Headers = list[tuple[str, str]]
"""The headers that say which version was meant."""


@frozen
class _Asked:
    """A list that is to be put.

    :ivar owner: the id of the owner that a document names; ``None`` where there was no document.
    """

    wanted: Wanted
    owner: str | None = None


async def put_bucket_acl(call: Call) -> Reply:
    """Replace the list of a bucket."""
    await call.write_whole(_put_bucket, await _read(call, OF_BUCKETS))
    return Reply(200)


async def get_bucket_acl(call: Call) -> Reply:
    """Show the list of a bucket."""
    return xml_reply(to_document(*await call.read_authorized(_of_bucket)))


async def put_object_acl(call: Call) -> Reply:
    """Replace the list of one version of an object."""
    wanted = call.query("versionId")
    check_version_id(wanted)
    put = await _read(call, OF_OBJECTS)
    return Reply(200, await call.write_authorized(_put_object, wanted, put))


async def get_object_acl(call: Call) -> Reply:
    """Show the list of one version of an object."""
    wanted = call.query("versionId")
    check_version_id(wanted)
    owner, grants, headers = await call.read_authorized(_of_object, wanted)
    reply = xml_reply(to_document(owner, grants))
    reply.headers += headers
    return reply


async def _read(call: Call, names: frozenset[str]) -> _Asked:
    """The list that a request brings, in headers or as a document.

    :param names: of the canned lists that there are.
    :raises UnexpectedContent: it does both.
    :raises MissingSecurityHeader: it does neither.
    :raises MalformedACLError: the document is none.
    """
    data = await document(call, is_checked=False)
    if says_list(call.headers):
        if data:
            raise UnexpectedContent()
        return _Asked(await from_headers(call, names))
    if not data:
        raise MissingSecurityHeader(MissingHeaderName=ACL)
    owner, stated = from_document(data)
    return _Asked(Wanted(grants=await grants_of(call, stated, IN_DOCUMENTS)), owner)


def _check_owner(put: _Asked, owner: str) -> None:
    """Make sure that a document names the owner: he cannot be changed so.

    :raises AccessDenied: it names another.
    """
    if put.owner is not None and put.owner.lower() != canonical_id(owner):
        raise AccessDenied()


def _put_bucket(
    tx: IMetadataTransaction, asked: Asked, bucket: Bucket, put: _Asked
) -> None:
    if not lists_count(bucket):
        raise AccessControlListNotSupported()
    owner = bucket.owner
    _check_owner(put, owner)
    grants = put.wanted.of(owner, owner)
    refuse_public(tx, asked, bucket, grants)
    data = None if grants == owners(owner) else pack(grants).encode()
    keep_document(tx, asked, bucket, ACCESS_LIST, data)


def _of_bucket(
    tx: IMetadataTransaction, asked: Asked, bucket: Bucket
) -> tuple[str, Grants]:
    """A bucket's owner and its list; that is his alone where lists do not count."""
    return bucket.owner, list_of(tx, bucket)


def _put_object(
    tx: IMetadataTransaction,
    asked: Asked,
    bucket: Bucket,
    wanted: str | None,
    put: _Asked,
) -> _Headers:
    tx.claim(Claim.key(bucket.number, asked.key))
    version = find_version(tx, bucket, asked.key, wanted, "PUT")
    if not lists_count(bucket):
        _check_owner(put, bucket.owner)
        is_so = put.wanted.canned == "bucket-owner-full-control"
        if not is_so and put.wanted.grants != owners(bucket.owner):
            raise AccessControlListNotSupported()
        return id_headers(shown_id(bucket, version))
    owner = owner_of(bucket, version)
    _check_owner(put, owner)
    grants = put.wanted.of(owner, bucket.owner)
    refuse_public(tx, asked, bucket, grants)
    version = evolve(version, more=with_list(version.more, owner, grants))
    replace_members(tx, asked.cause, bucket, version, "ObjectAcl:Put")
    return id_headers(shown_id(bucket, version))


def _of_object(
    tx: IMetadataTransaction, asked: Asked, bucket: Bucket, wanted: str | None
) -> tuple[str, Grants, _Headers]:
    """The owner of a version and its list; the bucket's owner has all where lists do not count."""
    version = find_authorized(tx, asked, bucket, asked.key, wanted)
    headers = id_headers(shown_id(bucket, version))
    if not lists_count(bucket):
        return bucket.owner, owners(bucket.owner), headers
    return owner_of(bucket, version), list_of_object(bucket, version), headers
