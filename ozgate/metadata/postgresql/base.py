"""What the parts of a transaction share: statements, claims, order and time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from psycopg import DataError

from ...values import Claim
from ...values.claims import Kind
from ..declared.columns import Row
from ..declared.relation import Table
from .epochs import TOLD
from .locks import Held, lock_number
from .session import Session
from .statements import quoted
from .times import LEAD, Times, is_to_be_noted
from .usage import Usage

AHEAD = 64
"""Statements that are sent ahead at most."""

WITHIN = (Kind.KEY, Kind.UPLOAD)
"""Claims under which rows of buckets and volumes stay what they are."""

STEP = 16
"""Numbers that a transaction gets at once."""

_CLAIM = "SELECT * FROM claim($1::bigint[], $2::boolean[])"

_TIME = f"SELECT {TOLD} FROM time_noted"

_NOTE = (
    "SELECT setval('time_noted', $1) FROM time_noted"
    " WHERE last_value < $1 OR last_value > $1::bigint + $2"
)
"""Another transaction may have noted a later time since this one was told of one."""


class Mark(NamedTuple):
    """What a writing transaction is told when it has its claims.

    :ivar xid: the transaction's number, by which its end can be asked for.
    :ivar sequence: the first of :data:`STEP` numbers, larger than all that were committed under these claims.
    :ivar clock: what the server's clock says, in milliseconds.
    :ivar noted: the time that was noted last.
    """

    xid: str
    sequence: int
    clock: int
    noted: int


class Nothing:
    """The rows of what cannot be there."""

    rowcount = 0

    def fetchone(self) -> None:
        """No row."""

    def fetchall(self) -> list[Row]:
        """No rows."""
        return []


class Rows:
    """Rows as one session has them, in one transaction after the other; :meth:`begin` is called before each.

    Statements are sent as they are asked for, and waited for where their rows are fetched: all that were sent by then take one round trip.

    :ivar touches_bytes: whether the transaction names blobs, or gives up names of some: others count on its end.
    """

    is_alone = False

    def __init__(self, session: Session, times: Times) -> None:
        self._session = session
        self._times = times
        self.usage = Usage()
        self.begin()

    def begin(self) -> None:
        """Another transaction begins: forget what was found, claimed and counted."""
        self._now: int | None = None
        self._held = Held()
        self._asked: Any = None
        self._mark: Mark | None = None
        self._next = self._end = 0
        self._ahead: dict[tuple[str, Sequence[Any]], Any] = {}
        self.touches_bytes = False
        self.usage.forget()

    def _execute(self, statement: str, parameters: Sequence[Any] = ()) -> Any:
        """Send a statement, whose values take the places ``$1``, ``$2`` and so on.

        :return: a cursor, which waits when rows are fetched from it. Of a name that no text of PostgreSQL's is, as it has NUL, there are no rows.
        :raises psycopg.Error: also of a statement before, which nobody waited for.
        """
        if self._ahead:
            sent = self._sent_ahead(statement, parameters)
            if sent is not None:
                return sent
        try:
            return self._session.ask(statement, parameters)
        except DataError:
            if any(isinstance(each, str) and "\0" in each for each in parameters):
                return Nothing()
            raise

    def _send_ahead(self, statement: str, parameters: tuple[Any, ...]) -> None:
        """Send a SELECT that is likely to be asked for next; who asks for it finds it, unless something was changed meanwhile."""
        if len(self._ahead) < AHEAD:
            # What is no text is found out when it is asked for.
            with suppress(DataError):
                cursor = self._session.ask(statement, parameters)
                self._ahead[statement, parameters] = cursor

    def _sent_ahead(self, statement: str, parameters: Sequence[Any]) -> Any:
        if not statement.startswith("SELECT"):
            self._ahead.clear()
            return None
        try:
            return self._ahead.pop((statement, parameters), None)
        except TypeError:  # of a list, which nobody sends ahead
            return None

    def _count(self, statement: str, parameters: Sequence[Any] = ()) -> int:
        """How many rows a statement changes; waits for it."""
        cursor = self._execute(f"{statement} RETURNING 1", parameters)
        return len(cursor.fetchall())

    def _send_all(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        """Send a statement for each of some rows; nobody waits for them."""
        self._ahead.clear()
        for row in rows:
            self._session.change(statement, row)

    def _rewrite(self, table: Table[Any], row: Row, **changed: object) -> None:
        """Change columns of a row, and have it agree with its check.

        :param row: as it was read, and known to agree.
        """
        self._ahead.clear()
        values = {**dict(zip(table.columns, row, strict=False)), **changed}
        stored = {**changed, "checked": table.check(*values.values())}
        columns = [f"{quoted(name)} = ${at}" for at, name in enumerate(stored, 1)]
        key = enumerate(table.key, len(stored) + 1)
        place = " AND ".join([f"{quoted(name)} = ${at}" for at, name in key])
        self._session.change(
            f"UPDATE {table.name} SET {', '.join(columns)} WHERE {place}",
            (*stored.values(), *row[: len(table.key)]),
        )

    def claim(self, *claims: Claim) -> bool:
        """See :class:`~ozgate.interfaces.IClaims`. Nobody waits here: what is asked for next is run once the locks are held."""
        missing = self._held.missing(claims)
        if missing:
            if any(claim.kind not in WITHIN for claim in missing):
                self._ahead.clear()
            self._take(missing)
            self._follow(missing)
        return bool(missing)

    def _take(self, claims: Sequence[Claim]) -> None:
        numbers = [lock_number(each) for each in claims]
        shared = [each.shared for each in claims]
        self._asked = self._execute(_CLAIM, (numbers, shared))
        self._next = self._end = 0

    def _follow(self, claims: Sequence[Claim]) -> None:
        """Claims were sent: send for what is likely to be asked for next, while nobody waits yet."""

    def marked(self) -> Mark:
        """What the transaction was told with its claims; waits where it was not yet."""
        if self._asked is None and self._mark is None:
            self._take(())
        if self._asked is not None:
            asked, self._asked = self._asked, None
            mark = self._mark = Mark(*asked.fetchone())
            self._next, self._end = mark.sequence, mark.sequence + STEP
        assert self._mark is not None
        return self._mark

    def now(self) -> int:
        """See :meth:`~ozgate.interfaces.IMetadataTransaction.now`."""
        if self._now is None:
            _, _, *said = self.marked()
            self._now = self._times.now(*said)
        return self._now

    def next_sequence(self) -> int:
        """See :meth:`~ozgate.interfaces.IMetadataTransaction.next_sequence`."""
        self.marked()
        if self._next == self._end:
            self._take(())
            self.marked()
        number = self._next
        self._next += 1
        return number

    def finish(self) -> str:
        """Store what was only counted, before the commit.

        :return: the number of the transaction.
        """
        mark = self.marked()
        self.usage.store(self._session.change)
        if self._now is not None and is_to_be_noted(self._now, mark.noted):
            self._session.change(_NOTE, (self._now, LEAD))
        return mark.xid


class ReadingRows(Rows):
    """Likewise, where nothing is to be changed."""

    def now(self) -> int:
        """See :meth:`~ozgate.interfaces.IMetadataTransaction.now`."""
        if self._now is None:
            self._now = self._times.now(*self._execute(_TIME).fetchone())
        return self._now
