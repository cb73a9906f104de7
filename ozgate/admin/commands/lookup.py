"""Names that may be; volumes, buckets and what links lead to, found inside interactions; pages of lists."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from ...interfaces import IMetadataTransaction
from ...s3.links import follow, is_hidden
from ...values import Bucket, Principal, Volume
from ...wire.target import valid_bucket_name
from ..errors import AdminError
from .rights import authorize_caller

MOST_LISTED = 1000
"""Entries of one page."""


def check_name(what: str, name: str) -> None:
    """Refuse what cannot be a name.

    :param what: ``"volume"`` or ``"bucket"``, which have the same rule.
    :raises AdminError: ``INVALID_VOLUME_NAME``, ``INVALID_BUCKET_NAME``.
    """
    if not valid_bucket_name(name):
        raise AdminError(
            f"INVALID_{what.upper()}_NAME",
            f"Invalid {what} name: {name}: 3 to 63 of a-z, 0-9, - and .",
        )


def find_volume(tx: IMetadataTransaction, name: str) -> Volume:
    """A volume.

    :raises AdminError: ``VOLUME_NOT_FOUND``.
    """
    volume = tx.volume(name)
    if volume is None:
        raise AdminError("VOLUME_NOT_FOUND", f"Volume {name} is not found", 404)
    return volume


def buckets_of(tx: IMetadataTransaction, volume: str) -> Iterator[Bucket]:
    """All buckets and links of a volume."""
    after = ""
    while page := tx.buckets(volume, "", after, MOST_LISTED):
        yield from page
        after = page[-1].name


def find_bucket(tx: IMetadataTransaction, volume: str, name: str) -> Bucket:
    """A bucket or link.

    :raises AdminError: ``VOLUME_NOT_FOUND``, ``BUCKET_NOT_FOUND``.
    """
    bucket = tx.bucket(volume, name)
    if bucket is None:
        find_volume(tx, volume)
        raise bucket_not_found(name)
    return bucket


def find_real(
    tx: IMetadataTransaction,
    volume: str,
    name: str,
    principal: Principal,
    right: str,
) -> Bucket:
    """The real bucket behind a name, on which somebody has a right, and ``READ`` on each link that is followed.

    :raises AdminError: ``VOLUME_NOT_FOUND``, ``BUCKET_NOT_FOUND``, ``DETECTED_LOOP_IN_BUCKET_LINKS``, ``PERMISSION_DENIED``.
    """
    check = partial(authorize_caller, principal)
    led = follow(tx.bucket, find_bucket(tx, volume, name), check)
    if led.is_loop:
        raise AdminError(
            "DETECTED_LOOP_IN_BUCKET_LINKS",
            f"Detected loop in bucket links. Bucket name: {name}, Volume name: {volume}",
        )
    if is_hidden(tx, principal, led):
        # What is refused is what would be refused if it were there.
        check(right, Bucket(*led.end, owner="", created=0))
    if led.bucket is None:
        raise bucket_not_found(name)
    check(right, led.bucket)
    return led.bucket


def page_size(limit: int) -> int:
    """How many entries a page has at most.

    :raises AdminError: the number asked for is not above 0.
    """
    if limit < 1:
        raise AdminError("INVALID_REQUEST", "List length should be a positive number")
    return min(limit, MOST_LISTED)


def bucket_not_found(name: str) -> AdminError:
    """What is said of a bucket that is not there."""
    return AdminError("BUCKET_NOT_FOUND", f"Bucket not found: {name}", 404)
