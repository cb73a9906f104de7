"""Rows of volumes, buckets, links and configurations."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from attrs import evolve

from ...errors import Conflict
from ...values import Bucket, Volume
from ..order import END, just_after, successor
from .base import Rows
from .rowchecks import check_of_bucket, check_of_volume, damaged
from .rows import (
    BUCKET,
    VOLUME,
    Row,
    bucket_of,
    document_of,
    document_row,
    pack_acls,
    pack_kinds,
    volume_of,
)
from .schema import COUNTED


def _bounds(prefix: str, after: str) -> tuple[str, str | bytes]:
    """The lowest name wanted, and what is above all wanted ones."""
    low = just_after(after) if after else ""
    return max(low, prefix), successor(prefix) or END


def _volume_row(volume: Volume, modified: int) -> Row:
    """What the table ``volumes`` holds of a volume, but for its number, check and what is counted."""
    return (
        volume.name,
        volume.owner,
        volume.created,
        volume.admin,
        volume.quota_bytes,
        volume.quota_names,
        pack_acls(volume.acls),
        modified,
    )


def _bucket_row(bucket: Bucket, modified: int) -> Row:
    """What the table ``buckets`` holds of a bucket, but for its number, check and what is counted."""
    return (
        bucket.volume,
        bucket.name,
        bucket.owner,
        bucket.created,
        bucket.region,
        bucket.versioning,
        *(bucket.source or (None, None)),
        bucket.quota_bytes,
        bucket.quota_names,
        pack_acls(bucket.acls),
        modified,
        bucket.layout,
        pack_kinds(bucket.configured),
    )


class VolumeRows(Rows):
    """Volumes; see :class:`~ozgate.interfaces.IMetadataTransaction`."""

    def volume(self, name: str) -> Volume | None:
        """The volume of that name."""
        row = self._execute(
            f"SELECT {VOLUME} FROM volumes WHERE name = ?", (name,)
        ).fetchone()
        return None if row is None else self._volume_of(row)

    def _volume_of(self, row: Row) -> Volume:
        return volume_of(row, self.usage.of_volume(row[0]))

    def volumes(self, prefix: str, after: str, limit: int) -> Sequence[Volume]:
        """Volumes by name."""
        rows = self._execute(
            f"SELECT {VOLUME} FROM volumes"
            " WHERE name >= ? AND name < ? ORDER BY name LIMIT ?",
            (*_bounds(prefix, after), limit),
        ).fetchall()
        return [self._volume_of(row) for row in rows]

    def add_volume(self, volume: Volume) -> Volume:
        """Store a volume.

        :raises Conflict: there is one of that name.
        """
        modified = volume.modified or volume.created
        row = _volume_row(volume, modified)
        try:
            cursor = self._execute(
                "INSERT INTO volumes (name, owner, created, admin, quota_bytes,"
                " quota_names, acls, modified) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                row,
            )
        except sqlite3.IntegrityError:
            raise Conflict(f"volume {volume.name} is there already") from None
        number = cursor.lastrowid or 0
        self._execute(
            "UPDATE volumes SET checked = ? WHERE number = ?",
            (check_of_volume(number, *row), number),
        )
        return evolve(
            volume, number=number, modified=modified, used_bytes=0, used_names=0
        )

    def replace_volume(self, volume: Volume) -> None:
        """Store a volume's changed members."""
        stored = self.volume(volume.name)
        if stored is None:
            return
        row = _volume_row(evolve(volume, created=stored.created), self.now())
        name, owner, _, *changing = row
        self._execute(
            "UPDATE volumes SET owner = ?, admin = ?, quota_bytes = ?, quota_names = ?,"
            " acls = ?, modified = ?, checked = ? WHERE name = ?",
            (owner, *changing, check_of_volume(stored.number, *row), name),
        )

    def remove_volume(self, volume: Volume) -> None:
        """Remove a volume.

        :raises Conflict: it holds a bucket.
        """
        try:
            self._execute("DELETE FROM volumes WHERE name = ?", (volume.name,))
        except sqlite3.IntegrityError:
            raise Conflict(f"volume {volume.name} holds a bucket") from None
        self.usage.forget_volume(volume.name)


class BucketRows(VolumeRows):
    """Buckets and their configurations; see :class:`~ozgate.interfaces.IMetadataTransaction`."""

    def bucket(self, volume: str, name: str) -> Bucket | None:
        """The bucket or link of that name."""
        row = self._execute(
            f"SELECT {BUCKET} FROM buckets WHERE volume = ? AND name = ?",
            (volume, name),
        ).fetchone()
        return None if row is None else self._bucket_of(row)

    def _bucket_of(self, row: Row) -> Bucket:
        return bucket_of(row, *self.usage.of_bucket(row[8]))

    def buckets(
        self, volume: str, prefix: str, after: str, limit: int
    ) -> Sequence[Bucket]:
        """Buckets and links of a volume by name."""
        rows = self._execute(
            f"SELECT {BUCKET} FROM buckets WHERE volume = ? AND name >= ? AND name < ?"
            " ORDER BY name LIMIT ?",
            (volume, *_bounds(prefix, after), limit),
        ).fetchall()
        return [self._bucket_of(row) for row in rows]

    def add_bucket(self, bucket: Bucket) -> Bucket:
        """Store a bucket.

        :raises Conflict: there is one of that name, or no such volume.
        """
        modified = bucket.modified or bucket.created
        bucket = evolve(bucket, configured=frozenset())
        row = _bucket_row(bucket, modified)
        try:
            cursor = self._execute(
                "INSERT INTO buckets (volume, name, owner, created, region, versioning,"
                " source_volume, source_bucket, quota_bytes, quota_names, acls, modified,"
                " layout, configured) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                row,
            )
        except sqlite3.IntegrityError:
            raise Conflict(
                f"bucket {bucket.volume}/{bucket.name} is there already,"
                " or its volume is not"
            ) from None
        number = cursor.lastrowid or 0
        self._execute(
            "UPDATE buckets SET checked = ? WHERE number = ?",
            (check_of_bucket(number, *row), number),
        )
        self._count_buckets(bucket.volume, 1)
        return evolve(
            bucket, number=number, modified=modified, used_bytes=0, used_names=0
        )

    def _count_buckets(self, volume: str, more: int) -> None:
        self._execute(
            "UPDATE volumes SET used_names = used_names + ? WHERE name = ?",
            (more, volume),
        )

    def replace_bucket(self, bucket: Bucket) -> None:
        """Store a bucket's changed members."""
        stored = self._numbered(bucket)
        if stored is None:
            return
        changed = evolve(
            bucket,
            volume=stored.volume,
            name=stored.name,
            created=stored.created,
            configured=stored.configured,
        )
        self._store_bucket(changed, self.now())

    def _numbered(self, bucket: Bucket) -> Bucket | None:
        """A bucket as its row is now."""
        row = self._execute(
            f"SELECT {BUCKET} FROM buckets WHERE number = ?", (bucket.number,)
        ).fetchone()
        return None if row is None else self._bucket_of(row)

    def _store_bucket(self, bucket: Bucket, modified: int) -> None:
        row = _bucket_row(bucket, modified)
        self._execute(
            "UPDATE buckets SET owner = ?, region = ?, versioning = ?,"
            " source_volume = ?, source_bucket = ?, quota_bytes = ?, quota_names = ?,"
            " acls = ?, modified = ?, layout = ?, configured = ?, checked = ? WHERE number = ?",
            (row[2], *row[4:], check_of_bucket(bucket.number, *row), bucket.number),
        )

    def is_empty(self, bucket: Bucket) -> bool:
        """Whether the bucket holds no version and no delete marker."""
        row = self._execute(
            "SELECT 1 FROM versions WHERE bucket = ? LIMIT 1", (bucket.number,)
        ).fetchone()
        return row is None

    def recount(self, bucket: Bucket) -> tuple[int, int]:
        """Bytes and names, counted from the rows."""
        row = self._execute(
            f"{COUNTED} FROM (SELECT ? AS number) AS buckets", (bucket.number,)
        ).fetchone()
        return row[0], row[1]

    def correct_usage(
        self, volume: str, bucket: str, more_bytes: int, more_names: int
    ) -> None:
        """Add to what a bucket or a volume uses, and to nothing else."""
        columns = "used_bytes = used_bytes + ?, used_names = used_names + ?"
        if bucket:
            self._execute(
                f"UPDATE buckets SET {columns} WHERE volume = ? AND name = ?",
                (more_bytes, more_names, volume, bucket),
            )
        else:
            self._execute(
                f"UPDATE volumes SET {columns} WHERE name = ?",
                (more_bytes, more_names, volume),
            )

    def configuration(self, bucket: Bucket, kind: str) -> bytes | None:
        """A named configuration document.

        :raises Damaged: the bucket has one that is not there.
        """
        row = self._execute(
            "SELECT document, checked FROM configurations"
            " WHERE bucket = ? AND kind = ?",
            (bucket.number, kind),
        ).fetchone()
        if row is None:
            stored = self._numbered(bucket)
            if stored is not None and kind in stored.configured:
                raise damaged("configurations", bucket.number, kind)
            return None
        return document_of(bucket.number, kind, row)

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
                "INSERT OR REPLACE INTO configurations (bucket, kind, document, checked)"
                " VALUES (?, ?, ?, ?)",
                document_row(bucket.number, kind, document),
            )
        stored = self._numbered(bucket)
        if stored is not None:
            kinds = self._kinds_of(bucket.number)
            self._store_bucket(evolve(stored, configured=kinds), stored.modified)

    def _kinds_of(self, number: object) -> frozenset[str]:
        """Which documents a bucket has."""
        kinds = self._execute(
            "SELECT kind FROM configurations WHERE bucket = ?", (number,)
        ).fetchall()
        return frozenset(kind for (kind,) in kinds)
