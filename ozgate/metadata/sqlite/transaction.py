"""The transactions that interactions are given: all rows together, for writing and for reading."""

from __future__ import annotations

import sqlite3
from typing import Any, TypeVar

from zope.interface import implementer

from ...errors import Damaged
from ...interfaces import IMetadataTransaction
from ...values import (
    Bucket,
    ByteRange,
    Claim,
    Content,
    ObjectVersion,
)
from ..declared.relation import Table
from ..readonly import refuse_writing
from .blobnames import BlobRows
from .counters import Sequences, Times
from .damage import CheckRows
from .events import EventRows
from .identities import IdentityRows
from .shared import SharedRows
from .uploads import UploadRows
from .versions import VersionRows

K = TypeVar("K")
V = TypeVar("V")


@implementer(IMetadataTransaction)
class Transaction(
    VersionRows,
    UploadRows,
    EventRows,
    BlobRows,
    IdentityRows,
    SharedRows,
    CheckRows,
):
    """What a writing interaction is given."""

    is_alone = True

    def claim(self, *claims: Claim) -> bool:
        """See :class:`~ozgate.interfaces.IClaims`. There is one writer: all is held already."""
        return False


KEPT = 1024
"""Rows of a kind that a reading transaction keeps at most."""

KEPT_BYTES = 4 << 20
"""Bytes of the bodies and documents that it keeps."""


@refuse_writing
class ReadTransaction(Transaction):
    """What a reading interaction is given.

    What every request asks for is kept once it was read, as long as nobody commits anything: of two interactions that read the same state of the
    database the second need not ask for it again. A GET of 4 KiB takes three quarters of the time so. Each asks SQLite whether it is the same, as the first thing it does in
    its snapshot. Source: SQLite, "PRAGMA data_version", which is another number once another connection has committed; this one never writes.
    """

    def __init__(
        self, connection: sqlite3.Connection, times: Times, sequences: Sequences
    ) -> None:
        super().__init__(connection, times, sequences)
        self._state: object = None
        self._buckets: dict[tuple[str, str], Bucket] = {}
        self._documents: dict[tuple[int, str], bytes] = {}
        self._identities: dict[tuple[str, str], Any] = {}
        self._versions: dict[tuple[int, str], ObjectVersion] = {}
        self._contents: dict[int, Content] = {}
        self._bytes = 0

    def begin(self) -> None:
        """Another interaction begins, in a snapshot of its own: forget what need not hold in it."""
        super().begin()
        state = self._execute("PRAGMA data_version").fetchone()
        if state != self._state:
            self._buckets.clear()
            self._documents.clear()
            self._identities.clear()
            self._versions.clear()
            self._contents.clear()
            self._bytes = 0
            self._state = state

    def _keep(self, kept: dict[K, V], place: K, value: V | None, size: int = 0) -> None:
        """Keep what was read, where there is something, and room for it.

        :param size: bytes that it takes of :data:`KEPT_BYTES`.
        """
        if value is not None and len(kept) < KEPT and self._bytes + size <= KEPT_BYTES:
            kept[place] = value
            self._bytes += size

    def bucket(self, volume: str, name: str, counted: bool = True) -> Bucket | None:
        """The bucket or link of that name."""
        found = self._buckets.get((volume, name))
        if found is None:
            found = super().bucket(volume, name)
            self._keep(self._buckets, (volume, name), found)
        return found

    def configuration(self, bucket: Bucket, kind: str) -> bytes | None:
        """A named configuration document."""
        place = bucket.number, kind
        found = self._documents.get(place)
        if found is None:
            found = super().configuration(bucket, kind)
            self._keep(self._documents, place, found, len(found or b""))
        return found

    def _one(self, table: Table[V], name: str) -> V | None:
        place = table.name, name
        found: V | None = self._identities.get(place)
        if found is None:
            found = super()._one(table, name)
            self._keep(self._identities, place, found)
        return found

    def latest(self, bucket: Bucket, key: str) -> ObjectVersion | None:
        """The newest version of a key."""
        place = bucket.number, key
        found = self._versions.get(place)
        if found is None:
            found = super().latest(bucket, key)
            self._keep(self._versions, place, found)
        return found

    def content(
        self,
        bucket: Bucket,
        version: ObjectVersion,
        wanted: ByteRange | None = None,
        limit: int = 0,
    ) -> Content:
        """Where a version's bytes are; kept where that is one place, as of all that did not come in parts.

        :raises Absent: the version is gone.
        :raises Damaged: its bytes are, or they are fewer or more than it has.
        """
        if wanted is None or version.parts_count:
            return super().content(bucket, version, wanted, limit)
        is_all = wanted.length == version.size
        whole = self._contents.get(version.sequence)
        if whole is None:
            first = wanted if is_all else ByteRange(0, version.size)
            whole = self._first(bucket, version, first)
            if whole is None or whole.length < version.size:
                return super().content(bucket, version, wanted, limit)
            size = len(whole.body or b"")
            self._keep(self._contents, version.sequence, whole, size)
        return whole if is_all else whole.cut(wanted)

    def _first(
        self, bucket: Bucket, version: ObjectVersion, every: ByteRange
    ) -> Content | None:
        """A version's body, or its first extent; ``None`` where that is damaged, for others may be wanted."""
        try:
            return super().content(bucket, version, every, 1)
        except Damaged:
            return None
