"""Whether a bucket keeps versions: PutBucketVersioning, GetBucketVersioning. What follows from it is decided in :mod:`ozgate.s3.changing`.

Deleting with a second factor (MFA delete) does not exist here, for nobody has one: what would turn it on is refused as S3 refuses who has none.

Source: Amazon S3 API Reference, the pages of these names; Amazon S3 User Guide, "Configuring MFA delete".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve

from ...errors import (
    AccessDenied,
    IllegalVersioningConfigurationException,
    InvalidBucketState,
)
from ..changing.locks import has_object_lock
from ..configuration.versioning import DOCUMENT, Versioning
from ..receive import document
from ..reply import Reply, xml_reply

if TYPE_CHECKING:
    from ...interfaces import IMetadataTransaction
    from ...values import Bucket
    from ..asked import Asked
    from ..call import Call


async def put_bucket_versioning(call: Call) -> Reply:
    """Have a bucket keep versions, or suspend that, which one with object lock never does. Never again is it a bucket that never was versioned."""
    wanted = DOCUMENT.parse(await document(call))
    if wanted.status is None:
        raise IllegalVersioningConfigurationException()
    if wanted.mfa_delete == "Enabled" or "x-amz-mfa" in call.headers:
        # Also what has been signed with a second factor shows one that nobody can have.
        raise AccessDenied("Mfa Authentication must be used for this request")
    await call.write_whole(_put, wanted.status)
    return Reply(200)


async def get_bucket_versioning(call: Call) -> Reply:
    """Say whether a bucket keeps versions; nothing of one that never did."""
    status = await call.read_authorized(_status)
    return xml_reply(DOCUMENT.render(Versioning(status or None)))


def _put(tx: IMetadataTransaction, asked: Asked, bucket: Bucket, status: str) -> None:
    if status != "Enabled" and has_object_lock(bucket):
        raise InvalidBucketState(
            "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed."
        )
    if bucket.versioning != status:
        tx.replace_bucket(evolve(bucket, versioning=status))


def _status(tx: IMetadataTransaction, asked: Asked, bucket: Bucket) -> str:
    return bucket.versioning
