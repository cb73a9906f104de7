"""Turns at hashing what is stored: a few at once, and none of a user's requests keeps another user waiting.

A request of some hundred bytes can ask for gigabytes to be hashed. So that work is cut into pieces, and each needs a turn.
Users have turns one after the other, as long as any of their requests wait; of one user the request that came first goes on first, so
that it ends before its client loses patience. When too many wait, the last request of the user who has most of them is refused.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred

from ..errors import SlowDown

if TYPE_CHECKING:
    from ..config.settings import Settings

WAITING = "hashing-waiting"
"""What a limit is of: the last word of its key, and the label of its metric."""


class Turns:
    """Who may hash.

    :ivar in_flight: turns that are taken.
    :ivar waiting: requests that wait for one.
    :param settings: with the limits.
    :param refused: called with :data:`WAITING` for each request that is one too many.
    """

    def __init__(
        self, settings: Settings, refused: Callable[[str], None] = lambda reason: None
    ) -> None:
        self.in_flight = 0
        self.waiting = 0
        self._refused = refused
        self._granting = False
        self._lines: dict[str, list[Work]] = {}
        self.take_up(settings)

    def take_up(self, settings: Settings) -> None:
        """Hold requests to other limits, from their next turn on."""
        # The threads are for the bytes of other requests too.
        few = min(len(os.sched_getaffinity(0)), max(settings.threads // 2, 1))
        self._at_once = settings.limit_hashing or few
        self._of_one_user = settings.limit_hashing_user or max(self._at_once // 2, 1)
        self._most_waiting = settings.limit_hashing_waiting
        self._grant()

    def join(self, user: str) -> Work:
        """Line up a request; it must :meth:`~Work.leave`."""
        work = Work(self, user)
        self._lines.setdefault(user, []).append(work)
        return work

    def wait(self, work: Work) -> None:
        """A request wants a turn; if it had one, there may be who came meanwhile."""
        self.waiting += 1
        # Who waits already keeps the place: else users of whom more and more requests come would never have their turn.
        if not work.new or sum(each.waits for each in self._lines[work.user]) == 1:
            self._pass_by(work)
        self._grant()
        most = self._most_waiting
        if most and self.waiting > most and work.waits and work.new:
            self._refuse(work)

    def leave(self, work: Work) -> None:
        """A request wants no more turns."""
        line = self._lines[work.user]
        line.remove(work)
        if not line:
            del self._lines[work.user]
        self._grant()

    def _grant(self) -> None:
        """Give the turns that are to be had; whoever takes one may be through with it at once."""
        if self._granting:
            return
        self._granting = True
        try:
            while self.in_flight < self._at_once:
                work = self._next()
                if work is None:
                    break
                self._pass_by(work)
                work.begin()
        finally:
            self._granting = False

    def _pass_by(self, work: Work) -> None:
        """Let its user have the next turn after everybody who is there."""
        self._lines[work.user] = self._lines.pop(work.user)

    def _next(self) -> Work | None:
        """The request whose turn it is."""
        for line in self._lines.values():
            if sum(work.runs for work in line) < self._of_one_user:
                for work in line:
                    if work.waits:
                        return work
        return None

    def _refuse(self, newest: Work) -> None:
        """Refuse a request that has not had a turn yet: the last one of who has most that wait, and of several such the newest's user."""

        def count(user: str) -> tuple[int, bool]:
            return sum(work.waits for work in self._lines[user]), user == newest.user

        line = self._lines[max(self._lines, key=count)]
        fresh = [work for work in line if work.waits and work.new]
        self._refused(WAITING)
        (fresh[-1] if fresh else newest).refuse()


class Work:
    """One request's place among those who hash.

    :ivar user: whose it is.
    :ivar runs: whether it has a turn.
    :ivar new: whether it has had none yet.
    """

    def __init__(self, turns: Turns, user: str) -> None:
        self.user = user
        self.runs = False
        self.new = True
        self._turns = turns
        self._waiting: Deferred[None] | None = None
        self._left = False

    @property
    def waits(self) -> bool:
        """Whether it wants a turn."""
        return self._waiting is not None

    def turn(self) -> Deferred[None]:
        """Give back the turn that it has, and wait for the next. Cancelling ends the wait.

        :return: fires when it has come, at once where nobody else waits; fails with ``SlowDown`` when too many do.
        """
        self._stop()
        turn: Deferred[None] = Deferred(self._give_up)
        self._waiting = turn
        self._turns.wait(self)
        return turn

    def leave(self) -> None:
        """Want no more turns. Idempotent."""
        self._stop()
        self._take()
        if not self._left:
            self._left = True
            self._turns.leave(self)

    def begin(self) -> None:
        """Its turn has come."""
        turn = self._take()
        self.runs, self.new = True, False
        self._turns.in_flight += 1
        if turn is not None:
            turn.callback(None)

    def refuse(self) -> None:
        """Its turn will not come."""
        turn = self._take()
        if turn is not None:
            turn.errback(SlowDown())

    def _give_up(self, cancelled: Deferred[None]) -> None:
        self._take()

    def _stop(self) -> None:
        if self.runs:
            self.runs = False
            self._turns.in_flight -= 1

    def _take(self) -> Deferred[None] | None:
        """What fires at its turn, which nobody waits for any more."""
        turn, self._waiting = self._waiting, None
        if turn is not None:
            self._turns.waiting -= 1
        return turn
