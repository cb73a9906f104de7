"""Rows of object versions, and where their bytes are."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from ...errors import Absent, Conflict
from ...values import (
    Bucket,
    ByteRange,
    Content,
    ObjectPart,
    ObjectVersion,
    Page,
    VersionPage,
)
from ..declared.columns import Row
from ..declared.pages import traits_in
from ..declared.pieces import (
    content_of,
    cut_content_of,
    object_part_rows,
    object_parts_of,
)
from ..declared.rowchecks import damaged
from ..declared.tables import BODIES, EXTENTS, OBJECT_PARTS, VERSIONS
from .base import LEAST_ABOVE_ALL
from .listing import CURRENT, LISTED, Scan, run_of
from .retired import RetiredRows

LATEST = f"""SELECT {VERSIONS.select} FROM versions WHERE bucket = ? AND key = ?
    ORDER BY sequence DESC LIMIT 1"""

# Asked when there is no row: should the index know one, it was lost.
CURRENT_THERE = """SELECT 1 FROM versions INDEXED BY current_versions
    WHERE bucket = ? AND key = ? AND is_latest = 1 AND is_delete_marker = 0"""

# The last term is that of the index: SQLite uses a partial index for nothing less.
NAMED = f"""SELECT {VERSIONS.select} FROM versions INDEXED BY named_versions
    WHERE bucket = ? AND key = ? AND version_id = ?
    AND (is_latest = 0 OR version_id <> 'null')"""

SET_LATEST = """UPDATE versions SET is_latest = ?3 WHERE bucket = ?1 AND key = ?2
    AND sequence = (SELECT MAX(sequence) FROM versions WHERE bucket = ?1 AND key = ?2)"""

STORED = f"""SELECT {VERSIONS.select} FROM versions
    WHERE bucket = ? AND key = ? AND sequence = ?"""

# A row over another one's, in one statement: removing, promoting and adding take three.
TAKE_PLACE = f"""{VERSIONS.update}
    WHERE bucket = ? AND key = ? AND sequence = ? AND size = ? AND is_latest = 1"""

TAKE_BODY = f"{BODIES.update} WHERE sequence = ?"

# From the extent that holds the first byte on; where it is lost, from the first there is.
OVERLAPPING = f"""SELECT {EXTENTS.select} FROM extents WHERE owner = ?1 AND start < ?3
    AND start >= COALESCE((SELECT MAX(start) FROM extents WHERE owner = ?1 AND start <= ?2), 0)
    ORDER BY start LIMIT ?4"""

PAGE = f"""SELECT {CURRENT} FROM versions INDEXED BY current_versions
    WHERE bucket = ? AND key >= ? AND key < ? AND is_latest = 1 AND is_delete_marker = 0
    ORDER BY key"""

RUN = run_of(
    "versions INDEXED BY current_versions",
    " AND is_latest = 1 AND is_delete_marker = 0",
)

VERSION_PAGE = f"""SELECT {LISTED} FROM versions
    WHERE bucket = ? AND key >= ? AND key < ? ORDER BY key, sequence DESC"""

VERSION_RUN = run_of("versions")

OLDER_VERSIONS = f"""SELECT {LISTED} FROM versions
    WHERE bucket = ? AND key = ? AND sequence < ? ORDER BY sequence DESC"""


class VersionRows(RetiredRows):
    """Versions; see :class:`~ozgate.interfaces.IMetadataTransaction`."""

    def latest(self, bucket: Bucket, key: str) -> ObjectVersion | None:
        """The newest version of a key."""
        place = (bucket.number, key)
        row = self._execute(LATEST, place).fetchone()
        if row is None:
            if self._execute(CURRENT_THERE, place).fetchone() is not None:
                raise damaged("versions", *place)
            self._bare = place
            return None
        version = VERSIONS.read(row)
        if not version.is_latest:
            # One that is newer was here.
            raise damaged("versions", *place)
        return version

    def version(
        self, bucket: Bucket, key: str, version_id: str
    ) -> ObjectVersion | None:
        """One version of a key."""
        latest = self.latest(bucket, key)
        if latest is None or latest.version_id == version_id:
            return latest
        row = self._execute(NAMED, (bucket.number, key, version_id)).fetchone()
        return None if row is None else VERSIONS.read(row)

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
        row, before = VERSIONS.row(version, bucket.number), None
        if replaced is not None:
            if self._take_place(bucket, replaced, version, row):
                before = replaced
            else:
                self.remove_version(bucket, replaced)
        if before is None:
            self._insert(bucket, version, row)
        self._put_content(version, content, before)
        if parts:
            rows = object_part_rows(version.sequence, parts)
            self._executemany(OBJECT_PARTS.insert, rows)

    def _take_place(
        self, bucket: Bucket, replaced: ObjectVersion, version: ObjectVersion, row: Row
    ) -> bool:
        """Write a version over the row of one of the same id, which is the latest, as most are that are replaced. Its content stays.

        :return: ``False`` where that is not what is stored: nothing was done.
        """
        if not replaced.is_latest or replaced.version_id != version.version_id:
            return False
        place = (bucket.number, version.key, replaced.sequence, replaced.size)
        if not self._execute(TAKE_PLACE, row[2:] + place).rowcount:
            return False
        more = version.size - replaced.size
        self.usage.add(bucket.volume, bucket.number, more, 0)
        return True

    def _put_content(
        self, version: ObjectVersion, content: Content, before: ObjectVersion | None
    ) -> None:
        """Store where a version's bytes are, in the place of those of the version whose place it took."""
        sequence = version.sequence
        if content.body:
            row = BODIES.row(sequence, content.seal, content.body)
            if before is not None:
                if self._execute(TAKE_BODY, (*row, before.sequence)).rowcount:
                    if before.parts_count:
                        self._drop_object_parts(before.sequence)
                    return
                self._drop_content(before)
            self._execute(BODIES.insert, row)
        else:
            if before is not None:
                self._drop_content(before)
            self._add_extents(sequence, content.extents)

    def _insert(self, bucket: Bucket, version: ObjectVersion, row: Row) -> None:
        """Store the row of a version that replaces none."""
        key = version.key
        place, bare, self._bare = (bucket.number, key), self._bare, None
        demoted = bare != place and self._execute(SET_LATEST, (*place, 0)).rowcount
        if demoted and version.version_id == "null":
            # The index of ids does not see a null version while it is the latest.
            found = self._execute(NAMED, (bucket.number, key, "null")).fetchone()
            if found is not None:
                raise Conflict(f"{key!r} has a null version already")
        try:
            self._execute(VERSIONS.insert, row)
        except sqlite3.IntegrityError:
            raise Conflict(
                f"{key!r} has a version {version.version_id} already,"
                f" or bucket {bucket.name} is gone"
            ) from None
        self.usage.add(bucket.volume, bucket.number, version.size, 1)

    def replace_version(self, bucket: Bucket, version: ObjectVersion) -> None:
        """Store a version's changed members; its content, size, id and place in the order stay.

        :raises Absent: there is no such version.
        """
        place = (bucket.number, version.key, version.sequence)
        row = self._execute(STORED, place).fetchone()
        if row is None:
            raise Absent(f"{version.key!r} has no version {version.version_id}")
        VERSIONS.read(row)
        changed = VERSIONS.row(version, bucket.number)
        self._rewrite(VERSIONS, row, **VERSIONS.replaced(changed))

    def remove_version(self, bucket: Bucket, version: ObjectVersion) -> None:
        """Remove a version; nothing happens if it is gone."""
        sequence = version.sequence
        removed = self._execute(
            "DELETE FROM versions WHERE bucket = ? AND key = ? AND sequence = ?"
            " RETURNING size",
            (bucket.number, version.key, sequence),
        ).fetchall()
        if not removed:
            return
        self.usage.add(bucket.volume, bucket.number, -removed[0][0], -1)
        place = (bucket.number, version.key)
        if not self._execute(SET_LATEST, (*place, 1)).rowcount:
            self._bare = place
        self._drop_content(version)

    def _drop_content(self, version: ObjectVersion) -> None:
        """Drop the bytes of a version whose row is gone, and its parts."""
        sequence = version.sequence
        inline = self._execute(
            "DELETE FROM bodies WHERE sequence = ?", (sequence,)
        ).rowcount
        if not inline:
            self._give_up(sequence)
        if version.parts_count or not inline:
            self._drop_object_parts(sequence)

    def _drop_object_parts(self, sequence: int) -> None:
        self._execute("DELETE FROM object_parts WHERE sequence = ?", (sequence,))

    def content(
        self,
        bucket: Bucket,
        version: ObjectVersion,
        wanted: ByteRange | None = None,
        limit: int = 0,
    ) -> Content:
        """Where a version's bytes are.

        :raises Absent: the version is gone.
        :raises Damaged: its bytes are, or they are fewer or more than it has.
        """
        sequence = version.sequence
        body = self._execute(
            f"SELECT {BODIES.select} FROM bodies WHERE sequence = ?", (sequence,)
        ).fetchone()
        if body is not None:
            content = content_of(sequence, version.size, body, ())
            return content if wanted is None else content.cut(wanted)
        if wanted is not None:
            return self._cut_content(bucket, version, wanted, limit)
        rows = self._execute(
            f"SELECT {EXTENTS.select} FROM extents WHERE owner = ? ORDER BY start",
            (sequence,),
        ).fetchall()
        self._check_there(bucket, version, rows)
        return content_of(sequence, version.size, None, rows)

    def _cut_content(
        self, bucket: Bucket, version: ObjectVersion, wanted: ByteRange, limit: int
    ) -> Content:
        """Where some of a version's bytes are, which are in extents."""
        sequence, rows = version.sequence, list[Row]()
        if wanted.length:
            rows = self._execute(
                OVERLAPPING, (sequence, wanted.offset, wanted.end, limit or -1)
            ).fetchall()
        self._check_there(bucket, version, rows)
        content = cut_content_of(sequence, wanted, rows)
        is_all = not limit or len(rows) < limit
        if is_all and content.length < wanted.length:
            raise damaged("extents", sequence, content.length, wanted.length)
        return content

    def _check_there(
        self, bucket: Bucket, version: ObjectVersion, rows: Sequence[Row]
    ) -> None:
        """Tell a version that is gone from one whose extents are."""
        if not rows and version.size:
            place = (bucket.number, version.key, version.sequence)
            if self._execute(STORED, place).fetchone() is None:
                raise Absent(f"{version.key!r} is gone")

    def object_parts(
        self, bucket: Bucket, version: ObjectVersion, after: int, limit: int
    ) -> Sequence[ObjectPart]:
        """Parts of a completed multipart object by number."""
        sequence, before = version.sequence, None
        if after:
            before = self._execute(
                f"SELECT {OBJECT_PARTS.select} FROM object_parts"
                " WHERE sequence = ? AND number <= ? ORDER BY number DESC LIMIT 1",
                (sequence, after),
            ).fetchone()
        rows = self._execute(
            f"SELECT {OBJECT_PARTS.select} FROM object_parts"
            " WHERE sequence = ? AND number > ? ORDER BY number LIMIT ?",
            (sequence, after, limit),
        ).fetchall()
        return object_parts_of(sequence, before, rows)

    def page(
        self, bucket: Bucket, prefix: str, after: str, delimiter: str, limit: int
    ) -> Page:
        """A page of the keys whose latest version is no delete marker."""
        scan = Scan(
            self._connection, PAGE, RUN, bucket.number, prefix, after, delimiter
        )
        found = scan.page(limit)
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
        resume = None
        if version_id_marker:
            marker = self.version(bucket, key_marker, version_id_marker)
            sequence = LEAST_ABOVE_ALL if marker is None else marker.sequence
            resume = (bucket.number, key_marker, sequence)
        scan = Scan(
            self._connection,
            VERSION_PAGE,
            VERSION_RUN,
            bucket.number,
            prefix,
            key_marker,
            delimiter,
            OLDER_VERSIONS,
            resume,
        )
        found = scan.page(limit)
        rows = found.rows
        in_key = found.more and not found.ends_in_prefix
        return VersionPage(
            rows,
            tuple(found.prefixes),
            found.last,
            rows[-1][5] if in_key else "",
            traits_in(rows),
        )
