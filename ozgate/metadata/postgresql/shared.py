"""Rows of what is not in a bucket and nobody's: leases, processes, named values."""

from __future__ import annotations

from collections.abc import Sequence

from ...values import Process
from .base import Rows
from .times import LEAD


class SharedRows(Rows):
    """Leases, processes and named values; see :class:`~ozgate.interfaces.IMetadataTransaction`."""

    def lease(self, name: str, owner: str, seconds: float, term: int = 0) -> int | None:
        """Take or renew a lease, by the server's clock."""
        now = self.now()
        # What is far off was said by a clock that was wrong: nobody waits for it to come round.
        row = self._execute(
            "SELECT owner = $1, expires > $2 AND expires <= $3, term"
            " FROM leases WHERE name = $4",
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
            "INSERT INTO leases (name, owner, expires, term) VALUES ($1, $2, $3, $4)"
            " ON CONFLICT (name) DO UPDATE SET owner = EXCLUDED.owner,"
            " expires = EXCLUDED.expires, term = EXCLUDED.term",
            (name, owner, now + int(seconds * 1000), number),
        )
        return int(number)

    def end_leases(self, owner: str) -> None:
        """End what an owner has."""
        self._execute("UPDATE leases SET expires = 0 WHERE owner = $1", (owner,))

    def processes(self) -> Sequence[Process]:
        """All processes."""
        rows = self._execute(
            "SELECT id, since, reads_since, noted_until FROM processes ORDER BY id"
        ).fetchall()
        return [Process(*row) for row in rows]

    def put_process(self, process: Process) -> None:
        """Store a process."""
        self._execute(
            "INSERT INTO processes (id, since, reads_since, noted_until)"
            " VALUES ($1, $2, $3, $4) ON CONFLICT (id) DO UPDATE SET since = EXCLUDED.since,"
            " reads_since = EXCLUDED.reads_since, noted_until = EXCLUDED.noted_until",
            (process.id, process.since, process.reads_since, process.noted_until),
        )

    def remove_process(self, process_id: str) -> None:
        """Forget a process."""
        self._execute("DELETE FROM processes WHERE id = $1", (process_id,))

    def setting(self, name: str) -> bytes | None:
        """A named value."""
        row = self._execute(
            "SELECT value FROM settings WHERE name = $1", (name,)
        ).fetchone()
        return None if row is None else row[0]

    def set_setting(self, name: str, value: bytes | None) -> None:
        """Keep a named value, or remove it."""
        if value is None:
            self._execute("DELETE FROM settings WHERE name = $1", (name,))
            return
        self._execute(
            "INSERT INTO settings (name, value) VALUES ($1, $2)"
            " ON CONFLICT (name) DO UPDATE SET value = EXCLUDED.value",
            (name, value),
        )
