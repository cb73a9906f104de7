"""The end of a worker: sends the writes of one turn together, and tells what came of them."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any, Protocol

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.interfaces import IDelayedCall, IReadWriteDescriptor
from twisted.internet.main import CONNECTION_DONE, CONNECTION_LOST
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from ...errors import Unavailable, Uncertain
from .frames import Frames
from .packing import Outcome, Sent, packed, unpacked

UNDER_WAY = 256
"""Writes sent and not answered at most; what is more waits here. With the largest bodies that rows have, 16 MiB in the process that writes."""

_GONE = "the process that writes metadata is gone"


class Reactor(Protocol):
    """What is asked of the reactor, as :class:`~twisted.internet.interfaces.IReactorTime` and
    :class:`~twisted.internet.interfaces.IReactorFDSet` have it."""

    def callLater(self, delay: float, f: Callable[[], object]) -> IDelayedCall:
        """Call it later."""

    def addReader(self, reader: IReadWriteDescriptor) -> None:
        """Tell it when there is something to read."""

    def removeReader(self, reader: IReadWriteDescriptor) -> None:
        """No more."""

    def addWriter(self, writer: IReadWriteDescriptor) -> None:
        """Tell it when there is room to write."""

    def removeWriter(self, writer: IReadWriteDescriptor) -> None:
        """No more."""


@implementer(IReadWriteDescriptor)
class WritesSent:
    """Writes of this process, run by the one that writes.

    :param reactor: in whose turns they are gathered.
    :param at_least: called before anybody is told what came of a write, with a time in milliseconds that the store's is not behind.
    :ivar lost: fires with ``None`` when the connection has ended and nobody here has ended it.
    """

    _log = Logger()

    def __init__(self, reactor: Reactor, at_least: Callable[[int], None]) -> None:
        self._reactor = reactor
        self._at_least = at_least
        self._gathered: list[tuple[Deferred[Any], Sent]] = []
        self._sending: IDelayedCall | None = None
        self._under_way: dict[int, list[Deferred[Any]]] = {}
        self._count = 0
        self._number = 0
        self._frames: Frames | None = None
        self._ending: Deferred[None] | None = None
        self.lost: Deferred[None] = Deferred()

    def join(self, end: socket.socket) -> None:
        """Send over a connected stream socket, which is this one's from now on."""
        self._frames = Frames(end)
        self._reactor.addReader(self)

    def put(
        self, interaction: Callable[..., Any], values: tuple[Any, ...]
    ) -> Deferred[Any]:
        """Have an interaction run.

        :return: as that of :meth:`~ozgate.interfaces.IMetadataStore.write`. It fails with ``Uncertain`` when the connection ends
            after the write was sent, with ``Unavailable`` when it ends before.
        """
        if self._frames is None or self._ending is not None:
            return fail(Unavailable(_GONE))
        done: Deferred[Any] = Deferred()
        self._gathered.append((done, (interaction, values)))
        self._send_soon()
        return done

    def _send_soon(self) -> None:
        if self._sending is None and self._gathered and self._count < UNDER_WAY:
            self._sending = self._reactor.callLater(0, self._send)

    def _send(self) -> None:
        self._sending = None
        room = UNDER_WAY - self._count
        gathered, self._gathered = self._gathered[:room], self._gathered[room:]
        try:
            payload = packed([sent for _, sent in gathered])
        except Exception:
            gathered = self._sendable(gathered)
            payload = packed([sent for _, sent in gathered])
        if gathered:
            self._number += 1
            self._under_way[self._number] = [done for done, _ in gathered]
            self._count += len(gathered)
            self._send_frame(payload)
        self._perhaps_end()

    def _send_frame(self, payload: list[bytes | memoryview]) -> None:
        assert self._frames is not None
        try:
            gone = self._frames.send(self._number, payload)
        except OSError:
            # The reactor is about to say that the connection is lost.
            return
        if not gone:
            self._reactor.addWriter(self)

    def _sendable(
        self, gathered: list[tuple[Deferred[Any], Sent]]
    ) -> list[tuple[Deferred[Any], Sent]]:
        """Those of some writes that can be sent; the others fail."""
        sendable = []
        for done, sent in gathered:
            try:
                packed(sent)
            except Exception:
                done.errback()
            else:
                sendable.append((done, sent))
        return sendable

    def fileno(self) -> int:
        """See ``IFileDescriptor``."""
        return -1 if self._frames is None else self._frames.fileno()

    def logPrefix(self) -> str:
        """See ``ILoggingContext``."""
        return "writes"

    def doWrite(self) -> Any:
        """There is room for what has not been sent yet."""
        try:
            if self._frames is None or self._frames.go_on():
                self._reactor.removeWriter(self)
        except OSError:
            return CONNECTION_LOST
        return None

    def doRead(self) -> Any:
        """Tell what came of the writes of frames that are answered."""
        assert self._frames is not None
        try:
            for number, payload in self._frames.received():
                now, outcomes = unpacked(payload)
                self._answered(self._under_way.pop(number), now, outcomes)
        except EOFError:
            return CONNECTION_DONE
        except OSError:
            return CONNECTION_LOST
        except Exception:
            self._log.failure("the process that writes sent what is no answer")
            return CONNECTION_LOST
        return None

    def _answered(
        self, under_way: list[Deferred[Any]], now: int, outcomes: list[Outcome]
    ) -> None:
        self._at_least(now)
        self._count -= len(under_way)
        for done, outcome in zip(under_way, outcomes, strict=True):
            _tell(done, outcome)
        self._send_soon()
        self._perhaps_end()

    def leave(self) -> Deferred[None]:
        """Take no more writes, and end the connection.

        :return: fires when all that were asked for have been answered.
        """
        if self._frames is None:
            return succeed(None)
        self._ending = Deferred()
        ending = self._ending
        self._perhaps_end()
        return ending

    def _perhaps_end(self) -> None:
        if self._ending is None or self._gathered or self._under_way:
            return
        if self._close():
            self._ending.callback(None)

    def _close(self) -> bool:
        """End the connection; whether there was one."""
        frames, self._frames = self._frames, None
        if frames is None:
            return False
        self._reactor.removeReader(self)
        self._reactor.removeWriter(self)
        frames.close()
        return True

    def connectionLost(self, reason: Failure | None = None) -> None:
        """What was sent may have been done; what was not sent was not."""
        if not self._close():
            return
        if self._sending is not None:
            self._sending.cancel()
        under_way, self._under_way = self._under_way, {}
        gathered, self._gathered = self._gathered, []
        for dones in under_way.values():
            for done in dones:
                done.errback(Uncertain(_GONE))
        for done, _ in gathered:
            done.errback(Unavailable(_GONE))
        if self._ending is None:
            self.lost.callback(None)
        else:
            self._ending.callback(None)


def _tell(done: Deferred[Any], outcome: Outcome) -> None:
    succeeded, value = outcome
    if succeeded:
        done.callback(value)
    else:
        done.errback(value)
