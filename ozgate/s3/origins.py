"""Pages of other origins: what a browser says of one, and what the rules of the bucket let it.

The rules are those of the real bucket, whoever asks and whatever may be done with the link that leads there: they say what a page may
read of an answer, and what the answer is, is decided as for everybody. Source: Amazon S3 User Guide, "How Amazon S3 evaluates the
CORS configuration on a bucket"; Fetch Standard, 3.3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .configuration.cors import CORS, Asking, Cors
from .links import behind

if TYPE_CHECKING:
    from ..gateway.gateway import Gateway
    from ..interfaces import IMetadataTransaction
    from ..wire.request import GatewayRequest
    from ..wire.target import Address

Pairs = list[tuple[str, str]]

MOST_NAMES: Final = 500
"""Headers that a page may want to send: as many as a request may have."""


def asking_of(origin: str, method: str, names: str) -> Asking | None:
    """What a browser asks; ``None`` where no browser says it so, or of more headers than a request may have.

    :param names: the headers that the page wants to send, with commas between.
    """
    if not (origin + method + names).isascii():
        return None
    each = dict.fromkeys([name.strip().lower() for name in names.split(",")])
    each.pop("", None)
    if len(each) > MOST_NAMES:
        return None
    return Asking(origin, method, tuple(each))


async def headers_for_page(
    gateway: Gateway, request: GatewayRequest, address: Address
) -> Pairs:
    """The headers that let the page of a request read its answer, whatever it is; none where no page sent it, or none may.

    Asked before the request is performed, so that what was done is not lost where this cannot be read, and so
    that a bucket's removal is told by its own rules. S3 takes the method that a preflight names from every request that names one.

    :raises StoreError: the rules cannot be read.
    """
    origin = None
    method, names = request.method, b""
    for name, value in request.header_pairs():
        if name == b"origin":
            origin = value
        elif name == b"access-control-request-method":
            method = value
        elif name == b"access-control-request-headers":
            names = value
    if origin is None or not address.bucket or request.method == b"OPTIONS":
        return []
    asking = asking_of(*(each.decode("latin-1") for each in (origin, method, names)))
    if asking is None:
        return []
    rules = await rules_for(gateway, address.bucket)
    return [] if rules is None else rules.headers_for(asking) or []


async def rules_for(gateway: Gateway, bucket: str) -> Cors | None:
    """The rules of a bucket; ``None`` where it has none, or is not there."""
    volume = gateway.settings.volume_name
    return await gateway.metadata.read(rules_of, volume, bucket, gateway.abroad)


def rules_of(
    tx: IMetadataTransaction,
    volume: str,
    name: str,
    abroad: frozenset[str] = frozenset(),
) -> Cors | None:
    """The rules of a bucket, or of the one that a link leads to; an interaction."""
    bucket = behind(tx, volume, name, abroad)
    return None if bucket is None else CORS.of(tx, bucket)
