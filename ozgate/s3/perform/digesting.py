"""Digests of bytes that are stored already: read once, hashed in a thread."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Collection, Iterator
from hashlib import md5
from typing import TYPE_CHECKING, TypeVarTuple

from ...content.outlet import Located, begin_read, body_of, locate, open_sources
from ...errors import InvalidRequest
from ...values import ByteRange
from ...wire.streams import Digesting
from ..checksums import ALGORITHMS

if TYPE_CHECKING:
    from ...interfaces import IMetadataTransaction
    from ...values import Bucket
    from ..asked import Asked
    from ..call import Call

Ts = TypeVarTuple("Ts")

SLICE = 16 << 20
"""Bytes that are hashed in one turn: some 30 ms of a core, of which to ask whether they are wanted takes a fraction of 1."""


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
    call: Call,
    located: Located,
    algorithms: Collection[str],
    check: Callable[[IMetadataTransaction, Asked, Bucket, *Ts], None],
    *values: *Ts,
) -> tuple[str, dict[str, str]]:
    """The MD5 (hex) and checksums (base64, by algorithm) of stored bytes, which the caller keeps from the reaper.

    They are read a slice at a time, each in a :mod:`turn <ozgate.gateway.turns>`, and only as long as somebody wants them.

    :param check: an interaction inside of the addressed bucket, with its values, that raises where they are not wanted any more: what they are for is gone,
        or the caller may not do it. It is asked before each slice, as is the caller's key.
    :raises ClientGone: the client has.
    :raises InvalidAccessKeyId: the caller's key was revoked meanwhile.
    :raises SlowDown: too many wait for their turn.
    """
    whole = md5(usedforsecurity=False)
    sums = {
        name: whole if name == "MD5" else ALGORITHMS[name].new() for name in algorithms
    }
    hashes = tuple({whole, *sums.values()})
    body = body_of(call.gateway, located)
    if body is not None:
        for hash_ in hashes:
            hash_.update(body)
    else:
        gateway = call.gateway
        digesting = Digesting(hashes, gateway.run_in_thread)
        work = gateway.turns.join(call.principal.user)
        try:
            with call.computing() as check_client:
                for piece in slices(located.span, SLICE):
                    await work.turn()
                    check_client()
                    await call.confirm()
                    # In one interaction: what has gone since would look damaged.
                    slice_ = await call.read_authorized(
                        _locate, located, piece, check, values
                    )
                    # What is not fed when it ends is in memory.
                    sources = await open_sources(gateway, slice_, begin_read(gateway))
                    await sources.send_to(digesting)
                await digesting.finish()
        finally:
            work.leave()
    return whole.hexdigest(), {
        name: b64encode(sum_.digest()).decode("ascii") for name, sum_ in sums.items()
    }


def _locate(
    tx: IMetadataTransaction,
    asked: Asked,
    bucket: Bucket,
    whole: Located,
    piece: ByteRange,
    check: Callable[[IMetadataTransaction, Asked, Bucket, *Ts], None],
    values: tuple[*Ts],
) -> Located:
    """Find out where a slice is, if it is wanted."""
    check(tx, asked, bucket, *values)
    return locate(tx, whole.bucket, whole.version, piece)


def slices(span: ByteRange, size: int) -> Iterator[ByteRange]:
    """Cut bytes into slices.

    :param size: bytes of each, but for the last.
    """
    for offset in range(span.offset, span.end, size):
        yield ByteRange(offset, min(size, span.end - offset))
