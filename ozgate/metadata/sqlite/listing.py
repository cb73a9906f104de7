"""Pages out of ordered rows: a range scan, and a skip-scan over what a delimiter rolls up."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from itertools import chain, islice

from ..declared.columns import Row
from ..declared.pages import Gathered
from ..order import END, first_after, just_after, successor

# What listings read is in an index, and not checked: a check would cost them a third.
CURRENT = "key, modified, size, etag, traits"

LISTED = f"{CURRENT}, version_id, is_latest IS 1, is_delete_marker IS 1"

_FIRST = """SELECT key FROM {source} WHERE bucket = ?1 AND key >= {low} AND key < ?3{terms}
    ORDER BY key LIMIT 1"""

# Of bytes, for which NUL is a byte like others. Where no delimiter is left, there is nothing to go on after.
_PAST = """CAST(substr(CAST(found.key AS BLOB), 1,
    nullif(instr(substr(CAST(found.key AS BLOB), ?4), ?5), 0) + ?4 - 2) || ?6 AS TEXT)"""


def run_of(source: str, terms: str = "") -> str:
    """The statement that goes from common prefix to common prefix by itself, in a third of the time that a statement each takes.

    It gives the first key of each, then a key that is in none, if one follows, as a JSON array, which is read faster than rows. It takes the bucket; the lowest key; the key above all; where the
    part after the prefix begins, counted in bytes from 1; the delimiter, and the least text above all that starts with it, both as
    bytes; how many keys at most. A key that is ``null`` is the end.

    :param source: the table, and its index.
    :param terms: what else a row must be, each after an ``AND``.
    """
    first = _FIRST.format(source=source, low="?2", terms=terms)
    following = _FIRST.format(source=source, low=_PAST, terms=terms)
    return f"""WITH RECURSIVE found (key) AS (
    SELECT ({first}) UNION ALL SELECT ({following}) FROM found WHERE found.key IS NOT NULL
) SELECT json_group_array(key) FROM (SELECT key FROM found LIMIT ?7)"""


class Scan:
    """A scan of one bucket's rows in order of their keys.

    :param statement: selects rows with the key first, and takes (bucket, lowest key, key above all).
    :param run_statement: what :func:`run_of` makes for the same rows.
    :param resume: the parameters of ``resume_statement``, which selects what is left of the key that
        the page before ended in.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        statement: str,
        run_statement: str,
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
        self._run_statement = run_statement
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
        found.check_progress(self._after)
        return found

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
        seek and a row, however much is below it; the third of a row and all that follow cost a seek.
        """
        rows: list[Row] = []
        prefixes: list[str] = []
        in_prefix = False
        remaining: Iterable[Row] | None = self._rows()
        while remaining is not None:
            current, remaining = remaining, None
            for row in current:
                left = limit - len(rows) - len(prefixes)
                if not left:
                    return Gathered(rows, prefixes, True, in_prefix)
                common = self._common(row[0])
                if common is None:
                    in_prefix = False
                    rows.append(row)
                    continue
                prefixes.append(common)
                following = successor(common)
                if in_prefix:
                    run, following = self._run(following, left)
                    prefixes += run
                in_prefix = True
                remaining = self._from(following)
                break
        return Gathered(rows, prefixes)

    def _common(self, key: str) -> str | None:
        """What a key is rolled up to, if anything."""
        at = key.find(self._delimiter, len(self._prefix))
        return None if at < 0 else key[: at + len(self._delimiter)]

    def _run(self, low: str | None, limit: int) -> tuple[list[str], str | None]:
        """Common prefixes without a key between them, from ``low`` on, fewer than ``limit``; and where to go on, if there is more."""
        past = successor(self._delimiter)
        if low is None or past is None:
            return [], low
        delimiter, start = self._delimiter, len(self._prefix)
        where = (self._bucket, low, self._high, len(self._prefix.encode()) + 1)
        how = (delimiter.encode(), past.encode(), limit)
        (found,) = self._cursor.execute(self._run_statement, where + how).fetchone()
        keys = json.loads(found)
        is_end = keys[-1] is None
        if is_end:
            keys.pop()
        # All but the last have the delimiter.
        goes_on = keys and (not is_end or self._common(keys[-1]) is None)
        following = keys.pop() if goes_on else None
        width = len(delimiter)
        return [key[: key.find(delimiter, start) + width] for key in keys], following
