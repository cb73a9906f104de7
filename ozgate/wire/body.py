"""A request's body: a push producer that nothing reads ahead of its consumer."""

from __future__ import annotations

from typing import Protocol

from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IConsumer, IPushProducer
from twisted.python.failure import Failure
from zope.interface import implementer

from ..errors import S3Error, forget_frames

READ = 256 << 10
"""Bytes of a body that are read at once."""

READ_LARGE = 1 << 20
"""The same of a large body where there is memory for it. Each read is worked on by two threads, and to reach them costs more than a tenth of MD5 of
256 KiB: with this a PUT of 1 GiB costs 0.85 of the CPU (``python -m benchmarks.suite --rows 'PUT 1 GiB*'``)."""


class Stopped(Exception):
    """The consumer of a body wanted no more of it."""


class BodySource(Protocol):
    """What a body asks of the connection it comes from."""

    def pause_body(self) -> None:
        """Read no more from the client for now."""

    def resume_body(self) -> None:
        """Read on, and hold the client to the minimum rate."""

    def send_continue(self) -> None:
        """Tell the client to send the body."""

    def drain_body(self) -> None:
        """Read and drop what remains, within bounds."""


class BodyAccount(Protocol):
    """Where what a body takes of memory is accounted for; see :class:`~ozgate.wire.limits.Account`."""

    def take(self, count: int) -> None:
        """So many bytes more have come; raises when there is no room for them."""

    def close(self) -> None:
        """The body takes nothing any more."""


@implementer(IPushProducer)
class RequestBody:
    """The body of one request.

    The connection gives it bytes; :meth:`deliver_to` passes them on. Until then, and while the consumer
    pauses, it holds what had arrived and the connection is not read: at most one read's worth is held.

    :ivar length: declared Content-Length in bytes; ``None`` with the chunked transfer coding, 0 for no body.
    :ivar received: bytes arrived so far, transfer coding removed.
    :ivar complete: whether all of it has arrived.
    :ivar read_at_once: bytes that are read of it at once over plain TCP, while as many are to come.
    """

    read_at_once = READ

    received = 0
    discarded = False
    _taken = False
    _paused = False
    _flushing = False
    _consumer: IConsumer | None = None
    _done: Deferred[int] | None = None
    _error: Exception | None = None
    _account: BodyAccount | None = None

    def __init__(
        self, source: BodySource, length: int | None, expects_continue: bool = False
    ) -> None:
        self._source = source
        self.length = length
        self._expects = expects_continue
        self.complete = length == 0
        self._held: list[bytes] = []

    # for the operation

    def whole(self) -> bytes | None:
        """All of the body, where it has arrived already, as a small one does with its head: it is taken by that. Else ``None``."""
        if not self.complete or self._taken or self.discarded or self._error:
            return None
        self._taken = True
        held, self._held = self._held, []
        return held[0] if len(held) == 1 else b"".join(held)

    def deliver_to(self, consumer: IConsumer) -> Deferred[int]:
        """Give the body to a consumer, as a push producer. Once only.

        Writes ``100 Continue`` if the client waits for it. Cancelling stops the delivery; the rest is discarded.

        :return: fires with the count of bytes when the consumer has had all; it has been unregistered
            from by then. Fails with ``IncompleteBody`` (the client stopped early), ``RequestTimeout``
            (it was too slow), ``SlowDown`` (see :meth:`charge`), ``BadRequest`` (chunk framing), ``ClientGone``, :class:`Stopped`, or
            with whatever the consumer's ``write`` raised.
        """
        if not self._taken and self._error is not None:
            return fail(self._error)
        if self._taken or self.discarded:
            raise RuntimeError("a request's body can be taken once only")
        self._taken = True
        done: Deferred[int] = Deferred(lambda _: self._let_go())
        self._done = done
        self._consumer = consumer
        consumer.registerProducer(self, True)
        if self.awaits_continue:
            self._source.send_continue()
            self._expects = False
        if self._consumer is consumer and not self._paused:
            self.resumeProducing()
        return done

    def discard(self) -> None:
        """Nobody wants it: the connection reads and drops a bounded rest, or closes. Idempotent."""
        if not self.discarded:
            self.discarded = True
            self._held.clear()
            if not self.complete:
                self._source.drain_body()

    def charge(self, account: BodyAccount) -> None:
        """Have what comes accounted for, until :meth:`settle`.

        :param account: which has what is here.
        """
        self._account = account

    def settle(self) -> None:
        """The request is over: account for nothing any more."""
        account, self._account = self._account, None
        if account is not None:
            account.close()

    # IPushProducer, for the consumer

    def pauseProducing(self) -> None:
        """Deliver nothing until :meth:`resumeProducing`."""
        self._paused = True
        if not self.complete:
            self._source.pause_body()

    def resumeProducing(self) -> None:
        """Deliver what is held, then read on."""
        self._paused = False
        if self._flushing:
            return
        self._flushing = True
        while self._held and self._consumer is not None and not self._paused:
            self._write(self._held.pop(0))
        self._flushing = False
        if self._consumer is None or self._paused:
            return
        if self._error is not None:
            self._finish(Failure(self._error))
        elif self.complete:
            self._finish(self.received)
        else:
            self._source.resume_body()

    def stopProducing(self) -> None:
        """Deliver nothing any more."""
        self._finish(Failure(Stopped()))
        self.discard()

    # for the connection

    @property
    def awaits_continue(self) -> bool:
        """Whether the client still waits for ``100 Continue`` and has sent nothing."""
        return self._expects and not self.received and not self.complete

    def arrived(self, data: bytes) -> None:
        """All of the body is here, before anybody was told of the request."""
        self.received = len(data)
        self.complete = True
        self._held.append(data)

    def data_received(self, data: bytes) -> None:
        """Some of the body has arrived."""
        self.received += len(data)
        if self.discarded:
            return
        if self._account is not None:
            try:
                self._account.take(len(data))
            except Exception as error:
                self._error = error
                self._finish(_failure(error))
                self.discard()
                return
        if self._consumer is None or self._paused or self._held:
            self._held.append(data)
            if not self.complete:
                self._source.pause_body()
        else:
            self._write(data)

    def all_received(self) -> None:
        """The body has ended as it should."""
        self.complete = True
        if self._consumer is not None and not self._paused and not self._held:
            self._finish(self.received)

    def failed(self, error: Exception) -> None:
        """No more of the body will come."""
        if self.complete or self._error is not None:
            return
        self._error = error
        self._held.clear()
        self._finish(Failure(error))

    def _write(self, data: bytes) -> None:
        assert self._consumer is not None
        try:
            self._consumer.write(data)
        except Exception as error:
            self._finish(_failure(error))
            self.discard()

    def _let_go(self) -> None:
        """The delivery was cancelled."""
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            consumer.unregisterProducer()
        self.discard()

    def _finish(self, result: int | Failure) -> None:
        consumer, self._consumer = self._consumer, None
        if consumer is None:
            return
        assert self._done is not None
        try:
            consumer.unregisterProducer()
        except Exception as error:
            result = _failure(error)
        if isinstance(result, Failure):
            self._done.errback(result)
        else:
            self._done.callback(result)


def _failure(error: Exception) -> Failure:
    """An error to fail with.

    One that is an answer goes without its frames, which have the body: the body has the Deferred that has the error.
    """
    if isinstance(error, S3Error):
        forget_frames(error)
    return Failure(error)
