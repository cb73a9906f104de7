"""Which blobs have a name, and those that lost it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from ...values import BlobRef
from .base import Rows


class BlobRows(Rows):
    """Blobs that may have no name left; see :class:`~ozgate.interfaces.IMetadataTransaction`."""

    def doomed(self, before: int, limit: int) -> Sequence[BlobRef]:
        """Blobs doomed before that time, oldest first; their length and checksum are 0."""
        rows = self._execute(
            "SELECT store, blob FROM doomed WHERE doomed_at < ?"
            " ORDER BY doomed_at, store, blob LIMIT ?",
            (before, limit),
        ).fetchall()
        return [BlobRef(store, blob, 0, 0) for store, blob in rows]

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

    def blobs(self, store: str, after: str, limit: int) -> Sequence[BlobRef]:
        """The blobs that extents name, each once, by id."""
        # Unchecked, and without what is no id: whoever walks is to get past rows that are damaged.
        rows = self._execute(
            "SELECT blob, blob_length, blob_crc64nvme FROM extents INDEXED BY extents_blob"
            " WHERE blob > ? AND store = ? AND blob NOT GLOB '*[^0-9A-Za-z]*'"
            " GROUP BY blob ORDER BY blob LIMIT ?",
            (after, store, limit),
        ).fetchall()
        return [
            BlobRef(store, blob, length, crc & 0xFFFFFFFFFFFFFFFF)
            for blob, length, crc in rows
        ]

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
