"""Quotas of buckets and volumes, asked inside the interaction that would use them up.

Source: Apache Ozone, "Quota in Ozone"; ozone.md calls the error ``QuotaExceeded``. The store counts what is
used, in the transaction that uses it, so that what is compared here is exact.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import QuotaExceeded
from ..values import Claim

if TYPE_CHECKING:
    from ..interfaces import IMetadataTransaction
    from ..values import Bucket, Volume


def check_quota(
    tx: IMetadataTransaction, bucket: Bucket, more_bytes: int, more_names: int
) -> None:
    """Make sure that a bucket, and the volume it is in, can take more.

    :param bucket: as read in this interaction; what it uses is asked here, where a quota is compared with it.
    :param more_bytes: bytes that will come, less those that go; what shrinks is never refused.
    :param more_names: versions likewise.
    :raises QuotaExceeded: one of the three quotas does not allow it.
    """
    if bucket.quota_bytes >= 0 or bucket.quota_names >= 0:
        # Who only looks has not asked for that.
        bucket = tx.bucket(bucket.volume, bucket.name) or bucket
    _compare(bucket, _bounded_volume(tx, bucket, more_bytes), more_bytes, more_names)


def claim_quota(
    tx: IMetadataTransaction, bucket: Bucket, more_bytes: int, more_names: int
) -> None:
    """As :func:`check_quota`, where that many come in this interaction: what is used is claimed first, where a quota is compared with it.

    :param bucket: claimed in this interaction, shared, and so is its volume: quotas stay what they are.
    """
    volume = _bounded_volume(tx, bucket, more_bytes)
    claims = []
    if volume is not None:
        claims.append(Claim.volume_usage(volume.name))
    if (bucket.quota_bytes >= 0 and more_bytes > 0) or (
        bucket.quota_names >= 0 and more_names > 0
    ):
        claims.append(Claim.usage(bucket.number))
    if claims and tx.claim(*claims):
        volume = _bounded_volume(tx, bucket, more_bytes)
        bucket = tx.bucket(bucket.volume, bucket.name) or bucket
    _compare(bucket, volume, more_bytes, more_names)


def _bounded_volume(
    tx: IMetadataTransaction, bucket: Bucket, more_bytes: int
) -> Volume | None:
    """The volume of a bucket, where its space quota is to be asked."""
    volume = tx.volume(bucket.volume) if more_bytes > 0 else None
    return volume if volume is not None and volume.quota_bytes >= 0 else None


def _compare(
    bucket: Bucket, volume: Volume | None, more_bytes: int, more_names: int
) -> None:
    if more_names > 0 and _over(bucket.quota_names, bucket.used_names + more_names):
        raise QuotaExceeded(
            f"The namespace quota of bucket {bucket.name} is {bucket.quota_names} keys."
        )
    if more_bytes <= 0:
        return
    if _over(bucket.quota_bytes, bucket.used_bytes + more_bytes):
        raise QuotaExceeded(
            f"The space quota of bucket {bucket.name} is {bucket.quota_bytes} bytes."
        )
    if volume is not None and _over(volume.quota_bytes, volume.used_bytes + more_bytes):
        raise QuotaExceeded(
            f"The space quota of volume {volume.name} is {volume.quota_bytes} bytes."
        )


def check_bucket_quota(tx: IMetadataTransaction, volume: Volume) -> None:
    """Make sure that a volume can take one more bucket or link.

    :param volume: as read in this interaction, which has claimed it, be it shared.
    :raises QuotaExceeded: its namespace quota does not allow it.
    """
    if volume.quota_names < 0:
        return
    if tx.claim(Claim.volume_usage(volume.name)):
        volume = tx.volume(volume.name) or volume
    if _over(volume.quota_names, volume.used_names + 1):
        raise QuotaExceeded(
            f"The namespace quota of volume {volume.name} is {volume.quota_names} buckets."
        )


def _over(quota: int, used: int) -> bool:
    return quota >= 0 and used > quota
