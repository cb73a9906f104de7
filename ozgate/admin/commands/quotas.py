"""Quotas of volumes and buckets: set, and held against each other. Rules, codes and messages are Ozone's."""

from __future__ import annotations

from functools import partial

from attrs import evolve

from ...interfaces import IMetadataTransaction
from ...secondlook import claimed
from ...values import Claim, Principal, Volume
from ..caller import Caller
from ..context import AdminContext
from ..errors import AdminError
from .lookup import buckets_of, find_bucket, find_volume
from .rights import authorize_caller, principal_of

_LARGEST = (1 << 63) - 1


def check_quotas(*quotas: int | None) -> None:
    """Make sure that numbers are quotas: above 0, or -1 for none.

    :raises AdminError: one is not.
    """
    for quota in quotas:
        if quota is not None and quota != -1 and not 0 < quota <= _LARGEST:
            raise AdminError("QUOTA_ERROR", f"{quota} is no quota: it is above 0")


async def set_volume_quota(
    context: AdminContext,
    caller: Caller,
    volume: str,
    space_quota: int | None = None,
    namespace_quota: int | None = None,
) -> None:
    """Set a volume's quotas; ``None`` leaves one as it is, -1 removes it.

    :raises AdminError: ``QUOTA_ERROR``: it holds more already, or a bucket in it has no space quota;
        ``QUOTA_EXCEEDED``: its buckets' space quotas are more in all.
    """
    check_quotas(space_quota, namespace_quota)
    await context.gateway.metadata.write(
        _set_volume,
        principal_of(caller),
        volume,
        space_quota,
        namespace_quota,
    )


def _set_volume(
    tx: IMetadataTransaction,
    principal: Principal,
    volume: str,
    space_quota: int | None,
    namespace_quota: int | None,
) -> None:
    tx.claim(Claim.volume(volume))
    found = find_volume(tx, volume)
    authorize_caller(principal, "ALL", found)
    if space_quota is not None:
        if space_quota != -1:
            _check_volume_space(tx, found, space_quota)
        found = evolve(found, quota_bytes=space_quota)
    if namespace_quota is not None:
        if -1 < namespace_quota < found.used_names:
            raise AdminError(
                "QUOTA_ERROR",
                "Cannot update volume quota. NamespaceQuota requested is less than used namespaceQuota.",
            )
        found = evolve(found, quota_names=namespace_quota)
    tx.replace_volume(found)


def _check_volume_space(tx: IMetadataTransaction, volume: Volume, quota: int) -> None:
    for bucket in buckets_of(tx, volume.name):
        if bucket.source is None and bucket.quota_bytes == -1:
            raise AdminError(
                "QUOTA_ERROR",
                "Can not set volume space quota on volume as some of buckets in this volume have no quota set.",
            )
    _check_sum(quota, _sum_of_quotas(tx, volume.name))


def _sum_of_quotas(tx: IMetadataTransaction, volume: str, but: str = "") -> int:
    """What the space quotas of a volume's buckets come to; links have none.

    :param but: a bucket that is not counted.
    """
    return sum(
        bucket.quota_bytes
        for bucket in buckets_of(tx, volume)
        if bucket.source is None and bucket.quota_bytes > 0 and bucket.name != but
    )


def _check_sum(quota: int, total: int) -> None:
    """Make sure that a volume's space quota covers those of its buckets.

    :raises AdminError: ``QUOTA_EXCEEDED``.
    """
    if quota != -1 and total > quota:
        raise AdminError(
            "QUOTA_EXCEEDED",
            "Total buckets quota in this volume should not be greater than volume quota : "
            f"the total space quota is set to:{total}. But the volume space quota is:{quota}",
        )


async def set_bucket_quota(
    context: AdminContext,
    caller: Caller,
    volume: str,
    bucket: str,
    space_quota: int | None = None,
    namespace_quota: int | None = None,
) -> None:
    """Set a bucket's quotas; ``None`` leaves one as it is, -1 removes it.

    :raises AdminError: ``NOT_SUPPORTED_OPERATION``: it is a link; ``QUOTA_ERROR``: it holds more already, or its volume
        demands a space quota; ``QUOTA_EXCEEDED``: the volume's space quota does not cover it.
    """
    check_quotas(space_quota, namespace_quota)
    await context.gateway.metadata.write(
        _set_bucket,
        principal_of(caller),
        volume,
        bucket,
        space_quota,
        namespace_quota,
    )


def _set_bucket(
    tx: IMetadataTransaction,
    principal: Principal,
    volume: str,
    bucket: str,
    space_quota: int | None,
    namespace_quota: int | None,
) -> None:
    # The volume too, not shared: with its quota those of all buckets in it are compared.
    found = claimed(
        tx,
        partial(find_bucket, tx, volume, bucket),
        lambda found: (Claim.volume(volume), Claim.bucket(found.number)),
    )
    authorize_caller(principal, "ALL", found)
    if found.source is not None:
        raise AdminError("NOT_SUPPORTED_OPERATION", "Cannot set property on link")
    if space_quota is not None:
        check_space(tx, find_volume(tx, volume), bucket, space_quota)
        _check_used("space", space_quota, found.used_bytes)
        found = evolve(found, quota_bytes=space_quota)
    if namespace_quota is not None:
        _check_used("namespace", namespace_quota, found.used_names)
        found = evolve(found, quota_names=namespace_quota)
    tx.replace_bucket(found)


def _check_used(kind: str, quota: int, used: int) -> None:
    if -1 < quota < used:
        raise AdminError(
            "QUOTA_ERROR",
            f"Cannot update bucket quota. Requested {kind}Quota less than used {kind}Quota.",
        )


def check_space(
    tx: IMetadataTransaction, volume: Volume, bucket: str, quota: int
) -> None:
    """Make sure that a bucket's space quota goes with its volume's.

    :raises AdminError: ``QUOTA_ERROR``, ``QUOTA_EXCEEDED``.
    """
    if volume.quota_bytes == -1:
        return
    if quota == -1:
        raise AdminError(
            "QUOTA_ERROR",
            "Bucket space quota in this volume should be set as volume space quota is already set.",
        )
    _check_sum(volume.quota_bytes, quota + _sum_of_quotas(tx, volume.name, bucket))
