"""Digests of bytes that are stored already: read once, hashed in a thread."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Collection
from hashlib import md5
from typing import TYPE_CHECKING

from ...errors import InvalidRequest
from ...values import Content
from ...wire.streams import Digesting
from ..bytes import open_sources
from ..checksums import ALGORITHMS

if TYPE_CHECKING:
    from ..call import Call, Gateway


def asked_algorithm(call: Call) -> str:
    """The checksum algorithm that ``x-amz-checksum-algorithm`` asks for; ``""`` without it.

    :raises InvalidRequest: it is none of those built.
    """
    text = call.headers.get("x-amz-checksum-algorithm")
    if text is None:
        return ""
    algorithm = text.upper()
    if algorithm not in ALGORITHMS:
        valid = ", ".join(ALGORITHMS)
        raise InvalidRequest(
            f"Checksum algorithm provided is unsupported. Please try again with any of the valid types: [{valid}]"
        )
    return algorithm


async def digest(
    gateway: Gateway, content: Content, algorithms: Collection[str], token: int
) -> tuple[str, dict[str, str]]:
    """The MD5 (hex) and checksums (base64, by algorithm) of stored bytes.

    :param token: that of :func:`~ozgate.s3.bytes.begin_read`; it is left when this ends.
    """
    whole = md5(usedforsecurity=False)
    sums = {name: ALGORITHMS[name].new() for name in algorithms}
    hashes = (whole, *sums.values())
    if content.body is not None:
        gateway.readers.leave(token)
        for hash_ in hashes:
            hash_.update(content.body)
    else:
        digesting = Digesting(hashes, gateway.run_in_thread)
        sources = await open_sources(gateway, content.extents, token)
        try:
            async for source in sources:
                await source.send_to(digesting)
        finally:
            await sources.aclose()
        await digesting.finish()
    return whole.hexdigest(), {
        name: b64encode(sum_.digest()).decode("ascii") for name, sum_ in sums.items()
    }
