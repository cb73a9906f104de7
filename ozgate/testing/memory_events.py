"""The outbox of the memory provider."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import evolve

from ..values import Event
from .memory_state import Rows


class EventRows(Rows):
    """Events; see :class:`~ozgate.interfaces.IEvents`."""

    def note_event(self, event: Event) -> None:
        """Add an event."""
        sequence = self.next_sequence()
        self._written().events[sequence] = evolve(event, sequence=sequence)

    def events(self, after: int, limit: int) -> Sequence[Event]:
        """Events in order."""
        later = [each for each in sorted(self._state.events) if each > after]
        return [self._state.events[each] for each in later[:limit]]

    def forget_events(self, upto: int) -> None:
        """Remove events."""
        events = self._written().events
        self._claims.check_lease()
        for sequence in [each for each in events if each <= upto]:
            del events[sequence]
