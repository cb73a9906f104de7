"""What sinks of stores have in common whose writers block: batches go to a thread, and a commit or a drop ends them once."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from twisted.internet.defer import Deferred, fail, succeed
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from ..batches import Batches, RunInThread, Settled
from ..errors import StoreError, Unavailable
from ..interfaces import IBlobSink
from ..values import BlobRef

_log = Logger()


@implementer(IBlobSink)
class ThreadedSink(Batches):
    """A blob being written, in threads. A store gives :meth:`work`, :meth:`seal`, :meth:`take_back` and :meth:`discard`.

    :param forget: called with it when it is over.
    """

    def __init__(
        self, run_in_thread: RunInThread, forget: Callable[[ThreadedSink], None]
    ) -> None:
        super().__init__(run_in_thread)
        self._forget = forget
        self._committing = False
        self._aborted = False
        self._over = False
        self._waiters: list[Deferred[None]] = []

    async def seal(self, rest: list[bytes]) -> BlobRef:
        """Write the last chunks and make the blob durable; when that fails, nothing of it is left."""
        raise NotImplementedError

    async def take_back(self, blob: BlobRef) -> None:
        """Remove a blob that was dropped while it was committed."""
        raise NotImplementedError

    def discard(self) -> None:
        """Leave nothing of what was written. Runs in a thread."""
        raise NotImplementedError

    def commit(self) -> Deferred[BlobRef]:
        """See :class:`~ozgate.interfaces.IBlobSink`."""
        if self._committing or self._aborted:
            return fail(Unavailable("the blob was committed or dropped before"))
        self._committing = True
        done: Deferred[BlobRef] = Settled()
        Deferred.fromCoroutine(self._commit()).addBoth(done.callback)
        return done

    def abort(self) -> Deferred[None]:
        """See :class:`~ozgate.interfaces.IBlobSink`. After ``commit`` has fired, nothing happens."""
        if self._over:
            return succeed(None)
        waiter: Deferred[None] = Settled()
        self._waiters.append(waiter)
        if not self._aborted:
            self._aborted = True
            if not self._committing:
                Deferred.fromCoroutine(self._drop()).addErrback(_not_dropped)
        return waiter

    async def _commit(self) -> BlobRef:
        try:
            blob = await self._sealed()
            if self._aborted:
                await self.take_back(blob)
                raise Unavailable("the blob was dropped")
            return blob
        finally:
            self._end()

    async def _sealed(self) -> BlobRef:
        try:
            return await self.seal(await self.settle())
        except BaseException:
            # What failed has left nothing; a call that was given up is to leave nothing when it comes back.
            with suppress(StoreError):
                await self._run_in_thread(self.discard)
            raise

    async def _drop(self) -> None:
        try:
            with suppress(StoreError):
                await self.settle()
            # In a thread: to give back the room of a large file takes a while.
            await self._run_in_thread(self.discard)
        finally:
            self._end()

    def _end(self) -> None:
        self._over = True
        self._forget(self)
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            waiter.callback(None)


def _not_dropped(failure: Failure) -> None:
    """Its room is given back when the service ends, or when a store is prepared."""
    if failure.check(StoreError):
        _log.warn("a blob could not be dropped: {error}", error=failure.value)
    else:
        _log.failure("dropping a blob failed", failure)
