"""Answers whose bodies come from byte sources: by sendfile where the socket is plain."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IConsumer, IProducer, IPullProducer
from twisted.internet.main import CONNECTION_LOST
from twisted.python.failure import Failure
from zope.interface import implementer

from ..errors import ClientGone, Damaged
from .lines import Lines, with_length
from .pagecache import drop_sent
from .sendthread import BURST, FAST, LARGE, MOST, Part

if TYPE_CHECKING:
    from ..batches import RunInThread
    from ..interfaces import IByteSource
    from .outgoing import OutgoingChannel
    from .request import GatewayRequest


async def send(
    request: GatewayRequest,
    status: int,
    headers: Lines,
    length: int,
    sources: AsyncIterator[IByteSource],
    run_in_thread: RunInThread | None = None,
) -> None:
    """Write an answer whose body comes from byte sources, and finish the request.

    Each source is closed when it is sent, and the iterator in any case. To HEAD only the head is written.

    :param headers: without Content-Length.
    :param length: bytes of all sources.
    :param run_in_thread: by which much of a file may be sent; the reactor's turns do it otherwise.
    :raises ClientGone: nobody is left to send to.
    :raises Damaged: the sources have more or fewer bytes than ``length``. As with whatever else a source raises,
        the connection is cut once the head is out: a short body must not look whole.
    """
    head = with_length(headers, length)
    sender = _Sender(request, status, head, length, run_in_thread)
    try:
        if request.method != b"HEAD":
            await sender.send_all(sources)
        sender.begin()
        sender.close()
        request.finish()
    except BaseException:
        if request.startedWriting:
            request.abort()
        raise
    finally:
        sender.close()
        close = getattr(sources, "aclose", None)
        if close is not None:
            await close()


class _Sender:
    """One answer on its way out."""

    def __init__(
        self,
        request: GatewayRequest,
        status: int,
        headers: bytes,
        length: int,
        run_in_thread: RunInThread | None,
    ) -> None:
        self.request = request
        self._run_in_thread = run_in_thread
        self._length = self.left = length
        self._head = (status, headers)
        self._begun = False
        self._run: _FileRun | None = None
        self._waiting: Deferred[Any] | None = None
        request.on_gone(self._gone)

    def begin(self, data: bytes = b"") -> None:
        """Write the head if that is still to be done, and ``data``."""
        if not self._begun:
            self._begun = True
            self.request.answer(*self._head, data)
        elif data:
            self.request.write(data)

    async def send_all(self, sources: AsyncIterator[IByteSource]) -> None:
        """Send source after source, and close each.

        :raises ClientGone: the client went before the end.
        :raises StoreError: a source cannot be read, or all of them together have another length than was announced.
        """
        async for source in sources:
            try:
                if self.request.gone:
                    raise ClientGone()
                if source.length > self.left:
                    raise Damaged("stored bytes are more than they should be")
                await self._send(source)
                self.left -= source.length
            finally:
                source.close()
        if self.left:
            raise Damaged("stored bytes are fewer than they should be")

    async def _send(self, source: IByteSource) -> None:
        channel = self.request.channel
        assert channel is not None
        data = source.as_bytes()
        if data is not None:
            if len(data) != source.length:
                raise Damaged("stored bytes are fewer than they should be")
            self.close()
            self.begin(data)
            room = channel.writable() if self.left > source.length else None
            if room is not None:
                await self._wait(room)
        elif channel.plain and (place := source.as_file()) is not None:
            self.begin()
            if self._run is None:
                self._run = _FileRun(
                    self.request,
                    channel,
                    self._run_in_thread,
                    self._length >= channel.site.uncached_from,
                )
            await self._wait(self._run.send(*place))
        else:
            self.close()
            before = self.request.sentLength
            # The head goes with the first bytes, so that a source that has none to give leads to an answer that says so.
            await self._wait(source.send_to(_Body(self)))
            if self.request.sentLength - before != source.length:
                raise Damaged("stored bytes are fewer than they should be")

    async def _wait(self, deferred: Deferred[Any]) -> None:
        self._waiting = deferred
        try:
            await deferred
        except CancelledError:
            if self._waiting is None:
                raise ClientGone() from None
            raise
        finally:
            self._waiting = None

    def _gone(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.cancel()

    def close(self) -> None:
        """Give the socket back."""
        run, self._run = self._run, None
        if run is not None:
            run.close()


@implementer(IConsumer)
class _Body:
    """The request as a push source sees it: the head is written with the first bytes."""

    def __init__(self, sender: _Sender) -> None:
        self._request = sender.request
        self.write = sender.begin

    def registerProducer(self, producer: IProducer, streaming: bool) -> None:
        """Have a producer paused when the socket is full."""
        self._request.registerProducer(producer, streaming)

    def unregisterProducer(self) -> None:
        """It is done."""
        self._request.unregisterProducer()


@implementer(IPullProducer)
class _FileRun:
    """Sends parts of files with ``os.sendfile``, on a transport of its own for as long as it lives.

    Whenever the reactor finds the socket writable it calls this, once what was written before has left: the transport's own ``doWrite``
    would write nothing first, stop the reactor from watching, and be told to have it watched again, which costs as much as the kernel takes to send.
    """

    def __init__(
        self,
        request: GatewayRequest,
        channel: OutgoingChannel,
        run_in_thread: RunInThread | None,
        uncached: bool,
    ) -> None:
        self._uncached = uncached  # what was sent is of no use
        self._request = request
        self._channel = channel
        self._run_in_thread = run_in_thread
        self._part: Part | None = None  # in a thread now
        self._transport = channel.transport
        self._fd = self._offset = self._left = 0
        self._budget = BURST
        self._done: Deferred[None] | None = None
        self._running = False
        self._lent = False

    def send(self, fd: int, offset: int, count: int) -> Deferred[None]:
        """Send ``count`` bytes from ``offset``: as many as the socket takes at once, the rest as it takes more.

        :return: fires when the operating system has them all; fails with ``Damaged`` at a file's early end,
            with ``OSError`` where reading fails. Cancelling stops it.
        """
        self._fd, self._offset, self._left = fd, offset, count
        done = self._done = Deferred(self._cancelled)
        if not self._lent:
            self._lent = True
            self._running = True  # what was written before goes first
            self._channel.lend_transport(self)
            self._transport.doWrite = self._do_write
            self._running = False
        self._channel.lender_idle(False)
        if not self._running:
            self.resumeProducing()
        return done

    def close(self) -> None:
        """Give the transport back."""
        self._stop_thread()
        if self._lent:
            self._lent = False
            transport = self._transport
            if vars(transport).get("doWrite") == self._do_write:
                del transport.doWrite  # back to the class's
                if not self._is_behind:
                    transport.stopWriting()
            self._channel.take_back_transport()

    @property
    def _is_behind(self) -> bool:
        """Whether what was written before has not left yet."""
        return bool(self._transport.dataBuffer or self._transport._tempDataLen)

    def _do_write(self) -> Exception | None:
        """See ``IWriteDescriptor``: the socket is writable."""
        self._budget = BURST
        if self._is_behind:
            lost: Exception | None = type(self._transport).doWrite(self._transport)
            return lost
        before = self._left
        if not self._pump():
            return CONNECTION_LOST
        if self._lent and not self._left:
            self._transport.stopWriting()
        elif self._left >= LARGE and before - self._left >= FAST:
            self._begin_thread()
        return None

    def _begin_thread(self) -> None:
        """Have a thread go on, where there is one for it."""
        site = self._channel.site
        if self._run_in_thread is None or site.sending >= MOST:
            return
        try:
            out = self._transport.socket
            part = self._part = Part(
                out, self._fd, self._offset, self._left, self._uncached
            )
        except OSError:  # no descriptor is left
            return
        site.sending += 1
        self._transport.stopWriting()
        self._run_in_thread(part.run).addBoth(self._thread_ended, part)

    def _thread_ended(self, sent: int | Failure, part: Part) -> None:
        self._channel.site.sending -= 1
        part.close()  # no thread may have begun
        if self._part is not part:
            return
        self._part = None
        if isinstance(sent, Failure):
            self._finish(sent)
            return
        self._running = True  # who waits for the end may send more
        self._advance(sent)
        self._running = False
        if self._left:
            self._transport.startWriting()

    def _stop_thread(self) -> None:
        """Nobody wants more of this: the connection is being cut."""
        part, self._part = self._part, None
        if part is not None:
            part.stopped = True

    def resumeProducing(self) -> None:
        """The transport's buffer is empty."""
        if self._running or self._part is not None:
            return
        if not self._is_behind:
            self._pump()
        if self._left:
            self._transport.startWriting()

    def _pump(self) -> bool:
        """Send what the socket takes, within a turn's share; whether the connection is still there."""
        self._running = True
        try:
            while self._left and self._budget > 0:
                asked = min(self._left, self._budget)
                sent = os.sendfile(
                    self._transport.fileno(), self._fd, self._offset, asked
                )
                if not sent:
                    raise Damaged("stored bytes are fewer than they should be")
                self._budget -= sent
                if self._uncached:
                    drop_sent(self._fd, self._offset, sent)
                self._advance(sent)
                if sent < asked:
                    break  # the socket is full
        except BlockingIOError:
            pass  # full
        except ConnectionError:
            return False
        except (OSError, Damaged) as error:
            self._finish(error)
        finally:
            self._running = False
        return True

    def stopProducing(self) -> None:
        """The connection is lost; the request says so to whoever waits."""
        self._stop_thread()
        self._left = 0

    def _advance(self, sent: int) -> None:
        self._offset += sent
        self._left -= sent
        self._request.sentLength += sent
        self._channel.sent += sent
        if not self._left:
            self._channel.lender_idle(True)
            self._finish(None)

    def _finish(self, error: Exception | Failure | None) -> None:
        self._left = 0
        done, self._done = self._done, None
        if done is None:
            return
        if error is None:
            done.callback(None)
        else:
            done.errback(error)

    def _cancelled(self, deferred: Deferred[None]) -> None:
        self._stop_thread()
        self._left = 0
        self._done = None
