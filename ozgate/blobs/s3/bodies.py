"""Bodies of requests to an engine, and of its answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from twisted.internet import tcp
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import (
    IConsumer,
    IDelayedCall,
    IPushProducer,
    IReactorTime,
)
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.web.client import ResponseDone
from twisted.web.http import PotentialDataLoss
from twisted.web.iweb import IBodyProducer, IResponse
from zope.interface import implementer

Content = tuple[Sequence[bytes | memoryview], int]
"""The body of a request: its pieces, and their size."""


class Watch:
    """Calls back when nothing has happened for a while.

    :param seconds: how long that is.
    :ivar has_expired: whether it did.
    """

    def __init__(
        self, reactor: IReactorTime, seconds: float, expired: Callable[[], object]
    ) -> None:
        self.has_expired = False
        self._seconds = seconds
        self._expired = expired
        self._call: IDelayedCall | None = reactor.callLater(seconds, self._expire)

    def touch(self) -> None:
        """Something happened."""
        if self._call is not None:
            self._call.reset(self._seconds)

    def stop(self) -> None:
        """Watch no longer. Idempotent."""
        call, self._call = self._call, None
        if call is not None:
            call.cancel()

    def _expire(self) -> None:
        self._call = None
        self.has_expired = True
        self._expired()


@implementer(IBodyProducer, IPushProducer)
class Pieces:
    """The body of a request, which is in memory.

    :param size: bytes of all pieces together.
    :param touch: called when some of them went.
    """

    def __init__(
        self, pieces: Sequence[bytes | memoryview], size: int, touch: Callable[[], None]
    ) -> None:
        self.length = size
        self._pieces = iter(pieces)
        self._touch = touch
        self._paused = False
        self._consumer: IConsumer | None = None
        self._done: Deferred[None] = Deferred(lambda _: self.stopProducing())

    def startProducing(self, consumer: IConsumer) -> Deferred[None]:
        """Write all of them, heeding pauses."""
        self._consumer = consumer
        self.resumeProducing()
        return self._done

    def pauseProducing(self) -> None:
        """Hold."""
        self._paused = True

    def resumeProducing(self) -> None:
        """Go on."""
        self._paused = False
        self._touch()
        while not self._paused and self._consumer is not None:
            piece = next(self._pieces, None)
            if piece is None:
                self._consumer = None
                self._done.callback(None)
                return
            self._consumer.write(bytes(piece))

    def stopProducing(self) -> None:
        """The request is over."""
        self._consumer = None


class Arriving(Protocol):
    """The body of an answer as it comes.

    :param take: is given bytes.
    :param ended: is told of the end, once: by ``None`` that it is whole, else by why it is not.
    """

    def __init__(
        self,
        take: Callable[[bytes], object],
        ended: Callable[[Failure | None], object],
    ) -> None:
        self._take = take
        self._ended: Callable[[Failure | None], object] | None = ended

    def dataReceived(self, data: bytes) -> None:
        """Give on bytes."""
        if self._ended is not None:
            self._take(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Tell of the end."""
        ended, self._ended = self._ended, None
        if ended is not None:
            ended(None if reason.check(ResponseDone) else reason)

    def pause(self) -> None:
        """Have no more come for now."""
        if self.transport is not None:
            self.transport.pauseProducing()  # type: ignore[attr-defined]

    def resume(self) -> None:
        """Have more come."""
        if self.transport is not None:
            self.transport.resumeProducing()  # type: ignore[attr-defined]

    def fit_read(self, size: int = tcp.Connection.bufferSize) -> None:
        """Have so many bytes read at once, at most, where they come over plain TCP. Whoever is done with the connection has it read as others are."""
        # What it is a proxy of; nothing when the answer is over.
        connection = getattr(self.transport, "_producer", None)
        if isinstance(connection, tcp.Connection):
            connection.bufferSize = size

    def leave(self, ended: Callable[[], object]) -> None:
        """Nothing is wanted any more but the end, which is to come. What comes besides costs the connection."""
        self._take = self._lose
        self._ended = lambda reason: ended()

    def _lose(self, data: bytes) -> None:
        if self.transport is not None:
            self.transport.loseConnection()

    def hang_up(self) -> None:
        """Give the connection up. Nothing more is taken, and nobody told."""
        self._take, self._ended = _drop, None
        # Over TLS the connection is closed when the other side has said that it closes it, which is to be read.
        self.resume()
        if self.transport is not None:
            self.transport.loseConnection()


def _drop(data: bytes) -> None:
    """Nobody wants it any more."""


def gather(
    response: IResponse, most: int, watch: Watch | None = None
) -> Deferred[bytes]:
    """The body of an answer.

    :param most: bytes it has at most.
    :param watch: touched when some came.
    :return: fires with it; fails with ``ValueError`` where it is larger, else with why it did not come. Cancelling hangs up.
    """
    pieces: list[bytes] = []
    count = 0

    def take(data: bytes) -> None:
        nonlocal count
        count += len(data)
        if watch is not None:
            watch.touch()
        if count > most:
            arriving.hang_up()
            gathered.errback(ValueError(f"it is larger than {most} bytes"))
            return
        pieces.append(data)

    def ended(reason: Failure | None) -> None:
        # An engine that says no length says the end by closing.
        if reason is None or reason.check(PotentialDataLoss):
            gathered.callback(b"".join(pieces))
        else:
            gathered.errback(reason)

    arriving = Arriving(take, ended)
    gathered: Deferred[bytes] = Deferred(lambda _: arriving.hang_up())
    response.deliverBody(arriving)
    return gathered
