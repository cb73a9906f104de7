"""The connections that wait for a request, or for the rest of one's head: those to spare when newcomers find no room."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorTime

    from .channel import GatewayChannel

GRACE = 1.0
"""Seconds that a head has to come in, from its first byte, and a client for the last of an answer, before it is to spare."""


class Waiting:
    """Knows which connection has waited longest.

    Told of each beginning of a wait, and not of its end: what works again is found out when somebody asks.
    """

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._since: OrderedDict[GatewayChannel, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._since)

    def add(self, channel: GatewayChannel) -> None:
        """It waits from now on."""
        self._since[channel] = self._clock.seconds()
        self._since.move_to_end(channel)

    def discard(self, channel: GatewayChannel) -> None:
        """It is gone."""
        self._since.pop(channel, None)

    def take(self) -> GatewayChannel | None:
        """The one that has waited longest, which is forgotten here; ``None`` where none has for long enough."""
        while self._since:
            channel, since = next(iter(self._since.items()))
            waits = channel.waits
            if waits and self._clock.seconds() - since < GRACE:
                break
            del self._since[channel]
            if waits:
                return channel
        return None
