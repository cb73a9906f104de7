"""Rows of object versions, and where their bytes are."""

from __future__ import annotations

from collections.abc import Sequence

from ...errors import Absent, Conflict
from ...values import (
    Bucket,
    Claim,
    Content,
    ObjectPart,
    ObjectVersion,
    Page,
    VersionPage,
)
from ...values.claims import Kind
from ..declared.columns import Row
from ..declared.pages import traits_in
from ..declared.pieces import object_part_rows
from ..declared.rowchecks import damaged
from ..declared.tables import BODIES, OBJECT_PARTS, VERSIONS
from .contents import ContentRows
from .listing import Lists, Range, Source
from .versionstatements import LATEST, NAMED, REMOVED, REPLACED, STORED, added

LEAST_ABOVE_ALL = (1 << 63) - 1
"""Above every sequence."""

_LISTED = "key, modified, size, etag, traits"

CURRENT = Source("current_versions", _LISTED)

EVERY = Source(
    "versions",
    f"{_LISTED}, version_id, sequence, is_delete_marker",
    "sequence",
    is_falling=True,
)


class VersionRows(ContentRows, Lists):
    """Versions; see :class:`~ozgate.interfaces.IMetadataTransaction`."""

    def _follow(self, claims: Sequence[Claim]) -> None:
        super()._follow(claims)
        for kind, number, key, is_shared in claims:
            if kind is Kind.KEY and not is_shared:
                self._send_ahead(LATEST, (number, key.encode()))

    def latest(self, bucket: Bucket, key: str) -> ObjectVersion | None:
        """The newest version of a key."""
        place = (bucket.number, key.encode())
        return latest_of(bucket, key, self._execute(LATEST, place).fetchone())

    def version(
        self, bucket: Bucket, key: str, version_id: str
    ) -> ObjectVersion | None:
        """One version of a key."""
        latest = self.latest(bucket, key)
        if latest is None or latest.version_id == version_id:
            return latest
        place = (bucket.number, key.encode(), version_id)
        row = self._execute(NAMED, place).fetchone()
        return None if row is None else _version(key, row, 0)

    def add_version(
        self,
        bucket: Bucket,
        version: ObjectVersion,
        content: Content,
        parts: Sequence[ObjectPart] = (),
        replaced: ObjectVersion | None = None,
    ) -> None:
        """Add a version, which becomes the latest, in the place of another where it replaces one.

        :raises Conflict: the key has a version of that id, or the bucket is gone.
        """
        row = VERSIONS.row(version, bucket.number)
        stored = (row[0], row[1].encode(), *row[2:])
        body: Row = ()
        if content.body:
            body = BODIES.row(version.sequence, content.seal, content.body)
        if replaced is not None and not self._take_place(
            bucket, replaced, version, stored, body
        ):
            self.remove_version(bucket, replaced)
            replaced = None
        if replaced is None:
            self._insert(bucket, version, stored, body)
        if not body:
            self._add_extents(version.sequence, content.extents)
        if parts:
            rows = object_part_rows(version.sequence, parts)
            self._put_rows(OBJECT_PARTS, rows)

    def _take_place(
        self,
        bucket: Bucket,
        replaced: ObjectVersion,
        version: ObjectVersion,
        stored: Row,
        body: Row,
    ) -> bool:
        """Write a version over the row of one of the same id, which is the latest, as most are that are replaced.

        :return: ``False`` where that is not what is stored: nothing was done.
        """
        if not replaced.is_latest or replaced.version_id != version.version_id:
            return False
        statement = added(version.is_delete_marker, bool(body), True)
        place = (replaced.sequence, replaced.size)
        done, bodies = self._execute(statement, (*stored, *place, *body)).fetchone()
        if not done:
            return False
        more = version.size - replaced.size
        self.usage.add(bucket.volume, bucket.number, more, 0)
        if not bodies and replaced.size:
            self._give_up(replaced.sequence)
        if replaced.parts_count:
            self._drop_object_parts(replaced.sequence)
        return True

    def _insert(
        self, bucket: Bucket, version: ObjectVersion, stored: Row, body: Row
    ) -> None:
        """Store the row of a version that replaces none."""
        statement = added(version.is_delete_marker, bool(body), False)
        done, _ = self._execute(statement, (*stored, *body)).fetchone()
        if not done:
            raise Conflict(
                f"{version.key!r} has a version {version.version_id} already,"
                f" or bucket {bucket.name} is gone"
            )
        self.usage.add(bucket.volume, bucket.number, version.size, 1)

    def replace_version(self, bucket: Bucket, version: ObjectVersion) -> None:
        """Store a version's changed members; its content, size, id and place in the order stay.

        :raises Absent: there is no such version.
        """
        place = (bucket.number, version.key.encode(), version.sequence)
        row = self._execute(STORED, place).fetchone()
        if row is None:
            raise Absent(f"{version.key!r} has no version {version.version_id}")
        _version(version.key, row, 0)
        before = zip(VERSIONS.columns, (row[0], version.key, *row[2:]), strict=False)
        changed = VERSIONS.replaced(VERSIONS.row(version, bucket.number))
        check = VERSIONS.check(*{**dict(before), **changed}.values())
        self._execute(REPLACED, (*place, *changed.values(), check))

    def remove_version(self, bucket: Bucket, version: ObjectVersion) -> None:
        """Remove a version; nothing happens if it is gone."""
        place = (bucket.number, version.key.encode(), version.sequence)
        size, bodies = self._execute(REMOVED, place).fetchone()
        if size is None:
            return
        self.usage.add(bucket.volume, bucket.number, -size, -1)
        if not bodies and size:
            self._give_up(version.sequence)
        if version.parts_count:
            self._drop_object_parts(version.sequence)

    def page(
        self, bucket: Bucket, prefix: str, after: str, delimiter: str, limit: int
    ) -> Page:
        """A page of the keys whose latest version is no delete marker."""
        wanted = Range(bucket.number, prefix, after, delimiter)
        found = self._page(CURRENT, wanted, limit)
        rows, prefixes = found.rows, tuple(found.prefixes)
        return Page(rows, prefixes, found.last, traits_in(rows))

    def version_page(
        self,
        bucket: Bucket,
        prefix: str,
        key_marker: str,
        version_id_marker: str,
        delimiter: str,
        limit: int,
    ) -> VersionPage:
        """A page of all versions and delete markers.

        When the marker's version is gone, as after a clean-up of the page before, all that is left
        of its key comes first, so that nothing is missed.
        """
        sequence, before = None, None
        if version_id_marker:
            marker = self.version(bucket, key_marker, version_id_marker)
            sequence = LEAST_ABOVE_ALL if marker is None else marker.sequence
            before = None if marker is None else key_marker
        wanted = Range(bucket.number, prefix, key_marker, delimiter, sequence)
        found = self._page(EVERY, wanted, limit)
        rows = []
        for key, modified, size, etag, traits, version_id, _, is_marker in found.rows:
            shown = key, modified, size, etag, traits, version_id
            rows.append((*shown, int(key != before), is_marker))
            before = key
        in_key = found.more and not found.ends_in_prefix
        return VersionPage(
            rows,
            tuple(found.prefixes),
            found.last,
            rows[-1][5] if in_key else "",
            traits_in(rows),
        )


def latest_of(bucket: Bucket, key: str, found: Row) -> ObjectVersion | None:
    """The newest version of a key, of what :data:`LATEST` gives.

    :raises Damaged: it is not what is listed: one that is newer was here, or is listed and gone.
    """
    *row, current = found
    is_marker = row[3]
    if (None if is_marker else row[2]) != current:
        raise damaged("versions", bucket.number, key)
    return None if row[2] is None else _version(key, row, 1)


def _version(key: str, row: Sequence[object], is_latest: int) -> ObjectVersion:
    """The version of a key that was asked for, of its row."""
    return VERSIONS.read((row[0], key, *row[2:], is_latest))
