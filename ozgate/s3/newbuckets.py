"""How a new bucket begins: who owns what is written to it, what it gives whom, and whether it is closed to the public.

A bucket that is as a new one of AWS's has no document that says so: since April 2023 its owner owns all that is in it, and everything that is
public is blocked. Source: Amazon S3 API Reference, "CreateBucket"; Amazon S3 User Guide, "Default settings for new S3 buckets FAQ".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..errors import (
    InvalidArgument,
    InvalidBucketAclWithBlockPublicAccessError,
    InvalidBucketAclWithObjectOwnership,
)
from ..immutable import frozen
from .configuration.accesslist import ACCESS_LIST
from .configuration.ownership import (
    DOCUMENT,
    ENFORCED,
    OWNERSHIP,
    OWNERSHIPS,
    controls,
    lists_count,
)
from .configuration.publicaccess import DELETED, PUBLIC_ACCESS
from .configuration.tagging import TAGGING
from .entering import authorize_creation
from .grantees import PRIVATE, Wanted, from_headers
from .ownership import refuse_public
from .policy.grants import OF_BUCKETS, gives_others, is_public, owners, pack

if TYPE_CHECKING:
    from ..config.settings import Settings
    from ..interfaces import IMetadataTransaction
    from ..values import Bucket
    from .asked import Asked
    from .call import Call

_OWNERSHIP: Final = "x-amz-object-ownership"


@frozen
class Beginning:
    """How a bucket begins.

    :ivar ownership: one of :data:`~ozgate.s3.configuration.ownership.OWNERSHIPS`.
    :ivar is_blocked: whether all that is public is blocked.
    :ivar wanted: its access control list.
    :ivar tags: the document of its tags, if it has any.
    """

    ownership: str = ENFORCED
    is_blocked: bool = True
    wanted: Wanted = PRIVATE
    tags: bytes | None = None


AS_ON_AWS: Final = Beginning()
"""How a bucket begins where no setting says otherwise."""


def usual(settings: Settings) -> Beginning:
    """How buckets begin of which nothing is said."""
    return Beginning(settings.new_bucket_ownership, settings.new_bucket_blocked)


async def asked_for(call: Call) -> Beginning:
    """How the bucket begins that a request asks for.

    :raises InvalidArgument: a value that S3 does not have.
    :raises InvalidBucketAclWithObjectOwnership: a list that gives others something, where lists shall not count.
    :raises InvalidBucketAclWithBlockPublicAccessError: a public list, where those are blocked.
    """
    settings = call.gateway.settings
    ownership = call.headers.get(_OWNERSHIP) or settings.new_bucket_ownership
    if ownership not in OWNERSHIPS:
        raise InvalidArgument(ArgumentName=_OWNERSHIP, ArgumentValue=ownership)
    wanted = await from_headers(call, OF_BUCKETS, authorize_creation)
    owner = call.principal.short_name
    grants = wanted.of(owner, owner)
    if ownership == ENFORCED and gives_others(grants, owner):
        raise InvalidBucketAclWithObjectOwnership(BucketName=call.bucket_name)
    is_blocked = settings.new_bucket_blocked or settings.block_public_access
    if is_blocked and is_public(grants):
        raise InvalidBucketAclWithBlockPublicAccessError(BucketName=call.bucket_name)
    return Beginning(ownership, settings.new_bucket_blocked, wanted)


def begin(tx: IMetadataTransaction, bucket: Bucket, beginning: Beginning) -> None:
    """Have a bucket that was just made begin so."""
    if beginning.ownership != ENFORCED:
        data = DOCUMENT.render(controls(beginning.ownership))
        tx.set_configuration(bucket, OWNERSHIP, data)
        _give(tx, bucket, beginning.wanted)
    if not beginning.is_blocked:
        data = PUBLIC_ACCESS.document.render(DELETED)
        tx.set_configuration(bucket, PUBLIC_ACCESS.kind, data)
    if beginning.tags is not None:
        tx.set_configuration(bucket, TAGGING.kind, beginning.tags)


def begin_again(
    tx: IMetadataTransaction, asked: Asked, bucket: Bucket, beginning: Beginning
) -> None:
    """Give a bucket that is made again the list that a new one would have, where lists count. For use inside an interaction, which has claimed it.

    :raises AccessDenied: the list is public, and those are blocked.
    """
    if lists_count(bucket):
        refuse_public(
            tx, asked, bucket, beginning.wanted.of(bucket.owner, bucket.owner)
        )
        _give(tx, bucket, beginning.wanted)


def _give(tx: IMetadataTransaction, bucket: Bucket, wanted: Wanted) -> None:
    grants = wanted.of(bucket.owner, bucket.owner)
    data = None if grants == owners(bucket.owner) else pack(grants).encode()
    if data is not None or ACCESS_LIST in bucket.configured:
        tx.set_configuration(bucket, ACCESS_LIST, data)
