"""Rows of what is not in a bucket and nobody's: leases, processes, named values."""

from __future__ import annotations

from collections.abc import Sequence

from ...values import Process
from .base import Rows
from .counters import LEAD


class SharedRows(Rows):
    """Leases, processes and named values; see :class:`~ozgate.interfaces.IMetadataTransaction`."""

    def lease(self, name: str, owner: str, seconds: float, term: int = 0) -> int | None:
        """Take or renew a lease."""
        now = self.now()
        # Compared by SQLite, to which whatever a damaged row holds is something.
        # What is far off was said by a clock that was wrong: nobody waits for it to come round.
        row = self._execute(
            "SELECT owner = ?, expires > ? AND expires <= ?, CAST(term AS INTEGER)"
            " FROM leases WHERE name = ?",
            (owner, now, now + LEAD, name),
        ).fetchone()
        is_ours, is_running, number = row or (False, False, 0)
        if is_running and not is_ours:
            return None
        if not is_ours:
            number += 1
        if term not in (0, number):
            return None
        self._execute(
            "INSERT OR REPLACE INTO leases (name, owner, expires, term)"
            " VALUES (?, ?, ?, ?)",
            (name, owner, now + int(seconds * 1000), number),
        )
        return int(number)

    def end_leases(self, owner: str) -> None:
        """End what an owner has."""
        self._execute("UPDATE leases SET expires = 0 WHERE owner = ?", (owner,))

    def processes(self) -> Sequence[Process]:
        """All processes."""
        # Unchecked, and without what is no id: a row that is damaged is in nobody's way, and its process stores itself anew.
        rows = self._execute(
            "SELECT id, CAST(since AS INTEGER), CAST(reads_since AS INTEGER),"
            " CAST(noted_until AS INTEGER) FROM processes"
            " WHERE id <> '' AND id NOT GLOB '*[^0-9A-Za-z.-]*' ORDER BY id"
        ).fetchall()
        return [Process(*row) for row in rows]

    def put_process(self, process: Process) -> None:
        """Store a process."""
        self._execute(
            "INSERT OR REPLACE INTO processes (id, since, reads_since, noted_until)"
            " VALUES (?, ?, ?, ?)",
            (process.id, process.since, process.reads_since, process.noted_until),
        )

    def remove_process(self, process_id: str) -> None:
        """Forget a process."""
        self._execute("DELETE FROM processes WHERE id = ?", (process_id,))

    def setting(self, name: str) -> bytes | None:
        """A named value."""
        row = self._execute(
            "SELECT value FROM settings WHERE name = ?", (name,)
        ).fetchone()
        return None if row is None else row[0]

    def set_setting(self, name: str, value: bytes | None) -> None:
        """Keep a named value, or remove it."""
        if value is None:
            self._execute("DELETE FROM settings WHERE name = ?", (name,))
        else:
            self._execute(
                "INSERT OR REPLACE INTO settings (name, value) VALUES (?, ?)",
                (name, value),
            )
