"""Multipart uploads inside an interaction: what the operations on them share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...content.extents import MOST_EXTENTS, count_extents
from ...errors import InvalidRequest, NoSuchUpload
from ...values import Bucket, Part, Upload
from ..quotas import check_quota

FEW_EXTENTS = 5
"""Extents of a part that are too few for 10,000 such parts to be too many."""

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
    tx: IMetadataTransaction,
    asked: Asked,
    bucket: Bucket,
    upload_id: str,
    members: Mapping[str, Any],
) -> Part:
    """Store a part of the addressed upload, an interaction inside of its bucket; the last of one number wins.

    :param members: members of :class:`~ozgate.values.Part`; the time is set here.
    :raises NoSuchUpload: the upload ended while the part came.
    :raises QuotaExceeded: the bucket or its volume cannot take it.
    :raises InvalidRequest: it is made of too many extents.
    """
    upload = find_upload(tx, bucket, asked.key, upload_id)
    part = Part(modified=tx.now(), **members)
    check_part(tx, bucket, upload, part.number, part.size)
    tx.put_part(bucket, upload, part)
    # Afterwards, when the part that it replaces is gone; what is refused is undone.
    if count_extents(part.content) > FEW_EXTENTS:
        check_extents(tx.count_extents(bucket, upload, MOST_EXTENTS + 1))
    return part


def check_extents(count: int) -> None:
    """Keep the parts of parts of copies within bounds, of which a few requests can make any number.

    :raises InvalidRequest: they are too many.
    """
    if count > MOST_EXTENTS:
        raise InvalidRequest(
            f"The parts of an upload can be put together from at most {MOST_EXTENTS} pieces of other objects. Upload some of the bytes, instead of copying them piece by piece."
        )


def check_part(
    tx: IMetadataTransaction, bucket: Bucket, upload: Upload, number: int, size: int
) -> None:
    """Make sure that there is room for a part, in the place of the one of that number.

    :raises QuotaExceeded: the bucket or its volume cannot take it.
    """
    there = tx.parts(bucket, upload, number - 1, 1, False)
    replaced = there[0].size if there and there[0].number == number else 0
    check_quota(tx, bucket, size - replaced, 0)
