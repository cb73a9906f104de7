"""Keys and parts being written, as the reactor's thread sees them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred, DeferredSemaphore, fail, succeed
from zope.interface import implementer

from ...batches import Batches, Settled
from ...errors import StoreError, Unavailable
from ...interfaces import IForeignSink
from ...values import OnBehalf
from .keystream import KeyStream, Opening
from .wide import LARGE, MOST

if TYPE_CHECKING:
    from .client import Client
    from .system import Connection

PIECE = 1 << 20
"""Bytes that a thread writes at once. With a quarter of that the client is half as fast."""


class Writers:
    """The keys and parts that are being written, of which there are so many at a time: each has a buffer or two in Java's heap.

    :param most: how many; others wait.
    """

    def __init__(self, connection: Connection, most: int) -> None:
        self._connection = connection
        self._places = DeferredSemaphore(most)
        self._wide = 0

    def open(
        self, opening: Opening, behalf: OnBehalf, size: int = 0
    ) -> Deferred[IForeignSink]:
        """Begin to write.

        :param size: bytes that are expected; 0 where nobody can tell.
        :return: fails with ``Unavailable`` where there is no place in time, else as ``opening`` does.
        """
        return Deferred.fromCoroutine(self._open(opening, behalf, size))

    async def _open(
        self, opening: Opening, behalf: OnBehalf, size: int
    ) -> IForeignSink:
        connection = self._connection
        place = self._places.acquire()
        place.addTimeout(connection.deadline, connection.reactor, _no_place)
        await place
        is_wide = size >= LARGE and self._wide < MOST
        self._wide += is_wide
        stream = KeyStream(partial(self._release, is_wide))
        try:
            await connection.run(_open, stream, opening, is_wide, behalf=behalf)
        except BaseException:
            drop(connection, stream)
            raise
        return OzoneSink(connection, stream, behalf)

    def _release(self, is_wide: bool) -> None:
        self._connection.reactor.callFromThread(self._released, is_wide)

    def _released(self, is_wide: bool) -> None:
        self._wide -= is_wide
        self._places.release()


@implementer(IForeignSink)
class OzoneSink(Batches):
    """A key or part being written.

    :param behalf: for whom; each call that writes, and the one that commits, is made for them.
    """

    def __init__(
        self, connection: Connection, stream: KeyStream, behalf: OnBehalf
    ) -> None:
        super().__init__(self._run_for, PIECE)
        self._connection = connection
        self._stream = stream
        self._behalf = behalf
        self._is_ended = False
        self._dropped: Deferred[None] | None = None

    def work(self, chunks: list[bytes]) -> None:
        """Write a batch. Runs in a thread."""
        self._stream.use(self._stream.write, chunks)

    def _run_for(self, function: Callable[..., Any], *args: Any) -> Deferred[Any]:
        return self._connection.run(
            _without_client, function, *args, behalf=self._behalf
        )

    def commit(self, etag: str, metadata: Mapping[str, str]) -> Deferred[None]:
        """See :class:`~ozgate.interfaces.IForeignSink`."""
        if self._is_ended:
            return fail(Unavailable("it was committed or dropped before"))
        self._is_ended = True
        done: Deferred[None] = Settled()
        Deferred.fromCoroutine(self._commit(etag, metadata)).addBoth(done.callback)
        return done

    async def _commit(self, etag: str, metadata: Mapping[str, str]) -> None:
        stream = self._stream
        try:
            rest = await self.settle()
            await self._connection.run(
                _commit,
                stream,
                rest,
                etag,
                dict(metadata),
                behalf=self._behalf,
            )
        finally:
            # A commit that has not come back goes on, and is the last to work on it.
            drop(self._connection, stream)

    def abort(self) -> Deferred[None]:
        """See :class:`~ozgate.interfaces.IForeignSink`."""
        if not self._is_ended:
            self._is_ended = True
            Deferred.fromCoroutine(self._abort())
        return succeed(None)

    async def _abort(self) -> None:
        self.drop()
        with suppress(StoreError):
            await self.settle()
        drop(self._connection, self._stream)


def drop(connection: Connection, stream: KeyStream) -> None:
    """Release a stream, here or by whoever works on it."""
    if not stream.end():
        return
    if stream.is_open:
        connection.calls.release(stream.release)
    else:
        stream.release()


def _open(client: Client, stream: KeyStream, opening: Opening, is_wide: bool) -> None:
    stream.use(stream.open, client, opening, is_wide)


def _commit(
    client: Client,
    stream: KeyStream,
    rest: list[bytes],
    etag: str,
    metadata: Mapping[str, str],
) -> None:
    stream.use(stream.commit, rest, etag, metadata)


def _without_client(client: Client, function: Callable[..., Any], *args: Any) -> Any:
    return function(*args)


def _no_place(result: Any, timeout: float) -> Any:
    """What a timed wait fails with."""
    raise Unavailable("too many keys are being written to the cluster")
