"""Public access blocks: PutPublicAccessBlock, GetPublicAccessBlock, DeletePublicAccessBlock.

What they take away is decided in :mod:`ozgate.s3.policy.decide`, and what they refuse where it is put.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import astuple

from ...errors import InvalidRequest, NoSuchPublicAccessBlockConfiguration
from ..configuration.publicaccess import (
    ALL,
    DELETED,
    PUBLIC_ACCESS,
    PublicAccessBlock,
)
from ..receive import document
from ..reply import Reply, xml_reply
from .configuration import keep_document

if TYPE_CHECKING:
    from ...interfaces import IMetadataTransaction
    from ...values import Bucket
    from ..asked import Asked
    from ..call import Call


async def put_public_access_block(call: Call) -> Reply:
    """Say which blocks a bucket has; one that is not named is off.

    :raises InvalidRequest: none is named.
    """
    wanted = PUBLIC_ACCESS.document.parse(await document(call))
    if wanted == DELETED:
        raise InvalidRequest("Must specify at least one configuration.")
    await _keep(call, PublicAccessBlock(*map(bool, astuple(wanted))))
    return Reply(200)


async def get_public_access_block(call: Call) -> Reply:
    """Show the blocks that a bucket has, whatever holds for all buckets; for one that nobody said anything about, all."""
    blocks = await call.read_authorized(_own_blocks)
    if blocks == DELETED:
        raise NoSuchPublicAccessBlockConfiguration(BucketName=call.bucket_name)
    return xml_reply(PUBLIC_ACCESS.document.render(blocks))


async def delete_public_access_block(call: Call) -> Reply:
    """Have a bucket block nothing."""
    await _keep(call, DELETED)
    return Reply(204)


async def _keep(call: Call, blocks: PublicAccessBlock) -> None:
    data = PUBLIC_ACCESS.document.render(blocks)
    await call.write_whole(keep_document, PUBLIC_ACCESS.kind, data)


def _own_blocks(
    tx: IMetadataTransaction, asked: Asked, bucket: Bucket
) -> PublicAccessBlock:
    return PUBLIC_ACCESS.of(tx, bucket) or ALL
