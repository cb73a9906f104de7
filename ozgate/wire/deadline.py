"""The one timer of a connection: what it waits for now, and until when."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall, IReactorTime

IDLE = "idle"  # between requests
HEAD = "head"  # a head has begun
BODY = "body"  # a body is being read for its consumer
DRAIN = "drain"  # a body is being read for nobody
WORK = "work"  # an operation works, or we pause: no deadline
WRITE = "write"  # something is unsent
LINGER = "linger"  # answered and half-closed; what the client still sends is dropped
FLUSH = "flush"  # to be closed when all is sent


class Deadline:
    """Calls a function when a phase has lasted too long.

    Phases change several times a request, so that ending one only moves a number: a busy connection costs
    the reactor one timer a window, not one a request.

    :ivar phase: one of this module's constants.
    """

    __slots__ = ("_call", "_clock", "_due", "_overdue", "_set_for", "phase")

    def __init__(self, clock: IReactorTime, overdue: Callable[[str], None]) -> None:
        """
        :param overdue: called with the phase that has lasted too long; the phase stays until it is changed.
        """
        self._clock = clock
        self._overdue = overdue
        self._call: IDelayedCall | None = None
        self._due = self._set_for = inf
        self.phase = WORK

    def begin(self, phase: str, seconds: float) -> None:
        """Enter a phase, anew if it is the same, that may last so many seconds."""
        self.phase = phase
        self._due = due = self._clock.seconds() + seconds
        if self._call is None:
            self._set(seconds)
        elif self._set_for > due:
            # Not reset: the reactor would look through all its timers for this one.
            self._call.cancel()
            self._set(seconds)

    def rest(self) -> None:
        """Enter :data:`WORK`, which may last for ever."""
        self.phase = WORK
        self._due = inf

    def close(self) -> None:
        """Call nothing any more, and let go of who would have been called: a connection is freed as it ends."""
        self.rest()
        self._overdue = _ignore
        call, self._call = self._call, None
        if call is not None:
            call.cancel()

    def _set(self, seconds: float) -> None:
        self._call = self._clock.callLater(seconds, self._tick)
        self._set_for = self._due

    def _tick(self) -> None:
        self._call = None
        if self._due == inf:
            return
        left = self._due - self._clock.seconds()
        if left > 0:
            self._set(left)
        else:
            self._overdue(self.phase)


def _ignore(phase: str) -> None:
    """Nobody waits any more."""
