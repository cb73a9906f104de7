"""Frames: runs of bytes, each with a number, over a stream between two processes of one service."""

from __future__ import annotations

import socket
from struct import Struct

from twisted.internet.interfaces import IAddress, IReactorSocket
from twisted.internet.protocol import Protocol, ServerFactory

_HEAD = Struct("<QQ")
"""Bytes of what follows, and its number."""


class Frames(Protocol):
    """One end of a connection."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._missing = _HEAD.size

    def join(self, reactor: IReactorSocket, end: socket.socket) -> None:
        """Speak over a connected stream socket, which is this one's from now on."""
        end.setblocking(False)
        try:
            # What it makes has a descriptor of its own.
            reactor.adoptStreamConnection(end.fileno(), end.family, _Only(self))
        finally:
            end.close()

    def send(self, number: int, payload: bytes) -> None:
        """Send a frame."""
        self.transport.writeSequence((_HEAD.pack(len(payload), number), payload))  # type: ignore[union-attr]

    def dataReceived(self, data: bytes) -> None:
        """Take bytes; what makes no whole frame is kept as it came until the rest of it is here."""
        self._parts.append(data)
        self._missing -= len(data)
        if self._missing > 0:
            return
        data = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        at, end = 0, _HEAD.size
        while end <= len(data):
            length, number = _HEAD.unpack_from(data, at)
            if end + length > len(data):
                end += length
                break
            self.frame_received(number, memoryview(data)[end : end + length])
            at = end + length
            end = at + _HEAD.size
        self._parts = [data[at:]] if at < len(data) else []
        self._missing = end - len(data)

    def frame_received(self, number: int, payload: memoryview) -> None:
        """A frame is here."""
        raise NotImplementedError


class _Only(ServerFactory):
    """Gives a connection the protocol that was made for it."""

    noisy = False

    def __init__(self, protocol: Protocol) -> None:
        self._protocol = protocol

    def buildProtocol(self, addr: IAddress | None) -> Protocol:
        """It."""
        return self._protocol
