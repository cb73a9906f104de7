"""Who pays for requests to a bucket: PutBucketRequestPayment, GetBucketRequestPayment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..configuration.payment import BY_OWNER, PAYMENT
from ..reply import Reply, xml_reply
from .configuration import keep, kept_document

if TYPE_CHECKING:
    from ..call import Call


async def put_bucket_request_payment(call: Call) -> Reply:
    """Say who pays; see :mod:`ozgate.s3.payer`."""
    return await keep(call, PAYMENT)


async def get_bucket_request_payment(call: Call) -> Reply:
    """Say who pays: the owner, unless the bucket says otherwise."""
    data = await call.read_authorized(kept_document, PAYMENT.kind)
    return xml_reply(data or PAYMENT.document.render(BY_OWNER))
