"""Damaged rows that stay all the same: those of buckets whose versions are kept, whoever would be rid of them."""

from __future__ import annotations

import json
from collections.abc import Sequence, Set

from ..declared.columns import Row
from ..declared.relation import Table
from .buckets import BucketRows
from .usage import USED_NAMES

# No index has the length: the table itself is looked through.
DANGLING = {
    "extents": """length IS NOT NULL AND owner NOT IN
        (SELECT sequence FROM versions UNION ALL SELECT owner FROM parts
        UNION ALL SELECT owner FROM retired)""",
    "bodies": "sequence NOT IN (SELECT sequence FROM versions)",
    "object_parts": "sequence NOT IN (SELECT sequence FROM versions)",
}
"""How rows of bytes are told that belong to nothing."""

_MISSED = """SELECT 1 FROM (SELECT size FROM versions WHERE sequence = :number
        UNION ALL SELECT size FROM parts WHERE owner = :number)
    WHERE size > (SELECT COALESCE(SUM(length), 0) FROM extents WHERE owner = :number AND start IS NOT :start)
        + (SELECT COALESCE(SUM(LENGTH(body)), 0) FROM bodies WHERE sequence = :number AND :start IS NOT NULL)
    UNION ALL SELECT 1 FROM retired WHERE owner = :number"""


class KeptRows(BucketRows):
    """What is kept where a bucket has a document of a kind that says so, or may be thought to; and what is around a damaged row.

    It is :class:`~ozgate.metadata.declared.keptrows.Holders` and :class:`~ozgate.metadata.declared.closeup.Neighbors`.
    """

    def buckets_of(self, number: object) -> Sequence[object]:
        """The buckets of the versions of that number."""
        found = self._execute(
            "SELECT bucket FROM versions WHERE sequence = ?", (number,)
        )
        return [bucket for (bucket,) in found.fetchall()]

    def is_bucket(self, number: object) -> bool:
        """Whether there is a bucket of that number."""
        found = self._execute("SELECT 1 FROM buckets WHERE number = ?", (number,))
        return found.fetchone() is not None

    def is_missed(self, table: Table[object], row: Row) -> bool:
        """Whether the version or part that a row of bytes names would be without some of them."""
        number, start = row[0], row[1] if table.name == "extents" else None
        if not isinstance(number, int) or not isinstance(start, int | None):
            return False
        names = {"number": number, "start": start}
        return self._execute(_MISSED, names).fetchone() is not None

    def _dangling(self, keeping: Set[str]) -> str:
        """Whose bytes belong to nothing already, as JSON: where a bucket keeps its versions, they may be those of a damaged row that stays."""
        if not self.keeping(keeping):
            return "[]"
        rows = self._execute(
            f"SELECT owner FROM extents WHERE {DANGLING['extents']} AND typeof(owner) = 'integer'"
            f" UNION SELECT sequence FROM bodies WHERE {DANGLING['bodies']}"
            f" UNION SELECT sequence FROM object_parts WHERE {DANGLING['object_parts']} AND typeof(sequence) = 'integer'"
        ).fetchall()
        return json.dumps([owner for (owner,) in rows])

    def keeping(self, kinds: Set[str]) -> frozenset[object]:
        """The numbers of the buckets that have such a document, or say that they have."""
        found: list[Row] = []
        for kind in kinds:
            found += self._execute(
                "SELECT bucket FROM configurations WHERE kind = ?1"
                " UNION SELECT number FROM buckets WHERE instr(configured, ?2)",
                (kind, f'"{kind}"'),
            ).fetchall()
        return frozenset(number for (number,) in found)

    def volumes_there(self) -> dict[object, bool]:
        """The volumes, and whether each holds fewer buckets than it counts."""
        with self._any_text():
            rows = self._execute(
                f"SELECT name, {USED_NAMES} > (SELECT COUNT(*) FROM buckets"
                " WHERE volume = volumes.name) FROM volumes ORDER BY number"
            ).fetchall()
        return {name: bool(lacks) for name, lacks in rows}

    def volumes_used(self) -> list[object]:
        """The volumes that buckets are in, by what they say."""
        with self._any_text():
            rows = self._execute("SELECT DISTINCT volume FROM buckets").fetchall()
        return [volume for (volume,) in rows]

    def is_taken(self, volume: object, name: object, number: object) -> bool:
        """Whether another bucket has that name."""
        taken = self._execute(
            "SELECT 1 FROM buckets WHERE volume = ? AND name = ? AND number <> ?",
            (volume, name, number),
        )
        return taken.fetchone() is not None

    def has_ids(self, number: object) -> bool:
        """Whether a bucket has a version that is not the null version."""
        named = self._execute(
            "SELECT 1 FROM versions WHERE bucket = ? AND version_id <> 'null' LIMIT 1",
            (number,),
        )
        return named.fetchone() is not None
