"""Emptying a blob store: each blob that something names is moved to the store that new ones go to.

A blob is copied, and durable, before any row names the copy. Then the rows that name the old one name the copy instead, some in
each transaction, and the last of these dooms the old one: it goes when nobody reads it any more. So a drain may be killed at any
moment. What was copied and is not named yet is an orphan, and the next drain goes on with what is still named: the metadata
know of a drain from its beginning to its end, so that a service which starts in between goes on with it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from typing import TypeVar, TypeVarTuple

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import LoopingCall, deferLater
from twisted.logger import Logger

from ..content.extents import MOST_EXTENTS
from ..content.intake import now_of
from ..content.moving import Both, copy_stored
from ..content.outlet import begin_read
from ..content.readers import MARGIN
from ..content.storenames import note_drained, note_draining, note_stays
from ..content.unbroken import check_unbroken
from ..errors import Conflict, Damaged, NoSpace, StoreError, Unavailable, is_short
from ..interfaces import IMetadataTransaction, IShared
from ..values import BlobRef
from .leased import Lease
from .sharedwork import Running

_log = Logger()

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

LEASE = "drain"

TERM = 120.0
"""Seconds of the lease, renewed four times within them."""

SETTLING = MARGIN / 1000
"""Seconds after which all transactions are over that were there when a row was changed, where several run at once."""

MOST_LISTED = 1000
"""Blobs that stay and are named with the reason, at most; all are counted."""

_PAGE = 1000
"""Blobs read from the metadata at once."""

_BATCH = 100
"""Extents changed in one transaction: other writers wait for some milliseconds at most."""

_EVER = 1 << 60
"""A time, in milliseconds, that comes after all others."""


class Stopped(Exception):
    """Somebody wants no more of it."""


class Drain:
    """The drain of a store, under way from the beginning.

    :param name: the store's name; it is configured, and not the default.
    :param owner: see :class:`~ozgate.background.leased.Lease`.
    :ivar total: bytes of the blobs that something named when it began; 0 until that is known.
    :ivar done: bytes of those that are dealt with.
    :ivar moved: blobs that were moved.
    :ivar left: blobs that could not be, each with the reason; some of them.
    :ivar left_count: how many they are.
    :ivar is_empty: nothing names anything in the store any more.
    :ivar goes_on: whether one was begun before, and did not come to its end.
    :ivar beginning: over when the metadata know of the drain, so that it goes on whatever happens.
    """

    def __init__(self, stores: Both, name: str, owner: str) -> None:
        self.name = name
        self.total = self.done = self.moved = self.left_count = 0
        self.left: dict[str, str] = {}
        self.is_empty = self.goes_on = False
        self._stores = stores
        self._is_shared = IShared.providedBy(stores.metadata)
        self._term = Lease(LEASE, owner, TERM).begin()
        self._stopping = False
        self._copying: Deferred[list[BlobRef]] | None = None
        self._pausing: Deferred[None] | None = None
        self._is_settled = not self._is_shared
        self.beginning = Running(stores.clock, self._begin())
        self.running = Running(stores.clock, self._run())

    async def stop(self) -> None:
        """Have it end; returns when it has. The next drain goes on with the blob that it is at, as does the next start of the
        service, unless :func:`~ozgate.content.storenames.note_stays` is told.
        """
        self._stopping = True
        if self._copying is not None:
            self._copying.cancel()
        if self._pausing is not None:
            self._pausing.cancel()
        await self.running.wait()

    async def waiting(self, most: int) -> int:
        """How many blobs of the store are still to be removed, counted up to ``most``."""
        return await self._stores.metadata.read(_count_doomed, self.name, most)

    async def _begin(self) -> None:
        metadata = self._stores.metadata
        goes_on = await self._term.write(metadata, note_draining, self.name)
        if goes_on is None:
            raise Unavailable("another process drains a blob store at the moment")
        self.goes_on = goes_on
        how = "goes on" if goes_on else "begins"
        _log.info("the drain of {name} {how}", name=self.name, how=how)

    async def _run(self) -> None:
        await self.beginning.wait()
        if self.beginning.failure is not None:
            self.beginning.failure.raiseException()
        renewing = LoopingCall(lambda: Deferred.fromCoroutine(self._renew()))
        renewing.clock = self._stores.clock
        renewed = renewing.start(TERM / 4, now=False)
        try:
            await self._walk_all()
        except Stopped:
            _log.info("the drain of {name} was stopped", name=self.name)
        except StoreError as error:
            _log.warn("the drain of {name} ends: {error}", name=self.name, error=error)
            raise
        except Exception:
            _log.failure("the drain of {name} failed", name=self.name)
            raise
        finally:
            renewing.stop()
            # One that comes after the end would take the lease again.
            await renewed
            await self._term.end(self._stores.metadata)

    async def _renew(self) -> None:
        """Keep the lease: to copy one blob may take hours."""
        with suppress(StoreError):
            await self._term.begins(self._stores.metadata)

    async def _walk_all(self) -> None:
        async for blob in self._named():
            self.total += blob.length
        # A copy that is made of an object while its rows change can name the old blob again.
        while await self._walk() or await self._settle():
            pass
        self.is_empty = await self._write(_note_end, self.name, not self.left_count)
        _log.info(
            "the drain of {name} is over: {moved} blobs moved, {left} had to stay",
            name=self.name,
            moved=self.moved,
            left=self.left_count,
        )

    async def _walk(self) -> bool:
        """Look at each blob once; whether one was moved."""
        moved, self.left_count = False, 0
        async for blob in self._named():
            if blob.id in self.left:
                self.left_count += 1
            elif await self._move(blob):
                moved, self._is_settled = True, not self._is_shared
        return moved

    async def _settle(self) -> bool:
        """Wait until whoever found the old name of a blob before it was changed has committed, or surely will not; whether there may be more to look at."""
        if self._is_settled:
            return False
        self._is_settled = True
        try:
            self._pausing = deferLater(self._stores.clock, SETTLING)
            await self._pausing
        except CancelledError:
            raise Stopped from None
        finally:
            self._pausing = None
        return True

    async def _named(self) -> AsyncIterator[BlobRef]:
        """The blobs of the store that something names."""
        after = ("", "")
        while page := await self._stores.metadata.read(_blobs, after, _PAGE):
            for blob in page:
                if blob.store == self.name:
                    self._check()
                    yield blob
            after = page[-1].id, page[-1].store
            await deferLater(self._stores.clock, 0)
            self._check()

    def _check(self) -> None:
        if self._stopping:
            raise Stopped

    async def _move(self, blob: BlobRef) -> bool:
        """Move a blob; whether it was."""
        metadata = self._stores.metadata
        # What is named now stays until it was read, whoever deletes its keys; and what copies a sweep takes for orphans, until rows name them.
        began, token = now_of(self._stores), begin_read(self._stores)
        try:
            if not await metadata.read(_is_named, blob.store, blob.id):
                self.done += blob.length
                return False
            new = await self._copied(blob)
            moved = new is not None and await self._renamed(blob, new, began)
        finally:
            self._stores.readers.leave(token)
        if moved:
            self.moved += 1
            self.done += blob.length
        return moved

    async def _copied(self, blob: BlobRef) -> list[BlobRef] | None:
        """Copy a blob; ``None`` where it has to stay."""
        self._stores.check_room(in_rows=False)
        try:
            self._copying = Deferred.fromCoroutine(copy_stored(self._stores, blob))
            return await self._copying
        except CancelledError:
            raise Stopped from None
        except NoSpace:
            raise
        except StoreError as error:
            if is_short(error) or await self._is_well(blob):
                raise
            self._leave(blob, error)
            return None
        finally:
            self._copying = None

    async def _is_well(self, blob: BlobRef) -> bool:
        """Whether it was not for the blob that it could not be copied.

        :raises Unavailable: its store is out of reach.
        """
        store = self._stores.blobs.of(blob)
        if await store.inspect([blob]):
            return False
        try:
            await store.verify(blob.id)
        except StoreError:
            return False
        return True

    async def _renamed(self, blob: BlobRef, new: Sequence[BlobRef], began: int) -> bool:
        """Have all rows name the copies of a blob; whether they do, and it need not stay.

        :param began: when the copies were begun.
        """
        written = (self._stores.readers.process, began)
        rename = _rename_unbroken if self._is_shared else _rename
        try:
            while not await self._write(rename, written, blob, new):
                pass
        except (Conflict, Damaged) as error:
            await self._stores.metadata.write(_doom, new)
            self._leave(blob, error)
            return False
        except StoreError:
            with suppress(StoreError):
                await self._stores.metadata.write(_doom, new)
            raise
        return True

    async def _write(
        self, interaction: Callable[[IMetadataTransaction, *Ts], T], *args: *Ts
    ) -> T:
        """Run an interaction under the lease.

        :raises Unavailable: another has it.
        """
        result = await self._term.write(self._stores.metadata, interaction, *args)
        if result is None:
            raise Unavailable("another process drains a blob store by now")
        return result

    def _leave(self, blob: BlobRef, error: StoreError) -> None:
        """Leave a blob where it is."""
        self.left_count += 1
        self.done += blob.length
        if len(self.left) < MOST_LISTED:
            self.left[blob.id] = str(error)
        _log.error(
            "blob {blob.id} stays in the store {blob.store}: {error}",
            blob=blob,
            error=error,
        )


def _blobs(
    tx: IMetadataTransaction, after: tuple[str, str], limit: int
) -> Sequence[BlobRef]:
    return tx.blobs(after, limit)


def _is_named(tx: IMetadataTransaction, store: str, blob_id: str) -> bool:
    return tx.is_named(store, blob_id)


def rename_blob(tx: IMetadataTransaction, old: BlobRef, new: Sequence[BlobRef]) -> bool:
    """Have some rows name the copy; returns whether none names the old blob any more."""
    over = tx.move_blob(old, new, MOST_EXTENTS, _BATCH)
    if over:
        # All names of it may have gone since it was copied.
        tx.doom([each for each in new if not tx.is_named(each.store, each.id)])
    return over


def _rename(
    tx: IMetadataTransaction,
    written: tuple[str, int],
    old: BlobRef,
    new: Sequence[BlobRef],
) -> bool:
    return rename_blob(tx, old, new)


def _rename_unbroken(
    tx: IMetadataTransaction,
    written: tuple[str, int],
    old: BlobRef,
    new: Sequence[BlobRef],
) -> bool:
    """As :func:`rename_blob`, where others may have removed the copies."""
    check_unbroken(tx, *written)
    return rename_blob(tx, old, new)


def _doom(tx: IMetadataTransaction, blobs: Sequence[BlobRef]) -> None:
    """Give copies up. Some rows may name them: the reaper looks."""
    tx.doom(blobs)


def _note_end(tx: IMetadataTransaction, name: str, is_empty: bool) -> bool:
    """Know that the drain is over, and whether no row names anything in the store, so that a start does not miss it."""
    if is_empty:
        note_drained(tx, name)
    else:
        note_stays(tx, name)
    return is_empty


def _count_doomed(tx: IMetadataTransaction, store: str, most: int) -> int:
    return len(tx.doomed(store, _EVER, most))
