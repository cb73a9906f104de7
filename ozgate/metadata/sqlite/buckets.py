"""Rows of volumes, buckets, links and configurations."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from functools import lru_cache

from attrs import evolve

from ...errors import Conflict
from ...values import Bucket, Volume
from ..declared.columns import Row
from ..declared.conversions import pack_kinds
from ..declared.rowchecks import damaged
from ..declared.tables import BUCKETS, CONFIGURATIONS, VOLUMES
from ..order import END, just_after, successor
from .base import Rows
from .usage import COUNTED, USED_BYTES, USED_NAMES


def _bounds(prefix: str, after: str) -> tuple[str, str | bytes]:
    """The lowest name wanted, and what is above all wanted ones."""
    low = just_after(after) if after else ""
    return max(low, prefix), successor(prefix) or END


volume_of = lru_cache(256)(VOLUMES.read)
"""Kept, as every request looks at one: what differs is checked again."""

bucket_of = lru_cache(256)(BUCKETS.read)
"""Likewise."""


_VOLUME = f"SELECT {VOLUMES.select} FROM volumes WHERE name = ?"

_BUCKET = f"SELECT {BUCKETS.select} FROM buckets WHERE volume = ? AND name = ?"

_CONFIGURATION = (
    f"SELECT {CONFIGURATIONS.select} FROM configurations WHERE bucket = ? AND kind = ?"
)


class VolumeRows(Rows):
    """Volumes; see :class:`~ozgate.interfaces.IMetadataTransaction`."""

    def volume(self, name: str) -> Volume | None:
        """The volume of that name."""
        known = None if self._kept is None else self._kept.get(name)
        if known is None:
            row = self._execute(_VOLUME, (name,)).fetchone()
            if row is None:
                return None
            if self._kept is None:
                return self._volume_of(row)
            known = self._kept[name] = row, volume_of(row, 0)
        more = self.usage.of_volume(name)
        return VOLUMES.make(known[0], more) if more else known[1]

    def _volume_of(self, row: Row) -> Volume:
        return volume_of(row, self.usage.of_volume(row[1]))

    def volumes(self, prefix: str, after: str, limit: int) -> Sequence[Volume]:
        """Volumes by name."""
        rows = self._execute(
            f"SELECT {VOLUMES.select} FROM volumes"
            " WHERE name >= ? AND name < ? ORDER BY name LIMIT ?",
            (*_bounds(prefix, after), limit),
        ).fetchall()
        return [self._volume_of(row) for row in rows]

    def add_volume(self, volume: Volume) -> Volume:
        """Store a volume.

        :raises Conflict: there is one of that name.
        """
        made = evolve(
            volume,
            modified=volume.modified or volume.created,
            used_bytes=0,
            used_names=0,
        )
        try:
            number = self._add_numbered(VOLUMES, VOLUMES.row(made))
        except sqlite3.IntegrityError:
            raise Conflict(f"volume {volume.name} is there already") from None
        return evolve(made, number=number)

    def replace_volume(self, volume: Volume) -> None:
        """Store a volume's changed members."""
        stored = self._execute(_VOLUME, (volume.name,)).fetchone()
        if stored is None:
            return
        VOLUMES.read(stored, 0)
        row = VOLUMES.row(evolve(volume, modified=self.now()))
        self._rewrite(VOLUMES, stored, **VOLUMES.replaced(row))

    def remove_volume(self, volume: Volume) -> None:
        """Remove a volume.

        :raises Conflict: it holds a bucket.
        """
        self.forget()
        try:
            self._execute("DELETE FROM volumes WHERE name = ?", (volume.name,))
        except sqlite3.IntegrityError:
            raise Conflict(f"volume {volume.name} holds a bucket") from None
        self.usage.forget_volume(volume.name)


class BucketRows(VolumeRows):
    """Buckets and their configurations; see :class:`~ozgate.interfaces.IMetadataTransaction`."""

    def bucket(self, volume: str, name: str, counted: bool = True) -> Bucket | None:
        """The bucket or link of that name."""
        place = (volume, name)
        known = None if self._kept is None else self._kept.get(place)
        if known is None:
            row = self._execute(_BUCKET, place).fetchone()
            if row is None:
                return None
            if self._kept is None:
                return self._bucket_of(row)
            known = self._kept[place] = row, bucket_of(row, 0, 0)
        row, bucket = known
        more = self.usage.of_bucket(row[0])
        return BUCKETS.make(row, *more) if any(more) else bucket

    def _bucket_of(self, row: Row) -> Bucket:
        return bucket_of(row, *self.usage.of_bucket(row[0]))

    def buckets(
        self, volume: str, prefix: str, after: str, limit: int
    ) -> Sequence[Bucket]:
        """Buckets and links of a volume by name."""
        rows = self._execute(
            f"SELECT {BUCKETS.select} FROM buckets WHERE volume = ? AND name >= ? AND name < ?"
            " ORDER BY name LIMIT ?",
            (volume, *_bounds(prefix, after), limit),
        ).fetchall()
        return [self._bucket_of(row) for row in rows]

    def add_bucket(self, bucket: Bucket) -> Bucket:
        """Store a bucket.

        :raises Conflict: there is one of that name, or no such volume.
        """
        made = evolve(
            bucket,
            modified=bucket.modified or bucket.created,
            configured=frozenset(),
            used_bytes=0,
            used_names=0,
        )
        try:
            number = self._add_numbered(BUCKETS, BUCKETS.row(made))
        except sqlite3.IntegrityError:
            raise Conflict(
                f"bucket {bucket.volume}/{bucket.name} is there already,"
                " or its volume is not"
            ) from None
        self._count_buckets(bucket.volume, 1)
        return evolve(made, number=number)

    def _count_buckets(self, volume: str, more: int) -> None:
        self.forget()
        self._execute(
            "UPDATE volumes SET used_names = used_names + ? WHERE name = ?",
            (more, volume),
        )

    def replace_bucket(self, bucket: Bucket) -> None:
        """Store a bucket's changed members."""
        stored = self._stored_bucket(bucket)
        if stored is not None:
            row = BUCKETS.row(evolve(bucket, modified=self.now()))
            self._rewrite(BUCKETS, stored, **BUCKETS.replaced(row))

    def _stored_bucket(self, bucket: Bucket) -> Row | None:
        """The row of a bucket as it is now.

        :raises Damaged: it does not agree with its check.
        """
        row: Row | None = self._execute(
            f"SELECT {BUCKETS.select} FROM buckets WHERE number = ?", (bucket.number,)
        ).fetchone()
        if row is not None:
            self._bucket_of(row)
        return row

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
        self.forget()
        columns = f"used_bytes = {USED_BYTES} + ?, used_names = {USED_NAMES} + ?"
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
        place = (bucket.number, kind)
        row = self._execute(_CONFIGURATION, place).fetchone()
        if row is None:
            stored = self._stored_bucket(bucket)
            if stored is not None and kind in self._bucket_of(stored).configured:
                raise damaged("configurations", *place)
            return None
        if not CONFIGURATIONS.agrees(row):
            raise damaged("configurations", *place)
        document: bytes = row[2]
        return document

    def set_configuration(
        self, bucket: Bucket, kind: str, document: bytes | None
    ) -> None:
        """Keep a configuration document, or remove it. Of others that the bucket says it has and that are gone, it goes on to say so."""
        if document is None:
            self._execute(
                "DELETE FROM configurations WHERE bucket = ? AND kind = ?",
                (bucket.number, kind),
            )
        else:
            row = CONFIGURATIONS.row(bucket.number, kind, document)
            self._execute(CONFIGURATIONS.put, row)
        stored = self._stored_bucket(bucket)
        if stored is not None:
            said = self._bucket_of(stored).configured - {kind}
            kinds = pack_kinds(said | self._kinds_of(bucket.number))
            self._rewrite(BUCKETS, stored, configured=kinds)

    def _kinds_of(self, number: object) -> frozenset[str]:
        """Which documents a bucket has; a kind that is no text is damaged, and none."""
        kinds = self._execute(
            "SELECT kind FROM configurations WHERE bucket = ? AND typeof(kind) = 'text'",
            (number,),
        ).fetchall()
        return frozenset(kind for (kind,) in kinds)
