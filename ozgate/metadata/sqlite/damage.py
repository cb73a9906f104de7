"""Looking through all rows for damaged ones, and getting rid of those."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Set
from typing import Any

from attrs import evolve

from ...errors import Damaged
from ...values import CheckedRows, DamagedRow
from ..declared.closeup import closed_up
from ..declared.columns import Row
from ..declared.conversions import is_text, pack_kinds
from ..declared.keptrows import agrees, stays
from ..declared.pieces import content_of
from ..declared.relation import Table
from ..declared.tables import BODIES, BUCKETS, CHECKED, EXTENTS
from .keptrows import DANGLING, KeptRows

_LATEST = "is_latest"

_MISSED = dict.fromkeys(
    ("users", "groups", "policies"),
    "; who bears or names it is refused until there is one again",
)
"""What is said besides of rows that somebody misses."""

_IS_NEW = "NOT IN (SELECT value FROM json_each(?))"

_DANGLING = f"SELECT DISTINCT +store, +blob FROM extents WHERE {DANGLING['extents']} AND owner {_IS_NEW}"

_DROP_DANGLING = tuple(
    f"DELETE FROM {table} WHERE {condition} AND {'owner' if table == 'extents' else 'sequence'} {_IS_NEW}"
    for table, condition in DANGLING.items()
)


def _exact(value: Any) -> Any:
    """A column as it goes into a statement: text that is no UTF-8 as bytes."""
    if isinstance(value, str) and not is_text(value):
        return value.encode("utf-8", "surrogateescape")
    return value


def _matching(names: tuple[str, ...], place: Row, last: str = "=") -> str:
    """A condition: columns are these; with ``last`` for the last one."""
    terms = []
    for name, value in zip(names, place, strict=True):
        how = last if name == names[-1] else "="
        if not isinstance(value, bytes):
            terms.append(f"{name} {how} ?")
        elif how == "=":
            # Bytes stand for what is no text, and for text that is no UTF-8.
            terms.append(f"CAST({name} AS BLOB) = ?")
        else:
            terms.append(f"{name} {how} CAST(? AS TEXT)")
    return " AND ".join(terms)


def _marker(name: str, place: Row | None) -> str:
    """What ``after`` is for the rows of a table after one; text that is no UTF-8 is in lists of its own."""
    kept = place and [
        [value.decode("latin-1")] if isinstance(value, bytes) else value
        for value in map(_exact, place)
    ]
    return json.dumps([name, kept])


def _marked(after: str) -> tuple[str, Row | None]:
    """The table and the key that :func:`_marker` made text of."""
    if not after:
        return CHECKED[0].name, None
    name, kept = json.loads(after)
    return name, kept and tuple(
        value[0].encode("latin-1") if isinstance(value, list) else value
        for value in kept
    )


def _damaged(table: Table[object], row: Row, what: str) -> DamagedRow:
    place = tuple(map(_exact, row[: len(table.key)]))
    named = zip(table.key, place, strict=True)
    where = ", ".join([f"{name} {value!r}" for name, value in named])
    return DamagedRow(table.name, place, f"{where}: {what}")


class CheckRows(KeptRows):
    """Rows of every kind; see :class:`~ozgate.interfaces.IMetadataTransaction`."""

    def check_rows(self, after: str, limit: int) -> CheckedRows:
        """Check rows of one table, those after ``after``.

        Which version is the latest is no part of the check, and is looked at here; so is whether a bucket has the documents
        that it says.
        """
        name, last = _marked(after)
        names = [table.name for table in CHECKED]
        index = names.index(name)
        table = CHECKED[index]
        width = len(table.key)
        with self._any_text():
            rows = self._rows_after(table, last, limit)
            agreeing = [agrees(table, row) for row in rows]
        ended = len(rows) < limit
        if not ended and any(agreeing):
            # The next stretch begins after one whose key is right: a wrong one would lead astray.
            while not agreeing[-1]:
                del agreeing[-1], rows[-1]
        damaged = [
            _damaged(table, row, "not what was written")
            for row, is_well in zip(rows, agreeing, strict=True)
            if not is_well
        ]
        if name == "versions":
            damaged += self._wrong_latest(table, rows, last)
        if name == "buckets":
            damaged += self._wrong_configured(table, rows, agreeing)
        if not ended:
            following = _marker(name, rows[-1][:width])
        elif index + 1 < len(CHECKED):
            following = _marker(names[index + 1], None)
        else:
            return CheckedRows(len(rows), tuple(damaged))
        return CheckedRows(len(rows), tuple(damaged), following)

    def _rows_after(
        self, table: Table[object], last: Row | None, limit: int
    ) -> list[Row]:
        """Rows by their key: what the check takes, and the check."""
        order = (
            f"ORDER BY {', '.join(table.key)}{' DESC' if table.falling else ''} LIMIT ?"
        )
        if last is None:
            return self._rows(table, order, (limit,))
        beyond = "<" if table.falling else ">"
        at = _matching(table.key, last, beyond)
        rows = self._rows(table, f"WHERE {at} {order}", (*last, limit))
        for width in range(len(table.key) - 1, 0, -1):
            if len(rows) < limit:
                at = _matching(table.key[:width], last[:width], ">")
                left = limit - len(rows)
                rows += self._rows(table, f"WHERE {at} {order}", (*last[:width], left))
        return rows

    def _rows(self, table: Table[object], rest: str, parameters: Row) -> list[Row]:
        columns = ", ".join(table.columns)
        return self._execute(
            f"SELECT {columns}, checked FROM {table.name} {rest}", parameters
        ).fetchall()

    def _wrong_latest(
        self, table: Table[object], rows: list[Row], last: Row | None
    ) -> Iterator[DamagedRow]:
        before: Row | None = None if last is None else last[:2]
        keys: list[Row] = [tuple(map(_exact, row[:2])) for row in rows]
        for row, previous, key in zip(rows, [before, *keys], keys, strict=False):
            place = (*key, _exact(row[2]))
            at = _matching(table.key, place)
            with self._any_text():
                (latest,) = self._execute(
                    f"SELECT is_latest FROM versions WHERE {at}", place
                ).fetchone() or (None,)
            if latest != int(previous != key):
                wrong = _damaged(table, row, f"{_LATEST} is {latest!r}")
                yield evolve(wrong, loses=False)

    def _wrong_configured(
        self, table: Table[object], rows: list[Row], agreeing: list[bool]
    ) -> Iterator[DamagedRow]:
        """Buckets that have other documents than they say."""
        for row, is_well in zip(rows, agreeing, strict=True):
            if not is_well:
                continue
            configured = dict(zip(table.columns, row[:-1], strict=True))["configured"]
            with self._any_text():
                there = pack_kinds(self._kinds_of(row[0]))
            if configured != there:
                yield _damaged(
                    table, row, f"it has the documents {there}, and says {configured}"
                )

    def mend_row(
        self, row: DamagedRow, owner: str, keeping: Set[str], closing: Set[str]
    ) -> str:
        """Get rid of a damaged row, after a look whether it still is one."""
        self.forget()
        documents = keeping | closing
        try:
            return self._mend(row, owner, keeping, documents)
        except sqlite3.DatabaseError as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF != sqlite3.SQLITE_CORRUPT:
                raise
            # Its indexes do not know the row as it is now.
            self._execute(f"REINDEX {row.table}")
            return self._mend(row, owner, keeping, documents)

    def _mend(
        self, row: DamagedRow, owner: str, keeping: Set[str], documents: Set[str]
    ) -> str:
        table = next(each for each in CHECKED if each.name == row.table)
        place = row.place
        at = _matching(table.key, place)
        with self._any_text():
            found = self._rows(table, f"WHERE {at}", place)
            is_well = all(agrees(table, each) for each in found)
            if not is_well and stays(table, found[0], keeping, documents, self):
                return ""
        if is_well and (not found or table.name not in ("versions", "buckets")):
            return "it is not there any more, or was written anew"
        if is_well and table.name == "buckets":
            if not self._configure(place[0], documents):
                return ""
            return "it says which documents there are; look whether all are"
        if table.name in ("volumes", "buckets"):
            changed, done = closed_up(table, found[0], owner, self)
            self._rewrite(table, found[0], **changed)
            if table.name == "buckets":
                self._configure(place[0], documents)
            return done
        dangling = self._dangling(keeping)
        if table.name in ("bodies", "extents"):
            self._execute(f"DELETE FROM {table.name} WHERE {at}", place)
            if self._is_whole(place[0]):
                # What is damaged may be whose it is.
                done = "it is removed; the version or part that it named is whole without it"
            else:
                done = self._remove_owner(place[0])
        elif table.name == "object_parts":
            whole = _matching(table.key[:1], place[:1])
            self._execute(f"DELETE FROM object_parts WHERE {whole}", place[:1])
            done = "the object is not known by parts any more; its bytes stay"
        elif is_well:
            done = "the latest version of the key is set again"
        else:
            self._execute(f"DELETE FROM {table.name} WHERE {at}", place)
            done = f"it is removed{_MISSED.get(table.name, '')}"
        self._follow(table, place, documents, dangling)
        return done

    def _follow(
        self, table: Table[object], place: Row, documents: Set[str], dangling: str
    ) -> None:
        """Have what hangs on a row that is gone, or was mended, agree with that.

        :param documents: the kinds of those that a bucket goes on to say it has.
        :param dangling: what belonged to nothing before.
        """
        if table.name == "versions":
            self._set_latest_at(_matching(table.key[:2], place[:2]), place[:2])
        if table.name == "uploads":
            self._execute("DELETE FROM parts WHERE upload = ?", place)
        if table.name == "configurations":
            self._configure(place[0], documents)
        if table.name in (
            "bodies",
            "extents",
            "versions",
            "uploads",
            "parts",
            "retired",
        ):
            self._drop_dangling(dangling)

    def _configure(self, number: object, documents: Set[str]) -> bool:
        """Have a bucket say which documents there are, and go on to say that it has one of these kinds. A damaged row stays as it is.

        :return: whether it says of none any more that is not there.
        """
        with self._any_text():
            rows = self._rows(BUCKETS, "WHERE number = ?", (number,))
            there = self._kinds_of(number)
        for row in rows:
            if agrees(BUCKETS, row):
                said = dict(zip(BUCKETS.columns, row[:-1], strict=True))["configured"]
                kept = {kind for kind in documents if f'"{kind}"' in str(said)}
                self._rewrite(BUCKETS, row, configured=pack_kinds(there | kept))
                return kept <= there
        return True

    def _is_whole(self, number: object) -> bool:
        """Whether there is a version or part of that number, and all its bytes."""
        if not isinstance(number, int):
            return False
        try:
            sizes = self._execute(
                "SELECT size FROM versions WHERE sequence = ?1"
                " UNION ALL SELECT size FROM parts WHERE owner = ?1",
                (number,),
            ).fetchall()
            body = self._execute(
                f"SELECT {BODIES.select} FROM bodies WHERE sequence = ?", (number,)
            ).fetchone()
            extents = self._execute(
                f"SELECT {EXTENTS.select} FROM extents WHERE owner = ? ORDER BY start",
                (number,),
            ).fetchall()
            for (size,) in sizes:
                content_of(number, size, body, extents)
        except (Damaged, sqlite3.OperationalError, TypeError, AttributeError):
            # Text that is no UTF-8, or another type than it should be.
            return False
        return bool(sizes)

    def _remove_owner(self, number: object) -> str:
        """Remove the version or part that bytes belong to. No index leads there."""
        keys = self._execute(
            "SELECT bucket, CAST(key AS BLOB) FROM versions WHERE sequence = ?",
            (number,),
        ).fetchall()
        self._execute("DELETE FROM versions WHERE sequence = ?", (number,))
        for bucket, key in keys:
            self._set_latest_at("bucket = ? AND key = CAST(? AS TEXT)", (bucket, key))
        parts = self._execute("DELETE FROM parts WHERE owner = ?", (number,)).rowcount
        return f"removed: versions {len(keys)}, parts {parts}"

    def _set_latest_at(self, key: str, place: Row) -> None:
        """Make the newest version of a key the latest, and no other one."""
        newest = f"sequence = (SELECT MAX(sequence) FROM versions WHERE {key})"
        self._execute(
            f"UPDATE versions SET {_LATEST} = ({newest})"
            f" WHERE {key} AND {_LATEST} IS NOT ({newest})",
            place * 3,
        )

    def _drop_dangling(self, kept: str) -> None:
        """Remove bytes that belong to nothing any more, dooming blobs that have no name left.

        :param kept: as :meth:`_dangling` gives it: those stay.
        """
        names = self._execute(_DANGLING, (kept,)).fetchall()
        for statement in _DROP_DANGLING:
            self._execute(statement, (kept,))
        self._doom_unnamed(names)
