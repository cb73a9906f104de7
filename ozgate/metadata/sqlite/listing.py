"""Pages out of ordered rows: a range scan, and a skip-scan over what a delimiter rolls up."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from itertools import chain, islice

from ...immutable import frozen
from ...values import ListedObject, ListedVersion
from ..order import END, first_after, just_after, successor
from .columns import Row
from .conversions import is_one, traits_of
from .rowchecks import damaged

# What listings read is in an index, and not checked: a check would cost them a third.
CURRENT = "key, modified, size, etag, traits"

LISTED = f"{CURRENT}, version_id, is_latest, is_delete_marker"


@frozen
class Gathered:
    """A page as it was found.

    :ivar rows: those shown as themselves, in order.
    :ivar prefixes: common prefixes, in order.
    :ivar more: whether there is something after this page.
    :ivar ends_in_prefix: whether the last entry is a common prefix.
    """

    rows: list[Row]
    prefixes: list[str]
    more: bool = False
    ends_in_prefix: bool = False

    @property
    def last(self) -> str | None:
        """The last key or common prefix if a page follows, else ``None``."""
        if not self.more:
            return None
        return self.prefixes[-1] if self.ends_in_prefix else self.rows[-1][0]


class Scan:
    """A scan of one bucket's rows in order of their keys.

    :param statement: selects rows with the key first, and takes (bucket, lowest key, key above all).
    :param resume: the parameters of ``resume_statement``, which selects what is left of the key that
        the page before ended in.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        statement: str,
        bucket: int,
        prefix: str,
        after: str,
        delimiter: str,
        resume_statement: str = "",
        resume: Row | None = None,
    ) -> None:
        self._connection = connection
        # One cursor for all seeks: executing it again resets its statement, where a second cursor
        # would have to prepare the statement anew.
        self._cursor = connection.cursor()
        self._statement = statement
        self._bucket = bucket
        self._prefix = prefix
        self._delimiter = delimiter
        self._after = after
        self._resume_statement = resume_statement
        self._resume = resume if after.startswith(prefix) else None
        self._high: str | bytes = successor(prefix) or END

    def page(self, limit: int) -> Gathered:
        """At most ``limit`` entries; with 0, an empty last page."""
        if limit <= 0:
            return Gathered([], [])
        try:
            found = self._grouped(limit) if self._delimiter else self._flat(limit)
        finally:
            # A statement that is still under way would keep its snapshot open.
            self._cursor.close()
        self._check_progress(found)
        return found

    def _check_progress(self, found: Gathered) -> None:
        """Where keys are out of order, a page could lead back, and a client in circles.

        :raises Damaged: it does.
        """
        last = found.last
        if last is None or last > self._after or self._after.startswith(last):
            return
        raise damaged("versions", "order", self._after, last)

    def _flat(self, limit: int) -> Gathered:
        rows = list(islice(self._rows(), limit + 1))
        more = len(rows) > limit
        if more:
            rows.pop()
        return Gathered(rows, [], more)

    def _rows(self) -> Iterator[Row]:
        """All rows from where the listing begins."""
        if self._resume is not None:
            rest = self._connection.execute(self._resume_statement, self._resume)
            return chain(rest, self._from(just_after(self._after)))
        return self._from(first_after(self._after, self._prefix, self._delimiter))

    def _from(self, low: str | None) -> Iterator[Row]:
        """All rows from a key on."""
        if low is None:
            return iter(())
        return self._cursor.execute(self._statement, (self._bucket, low, self._high))

    def _grouped(self, limit: int) -> Gathered:
        """Roll up at the delimiter, seeking past everything below each common prefix.

        Rows are stepped through one by one as they are needed, so that a common prefix costs a
        seek and a row, however much is below it.
        """
        delimiter, width = self._delimiter, len(self._delimiter)
        start = len(self._prefix)
        rows: list[Row] = []
        prefixes: list[str] = []
        left = limit
        in_prefix = False
        remaining: Iterable[Row] | None = self._rows()
        while remaining is not None:
            current, remaining = remaining, None
            for row in current:
                if not left:
                    return Gathered(rows, prefixes, True, in_prefix)
                left -= 1
                at = row[0].find(delimiter, start)
                in_prefix = at >= 0
                if in_prefix:
                    common = row[0][: at + width]
                    prefixes.append(common)
                    remaining = self._from(successor(common))
                    break
                rows.append(row)
        return Gathered(rows, prefixes)


def current_of(rows: Iterable[Row]) -> tuple[ListedObject, ...]:
    """Listed objects from the columns :data:`CURRENT`."""
    # What ``ListedObject(*row)`` does, in a third of the time: a page has a thousand.
    new = tuple.__new__
    return tuple(
        [
            new(ListedObject, (key, modified, size, etag, traits_of(traits)))
            for key, modified, size, etag, traits in rows
        ]
    )


def listed_of(rows: Iterable[Row]) -> tuple[ListedVersion, ...]:
    """Listed versions from the columns :data:`LISTED`."""
    return tuple(
        [
            ListedVersion(
                key,
                modified,
                size,
                etag,
                traits_of(traits),
                version_id,
                is_one(latest),
                is_one(marker),
            )
            for key, modified, size, etag, traits, version_id, latest, marker in rows
        ]
    )
