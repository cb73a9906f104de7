"""Two clocks: one that people set, and one that nobody does.

Twisted times its delayed calls by the wall clock. Set back an hour, it makes each of them an hour late, those among them
that were to be made at once; set forward, it ends every wait there is. So delayed calls go by the monotonic clock
here, and only what must know the date asks the wall clock.
"""

from __future__ import annotations

import time
from typing import Any

from twisted.python import runtime
from zope.interface import directlyProvides, providedBy


class _Steady:
    """Seconds that go on from the wall clock's when this is made, whatever becomes of that."""

    def __init__(self) -> None:
        self._began = runtime.seconds() - time.monotonic()

    def __call__(self) -> float:
        return self._began + time.monotonic()


class Dated:
    """A reactor for whoever dates things: its ``seconds`` are the wall clock's, all else is as it was."""

    def __init__(self, reactor: Any, seconds: Any) -> None:
        self._reactor = reactor
        self.seconds = seconds
        directlyProvides(self, providedBy(reactor))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reactor, name)


def dated(reactor: Any) -> Any:
    """Have a reactor time its delayed calls by the monotonic clock from now on; idempotent.

    Its own ``seconds`` go on from where they are, so that what waits already is called when it is due.

    :return: the same reactor with the wall clock's ``seconds``; a clock in memory, which is both, itself.
    """
    if reactor.seconds is runtime.seconds:
        reactor.seconds = _Steady()
    if isinstance(reactor.seconds, _Steady):
        return Dated(reactor, runtime.seconds)
    return reactor
