"""Removing bytes that nothing names: the reaper, and the sweep for orphans.

Three things make a blob nameless: its last extent goes (the transaction dooms it), a request fails
after its blob was durable (whoever handles that dooms it), or the process dies in between (nobody does; it is an
*orphan*). Only what is here deletes blobs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger

from ..content.readers import Readers
from ..errors import StoreError
from ..immutable import frozen
from ..interfaces import IBlobStore, IMetadataStore, IMetadataTransaction
from ..values import BlobRef
from .leased import Lease, Term
from .longreads import oldest_read
from .rounds import Rounds

_log = Logger()

LEASE = "reaper"

TERM = 30.0
"""Seconds of the lease, renewed with each batch."""

_BATCH = 100
"""Blobs in one transaction: other writers wait for a millisecond at most."""

_ENDINGS = tuple(f"{n:02x}" for n in range(256))

_EVER = 1 << 60
"""A time, in milliseconds, that comes after all others."""


def always() -> bool:
    """Go on."""
    return True


@frozen
class Reaper:
    """Deletes the blobs of one store that no version and no part names. Each store has a reaper of its own.

    :ivar delay: seconds that a blob stays after it was doomed.
    :ivar owner: the id of this process: owns the lease; and ``readers`` are its own, those of others the store tells.
    """

    metadata: IMetadataStore
    blobs: IBlobStore
    readers: Readers
    clock: IReactorTime
    owner: str
    delay: float

    async def reap(self, go_on: Callable[[], bool] = always) -> int:
        """Delete doomed blobs that nothing names.

        A blob goes when it was doomed longer ago than ``delay`` and before the oldest read under way
        began. In one transaction each is looked up and taken off the list; when that is durable, the nameless ones
        are deleted. A crash in between leaves orphans for :meth:`sweep_orphans`. The other order would do
        no harm either, but would take two transactions; deleting what a transaction *not yet durable* freed would
        lose data after a power cut.

        Only what was nameless already when readers were asked about goes: between that and the transaction a read may
        begin, and what a write before it in the queue dooms would be taken from under it. What other processes read is asked in
        both transactions: see :mod:`~ozgate.background.longreads`.

        A doomed blob can have a name again: a copy shares extents. Whoever adds extents must find them
        named in the very transaction that adds them, for what is nameless stays so only because of that.

        Versions that were retired before the oldest read began are released first, likewise; their blobs are doomed
        then, and stay for ``delay``.

        :param go_on: asked between batches.
        :return: how many were deleted.
        :raises StoreError: the metadata store failed.
        """
        term = self._begin()
        await self._release(term, go_on)
        deleted = 0
        while go_on():
            seen = await self.metadata.read(
                _look, self.blobs.name, self._delay(), self.owner, self.readers.oldest()
            )
            if seen is None:
                break
            # Readers are asked again, after the look: one that began before it may have found what is nameless now.
            taken = await term.write(
                self.metadata,
                _take_nameless,
                self.blobs.name,
                self._delay(),
                self.owner,
                self.readers.oldest(),
                seen,
            )
            if taken is None:
                break
            nameless, is_last = taken
            deleted += await self._delete(nameless)
            if is_last:
                break
        return deleted

    async def sweep_orphans(
        self, before: int, go_on: Callable[[], bool] = always
    ) -> int | None:
        """Doom the blobs made before a time that nothing names.

        A commit in progress has a durable blob and no row yet. It is safe, twice over: a blob's id
        is made when its commit is asked for (see :class:`~ozgate.interfaces.IBlobStore`), so that it is younger than ``before`` unless the metadata take as long
        as the caller leaves between ``before`` and now; and an orphan is only doomed here, so that
        :meth:`reap` looks for a name again after its delay. For the same reason readers of a blob just
        overwritten are safe: it is doomed once more, and still waits for them. Beside other processes, whose commits may be of
        any time, ``delay`` is not the least that is waited: :data:`~ozgate.background.longreads.GRACE` is.

        :param before: milliseconds since the epoch; the start of the process, or an hour ago.
        :param go_on: asked between batches.
        :return: how many were doomed, or ``None`` when it did not come to the end.
        :raises StoreError: a store failed.
        """
        term = self._begin()
        if not await term.begins(self.metadata):
            return None
        doomed = 0
        for ending in _ENDINGS:
            ids = await self.blobs.list(before, ending)
            for start in range(0, len(ids), _BATCH):
                if start:
                    await deferLater(self.clock, 0)
                if not go_on():
                    return None
                some = ids[start : start + _BATCH]
                found = await self._doom(term, some)
                if found is None:
                    return None
                doomed += found
        return doomed

    async def _release(self, term: Term, go_on: Callable[[], bool]) -> None:
        """Release retired versions, a few extents in one transaction. Readers are asked twice, as above."""
        more = True
        while more:
            seen = await self.metadata.read(
                _look_retired, self.owner, self.readers.oldest()
            )
            more = bool(seen) and go_on()
            if more:
                released = await term.write(
                    self.metadata,
                    _release_some,
                    self.owner,
                    self.readers.oldest(),
                    seen,
                )
                more = bool(released)

    def _begin(self) -> Term:
        """A piece of this work. A store that takes its time keeps nobody from another."""
        return Lease(f"{LEASE} {self.blobs.name}", self.owner, TERM).begin()

    def _delay(self) -> int:
        return round(self.delay * 1000)

    async def _doom(self, term: Term, ids: Sequence[str]) -> int | None:
        name = self.blobs.name
        nameless = await self.metadata.read(_nameless, name, ids)
        if not nameless:
            return 0
        return await term.write(self.metadata, _doom_nameless, name, nameless)

    async def _delete(self, ids: Sequence[str]) -> int:
        """Delete what one transaction took off the list.

        Should the lease end meanwhile, or be another's, they may go all the same: nobody can name them any more, nobody else
        has them on a list of what to delete, ids are never used again, and what a sweep for orphans dooms meanwhile is deleted
        twice, which does no harm.
        """
        failed = []
        for blob_id in ids:
            try:
                await self.blobs.delete(blob_id)
            except StoreError as error:
                _log.warn("{error}", error=error)
                failed.append(blob_id)
        if failed:
            # Tried again in a later round.
            refs = [_reference(self.blobs.name, blob_id) for blob_id in failed]
            await self.metadata.write(_doom_again, refs)
        return len(ids) - len(failed)


def _reference(store: str, blob_id: str) -> BlobRef:
    """What the doomed list needs of a blob."""
    return BlobRef(store, blob_id, 0, 0)


def _doomed(
    tx: IMetadataTransaction, store: str, delay: int, process: str, own: int | None
) -> Sequence[BlobRef]:
    before, oldest = tx.now() - delay, oldest_read(tx, process, own)
    if oldest is not None:
        before = min(before, oldest)
    return tx.doomed(store, before, _BATCH)


def _look(
    tx: IMetadataTransaction, store: str, delay: int, process: str, own: int | None
) -> Sequence[str] | None:
    """Which doomed blobs have no name, as every read from now on sees it; ``None`` when there is nothing to do."""
    doomed = _doomed(tx, store, delay, process, own)
    if not doomed:
        return None
    return _nameless(tx, store, [blob.id for blob in doomed])


def _take_nameless(
    tx: IMetadataTransaction,
    store: str,
    delay: int,
    process: str,
    own: int | None,
    seen: Sequence[str],
) -> tuple[Sequence[str], bool]:
    """Take off the list what is named and what is nameless; returns the latter, and whether that is all for now.

    :param seen: what :func:`_look` found; what lost its name later stays on the list.
    """
    doomed = _doomed(tx, store, delay, process, own)
    nameless = {blob.id for blob in doomed if not tx.is_named(store, blob.id)}
    taken = nameless.intersection(seen)
    forgotten = [blob for blob in doomed if blob.id in taken or blob.id not in nameless]
    tx.forget_doomed(forgotten)
    return sorted(taken), len(doomed) < _BATCH or not forgotten


def _look_retired(
    tx: IMetadataTransaction, process: str, own: int | None
) -> Sequence[int]:
    """The versions that were retired before the oldest read began; some of them.

    While nobody reads that is all of them, also those of a time to come: a clock that was wrong may have been set back by years.
    """
    oldest = oldest_read(tx, process, own)
    before = _EVER if oldest is None else min(tx.now(), oldest)
    return tx.retired(before, _BATCH)


def _release_some(
    tx: IMetadataTransaction, process: str, own: int | None, seen: Sequence[int]
) -> bool:
    """Release some of what may be; whether anything was done.

    :param seen: what :func:`_look_retired` found; what was retired later may be read since.
    """
    still = set(_look_retired(tx, process, own))
    for sequence in seen:
        if sequence in still:
            tx.release(sequence, _BATCH)
            return True
    return False


def _nameless(
    tx: IMetadataTransaction, store: str, ids: Sequence[str]
) -> Sequence[str]:
    return [blob_id for blob_id in ids if not tx.is_named(store, blob_id)]


def _doom_nameless(tx: IMetadataTransaction, store: str, ids: Sequence[str]) -> int:
    # There are few, if any; an index that lost a name must not cost somebody's bytes.
    nameless = tx.nameless(store, ids)
    tx.doom(_reference(store, blob_id) for blob_id in nameless)
    return len(nameless)


def _doom_again(tx: IMetadataTransaction, blobs: Sequence[BlobRef]) -> None:
    tx.doom(blobs)


ORPHANS_EVERY = 3600.0
"""Seconds between two searches for orphans at least, and how old a blob without a name must be to be one."""


class Sweeper(Rounds):
    """Reaps every ``interval`` seconds; looks for orphans at the start and every hour.

    At the start everything made before it is looked at, for no commit is that old: whoever sweeps has prepared the stores, before
    any process opened them. Later, what is older than an hour; from the beginning on so where others are writing already.

    :param reaper: does the work; its clock is the one that blob ids are made with.
    :param clock: what rounds are timed by. It need not know the date, and does better when nobody can set it.
    :param interval: seconds between two rounds.
    :param is_first: whether nobody wrote to the stores when this process started, so that all that is older is left over.
    """

    name = "sweeper"

    def __init__(
        self,
        reaper: Reaper,
        clock: IReactorTime,
        interval: float,
        is_first: bool = True,
    ) -> None:
        super().__init__(clock, interval)
        self._is_first = is_first
        self._reaper = reaper
        # A search dooms anew what is doomed already. With time between two searches for the reaper to get at it, that
        # cannot go on forever.
        self._orphans_every = max(ORPHANS_EVERY, 2 * (reaper.delay + interval))
        self._swept: float | None = None
        self._began = 0.0

    def startService(self) -> None:
        """Begin the first round."""
        self._began = self._reaper.clock.seconds()
        self._swept = None
        super().startService()

    async def work(self) -> None:
        """Doom orphans when it is time to, then reap."""
        now = self._clock.seconds()
        if self._swept is None or now - self._swept >= self._orphans_every:
            hour_ago = self._reaper.clock.seconds() - ORPHANS_EVERY
            at_start = self._swept is None and self._is_first
            before = self._began if at_start else hour_ago
            found = await self._reaper.sweep_orphans(int(before * 1000), self.go_on)
            if found is not None:
                self._swept = now
            if found:
                _log.info("found {count} blobs without a name", count=found)
        await self._reaper.reap(self.go_on)
