"""Bytes of an object that come while they are sent, a block at a time, each verified before a byte of it goes on."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Sequence

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IConsumer, IDelayedCall, IPushProducer
from twisted.python.failure import Failure
from zope.interface import implementer

from ...errors import ClientGone, Damaged, Unavailable
from ...interfaces import IByteSource
from .blobrun import Run
from .bodies import Arriving, Watch
from .engine import Engine, Opened
from .frames import FRAME, Unframing

_BLOCKS = 4
"""Blocks that are read at once, at most, while connections are free."""


@implementer(IByteSource)
class Streamed:
    """Bytes that come."""

    def __init__(self, run: Run, opened: Opened) -> None:
        self.length = run.span.length
        self._run = run
        self._opened = opened
        self._sending: _Sending | None = None
        # An answer that nobody takes keeps a connection.
        self._watch = Watch(run.engine.reactor, run.engine.limits.silence, opened.drop)
        opened.pause(opened.drop)

    def as_bytes(self) -> bytes | None:
        """Nothing: they are not here yet."""
        return None

    def as_file(self) -> None:
        """Nothing: it is no file."""

    def send_to(self, consumer: IConsumer) -> Deferred[None]:
        """See :class:`~ozgate.interfaces.IByteSource`."""
        if self._sending is not None:
            raise RuntimeError("a source sends once")
        self._watch.stop()
        self._sending = _Sending(self._run, consumer)
        return self._sending.start(self._opened)

    def close(self) -> None:
        """Give up what comes; a sending under way fails."""
        self._watch.stop()
        if self._sending is not None:
            self._sending.stop(ClientGone("the source was closed"))
        self._opened.drop()


@implementer(IPushProducer)
class _Sending:
    """One sending of bytes that come.

    A connection that breaks, or that a slow reader keeps for nothing or while others wait for one, is given up, and the rest asked for anew, from
    the block on that comes next.
    """

    def __init__(self, run: Run, consumer: IConsumer) -> None:
        self._run = run
        self._engine = run.engine
        self._consumer = consumer
        self._blocks = Unframing(
            run.blob.id, run.blob.length, run.first, run.stop, self._take
        )
        self._ready: deque[bytes] = deque()
        self._arriving: Arriving | None = None
        self._opened: Opened | None = None
        self._asking: Deferred[None] | None = None
        self._later: IDelayedCall | None = None
        self._watch: Watch | None = None
        self._paused = False
        self._writing = False
        self._failures = 0
        self._wrong = -1
        self._done: Deferred[None] | None = None

    def start(self, opened: Opened) -> Deferred[None]:
        """Begin."""
        done: Deferred[None] = Deferred(lambda _: self._finish(None))
        self._done = done
        self._consumer.registerProducer(self, True)
        if opened.is_over:
            # It waited too long for us.
            self._ask()
        else:
            self._attach(opened)
        return done

    def stop(self, error: Exception) -> None:
        """Stop for good."""
        self._finish(error)

    def pauseProducing(self) -> None:
        """Write no more for now."""
        self._paused = True
        if self._arriving is not None and self._opened is not None:
            self._arriving.pause()
            self._opened.pause(self._detach)

    def resumeProducing(self) -> None:
        """Go on."""
        self._paused = False
        self._flush()
        if self._paused or self._done is None:
            return
        if self._arriving is not None and self._opened is not None:
            self._touch()
            self._opened.resume()
            self._arriving.resume()
        elif self._asking is None and self._later is None and not self._blocks.is_over:
            self._ask()

    def stopProducing(self) -> None:
        """Stop: nobody wants the rest."""
        self._finish(ClientGone("the consumer wants no more"))

    def _attach(self, opened: Opened) -> None:
        """Have the body of an answer come."""
        self._opened = opened
        self._blocks.restart()
        arriving = self._arriving = Arriving(self._feed, self._ended)
        limit = self._engine.limits.silence
        self._watch = Watch(self._engine.reactor, limit, self._silent)
        opened.resume()
        opened.take(arriving)
        self._fit_read()
        if self._paused and self._arriving is arriving:
            self.pauseProducing()

    def _detach(self) -> None:
        """Let go of the answer: it has come, or its connection is given up."""
        if self._watch is not None:
            self._watch.stop()
            self._watch = None
        arriving, self._arriving = self._arriving, None
        opened, self._opened = self._opened, None
        if opened is None:
            return
        if arriving is not None and self._blocks.is_over:
            # What is left to come is its end, and the connection is good for the next.
            _see_out(self._engine, arriving, opened)
            return
        if arriving is not None:
            arriving.hang_up()
        opened.release()

    def _touch(self) -> None:
        if self._watch is not None:
            self._watch.touch()

    def _feed(self, data: bytes) -> None:
        """Bytes came."""
        self._touch()
        try:
            self._blocks.feed(data)
            self._run.check_whole(self._blocks)
        except Damaged as error:
            self._is_wrong(error)
            return
        self._fit_read()
        if self._blocks.is_over:
            self._detach()
        self._flush()

    def _fit_read(self) -> None:
        """Have the next read end where a block does, some blocks on.

        So each block is one piece, and goes on by one write. By reads of one block a GiB adds three times as much CPU to a GET, by reads of
        64 KiB, which end anywhere, four times (``python -m benchmarks.s3_engine``). But whoever stands still keeps what was read, also when his
        connection is another's: no more than all connections are for keep so much.
        """
        if self._arriving is None:
            return
        if self._blocks.is_over:
            self._arriving.fit_read()
        else:
            more = _BLOCKS - 1 if self._engine.turns.are_free else 0
            self._arriving.fit_read(self._blocks.missing + more * FRAME)

    def _take(self, number: int, pieces: Sequence[bytes]) -> None:
        """A block was verified."""
        self._failures = 0
        self._ready.extend(self._run.cut(number, pieces))

    def _flush(self) -> None:
        """Write what was verified."""
        if self._writing:
            return
        self._writing = True
        try:
            while self._ready and not self._paused and self._done is not None:
                self._consumer.write(self._ready.popleft())
        except Exception as error:
            self._finish(error)
        finally:
            self._writing = False
        if self._blocks.is_over and not self._ready:
            self._finish(None)

    def _is_wrong(self, error: Damaged) -> None:
        """A block is not what was written. It is asked for once more: it may have been on the way."""
        if self._wrong == self._blocks.number or self._blocks.is_over:
            self._finish(error)
            return
        self._wrong = self._blocks.number
        self._detach()
        # Those before it are well.
        self._flush()
        if self._done is not None and not self._paused:
            self._ask()

    def _silent(self) -> None:
        """Nothing came for a while: the engine is silent, or who reads is slow."""
        self._detach()
        if not self._paused:
            self._again(Unavailable(f"{self._run.what}: the engine is silent"))

    def _ended(self, reason: Failure | None) -> None:
        """The answer is over."""
        self._arriving = None
        self._detach()
        if self._done is not None and not self._blocks.is_over:
            self._again(
                Unavailable(f"{self._run.what}: the engine broke off its answer")
            )

    def _again(self, error: Exception) -> None:
        """Ask for the rest a little later, unless that was tried often enough."""
        pauses = self._engine.limits.pauses
        if self._failures == len(pauses):
            self._finish(error)
            return
        pause = pauses[self._failures] * random.uniform(0.75, 1.25)
        self._failures += 1
        self._later = self._engine.reactor.callLater(pause, self._ask_later)

    def _ask_later(self) -> None:
        self._later = None
        if not self._paused:
            self._ask()

    def _ask(self) -> None:
        """Ask for the rest."""
        self._asking = Deferred.fromCoroutine(self._opened_anew())
        self._asking.addErrback(self._not_opened)

    async def _opened_anew(self) -> None:
        run, first = self._run, self._blocks.number * FRAME
        opened = await self._engine.open_range(run.name, run.what, first, run.end)
        self._asking = None
        if self._done is None:
            # A request that is cancelled may end as one that broke off, and is tried again then.
            opened.drop()
            return
        try:
            run.check(opened.total)
        except BaseException:
            opened.drop()
            raise
        self._attach(opened)

    def _not_opened(self, failure: Failure) -> None:
        self._asking = None
        if not failure.check(CancelledError):
            self._finish(failure)

    def _finish(self, failure: Failure | Exception | None) -> None:
        done, self._done = self._done, None
        self._ready.clear()
        self._detach()
        asking, self._asking = self._asking, None
        if asking is not None:
            asking.cancel()
        if self._later is not None:
            self._later.cancel()
            self._later = None
        if done is None:
            return
        self._consumer.unregisterProducer()
        if failure is not None:
            done.errback(failure)
        elif self._blocks.is_over:
            done.callback(None)
        # else cancelled: the Deferred fails with CancelledError of itself.


def _see_out(engine: Engine, arriving: Arriving, opened: Opened) -> None:
    """Wait for the end of an answer whose bytes have come, and then use its connection no more."""

    def give_back() -> None:
        watch.stop()
        arriving.hang_up()
        opened.release()

    def ended() -> None:
        watch.stop()
        opened.release()

    watch = Watch(engine.reactor, engine.limits.silence, give_back)
    opened.pause(give_back)
    arriving.leave(ended)
    # It may stand still for a reader who was slow.
    arriving.resume()
