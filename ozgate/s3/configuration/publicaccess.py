"""What is taken away of what a bucket grants to everybody.

A bucket that nobody said anything about has all four blocks on, as a new one on AWS since April 2023; one whose blocks were deleted has none, which its
document says: it has none of the four elements. Sources: Amazon S3 User Guide, "Blocking public access to your Amazon S3 storage";
Amazon S3 API Reference, PutPublicAccessBlock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...immutable import frozen
from ..structures import FLAG, Document, One
from .kept import Kept

if TYPE_CHECKING:
    from ...interfaces import IMetadataTransaction
    from ...values import Bucket


@frozen
class PublicAccessBlock:
    """The four blocks; ``None`` for one that a document does not name, which is off.

    :ivar block_public_acls: an access control list that grants anything to everybody is refused.
    :ivar ignore_public_acls: what lists grant to everybody is granted to nobody.
    :ivar block_public_policy: a public policy is refused.
    :ivar restrict_public_buckets: what a public policy grants to everybody is granted to those alone who are known here.
    """

    block_public_acls: bool | None = None
    ignore_public_acls: bool | None = None
    block_public_policy: bool | None = None
    restrict_public_buckets: bool | None = None


DOCUMENT: Final = Document(
    "PublicAccessBlockConfiguration",
    PublicAccessBlock,
    block_public_acls=One("BlockPublicAcls", FLAG),
    ignore_public_acls=One("IgnorePublicAcls", FLAG),
    block_public_policy=One("BlockPublicPolicy", FLAG),
    restrict_public_buckets=One("RestrictPublicBuckets", FLAG),
)
PUBLIC_ACCESS: Final = Kept("publicAccessBlock", DOCUMENT)
ALL: Final = PublicAccessBlock(True, True, True, True)
"""Of a bucket that nobody said anything about."""
DELETED: Final = PublicAccessBlock()


def blocks_of(
    tx: IMetadataTransaction, bucket: Bucket, is_closed: bool
) -> PublicAccessBlock:
    """The blocks that are in force for a bucket; for use inside an interaction.

    :param is_closed: whether all are for every bucket: ``ozgate.s3.block-public-access``.
    """
    return ALL if is_closed else PUBLIC_ACCESS.of(tx, bucket) or ALL
