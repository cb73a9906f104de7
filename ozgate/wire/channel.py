"""One client connection: HTTP/1.1, dispatched at the end of the head, never read ahead of what consumes it.

A plain :class:`twisted.web.http.HTTPChannel` whose parsing, timing and closing are our own; writing and the
producer's plumbing are Twisted's. The superclass's ``_networkProducer``, ``_waitingForTransport`` and
``_requestProducer`` are the non-public names this leans on; ``tests.wire.test_channel`` pins them.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any

from twisted.internet import tcp
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IHalfCloseableProtocol, IPullProducer
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from twisted.web import http
from zope.interface import implementer

from ..errors import (
    BadRequest,
    ClientGone,
    IncompleteBody,
    RequestHeaderSectionTooLarge,
    RequestTimeout,
    S3Error,
    SlowDown,
)
from .body import RequestBody
from .deadline import BODY, DRAIN, FLUSH, HEAD, IDLE, LINGER, WORK, WRITE, Deadline
from .ending import has_shut
from .head import TOKEN, after_empty_lines, first_line, parse_head
from .peers import announced

if TYPE_CHECKING:
    from .request import GatewayRequest
    from .site import GatewaySite


@implementer(IHalfCloseableProtocol)
class GatewayChannel(http.HTTPChannel):
    """HTTP/1.1 with streamed bodies.

    :cvar max_line: longest request line, in bytes.
    :cvar max_head: longest request line and header section together, in bytes.
    :cvar max_headers: most header lines.
    :cvar eager_read: bytes of later, pipelined requests that are read while one is worked on.
    :cvar body_read_size: bytes read at once while a body streams over plain TCP.
    :cvar direct_write: most bytes that are written to a plain socket without asking the reactor.
    :cvar drain_bytes: most bytes of an unwanted body that are read to keep the connection.
    :cvar drain_seconds: most seconds for that.
    :cvar linger_bytes: most bytes read and dropped after the last answer was sent.
    :cvar linger_seconds: most seconds for that.
    :ivar announced: whether a proxy still has to say whose connection it is.
    """

    max_line = 16 << 10
    max_head = 32 << 10
    max_headers = 500
    eager_read = 16 << 10
    body_read_size = 256 << 10
    direct_write = 64 << 10
    drain_bytes = 16 << 20
    drain_seconds = 10.0
    linger_bytes = 16 << 20
    linger_seconds = 3.0
    announced = False

    site: GatewaySite
    transport: Any
    requests: list[GatewayRequest]

    def __init__(self) -> None:
        super().__init__()
        self._pending = b""
        self._request: GatewayRequest | None = None
        self._body: RequestBody | None = None
        self._left = 0
        self._decoder: http._ChunkedTransferDecoder | None = None
        self._reading = True
        self._parsing = False
        self._closing = False
        self._ended = False
        self._unread = False
        self._lent = False
        self._allowance = 0
        self._mark = 0
        self._writable: list[Deferred[None]] = []
        self.sent = 0

    # the connection's life

    def connectionMade(self) -> None:
        """Start the idle clock."""
        super().connectionMade()
        self.plain = isinstance(self.transport, tcp.Connection)
        self._peer, self._host = super().getPeer(), super().getHost()
        self._counted: Any = None
        self.site.connections.add(self)
        if not self.announced:
            self._count(self._peer)
        self._deadline = Deadline(self.site.reactor, self._overdue)
        self._wait_idle()

    def _count(self, address: Any) -> None:
        """Count it as its client's; a proxy's are not, for its clients are."""
        if not self.site.peers.trusts(address):
            self._counted = address
            self.site.limits.opened(address)

    def _announce(self, data: bytes) -> None:
        """These are the first bytes, so the proxy has said whose connection it is, by now."""
        self.announced = False
        peer = super().getPeer()
        if peer == self._peer:
            return  # its own, as when it looks whether the service is well
        peer = announced(peer)
        if peer is None:
            self.abort()
            return
        self._peer, self._host = peer, super().getHost()
        if self.site.peers.trusts(peer) or self.site.limits.admits_of_one(peer):
            self._count(peer)
        else:
            self._pending = data
            self._refuse(SlowDown())

    def getPeer(self) -> Any:
        """The client's address, or that of a proxy that passes on requests of many."""
        return self._peer

    def getHost(self) -> Any:
        """The address the client reached."""
        return self._host

    def readConnectionLost(self) -> None:
        """The client will send no more; it may still read, so that an answer under way goes on."""
        self._ended = True
        if self._closing:
            self.transport.loseConnection()
        elif self._request is not None and self._request.computes:
            self.close_unanswered()
        elif self._body is not None:
            self._lose_body(IncompleteBody())
        elif self._request is None:
            self._close()

    def writeConnectionLost(self) -> None:
        """We half-closed; nothing is left to do."""

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Tell whoever still works for this client."""
        self._closing = True
        self.site.left(self)
        self.site.limits.closed(self._counted)
        self._deadline.close()
        super().connectionLost(reason)
        self.requests.clear()
        self._request = self._body = None
        waiting, self._writable = self._writable, []
        for deferred in waiting:
            deferred.errback(Failure(ClientGone()))
        producer, self._requestProducer = self._requestProducer, None
        if producer is not None:
            producer.stopProducing()
        # Over TLS the transport would hold us, and what OpenSSL has of the connection, until the garbage is collected.
        self._networkProducer.unregisterProducer()  # type: ignore[attr-defined]

    def has_ended(self) -> bool:
        """Whether the client will send no more, even where what it sent is not read now, for there is too much of it."""
        if not (self._ended or self._reading):
            lowest = self._socket
            if lowest is not None and lowest.connected:
                self._ended = has_shut(lowest)
        return self._ended

    def close_unanswered(self) -> None:
        """Nobody waits for the answer that is being worked out: this end closes too."""
        if (
            not self.plain
        ):  # who has closed the connection below TLS cannot agree to TLS's end
            self.abort()
        elif not self._closing:
            self._close()

    @property
    def waits(self) -> bool:
        """Whether there is no whole request, and the one before is answered."""
        return self._deadline.phase in (IDLE, HEAD) and not self.unsent()

    def leave(self) -> None:
        """End a connection that waits; a request that has begun to come is to be made again."""
        if self._deadline.phase is HEAD:
            self._refuse(SlowDown())
        else:
            self._close()

    def _wait_idle(self) -> None:
        self._wait(IDLE, self.site.idle_timeout)

    def _wait(self, phase: str, seconds: float) -> None:
        self._deadline.begin(phase, seconds)
        self.site.waits(self)

    def abort(self) -> None:
        """Cut the connection: an answer cannot be finished and must not look whole."""
        self._closing = True
        self.transport.abortConnection()

    # reading

    def dataReceived(self, data: bytes) -> None:
        """Bytes from the client: a head, a body, or something to keep for later."""
        if self.announced:
            self._announce(data)
        if self._closing:
            self._allowance -= len(data)
            if self._allowance < 0:
                self.transport.abortConnection()
        elif self._body is not None:
            self._receive_body(data)
        else:
            self._pending = self._pending + data if self._pending else data
            if self._request is None and not self._waitingForTransport:
                self._parse()
            elif len(self._pending) > self.eager_read:
                self._stop_reading()

    def _parse(self) -> None:
        """Take the requests that are wholly here, one after the other, as long as their answers leave."""
        if self._parsing:
            return
        self._parsing = True
        try:
            while (
                self._pending
                and self._request is None
                and not self._closing
                and not self._waitingForTransport
            ):
                if not self._take_head():
                    break
        finally:
            self._parsing = False
        if self._ended and self._request is None and not self._closing:
            self._close()

    def _take_head(self) -> bool:
        """Read a head and dispatch its request; ``False`` when more must arrive first."""
        pending = self._pending
        if pending.startswith(b"\r\n"):
            pending = self._pending = after_empty_lines(pending)
        end = pending.find(b"\r\n\r\n")
        if end < 0 or end > self.max_head:
            self._await_head(pending)
            return False
        try:
            head = parse_head(pending[:end], self.max_line, self.max_headers)
        except S3Error as error:
            self._refuse(error)
            return False
        request = self.site.requestFactory(self)
        self.requests.append(request)
        self._request = request
        self.persistent = head.persistent
        body = RequestBody(self, head.length, head.expects_continue)
        self._pending = b""
        self._deadline.rest()
        rest = pending[end + 4 :]
        if body.complete:
            if head.expects_continue:
                # Not owed, as nothing is to come. But version 1 of the AWS CLI, which uploads empty files
                # so, misreads the answer after one that came without it, and hangs.
                self.send_continue()
            self._pending = rest
        else:
            self._begin_body(body, rest)
        request.dispatch(head, body)
        return True

    def _await_head(self, pending: bytes) -> None:
        """Wait for the rest of a head, unless what is here cannot become one."""
        if not pending:
            return
        if len(pending) > self.max_head:
            self._refuse(RequestHeaderSectionTooLarge(MaxSizeAllowed=self.max_head))
        elif len(pending) > self.max_line and b"\r\n" not in pending:
            self._refuse(RequestHeaderSectionTooLarge(MaxSizeAllowed=self.max_line))
        elif pending.count(b"\n") != pending.count(b"\r\n"):
            self._refuse(BadRequest("A line of the request's head ends in a bare LF."))
        elif pending[0] not in TOKEN and pending[0] != 13:  # such as a TLS handshake
            self._refuse(BadRequest("The request method is malformed."))
        elif self._deadline.phase is not HEAD:
            self._wait(HEAD, self.site.header_timeout)

    def _refuse(self, error: S3Error) -> None:
        """Answer what is no request and close."""
        request = self.site.requestFactory(self)
        self.requests.append(request)
        self._request = request
        line = first_line(self._pending)
        self._pending = b""
        self.persistent = False
        self._unread = True
        self._deadline.rest()
        request.refuse(error, line)

    # the body under way

    def _begin_body(self, body: RequestBody, data: bytes) -> None:
        self._body = body
        self._left = body.length or 0
        if body.length is None:
            self._decoder = http._ChunkedTransferDecoder(
                body.data_received, self._decoded
            )
        elif self.plain and body.length - len(data) > self.transport.bufferSize:
            self.transport.bufferSize = self.body_read_size
        if data:
            self._receive_body(data)

    def _receive_body(self, data: bytes) -> None:
        body = self._body
        assert body is not None
        sent = len(data)
        if self._decoder is not None:
            try:
                self._decoder.dataReceived(data)
            except http._MalformedChunkedDataError:
                self._lose_body(BadRequest("The chunked transfer coding is malformed."))
                return
        else:
            if len(data) > self._left:
                self._pending = data[self._left :]
                data = data[: self._left]
            self._left -= len(data)
            if self._left:
                body.data_received(data)
            else:
                self._body_ended(data)
        if body.discarded and self._body is body:
            # As sent: chunks of a byte each are ten times what is in them.
            self._allowance -= sent
            if self._allowance < 0:
                self._lose_body(IncompleteBody())

    def _decoded(self, rest: bytes) -> None:
        self._pending = rest
        self._body_ended(b"")

    def _body_ended(self, last: bytes) -> None:
        """All of the body is here, with its last bytes: it must be off the connection before they are its consumer's,
        for whoever wants no more of it may answer at once."""
        body, self._body = self._body, None
        self._decoder = None
        if self.plain:
            self.transport.__dict__.pop("bufferSize", None)  # back to the class's
        self._deadline.rest()
        if body is None or self._closing:
            return
        request = self._request
        body.complete = True
        if last:
            body.data_received(last)
        body.all_received()
        if request is not None and request is self._request and request.held:
            request.finish_held()

    def _lose_body(self, error: Exception) -> None:
        """No more of the body will be read: say so, and close after the answer."""
        body, self._body = self._body, None
        self._decoder = None
        self.persistent = False
        self._unread = True
        self._deadline.rest()
        request = self._request
        if body is not None:
            body.failed(error)
        if request is not None and request is self._request and request.held:
            request.finish_held()
        elif not self._ended:
            self._stop_reading()

    def pause_body(self) -> None:
        """See :class:`~ozgate.wire.body.BodySource`."""
        self._stop_reading()
        if self._deadline.phase is BODY:
            self._deadline.rest()

    def resume_body(self) -> None:
        """See :class:`~ozgate.wire.body.BodySource`."""
        if self._body is None or self._closing:
            return
        if self._deadline.phase is not BODY and self.site.minimum_rate:
            self._watch_body()
        self._resume_reading()

    def send_continue(self) -> None:
        """See :class:`~ozgate.wire.body.BodySource`."""
        self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def drain_body(self) -> None:
        """See :class:`~ozgate.wire.body.BodySource`."""
        if self._body is None or self._closing:
            return
        self._allowance = self.drain_bytes
        self._deadline.begin(DRAIN, self.drain_seconds)
        self._resume_reading()

    def before_answer(self, body: RequestBody) -> None:
        """An answer is about to begin: settle whether the connection can outlive it."""
        if body.complete:
            return
        left = self.drain_bytes + 1 if self._body is None else self._left
        if body.awaits_continue or left > self.drain_bytes:
            self.persistent = False
            self._unread = True

    def _stop_reading(self) -> None:
        if self._reading:
            self._reading = False
            self._networkProducer.pauseProducing()

    def _resume_reading(self) -> None:
        if not self._reading:
            self._reading = True
            self._networkProducer.resumeProducing()

    # writing

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

    def requestDone(self, request: GatewayRequest) -> None:
        """An answer has been written: on to the next request, or close."""
        self.requests.remove(request)
        request.uncount()
        self._request = None
        if self._closing:
            return
        if not self.persistent or self._body is not None:
            self._unread = self._unread or self._body is not None
            self._close()
            return
        if self._waitingForTransport:
            self._watch_write()
            return
        self._resume_reading()
        self._wait_idle()
        self._parse()

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
        if self._request is None and not self._closing:
            self._resume_reading()
            if self._deadline.phase is WORK:
                self._wait_idle()
            self._parse()

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

    def _close(self) -> None:
        """Close once all is sent; where the client may still be sending, in a way that lets it read the answer."""
        self._closing = True
        self._unread = self._unread or bool(self._pending)
        self._pending = b""
        self._body = None
        # What still comes is dropped, within bounds: cutting the connection would take away what is being sent.
        self._allowance = self.linger_bytes
        self._networkProducer.unregisterProducer()  # type: ignore[attr-defined]
        if self._unread and not self._ended:
            # Closing a socket with unread input resets the connection and takes the answer away.
            if self.plain:  # half of a TLS connection cannot be closed: the answer says that the end is near
                self.transport.loseWriteConnection()
            self._resume_reading()
            self._deadline.begin(LINGER, self.linger_seconds)
        else:
            self.transport.loseConnection()
            self._deadline.begin(FLUSH, self.site.progress_window)

    # deadlines

    def _watch_body(self) -> None:
        assert self._body is not None
        self._mark = self._body.received
        self._deadline.begin(BODY, self.site.progress_window)

    def _watch_write(self, phase: str = WRITE) -> None:
        self._mark = self.sent - self.unsent()
        self._deadline.begin(phase, self.site.progress_window)

    def _overdue(self, phase: str) -> None:
        """A phase has lasted as long as it may, or as long as its rate is measured over."""
        if phase is HEAD:
            self._refuse(RequestTimeout())
        elif phase is DRAIN:
            self._lose_body(RequestTimeout())
        elif phase is BODY:
            assert self._body is not None
            if self._body.received - self._mark < self._needed():
                self._lose_body(RequestTimeout())
            else:
                self._watch_body()
        elif phase is IDLE:
            if self.unsent():
                self._watch_write()
            else:
                self._close()
        else:
            self._unsent_overdue(phase)

    def _unsent_overdue(self, phase: str) -> None:
        unsent = self.unsent()
        if phase is LINGER and not unsent:
            self.transport.loseConnection()
            self._deadline.begin(FLUSH, self.site.progress_window)
        elif phase is WRITE and not unsent and not self._lent:
            if self._request is None:
                self._wait_idle()
            else:
                self._deadline.rest()
        elif self.sent - unsent - self._mark < self._needed() or (
            phase is FLUSH and not unsent
        ):
            self.abort()
        else:
            self._watch_write(phase)

    def _needed(self) -> float:
        """Bytes that must move in a window; below any count where no rate is asked for."""
        return self.site.minimum_rate * self.site.progress_window or -inf
