"""Reads of other processes: what keeps the reaper of one from bytes that a slow GET of another has yet to send.

Each process knows its own reads (:mod:`ozgate.content.readers`). Of those of others the store tells, as far as they last long; for what is not noted yet the
reaper waits :data:`GRACE`. A process that is alone waits for nobody, and notes nothing.

Where gateways on several machines share a store, nobody knows which of them live: each shows life in it (:data:`BEAT`), with what it reads. What one of them read when it
fell silent keeps the reaper off for :data:`SILENCE`, for it may have been frozen, and go on; after that it is dead to the others.
"""

from __future__ import annotations

from attrs import evolve
from twisted.internet.interfaces import IReactorTime

from ..content.readers import MARGIN, Readers
from ..content.unbroken import LEFT
from ..interfaces import IMetadataStore, IMetadataTransaction
from ..values import Process
from .rounds import Rounds

AFTER = 10.0
"""Seconds after which a read is long, and is noted."""

EVERY = 10.0
"""Seconds between two looks for long reads."""

LASTS = 60.0
"""Seconds after which a note means nothing any more, unless it was renewed: its process hangs, or died."""

LATE = 40.0
"""Seconds that a look may come late, and its note take to be durable."""

GRACE = round((AFTER + EVERY + LATE) * 1000) + MARGIN
"""Milliseconds: a read of another process that is not noted began, as :class:`~ozgate.content.readers.Readers` counts, less long ago.

Also after so long every other process knows of one that came, and has noted what it must.
"""


BEAT = 30.0
"""Seconds after which a gateway of a shared store notes that it lives."""

SILENCE = 3600.0
"""Seconds after which one that noted nothing is dead."""

MOST = 86_400_000 + round(LASTS * 1000)
"""Milliseconds from now until which no note lasts: the times of two processes differ by a day at most, or the clock was wrong."""


def oldest_read(tx: IMetadataTransaction, process: str, own: int | None) -> int | None:
    """Since when anybody may be reading: what was given up before may go. A part of an interaction.

    :param process: the id of the one that asks.
    :param own: when its own oldest read began; ``None`` when it reads nothing.
    :return: milliseconds since the epoch; ``None`` when nobody reads. A time before all others where others
        cannot know yet of the one that asks.
    """
    now, processes = tx.now(), tx.processes()
    if own is not None:
        own = _since(own, now)
    others = [each for each in processes if each.id != process]
    if not others:
        return own
    came = [each.since for each in processes if each.id == process]
    if not came or now < came[0] + GRACE:
        return 0
    noted = [
        _since(each.reads_since, now)
        for each in others
        if now < each.noted_until <= now + MOST
    ]
    return min(now - GRACE, *noted, now if own is None else own)


def _since(began: int, now: int) -> int:
    """When a read began: nobody knows where that is a time to come, for the clock was set back."""
    return began if began <= now else 0


class LongReads(Rounds):
    """Notes in the store since when this process has been reading, while it reads for long and others are there.

    A round of a process that is alone, or has short reads only, writes nothing.

    :param clock: what rounds are timed by.
    :param process: the id of this process, which :func:`join` has made known.
    :param is_shared: whether the store is an ``IShared``: then it shows life, too, and forgets who is dead.
    """

    name = "long reads"

    def __init__(
        self,
        metadata: IMetadataStore,
        readers: Readers,
        clock: IReactorTime,
        process: str,
        is_shared: bool = False,
    ) -> None:
        super().__init__(clock, EVERY)
        self._metadata = metadata
        self._readers = readers
        self._process = process
        self._asks, self._notes = (
            (_is_beat_due, _beat) if is_shared else (_is_due, _note)
        )

    async def work(self) -> None:
        """Look once."""
        oldest = self._readers.oldest()
        if await self._metadata.read(self._asks, self._process, oldest):
            await self._metadata.write(self._notes, self._process, oldest)


def join(tx: IMetadataTransaction, process: str, former: str) -> None:
    """Make a process known to others, before it reads anything; an interaction.

    :param former: the id of a process that is known to be dead; its leases end. ``""`` for none.
    """
    if former:
        leave(tx, former)
    tx.put_process(Process(process, tx.now()))


def succeed(tx: IMetadataTransaction, process: str, former: str) -> None:
    """As :func:`join`, by who has prepared the stores; an interaction.

    Nobody had them open then: whoever is known was before it, and is dead, such as one that was killed beside the former, or before it was made sure of.
    """
    forget_all(tx)
    join(tx, process, former)


def leave(tx: IMetadataTransaction, process: str) -> None:
    """Have a process not be known any more, and give up its leases; an interaction. It reads nothing any more."""
    tx.end_leases(process)
    tx.remove_process(process)


def forget_all(tx: IMetadataTransaction) -> None:
    """Have no process be known, nor have a lease: where none is any more, or in a copy, which none of them uses; an interaction."""
    for each in tx.processes():
        leave(tx, each.id)


def _own(tx: IMetadataTransaction, process: str) -> Process | None:
    """What is known of a process; ``None`` also where that is of a time to come, for the clock was wrong then."""
    found = [each for each in tx.processes() if each.id == process]
    return found[0] if found and found[0].since <= tx.now() else None


def _is_due(tx: IMetadataTransaction, process: str, oldest: int | None) -> bool:
    """Whether :func:`_note` has something to do."""
    own, now = _own(tx, process), tx.now()
    if own is None:
        return True
    if oldest is None or _since(oldest, now) > now - AFTER * 1000 - MARGIN:
        return False
    is_alone = all(each.id == process for each in tx.processes())
    lasts = now + LASTS * 500 < own.noted_until <= now + LASTS * 1000
    is_noted = lasts and own.reads_since <= _since(oldest, now)
    return not is_alone and not is_noted


def _note(tx: IMetadataTransaction, process: str, oldest: int | None) -> None:
    now = tx.now()
    own = _own(tx, process) or Process(process, now)
    if oldest is not None:
        until = now + round(LASTS * 1000)
        own = evolve(own, reads_since=_since(oldest, now), noted_until=until)
    tx.put_process(own)


def _is_beat_due(tx: IMetadataTransaction, process: str, oldest: int | None) -> bool:
    """Whether :func:`_beat` has something to do."""
    own, now = _own(tx, process), tx.now()
    silence = round(SILENCE * 1000)
    if own is None or _dead(tx, process):
        return True
    is_long = oldest is not None and oldest < own.reads_since
    beat = round(BEAT * 1000)
    return is_long or not now + silence - beat < own.noted_until <= now + silence


def _beat(tx: IMetadataTransaction, process: str, oldest: int | None) -> None:
    """Note that a gateway lives, and since when it has been reading; forget those that do not.

    A read that begins before the next note counts as begun :data:`~ozgate.content.readers.MARGIN` earlier: so far back this note holds, should it be the last.
    """
    now = tx.now()
    own = _own(tx, process)
    if own is None or (own.noted_until <= now + LEFT and own.since + GRACE <= now):
        # Others took it for dead, or may have done so: nothing that it wrote before counts on it any more.
        own = Process(process, now)
    since = now - MARGIN if oldest is None else min(_since(oldest, now), now - MARGIN)
    until = now + round(SILENCE * 1000)
    tx.put_process(evolve(own, reads_since=since, noted_until=until))
    for each in _dead(tx, process):
        leave(tx, each.id)


def _dead(tx: IMetadataTransaction, process: str) -> list[Process]:
    """Those others that have shown no life for so long that they are dead."""
    silent = tx.now() - round(SILENCE * 1000)
    return [
        each
        for each in tx.processes()
        if each.id != process and each.since < silent and each.noted_until < tx.now()
    ]
