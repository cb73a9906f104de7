"""What is around a damaged row: who keeps it, and by what it may be told whose it is."""

from __future__ import annotations

from collections.abc import Sequence, Set

from ..declared.columns import Row
from ..declared.relation import Table
from .buckets import BucketRows
from .objectbase import ExtentRows

_KEEPING = """SELECT bucket FROM configurations WHERE kind = $1
    UNION SELECT number FROM buckets WHERE position($2 IN configured) > 0"""

_MISSED = """SELECT 1 FROM (SELECT size FROM versions WHERE sequence = $1
        UNION ALL SELECT size FROM parts WHERE owner = $1) AS sizes
    WHERE size > (SELECT COALESCE(SUM(length), 0) FROM extents WHERE owner = $1 AND start <> $2)
        + (SELECT COALESCE(SUM(LENGTH(body)), 0) FROM bodies WHERE sequence = $1 AND $2 >= 0)
    UNION ALL SELECT 1 FROM retired WHERE owner = $1"""

_COUNTED = """SELECT name, COALESCE((SELECT SUM(names) FROM usage WHERE place = -volumes.number), 0)
    > (SELECT COUNT(*) FROM buckets WHERE volume = volumes.name) FROM volumes ORDER BY number"""


class HolderRows(BucketRows, ExtentRows):
    """It is :class:`~ozgate.metadata.declared.keptrows.Holders` and :class:`~ozgate.metadata.declared.closeup.Neighbors`."""

    def keeping(self, kinds: Set[str]) -> frozenset[object]:
        """The numbers of the buckets that have such a document, or say that they have."""
        found: list[Row] = []
        for kind in kinds:
            found += self._execute(_KEEPING, (kind, f'"{kind}"')).fetchall()
        return frozenset(number for (number,) in found)

    def buckets_of(self, number: object) -> Sequence[object]:
        """The buckets of the versions of that number. No index leads there."""
        found = self._execute(
            "SELECT bucket FROM versions WHERE sequence = $1", (number,)
        )
        return [bucket for (bucket,) in found.fetchall()]

    def is_bucket(self, number: object) -> bool:
        """Whether there is a bucket of that number."""
        found = self._execute("SELECT 1 FROM buckets WHERE number = $1", (number,))
        return found.fetchone() is not None

    def is_missed(self, table: Table[object], row: Row) -> bool:
        """Whether the version or part that a row of bytes names would be without some of them."""
        start = row[1] if table.name == "extents" else -1
        return bool(self._execute(_MISSED, (row[0], start)).fetchall())

    def volumes_there(self) -> dict[object, bool]:
        """The volumes, and whether each holds fewer buckets than it counts."""
        return dict(self._execute(_COUNTED).fetchall())

    def volumes_used(self) -> list[object]:
        """The volumes that buckets are in, by what they say."""
        rows = self._execute("SELECT DISTINCT volume FROM buckets").fetchall()
        return [volume for (volume,) in rows]

    def is_taken(self, volume: object, name: object, number: object) -> bool:
        """Whether another bucket has that name."""
        taken = self._execute(
            "SELECT 1 FROM buckets WHERE volume = $1 AND name = $2 AND number <> $3",
            (volume, name, number),
        )
        return taken.fetchone() is not None

    def has_ids(self, number: object) -> bool:
        """Whether a bucket has a version that is not the null version."""
        named = self._execute(
            "SELECT 1 FROM versions WHERE bucket = $1 AND version_id <> 'null' LIMIT 1",
            (number,),
        )
        return named.fetchone() is not None
