"""Rows of volumes, buckets, links and configurations."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from attrs import evolve

from ...errors import Conflict
from ...values import Bucket, Claim, Volume
from ...values.claims import Kind
from ..declared.columns import Row
from ..declared.conversions import pack_kinds
from ..declared.rowchecks import damaged
from ..declared.tables import BUCKETS, CONFIGURATIONS, VOLUMES
from ..order import successor
from .base import WITHIN, Rows
from .session import Session
from .statements import Statements
from .times import Times
from .usage import USED, USED_OF

volume_of = lru_cache(256)(VOLUMES.read)
"""Kept, as every request looks at one: what differs is checked again."""

bucket_of = lru_cache(256)(BUCKETS.read)
"""Likewise."""

_VOLUMES = Statements(VOLUMES, is_counted_elsewhere=True)
_BUCKETS = Statements(BUCKETS, is_counted_elsewhere=True)
_CONFIGURATIONS = Statements(CONFIGURATIONS)

_FROM_VOLUMES = (
    f"SELECT {_VOLUMES.checked}, {USED} FROM volumes"
    f" {USED_OF.format(place='-volumes.number')}"
)
_FROM_BUCKETS = (
    f"SELECT {_BUCKETS.checked}, {USED} FROM buckets"
    f" {USED_OF.format(place='buckets.number')}"
)
_VOLUME = f"{_FROM_VOLUMES} WHERE volumes.name = $1"
_BUCKET = f"{_FROM_BUCKETS} WHERE buckets.volume = $1 AND buckets.name = $2"
UNCOUNTED = f"""SELECT (SELECT id FROM epoch), {_BUCKETS.checked} FROM (SELECT 1) AS one
    LEFT JOIN buckets ON buckets.volume = $1 AND buckets.name = $2"""
"""The epoch, and in the same snapshot a bucket without what it uses."""
NUMBERED = f"{_FROM_BUCKETS} WHERE buckets.number = $1"
_CONFIGURATION = (
    f"SELECT {_CONFIGURATIONS.select} FROM configurations WHERE {_CONFIGURATIONS.place}"
)


def _bounds(prefix: str, after: str) -> tuple[str, str]:
    """The lowest name wanted, and what is above all wanted ones. No name has NUL, which text of PostgreSQL cannot hold."""
    low = f"{after}\1" if after else ""
    return max(low, prefix), successor(prefix) or "\U0010ffff"


def _asking(place: Any) -> tuple[str, tuple[Any, ...]]:
    """What asks for a bucket by both its names, or for a volume."""
    return (_BUCKET, place) if isinstance(place, tuple) else (_VOLUME, (place,))


class VolumeRows(Rows):
    """Volumes; see :class:`~ozgate.interfaces.IMetadataTransaction`.

    A row that was read while it was claimed is kept until the transaction ends, or changes it. One that was looked at before that is sent for together
    with the claims, as it will be looked at once more.
    """

    def __init__(self, session: Session, times: Times) -> None:
        self._kept: dict[object, tuple[Row, Any]] = {}
        self._looked_at: dict[object, None] = {}
        super().__init__(session, times)

    def begin(self) -> None:
        """Another transaction begins."""
        super().begin()
        self._looked_at.clear()
        self.forget()

    def forget(self) -> None:
        """A row of a volume or bucket is about to change."""
        self._kept.clear()

    def _follow(self, claims: Sequence[Claim]) -> None:
        super()._follow(claims)
        if any(claim.kind not in WITHIN for claim in claims):
            self.forget()
            for place in self._looked_at:
                self._send_ahead(*_asking(place))
            # Whether there is room in it is asked by nearly all who write.
            for claim in claims:
                if claim.kind is Kind.VOLUME and claim.what not in self._looked_at:
                    self._send_ahead(*_asking(claim.what))

    def _found(self, place: object) -> Row | None:
        """The row of a volume by its name, or of a bucket by both."""
        self._looked_at[place] = None
        found: Row | None = self._execute(*_asking(place)).fetchone()
        return found

    def _may_keep(self, claim: Claim) -> bool:
        """Whether nobody else changes what this claim is of."""
        return self._held.has(claim)

    def volume(self, name: str) -> Volume | None:
        """The volume of that name."""
        known = self._kept.get(name)
        if known is None:
            row = self._found(name)
            if row is None:
                return None
            known = row, volume_of(row, 0)
            if self._may_keep(Claim.volume(name, True)):
                self._kept[name] = known
        return self._volume_of(known[0])

    def _volume_of(self, row: Row) -> Volume:
        more_bytes, more_names = self.usage.of_volume(row[1])
        return volume_of((*row[:-1], row[-1] + more_names), more_bytes)

    def volumes(self, prefix: str, after: str, limit: int) -> Sequence[Volume]:
        """Volumes by name."""
        rows = self._execute(
            f"{_FROM_VOLUMES} WHERE volumes.name >= $1"
            " AND volumes.name < $2 ORDER BY volumes.name LIMIT $3",
            (*_bounds(prefix, after), limit),
        ).fetchall()
        return [self._volume_of(row) for row in rows]

    def add_volume(self, volume: Volume) -> Volume:
        """Store a volume.

        :raises Conflict: there is one of that name.
        """
        self.forget()
        made = evolve(
            volume,
            number=self.next_sequence(),
            modified=volume.modified or volume.created,
            used_bytes=0,
            used_names=0,
        )
        put = f"{_VOLUMES.insert} ON CONFLICT (name) DO NOTHING"
        if not self._count(put, VOLUMES.row(made)):
            raise Conflict(f"volume {volume.name} is there already")
        return made

    def replace_volume(self, volume: Volume) -> None:
        """Store a volume's changed members."""
        stored = self._execute(_VOLUME, (volume.name,)).fetchone()
        if stored is None:
            return
        self._volume_of(stored)
        self.forget()
        row = VOLUMES.row(evolve(volume, modified=self.now()))
        self._rewrite(VOLUMES, stored, **VOLUMES.replaced(row))

    def remove_volume(self, volume: Volume) -> None:
        """Remove a volume.

        :raises Conflict: it holds a bucket.
        """
        self.forget()
        held = self._execute(
            "SELECT 1 FROM buckets WHERE volume = $1 LIMIT 1", (volume.name,)
        )
        if held.fetchone() is not None:
            raise Conflict(f"volume {volume.name} holds a bucket")
        self._execute(
            "DELETE FROM usage WHERE place IN"
            " (SELECT -number FROM volumes WHERE name = $1)",
            (volume.name,),
        )
        self._execute("DELETE FROM volumes WHERE name = $1", (volume.name,))
        self.usage.forget_volume(volume.name)


class BucketRows(VolumeRows):
    """Buckets and their configurations; see :class:`~ozgate.interfaces.IMetadataTransaction`."""

    def bucket(self, volume: str, name: str, counted: bool = True) -> Bucket | None:
        """The bucket or link of that name."""
        place = (volume, name)
        known = self._kept.get(place)
        if known is None:
            row = self._found(place)
            if row is None:
                return None
            known = row, bucket_of(row, 0, 0)
            if self._may_keep(Claim.bucket(row[0], True)):
                self._kept[place] = known
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
            f"{_FROM_BUCKETS} WHERE buckets.volume = $1 AND buckets.name >= $2"
            " AND buckets.name < $3 ORDER BY buckets.name LIMIT $4",
            (volume, *_bounds(prefix, after), limit),
        ).fetchall()
        return [self._bucket_of(row) for row in rows]

    def add_bucket(self, bucket: Bucket) -> Bucket:
        """Store a bucket.

        :raises Conflict: there is one of that name, or no such volume.
        """
        self.forget()
        made = evolve(
            bucket,
            number=self.next_sequence(),
            modified=bucket.modified or bucket.created,
            configured=frozenset(),
            used_bytes=0,
            used_names=0,
        )
        there = self._execute(_VOLUME, (bucket.volume,)).fetchone()
        put = f"{_BUCKETS.insert} ON CONFLICT (volume, name) DO NOTHING"
        if there is None or not self._count(put, BUCKETS.row(made)):
            raise Conflict(
                f"bucket {bucket.volume}/{bucket.name} is there already,"
                " or its volume is not"
            )
        self.usage.add_to_volume(bucket.volume, 0, 1)
        self._held.made(made)
        return made

    def replace_bucket(self, bucket: Bucket) -> None:
        """Store a bucket's changed members."""
        stored = self._stored_bucket(bucket)
        if stored is not None:
            self.forget()
            row = BUCKETS.row(evolve(bucket, modified=self.now()))
            self._rewrite(BUCKETS, stored, **BUCKETS.replaced(row))

    def remove_bucket(self, bucket: Bucket) -> None:
        """Remove a bucket, with its configurations.

        :raises Conflict: it holds a version.
        """
        self.forget()
        if not self.is_empty(bucket):
            raise Conflict(f"bucket {bucket.name} is not empty")
        number = (bucket.number,)
        self._execute("DELETE FROM configurations WHERE bucket = $1", number)
        self._execute("DELETE FROM usage WHERE place = $1", number)
        removed = self._count("DELETE FROM buckets WHERE number = $1", number)
        self.usage.forget_bucket(bucket.number)
        self.usage.add_to_volume(bucket.volume, 0, -removed)

    def _stored_bucket(self, bucket: Bucket) -> Row | None:
        """The row of a bucket as it is now.

        :raises Damaged: it does not agree with its check.
        """
        row: Row | None = self._execute(NUMBERED, (bucket.number,)).fetchone()
        if row is not None:
            self._bucket_of(row)
        return row

    def is_empty(self, bucket: Bucket) -> bool:
        """Whether the bucket holds no version and no delete marker."""
        row = self._execute(
            "SELECT 1 FROM versions WHERE bucket = $1 LIMIT 1", (bucket.number,)
        ).fetchone()
        return row is None

    def recount(self, bucket: Bucket) -> tuple[int, int]:
        """Bytes and names, counted from the rows."""
        row = self._execute(
            "SELECT COALESCE(SUM(size), 0)::bigint, COUNT(*), (SELECT COALESCE(SUM(parts.size), 0)::bigint"
            " FROM uploads JOIN parts ON parts.upload = uploads.number WHERE uploads.bucket = $1)"
            " FROM versions WHERE bucket = $1",
            (bucket.number,),
        ).fetchone()
        return row[0] + row[2], row[1]

    def correct_usage(
        self, volume: str, bucket: str, more_bytes: int, more_names: int
    ) -> None:
        """Add to what a bucket or a volume uses, and to nothing else."""
        self.forget()
        if not bucket:
            self.usage.add_to_volume(volume, more_bytes, more_names)
            return
        row = self._execute(_BUCKET, (volume, bucket)).fetchone()
        if row is not None:
            self.usage.add_to_bucket(row[0], more_bytes, more_names)

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
                "DELETE FROM configurations WHERE bucket = $1 AND kind = $2",
                (bucket.number, kind),
            )
        else:
            row = CONFIGURATIONS.row(bucket.number, kind, document)
            self._execute(_CONFIGURATIONS.put, row)
        there = self._execute(
            "SELECT kind FROM configurations WHERE bucket = $1", (bucket.number,)
        )
        stored = self._stored_bucket(bucket)
        if stored is not None:
            self.forget()
            said = self._bucket_of(stored).configured - {kind}
            kinds = pack_kinds(said.union(kind for (kind,) in there.fetchall()))
            self._rewrite(BUCKETS, stored, configured=kinds)
