"""Who pays for requests. Source: Amazon S3 User Guide, "Using Requester Pays buckets"."""

from __future__ import annotations

from typing import Final

from ...immutable import frozen
from ..structures import Document, One, one_of
from .kept import Kept


@frozen
class RequestPayment:
    """Who pays.

    :ivar payer: ``BucketOwner``, or ``Requester``: then a request of anybody else has to say that its sender knows.
    """

    payer: str


DOCUMENT: Final = Document(
    "RequestPaymentConfiguration",
    RequestPayment,
    payer=One("Payer", one_of("BucketOwner", "Requester"), is_needed=True),
)
PAYMENT: Final = Kept("payment", DOCUMENT)
BY_OWNER: Final = RequestPayment("BucketOwner")
"""Of a bucket that says nothing."""
