"""ListBuckets, CreateBucket and DeleteBucket of a volume of another system.

A bucket there has no region, no list, no lock, no tags: what a client asks for besides a bucket is refused. Who owns it makes it again as on AWS.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from ...errors import (
    BucketAlreadyExists,
    BucketAlreadyOwnedByYou,
    InvalidArgument,
    InvalidBucketAclWithObjectOwnership,
    NotImplemented,
    Refused,
)
from ...interfaces import IForeignSystem
from ...values import Bucket
from ..configuration.ownership import ENFORCED, OWNERSHIPS
from ..grantees import asked_in
from ..perform import acls
from ..perform import buckets as ours
from ..perform.buckets import (
    arn_of,
    check_create_headers,
    configuration_of,
    list_found,
)
from ..policy.grants import OF_BUCKETS
from ..receive import document
from ..regions import GLOBAL_REGION
from ..reply import Reply
from .place import ask_nothing, behalf_of, bucket_of, judge, judge_volume, place_of
from .plain import as_plain

if TYPE_CHECKING:
    from ..call import Call

_LOCKED: Final = "x-amz-bucket-object-lock-enabled"
_OWNERSHIP: Final = "x-amz-object-ownership"


async def list_buckets(call: Call) -> Reply:
    """List the buckets and links of the volume that S3 shows, as far as the other system lists them for the caller."""
    await judge_volume(call, call.asked.volume)
    return await list_found(call, _find)


async def _find(call: Call, prefix: str, after: str, limit: int) -> Sequence[Bucket]:
    if call.query("bucket-region") not in (None, "", call.asked.region):
        return ()
    behalf, volume = behalf_of(call), call.asked.volume
    found = await _system_of(call).buckets(volume, prefix, after, limit, behalf)
    return [Bucket(one.volume, one.name, one.owner, one.created) for one in found]


def _system_of(call: Call) -> IForeignSystem:
    foreign = call.gateway.foreign
    assert foreign is not None
    return foreign.system


async def create_bucket(call: Call) -> Reply:
    """Make a bucket, owned by the caller."""
    check_create_headers(call)
    _refuse_besides(call)
    behalf_of(call)
    region, tags = configuration_of(call, await document(call, ask_nothing))
    if tags is not None:
        raise NotImplemented()
    call.state(("s3:locationconstraint", region))
    await judge_volume(call, call.asked.volume)
    place = place_of(call)
    try:
        await place.system.create_bucket(place.volume, place.bucket, behalf_of(call))
    except Refused as refused:
        if refused.code != "BUCKET_ALREADY_EXISTS":
            raise
        await _check_made_again(call)
    headers = [("Location", f"/{place.named}")]
    return Reply(200, [*headers, ("x-amz-bucket-arn", arn_of(place.named))])


def _refuse_besides(call: Call) -> None:
    """Refuse what a bucket cannot have there.

    :raises NotImplemented: a lock, or objects that others own.
    :raises InvalidArgument: a value that S3 does not have.
    :raises InvalidBucketAclWithObjectOwnership: a list, as AWS says where lists do not count.
    """
    headers = call.headers
    if (headers.get(_LOCKED) or "").lower() == "true":
        raise NotImplemented(Header=_LOCKED)
    ownership = headers.get(_OWNERSHIP) or ENFORCED
    if ownership not in OWNERSHIPS:
        raise InvalidArgument(ArgumentName=_OWNERSHIP, ArgumentValue=ownership)
    if ownership != ENFORCED:
        raise NotImplemented(Header=_OWNERSHIP)
    canned, stated = asked_in(headers, OF_BUCKETS)
    if stated or canned not in ("", "private"):
        raise InvalidBucketAclWithObjectOwnership(BucketName=call.bucket_name)


async def _check_made_again(call: Call) -> None:
    """Whose bucket there is already: in ``us-east-1``, its owner makes it again. Source: Amazon S3 API Reference, "CreateBucket", there under "Errors".

    :raises BucketAlreadyOwnedByYou: it is the caller's.
    :raises BucketAlreadyExists: it is another's, or the caller may not know.
    """
    name = call.bucket_name
    try:
        info = await bucket_of(call).info()
    except Refused:
        raise BucketAlreadyExists(BucketName=name) from None
    if not call.principal.is_called(info.owner):
        raise BucketAlreadyExists(BucketName=name)
    if info.source is not None or call.asked.region != GLOBAL_REGION:
        raise BucketAlreadyOwnedByYou(BucketName=name)


async def head_bucket(call: Call) -> Reply:
    """Say whether a bucket is there."""
    return await as_plain(ours.head_bucket)(call)


async def get_bucket_location(call: Call) -> Reply:
    """Name the region of the endpoint."""
    return await as_plain(ours.get_bucket_location)(call)


async def get_bucket_acl(call: Call) -> Reply:
    """Say who owns a bucket, and has all of it."""
    return await as_plain(acls.get_bucket_acl)(call)


async def delete_bucket(call: Call) -> Reply:
    """Remove an empty bucket, or a link."""
    await judge(call)
    place = place_of(call)
    await place.system.delete_bucket(place.volume, place.bucket, behalf_of(call))
    return Reply(204)
