"""Who owns what is written to a bucket: PutBucketOwnershipControls, GetBucketOwnershipControls, DeleteBucketOwnershipControls.

Source: Amazon S3 API Reference, the pages of these names; Amazon S3 User Guide, "Controlling ownership of objects", there
"Prerequisites for disabling ACLs".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...errors import (
    InvalidBucketAclWithObjectOwnership,
    OwnershipControlsNotFoundError,
)
from ..configuration.accesslist import ACCESS_LIST, list_of
from ..configuration.ownership import (
    DOCUMENT,
    ENFORCED,
    OWNERSHIP,
    controls,
    ownership_of,
)
from ..policy.grants import gives_others
from ..receive import document
from ..reply import Reply, xml_reply
from .configuration import keep_document

if TYPE_CHECKING:
    from ...interfaces import IMetadataTransaction
    from ...values import Bucket
    from ..asked import Asked
    from ..call import Call


async def put_bucket_ownership_controls(call: Call) -> Reply:
    """Say who owns what is written to a bucket.

    :raises InvalidBucketAclWithObjectOwnership: lists shall not count any more, and the bucket's gives others something.
    """
    wanted = DOCUMENT.parse(await document(call))
    await call.write_whole(_keep, wanted.rules[0].object_ownership)
    return Reply(200)


async def get_bucket_ownership_controls(call: Call) -> Reply:
    """Show who owns what is written to a bucket; its owner where nobody said anything, as of a new one on AWS."""
    shown = await call.read_authorized(_ownership)
    if not shown:
        raise OwnershipControlsNotFoundError(BucketName=call.bucket_name)
    return xml_reply(DOCUMENT.render(controls(shown)))


async def delete_bucket_ownership_controls(call: Call) -> Reply:
    """Have whoever writes an object own it, as in the buckets of before there were such controls."""
    await call.write_whole(keep_document, OWNERSHIP, b"")
    return Reply(204)


def _keep(
    tx: IMetadataTransaction, asked: Asked, bucket: Bucket, ownership: str
) -> None:
    data: bytes | None = DOCUMENT.render(controls(ownership))
    if ownership == ENFORCED:
        if gives_others(list_of(tx, bucket), bucket.owner):
            raise InvalidBucketAclWithObjectOwnership(BucketName=asked.bucket_name)
        keep_document(tx, asked, bucket, ACCESS_LIST, None)
        data = None
    keep_document(tx, asked, bucket, OWNERSHIP, data)


def _ownership(tx: IMetadataTransaction, asked: Asked, bucket: Bucket) -> str:
    return ownership_of(tx, bucket)
