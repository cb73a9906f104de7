"""What buckets and volumes use: counted with every write, stored once a commit."""

from __future__ import annotations

import sqlite3

COUNTED = """SELECT
    (SELECT COALESCE(SUM(size), 0) FROM versions WHERE bucket = buckets.number)
    + (SELECT COALESCE(SUM(parts.size), 0) FROM uploads
        JOIN parts ON parts.upload = uploads.number WHERE uploads.bucket = buckets.number),
    (SELECT COUNT(*) FROM versions WHERE bucket = buckets.number)"""
"""Bytes and names of the bucket of an outer statement, from its rows."""

USED_BYTES, USED_NAMES = (
    f"CAST(COALESCE({name}, 0) AS INTEGER)" for name in ("used_bytes", "used_names")
)
AS_COUNTED = f"{USED_BYTES}, {USED_NAMES}"
"""The counters of a row, which are no numbers where it is damaged."""

NO_BUCKET = 0
"""A number that no bucket has."""


class Usage:
    """Changes of the counters that a transaction of SQLite has yet to store.

    Interactions come and go in savepoints; all that succeed are stored together before the
    commit, so that many writes to a bucket cost one update of its row and its volume's. Nothing is kept from one transaction to the
    next, and one lasts no longer than SQLite's lock for writing is held: no other process misses what is counted here.
    """

    def __init__(self) -> None:
        self._buckets: dict[int, tuple[int, int]] = {}
        self._volumes: dict[str, int] = {}
        self._journal: list[tuple[str, int, int, int]] = []

    def forget(self) -> None:
        """A transaction begins, or was rolled back: nothing is to be stored."""
        self._buckets.clear()
        self._volumes.clear()
        self._journal.clear()

    def keep(self) -> None:
        """An interaction succeeded."""
        self._journal.clear()

    def undo(self) -> None:
        """An interaction was rolled back."""
        for volume, bucket, size, names in self._journal:
            self._count(volume, bucket, -size, -names)
        self._journal.clear()

    def add(self, volume: str, bucket: int, size: int, names: int) -> None:
        """Count rows that were written, or with negative numbers removed.

        :param volume: the name of the volume that the bucket is in.
        :param bucket: its number.
        """
        if size or names:
            self._journal.append((volume, bucket, size, names))
            self._count(volume, bucket, size, names)

    def _count(self, volume: str, bucket: int, size: int, names: int) -> None:
        more_bytes, more_names = self._buckets.get(bucket, (0, 0))
        self._buckets[bucket] = (more_bytes + size, more_names + names)
        self._volumes[volume] = self._volumes.get(volume, 0) + size

    def forget_volume(self, volume: str) -> None:
        """A volume was removed, being empty; another of its name begins at nothing."""
        self.add(volume, NO_BUCKET, -self.of_volume(volume), 0)

    def of_bucket(self, bucket: int) -> tuple[int, int]:
        """Bytes and names that a bucket's row does not yet count."""
        return self._buckets.get(bucket, (0, 0))

    def of_volume(self, volume: str) -> int:
        """Bytes that a volume's row does not yet count."""
        return self._volumes.get(volume, 0)

    def store(self, connection: sqlite3.Connection) -> None:
        """Bring the rows up to date, before the commit."""
        if not self._buckets:
            return
        connection.executemany(
            "UPDATE buckets SET used_bytes = used_bytes + ?, used_names = used_names + ?"
            " WHERE number = ?",
            [(*more, number) for number, more in self._buckets.items() if any(more)],
        )
        connection.executemany(
            "UPDATE volumes SET used_bytes = used_bytes + ? WHERE name = ?",
            [(more, name) for name, more in self._volumes.items() if more],
        )
        self.forget()
