"""Damaged rows that stay all the same: those of buckets whose versions are kept, whoever would be rid of them."""

from __future__ import annotations

import json
from collections.abc import Set

from ..declared.columns import Row
from ..declared.relation import Table
from ..declared.tables import VERSIONS
from .closeup import CloseUp


def agrees(table: Table[object], row: Row) -> bool:
    """Whether a row agrees with its check.

    :param row: what the check covers, and the check.
    """
    try:
        is_so: bool = row[-1] == table.check(*row[:-1])
    except UnicodeEncodeError:
        return False
    return is_so


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


class KeptRows(CloseUp):
    """What is kept where a bucket has a document of a kind that says so, or may be thought to."""

    def _stays(
        self, table: Table[object], row: Row, keeping: Set[str], documents: Set[str]
    ) -> bool:
        """Whether a damaged row stays: a version, its bytes, or a document itself.

        :param row: what the check covers, and the check.
        :param documents: the kinds of those that stay.
        """
        if table.name == "configurations":
            return row[1] in documents
        if table.name not in ("versions", "bodies", "extents"):
            return False
        numbers = self._keeping(keeping)
        if not numbers:
            return False
        if table.name == "versions":
            return self._is_of(row, numbers)
        found = self._execute(
            "SELECT bucket FROM versions WHERE sequence = ?", (row[0],)
        ).fetchall()
        if any(number in numbers for (number,) in found):
            return True
        # Whose it is may be what is wrong with it.
        return not self._is_missed(table, row)

    def _is_missed(self, table: Table[object], row: Row) -> bool:
        """Whether the version or part that a row of bytes names would be without some of them."""
        number, start = row[0], row[1] if table.name == "extents" else None
        if not isinstance(number, int) or not isinstance(start, int | None):
            return False
        names = {"number": number, "start": start}
        return self._execute(_MISSED, names).fetchone() is not None

    def _dangling(self, keeping: Set[str]) -> str:
        """Whose bytes belong to nothing already, as JSON: where a bucket keeps its versions, they may be those of a damaged row that stays."""
        if not self._keeping(keeping):
            return "[]"
        rows = self._execute(
            f"SELECT owner FROM extents WHERE {DANGLING['extents']} AND typeof(owner) = 'integer'"
            f" UNION SELECT sequence FROM bodies WHERE {DANGLING['bodies']}"
            f" UNION SELECT sequence FROM object_parts WHERE {DANGLING['object_parts']} AND typeof(sequence) = 'integer'"
        ).fetchall()
        return json.dumps([owner for (owner,) in rows])

    def _is_of(self, row: Row, numbers: Set[object]) -> bool:
        """Whether a damaged row is that of a version in one of these buckets, as far as can be told: its bucket may be what is wrong with it."""
        number, *others = row
        there = self._execute("SELECT 1 FROM buckets WHERE number = ?", (number,))
        return (
            number in numbers
            or there.fetchone() is None
            or any(agrees(VERSIONS, (each, *others)) for each in numbers)
        )

    def _keeping(self, keeping: Set[str]) -> frozenset[object]:
        """The numbers of the buckets that have such a document, or say that they have."""
        found: list[Row] = []
        for kind in keeping:
            found += self._execute(
                "SELECT bucket FROM configurations WHERE kind = ?1"
                " UNION SELECT number FROM buckets WHERE instr(configured, ?2)",
                (kind, f'"{kind}"'),
            ).fetchall()
        return frozenset(number for (number,) in found)
