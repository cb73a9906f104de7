"""Which blobs have a name, and those that lost it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from ...errors import Conflict
from ...values import BlobRef
from ..declared.conversions import unsigned
from ..declared.tables import EXTENTS
from .base import Rows

_IS_ID = "(blob NOT GLOB '*[^0-9A-Za-z]*' AND typeof(blob) = 'text')"
_IS_STORE = "(store NOT GLOB '*[^0-9a-z+.-]*' AND typeof(store) = 'text')"
"""What is none, a damaged row has: it is in nobody's way. No check covers what is doomed."""


_REPEATED = 5000
"""Extents that name a blob which another one names already, at most, that are passed over for a page of blobs."""


class BlobRows(Rows):
    """Blobs that may have no name left; see :class:`~ozgate.interfaces.IMetadataTransaction`."""

    def doomed(self, store: str, before: int, limit: int) -> Sequence[BlobRef]:
        """Blobs of a store doomed before that time, oldest first; their length and checksum are 0."""
        rows = self._execute(
            "SELECT blob FROM doomed WHERE store = ? AND doomed_at < ?"
            f" AND {_IS_ID} ORDER BY doomed_at, blob LIMIT ?",
            (store, before, limit),
        ).fetchall()
        return [BlobRef(store, blob, 0, 0) for (blob,) in rows]

    def doomed_stores(self) -> Sequence[str]:
        """The stores that doomed blobs are in: a seek for each."""
        rows = self._execute(
            f"WITH RECURSIVE found (name) AS (SELECT MIN(store) FROM doomed WHERE {_IS_STORE}"
            " UNION ALL SELECT (SELECT MIN(store) FROM doomed"
            f" WHERE store > found.name AND {_IS_STORE})"
            " FROM found WHERE found.name IS NOT NULL)"
            " SELECT name FROM found WHERE name IS NOT NULL"
        ).fetchall()
        return [store for (store,) in rows]

    def is_named(self, store: str, blob_id: str) -> bool:
        """Whether any extent names the blob."""
        row = self._execute(
            "SELECT 1 FROM extents WHERE blob = ? AND store = ? LIMIT 1",
            (blob_id, store),
        ).fetchone()
        return row is not None

    def nameless(self, store: str, blob_ids: Sequence[str]) -> Sequence[str]:
        """Those of these blobs that no extent names; the index is asked first, then the table."""
        found = [each for each in blob_ids if not self.is_named(store, each)]
        if not found:
            return []
        # No index has the length, and none is used for what stands after a plus sign.
        named = self._execute(
            "SELECT DISTINCT +blob FROM extents WHERE length IS NOT NULL AND +store = ?"
            " AND +blob IN (SELECT value FROM json_each(?))",
            (store, json.dumps(found)),
        ).fetchall()
        return [each for each in found if (each,) not in named]

    def blobs(self, after: tuple[str, str], limit: int) -> Sequence[BlobRef]:
        """The blobs that extents name, each once, by id and store."""
        found: dict[tuple[str, str], BlobRef] = {}
        most = limit + _REPEATED
        # Each a seek, however many extents name the blob that was last.
        for where, place in (
            ("blob = ? AND store > ?", after),
            ("blob > ?", after[:1]),
        ):
            # Unchecked, and without what is no id or no store's name: whoever walks is to get past rows that are damaged.
            rows = self._execute(
                "SELECT store, blob, COALESCE(CAST(blob_length AS INTEGER), 0),"
                " COALESCE(CAST(blob_crc64nvme AS INTEGER), 0) FROM extents INDEXED BY extents_blob"
                f" WHERE {where} AND {_IS_ID} AND {_IS_STORE}"
                " ORDER BY blob, store LIMIT ?",
                (*place, most),
            )
            for store, blob, length, crc in rows:
                most -= 1
                if (blob, store) not in found:
                    found[blob, store] = BlobRef(store, blob, length, unsigned(crc))
                if len(found) == limit or not most:
                    return list(found.values())
        return list(found.values())

    def move_blob(
        self, old: BlobRef, new: Sequence[BlobRef], most: int, limit: int
    ) -> bool:
        """Have extents that name a blob name others instead, which have its bytes; then doom it."""
        rows = self._execute(
            f"SELECT {EXTENTS.select} FROM extents WHERE blob = ? AND store = ? LIMIT ?",
            (old.id, old.store, limit),
        ).fetchall()
        for row in rows:
            owner, start = row[:2]
            extent = EXTENTS.read(row)
            if extent.seal and len(new) > 1:
                raise Conflict(
                    f"blob {old.id} is sealed, and longer than the store takes"
                )
            self._execute(
                "DELETE FROM extents WHERE owner = ? AND start = ?", (owner, start)
            )
            self._add_extents(owner, extent.moved(new), start)
        if len(new) > 1:
            self._check_counts({row[0] for row in rows}, most)
        if len(rows) == limit:
            return False
        self._doom_unnamed([(old.store, old.id)])
        return True

    def _check_counts(self, owners: Iterable[int], most: int) -> None:
        """Make sure that versions and parts have not too many extents.

        :raises Conflict: one has more than ``most``.
        """
        for owner in owners:
            (count,) = self._execute(
                "SELECT COUNT(*) FROM extents WHERE owner = ?", (owner,)
            ).fetchone()
            if count > most:
                raise Conflict(f"what names a blob would have {count} extents then")

    def is_doomed(self, store: str, blob_id: str) -> bool:
        """Whether the blob is on the doomed list."""
        row = self._execute(
            "SELECT 1 FROM doomed WHERE store = ? AND blob = ?", (store, blob_id)
        ).fetchone()
        return row is not None

    def forget_doomed(self, blobs: Iterable[BlobRef]) -> None:
        """Take blobs off the doomed list."""
        self._executemany(
            "DELETE FROM doomed WHERE store = ? AND blob = ?",
            [(blob.store, blob.id) for blob in blobs],
        )

    def doom(self, blobs: Iterable[BlobRef]) -> None:
        """Put blobs on the doomed list."""
        now = self.now()
        self._executemany(
            "INSERT OR REPLACE INTO doomed (store, blob, doomed_at) VALUES (?, ?, ?)",
            [(blob.store, blob.id, now) for blob in blobs],
        )
