"""Requests that whoever sends them pays for: in such a bucket everybody but its owner says that he knows.

Nobody is charged here; what is enforced is that nobody asks who has not said so. Source: Amazon S3 User Guide, "Using Requester Pays buckets".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..errors import AccessDenied
from .configuration.payment import PAYMENT
from .links import behind

if TYPE_CHECKING:
    from ..interfaces import IMetadataTransaction
    from ..values import Bucket, Principal
    from .asked import Asked

HEADER: Final = "x-amz-request-payer"
CHARGED: Final = ("x-amz-request-charged", "requester")


def check_payer(tx: IMetadataTransaction, asked: Asked, bucket: Bucket) -> None:
    """Make sure that the caller has said that he pays, where he does; for use inside an interaction. A bucket that says nothing costs nothing.

    :raises AccessDenied: he has not, or nobody knows who he is.
    """
    if PAYMENT.kind not in bucket.configured or not _pays(tx, asked.principal, bucket):
        return
    if not asked.principal.user or not says_so(asked.headers.get(HEADER)):
        raise AccessDenied()


def says_so(value: str | None) -> bool:
    """Whether a header says that the requester pays."""
    return value is not None and value.lower() == "requester"


def _pays(tx: IMetadataTransaction, principal: Principal, bucket: Bucket) -> bool:
    if principal.is_admin or principal.is_called(bucket.owner):
        # Also where the document cannot be read: who else is to put another one?
        return False
    payment = PAYMENT.of(tx, bucket)
    return payment is not None and payment.payer == "Requester"


def is_charged(
    tx: IMetadataTransaction,
    volume: str,
    name: str,
    principal: Principal,
    abroad: frozenset[str],
) -> bool:
    """Whether somebody pays for what was done in a bucket; an interaction."""
    bucket = behind(tx, volume, name, abroad)
    return bucket is not None and _pays(tx, principal, bucket)
