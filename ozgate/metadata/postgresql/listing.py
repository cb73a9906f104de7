"""Pages out of ordered rows, each by one statement: a range scan, and a skip-scan over what a delimiter rolls up.

Keys are bytes here, and so is all that is reckoned with: what is above all that begins with some bytes are the same, with a larger last one, which there
always is: no byte of UTF-8 is 255.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from ...immutable import frozen
from ..declared.columns import Row
from ..declared.pages import Gathered
from ..order import common_prefix, first_after, just_after
from .base import Rows

_END = b"\xff"
"""Above every key."""


@frozen
class Source:
    """What is listed.

    :ivar columns: what is selected; the key is the first, without the name of its table.
    :ivar then: the column by which rows of one key are ordered; ``""`` where each has one.
    :ivar is_falling: whether that order is the falling one.
    :ivar terms: what else a row must be, each after an ``AND``.
    """

    table: str
    columns: str
    then: str = ""
    is_falling: bool = False
    terms: str = ""

    @property
    def order(self) -> str:
        """The order of rows."""
        if not self.then:
            return "key"
        return f"key, {self.then}{' DESC' if self.is_falling else ''}"

    @property
    def beyond(self) -> str:
        """How what comes after a row of the same key compares with it."""
        return "<" if self.is_falling else ">"

    def rows(self, condition: str, most: str) -> str:
        """A statement that selects rows in their order."""
        return f"""SELECT {self.columns} FROM {self.table}
        WHERE bucket = $1 AND {condition}{self.terms} ORDER BY {self.order} LIMIT {most}"""


@frozen
class Range:
    """What of it is wanted.

    :ivar after: the key or common prefix after which the page begins.
    :ivar resume: where in the rows of the key ``after`` the page before ended, if it did so there.
    """

    bucket: int
    prefix: str
    after: str
    delimiter: str
    resume: int | str | None = None

    @property
    def resumes(self) -> bool:
        """Whether what is left of the key of before comes first."""
        return self.resume is not None and self.after.startswith(self.prefix)

    def parameters(self, limit: int) -> list[Any] | None:
        """What the statements take: bucket, lowest key, what is above all keys, how many; where it resumes; the delimiter.

        :return: ``None`` where nothing can come.
        """
        low: str | None = just_after(self.after)
        if not self.resumes:
            low = first_after(self.after, self.prefix, self.delimiter)
        if low is None:
            return None
        prefix = self.prefix.encode()
        given = [self.bucket, low.encode(), _past(prefix) or _END, limit]
        if self.resumes:
            given += [self.after.encode(), self.resume]
        if self.delimiter:
            delimiter = self.delimiter.encode()
            given += [delimiter, _past(delimiter), len(prefix) + 1]
        return given


def _past(some: bytes) -> bytes:
    """The least bytes above all that begin with these."""
    return some[:-1] + bytes([some[-1] + 1]) if some else b""


@cache
def in_order(source: Source, resumes: bool) -> str:
    """A statement that gives rows in their order."""
    rows = source.rows("key >= $2 AND key < $3", "$4")
    if not resumes:
        return rows
    left = source.rows(f"key = $5 AND {source.then} {source.beyond} $6", "$4")
    return f"({left}) UNION ALL ({rows}) ORDER BY {source.order} LIMIT $4"


@cache
def rolled_up(source: Source, resumes: bool) -> str:
    """A statement that gives one row of each common prefix, and all that have none, in their order.

    It reads rows one after the other as far as the first that is rolled up; from there on it seeks each, past all that the one before was rolled up
    with. In PostgreSQL 15 a seek takes some 10 µs. Source: PostgreSQL manual, "7.8.2. Recursive Queries".
    """
    first = 7 if resumes else 5
    delimiter, past, start = (f"${first + place}" for place in range(3))
    at = f"position({delimiter} IN substring(%s.key FROM {start}::int))"
    found = at % "found"
    following = source.rows(
        f"""key < $3 AND key >= CASE WHEN {found} > 0
            THEN substring(found.key FROM 1 FOR {start}::int + {found} - 2) || {past}
            ELSE found.key || '\\x00'::bytea END""",
        "1",
    )
    if source.then:
        same = source.rows(
            f"{found} = 0 AND key = found.key AND {source.then} {source.beyond} found.{source.then}",
            "1",
        )
        following = f"({same}) UNION ALL ({following}) ORDER BY {source.order} LIMIT 1"
    return f"""WITH RECURSIVE head AS MATERIALIZED ({in_order(source, resumes)}),
    rolled AS MATERIALIZED (
        SELECT (SELECT key FROM head WHERE {at % "head"} > 0 ORDER BY key LIMIT 1) AS key
    ),
    plain AS MATERIALIZED (
        SELECT head.* FROM head, rolled WHERE rolled.key IS NULL OR head.key < rolled.key
    ),
    found AS (
        (SELECT head.*, (SELECT COUNT(*) FROM plain) + 1 AS place FROM head, rolled
        WHERE head.key = rolled.key LIMIT 1)
        UNION ALL
        SELECT following.*, found.place + 1 FROM found CROSS JOIN LATERAL ({following}) AS following
        WHERE found.place < $4
    )
    SELECT {source.columns} FROM plain UNION ALL SELECT {source.columns} FROM found
    ORDER BY {source.order} LIMIT $4"""


class Lists(Rows):
    """Pages."""

    def _page(self, source: Source, wanted: Range, limit: int) -> Gathered:
        """At most ``limit`` entries; with 0, an empty last page."""
        parameters = wanted.parameters(limit + 1)
        if limit <= 0 or parameters is None:
            return Gathered([], [])
        statement = rolled_up if wanted.delimiter else in_order
        rows = [
            (key.decode(), *others)
            for key, *others in self._execute(
                statement(source, wanted.resumes), parameters
            ).fetchall()
        ]
        more = len(rows) > limit
        if more:
            rows.pop()
        found = Gathered(rows, [], more)
        if wanted.delimiter:
            found = _rolled_up(rows, wanted, more)
        found.check_progress(wanted.after)
        return found


def _rolled_up(rows: list[Row], wanted: Range, more: bool) -> Gathered:
    """Tell rows from those that stand for a common prefix."""
    shown: list[Row] = []
    prefixes: list[str] = []
    common = None
    for row in rows:
        common = common_prefix(row[0], wanted.prefix, wanted.delimiter)
        if common is None:
            shown.append(row)
        else:
            prefixes.append(common)
    return Gathered(shown, prefixes, more, common is not None)
