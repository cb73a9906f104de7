"""Volumes, buckets, links and configurations of the memory provider; what they use is counted each time."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import evolve

from ..errors import Conflict
from ..values import (
    Bucket,
    Claim,
    Volume,
)
from .memory_state import by_name
from .memory_uploads import UploadRows


class BucketRows(UploadRows):
    """Volumes and buckets; see :class:`~ozgate.interfaces.IMetadataTransaction`."""

    def volume(self, name: str) -> Volume | None:
        """The volume of that name."""
        volume = self._state.volumes.get(name)
        if volume is None:
            return None
        names = [bucket for holder, bucket in self._state.buckets if holder == name]
        counts = [self.recount(self._state.buckets[name, bucket]) for bucket in names]
        return evolve(
            volume, used_bytes=sum(size for size, _ in counts), used_names=len(names)
        )

    def volumes(self, prefix: str, after: str, limit: int) -> Sequence[Volume]:
        """Volumes by name."""
        names = by_name(self._state.volumes, prefix, after, limit)
        return [volume for name in names if (volume := self.volume(name))]

    def add_volume(self, volume: Volume) -> Volume:
        """Store a volume."""
        volumes = self._written(Claim.volume(volume.name)).volumes
        if volume.name in volumes:
            raise Conflict(f"volume {volume.name} is there already")
        volumes[volume.name] = evolve(
            volume,
            number=self._next_number(),
            modified=volume.modified or volume.created,
            used_bytes=0,
            used_names=0,
        )
        return volumes[volume.name]

    def replace_volume(self, volume: Volume) -> None:
        """Store a volume's changed members."""
        volumes = self._written(Claim.volume(volume.name)).volumes
        stored = volumes.get(volume.name)
        if stored is not None:
            volumes[volume.name] = evolve(
                stored,
                owner=volume.owner,
                admin=volume.admin,
                quota_bytes=volume.quota_bytes,
                quota_names=volume.quota_names,
                acls=tuple(volume.acls),
                modified=self._now,
            )

    def remove_volume(self, volume: Volume) -> None:
        """Remove a volume."""
        state = self._written(Claim.volume(volume.name))
        if any(name == volume.name for name, _ in state.buckets):
            raise Conflict(f"volume {volume.name} holds a bucket")
        state.volumes.pop(volume.name, None)

    def check_growth(self, before: BucketRows) -> None:
        """Make sure that usage was claimed where it has grown and a quota is compared with it.

        :param before: the state before this transaction.
        :raises Unclaimed: it was not.
        """
        for name in self._state.volumes:
            if _has_grown(before.volume(name), self.volume(name)):
                self._claims.check(Claim.volume_usage(name))
        for place, bucket in self._state.buckets.items():
            if _has_grown(before.bucket(*place), self.bucket(*place)):
                self._claims.check(Claim.usage(bucket.number))

    def bucket(self, volume: str, name: str, counted: bool = True) -> Bucket | None:
        """The bucket or link of that name."""
        bucket = self._state.buckets.get((volume, name))
        return None if bucket is None else self._counted(bucket)

    def correct_usage(
        self, volume: str, bucket: str, more_bytes: int, more_names: int
    ) -> None:
        """Nothing is kept that could be wrong."""
        self._written()
        self._claims.check_lease()

    def buckets(
        self, volume: str, prefix: str, after: str, limit: int
    ) -> Sequence[Bucket]:
        """Buckets and links of a volume by name."""
        buckets = self._state.buckets
        names = [name for holder, name in buckets if holder == volume]
        page = by_name(names, prefix, after, limit)
        return [self._counted(buckets[volume, name]) for name in page]

    def add_bucket(self, bucket: Bucket) -> Bucket:
        """Store a bucket."""
        state = self._written(
            Claim.volume(bucket.volume, shared=True),
            Claim.name(bucket.volume, bucket.name),
        )
        place = (bucket.volume, bucket.name)
        if place in state.buckets or bucket.volume not in state.volumes:
            raise Conflict(f"bucket {place} is there already, or its volume is not")
        state.buckets[place] = evolve(
            bucket,
            number=self._next_number(),
            modified=bucket.modified or bucket.created,
            used_bytes=0,
            used_names=0,
            configured=frozenset(),
        )
        self._claims.made(state.buckets[place])
        return state.buckets[place]

    def replace_bucket(self, bucket: Bucket) -> None:
        """Store a bucket's changed members."""
        buckets = self._written(*Claim.whole(bucket)).buckets
        for place, stored in buckets.items():
            if stored.number == bucket.number:
                buckets[place] = evolve(
                    stored,
                    owner=bucket.owner,
                    region=bucket.region,
                    versioning=bucket.versioning,
                    source=bucket.source,
                    quota_bytes=bucket.quota_bytes,
                    quota_names=bucket.quota_names,
                    acls=tuple(bucket.acls),
                    layout=bucket.layout,
                    modified=self._now,
                )

    def remove_bucket(self, bucket: Bucket) -> None:
        """Remove a bucket, with its configurations and uploads."""
        state = self._written(*Claim.whole(bucket))
        if not self.is_empty(bucket):
            raise Conflict(f"bucket {bucket.name} is not empty")
        for place in [p for p in state.uploads if p[0] == bucket.number]:
            self.remove_upload(bucket, state.uploads[place])
        for configured in [p for p in state.configurations if p[0] == bucket.number]:
            del state.configurations[configured]
        for named in [p for p, b in state.buckets.items() if b.number == bucket.number]:
            del state.buckets[named]

    def is_empty(self, bucket: Bucket) -> bool:
        """Whether the bucket holds no version and no delete marker."""
        return all(number != bucket.number for number, _ in self._state.versions)

    def configuration(self, bucket: Bucket, kind: str) -> bytes | None:
        """A named configuration document."""
        return self._state.configurations.get((bucket.number, kind))

    def set_configuration(
        self, bucket: Bucket, kind: str, document: bytes | None
    ) -> None:
        """Keep a configuration document, or remove it."""
        state = self._written(*Claim.whole(bucket))
        configurations = state.configurations
        if document is None:
            configurations.pop((bucket.number, kind), None)
        else:
            configurations[bucket.number, kind] = bytes(document)
        kinds = frozenset(k for number, k in configurations if number == bucket.number)
        for place, stored in state.buckets.items():
            if stored.number == bucket.number:
                state.buckets[place] = evolve(stored, configured=kinds)


def _has_grown(before: Volume | Bucket | None, after: Volume | Bucket | None) -> bool:
    """Whether something has a quota, and uses more of it than before."""
    if before is None or after is None:
        return False
    return (after.quota_bytes >= 0 and after.used_bytes > before.used_bytes) or (
        after.quota_names >= 0 and after.used_names > before.used_names
    )
