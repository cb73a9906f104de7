"""The check of everything against everything: what ``ozgate admin fsck`` does, a page a call.

The client calls again with the place that it was given until there is none. So a check holds no more than a page, at
either end, lets requests pass in between, and ends when its client does.
"""

from __future__ import annotations

import json
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from attrs import asdict, define
from twisted.internet.task import deferLater

from ...auth.identities.lost import lost_rows
from ...background.leased import Lease, Term
from ...errors import Damaged
from ...interfaces import IBlobStore, IInspected, IMetadataTransaction
from ...s3.changing.locks import KEEPING
from ...s3.configuration.bucketpolicy import KIND as POLICY
from ...s3.configuration.payment import PAYMENT
from ...values import BlobRef, CheckedRows, DamagedRow, Drift
from ..answers import Json
from ..caller import Caller, require_admin
from ..context import AdminContext
from ..errors import AdminError
from .findings import Check, key_name
from .fsckkeys import Place, check_uploads, check_versions
from .tasks import LONGEST_WAIT

LEASE = "fsck"

TERM = 120.0
"""Seconds of the lease of a check that repairs, renewed with each page."""

IN_FLIGHT = 3600 * 1000
"""Milliseconds after which a blob without a name belongs to nothing under way."""

CLOSING = frozenset((POLICY, PAYMENT.kind))
"""The kinds of documents of a bucket that say whom not to let in. Without one of the others nobody but the bucket's owner may do more."""

REAPED = 1.0
"""Seconds after which a blob is gone that the reaper was deleting."""

_ROWS = 200
_IDS = 100
_MOST_DOOMED = 1000


@define
class State:
    """Where a check is; a client sends back what it was given.

    :ivar run: tells one check from others; the owner of its lease, which goes on in another page, and after a restart.
    :ivar term: of that lease, 0 while nothing is repaired.
    :ivar after: of rows: the last one that is done.
    :ivar ending: of orphans: the next ending of ids.
    :ivar counts: what was looked at so far.
    """

    run: str
    term: int
    step: str
    after: str
    ending: int
    place: Place
    counts: dict[str, int]

    @classmethod
    def read(cls, text: str) -> State:
        """The state that :meth:`text` made text of; a new one of ``""``.

        :raises AdminError: it is something else.
        """
        if not text:
            counts = {"rows": 0, "versions": 0, "parts": 0, "blobs": 0}
            first = next(iter(STEPS))
            return cls(os.urandom(8).hex(), 0, first, "", 0, Place(), counts)
        try:
            members = json.loads(text)
            found = cls(**{**members, "place": Place(**members["place"])})
            if found.step in STEPS and 0 <= found.ending < 256 and found.term >= 0:
                return found
        except (ValueError, TypeError, KeyError):
            pass
        raise AdminError("INVALID_REQUEST", "place is none that was given")

    def go_on(self) -> bool:
        """Go on to the next step; returns whether there is none."""
        steps = list(STEPS)
        index = steps.index(self.step) + 1
        self.step, self.after, self.place = steps[index % len(steps)], "", Place()
        return index == len(steps)

    def lease(self) -> Term:
        """The lease of a check that repairs."""
        return Term(Lease(LEASE, self.run, TERM), self.term)

    def text(self) -> str:
        """It as text."""
        return json.dumps(asdict(self))


Step = Callable[[Check, State], Awaitable[bool]]
"""Does a page, moving the state on; returns whether the step is over."""


async def check_store(
    context: AdminContext,
    caller: Caller,
    place: str = "",
    repair: bool = False,
    remove_damaged: bool = False,
) -> Json:
    """Do a page of a check.

    :param place: what the page before gave; ``""`` begins.
    :param repair: put right what can be without loss.
    :param remove_damaged: remove what is damaged for good, too.
    :return: ``findings``; ``place`` for the next page, ``None`` when this was the last; ``step`` and ``counts`` for people.
    :raises AdminError: the caller is no administrator, or another check repairs.
    """
    require_admin(caller)
    state = State.read(place)
    repair = repair or remove_damaged
    metadata, term = context.gateway.metadata, state.lease()
    if repair and not await term.begins(metadata):
        raise AdminError(
            "INVALID_REQUEST",
            f"another fsck repairs at the moment, or was interrupted less than {TERM:.0f} seconds ago",
            409,
        )
    state.term = term.number
    check = Check(context, repair, remove_damaged, caller.user, state.run, term)
    step, is_last = state.step, False
    if await STEPS[step](check, state):
        is_last = state.go_on()
    if is_last and repair:
        await term.end(metadata)
    return {
        "findings": [asdict(each) for each in check.findings],
        "place": None if is_last else state.text(),
        "step": step,
        "counts": state.counts,
    }


async def end_check(context: AdminContext, caller: Caller, place: str) -> None:
    """End a check before it is over, so that another one may repair at once.

    :param place: what its last page gave.
    :raises AdminError: the caller is no administrator.
    """
    require_admin(caller)
    await State.read(place).lease().end(context.gateway.metadata)


async def _structure(check: Check, state: State) -> bool:
    """How the metadata store is built."""
    if not IInspected.providedBy(check.gateway.metadata):
        return True
    inspected: Any = check.gateway.metadata
    lines = await check.context.upkeep.look(
        f"structure {check.run}", inspected.examine, LONGEST_WAIT
    )
    for line in lines or ():
        check.add("structure", "metadata", line)
    return lines is not None


async def _rows(check: Check, state: State) -> bool:
    """Each row by itself."""
    metadata = check.gateway.metadata
    try:
        checked = await metadata.read(_check_rows, state.after, _ROWS)
    except Damaged as error:
        check.add("structure", "metadata", str(error))
        return True
    for row in checked.damaged:
        kind, allowed = "row", check.remove
        repair = "--remove-damaged removes it, with what only it leads to"
        if not row.loses:
            kind, allowed = "flag", check.repair
            repair = "the latest version of the key is set again"
        elif row.table in ("volumes", "buckets"):
            repair = f"--remove-damaged gives it to {check.user}, with all that is in it, and empties its list of rights"
        done = ""
        if allowed:
            done = await check.write(_mend, row, check.user)
            if not done:
                repair = _why_it_stays(row)
        check.add(kind, row.table, row.message, repair, done)
    state.counts["rows"] += checked.count
    state.after = checked.next_after or ""
    return checked.next_after is None


async def _identities(check: Check, state: State) -> bool:
    """Users, groups and policies that others name."""
    for where, lost in await check.gateway.metadata.read(lost_rows):
        said = (
            f"it names the {lost}, which is not there: whoever it is about is refused"
        )
        check.add("identity", where, said, "none: make it again, or detach it")
    return True


async def _versions(check: Check, state: State) -> bool:
    """Each version against its bytes."""
    return await _walk(check, state, check_versions, "versions")


async def _uploads(check: Check, state: State) -> bool:
    """Each part of an open upload against its bytes."""
    return await _walk(check, state, check_uploads, "parts")


async def _walk(
    check: Check,
    state: State,
    walk: Callable[[Check, Place], Awaitable[tuple[Place | None, int]]],
    name: str,
) -> bool:
    following, count = await walk(check, state.place)
    state.counts[name] += count
    state.place = following or Place()
    return following is None


async def _orphans(check: Check, state: State) -> bool:
    """Files against names: 256th by 256th."""
    for store in check.gateway.blobs:
        await _orphans_of(store, check, state)
    state.ending += 1
    over = state.ending == 256
    state.ending %= 256
    return over


async def _orphans_of(store: IBlobStore, check: Check, state: State) -> None:
    """The same for one blob store."""
    name, metadata = store.name, check.gateway.metadata
    ending = f"{state.ending:02x}"
    now = await metadata.read(_now)
    state.counts["blobs"] += len(await store.list(now, ending))
    before = now if check.is_alone else now - IN_FLIGHT
    ids = await store.list(before, ending)
    for start in range(0, len(ids), _IDS):
        await deferLater(check.gateway.clock, 0)
        some = ids[start : start + _IDS]
        found = await metadata.read(_nameless, name, some)
        if found and not check.is_alone:
            # The reaper takes blobs off its list before it deletes them.
            await deferLater(check.gateway.clock, REAPED)
            there = {*await store.list(before, ending)}
            left = [each for each in found if each in there]
            found = await metadata.read(_nameless, name, left)
        doomed: Sequence[str] = ()
        if found and check.repair:
            doomed = await check.write(_doom_nameless, name, found)
        for blob_id in found:
            done = "it will be removed" if blob_id in doomed else ""
            check.add(
                *("orphan", f"blob {blob_id}", "nothing names it"),
                *("it is removed after ozgate.sweep.delay", done),
            )


async def _doomed(check: Check, state: State) -> bool:
    """What is to be removed, and never will be."""
    gateway = check.gateway
    strangers = await gateway.metadata.read(_strangers, gateway.blobs.names)
    if strangers and check.repair:
        await check.write(_forget, strangers)
    for blob in strangers:
        check.add(
            "doomed",
            f"blob {blob.id}",
            f"it is to be removed from the blob store {blob.store!r}, which is not configured",
            "it is taken off the list",
            "it is taken off the list" if check.repair else "",
        )
    return True


async def _usage(check: Check, state: State) -> bool:
    """What buckets and volumes use, against their rows."""
    metadata = check.gateway.metadata
    if not IInspected.providedBy(metadata):
        return True
    inspected: Any = check.gateway.metadata
    drifts = await check.context.upkeep.look(
        f"usage {check.run}", inspected.drifts, LONGEST_WAIT
    )
    for drift in drifts or ():
        done = ""
        if check.repair:
            # What it is off by stays the same, whatever is written meanwhile.
            await check.write(_correct, drift)
            done = "corrected"
        said = f"it is said to hold {-drift.more_bytes:+d} bytes and {-drift.more_names:+d} names more than it does"
        where = key_name(drift.volume, drift.bucket, "").rstrip("/")
        check.add("usage", where, said, "its counters are set right", done)
    return drifts is not None


STEPS: Mapping[str, Step] = {
    "structure": _structure,
    "rows": _rows,
    "identities": _identities,
    "versions": _versions,
    "uploads": _uploads,
    "orphans": _orphans,
    "doomed": _doomed,
    "usage": _usage,
}
"""In this order: counters come last, since repairs before change what they count."""


def _now(tx: IMetadataTransaction) -> int:
    return tx.now()


def _check_rows(tx: IMetadataTransaction, after: str, limit: int) -> CheckedRows:
    return tx.check_rows(after, limit)


def _mend(tx: IMetadataTransaction, row: DamagedRow, owner: str) -> str:
    return tx.mend_row(row, owner, KEEPING, CLOSING)


def _why_it_stays(row: DamagedRow) -> str:
    """What is said of a row that is not got rid of."""
    if row.table == "buckets":
        return "it stays closed for want of a document: have its owner put that again, or delete it"
    if row.table == "configurations" and row.place[1] in CLOSING:
        return "it stays, and its bucket is closed, for it may say whom not to let in: have its owner put it again, or delete it"
    return "it stays, for it may be what object lock keeps: bring it back from a backup"


def _nameless(
    tx: IMetadataTransaction, store: str, ids: Sequence[str]
) -> Sequence[str]:
    return [
        each
        for each in ids
        if not tx.is_named(store, each) and not tx.is_doomed(store, each)
    ]


def _doom_nameless(
    tx: IMetadataTransaction, store: str, ids: Sequence[str]
) -> Sequence[str]:
    # Also asked of the table: an index that lost a name must not cost somebody's bytes.
    found = tx.nameless(store, _nameless(tx, store, ids))
    tx.doom(BlobRef(store, each, 0, 0) for each in found)
    return found


def _strangers(tx: IMetadataTransaction, stores: Sequence[str]) -> Sequence[BlobRef]:
    """Doomed blobs of other stores than these."""
    return [
        blob
        for name in tx.doomed_stores()
        if name not in stores
        for blob in tx.doomed(name, tx.now() + 1, _MOST_DOOMED)
    ]


def _forget(tx: IMetadataTransaction, blobs: Sequence[BlobRef]) -> bool:
    tx.forget_doomed(blobs)
    return True


def _correct(tx: IMetadataTransaction, drift: Drift) -> bool:
    tx.correct_usage(drift.volume, drift.bucket, drift.more_bytes, drift.more_names)
    return True
