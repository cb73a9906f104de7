"""Damaged rows that stay all the same: those of buckets whose versions are kept, whoever would be rid of them."""

from __future__ import annotations

from collections.abc import Set

from .closeup import CloseUp
from .columns import Row
from .declared import Table
from .tables import VERSIONS


def agrees(table: Table[object], row: Row) -> bool:
    """Whether a row agrees with its check.

    :param row: what the check covers, and the check.
    """
    try:
        is_so: bool = row[-1] == table.check(*row[:-1])
    except UnicodeEncodeError:
        return False
    return is_so


class KeptRows(CloseUp):
    """What is kept where a bucket has a document of a kind that says so, or may be thought to."""

    def _stays(self, table: Table[object], row: Row, keeping: Set[str]) -> bool:
        """Whether a damaged row stays: a version, its bytes, or a document of such a kind itself.

        :param row: what the check covers, and the check.
        """
        if table.name == "configurations":
            return row[1] in keeping
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
        return any(number in numbers for (number,) in found)

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
