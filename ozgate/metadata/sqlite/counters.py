"""Time that never goes back, and numbers that never repeat."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from threading import Lock

RESERVED = 1 << 20
"""Sequence numbers reserved at once. What is left of them at a stop or a crash is never used."""

LOW = 1 << 16
"""Reserve more when fewer are left: more than one batch of interactions can use."""


LEAD = 86_400_000
"""Milliseconds that time stands still at most when the wall clock is set back: one day."""


MOST = 1 << 62
"""More than is ever reserved. What a damaged row has that is more, or no number, which for SQLite is more, is not counted."""


def _highest(*columns: str) -> str:
    """A statement: the highest number in any of these columns, each written as ``table.column``."""
    each = [
        f"(SELECT COALESCE(MAX({column}), 0) FROM {column.partition('.')[0]} WHERE {column} < {MOST})"
        for column in columns
    ]
    return f"SELECT CAST(MAX({', '.join(each)}) AS INTEGER)"


_USED = _highest("bodies.sequence", "extents.owner", "events.sequence")
_AFTER_ALL = _highest("versions.sequence", "parts.owner")
"""Costs a walk through everything: for a counter that holds no number, or is gone."""


class Times:
    """Milliseconds of a clock, not less than given before. Safe in several threads.

    The wall clock may be set back; order among versions comes from sequences, so this only keeps
    times sane within one run and, as the highest time is stored with each reservation of sequences
    and at closing, across orderly restarts. A clock that is set back by more than a day was wrong before, and is
    followed: standing still until it comes round again, nothing would expire or be swept.
    """

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._lock = Lock()
        self._last = 0

    def now(self) -> int:
        """The time, in milliseconds since the epoch."""
        with self._lock:
            wall = int(self._seconds() * 1000)
            if not wall < self._last <= wall + LEAD:
                self._last = wall
            return self._last

    def at_least(self, milliseconds: int) -> None:
        """Give no time before this one again, as :meth:`now` does with those it gave."""
        with self._lock:
            self._last = max(self._last, milliseconds)


def _counter(connection: sqlite3.Connection, name: str) -> object:
    """The value of a counter; ``None`` when there is none, or it has another name now, or holds no number."""
    row = connection.execute(
        "SELECT value FROM counters WHERE name = ? AND typeof(value) = 'integer'",
        (name,),
    ).fetchone()
    return None if row is None else row[0]


class Sequences:
    """Increasing numbers, reserved in the database by the million.

    A number is handed out without touching the database, even if the interaction that took it rolls back; so they increase but do
    not count.

    Several processes may write. SQLite lets one transaction write at a time, and each looks first whether the counter is
    where this process left it. Where it is not, others wrote in between, and the numbers that are left here are smaller than
    theirs: new ones are reserved, and the time is learned. A process that met others stores the time with each commit. One that is
    alone does so with each reservation only: should the clock be set back just then, the first commit of another may be behind.
    """

    def __init__(self, times: Times) -> None:
        self._times = times
        self._next = 1
        self._committed_end = 1
        self._end = 1
        self._seen: object = None
        self._is_alone = True

    def load(self, connection: sqlite3.Connection) -> None:
        """Begin after everything that was ever reserved.

        Also after what bytes and events are kept by, should the counter be damaged: what is new must not look older.
        """
        sequence, last = (_counter(connection, name) for name in ("sequence", "time"))
        self._seen = sequence
        (used,) = connection.execute(_USED).fetchone()
        if not isinstance(sequence, int) or sequence >= MOST:
            (last_used,) = connection.execute(_AFTER_ALL).fetchone()
            sequence = last_used + 1
        self._next = max(self._next, sequence, used + 1)
        self._end = self._committed_end = self._next
        self._times.at_least(last if isinstance(last, int) else 0)

    def next(self) -> int:
        """The next number."""
        if self._next >= self._end:
            raise RuntimeError("one transaction used up all reserved sequence numbers")
        number = self._next
        self._next += 1
        return number

    def begin(self, connection: sqlite3.Connection) -> None:
        """In a transaction that has just begun, see that there are numbers for it, larger than all that were committed."""
        if _counter(connection, "sequence") != self._seen:
            self.load(connection)
            self._is_alone = False
        if self._end - self._next < LOW:
            self._end = max(self._end, self._next) + RESERVED
            self._store(connection, self._end)

    def end(self, connection: sqlite3.Connection) -> None:
        """In a transaction that is about to be committed, keep its time for others who write."""
        if not self._is_alone:
            self._store(connection, self._end)

    def committed(self) -> None:
        """The transaction was committed, and so is what it reserved."""
        self._seen = self._committed_end = self._end

    def rolled_back(self) -> None:
        """The transaction was not committed, and so is not what it reserved."""
        self._end = self._committed_end

    def give_back(self, connection: sqlite3.Connection) -> None:
        """At an orderly end, keep the time, and give unused numbers back unless others have reserved some since."""
        connection.execute("BEGIN IMMEDIATE")
        if _counter(connection, "sequence") != self._seen:
            self.load(connection)
        self._store(connection, self._next)
        connection.execute("COMMIT")

    def _store(self, connection: sqlite3.Connection, sequence: int) -> None:
        connection.executemany(
            "INSERT OR REPLACE INTO counters (name, value) VALUES (?, ?)",
            (("sequence", sequence), ("time", self._times.now())),
        )
