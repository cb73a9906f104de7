"""Connections for what is read and sent on as it comes: so many at a time, and who waits for one gets that of a reader who is slow.

A slow reader needs no connection while what was read for him has not gone; he has one again, in his turn, when it has. So any number of them
leave room for others.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime

_LOOK = 0.25
"""Seconds after which it is looked again whether somebody is slow, while somebody waits."""


class Turn:
    """The use of one connection.

    :ivar since: when it began, by the reactor's clock.
    """

    def __init__(self, turns: Turns, since: float) -> None:
        self.since = since
        self._turns: Turns | None = turns
        self._give_back: Callable[[], object] | None = None

    @property
    def is_over(self) -> bool:
        """Whether it was released."""
        return self._turns is None

    def pause(self, give_back: Callable[[], object]) -> None:
        """The connection stands still for now.

        :param give_back: called when somebody else needs it; releases this.
        """
        self._give_back = give_back
        if self._turns is not None:
            self._turns.stands(self)

    def resume(self) -> None:
        """It does not, any more."""
        self._give_back = None
        if self._turns is not None:
            self._turns.goes(self)

    def give_back(self) -> None:
        """Have it given back."""
        if self._give_back is not None:
            self._give_back()

    def release(self) -> None:
        """End it. Idempotent."""
        turns, self._turns = self._turns, None
        self._give_back = None
        if turns is not None:
            turns.ended(self)


class Turns:
    """See the module.

    :param count: connections at a time.
    :ivar patience: seconds that everybody keeps a connection for at least; more than a reader stands still for who is not slow.
    """

    def __init__(self, reactor: IReactorTime, count: int) -> None:
        self.patience = 1.0
        self._reactor = reactor
        self._left = count
        self._waiting: deque[Deferred[Turn]] = deque()
        # Those that stand still, in the order in which they began to.
        self._standing: dict[Turn, None] = {}
        self._look_later: IDelayedCall | None = None

    @property
    def are_free(self) -> bool:
        """Whether the next one need not wait."""
        return self._left > 0

    def acquire(self) -> Deferred[Turn]:
        """Wait for a connection.

        :return: fires with the turn, which is to be released. Cancelling waits no longer.
        """
        if self._left:
            self._left -= 1
            turn: Deferred[Turn] = Deferred()
            turn.callback(Turn(self, self._reactor.seconds()))
            return turn
        waiter: Deferred[Turn] = Deferred(self._leave)
        self._waiting.append(waiter)
        if self._look_later is None:
            self._look()
        return waiter

    def stands(self, turn: Turn) -> None:
        """A connection stands still."""
        self._standing.setdefault(turn)

    def goes(self, turn: Turn) -> None:
        """It does not, any more."""
        self._standing.pop(turn, None)

    def ended(self, turn: Turn) -> None:
        """A turn is over: the next one's has come."""
        self._standing.pop(turn, None)
        if not self._waiting:
            self._left += 1
            return
        waiter = self._waiting.popleft()
        self._see_waiting()
        waiter.callback(Turn(self, self._reactor.seconds()))

    def _leave(self, waiter: Deferred[Turn]) -> None:
        """Somebody waits no longer."""
        self._waiting.remove(waiter)
        self._see_waiting()

    def _see_waiting(self) -> None:
        if not self._waiting and self._look_later is not None:
            self._look_later.cancel()
            self._look_later = None

    def _look(self) -> None:
        """Take the connections of as many as wait, from those who have stood still for longest."""
        self._look_later = None
        before = self._reactor.seconds() - self.patience
        slow = [turn for turn in self._standing if turn.since <= before]
        for turn in slow[: len(self._waiting)]:
            turn.give_back()
        if self._waiting and self._look_later is None:
            self._look_later = self._reactor.callLater(_LOOK, self._look)
