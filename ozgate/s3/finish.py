"""The last step of a request: headers that do not hang on how it went.

Those that let a page of another origin read the answer were found before (:mod:`ozgate.s3.origins`): S3 sends them with errors as well. S3 says where a bucket is in every answer to HeadBucket but 404, whoever asks, for clients find the region to sign for so.
Listings say it too, and so do their 400s. Source: Amazon S3 API Reference, HeadBucket.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import TYPE_CHECKING, Any, Final

from .links import behind, finding
from .payer import CHARGED, is_charged
from .regions import region_of

if TYPE_CHECKING:
    from ..errors import S3Error
    from ..gateway.gateway import Gateway
    from ..interfaces import IMetadataTransaction
    from ..wire.target import Address
    from .reply import Reply
    from .row import Operation

_LISTINGS: Final = ("ListObjects", "ListObjectsV2", "ListObjectVersions")
_SAY_WHERE: Final[Mapping[str, frozenset[int]]] = {
    "HeadBucket": frozenset((200, 301, 400, 403)),
    **dict.fromkeys(_LISTINGS, frozenset((200, 400))),
}
"""The statuses with which operations say where their bucket is."""


def finish(
    gateway: Gateway,
    notes: Mapping[str, Any],
    address: Address | None,
    answer: Reply | S3Error,
) -> Awaitable[None] | None:
    """Add the headers that an answer has whatever became of its request.

    All answers of S3 pass here, each once, errors too: whatever its gate was, whether anybody was let in, and whether there was
    a row for it at all. What is no request yet, and the pages that anybody sees, are no answers of S3.

    :param notes: the request's: ``meant`` is the row that says what is asked, and not there where none does; ``origin`` the headers
        for the page that asks; ``payer`` what is said of who pays.
    :param address: ``None`` where there is no valid one.
    :return: to be awaited where something has to be looked up, which fails with ``StoreError`` where it cannot be read; ``None`` where it is done,
        as of most answers.
    """
    if "origin" in notes:
        answer.headers.extend(notes["origin"])
    operation: Operation | None = notes.get("meant")
    if address is None or operation is None:
        return None
    if operation.name not in _SAY_WHERE and "payer" not in notes:
        return None
    says_where = answer.status in _SAY_WHERE.get(operation.name, ())
    if says_where or "payer" in notes:
        return _look_up(gateway, notes, address, answer, says_where)
    return None


async def _look_up(
    gateway: Gateway,
    notes: Mapping[str, Any],
    address: Address,
    answer: Reply | S3Error,
    says_where: bool,
) -> None:
    settings, abroad = gateway.settings, gateway.abroad
    volume, region = settings.volume_name, settings.region
    if volume in abroad:
        # Of its buckets nothing is kept here.
        if says_where:
            answer.headers.append(("x-amz-bucket-region", region))
        return
    if says_where:
        is_admitted = answer.status == 200
        values = volume, address.bucket, region, is_admitted
        region = await gateway.metadata.read(_region, *values, abroad)
        answer.headers.append(("x-amz-bucket-region", region))
    if "payer" in notes and answer.status < 400 and address.bucket:
        payer = notes["principal"]
        if await gateway.metadata.read(
            is_charged, volume, address.bucket, payer, abroad
        ):
            answer.headers.append(CHARGED)


def _region(
    tx: IMetadataTransaction,
    volume: str,
    name: str,
    here: str,
    admitted: bool,
    abroad: frozenset[str],
) -> str:
    """The region of a bucket.

    :param here: the answer also where there is no such bucket, so that strangers do not learn which there are.
    :param admitted: whether the caller may know where a link leads.
    """
    bucket = finding(tx, abroad)(volume, name)
    if bucket is not None and admitted:
        bucket = behind(tx, volume, name, abroad)
    return here if bucket is None else region_of(bucket, here)
