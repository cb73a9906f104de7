"""Transfer acceleration, which is AWS's edge: there is none here, so it can be suspended, and not enabled.

PutBucketAccelerateConfiguration, GetBucketAccelerateConfiguration.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...errors import MalformedXML, NotImplemented
from ..configuration.acceleration import ACCELERATION, Acceleration
from ..reply import Reply, xml_reply
from .configuration import keep, kept_document

if TYPE_CHECKING:
    from ..call import Call

_NEVER_SET = Acceleration()


async def put_bucket_accelerate_configuration(call: Call) -> Reply:
    """Suspend it.

    :raises NotImplemented: it is to be enabled, which would change nothing.
    """
    return await keep(call, ACCELERATION, _check)


async def get_bucket_accelerate_configuration(call: Call) -> Reply:
    """Show the state; an empty document where it was never set."""
    data = await call.read_authorized(kept_document, ACCELERATION.kind)
    return xml_reply(data or ACCELERATION.document.render(_NEVER_SET))


def _check(acceleration: Acceleration) -> None:
    if acceleration.status is None:
        raise MalformedXML()
    if acceleration.status == "Enabled":
        raise NotImplemented("Transfer acceleration is not implemented.")
