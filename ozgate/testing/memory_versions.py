"""Versions of the memory provider, newest first, and where their bytes are."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from attrs import evolve

from ..errors import Absent, Conflict
from ..values import (
    EXTENTS_AT_ONCE,
    Bucket,
    ByteRange,
    Claim,
    Content,
    ObjectPart,
    ObjectVersion,
)
from .memory_state import Kept, Rows, kept_content


class VersionRows(Rows):
    """Versions; see :class:`~ozgate.interfaces.IMetadataTransaction`."""

    def _kept(self, bucket: Bucket, key: str) -> tuple[Kept, ...]:
        return self._state.versions.get((bucket.number, key), ())

    def _find(self, bucket: Bucket, version: ObjectVersion) -> Kept | None:
        for kept in self._kept(bucket, version.key):
            if kept.version.sequence == version.sequence:
                return kept
        return None

    def latest(self, bucket: Bucket, key: str) -> ObjectVersion | None:
        """The newest version of a key."""
        for kept in self._kept(bucket, key):
            return evolve(kept.version, is_latest=True)
        return None

    def version(
        self, bucket: Bucket, key: str, version_id: str
    ) -> ObjectVersion | None:
        """One version of a key."""
        for place, kept in enumerate(self._kept(bucket, key)):
            if kept.version.version_id == version_id:
                return evolve(kept.version, is_latest=place == 0)
        return None

    def add_version(
        self,
        bucket: Bucket,
        version: ObjectVersion,
        content: Content,
        parts: Sequence[ObjectPart] = (),
        replaced: ObjectVersion | None = None,
    ) -> None:
        """Add a version, which becomes the latest."""
        if replaced is not None:
            self.remove_version(bucket, replaced)
        state = self._inside(bucket, Claim.key(bucket.number, version.key))
        older = self._kept(bucket, version.key)
        if bucket.number not in [stored.number for stored in state.buckets.values()]:
            raise Conflict(f"bucket {bucket.name} is gone")
        if any(kept.version.version_id == version.version_id for kept in older):
            raise Conflict(f"{version.key!r} has a version {version.version_id}")
        kept = Kept(_frozen(version), kept_content(content), _placed(parts))
        state.versions[bucket.number, version.key] = (kept, *older)

    def replace_version(self, bucket: Bucket, version: ObjectVersion) -> None:
        """Store a version's changed members."""
        state = self._inside(bucket, Claim.key(bucket.number, version.key))
        found = self._find(bucket, version)
        if found is None:
            raise Absent(f"{version.key!r} has no version {version.version_id}")
        changed = evolve(
            _frozen(version),
            size=found.version.size,
            version_id=found.version.version_id,
            is_delete_marker=found.version.is_delete_marker,
        )
        state.versions[bucket.number, version.key] = tuple(
            evolve(kept, version=changed) if kept is found else kept
            for kept in self._kept(bucket, version.key)
        )

    def remove_version(self, bucket: Bucket, version: ObjectVersion) -> None:
        """Remove a version, dooming blobs that have no name left, or retiring it where it has many."""
        state = self._inside(bucket, Claim.key(bucket.number, version.key))
        found = self._find(bucket, version)
        if found is None:
            return
        left = tuple(k for k in self._kept(bucket, version.key) if k is not found)
        if left:
            state.versions[bucket.number, version.key] = left
        else:
            del state.versions[bucket.number, version.key]
        if len(found.content.extents) > EXTENTS_AT_ONCE:
            state.retired[version.sequence] = (self._now, found.content)
        else:
            self._drop(found.content)

    def content(
        self,
        bucket: Bucket,
        version: ObjectVersion,
        wanted: ByteRange | None = None,
        limit: int = 0,
    ) -> Content:
        """Where a version's bytes are."""
        found = self._find(bucket, version)
        if found is not None:
            content = found.content
        elif version.sequence in self._state.retired:
            _, content = self._state.retired[version.sequence]
        else:
            raise Absent(f"the bytes of {version.key!r} are gone")
        if wanted is None:
            return content
        content = content.cut(wanted)
        if limit and content.extents:
            content = Content(None, content.extents[:limit])
        return content

    def retired(self, before: int, limit: int) -> Sequence[int]:
        """Sequences of the versions retired before that time, oldest first."""
        found = sorted((at, number) for number, (at, _) in self._state.retired.items())
        return [number for at, number in islice(found, limit) if at < before]

    def release(self, sequence: int, limit: int) -> bool:
        """Drop extents of a retired version."""
        retired = self._written().retired
        self._claims.check_lease()
        if sequence not in retired:
            return True
        at, content = retired.pop(sequence)
        released, left = content.extents[:limit], content.extents[limit:]
        if len(released) == limit:
            retired[sequence] = (at, Content(None, left))
        self._drop(Content(None, released))
        return sequence not in retired

    def object_parts(
        self, bucket: Bucket, version: ObjectVersion, after: int, limit: int
    ) -> Sequence[ObjectPart]:
        """Parts of a completed multipart object by number."""
        found = self._find(bucket, version)
        parts = () if found is None else found.parts
        return [part for part in parts if part.number > after][:limit]


def _frozen(version: ObjectVersion) -> ObjectVersion:
    """A version that no longer shares its mappings with the caller."""
    return evolve(
        version,
        headers=dict(version.headers),
        metadata=dict(version.metadata),
        tags=dict(version.tags),
        more=dict(version.more),
    )


def _placed(parts: Sequence[ObjectPart]) -> tuple[ObjectPart, ...]:
    """Parts by number, each with where it starts."""
    placed = []
    start = 0
    for part in sorted(parts, key=lambda part: part.number):
        placed.append(evolve(part, start=start))
        start += part.size
    return tuple(placed)
