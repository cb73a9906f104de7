"""Who owns the objects of a bucket, and whether S3's lists count in it. Source: Amazon S3 User Guide, "Controlling ownership of objects"."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from ...errors import Damaged, S3Error
from ...immutable import frozen
from ..structures import Document, Many, One, Structure, one_of

if TYPE_CHECKING:
    from ...interfaces import IMetadataTransaction
    from ...values import Bucket

ENFORCED: Final = "BucketOwnerEnforced"
"""The bucket's owner owns everything in it, and lists say nothing: so it is where a bucket has no document."""
PREFERRED: Final = "BucketOwnerPreferred"
"""The bucket's owner owns what is written with the list ``bucket-owner-full-control``."""
WRITER: Final = "ObjectWriter"
"""Whoever writes an object owns it."""
OWNERSHIPS: Final = (PREFERRED, WRITER, ENFORCED)


@frozen
class OwnershipRule:
    """A rule.

    :ivar object_ownership: one of :data:`OWNERSHIPS`.
    """

    object_ownership: str


@frozen
class OwnershipControls:
    """The rules of a bucket: just one."""

    rules: tuple[OwnershipRule, ...]


DOCUMENT: Final = Document(
    "OwnershipControls",
    OwnershipControls,
    rules=Many(
        "Rule",
        Structure(
            OwnershipRule,
            object_ownership=One(
                "ObjectOwnership", one_of(*OWNERSHIPS), is_needed=True
            ),
        ),
        least=1,
        most=1,
    ),
)
OWNERSHIP: Final = "ownership"
"""Its name in the rows. Where the controls were deleted, the document that is kept is empty."""
_parse: Final = lru_cache(256)(DOCUMENT.parse)


def controls(ownership: str) -> OwnershipControls:
    """The controls that say one of :data:`OWNERSHIPS`."""
    return OwnershipControls((OwnershipRule(ownership),))


def lists_count(bucket: Bucket) -> bool:
    """Whether S3's lists count in a bucket."""
    return OWNERSHIP in bucket.configured


def ownership_of(tx: IMetadataTransaction, bucket: Bucket) -> str:
    """Who owns what is written to a bucket: one of :data:`OWNERSHIPS`; for use inside an interaction.

    :param bucket: the real one, as read in this interaction.
    :return: ``""`` where the controls were deleted, which is the same as :data:`WRITER`.
    :raises Damaged: its document cannot be read, or is not there.
    """
    if not lists_count(bucket):
        return ENFORCED
    kept = tx.configuration(bucket, OWNERSHIP)
    if kept == b"":
        return ""
    try:
        return _parse(kept or b"").rules[0].object_ownership
    except S3Error:
        raise Damaged(
            f"who owns what is in bucket {bucket.name!r} cannot be read", "metadata"
        ) from None
