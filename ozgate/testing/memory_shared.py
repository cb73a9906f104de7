"""What else the memory provider keeps: the doomed, leases, processes, named values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from itertools import islice

from ..values import (
    BlobRef,
    CheckedRows,
    Claim,
    DamagedRow,
    Process,
)
from .memory_state import LEAD, Rows


class SharedRows(Rows):
    """Blobs that may have no name left; leases, processes and named values."""

    def doomed(self, store: str, before: int, limit: int) -> Sequence[BlobRef]:
        """Blobs of a store doomed before that time, oldest first."""
        found = sorted(
            (at, blob_id)
            for (where, blob_id), at in self._state.doomed.items()
            if where == store
        )
        return [
            BlobRef(store, blob_id, 0, 0)
            for at, blob_id in islice(found, limit)
            if at < before
        ]

    def doomed_stores(self) -> Sequence[str]:
        """The stores that doomed blobs are in."""
        return sorted({store for store, _ in self._state.doomed})

    def nameless(self, store: str, blob_ids: Sequence[str]) -> Sequence[str]:
        """Those of these blobs that no extent names."""
        return [each for each in blob_ids if not self.is_named(store, each)]

    def blobs(self, after: tuple[str, str], limit: int) -> Sequence[BlobRef]:
        """The blobs that extents name, by id and store."""
        named = {(name, store): blob for (store, name), blob in self._named().items()}
        places = sorted(place for place in named if place > after)
        return [named[place] for place in places[: max(limit, 0)]]

    def is_doomed(self, store: str, blob_id: str) -> bool:
        """Whether the blob is on the doomed list."""
        return (store, blob_id) in self._state.doomed

    def forget_doomed(self, blobs: Iterable[BlobRef]) -> None:
        """Take blobs off the doomed list."""
        doomed = self._written().doomed
        self._claims.check_lease()
        for blob in blobs:
            doomed.pop((blob.store, blob.id), None)

    def check_rows(self, after: str, limit: int) -> CheckedRows:
        """See :class:`~ozgate.interfaces.IRepairs`. There are no rows that could be damaged."""
        return CheckedRows()

    def mend_row(
        self, row: DamagedRow, owner: str, keeping: Set[str], closing: Set[str]
    ) -> str:
        """See :class:`~ozgate.interfaces.IRepairs`."""
        self._written()
        self._claims.check_lease()
        return "it is not there any more, or was written anew"

    def lease(self, name: str, owner: str, seconds: float, term: int = 0) -> int | None:
        """Take or renew a lease."""
        leases = self._written(Claim.lease(name)).leases
        last, expires, number = leases.get(name, (None, 0, 0))
        if last != owner and self._now < expires <= self._now + LEAD:
            return None
        number += last != owner
        if term and term != number:
            return None
        leases[name] = (owner, self._now + int(seconds * 1000), number)
        return number

    def end_leases(self, owner: str) -> None:
        """End what an owner has."""
        leases = self._written().leases
        for name, (holder, _, number) in leases.items():
            if holder == owner:
                leases[name] = (owner, 0, number)

    def processes(self) -> Sequence[Process]:
        """All processes."""
        return list(self._state.processes.values())

    def put_process(self, process: Process) -> None:
        """Store a process."""
        self._written().processes[process.id] = process

    def remove_process(self, process_id: str) -> None:
        """Forget a process."""
        self._written().processes.pop(process_id, None)

    def setting(self, name: str) -> bytes | None:
        """A named value."""
        return self._state.settings.get(name)

    def set_setting(self, name: str, value: bytes | None) -> None:
        """Keep a named value, or remove it."""
        settings = self._written(Claim.setting(name)).settings
        if value is None:
            settings.pop(name, None)
        else:
            settings[name] = value
