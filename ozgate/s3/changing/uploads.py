"""Uploads and parts that come and go, and the version that an upload becomes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from attrs import evolve

from ...content.extents import MOST_EXTENTS, count_extents
from ...errors import InvalidRequest
from ...values import Claim
from ..quotas import check_quota, claim_quota
from .objects import Draft, put_version

if TYPE_CHECKING:
    from ...interfaces import IMetadataTransaction
    from ...values import Bucket, Cause, ObjectVersion, Part, Upload
    from ...wire.headers import Headers

FEW_EXTENTS = 5
"""Extents of a part that are too few for 10,000 such parts to be too many."""


def begin_upload(tx: IMetadataTransaction, bucket: Bucket, upload: Upload) -> None:
    """Begin an upload.

    :param upload: its time is set here.
    """
    tx.claim(Claim.upload(bucket.number, upload.upload_id))
    tx.add_upload(bucket, evolve(upload, initiated=tx.now()))


def check_part(
    tx: IMetadataTransaction, bucket: Bucket, upload: Upload, number: int, size: int
) -> None:
    """Make sure that there is room for a part, in the place of the one of that number.

    To be asked before the bytes are taken, and decided again when the part is put.

    :raises QuotaExceeded: the bucket or its volume cannot take it.
    """
    check_quota(tx, bucket, _growth(tx, bucket, upload, number, size), 0)


def put_part(
    tx: IMetadataTransaction, bucket: Bucket, upload: Upload, part: Part
) -> Part:
    """Store a part of an upload in progress; the last of one number wins.

    :param part: its time is set here.
    :return: the part as it was stored.
    :raises QuotaExceeded: the bucket or its volume cannot take it.
    :raises InvalidRequest: it is made of too many extents.
    """
    more = _growth(tx, bucket, upload, part.number, part.size)
    claim_quota(tx, bucket, more, 0)
    stored = evolve(part, modified=tx.now())
    tx.put_part(bucket, upload, stored)
    # Afterwards, when the part that it replaces is gone; what is refused is undone.
    if count_extents(stored.content) > FEW_EXTENTS:
        _check_extents(tx.count_extents(bucket, upload, MOST_EXTENTS + 1))
    return stored


def complete_upload(
    tx: IMetadataTransaction,
    cause: Cause,
    bucket: Bucket,
    upload: Upload,
    draft: Draft,
    conditions: Headers,
    parts: Sequence[Part],
    listed: str,
) -> ObjectVersion:
    """Make a version of an upload in progress, and end it.

    :param conditions: as for :func:`~ozgate.s3.changing.put_version`.
    :param parts: all parts that the upload has: they go.
    :param listed: see ``completed_parts`` of :class:`~ozgate.values.Upload`.
    :raises InvalidRequest: the version is made of too many extents.
    :raises PreconditionFailed: a condition does not hold.
    :raises QuotaExceeded: the bucket or its volume cannot take it.
    """
    _check_extents(count_extents(draft.content))
    freed = sum(part.size for part in parts)
    version = put_version(tx, cause, bucket, draft, conditions, freed)
    done = evolve(upload, completed=version, completed_parts=listed)
    tx.complete_upload(bucket, done)
    return version


def drop_upload(tx: IMetadataTransaction, bucket: Bucket, upload: Upload) -> None:
    """End an upload, or forget one that has ended; its parts go.

    :raises Damaged: a row of its parts is damaged; nothing is changed.
    """
    tx.remove_upload(bucket, upload)


def _growth(
    tx: IMetadataTransaction, bucket: Bucket, upload: Upload, number: int, size: int
) -> int:
    """Bytes by which a bucket grows with a part, which takes the place of the one of its number."""
    there = tx.parts(bucket, upload, number - 1, 1, False)
    return size - (there[0].size if there and there[0].number == number else 0)


def _check_extents(count: int) -> None:
    """Keep the parts of parts of copies within bounds, of which a few requests can make any number.

    :raises InvalidRequest: they are too many.
    """
    if count > MOST_EXTENTS:
        raise InvalidRequest(
            f"The parts of an upload can be put together from at most {MOST_EXTENTS} pieces of other objects. Upload some of the bytes, instead of copying them piece by piece."
        )
