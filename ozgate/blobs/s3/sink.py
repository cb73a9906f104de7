"""A blob being written: held in memory until it is committed, then put.

S3 cannot rename, and a blob's id is not from a time before its commit, so that a sweep of what is nameless leaves alone what is still being written. An
object that is put while the body comes would need its id before. So the bytes wait here, which is why a blob of this store is
small; they can be put again, too, where a put has failed. What all of them hold is bounded by :class:`Memory`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.interfaces import IProducer
from zope.interface import implementer

from ...batches import Settled
from ...errors import Unavailable
from ...interfaces import IBlobSink
from ...values import BlobRef
from .frames import Blocks

if TYPE_CHECKING:
    from .store import S3BlobStore

LARGEST = 16 << 20
"""Bytes of a blob at most."""

SMALLEST = 512 << 10
"""Bytes of a blob that there is always room for."""

_SHARE = 3
"""The part of the memory left that one more blob may take."""


class Memory:
    """Bytes that blobs being written may hold, all together.

    Each is promised a share of what is left, so that the more are written at a time, the smaller they are; nobody waits for another, who may be
    slow. Only where more than some dozens are written at a time, and each is promised the least there is, can the bound be passed.

    :param most: bytes of all of them.
    """

    def __init__(self, most: int) -> None:
        self._left = most

    @property
    def extent_size(self) -> int:
        """Bytes that the next blob may have."""
        return max(SMALLEST, min(LARGEST, self._left // _SHARE))

    def promise(self, size_hint: int | None) -> Callable[[], None]:
        """Promise room for a blob.

        :return: to be called once, when it holds nothing any more.
        """
        size = self.extent_size
        if size_hint is not None:
            size = min(size, size_hint)
        self._left -= size

        def release() -> None:
            self._left += size

        return release


@implementer(IBlobSink)
class S3Sink:
    """A blob being written."""

    def __init__(self, store: S3BlobStore, release: Callable[[], None]) -> None:
        self._store = store
        self._release = release
        self._blocks = Blocks()
        self._producer: IProducer | None = None
        self._committing = False
        self._over = False
        self._waiters: list[Deferred[None]] = []
        self.is_aborted = False

    def registerProducer(self, producer: IProducer, streaming: bool) -> None:
        """Take a push producer. It is never paused: what comes is bounded, and where it goes does not wait."""
        if not streaming:
            raise ValueError("only push producers can be paused")
        if self._producer is not None:
            raise RuntimeError("a producer is registered already")
        self._producer = producer

    def unregisterProducer(self) -> None:
        """Forget it."""
        self._producer = None

    def write(self, data: bytes) -> None:
        """Keep bytes."""
        if self._committing or self.is_aborted:
            raise RuntimeError("write after the end")
        self._blocks.add(data)

    def commit(self) -> Deferred[BlobRef]:
        """See :class:`~ozgate.interfaces.IBlobSink`."""
        if self._committing or self.is_aborted:
            return fail(Unavailable("the blob was committed or dropped before"))
        self._committing = True
        done: Deferred[BlobRef] = Settled()
        Deferred.fromCoroutine(self._commit()).addBoth(done.callback)
        return done

    def abort(self) -> Deferred[None]:
        """See :class:`~ozgate.interfaces.IBlobSink`. After ``commit`` has fired, nothing happens."""
        if self._over:
            return succeed(None)
        self.is_aborted = True
        if not self._committing:
            self._end()
            return succeed(None)
        waiter: Deferred[None] = Settled()
        self._waiters.append(waiter)
        return waiter

    async def _commit(self) -> BlobRef:
        try:
            return await self._store.put(self._blocks, lambda: self.is_aborted)
        finally:
            self._end()

    def _end(self) -> None:
        self._over = True
        self._blocks = Blocks()
        self._release()
        self._store.forget(self)
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            waiter.callback(None)
