"""The transaction of the memory provider: rows in dicts, listings worked out from all keys."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

from attrs import define, evolve, field, fields
from zope.interface import implementer

from ..errors import Absent, Conflict
from ..interfaces import IMetadataTransaction
from ..values import (
    EXTENTS_AT_ONCE,
    BlobRef,
    Bucket,
    ByteRange,
    CheckedRows,
    Content,
    DamagedRow,
    ListedObject,
    ListedVersion,
    ObjectPart,
    ObjectVersion,
    Page,
    Part,
    Secret,
    Traits,
    Upload,
    UploadPage,
    VersionPage,
    Volume,
)


@define
class Kept:
    """A version with its bytes and parts."""

    version: ObjectVersion
    content: Content
    parts: tuple[ObjectPart, ...]


@define
class State:
    """Everything stored. Values are immutable, so that a copy of the tables is a snapshot."""

    sequence: int = 0
    number: int = 0
    volumes: dict[str, Volume] = field(factory=dict)
    buckets: dict[tuple[str, str], Bucket] = field(factory=dict)
    configurations: dict[tuple[int, str], bytes] = field(factory=dict)
    versions: dict[tuple[int, str], tuple[Kept, ...]] = field(factory=dict)
    uploads: dict[tuple[int, str, str], Upload] = field(factory=dict)
    parts: dict[tuple[int, str, str], dict[int, Part]] = field(factory=dict)
    retired: dict[int, tuple[int, Content]] = field(factory=dict)
    doomed: dict[tuple[str, str], int] = field(factory=dict)
    leases: dict[str, tuple[str, int]] = field(factory=dict)
    secrets: dict[str, Secret] = field(factory=dict)
    settings: dict[str, bytes] = field(factory=dict)

    def copy(self) -> State:
        """An independent copy."""
        tables: dict[str, Any] = {
            attribute.name: dict(value)
            for attribute in fields(State)
            if isinstance(value := getattr(self, attribute.name), dict)
        }
        tables["parts"] = {key: dict(parts) for key, parts in self.parts.items()}
        return evolve(self, **tables)


def _by_name(
    names: Iterable[str], prefix: str, after: str, limit: int
) -> Sequence[str]:
    wanted = sorted(n for n in names if n > after and n.startswith(prefix))
    return wanted[: max(limit, 0)]


def _current(kept: Kept) -> ListedObject:
    version = kept.version
    return ListedObject(
        version.key, version.modified, version.size, version.etag, _traits(version)
    )


def _listed(kept: Kept, is_latest: bool) -> ListedVersion:
    version = kept.version
    return ListedVersion(
        version.key,
        version.modified,
        version.size,
        version.etag,
        _traits(version),
        version.version_id,
        is_latest,
        version.is_delete_marker,
    )


def _traits(version: ObjectVersion) -> Traits:
    checksum = version.checksum
    return Traits(
        version.owner,
        version.storage_class,
        checksum.algorithm if checksum else "",
        checksum.type if checksum else "",
    )


def _rolled_up(key: str, prefix: str, delimiter: str) -> str | None:
    """The common prefix that a key belongs to."""
    if not delimiter or not key.startswith(prefix):
        return None
    head, found, _ = key[len(prefix) :].partition(delimiter)
    return prefix + head + delimiter if found else None


@define
class Listing:
    """A page worked out the plain way.

    :ivar last: the last name shown if more follows, else ``None``.
    :ivar last_item: the last item, if it is what was shown last.
    """

    items: list[Any] = field(factory=list)
    prefixes: list[str] = field(factory=list)
    last: str | None = None
    last_item: Any = None


def _page(
    entries: Iterable[tuple[str, Any]],
    prefix: str,
    marker: str,
    delimiter: str,
    limit: int,
) -> Listing:
    """Group entries, which are those after the marker, in order, each a key and an item."""
    page = Listing()
    if limit <= 0:
        return page
    skipped = marker if _rolled_up(marker, prefix, delimiter) == marker else None
    last, last_item = "", None
    for key, item in entries:
        if not key.startswith(prefix):
            continue
        common = _rolled_up(key, prefix, delimiter)
        if common is not None and (common == skipped or common in page.prefixes):
            continue
        if len(page.items) + len(page.prefixes) == limit:
            page.last, page.last_item = last, last_item
            break
        if common is None:
            page.items.append(item)
            last, last_item = key, item
        else:
            page.prefixes.append(common)
            last, last_item = common, None
    return page


@implementer(IMetadataTransaction)
class MemoryTransaction:
    """A transaction on a state that is thrown away if the interaction fails."""

    def __init__(self, state: State, now: int, writing: bool) -> None:
        self._state = state
        self._now = now
        self._writing = writing

    def _written(self) -> State:
        """The state, for a method that changes it."""
        if not self._writing:
            raise TypeError("this method is for interactions that write")
        return self._state

    def now(self) -> int:
        """The time of the whole transaction."""
        return self._now

    def next_sequence(self) -> int:
        """A number larger than every one before it."""
        state = self._written()
        state.sequence += 1
        return state.sequence

    def _next_number(self) -> int:
        state = self._written()
        state.number += 1
        return state.number

    # Volumes and buckets

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
        names = _by_name(self._state.volumes, prefix, after, limit)
        return [volume for name in names if (volume := self.volume(name))]

    def add_volume(self, volume: Volume) -> Volume:
        """Store a volume."""
        volumes = self._written().volumes
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
        volumes = self._written().volumes
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
        state = self._written()
        if any(name == volume.name for name, _ in state.buckets):
            raise Conflict(f"volume {volume.name} holds a bucket")
        state.volumes.pop(volume.name, None)

    def bucket(self, volume: str, name: str) -> Bucket | None:
        """The bucket or link of that name."""
        bucket = self._state.buckets.get((volume, name))
        return None if bucket is None else self._counted(bucket)

    def _counted(self, bucket: Bucket) -> Bucket:
        """A bucket with what it uses, which is not kept but counted each time."""
        size, names = self.recount(bucket)
        return evolve(bucket, used_bytes=size, used_names=names)

    def recount(self, bucket: Bucket) -> tuple[int, int]:
        """Bytes and names, counted from the rows."""
        number = bucket.number
        sizes = [
            kept.version.size
            for place, versions in self._state.versions.items()
            if place[0] == number
            for kept in versions
        ]
        names = len(sizes)
        for place, parts in self._state.parts.items():
            if place[0] == number:
                sizes.extend(part.size for part in parts.values())
        return sum(sizes), names

    def correct_usage(
        self, volume: str, bucket: str, more_bytes: int, more_names: int
    ) -> None:
        """Nothing is kept that could be wrong."""
        self._written()

    def buckets(
        self, volume: str, prefix: str, after: str, limit: int
    ) -> Sequence[Bucket]:
        """Buckets and links of a volume by name."""
        buckets = self._state.buckets
        names = [name for holder, name in buckets if holder == volume]
        page = _by_name(names, prefix, after, limit)
        return [self._counted(buckets[volume, name]) for name in page]

    def add_bucket(self, bucket: Bucket) -> Bucket:
        """Store a bucket."""
        state = self._written()
        place = (bucket.volume, bucket.name)
        if place in state.buckets or bucket.volume not in state.volumes:
            raise Conflict(f"bucket {place} is there already, or its volume is not")
        state.buckets[place] = evolve(
            bucket,
            number=self._next_number(),
            modified=bucket.modified or bucket.created,
            used_bytes=0,
            used_names=0,
        )
        return state.buckets[place]

    def replace_bucket(self, bucket: Bucket) -> None:
        """Store a bucket's changed members."""
        buckets = self._written().buckets
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
        state = self._written()
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
        configurations = self._written().configurations
        if document is None:
            configurations.pop((bucket.number, kind), None)
        else:
            configurations[bucket.number, kind] = bytes(document)

    # Versions, newest first

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
    ) -> None:
        """Add a version, which becomes the latest."""
        state = self._written()
        older = self._kept(bucket, version.key)
        if bucket.number not in [stored.number for stored in state.buckets.values()]:
            raise Conflict(f"bucket {bucket.name} is gone")
        if any(kept.version.version_id == version.version_id for kept in older):
            raise Conflict(f"{version.key!r} has a version {version.version_id}")
        kept = Kept(_frozen(version), _kept_content(content), _placed(parts))
        state.versions[bucket.number, version.key] = (kept, *older)

    def replace_version(self, bucket: Bucket, version: ObjectVersion) -> None:
        """Store a version's changed members."""
        state = self._written()
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
        state = self._written()
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

    def _all_versions(self, bucket: Bucket) -> Iterable[tuple[str, Kept, bool]]:
        """Every version of a bucket: by key, newest first; and whether it is the latest."""
        keys = sorted(
            key for number, key in self._state.versions if number == bucket.number
        )
        for key in keys:
            for place, kept in enumerate(self._kept(bucket, key)):
                yield key, kept, place == 0

    def page(
        self, bucket: Bucket, prefix: str, after: str, delimiter: str, limit: int
    ) -> Page:
        """A page of the keys whose latest version is no delete marker."""
        entries = (
            (key, _current(kept))
            for key, kept, is_latest in self._all_versions(bucket)
            if is_latest and not kept.version.is_delete_marker and key > after
        )
        page = _page(entries, prefix, after, delimiter, limit)
        return Page(tuple(page.items), tuple(page.prefixes), page.last)

    def version_page(
        self,
        bucket: Bucket,
        prefix: str,
        key_marker: str,
        version_id_marker: str,
        delimiter: str,
        limit: int,
    ) -> VersionPage:
        """A page of all versions and delete markers."""
        marker = (
            self.version(bucket, key_marker, version_id_marker)
            if version_id_marker
            else None
        )

        def is_after(key: str, kept: Kept) -> bool:
            if key != key_marker or not version_id_marker:
                return key > key_marker
            return marker is None or kept.version.sequence < marker.sequence

        entries = (
            (key, _listed(kept, is_latest))
            for key, kept, is_latest in self._all_versions(bucket)
            if is_after(key, kept)
        )
        skipped = "" if version_id_marker else key_marker
        page = _page(entries, prefix, skipped, delimiter, limit)
        last = page.last_item
        return VersionPage(
            tuple(page.items),
            tuple(page.prefixes),
            page.last,
            last.version_id if last is not None else "",
        )

    # Multipart uploads

    def upload(self, bucket: Bucket, key: str, upload_id: str) -> Upload | None:
        """An upload, in progress or completed."""
        return self._state.uploads.get((bucket.number, key, upload_id))

    def add_upload(self, bucket: Bucket, upload: Upload) -> None:
        """Begin an upload."""
        state = self._written()
        place = (bucket.number, upload.key, upload.upload_id)
        numbers = [stored.number for stored in state.buckets.values()]
        if place in state.uploads or bucket.number not in numbers:
            raise Conflict(f"upload {place} is there already, or its bucket is gone")
        state.uploads[place] = upload

    def _place(self, bucket: Bucket, upload: Upload) -> tuple[int, str, str]:
        place = (bucket.number, upload.key, upload.upload_id)
        if place not in self._written().uploads:
            raise Absent(f"there is no upload {upload.upload_id}")
        return place

    def complete_upload(self, bucket: Bucket, upload: Upload) -> None:
        """Keep what the upload became; drop its parts."""
        place = self._place(bucket, upload)
        self._state.uploads[place] = evolve(
            self._state.uploads[place],
            completed=upload.completed,
            completed_parts=upload.completed_parts,
        )
        self._drop_parts(place)

    def remove_upload(self, bucket: Bucket, upload: Upload) -> None:
        """Drop an upload and its parts."""
        try:
            place = self._place(bucket, upload)
        except Absent:
            return
        del self._state.uploads[place]
        self._drop_parts(place)

    def upload_page(
        self,
        bucket: Bucket,
        prefix: str,
        key_marker: str,
        upload_id_marker: str,
        delimiter: str,
        limit: int,
    ) -> UploadPage:
        """A page of uploads in progress."""

        def is_after(key: str, upload_id: str) -> bool:
            if upload_id_marker:
                return (key, upload_id) > (key_marker, upload_id_marker)
            return key > key_marker

        entries = (
            (key, upload)
            for (number, key, upload_id), upload in sorted(
                self._state.uploads.items(), key=lambda entry: entry[0]
            )
            if number == bucket.number
            and upload.completed is None
            and is_after(key, upload_id)
        )
        skipped = "" if upload_id_marker else key_marker
        page = _page(entries, prefix, skipped, delimiter, limit)
        last = page.last_item
        return UploadPage(
            tuple(page.items),
            tuple(page.prefixes),
            page.last,
            last.upload_id if last is not None else "",
        )

    def uploads_before(
        self, initiated: int, limit: int
    ) -> Sequence[tuple[Bucket, Upload]]:
        """Uploads of all buckets begun before that time, oldest first."""
        buckets = {b.number: b for b in self._state.buckets.values()}
        found = [
            (self._counted(buckets[number]), upload)
            for (number, _, _), upload in self._state.uploads.items()
            if upload.initiated < initiated
        ]
        found.sort(key=lambda pair: pair[1].initiated)
        return found[:limit]

    def put_part(self, bucket: Bucket, upload: Upload, part: Part) -> None:
        """Store a part; the one it replaces is dropped."""
        if part.content.body:
            raise ValueError("the bytes of a part belong in extents")
        place = self._place(bucket, upload)
        if self._state.uploads[place].completed is not None:
            raise Absent(f"upload {upload.upload_id} is completed")
        parts = self._state.parts.setdefault(place, {})
        replaced = parts.pop(part.number, None)
        if replaced is not None:
            self._drop(replaced.content)
        parts[part.number] = evolve(
            part, checksums=dict(part.checksums), content=_kept_content(part.content)
        )

    def parts(
        self,
        bucket: Bucket,
        upload: Upload,
        after: int,
        limit: int,
        contents: bool = True,
    ) -> Sequence[Part]:
        """Parts by number, with their content where it is asked for."""
        place = (bucket.number, upload.key, upload.upload_id)
        parts = self._state.parts.get(place, {})
        found = [parts[number] for number in sorted(parts) if number > after][:limit]
        return found if contents else [evolve(p, content=Content()) for p in found]

    def count_extents(self, bucket: Bucket, upload: Upload, most: int) -> int:
        """Extents of all parts of an upload, up to so many."""
        parts = self.parts(bucket, upload, 0, 1 << 30)
        return min(sum(len(part.content.extents) for part in parts), most)

    def _drop_parts(self, place: tuple[int, str, str]) -> None:
        for part in self._state.parts.pop(place, {}).values():
            self._drop(part.content)

    # Blobs

    def _drop(self, content: Content) -> None:
        """Doom the blobs of a content that nothing names any more."""
        for extent in content.extents:
            if not self.is_named(extent.blob.store, extent.blob.id):
                self.doom([extent.blob])

    def doomed(self, before: int, limit: int) -> Sequence[BlobRef]:
        """Blobs doomed before that time, oldest first."""
        found = sorted((at, name) for name, at in self._state.doomed.items())
        return [
            BlobRef(store, blob_id, 0, 0)
            for at, (store, blob_id) in islice(found, limit)
            if at < before
        ]

    def _named(self) -> dict[tuple[str, str], BlobRef]:
        """Every blob that an extent names, by store and id."""
        contents = [
            kept.content
            for versions in self._state.versions.values()
            for kept in versions
        ]
        for parts in self._state.parts.values():
            contents.extend(part.content for part in parts.values())
        contents.extend(content for _, content in self._state.retired.values())
        return {
            (extent.blob.store, extent.blob.id): extent.blob
            for content in contents
            for extent in content.extents
        }

    def is_named(self, store: str, blob_id: str) -> bool:
        """Whether any extent of a version or part names the blob."""
        return (store, blob_id) in self._named()

    def nameless(self, store: str, blob_ids: Sequence[str]) -> Sequence[str]:
        """Those of these blobs that no extent names."""
        return [each for each in blob_ids if not self.is_named(store, each)]

    def blobs(self, store: str, after: str, limit: int) -> Sequence[BlobRef]:
        """The blobs that extents name, by id."""
        named = {
            name: blob
            for (where, name), blob in self._named().items()
            if where == store
        }
        return [named[name] for name in _by_name(named, "", after, limit)]

    def is_doomed(self, store: str, blob_id: str) -> bool:
        """Whether the blob is on the doomed list."""
        return (store, blob_id) in self._state.doomed

    def forget_doomed(self, blobs: Iterable[BlobRef]) -> None:
        """Take blobs off the doomed list."""
        doomed = self._written().doomed
        for blob in blobs:
            doomed.pop((blob.store, blob.id), None)

    def doom(self, blobs: Iterable[BlobRef]) -> None:
        """Put blobs on the doomed list."""
        doomed = self._written().doomed
        for blob in blobs:
            doomed[blob.store, blob.id] = self._now

    # Leases, secrets and named values

    def check_rows(self, after: str, limit: int) -> CheckedRows:
        """See the interface. There are no rows that could be damaged."""
        return CheckedRows()

    def mend_row(self, row: DamagedRow, owner: str) -> str:
        """See the interface."""
        self._written()
        return "it is not there any more, or was written anew"

    def lease(self, name: str, owner: str, seconds: float) -> bool:
        """Take or renew a lease."""
        leases = self._written().leases
        holder, expires = leases.get(name, (owner, 0))
        if holder != owner and expires > self._now:
            return False
        leases[name] = (owner, self._now + int(seconds * 1000))
        return True

    def secret_row(self, access_id: str) -> Secret | None:
        """The row of an access id."""
        return self._state.secrets.get(access_id)

    def put_secret(self, secret: Secret) -> None:
        """Store a row."""
        self._written().secrets[secret.access_id] = secret

    def remove_secret(self, access_id: str) -> None:
        """Remove a row."""
        self._written().secrets.pop(access_id, None)

    def secrets(self, after: str, limit: int) -> Sequence[Secret]:
        """Rows by access id."""
        secrets = self._state.secrets
        return [secrets[name] for name in _by_name(secrets, "", after, limit)]

    def setting(self, name: str) -> bytes | None:
        """A named value."""
        return self._state.settings.get(name)

    def set_setting(self, name: str, value: bytes | None) -> None:
        """Keep a named value, or remove it."""
        settings = self._written().settings
        if value is None:
            settings.pop(name, None)
        else:
            settings[name] = value


def _frozen(version: ObjectVersion) -> ObjectVersion:
    """A version that no longer shares its mappings with the caller."""
    return evolve(
        version,
        headers=dict(version.headers),
        metadata=dict(version.metadata),
        tags=dict(version.tags),
    )


def _placed(parts: Sequence[ObjectPart]) -> tuple[ObjectPart, ...]:
    """Parts by number, each with where it starts."""
    placed = []
    start = 0
    for part in sorted(parts, key=lambda part: part.number):
        placed.append(evolve(part, start=start))
        start += part.size
    return tuple(placed)


def _kept_content(content: Content) -> Content:
    """A content as it comes back: with extents, or a body that may be empty."""
    if content.extents:
        return Content(None, tuple(content.extents))
    return Content(bytes(content.body or b""))
