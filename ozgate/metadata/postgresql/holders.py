"""What is around a damaged row: who keeps it, and by what it may be told whose it is."""

from __future__ import annotations

from collections.abc import Sequence, Set

from ..declared.columns import Row
from ..declared.relation import Table
from .buckets import BucketRows
from .objectbase import STRETCH, ExtentRows

_KEEPING = """SELECT bucket FROM configurations WHERE kind = $1
    UNION SELECT number FROM buckets WHERE position($2 IN configured) > 0"""

_HELD = """SELECT (SELECT COALESCE(SUM(length), 0) FROM extents WHERE owner = $1 AND start <> $2)
        + (SELECT COALESCE(SUM(LENGTH(body)), 0) FROM bodies WHERE sequence = $1 AND $2 >= 0),
    EXISTS (SELECT 1 FROM retired WHERE owner = $1)"""

# No index leads there, and none is walked through as a whole: of a sum there is none.
_NUMBERED = {
    name: f"""SELECT {columns}, size FROM {name} JOIN unnest($3::bigint[]) AS asked (each) ON {number} + 0 = each
        WHERE {STRETCH.format(table=name)}"""
    for name, number, columns in (
        ("versions", "sequence", "sequence, bucket, key"),
        ("parts", "owner", "owner, upload, number"),
    )
}
"""The rows that have some of these numbers: the number, their key, and how many bytes belong to it."""

_RETIRED = "SELECT owner FROM retired WHERE owner = ANY($1::bigint[])"

_COUNTED = """SELECT name, COALESCE((SELECT SUM(names) FROM usage WHERE place = -volumes.number), 0)
    > (SELECT COUNT(*) FROM buckets WHERE volume = volumes.name) FROM volumes ORDER BY number"""


class HolderRows(BucketRows, ExtentRows):
    """It is :class:`~ozgate.metadata.declared.keptrows.Holders` and :class:`~ozgate.metadata.declared.closeup.Neighbors`."""

    def begin(self) -> None:
        """Another transaction begins."""
        super().begin()
        self._numbered: dict[tuple[str, tuple[object, ...]], list[Row]] = {}

    def keeping(self, kinds: Set[str]) -> frozenset[object]:
        """The numbers of the buckets that have such a document, or say that they have."""
        found: list[Row] = []
        for kind in kinds:
            found += self._execute(_KEEPING, (kind, f'"{kind}"')).fetchall()
        return frozenset(number for (number,) in found)

    def _of_numbers(self, name: str, *numbers: object) -> list[Row]:
        """Rows of versions or parts that have one of these numbers; the whole table is looked through, and what was found is kept."""
        place = name, numbers
        if place not in self._numbered:
            rows = self._looked_through(name, _NUMBERED[name], (list(numbers),))
            self._numbered[place] = list(rows)
        return self._numbered[place]

    def _sizes_of(self, number: object) -> list[int]:
        """How many bytes the versions and parts of a number have."""
        found = [self._of_numbers(name, number) for name in _NUMBERED]
        return [size for rows in found for *_, size in rows]

    def _without_owner(self, numbers: Sequence[int]) -> list[int]:
        """Those of these numbers that no version, part or retired version has."""
        found = self._execute(_RETIRED, (list(numbers),)).fetchall()
        owned = {number for (number,) in found}
        for name in _NUMBERED:
            owned |= {number for number, *_ in self._of_numbers(name, *numbers)}
        return [number for number in numbers if number not in owned]

    def buckets_of(self, number: object) -> Sequence[object]:
        """The buckets of the versions of that number."""
        return [row[1] for row in self._of_numbers("versions", number)]

    def is_bucket(self, number: object) -> bool:
        """Whether there is a bucket of that number."""
        found = self._execute("SELECT 1 FROM buckets WHERE number = $1", (number,))
        return found.fetchone() is not None

    def is_missed(self, table: Table[object], row: Row) -> bool:
        """Whether the version or part that a row of bytes names would be without some of them."""
        start = row[1] if table.name == "extents" else -1
        held, is_retired = self._execute(_HELD, (row[0], start)).fetchone()
        return is_retired or any(size > held for size in self._sizes_of(row[0]))

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
