"""The way out of a connection: how what is written leaves, and how long that may take.

Writing and the producer's plumbing are Twisted's, but for what goes straight to the socket. The superclass's ``_networkProducer``,
``_waitingForTransport`` and ``_requestProducer`` are the non-public names that this leans on.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any

from twisted.internet import tcp
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IPullProducer
from twisted.python.failure import Failure
from twisted.web import http

from ..errors import ClientGone
from .deadline import FLUSH, IDLE, LINGER, WORK, WRITE, Deadline

if TYPE_CHECKING:
    from .gatewaysite import GatewaySite


class OutgoingChannel(http.HTTPChannel):
    """A connection as those see it who write to it. Which phase begins when all has left, a subclass says.

    :cvar direct_write: most bytes that are written to a plain socket without asking the reactor: a block of bytes that come from elsewhere, and a head.
    :ivar plain: whether the transport is a socket, without TLS.
    :ivar sent: bytes that were written to the socket by whom the transport was lent to.
    """

    direct_write = 272 << 10

    site: GatewaySite
    transport: Any
    plain: bool
    _deadline: Deadline
    _pending = b""  # later requests: the answers before theirs leave together
    _closing = False
    _lent = False
    _mark = 0

    def __init__(self) -> None:
        super().__init__()
        self._writable: list[Deferred[None]] = []
        self.sent = 0

    def write(self, data: bytes) -> None:
        """Write some of an answer, at once if nothing is before it.

        What fits goes straight to the socket: waiting for the reactor to find it writable costs two
        ``epoll_ctl`` and a turn. Whatever is wrong with the socket the transport finds out by itself.
        """
        transport = self.transport
        if (
            self.plain
            and len(data) <= self.direct_write
            and not (self._pending or self._lent or self._closing)
            and not (transport.dataBuffer or transport._tempDataLen)
            and transport.connected
        ):
            try:
                data = data[transport.socket.send(data) :]
            except OSError:
                pass
            if not data:
                return
        transport.write(data)

    def pauseProducing(self) -> None:
        """The write buffer is full: hold the producer, and take no more requests."""
        self._waitingForTransport = True
        producer = self._requestProducer
        if producer is not None:
            producer.pauseProducing()
        if self._deadline.phase in (WORK, IDLE):
            self._watch_write()

    def resumeProducing(self) -> None:
        """The write buffer is empty."""
        self._waitingForTransport = False
        if self._deadline.phase is WRITE:
            self._deadline.rest()
        waiting, self._writable = self._writable, []
        for deferred in waiting:
            deferred.callback(None)
        producer = self._requestProducer
        if producer is not None:
            producer.resumeProducing()

    def stopProducing(self) -> None:
        """The transport is gone; :meth:`connectionLost` follows and says so to those concerned."""

    def writable(self) -> Deferred[None] | None:
        """``None`` when there is room in the write buffer, else what fires when it has emptied."""
        if not self._waitingForTransport:
            return None
        waiting: Deferred[None] = Deferred(self._writable.remove)
        self._writable.append(waiting)
        return waiting

    def lend_transport(self, producer: IPullProducer) -> None:
        """Let a pull producer fill the socket itself, until :meth:`take_back_transport`."""
        self.transport.unregisterProducer()
        self._waitingForTransport = False
        self._lent = True
        self._watch_write()
        self.transport.registerProducer(producer, False)

    def take_back_transport(self) -> None:
        """The pull producer has done."""
        self._lent = False
        if self._deadline.phase is WRITE:
            self._deadline.rest()
        self.transport.unregisterProducer()
        if not self._closing:
            self.transport.registerProducer(self, True)

    def lender_idle(self, idle: bool) -> None:
        """Whether the pull producer waits for its source, which is not the client's fault."""
        if idle:
            self._deadline.rest()
        elif self._deadline.phase is WORK:
            self._watch_write()

    @property
    def _socket(self) -> tcp.Connection | None:
        """What has the socket, below TLS if there is any; ``None`` where there is no socket."""
        transport = self.transport
        lowest = transport if self.plain else getattr(transport, "transport", None)
        return lowest if isinstance(lowest, tcp.Connection) else None

    def unsent(self) -> int:
        """Bytes written but not yet taken by the operating system."""
        lowest = self._socket
        if lowest is not None:
            waiting = len(lowest.dataBuffer) - lowest.offset
            return int(waiting + lowest._tempDataLen)
        return int(self._waitingForTransport)

    def abort(self) -> None:
        """Cut the connection: an answer cannot be finished and must not look whole."""
        self._closing = True
        self.transport.abortConnection()

    def _nothing_leaves(self) -> None:
        """The connection is lost: tell those who waited to write, and let go of them."""
        waiting, self._writable = self._writable, []
        for deferred in waiting:
            deferred.errback(Failure(ClientGone()))
        producer, self._requestProducer = self._requestProducer, None
        if producer is not None:
            producer.stopProducing()
        # Over TLS the transport would hold us, and what OpenSSL has of the connection, until the garbage is collected.
        self._networkProducer.unregisterProducer()  # type: ignore[attr-defined]

    def _all_left(self) -> None:
        """All that was written in time has left."""
        self._deadline.rest()

    def _watch_write(self, phase: str = WRITE) -> None:
        self._mark = self.sent - self.unsent()
        self._deadline.begin(phase, self.site.progress_window)

    def _unsent_overdue(self, phase: str) -> None:
        """As :data:`WRITE`, :data:`LINGER` or :data:`FLUSH` is over: what was written must have moved on."""
        unsent = self.unsent()
        if phase is LINGER and not unsent:
            self.transport.loseConnection()
            self._deadline.begin(FLUSH, self.site.progress_window)
        elif phase is WRITE and not unsent and not self._lent:
            self._all_left()
        elif self.sent - unsent - self._mark < self._needed() or (
            phase is FLUSH and not unsent
        ):
            self.abort()
        else:
            self._watch_write(phase)

    def _needed(self) -> float:
        """Bytes that must move in a window; below any count where no rate is asked for."""
        return self.site.minimum_rate * self.site.progress_window or -inf
