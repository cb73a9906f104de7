"""Where the bytes of versions are, also of removed ones that somebody may be reading still.

A version of many extents keeps its rows when it is removed: it is *retired*, until the reaper releases it
(see :mod:`ozgate.metadata.sqlite.retired`).
"""

from __future__ import annotations

from collections.abc import Sequence

from ...errors import Absent
from ...values import (
    EXTENTS_AT_ONCE,
    Bucket,
    ByteRange,
    Content,
    ObjectPart,
    ObjectVersion,
)
from ..declared.columns import Row
from ..declared.pieces import content_of, cut_content_of, object_parts_of
from ..declared.rowchecks import damaged
from ..declared.tables import BODIES, EXTENTS, OBJECT_PARTS, RETIRED
from .objectbase import DOOM_HIS, ExtentRows
from .versionstatements import STORED

_ALL = 1 << 62
"""More than anything has."""

_DAMAGED = 100
"""Damaged rows that are passed over at most."""

# A body, or from the extent that holds the first byte on; where it is lost, from the first there is.
CONTENT = f"""SELECT {BODIES.select}, {EXTENTS.select} FROM (SELECT 1) AS one
    LEFT JOIN bodies ON bodies.sequence = $1
    LEFT JOIN LATERAL (
        SELECT * FROM extents WHERE bodies.sequence IS NULL AND owner = $1 AND start < $3
        AND start >= COALESCE((SELECT MAX(start) FROM extents WHERE owner = $1 AND start <= $2), 0)
        ORDER BY start LIMIT $4
    ) AS extents ON true
    ORDER BY extents.start"""

# With the one before them, if there is one.
_OBJECT_PARTS = f"""SELECT {OBJECT_PARTS.select} FROM object_parts WHERE sequence = $1
    AND number >= COALESCE((SELECT MAX(number) FROM object_parts WHERE sequence = $1 AND number <= $2), 0)
    ORDER BY number LIMIT $3"""

# Kept where they are many, dropped where they are few.
_GIVE_UP = f"""WITH counted AS (
    SELECT COUNT(*) > {EXTENTS_AT_ONCE} AS are_many FROM (
        SELECT 1 FROM extents WHERE owner = $1 LIMIT {EXTENTS_AT_ONCE + 1}
    ) AS found
), kept AS (
    INSERT INTO retired (owner, retired_at, checked) SELECT $1, $2, $3 FROM counted WHERE are_many
    ON CONFLICT (owner) DO UPDATE SET retired_at = excluded.retired_at, checked = excluded.checked
), gone AS (
    DELETE FROM extents WHERE owner = $1 AND NOT (SELECT are_many FROM counted) RETURNING store, blob
) {DOOM_HIS}"""

_RETIRED = f"""SELECT {RETIRED.select} FROM retired WHERE retired_at < $1
    ORDER BY retired_at, owner LIMIT $2"""

_RELEASED = """DELETE FROM extents WHERE owner = $1 AND start IN (
        SELECT start FROM extents WHERE owner = $1 ORDER BY start LIMIT $2
    ) RETURNING store, blob"""


def body_content(
    version: ObjectVersion, body: Row, wanted: ByteRange | None
) -> Content:
    """The bytes of a version that has them in a row.

    :raises Damaged: they are.
    """
    content = content_of(version.sequence, version.size, body, ())
    return content if wanted is None else content.cut(wanted)


class ContentRows(ExtentRows):
    """Where bytes are; see :class:`~ozgate.interfaces.IMetadataTransaction`."""

    def content(
        self,
        bucket: Bucket,
        version: ObjectVersion,
        wanted: ByteRange | None = None,
        limit: int = 0,
    ) -> Content:
        """Where a version's bytes are.

        :raises Absent: the version is gone.
        :raises Damaged: its bytes are, or they are fewer or more than it has.
        """
        sequence = version.sequence
        most = limit or _ALL if wanted is not None else _ALL
        low, high = (0, _ALL) if wanted is None else (wanted.offset, wanted.end)
        found = self._execute(CONTENT, (sequence, low, high, most)).fetchall()
        width = BODIES.width
        if found[0][0] is not None:
            return body_content(version, found[0][:width], wanted)
        rows = [row[width:] for row in found if row[width] is not None]
        self._check_there(bucket, version, rows)
        if wanted is None:
            return content_of(sequence, version.size, None, rows)
        content = cut_content_of(sequence, wanted, rows if wanted.length else ())
        is_all = len(rows) < most
        if is_all and content.length < wanted.length:
            raise damaged("extents", sequence, content.length, wanted.length)
        return content

    def _check_there(
        self, bucket: Bucket, version: ObjectVersion, rows: Sequence[Row]
    ) -> None:
        """Tell a version that is gone from one whose extents are."""
        if not rows and version.size:
            place = (bucket.number, version.key.encode(), version.sequence)
            if self._execute(STORED, place).fetchone() is None:
                raise Absent(f"{version.key!r} is gone")

    def object_parts(
        self, bucket: Bucket, version: ObjectVersion, after: int, limit: int
    ) -> Sequence[ObjectPart]:
        """Parts of a completed multipart object by number."""
        sequence, before = version.sequence, None
        parameters = (sequence, after, limit + 1)
        rows = self._execute(_OBJECT_PARTS, parameters).fetchall()
        if rows and rows[0][1] <= after:
            before = rows.pop(0)
        return object_parts_of(sequence, before, rows[:limit])

    def _drop_object_parts(self, sequence: int) -> None:
        self._execute("DELETE FROM object_parts WHERE sequence = $1", (sequence,))

    def _give_up(self, sequence: int) -> None:
        """The extents of a version that is removed: drop them, or keep them a while where they are many."""
        self._execute(_GIVE_UP, RETIRED.row(sequence, self.now()))
        self._drop_rest([sequence])

    def retired(self, before: int, limit: int) -> Sequence[int]:
        """Sequences of the versions retired before that time, oldest first, but for damaged rows."""
        rows = self._execute(_RETIRED, (before, limit + _DAMAGED)).fetchall()
        # A wrong owner leads to the bytes of another version.
        return [row[0] for row in rows if RETIRED.agrees(row)][:limit]

    def release(self, sequence: int, limit: int) -> bool:
        """Drop extents of a retired version, dooming blobs that have no name left."""
        row = self._execute(
            f"SELECT {RETIRED.select} FROM retired WHERE owner = $1", (sequence,)
        ).fetchone()
        if row is None or not RETIRED.agrees(row):
            return True
        names = self._execute(_RELEASED, (sequence, limit)).fetchall()
        self._doom_unnamed(names)
        if len(names) == limit:
            return False
        self._execute("DELETE FROM retired WHERE owner = $1", (sequence,))
        self._drop_rest([sequence])
        return True
