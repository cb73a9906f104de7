"""Stored bytes on their way from one blob store to another, as they are stored: sealed or not, nobody looks into them."""

from __future__ import annotations

from typing import Protocol

from ..errors import Damaged
from ..interfaces import IByteSource
from ..values import BlobRef, ByteRange
from .intake import ExtentSink, Target, abandon
from .outlet import Stores


class Both(Stores, Target, Protocol):
    """What bytes are moved with; a :class:`~ozgate.gateway.gateway.Gateway` has it all."""

    def check_room(self, *, in_rows: bool) -> None:
        """Make sure that something can be stored; raises ``NoSpace``."""


async def copy_stored(stores: Both, blob: BlobRef) -> list[BlobRef]:
    """Copy a blob into the default store. Its bytes are held against their checksums when they are read, and again when they are durable.

    :return: what has them now, durable, one after the other: several where the store takes no blob that long.
    :raises Absent: the blob is not there.
    :raises Damaged: the blob is; nothing is left of the copy.
    :raises StoreError: a store failed; likewise.
    """
    source: IByteSource = await stores.blobs.of(blob).open(
        blob, ByteRange(0, blob.length)
    )
    try:
        extents = ExtentSink(stores.blobs.default, blob.length)
        try:
            await source.send_to(extents)
            await extents.commit()
            if extents.crc64nvme != blob.crc64nvme:
                raise Damaged(f"blob {blob.id} became another when it was copied")
        except Exception:
            await abandon(stores, extents)
            raise
        return extents.refs
    finally:
        source.close()
