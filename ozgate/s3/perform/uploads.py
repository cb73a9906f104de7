"""Multipart uploads inside an interaction: what the operations on them share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...errors import NoSuchUpload
from ...values import Bucket, Claim, Part, Upload
from ..changing import put_part

if TYPE_CHECKING:
    from ...interfaces import IMetadataTransaction
    from ..asked import Asked


def upload_in_progress(
    tx: IMetadataTransaction, bucket: Bucket, key: str, upload_id: str
) -> Upload | None:
    """The upload that a request means; ``None`` where there is none, or it was completed."""
    upload: Upload | None = tx.upload(bucket, key, upload_id)
    return upload if upload is None or upload.completed is None else None


def find_upload(
    tx: IMetadataTransaction, bucket: Bucket, key: str, upload_id: str
) -> Upload:
    """The upload in progress that a request means.

    :raises NoSuchUpload: there is none, or it was completed.
    """
    upload = upload_in_progress(tx, bucket, key, upload_id)
    if upload is None:
        raise NoSuchUpload(UploadId=upload_id)
    return upload


def store_part(
    tx: IMetadataTransaction, asked: Asked, bucket: Bucket, upload_id: str, part: Part
) -> Part:
    """Store a part of the addressed upload, an interaction inside of its bucket.

    :raises NoSuchUpload: the upload ended while the part came.
    :raises S3Error: what :func:`~ozgate.s3.changing.put_part` raises.
    """
    tx.claim(Claim.upload(bucket.number, upload_id))
    upload = find_upload(tx, bucket, asked.key, upload_id)
    return put_part(tx, bucket, upload, part)
