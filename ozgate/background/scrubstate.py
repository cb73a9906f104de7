"""How far a scrub is, and what it found damaged: as values, and as settings of the metadata store, where they are kept."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from awscrt.checksums import crc64nvme

from ..immutable import frozen
from ..interfaces import IMetadataTransaction
from ..values import FIRST_STORE, Claim

LEASE = "scrub"

TERM = 120.0
"""Seconds of the lease, renewed whenever the standing is kept."""

BLOBS, ROWS, OVER = "blobs", "rows", "over"
"""Stages."""

_STANDING, _LIST = "scrub", "scrub.damaged"
"""Settings of the store."""


@frozen
class Damage:
    """Something that does not read well.

    :ivar kind: ``blob``, ``inline`` or ``metadata``.
    :ivar name: the blob's id, or the row.
    :ivar what: what is wrong with it, a line.
    :ivar users: who needs it: ``/volume/bucket/key``.
    :ivar found: when it was found first.
    :ivar seen: when it was found last.
    :ivar store: of a blob, the blob store; ``""`` in what was kept when there was but one.
    """

    kind: str
    name: str
    what: str
    users: tuple[str, ...]
    found: int
    seen: int
    store: str = ""


@frozen
class Standing:
    """How far a scrub is.

    :ivar began: milliseconds since the epoch; 0 when there never was one.
    :ivar ended: the same, 0 while it is not over.
    :ivar place: the last blob or row of its stage that is done; opaque.
    :ivar last: the last blob there was when it began.
    :ivar total: bytes of the blobs there were when it began.
    :ivar done: bytes of blobs that were read.
    :ivar rows: rows that were checked.
    :ivar damaged: what it found so far.
    :ivar stopped: an administrator stopped it.
    """

    began: int = 0
    ended: int = 0
    stage: str = BLOBS
    place: str = ""
    last: str = ""
    total: int = 0
    done: int = 0
    rows: int = 0
    damaged: int = 0
    stopped: bool = False

    @property
    def is_under_way(self) -> bool:
        """Whether it has begun and is not over."""
        return bool(self.began and not self.ended)


def keep(tx: IMetadataTransaction, standing: bytes, damaged: bytes) -> bool:
    """Keep both, packed; an interaction under the lease.

    :return: always true.
    """
    tx.claim(Claim.setting(_STANDING), Claim.setting(_LIST))
    tx.set_setting(_STANDING, standing)
    tx.set_setting(_LIST, damaged)
    return True


def packed(value: object) -> bytes:
    """A value of a setting: rows of settings have no check of their own."""
    data = json.dumps(value).encode()
    return b"%016x %b" % (crc64nvme(data), data)


def _unpacked(kept: bytes | None) -> Any:
    """What was packed; ``None`` when that is damaged, so that a scrub begins anew."""
    crc, _, data = (kept if isinstance(kept, bytes) else b"").partition(b" ")
    return json.loads(data) if crc == b"%016x" % crc64nvme(data) else None


def place_of(blob_id: str, store: str) -> str:
    """The place of a scrub that is done with a blob."""
    return f"{blob_id} {store}"


def after(place: str) -> tuple[str, str]:
    """The id and store of the blob at a place; of none at ``""``."""
    blob_id, _, store = place.partition(" ")
    return blob_id, store or FIRST_STORE


def load(tx: IMetadataTransaction) -> tuple[int, Standing, dict[str, Damage]]:
    """The store's time, how far the scrub is, and what is damaged by its name.

    A blob that nothing names any more is not damaged, but gone.
    """
    standing, found = (_unpacked(tx.setting(name)) for name in (_STANDING, _LIST))
    if standing is None or found is None:
        # One without the other would leave out what was found.
        standing, found = {}, []
    damaged: Iterable[Damage] = [
        Damage(**{**each, "users": tuple(each["users"])}) for each in found
    ]
    listed = {
        each.name: each
        for each in damaged
        if each.kind != "blob" or tx.is_named(each.store or FIRST_STORE, each.name)
    }
    return tx.now(), Standing(**standing), listed
