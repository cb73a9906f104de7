"""Talking to a site in memory until it closes: what is said comes in pieces, and the clock runs only when nothing else can."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twisted.internet.interfaces import IHalfCloseableProtocol, IProtocolFactory
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure
from zope.interface import implementer

from ozgate.testing.inmemory import CLIENT, join, settle

_PATIENCE = 200
"""Seconds after which every deadline of a connection is over."""


@implementer(IHalfCloseableProtocol)
class _Talk(Protocol):
    """Says its pieces, half-closes unless it is about to go, and listens to the end."""

    def __init__(self, pieces: Sequence[bytes], going: bool) -> None:
        self.heard = bytearray()
        self.over = False
        self._pieces = pieces
        self._going = going

    def connectionMade(self) -> None:
        transport: Any = self.transport
        for piece in self._pieces:
            transport.write(piece)
        if not self._going:
            transport.loseWriteConnection()

    def go(self) -> None:
        """Close without a word."""
        transport: Any = self.transport
        transport.abortConnection()

    def dataReceived(self, data: bytes) -> None:
        self.heard += data

    def readConnectionLost(self) -> None:
        """The connection's end follows."""

    def writeConnectionLost(self) -> None:
        """We said all."""

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.over = True


def hear(
    site: IProtocolFactory,
    clock: MemoryReactorClock,
    pieces: Sequence[bytes],
    going: bool = False,
) -> bytes:
    """Everything that a site says until it closes.

    :param going: whether the client cuts the connection when it has had what is answered at once.
    :raises AssertionError: it does not close, or leaves a timer.
    """
    client, server = _Talk(pieces, going), site.buildProtocol(CLIENT)
    assert server is not None
    join(clock, server, client)
    settle(clock)
    if going and not client.over:
        client.go()
        settle(clock)
    for _ in range(_PATIENCE // 10):
        if client.over:
            break
        clock.advance(10)
        settle(clock)
    assert client.over, "the connection hangs"
    assert not clock.getDelayedCalls(), clock.getDelayedCalls()
    return bytes(client.heard)
