"""The migration that has each run of bytes, and each part of an object, know where it starts.

Before, extents were numbered, and parts had no place of their own: to find a byte, all that came before it was added up.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from itertools import count, groupby
from operator import itemgetter
from typing import Any

from ..declared.rowchecks import check_of

TABLES = (
    # An owner is the sequence of a version, or the number of a part from the same counter.
    """CREATE TABLE extents_5 (
        owner INTEGER NOT NULL,
        start INTEGER NOT NULL,
        store TEXT NOT NULL,
        blob TEXT NOT NULL,
        blob_length INTEGER NOT NULL,
        blob_crc64nvme INTEGER NOT NULL,
        offset INTEGER NOT NULL,
        length INTEGER NOT NULL,
        checked INTEGER NOT NULL,
        PRIMARY KEY (owner, start)
    ) WITHOUT ROWID""",
    # Not afterwards: SQLite would sort all of it in memory. Blobs are named in the order of their owners, more or less.
    "DROP INDEX extents_blob",
    "CREATE INDEX extents_blob ON extents_5 (blob, store)",
    """CREATE TABLE object_parts_5 (
        sequence INTEGER NOT NULL,
        number INTEGER NOT NULL,
        start INTEGER NOT NULL,
        size INTEGER NOT NULL,
        checksum TEXT,
        etag TEXT NOT NULL,
        checked INTEGER NOT NULL,
        PRIMARY KEY (sequence, number)
    ) WITHOUT ROWID""",
    # Versions that were removed, and whose extents are kept a while for those who read them.
    """CREATE TABLE retired (
        owner INTEGER PRIMARY KEY,
        retired_at INTEGER NOT NULL,
        checked INTEGER NOT NULL
    )""",
    "CREATE INDEX retired_order ON retired (retired_at)",
)

REPLACED = (
    "DROP TABLE extents",
    "ALTER TABLE extents_5 RENAME TO extents",
    "DROP TABLE object_parts",
    "ALTER TABLE object_parts_5 RENAME TO object_parts",
)

# Of two parts of one number the one that is well stays; the other is of another object, by its damage.
PUT_PART = """INSERT INTO object_parts_5 VALUES (?, ?, ?, ?, CAST(? AS TEXT), '', ?)
    ON CONFLICT DO UPDATE SET start = excluded.start, size = excluded.size,
    checksum = excluded.checksum, checked = excluded.checked WHERE excluded.checked <> 0"""

DAMAGED = 0
"""The check of a row that was damaged before: it stays so. No row agrees with it but by a chance of one in 2**64."""

LARGEST = 1 << 60
"""Bytes that no object has; sizes that are damaged add up to no more."""

_Row = tuple[Any, ...]


def give_starts(connection: sqlite3.Connection) -> None:
    """Make the new tables of the old ones, inside of the transaction of a migration."""
    for statement in TABLES:
        connection.execute(statement)
    factory = connection.text_factory
    # A bit that flips can make text that is no UTF-8: it is carried over as it is.
    connection.text_factory = bytes
    try:
        connection.executemany(
            "INSERT INTO extents_5 VALUES"
            " (?, ?, CAST(? AS TEXT), CAST(? AS TEXT), ?, ?, ?, ?, ?)",
            _extents(
                connection.execute(
                    "SELECT owner, ordinal, store, blob, blob_length, blob_crc64nvme,"
                    " offset, length, checked FROM extents ORDER BY owner, ordinal"
                )
            ),
        )
        connection.executemany(
            PUT_PART,
            _object_parts(
                connection.execute(
                    "SELECT sequence, number, size, checksum, checked"
                    " FROM object_parts ORDER BY sequence, number"
                )
            ),
        )
    finally:
        connection.text_factory = factory
    for statement in REPLACED:
        connection.execute(statement)


def _extents(rows: Iterable[_Row]) -> Iterator[_Row]:
    """Extents with their starts in the place of their ordinals.

    Nobody knows where a damaged row starts, nor what follows it or one that is not there: they are damaged, as the whole was, and
    come before all others, each in a place of its own. For a bit that flips in an owner makes it that of another version:
    the row comes in a wrong order then, and must neither take the place of one that is well, nor be counted with those of its
    owner.
    """
    aside = count(-1, -1)
    whose, expected, start = None, 0, 0
    for *row, checked in rows:
        owner, ordinal, *rest = map(_text, row)
        # The form of the check is the same, with the ordinal where the start is now.
        is_well = checked == _check(check_of, owner, ordinal, *rest)
        if is_well and owner != whose:
            whose, expected, start = owner, 0, 0
        if not is_well or ordinal != expected:
            yield (*_there(row[0], next(aside), *row[2:]), DAMAGED)
            continue
        expected += 1
        length = rest[-1]
        if length:
            yield (owner, start, *row[2:], check_of(owner, start, *rest))
            start += length


def _object_parts(rows: Iterable[_Row]) -> Iterator[_Row]:
    """Parts with their starts: no column before, but in the check."""
    for _, group in groupby(rows, itemgetter(0)):
        start = 0
        for *row, checked in group:
            sequence, number, size, checksum = map(_text, row)
            columns = (sequence, number, start, size, checksum)
            check = DAMAGED
            if checked == _check(check_of, *columns):
                check = check_of(*columns, "")
            yield (*_there(row[0], row[1], start, size), row[3], check)
            if isinstance(size, int):
                start = min(start + max(size, 0), LARGEST)


def _there(*columns: object) -> _Row:
    """Columns of a damaged row with something in each: a bit that flips can make nothing of what must not be."""
    return tuple(0 if each is None else each for each in columns)


def _text(value: Any) -> Any:
    """A column as it is read elsewhere."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape")
    return value


def _check(function: Callable[..., int], *columns: object) -> int | None:
    try:
        check: int = function(*columns)
    except UnicodeEncodeError:
        return None
    return check
