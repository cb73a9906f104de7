"""Objects held against what is known of their blobs: by their heads, or read whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import cast

from twisted.internet.defer import Deferred, DeferredList
from twisted.python.failure import Failure

from ...errors import Absent, Damaged
from ...values import BlobRef
from .engine import Engine
from .frames import (
    FRAME,
    TRAILER,
    Unframing,
    count_of,
    length_of,
    make_trailer,
    object_size,
)
from .location import name_of

Pace = Callable[[int], "Deferred[None]"]
"""Is told how many bytes were read; fires when the next may be."""

CRC_KEPT = "x-amz-meta-ozgate-crc64nvme"
"""Said with an object: the CRC64NVME of its blob, in hex."""

_AT_ONCE = 16
"""Heads that are asked for at a time; blocks that are read at once, 4 MiB."""


async def inspect(engine: Engine, blobs: Sequence[BlobRef]) -> Mapping[str, str]:
    """Look whether objects are there, and as long as their blobs want it.

    :return: what is wrong, by id; nothing of those that are well.
    :raises Unavailable: the engine cannot be asked.
    """
    wrong: dict[str, str] = {}
    for start in range(0, len(blobs), _AT_ONCE):
        some = blobs[start : start + _AT_ONCE]
        looks = [Deferred.fromCoroutine(_look(engine, each)) for each in some]
        outcomes = await DeferredList(looks, consumeErrors=True)
        for blob, (is_told, outcome) in zip(some, outcomes, strict=True):
            if not is_told:
                cast(Failure, outcome).raiseException()
            if outcome:
                wrong[blob.id] = outcome
    return wrong


async def _look(engine: Engine, blob: BlobRef) -> str:
    """What is wrong with an object; ``""`` where nothing is."""

    async def attempt() -> Mapping[str, str]:
        name = name_of(blob.id)
        return (await engine.ask("HEAD", name, "inspecting a blob")).headers

    try:
        headers = await engine.tried(attempt)
    except Absent:
        return "its object is not there"
    size = object_size(blob.length)
    if headers.get("content-length") != str(size):
        return f"its object has {headers.get('content-length')} bytes, not {size}"
    # Not all engines give back what is said of an object.
    crc = f"{blob.crc64nvme:016x}"
    if headers.get(CRC_KEPT, crc) != crc:
        return "its checksum is another one than its rows say"
    return ""


async def verify(engine: Engine, blob_id: str, pace: Pace | None) -> int:
    """Read a whole object, and hold it against its checks.

    :return: the bytes that the blob has.
    :raises Absent: it is not there.
    :raises Damaged: it is not what was written.
    :raises Unavailable: the engine cannot be asked.
    """
    name, what = name_of(blob_id), f"verifying blob {blob_id}"
    step = _AT_ONCE * FRAME
    data, size = await engine.read_range(name, what, 0, step)
    length = length_of(size, blob_id)
    counted: list[int] = []
    frames = Unframing(
        blob_id,
        length,
        0,
        count_of(length),
        lambda number, pieces: counted.append(sum(map(len, pieces))),
    )
    at, tail = 0, b""
    while True:
        if len(data) != min(step, size - at):
            raise Damaged(f"blob {blob_id} is an object that ends early")
        frames.feed(data)
        tail = (tail + data[-TRAILER.size :])[-TRAILER.size :]
        at += len(data)
        if pace is not None and counted:
            await pace(sum(counted))
        counted.clear()
        if at == size:
            break
        data, _ = await engine.read_range(name, what, at, min(size, at + step))
    if tail != make_trailer(length, frames.crc64nvme, blob_id):
        raise Damaged(f"the trailer of blob {blob_id} is not what was written")
    return length
