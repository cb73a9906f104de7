"""A run of a key, sent as it is read, a piece at a time."""

from __future__ import annotations

from threading import local
from typing import TYPE_CHECKING, Any, cast

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IConsumer, IPushProducer
from twisted.python.failure import Failure
from zope.interface import implementer

from ...errors import ClientGone, Damaged
from ...interfaces import IByteSource
from ...values import OnBehalf
from .held import Held
from .wide import LARGE, MOST

if TYPE_CHECKING:
    from .client import Client
    from .system import Connection

PIECE = 1 << 20
"""Bytes that a thread reads at once: each read asks a datanode. With 64 KiB the client is six times as slow."""

WIDE = 4 << 20
"""Likewise of a few large runs at a time: as much as a chunk of Ozone's has, which is asked for once so."""


_buffers = local()


class Buffer:
    """Memory that Java fills in place."""

    def __init__(self, client: Client, size: int) -> None:
        self._memory = bytearray(size)
        self._direct = client.direct(self._memory)

    def read(self, stream: Any, size: int) -> bytes:
        """The next bytes of a key.

        :param size: how many, at most as it has room for.
        :raises Damaged: there are not so many.
        """
        direct = self._direct
        direct.clear()
        direct.limit(size)
        while direct.hasRemaining():
            if stream.read(direct) < 0:
                raise Damaged("a key of the cluster ends early")
        return bytes(memoryview(self._memory)[:size])


def read_piece(client: Client, stream: Any, size: int) -> bytes:
    """The next bytes of a key, by a buffer of the thread's own.

    :param size: how many, at most :data:`PIECE`.
    :raises Damaged: there are not so many.
    """
    if not hasattr(_buffers, "own"):
        _buffers.own = Buffer(client, PIECE)
    own: Buffer = _buffers.own
    return own.read(stream, size)


class Reader(Held):
    """A run of a key, read a piece at a time in threads.

    :param start: in the key.
    """

    def __init__(self, details: Any, start: int, length: int) -> None:
        super().__init__()
        self._details = details
        self._start = start
        self.length = length
        self._left = length
        self._stream: Any = None
        self._wide: Buffer | None = None
        self.is_wide = False
        """Whether it has a buffer of its own, for larger pieces."""

    @property
    def is_open(self) -> bool:
        """Whether it has to be released in a thread."""
        return self._stream is not None

    def read(self, client: Client) -> bytes:
        """The next piece."""
        if self._stream is None:
            self._stream = self._details.getContent()
            if self._start:
                self._stream.seek(self._start)
        size = min(WIDE if self.is_wide else PIECE, self._left)
        self._left -= size
        if not self.is_wide:
            return read_piece(client, self._stream, size)
        if self._wide is None:
            self._wide = Buffer(client, WIDE)
        return self._wide.read(self._stream, size)

    def release(self) -> None:
        """Close it."""
        stream, self._stream, self._details = self._stream, None, None
        self._wide = None
        if stream is not None:
            stream.close()


@implementer(IByteSource, IPushProducer)
class KeySource:
    """A run of a key. One piece is read while the one before it is on its way.

    :param reader: of the run.
    :param data: the run, where it is here already.
    """

    def __init__(
        self,
        connection: Connection,
        behalf: OnBehalf,
        reader: Reader,
        data: bytes | None = None,
    ) -> None:
        self.length = reader.length
        self._connection = connection
        self._behalf = behalf
        self._reader = reader
        self._data = self._held = data
        self._unread = 0 if data is not None else reader.length
        self._left = reader.length
        self._consumer: IConsumer | None = None
        self._done: Deferred[None] | None = None
        self._is_paused = False
        self._is_reading = False
        self._is_passing = False
        self._is_wide = False

    def as_bytes(self) -> bytes | None:
        """See :class:`~ozgate.interfaces.IByteSource`: where it is here."""
        return self._data

    def as_file(self) -> tuple[int, int, int] | None:
        """See :class:`~ozgate.interfaces.IByteSource`: never."""
        return None

    def send_to(self, consumer: IConsumer) -> Deferred[None]:
        """See :class:`~ozgate.interfaces.IByteSource`."""
        if self._consumer is not None:
            raise RuntimeError("a source sends once")
        if not self.length:
            return succeed(None)
        self._consumer = consumer
        self._go_wide()
        done: Deferred[None] = Deferred(lambda _: self._finish(None))
        self._done = done
        consumer.registerProducer(self, True)
        self._go_on()
        return done

    def close(self) -> None:
        """See :class:`~ozgate.interfaces.IByteSource`."""
        self._finish(ClientGone("the source was closed"))
        reader = self._reader
        self._leave_wide()
        if not reader.end():
            return
        if reader.is_open:
            self._connection.calls.release(reader.release)
        else:
            reader.release()

    def _go_wide(self) -> None:
        connection = self._connection
        if self.length >= LARGE and connection.wide_reads < MOST:
            connection.wide_reads += 1
            self._is_wide = self._reader.is_wide = True

    def _leave_wide(self) -> None:
        self._connection.wide_reads -= self._is_wide
        self._is_wide = False

    def pauseProducing(self) -> None:
        """Write no more for now; one piece is read all the same."""
        self._is_paused = True

    def resumeProducing(self) -> None:
        """Go on."""
        self._is_paused = False
        self._go_on()

    def stopProducing(self) -> None:
        """Stop: nobody wants the rest."""
        self._finish(ClientGone("the consumer wants no more"))

    def _go_on(self) -> None:
        # A consumer may pause or resume from within write().
        if self._is_passing or self._done is None:
            return
        self._is_passing = True
        try:
            if self._held is not None and not self._is_paused:
                data, self._held = self._held, None
                self._left -= len(data)
                cast(IConsumer, self._consumer).write(data)
        except Exception as error:
            self._finish(error)
        finally:
            self._is_passing = False
        if not self._left:
            self._finish(None)
        elif self._unread and self._held is None and not self._is_reading:
            self._read()

    def _read(self) -> None:
        if self._done is None:
            return
        self._is_reading = True
        reading = self._connection.run(_read, self._reader, behalf=self._behalf)
        reading.addBoth(self._has_read)

    def _has_read(self, result: bytes | Failure) -> None:
        self._is_reading = False
        if self._done is None:
            return
        if isinstance(result, Failure):
            self._finish(result)
            return
        self._unread -= len(result)
        self._held = result
        self._go_on()

    def _finish(self, failure: Failure | Exception | None) -> None:
        done, self._done = self._done, None
        self._held = None
        if done is None:
            return
        cast(IConsumer, self._consumer).unregisterProducer()
        if failure is not None:
            done.errback(failure)
        elif not self._left:
            done.callback(None)
        # else cancelled: the Deferred fails with CancelledError of itself.


def _read(client: Client, reader: Reader) -> bytes:
    return reader.use(reader.read, client)
