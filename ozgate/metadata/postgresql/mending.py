"""Getting rid of damaged rows.

What belongs to nothing once a row is gone whose key was what was wrong with it is left where it is: it only takes room, and
:meth:`~ozgate.interfaces.IInspected.examine` tells of it.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from typing import Any

from ...errors import Damaged
from ...values import DamagedRow
from ..declared.closeup import closed_up
from ..declared.columns import Row
from ..declared.conversions import pack_kinds
from ..declared.keptrows import agrees, stays
from ..declared.pieces import content_of
from ..declared.relation import Table
from ..declared.tables import BODIES, BUCKETS, EXTENTS
from .checks import CheckRows, checked_row, stored_place, table_of, told
from .holders import HolderRows
from .statements import Statements
from .versionstatements import RELISTED

_MISSED = dict.fromkeys(
    ("users", "groups", "policies"),
    "; who bears or names it is refused until there is one again",
)
"""What is said besides of rows that somebody misses."""


class MendingRows(CheckRows, HolderRows):
    """Repairs; see :class:`~ozgate.interfaces.IMetadataTransaction`."""

    def mend_row(
        self, row: DamagedRow, owner: str, keeping: Set[str], closing: Set[str]
    ) -> str:
        """Get rid of a damaged row, after a look whether it still is one."""
        self.forget()
        self._numbered.clear()
        table, documents = table_of(row), keeping | closing
        place = stored_place(table, row.place)
        found = self._row_at(table, place)
        is_well = found is None or agrees(table, found)
        if found is None or (is_well and table.name not in ("versions", "buckets")):
            return "it is not there any more, or was written anew"
        if is_well and table.name == "versions":
            self._execute(RELISTED, place[:2])
            return "the latest version of the key is set again"
        if is_well:
            if not self._configure(place[0], documents):
                return ""
            return "it says which documents there are; look whether all are"
        if not row.loses or stays(table, found, keeping, documents, self):
            # What was found of it then takes nothing away.
            return ""
        if table.name in ("volumes", "buckets"):
            changed, done = closed_up(table, found, owner, self)
            self._rewrite(table, found, **changed)
            if table.name == "buckets":
                self._configure(place[0], documents)
            return done
        return self._removed(table, place, documents)

    def _row_at(self, table: Table[Any], place: Row) -> Row | None:
        """What the check of a row covers, and the check."""
        statements = Statements(table)
        found = self._execute(
            f"SELECT {statements.checked} FROM {table.name} WHERE {statements.place}",
            place,
        ).fetchone()
        return None if found is None else checked_row(table, found)

    def _removed(self, table: Table[Any], place: Row, documents: Set[str]) -> str:
        """Remove a row, with what only it leads to."""
        name, number = table.name, place[0]
        if name == "object_parts":
            self._execute("DELETE FROM object_parts WHERE sequence = $1", (number,))
            return "the object is not known by parts any more; its bytes stay"
        if name == "uploads":
            self._drop_parts_of(number)
        owners = self._owners(table, place)
        self._execute(f"DELETE FROM {name} WHERE {Statements(table).place}", place)
        if name in ("bodies", "extents"):
            # What is damaged may be whose it is.
            if self._is_whole(number):
                return "it is removed; the version or part that it named is whole without it"
            return self._remove_owner(number)
        self._drop_unowned(owners)
        if name == "versions":
            self._execute(RELISTED, place[:2])
        if name == "configurations":
            self._configure(number, documents)
        return f"it is removed{_MISSED.get(name, '')}"

    def _owners(self, table: Table[Any], place: Row) -> Sequence[int]:
        """The numbers by which bytes belong to a row."""
        if table.name == "versions":
            return [place[2]]
        if table.name == "retired":
            return [place[0]]
        if table.name == "parts":
            found = self._execute(
                "SELECT owner FROM parts WHERE upload = $1 AND number = $2", place
            ).fetchall()
            return [owner for (owner,) in found]
        return ()

    def _drop_parts_of(self, upload: int) -> None:
        """Remove the parts of an upload, with their bytes."""
        parts = self._execute(
            "DELETE FROM parts WHERE upload = $1 RETURNING owner", (upload,)
        ).fetchall()
        self._drop_unowned([owner for (owner,) in parts])

    def _drop_unowned(self, numbers: Sequence[int]) -> None:
        """Remove the bytes of those of these numbers that no version, part or retired version has."""
        for number in self._without_owner(numbers) if numbers else ():
            self._drop_extents(number)
            for name in ("bodies", "object_parts"):
                self._execute(f"DELETE FROM {name} WHERE sequence = $1", (number,))

    def _configure(self, number: object, documents: Set[str]) -> bool:
        """Have a bucket say which documents there are, and go on to say that it has one of these kinds. A damaged row stays as it is.

        :return: whether it says of none any more that is not there.
        """
        kinds = self._execute(
            "SELECT kind FROM configurations WHERE bucket = $1", (number,)
        ).fetchall()
        there = {kind for (kind,) in kinds}
        row = self._row_at(BUCKETS, (number,))
        if row is None or not agrees(BUCKETS, row):
            return True
        said = told(BUCKETS, row)["configured"]
        kept = {kind for kind in documents if f'"{kind}"' in str(said)}
        self._rewrite(BUCKETS, row, configured=pack_kinds(there | kept))
        return kept <= there

    def _is_whole(self, number: int) -> bool:
        """Whether there is a version or part of that number, and all its bytes."""
        sizes = self._sizes_of(number)
        body = self._execute(
            f"SELECT {BODIES.select} FROM bodies WHERE sequence = $1", (number,)
        ).fetchone()
        extents = self._execute(
            f"SELECT {EXTENTS.select} FROM extents WHERE owner = $1 ORDER BY start",
            (number,),
        ).fetchall()
        try:
            for size in sizes:
                content_of(number, size, body, extents)
        except Damaged:
            return False
        return bool(sizes)

    def _remove_owner(self, number: int) -> str:
        """Remove the version or part that bytes belong to."""
        versions = self._of_numbers("versions", number)
        parts = self._of_numbers("parts", number)
        for _, bucket, key, _ in versions:
            self._execute(_REMOVED_VERSION, (bucket, key, number))
            self._execute(RELISTED, (bucket, key))
        for _, upload, place, _ in parts:
            self._execute(_REMOVED_PART, (upload, place, number))
        said = f"removed: versions {len(versions)}, parts {len(parts)}"
        # What is kept of the look is so by now.
        versions.clear()
        parts.clear()
        self._drop_unowned([number])
        return said


_REMOVED_VERSION = (
    "DELETE FROM versions WHERE bucket = $1 AND key = $2 AND sequence = $3"
)

_REMOVED_PART = "DELETE FROM parts WHERE upload = $1 AND number = $2 AND owner = $3"
