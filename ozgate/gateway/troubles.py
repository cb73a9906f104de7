"""What is amiss for a while, said once: a line in the log when it begins, and one when it is over.

A full disk, or a store that does not answer, is no fault of the program: each request that meets it says the same, and
nobody is helped by where in the code it was met.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf

from attrs import define, field
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from ..errors import NoSpace, StoreError, Unavailable, Uncertain

REST = 60.0
"""Seconds from one beginning that is said to the next of the same kind: what comes and goes shall not fill the log."""

MOST = 16
"""Reasons that are said of one trouble; a full disk needs no more than one."""

BEGINS: dict[type[StoreError], str] = {
    NoSpace: "the disk is full, and what adds to it is refused: {reason}",
    Unavailable: "a store does not do what it is asked: {reason}",
    Uncertain: "a store failed, and whether it did what it was asked is not known: {reason}",
}
"""What is expected to happen, and what is said of it."""

ENDS: dict[type[StoreError], str] = {
    NoSpace: "there is room on the disk again, after {seconds} seconds; {count} times there was none",
    Unavailable: "the stores do what they are asked again, after {seconds} seconds and {count} failures",
    Uncertain: "the stores answer again, after {seconds} seconds and {count} failures",
}


@define
class _Trouble:
    """One that lasts."""

    began: float
    said: bool
    count: int = 0
    reasons: set[str] = field(factory=set)


class Troubles:
    """Those that last.

    :param clock: tells how long.
    """

    _log = Logger()

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._there: dict[type[StoreError], _Trouble] = {}
        self._said: dict[type[StoreError], float] = {}

    def tell(self, error: BaseException) -> bool:
        """Say an error, unless that was done.

        :return: whether it is one of those that are expected; what is not has to be looked into.
        """
        kind = next((each for each in BEGINS if isinstance(error, each)), None)
        if kind is None:
            return False
        self.met(kind, str(error) or kind.__name__)
        return True

    def met(self, kind: type[StoreError], reason: str) -> None:
        """Say that there is trouble of a kind, unless that was done."""
        now = self._clock.seconds()
        trouble = self._there.get(kind)
        if trouble is None:
            said = now - self._said.get(kind, -inf) >= REST
            trouble = self._there[kind] = _Trouble(now, said)
            if said:
                self._said[kind] = now
        trouble.count += 1
        count, most = len(trouble.reasons), 1 if kind is NoSpace else MOST
        if trouble.said and count < most and reason not in trouble.reasons:
            trouble.reasons.add(reason)
            self._log.error(BEGINS[kind], reason=reason)

    def __bool__(self) -> bool:
        return bool(self._there)

    def lasts(self, kind: type[StoreError]) -> bool:
        """Whether there is trouble of a kind."""
        return kind in self._there

    def over(self, kind: type[StoreError]) -> None:
        """Say that there is none of a kind any more, where its beginning was said."""
        trouble = self._there.pop(kind, None)
        if trouble is not None and trouble.said:
            seconds = round(self._clock.seconds() - trouble.began)
            self._log.info(ENDS[kind], seconds=seconds, count=trouble.count)


class ToldTroubles(Troubles):
    """Those of a process that is one of several: another, which hears of all of theirs, says each once.

    :param tell: called with ``met``, a kind and a reason, or with ``over`` and a kind.
    """

    def __init__(self, clock: IReactorTime, tell: Callable[..., object]) -> None:
        super().__init__(clock)
        self._tell = tell
        self._met: set[type[StoreError]] = set()

    def met(self, kind: type[StoreError], reason: str) -> None:
        """See :meth:`Troubles.met`."""
        self._met.add(kind)
        self._tell("met", kind, reason)

    def __bool__(self) -> bool:
        return bool(self._met)

    def lasts(self, kind: type[StoreError]) -> bool:
        """See :meth:`Troubles.lasts`."""
        return kind in self._met

    def over(self, kind: type[StoreError]) -> None:
        """See :meth:`Troubles.over`."""
        if kind in self._met:
            self._met.discard(kind)
            self._tell("over", kind)
