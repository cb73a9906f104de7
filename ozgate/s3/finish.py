"""The last step of a request: headers that do not hang on how it went.

S3 says where a bucket is in every answer to HeadBucket but 404, whoever asks, for clients find the region to sign for so.
Listings say it too, and so do their 400s. Source: Amazon S3 API Reference, HeadBucket.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from ..errors import S3Error, StoreError
from .links import follow
from .regions import region_of

if TYPE_CHECKING:
    from ..gateway.gateway import Gateway
    from ..interfaces import IMetadataTransaction
    from ..wire.request import GatewayRequest
    from ..wire.target import Address
    from .reply import Reply

_LISTINGS: Final = ("ListObjects", "ListObjectsV2", "ListObjectVersions")
_SAY_WHERE: Final[Mapping[str, frozenset[int]]] = {
    "HeadBucket": frozenset((200, 301, 400, 403)),
    **dict.fromkeys(_LISTINGS, frozenset((200, 400))),
}
"""The statuses with which operations say where their bucket is."""


async def finish(
    performing: Awaitable[Reply],
    gateway: Gateway,
    request: GatewayRequest,
    address: Address,
) -> Reply:
    """Await an answer and add the headers that it has in any case.

    :param performing: gives the answer, or raises the error that is one.
    :raises S3Error: what ``performing`` raised, with these headers too.
    """
    try:
        reply = await performing
    except S3Error as error:
        # It is an answer without them as well.
        with suppress(StoreError):
            error.headers += await _where(gateway, request, address, error.status)
        raise
    reply.headers += await _where(gateway, request, address, reply.status)
    return reply


async def _where(
    gateway: Gateway, request: GatewayRequest, address: Address, status: int
) -> list[tuple[str, str]]:
    """The header that says where the addressed bucket is, if the answer has it."""
    operation = request.notes.get("meant")
    if operation is None or status not in _SAY_WHERE.get(operation.name, ()):
        return []
    settings = gateway.settings
    region = await gateway.metadata.read(
        _region, settings.volume_name, address.bucket, settings.region, status == 200
    )
    return [("x-amz-bucket-region", region)]


def _region(
    tx: IMetadataTransaction, volume: str, name: str, here: str, admitted: bool
) -> str:
    """The region of a bucket.

    :param here: the answer also where there is no such bucket, so that strangers do not learn which there are.
    :param admitted: whether the caller may know where a link leads.
    """
    bucket = tx.bucket(volume, name)
    if bucket is not None and admitted:
        bucket = follow(tx.bucket, bucket, lambda right, link: None).bucket
    return here if bucket is None else region_of(bucket, here)
