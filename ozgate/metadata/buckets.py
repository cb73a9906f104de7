"""Rows of volumes, buckets, links, configurations, and what is not in a bucket: leases, secrets."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from attrs import evolve

from ..errors import Conflict
from ..values import Bucket, Volume
from .base import Rows
from .order import END, just_after, successor
from .rows import BUCKET, bucket_of


def _bounds(prefix: str, after: str) -> tuple[str, str | bytes]:
    """The lowest name wanted, and what is above all wanted ones."""
    low = just_after(after) if after else ""
    return max(low, prefix), successor(prefix) or END


class VolumeRows(Rows):
    """Volumes; see :class:`~ozgate.interfaces.IMetadataTransaction`."""

    def volume(self, name: str) -> Volume | None:
        """The volume of that name."""
        row = self._execute(
            "SELECT name, owner, created, number FROM volumes WHERE name = ?", (name,)
        ).fetchone()
        return None if row is None else Volume(*row)

    def volumes(self, prefix: str, after: str, limit: int) -> Sequence[Volume]:
        """Volumes by name."""
        rows = self._execute(
            "SELECT name, owner, created, number FROM volumes"
            " WHERE name >= ? AND name < ? ORDER BY name LIMIT ?",
            (*_bounds(prefix, after), limit),
        ).fetchall()
        return [Volume(*row) for row in rows]

    def add_volume(self, volume: Volume) -> Volume:
        """Store a volume.

        :raises Conflict: there is one of that name.
        """
        try:
            cursor = self._execute(
                "INSERT INTO volumes (name, owner, created) VALUES (?, ?, ?)",
                (volume.name, volume.owner, volume.created),
            )
        except sqlite3.IntegrityError:
            raise Conflict(f"volume {volume.name} is there already") from None
        return evolve(volume, number=cursor.lastrowid or 0)

    def remove_volume(self, volume: Volume) -> None:
        """Remove a volume.

        :raises Conflict: it holds a bucket.
        """
        try:
            self._execute("DELETE FROM volumes WHERE name = ?", (volume.name,))
        except sqlite3.IntegrityError:
            raise Conflict(f"volume {volume.name} holds a bucket") from None


class BucketRows(VolumeRows):
    """Buckets and their configurations; see :class:`~ozgate.interfaces.IMetadataTransaction`."""

    def bucket(self, volume: str, name: str) -> Bucket | None:
        """The bucket or link of that name."""
        row = self._execute(
            f"SELECT {BUCKET} FROM buckets WHERE volume = ? AND name = ?",
            (volume, name),
        ).fetchone()
        return None if row is None else bucket_of(row)

    def buckets(
        self, volume: str, prefix: str, after: str, limit: int
    ) -> Sequence[Bucket]:
        """Buckets and links of a volume by name."""
        rows = self._execute(
            f"SELECT {BUCKET} FROM buckets WHERE volume = ? AND name >= ? AND name < ?"
            " ORDER BY name LIMIT ?",
            (volume, *_bounds(prefix, after), limit),
        ).fetchall()
        return [bucket_of(row) for row in rows]

    def add_bucket(self, bucket: Bucket) -> Bucket:
        """Store a bucket.

        :raises Conflict: there is one of that name, or no such volume.
        """
        source = bucket.source or (None, None)
        try:
            cursor = self._execute(
                "INSERT INTO buckets (volume, name, owner, created, region, versioning,"
                " source_volume, source_bucket) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    bucket.volume,
                    bucket.name,
                    bucket.owner,
                    bucket.created,
                    bucket.region,
                    bucket.versioning,
                    *source,
                ),
            )
        except sqlite3.IntegrityError:
            raise Conflict(
                f"bucket {bucket.volume}/{bucket.name} is there already,"
                " or its volume is not"
            ) from None
        return evolve(bucket, number=cursor.lastrowid or 0)

    def replace_bucket(self, bucket: Bucket) -> None:
        """Store a bucket's changed members."""
        source = bucket.source or (None, None)
        self._execute(
            "UPDATE buckets SET owner = ?, region = ?, versioning = ?,"
            " source_volume = ?, source_bucket = ? WHERE number = ?",
            (bucket.owner, bucket.region, bucket.versioning, *source, bucket.number),
        )

    def is_empty(self, bucket: Bucket) -> bool:
        """Whether the bucket holds no version and no delete marker."""
        row = self._execute(
            "SELECT 1 FROM versions WHERE bucket = ? LIMIT 1", (bucket.number,)
        ).fetchone()
        return row is None

    def configuration(self, bucket: Bucket, kind: str) -> bytes | None:
        """A named configuration document."""
        row = self._execute(
            "SELECT document FROM configurations WHERE bucket = ? AND kind = ?",
            (bucket.number, kind),
        ).fetchone()
        return None if row is None else row[0]

    def set_configuration(
        self, bucket: Bucket, kind: str, document: bytes | None
    ) -> None:
        """Keep a configuration document, or remove it."""
        if document is None:
            self._execute(
                "DELETE FROM configurations WHERE bucket = ? AND kind = ?",
                (bucket.number, kind),
            )
        else:
            self._execute(
                "INSERT OR REPLACE INTO configurations (bucket, kind, document)"
                " VALUES (?, ?, ?)",
                (bucket.number, kind, document),
            )


class SharedRows(Rows):
    """Leases and secrets; see :class:`~ozgate.interfaces.IMetadataTransaction`."""

    def lease(self, name: str, owner: str, seconds: float) -> bool:
        """Take or renew a lease."""
        now = self.now()
        row = self._execute(
            "SELECT 1 FROM leases WHERE name = ? AND owner <> ? AND expires > ?",
            (name, owner, now),
        ).fetchone()
        if row is not None:
            return False
        self._execute(
            "INSERT OR REPLACE INTO leases (name, owner, expires) VALUES (?, ?, ?)",
            (name, owner, now + int(seconds * 1000)),
        )
        return True

    def secret(self, access_id: str) -> str | None:
        """The secret of an access id."""
        row = self._execute(
            "SELECT secret FROM secrets WHERE access_id = ?", (access_id,)
        ).fetchone()
        return None if row is None else row[0]

    def set_secret(self, access_id: str, secret: str | None) -> None:
        """Keep a secret, or remove it."""
        if secret is None:
            self._execute("DELETE FROM secrets WHERE access_id = ?", (access_id,))
        else:
            self._execute(
                "INSERT OR REPLACE INTO secrets (access_id, secret) VALUES (?, ?)",
                (access_id, secret),
            )
