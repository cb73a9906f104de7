"""Reading everything that is stored, and holding it against its checksums: the scrub.

It walks the blobs that versions and parts name, in the order of their ids, then the rows, inline bodies included. How far it
is stands in the metadata store (:mod:`~ozgate.background.scrubstate`), so that it goes on there after a restart; so does the list of what was found
damaged, until that is gone or reads well again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from attrs import asdict, evolve
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger

from ..content.stores import BlobStores
from ..errors import Absent, Damaged, Unavailable, is_short
from ..interfaces import IInspected, IMetadataStore, IMetadataTransaction
from ..values import BlobRef, BlobUser, CheckedRows, DamagedRow
from .leased import Lease
from .reaper import always
from .scrubstate import (
    BLOBS,
    LEASE,
    OVER,
    ROWS,
    TERM,
    Damage,
    Standing,
    after,
    keep,
    load,
    packed,
    place_of,
)

_log = Logger()

KEEP_EVERY = 10.0
"""Seconds after which the standing is kept again: what a restart may have to read twice."""

MOST_LISTED = 1000
"""Damage that is kept in the list at most; all of it is counted and logged."""

MOST_USERS = 20
"""Keys that are named for one blob at most."""

_PAGE = 100
"""Blobs or rows read from the metadata at once."""

_MEASURED = 1000
"""Blobs whose lengths are added up at once."""

_ROW = 4096
"""Bytes that a row counts for against the bandwidth: it may have an inline body."""


class _Stopped(Exception):
    """Whoever runs the scrub wants no more."""


class Scrub:
    """The scrub of a metadata store and its blob stores. One at a time; the lease sees to that.

    :param owner: see :class:`~ozgate.background.leased.Lease`.
    :param rate: tells how many bytes a second it may read at most; 0 for any number.
    :param on_damage: told the kind of each damage that is found.
    :ivar standing: how far it is, as :meth:`load` or :meth:`run` last knew.
    :ivar listed: what is damaged, likewise.
    :ivar partial: bytes that were read of the blob that it is at.
    :ivar is_measuring: it finds out how much there is to read; until then ``standing`` is that of the one before.
    """

    def __init__(
        self,
        metadata: IMetadataStore,
        blobs: BlobStores,
        clock: IReactorTime,
        owner: str,
        rate: Callable[[], int],
        on_damage: Callable[[str], None],
    ) -> None:
        self._metadata = metadata
        self._blobs = blobs
        self._clock = clock
        self._lease = Lease(LEASE, owner, TERM)
        self._term = self._lease.begin()
        self._rate = rate
        self._on_damage = on_damage
        self._go_on: Callable[[], bool] = always
        self._debt = 0.0
        self._asked = 0.0
        self._paid_at = 0
        self._kept = 0.0
        self._since = 0.0
        self._read = 0
        self.partial = 0
        self.is_measuring = False
        self.standing = Standing()
        self.listed: dict[str, Damage] = {}

    @property
    def speed(self) -> float:
        """Bytes a second, since :meth:`run` was called."""
        return self._read / max(self._clock.seconds() - self._since, 0.001)

    async def load(self) -> int:
        """Learn from the store how far it is, and what is damaged; what is gone is not.

        :return: what the store has for the time.
        :raises StoreError: the store failed.
        """
        found = await self._metadata.read(load)
        now, self.standing, self.listed = found
        return int(now)

    async def run(self, go_on: Callable[[], bool] = always) -> bool:
        """Go on where it was, or begin anew when it was over.

        :param go_on: asked now and then.
        :return: whether it came to its end; else it goes on there the next time.
        :raises StoreError: a store failed.
        """
        self._term = self._lease.begin()
        self._go_on, self._kept = go_on, 0.0
        self._since = self._asked = self._clock.seconds()
        self._debt, self._read, self.partial = 0.0, 0, 0
        await self.load()
        try:
            if self.standing.is_under_way:
                self.standing = evolve(self.standing, stopped=False)
            else:
                self.standing = await self._measure()
            await self._keep()
            if self.standing.stage == BLOBS:
                await self._read_blobs()
            if self.standing.stage == ROWS:
                await self._check_rows()
            await self._finish()
        except _Stopped:
            if self.standing.is_under_way:
                await self._try_to_keep()
            return False
        return True

    async def stop(self) -> bool:
        """Have it not go on by itself. Nothing happens when it is not under way.

        :return: whether it was left to this process to say so; else another one has the lease.
        :raises StoreError: the store failed.
        """
        self._term = self._lease.begin()
        await self.load()
        if not self.standing.is_under_way:
            return True
        self.standing = evolve(self.standing, stopped=True)
        return await self._try_to_keep()

    async def _measure(self) -> Standing:
        """A new beginning, with how much there is to read."""
        now = await self._metadata.read(_now)
        total, last = 0, ""
        self.is_measuring = True
        try:
            while page := await self._metadata.read(_blobs, last, _MEASURED):
                total += sum(blob.length for blob in page)
                last = place_of(page[-1].id, page[-1].store)
                await self._turn()
        finally:
            self.is_measuring = False
        return Standing(began=now, total=total, last=last)

    async def _turn(self) -> None:
        """Let others have a turn.

        :raises _Stopped: it is to stop.
        """
        await deferLater(self._clock, 0)
        self._check()

    def _check(self) -> None:
        if not self._go_on():
            raise _Stopped

    async def _read_blobs(self) -> None:
        while True:
            standing = self.standing
            page = await self._metadata.read(_blobs, standing.place, _PAGE)
            last = after(standing.last)
            page = [blob for blob in page if (blob.id, blob.store) <= last]
            if not page:
                self.standing = evolve(standing, stage=ROWS, place="")
                return
            wrong = await self._blobs.inspect(page)
            for blob in page:
                await self._read_blob(blob, wrong.get((blob.store, blob.id), ""))

    async def _read_blob(self, blob: BlobRef, what: str) -> None:
        self.partial = 0
        if blob.store in self._blobs.names:
            await self._verify(blob, what)
        else:
            # Out of reach, which does not make it damaged.
            _log.warn(
                "scrub: blob {blob.id} is passed over, for the blob store {blob.store!r} is not configured",
                blob=blob,
            )
        done = self.standing.done + blob.length
        place = place_of(blob.id, blob.store)
        self.standing = evolve(self.standing, place=place, done=done)
        self.partial = 0

    async def _verify(self, blob: BlobRef, what: str) -> None:
        """Read a blob.

        :param what: what is known to be wrong with it already.
        """
        try:
            await self._blobs.of(blob).verify(blob.id, self._paced)
        except (Absent, Damaged) as error:
            what = what or str(error)
        except Unavailable as error:
            # Whatever keeps a file from being read is damage, but for what this process is short of.
            if is_short(error):
                raise
            what = str(error)
        if not what:
            return
        if await self._metadata.read(_is_named, blob.store, blob.id):
            users = await self._users(blob)
            await self._found("blob", blob.id, what, users, blob.store)

    def _paced(self, count: int) -> Deferred[None]:
        return Deferred.fromCoroutine(self._pace(count))

    async def _pace(self, count: int) -> None:
        """Count what was read, and wait until more may be."""
        self._read += count
        self.partial += count
        await self._wait(count)

    async def _wait(self, count: int) -> None:
        rate, now = self._rate(), self._clock.seconds()
        # What is owed at another rate is forgotten.
        owed = self._debt if rate == self._paid_at else 0.0
        self._paid_at = rate
        self._debt = max(owed - max(now - self._asked, 0), 0)
        if rate:
            self._debt += count / rate
        # In short waits: the rate may be raised meanwhile, and a stop should not take long.
        while self._debt > 0 and self._rate() == rate:
            pause = min(self._debt, 1.0)
            await deferLater(self._clock, pause)
            self._debt -= pause
            self._check()
        self._asked = self._clock.seconds()
        await self._turn()
        # Clocks can be set back, too.
        if not 0 <= self._clock.seconds() - self._kept < KEEP_EVERY:
            await self._keep()

    async def _users(self, blob: BlobRef) -> Sequence[str]:
        if not IInspected.providedBy(self._metadata):
            return ()
        inspected: Any = self._metadata
        return _names(await inspected.users_of(blob.store, [blob.id]))

    async def _users_of_row(self, row: DamagedRow) -> Sequence[str]:
        if not IInspected.providedBy(self._metadata):
            return ()
        inspected: Any = self._metadata
        return _names(await inspected.users_of_row(row))

    async def _check_rows(self) -> None:
        while True:
            standing = self.standing
            try:
                checked = await self._metadata.read(_check_rows, standing.place, _PAGE)
            except Damaged as error:
                # So damaged that the rest cannot even be listed: fsck says more.
                await self._found("metadata", "database", str(error), ())
                return
            for row in checked.damaged:
                kind = "inline" if row.table == "bodies" else "metadata"
                users = await self._users_of_row(row)
                await self._found(kind, _row_name(row), row.message, users)
            rows = standing.rows + checked.count
            if checked.next_after is None:
                self.standing = evolve(self.standing, rows=rows)
                return
            self.standing = evolve(self.standing, rows=rows, place=checked.next_after)
            await self._wait(checked.count * _ROW)

    async def _found(
        self, kind: str, name: str, what: str, users: Sequence[str], store: str = ""
    ) -> None:
        now = await self._metadata.read(_now)
        before = self.listed.get(name)
        more = len(users) - MOST_USERS
        shown = (*users[:MOST_USERS], *([f"and {more} more"] if more > 0 else ()))
        found = before.found if before else now
        damage = Damage(kind, name, what, shown, found, now, store)
        if before is not None or len(self.listed) < MOST_LISTED:
            self.listed[name] = damage
        self.standing = evolve(self.standing, damaged=self.standing.damaged + 1)
        self._on_damage(kind)
        _log.error(
            "damaged: {kind} {name}: {what}; used by {users}",
            kind=kind,
            name=name,
            what=what,
            users=", ".join(shown) or "nobody known",
        )

    async def _finish(self) -> None:
        began = self.standing.began
        # What this scrub did not come across again reads well, or is gone.
        self.listed = {
            name: each for name, each in self.listed.items() if each.seen >= began
        }
        now = await self._metadata.read(_now)
        self.standing = evolve(self.standing, stage=OVER, place="", ended=now)
        await self._keep()
        _log.info(
            "scrub: read {done} bytes and {rows} rows, {damaged} damaged",
            done=self.standing.done,
            rows=self.standing.rows,
            damaged=self.standing.damaged,
        )

    async def _keep(self) -> None:
        """Keep the standing and the list, and renew the lease.

        :raises _Stopped: another process has the lease, or had it since.
        """
        if not await self._try_to_keep():
            raise _Stopped

    async def _try_to_keep(self) -> bool:
        self._kept = self._clock.seconds()
        damaged = packed([asdict(each) for each in self.listed.values()])
        standing = packed(asdict(self.standing))
        return bool(await self._term.write(self._metadata, keep, standing, damaged))


def name_of(user: BlobUser) -> str:
    """What uses a blob, for people: ``/volume/bucket/key``."""
    path = f"/{user.volume}/{user.bucket}/{user.key}"
    if user.upload_id:
        return f"{path} (part {user.part} of upload {user.upload_id})"
    return path if user.version_id == "null" else f"{path} ({user.version_id})"


def _names(users: Iterable[BlobUser]) -> Sequence[str]:
    return [name_of(user) for user in users]


def _row_name(row: DamagedRow) -> str:
    return " ".join([row.table, *map(str, row.place)])


def _now(tx: IMetadataTransaction) -> int:
    return tx.now()


def _blobs(tx: IMetadataTransaction, place: str, limit: int) -> Sequence[BlobRef]:
    return tx.blobs(after(place), limit)


def _is_named(tx: IMetadataTransaction, store: str, blob_id: str) -> bool:
    return tx.is_named(store, blob_id)


def _check_rows(tx: IMetadataTransaction, after: str, limit: int) -> CheckedRows:
    return tx.check_rows(after, limit)
