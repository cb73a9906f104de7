"""Rows of the outbox."""

from __future__ import annotations

from collections.abc import Sequence

from ...values import Event
from ..declared.columns import Row
from ..declared.conversions import event_of, event_text
from ..declared.rowchecks import damaged
from ..declared.tables import EVENTS
from .base import Rows
from .locks import EVENTS as EVENTS_LOCK
from .statements import Statements

_EVENTS = Statements(EVENTS)


class EventRows(Rows):
    """Events; see :class:`~ozgate.interfaces.IEvents`.

    They get their numbers right before the commit, one transaction after the other: one that comes later would have a number that whoever reads
    events has passed already.
    """

    def begin(self) -> None:
        """Another transaction begins."""
        super().begin()
        self._noted: list[Event] = []

    def note_event(self, event: Event) -> None:
        """Add an event."""
        self._noted.append(event)

    def finish(self) -> str:
        """Store what was noted, too."""
        self._store_noted()
        return super().finish()

    def _store_noted(self) -> None:
        noted, self._noted = self._noted, []
        if noted:
            self._execute("SELECT pg_advisory_xact_lock($1)", (EVENTS_LOCK,))
            self._take(())
            for event in noted:
                row = EVENTS.row(self.next_sequence(), event_text(event))
                self._execute(_EVENTS.insert, row)

    def events(self, after: int, limit: int) -> Sequence[Event]:
        """Events in order.

        :raises Damaged: one of them is.
        """
        self._store_noted()
        rows = self._execute(
            f"SELECT {_EVENTS.select} FROM events WHERE sequence > $1"
            " ORDER BY sequence LIMIT $2",
            (after, limit),
        ).fetchall()
        return [_event_of(row) for row in rows]

    def forget_events(self, upto: int) -> None:
        """Remove events."""
        self._store_noted()
        self._execute("DELETE FROM events WHERE sequence <= $1", (upto,))


def _event_of(row: Row) -> Event:
    if not EVENTS.agrees(row):
        raise damaged("events", row[0])
    return event_of(*row[:2])
