"""Rows of the outbox."""

from __future__ import annotations

from collections.abc import Sequence

from ...values import Event
from ..declared.columns import Row
from ..declared.conversions import event_of, event_text
from ..declared.rowchecks import damaged
from ..declared.tables import EVENTS
from .base import Rows


class EventRows(Rows):
    """Events; see :class:`~ozgate.interfaces.IEvents`."""

    def note_event(self, event: Event) -> None:
        """Add an event."""
        row = EVENTS.row(self.next_sequence(), event_text(event))
        self._execute(EVENTS.insert, row)

    def events(self, after: int, limit: int) -> Sequence[Event]:
        """Events in order.

        :raises Damaged: one of them is.
        """
        rows = self._execute(
            f"SELECT {EVENTS.select} FROM events WHERE sequence > ?"
            " ORDER BY sequence LIMIT ?",
            (after, limit),
        ).fetchall()
        return [_event_of(row) for row in rows]

    def forget_events(self, upto: int) -> None:
        """Remove events."""
        self._execute("DELETE FROM events WHERE sequence <= ?", (upto,))


def _event_of(row: Row) -> Event:
    if not EVENTS.agrees(row):
        raise damaged("events", row[0])
    return event_of(*row[:2])
