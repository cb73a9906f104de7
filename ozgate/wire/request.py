"""A request as the wire sees it: raw target, raw headers, a body not yet taken, an answer to write."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from itertools import count
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IProducer
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.http import NO_BODY_CODES, RESPONSES
from twisted.web.resource import Resource

from ..errors import ClientGone, InternalError, S3Error, SlowDown
from .body import RequestBody
from .head import Head
from .lazyrequest import LazyRequest
from .lines import Lines, as_lines
from .peers import NOBODY

if TYPE_CHECKING:
    from .channel import GatewayChannel
    from .gatewaysite import GatewaySite

_START = int.from_bytes(os.urandom(8), "big")
_STRIDE = 0x9E3779B97F4A7C15  # odd, so that 2**64 requests pass before one repeats
_NUMBERS = count()

_STATUS_LINES = {
    status: b"HTTP/1.1 %d %s\r\n" % (status, reason)
    for status, reason in RESPONSES.items()
}


class Answering(Resource):
    """A leaf that takes every request of a site, and whose :meth:`render` sees to the answer: Twisted need not look at what it returns."""

    isLeaf = True


def new_request_id() -> str:
    """16 upper-case hexadecimal digits, as S3's request ids."""
    return f"{(_START + next(_NUMBERS) * _STRIDE) & 0xFFFFFFFFFFFFFFFF:016X}"


class GatewayRequest(LazyRequest):
    """One request and its answer.

    What Twisted's resources ask of it is in its superclass.

    :ivar body: the body, an :class:`~ozgate.wire.body.RequestBody`.
    :ivar client_ip: the client's address, as :mod:`ozgate.wire.peers` has it; ``-`` where it has none.
    :ivar request_id: names it in answers and logs.
    :ivar started: when its head had arrived, on ``time.monotonic``'s clock.
    :ivar notes: what the operation wants the logs to say.
    :ivar gone: whether the connection ended before the answer.
    :ivar computes: see :meth:`computing`.
    :ivar held: whether the answer is written and only the rest of an unwanted body is awaited.
    """

    log = Logger()

    site: GatewaySite
    body: RequestBody
    client_ip = NOBODY
    held = False
    gone = False
    computes = False
    _counted: str | None = None
    _work: Deferred[Any] | None = None

    def __init__(self, channel: GatewayChannel) -> None:
        super().__init__(channel)
        self.site = channel.site
        self.request_id = new_request_id()
        self.started = time.monotonic()
        self.notes: dict[str, Any] = {}
        self._gone_callbacks: list[Callable[[], None]] = []

    # what arrived

    @property
    def over_tls(self) -> bool:
        """Whether it came over TLS."""
        channel = self.channel
        return channel is not None and channel.secure

    @property
    def over_socket(self) -> bool:
        """Whether it came over a UNIX socket, whoever sent it."""
        return getattr(self.client, "host", None) is None

    def count(self) -> None:
        """Count a request that a proxy passed on as a connection of its client, as long as it is under way.

        For the proxy's connections are nobody's.

        :raises SlowDown: the client has as many as it may.
        """
        peers, limits = self.site.peers, self.site.limits
        if not peers.are_any or not peers.trusts(self.client):
            return
        if self.client_ip == NOBODY:
            return
        if not peers.trusts_host(self.client_ip):
            if not limits.admits_of_one(self.client_ip):
                raise SlowDown()
            self._counted = self.client_ip
            limits.opened(self._counted)

    def uncount(self) -> None:
        """It is over. Idempotent."""
        if self._counted is not None:
            self.site.limits.closed(self._counted)
            self._counted = None

    def on_gone(self, callback: Callable[[], None]) -> None:
        """Have a function called if the connection ends before the answer is finished."""
        self._gone_callbacks.append(callback)

    @contextmanager
    def computing(self) -> Iterator[Callable[[], None]]:
        """While this lasts, the answer costs much and needs nothing of the client any more: one that has said all counts as gone.

        Elsewhere such a client gets its answer, for it may still read.

        :return: a function to call now and then; it raises ``ClientGone`` if the client went without being noticed.
        :raises ClientGone: it went before.
        """
        self.computes = True
        try:
            self._check_client()
            yield self._check_client
        finally:
            self.computes = False

    def _check_client(self) -> None:
        channel = self.channel
        if channel is not None and channel.has_ended():
            self.gone = True
            channel.close_unanswered()
        if self.gone:
            raise ClientGone()

    def served_by(self, work: Deferred[None]) -> None:
        """Have some work answer it, which is cancelled if the connection ends before it has done.

        Work that fails is answered ``InternalError``; of work that ends without an answer the connection is cut.

        :param work: fires when the answer is written, or cannot be.
        """
        self._work = work
        work.addBoth(self._served)

    def answered_by(self, work: Coroutine[Deferred[Any], Any, None]) -> None:
        """As :meth:`served_by`, of a coroutine, which is gone on with here: with a Deferred of its own, as Twisted makes, a request that
        waits once takes 300 bytecodes more, and one that need not wait as many."""
        self._go_on(None, work)

    def _go_on(self, result: object, work: Coroutine[Deferred[Any], Any, None]) -> None:
        """What the coroutine waited for is here."""
        self._work = None
        try:
            if isinstance(result, Failure):
                waited = result.throwExceptionIntoGenerator(work)
            else:
                waited = work.send(result)
        except StopIteration:
            self._served(None)
        except Exception:
            self._served(Failure())
        else:
            self._work = waited
            waited.addBoth(self._go_on, work)

    def _served(self, result: Failure | None) -> None:
        self._work = None
        if isinstance(result, Failure):
            if not self.gone:
                self.processingFailed(result)
            elif not result.check(CancelledError):
                self.log.failure("Request {id} failed", result, id=self.request_id)
        elif not self.startedWriting and not self.gone:
            self.abort()

    # for the channel

    def dispatch(self, head: Head, body: RequestBody) -> None:
        """The head is here: begin the operation."""
        self.body = body
        self._take(head)
        peers = self.site.peers
        if peers.are_any:
            self.client_ip = peers.client_of(self.client, head.pairs)
        else:
            self.client_ip = getattr(self.client, "host", None) or NOBODY
        self.process()

    def refuse(self, error: S3Error, line: bytes) -> None:
        """Answer a request that is none.

        :param line: its first line, for the log.
        """
        assert self.channel is not None
        self.body = RequestBody(self.channel, 0)
        self.client_ip = self.site.peers.client_of(self.client, ())
        self.method, self.clientproto, self.uri = b"-", b"HTTP/1.1", line
        self.raw_target = line
        self.answer_error(error, resource="")
        if self.site.log_refused is not None:
            self.site.log_refused(self)

    def process(self) -> None:
        """Have the site's resource render it."""
        self.prepath, self._postpath = [], None
        resource = self.site.resource
        try:
            if isinstance(resource, Answering):
                resource.render(self)
            else:
                # A leaf is found by every path.
                leaf = resource if resource.isLeaf else self.site.getResourceFor(self)
                self.render(leaf)
        except Exception:
            self.processingFailed(Failure())

    def connectionLost(self, reason: Failure) -> None:
        """Cancel what works for this request, quietly, then tell the others."""
        self.gone = True
        self.uncount()
        super().connectionLost(reason)
        if self._work is not None:
            self._work.cancel()
        self.body.failed(ClientGone())
        callbacks, self._gone_callbacks = self._gone_callbacks, []
        for callback in callbacks:
            callback()

    # the answer

    def answer(self, status: int, headers: Lines, body: bytes = b"") -> None:
        """Write the head and the first bytes of the body in one segment.

        :param headers: all but Server, Date and Connection, or the lines of them (:mod:`.lines`); Content-Length is the caller's.
        :raises ValueError: a header could split the answer.
        """
        channel = self.channel
        if channel is None:
            return
        if self.startedWriting:
            raise RuntimeError("an answer has one head only")
        channel.before_answer(self.body)
        lines = headers if isinstance(headers, bytes) else as_lines(headers)
        if self._answer_headers is not None:
            every = self._answer_headers.getAllRawHeaders()
            lines = as_lines((n, v) for n, values in every for v in values) + lines
        if not channel.persistent:
            lines = b"Connection: close\r\n" + lines
        first = _STATUS_LINES.get(status) or b"HTTP/1.1 %d \r\n" % status
        self.startedWriting = 1
        self.code = status
        self.sentLength += len(body)
        standing = self.site.standing_headers()
        channel.write(b"%b%b%b\r\n%b" % (first, standing, lines, body))

    def answer_document(
        self,
        status: int,
        headers: Lines,
        body: bytes,
        length: int | None = None,
    ) -> None:
        """Write and finish a whole answer.

        :param headers: as for :meth:`answer`, without Content-Length.
        :param body: left out where the method or the status forbids one.
        :param length: the Content-Length of an answer to HEAD, where it is not the body's.
        """
        if status in NO_BODY_CODES:
            body = b""
        else:
            size = len(body) if length is None else length
            lines = headers if isinstance(headers, bytes) else as_lines(headers)
            headers = b"%bContent-Length: %d\r\n" % (lines, size)
            if self.method == b"HEAD":
                body = b""
        self.answer(status, headers, body)
        self.finish()

    def answer_error(self, error: S3Error, resource: str) -> None:
        """Write and finish an error, in the site's form."""
        document = self.site.error_body(error, resource, self.request_id)
        request_id = self.request_id.encode("ascii")
        headers = [(name, request_id) for name in self.site.request_id_headers]
        headers.append((b"Content-Type", self.site.error_type))
        self.answer_document(error.status, headers, document)

    def write(self, data: bytes) -> None:
        """Write some of an answer whose head Twisted makes; see :meth:`answer` for our own way."""
        channel = self.channel
        if not self.startedWriting and channel is not None:
            channel.before_answer(self.body)
            for line in self.site.standing_headers().splitlines():
                name, _, value = line.partition(b": ")
                self.responseHeaders.setRawHeaders(name, [value])
            if not channel.persistent:
                self.responseHeaders.setRawHeaders(b"Connection", [b"close"])
        super().write(data)

    def registerProducer(self, producer: IProducer, streaming: bool) -> None:
        """Let a producer write the answer; it is stopped at once where nobody is left to read it."""
        if self.channel is None:
            producer.stopProducing()
        else:
            super().registerProducer(producer, streaming)

    def unregisterProducer(self) -> None:
        """The producer has done. Allowed also when the client is gone."""
        if self.channel is None:
            self.producer = None
        else:
            super().unregisterProducer()

    def finish(self) -> None:
        """End the answer. What the client still sends of the body is read first, or the connection closes.

        Twisted's own ``finish`` would take that rest for requests. Does nothing the second time, nor when the
        client is gone.
        """
        channel = self.channel
        if self.gone or self.held or self.finished or channel is None:
            return
        if not self.startedWriting:
            self.write(b"")
        if self.body.complete or not channel.persistent:
            self._end()
            return
        if self.chunked:
            self.chunked = 0
            channel.write(b"0\r\n\r\n")
        self.held = True
        self.body.discard()

    def finish_held(self) -> None:
        """The rest of the body has come, or will not be waited for."""
        self.held = False
        self._end()

    def _end(self) -> None:
        """The answer is finished. Who would have been told of the connection's end holds this request: let go of them."""
        channel = self.channel
        if self.producer is not None or self.chunked or channel is None:
            super().finish()
        else:
            # The same without what we have no use for.
            self.finished = 1
            channel.requestDone(self)
            self.channel = None
            for each in self.notifications:
                each.callback(None)
            self.notifications = []
        self._gone_callbacks.clear()

    def abort(self) -> None:
        """Cut the connection, so that an answer begun does not look whole."""
        if self.channel is not None:
            self.channel.abort()

    def processingFailed(self, reason: Failure) -> Failure:
        """Nobody expected this: log it, answer ``InternalError``."""
        self.log.failure("Request {id} failed", reason, id=self.request_id)
        if self.startedWriting:
            self.abort()
        else:
            self.answer_error(InternalError(), resource="")
        return reason
