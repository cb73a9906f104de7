"""Damaged rows that stay all the same: those of buckets whose versions are kept, whoever would be rid of them."""

from __future__ import annotations

from collections.abc import Sequence, Set
from typing import Protocol

from .columns import Row
from .relation import Table
from .tables import VERSIONS


class Holders(Protocol):
    """What is asked of the rows that a damaged one may belong to."""

    def keeping(self, kinds: Set[str]) -> frozenset[object]:
        """The numbers of the buckets that have a document of such a kind, or say that they have."""

    def buckets_of(self, number: object) -> Sequence[object]:
        """The buckets of the versions of that number."""

    def is_bucket(self, number: object) -> bool:
        """Whether there is a bucket of that number."""

    def is_missed(self, table: Table[object], row: Row) -> bool:
        """Whether the version or part that a row of bytes names would be without some of them."""


def agrees(table: Table[object], row: Row) -> bool:
    """Whether a row agrees with its check.

    :param row: what the check covers, and the check.
    """
    try:
        is_so: bool = row[-1] == table.check(*row[:-1])
    except UnicodeEncodeError:
        return False
    return is_so


def stays(
    table: Table[object],
    row: Row,
    keeping: Set[str],
    documents: Set[str],
    holders: Holders,
) -> bool:
    """Whether a damaged row stays: a version, its bytes, or a document itself.

    :param row: what the check covers, and the check.
    :param keeping: the kinds of documents whose bucket keeps its versions.
    :param documents: the kinds of those that stay.
    """
    if table.name == "configurations":
        return row[1] in documents
    if table.name not in ("versions", "bodies", "extents"):
        return False
    numbers = holders.keeping(keeping)
    if not numbers:
        return False
    if table.name == "versions":
        return _is_of(row, numbers, holders)
    if any(number in numbers for number in holders.buckets_of(row[0])):
        return True
    # Whose it is may be what is wrong with it.
    return not holders.is_missed(table, row)


def _is_of(row: Row, numbers: Set[object], holders: Holders) -> bool:
    """Whether a damaged row is that of a version in one of these buckets, as far as can be told: its bucket may be what is wrong with it."""
    number, *others = row
    return (
        number in numbers
        or not holders.is_bucket(number)
        or any(agrees(VERSIONS, (each, *others)) for each in numbers)
    )
