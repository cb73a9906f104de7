"""Rows of the outbox."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import asdict, evolve

from ...values import Cause, Event
from .base import Rows
from .rowchecks import check_of_event, damaged
from .rows import encode, scan


class EventRows(Rows):
    """Events; see :class:`~ozgate.interfaces.IEvents`."""

    def note_event(self, event: Event) -> None:
        """Add an event."""
        sequence = self.next_sequence()
        text = encode(asdict(event))
        self._execute(
            "INSERT INTO events (sequence, event, checked) VALUES (?, ?, ?)",
            (sequence, text, check_of_event(sequence, text)),
        )

    def events(self, after: int, limit: int) -> Sequence[Event]:
        """Events in order.

        :raises Damaged: one of them is.
        """
        rows = self._execute(
            "SELECT sequence, event, checked FROM events WHERE sequence > ?"
            " ORDER BY sequence LIMIT ?",
            (after, limit),
        ).fetchall()
        return [_event_of(*row) for row in rows]

    def forget_events(self, upto: int) -> None:
        """Remove events."""
        self._execute("DELETE FROM events WHERE sequence <= ?", (upto,))


def _event_of(sequence: int, text: str, checked: int) -> Event:
    if checked != check_of_event(sequence, text):
        raise damaged("events", sequence)
    members = scan(text)[0]
    event = Event(**{**members, "cause": Cause(**members["cause"])})
    return evolve(event, sequence=sequence)
