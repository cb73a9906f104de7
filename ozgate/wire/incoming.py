"""The way in of a body: where it ends in what the client sends, and that nothing of it is read ahead of its consumer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.web import http

from ..errors import BadRequest, IncompleteBody, RequestTimeout
from .body import RequestBody
from .deadline import BODY, DRAIN
from .outgoing import OutgoingChannel

if TYPE_CHECKING:
    from .request import GatewayRequest


class IncomingChannel(OutgoingChannel):
    """A connection as a body sees it that is read from it: its :class:`~ozgate.wire.body.BodySource`.

    Who takes the request's head begins the body; what follows the body is left for the next request.

    :cvar read_size: bytes read at once over plain TCP: a head and 64 KiB of a body. With Twisted's 64 KiB a body of as many is read by
        two reads, between which the reactor is told not to read and to read again.
    :cvar drain_bytes: most bytes of an unwanted body that are read to keep the connection.
    :cvar drain_seconds: most seconds for that.
    """

    read_size = 80 << 10
    drain_bytes = 16 << 20
    drain_seconds = 10.0

    _request: GatewayRequest | None = None
    _body: RequestBody | None = None
    _left = 0
    _decoder: http._ChunkedTransferDecoder | None = None
    _reading = True
    _ended = False  # the client has said all
    _unread = False  # the client may still be sending what nobody will read
    _allowance = 0  # bytes that may still come for nobody

    def _begin_body(self, body: RequestBody, data: bytes) -> None:
        length = body.length
        if length is not None and len(data) >= length:
            # As most small ones come: with their head.
            self._pending = data[length:]
            body.arrived(data[:length])
            return
        self._body = body
        self._left = body.length or 0
        if body.length is None:
            self._decoder = http._ChunkedTransferDecoder(
                body.data_received, self._decoded
            )
        if data:
            self._receive_body(data)
        else:
            self._fit_read(body)

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
                self._fit_read(body)
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
        if (socket := self._socket) is not None:
            socket.bufferSize = self.read_size
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

    def _fit_read(self, body: RequestBody) -> None:
        """Have the next read end where a full one would.

        What is written from there on is in pages of that size for the kernel, else in a dozen smaller ones: to send those by sendfile took a fifth more.
        """
        if self._left > self.read_size and (socket := self._socket) is not None:
            piece = body.read_at_once
            socket.bufferSize = piece - body.received % piece

    def pause_body(self) -> None:
        """See :class:`~ozgate.wire.body.BodySource`."""
        self._stop_reading()
        if self._deadline.phase is BODY:
            self._deadline.rest()

    def resume_body(self) -> None:
        """See :class:`~ozgate.wire.body.BodySource`."""
        body = self._body
        if body is None or self._closing:
            return
        self._fit_read(body)
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

    def _watch_body(self) -> None:
        assert self._body is not None
        self._mark = self._body.received
        self._deadline.begin(BODY, self.site.progress_window)

    def _body_overdue(self, phase: str) -> None:
        """As :data:`BODY` or :data:`DRAIN` is over: a consumer's body must have come at its rate, and nobody's is to be here."""
        if phase is DRAIN:
            self._lose_body(RequestTimeout())
            return
        assert self._body is not None
        if self._body.received - self._mark < self._needed():
            self._lose_body(RequestTimeout())
        else:
            self._watch_body()
