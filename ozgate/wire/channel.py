"""One client connection: HTTP/1.1, dispatched at the end of the head, never read ahead of what consumes it.

A plain :class:`twisted.web.http.HTTPChannel` whose parsing, timing and closing are our own, in three floors: how what is
written leaves (:mod:`.outgoing`), how a body comes in (:mod:`.incoming`), and here the connection's life and the heads of requests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet import tcp
from twisted.internet.interfaces import IAddress, IHalfCloseableProtocol
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from ..errors import (
    BadRequest,
    IncompleteBody,
    RequestHeaderSectionTooLarge,
    RequestTimeout,
    S3Error,
    SlowDown,
)
from .body import RequestBody
from .deadline import BODY, DRAIN, FLUSH, HEAD, IDLE, LINGER, WORK, Deadline
from .halfclose import has_shut
from .head import TOKEN, after_empty_lines, first_line, parse_head
from .incoming import IncomingChannel
from .peers import announced

if TYPE_CHECKING:
    from .request import GatewayRequest


@implementer(IHalfCloseableProtocol)
class GatewayChannel(IncomingChannel):
    """HTTP/1.1 with streamed bodies.

    :cvar max_line: longest request line, in bytes.
    :cvar max_head: longest request line and header section together, in bytes.
    :cvar max_headers: most header lines.
    :cvar eager_read: bytes of later, pipelined requests that are read while one is worked on.
    :cvar linger_bytes: most bytes read and dropped after the last answer was sent.
    :cvar linger_seconds: most seconds for that.
    :ivar announced: whether a proxy still has to say whose connection it is.
    """

    max_line = 16 << 10
    max_head = 32 << 10
    max_headers = 500
    eager_read = 16 << 10
    linger_bytes = 16 << 20
    linger_seconds = 3.0
    announced = False

    requests: list[GatewayRequest]
    _parsing = False

    # the connection's life

    def connectionMade(self) -> None:
        """Start the idle clock."""
        super().connectionMade()
        self.plain = isinstance(self.transport, tcp.Connection)
        if self.plain:
            self.transport.bufferSize = self.read_size
        self.secure = bool(self.isSecure())
        self._peer: IAddress = super().getPeer()
        self._host: IAddress = super().getHost()
        self._counted: object = None
        self.site.joined(self)
        if not self.announced:
            self._count(self._peer)
        self._deadline = Deadline(self.site.reactor, self._overdue)
        self._wait_idle()

    def _count(self, address: object) -> None:
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

    def getPeer(self) -> IAddress:
        """The client's address, or that of a proxy that passes on requests of many."""
        return self._peer

    def getHost(self) -> IAddress:
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
        self._nothing_leaves()

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
        site = self.site
        self._deadline.begin(IDLE, site.idle_timeout)
        site.waits(self)

    def _wait(self, phase: str, seconds: float) -> None:
        self._deadline.begin(phase, seconds)
        self.site.waits(self)

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

    # answered

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

    def resumeProducing(self) -> None:
        """The write buffer is empty: on with the answer under way, or to the next request."""
        super().resumeProducing()
        if self._request is None and not self._closing:
            self._resume_reading()
            if self._deadline.phase is WORK:
                self._wait_idle()
            self._parse()

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

    def _overdue(self, phase: str) -> None:
        """A phase has lasted as long as it may, or as long as its rate is measured over."""
        if phase is HEAD:
            self._refuse(RequestTimeout())
        elif phase in (BODY, DRAIN):
            self._body_overdue(phase)
        elif phase is IDLE:
            if self.unsent():
                self._watch_write()
            else:
                self._close()
        else:
            self._unsent_overdue(phase)

    def _all_left(self) -> None:
        """All that was written in time has left: an answer is under way still, or the next request is waited for."""
        if self._request is None:
            self._wait_idle()
        else:
            self._deadline.rest()
