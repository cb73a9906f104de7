"""Which blobs have a name, and those that lost it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ...errors import Conflict
from ...values import BlobRef
from ..declared.conversions import unsigned
from ..declared.pieces import extent_rows
from ..declared.tables import EXTENTS
from .objectbase import DOOM, STRETCH, ExtentRows
from .statements import quoted

# In one order: two that doom the same ones do not wait for each other crosswise.
_DOOM = f"""INSERT INTO doomed (store, blob, doomed_at)
    SELECT DISTINCT store, blob, $3::bigint FROM unnest($1::text[], $2::text[]) AS named (store, blob)
    ORDER BY store, blob {DOOM}"""

_FORGET = """DELETE FROM doomed USING unnest($1::text[], $2::text[]) AS named (store, blob)
    WHERE doomed.store = named.store AND doomed.blob = named.blob"""

_STORES = """WITH RECURSIVE found (name) AS (
    (SELECT store FROM doomed ORDER BY store LIMIT 1)
    UNION ALL
    SELECT following.store FROM found CROSS JOIN LATERAL (
        SELECT store FROM doomed WHERE store > found.name ORDER BY store LIMIT 1
    ) AS following
) SELECT name FROM found"""

# A seek for each, however many extents name it.
_BLOBS = """WITH RECURSIVE found AS (
    (SELECT blob, store, blob_length, blob_crc64nvme, 1 AS place FROM extents
    WHERE (blob, store) > ($1, $2) ORDER BY blob, store LIMIT 1)
    UNION ALL
    SELECT following.*, found.place + 1 FROM found CROSS JOIN LATERAL (
        SELECT blob, store, blob_length, blob_crc64nvme FROM extents
        WHERE (extents.blob, extents.store) > (found.blob, found.store)
        ORDER BY blob, store LIMIT 1
    ) AS following WHERE found.place < $3
) SELECT store, blob, blob_length, blob_crc64nvme FROM found LIMIT $3"""

# No index is used, should one be damaged: of what an empty text is added to there is none.
_NAMED = f"""SELECT DISTINCT blob FROM extents JOIN unnest($4::text[]) AS asked (each) ON blob || '' = each
    WHERE store || '' = $3 AND {STRETCH.format(table="extents")}"""

# Locked, and then changed where they are: who removes one at the same time waits, and then removes and dooms what it has become.
_MOVED = f"""SELECT {EXTENTS.select} FROM extents WHERE blob = $1 AND store = $2
    ORDER BY owner, start LIMIT $3 FOR UPDATE"""

_STORED = (*EXTENTS.columns, "checked")

_RENAMED = f"""UPDATE extents SET
    {", ".join([f"{quoted(name)} = ${place}" for place, name in enumerate(_STORED, 1) if place > 2])}
    WHERE owner = $1 AND start = $2"""


class BlobRows(ExtentRows):
    """Blobs that may have no name left; see :class:`~ozgate.interfaces.IMetadataTransaction`."""

    def doomed(self, store: str, before: int, limit: int) -> Sequence[BlobRef]:
        """Blobs of a store doomed before that time, oldest first; their length and checksum are 0."""
        rows = self._execute(
            "SELECT blob FROM doomed WHERE store = $1 AND doomed_at < $2"
            " ORDER BY doomed_at, blob LIMIT $3",
            (store, before, limit),
        ).fetchall()
        return [BlobRef(store, blob, 0, 0) for (blob,) in rows]

    def doomed_stores(self) -> Sequence[str]:
        """The stores that doomed blobs are in: a seek for each."""
        return [store for (store,) in self._execute(_STORES).fetchall()]

    def is_named(self, store: str, blob_id: str) -> bool:
        """Whether any extent names the blob."""
        row = self._execute(
            "SELECT 1 FROM extents WHERE blob = $1 AND store = $2 LIMIT 1",
            (blob_id, store),
        ).fetchone()
        return row is not None

    def nameless(self, store: str, blob_ids: Sequence[str]) -> Sequence[str]:
        """Those of these blobs that no extent names; the index is asked first, then the table."""
        indexed = self._execute(
            "SELECT DISTINCT blob FROM extents WHERE blob = ANY($1::text[]) AND store = $2",
            (list(blob_ids), store),
        ).fetchall()
        left = [each for each in blob_ids if (each,) not in indexed]
        if not left:
            return []
        named = self._named(store, left)
        return [each for each in left if each not in named]

    def _named(self, store: str, blob_ids: list[str]) -> set[str]:
        """Those of these blobs that any row of extents names, by a look at all of them."""
        rows = self._looked_through("extents", _NAMED, (store, blob_ids))
        return {blob for (blob,) in rows}

    def blobs(self, after: tuple[str, str], limit: int) -> Sequence[BlobRef]:
        """The blobs that extents name, each once, by id and store."""
        rows = self._execute(_BLOBS, (*after, limit)).fetchall()
        return [
            BlobRef(store, blob, length, unsigned(crc))
            for store, blob, length, crc in rows
        ]

    def move_blob(
        self, old: BlobRef, new: Sequence[BlobRef], most: int, limit: int
    ) -> bool:
        """Have extents that name a blob name others instead, which have its bytes; then doom it."""
        self.touches_bytes = True
        rows = self._execute(_MOVED, (old.id, old.store, limit)).fetchall()
        for row in rows:
            owner, start = row[:2]
            extent = EXTENTS.read(row)
            if extent.seal and len(new) > 1:
                raise Conflict(
                    f"blob {old.id} is sealed, and longer than the store takes"
                )
            first, *others = extent_rows(owner, extent.moved(new), start)
            self._execute(_RENAMED, first)
            self._put_rows(EXTENTS, others)
        if len(new) > 1:
            self._check_counts({row[0] for row in rows}, most)
        if len(rows) == limit or self.is_named(old.store, old.id):
            return False
        self._doom_unnamed([(old.store, old.id)])
        return True

    def _check_counts(self, owners: Iterable[int], most: int) -> None:
        """Make sure that versions and parts have not too many extents.

        :raises Conflict: one has more than ``most``.
        """
        counted = self._execute(
            "SELECT COUNT(*) FROM extents WHERE owner = ANY($1::bigint[]) GROUP BY owner"
            " ORDER BY COUNT(*) DESC LIMIT 1",
            (list(owners),),
        ).fetchone()
        if counted is not None and counted[0] > most:
            raise Conflict(f"what names a blob would have {counted[0]} extents then")

    def is_doomed(self, store: str, blob_id: str) -> bool:
        """Whether the blob is on the doomed list."""
        row = self._execute(
            "SELECT 1 FROM doomed WHERE store = $1 AND blob = $2", (store, blob_id)
        ).fetchone()
        return row is not None

    def forget_doomed(self, blobs: Iterable[BlobRef]) -> None:
        """Take blobs off the doomed list."""
        names = [(blob.store, blob.id) for blob in blobs]
        self._execute(_FORGET, _columns(names))

    def doom(self, blobs: Iterable[BlobRef]) -> None:
        """Put blobs on the doomed list."""
        self.touches_bytes = True
        names = [(blob.store, blob.id) for blob in blobs]
        self._execute(_DOOM, (*_columns(names), self.now()))


def _columns(names: Sequence[tuple[str, str]]) -> tuple[list[str], list[str]]:
    """Stores, and ids."""
    return [store for store, _ in names], [blob for _, blob in names]
