"""Rows of multipart uploads and their parts."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing, suppress
from itertools import groupby
from operator import itemgetter

from ...errors import Absent, Conflict, Damaged
from ...values import Bucket, Part, Upload, UploadPage
from ..declared.columns import Row
from ..declared.conversions import completed_text, is_there
from ..declared.pieces import owner_of, part_of
from ..declared.rowchecks import damaged
from ..declared.tables import BUCKETS, EXTENTS, PARTS, UPLOADS
from .buckets import BucketRows
from .listing import Scan, run_of

PAGE = f"""SELECT uploads.key, {UPLOADS.select} FROM uploads INDEXED BY open_uploads
    WHERE bucket = ? AND key >= ? AND key < ? AND is_completed = 0
    ORDER BY key, upload_id"""

RUN = run_of("uploads INDEXED BY open_uploads", " AND is_completed = 0")

LATER_UPLOADS = f"""SELECT uploads.key, {UPLOADS.select} FROM uploads INDEXED BY open_uploads
    WHERE bucket = ? AND key = ? AND upload_id > ? AND is_completed = 0
    ORDER BY upload_id"""

PARTS_OF = f"""SELECT {PARTS.select}, {EXTENTS.select} FROM parts LEFT JOIN extents ON extents.owner = parts.owner
    WHERE parts.upload = ? AND parts.number > ? AND parts.number <= ?
    ORDER BY parts.number, extents.start"""


BARE_PARTS = f"""SELECT {PARTS.select} FROM parts WHERE upload = ? AND number > ?
    ORDER BY number LIMIT ?"""

# Of each blob once, and before its extents go: what else names it is found at once, or is of this upload, too.
DOOM = """INSERT INTO doomed (store, blob, doomed_at) SELECT store, blob, ?2 FROM (
        SELECT DISTINCT extents.store, extents.blob FROM parts
        JOIN extents ON extents.owner = parts.owner WHERE parts.upload = ?1
    ) AS named WHERE NOT EXISTS (
        SELECT 1 FROM extents WHERE blob = named.blob AND store = named.store
        AND owner NOT IN (SELECT owner FROM parts WHERE upload = ?1)
    ) ON CONFLICT (store, blob) DO UPDATE SET doomed_at = excluded.doomed_at"""

COUNT = """SELECT COUNT(*) FROM (SELECT 1 FROM parts JOIN extents ON extents.owner = parts.owner
    WHERE parts.upload = ? LIMIT ?)"""


class UploadRows(BucketRows):
    """Uploads and parts; see :class:`~ozgate.interfaces.IMetadataTransaction`."""

    def upload(self, bucket: Bucket, key: str, upload_id: str) -> Upload | None:
        """An upload, in progress or completed."""
        row = self._execute(
            f"SELECT {UPLOADS.select} FROM uploads WHERE bucket = ? AND key = ? AND upload_id = ?",
            (bucket.number, key, upload_id),
        ).fetchone()
        return None if row is None else UPLOADS.read(row)

    def add_upload(self, bucket: Bucket, upload: Upload) -> None:
        """Begin an upload.

        :raises Conflict: there is one of that id, or the bucket is gone.
        """
        try:
            self._add_numbered(UPLOADS, UPLOADS.row(upload, 0, bucket.number))
        except sqlite3.IntegrityError:
            raise Conflict(
                f"upload {upload.upload_id} is there already,"
                f" or bucket {bucket.name} is gone"
            ) from None

    def complete_upload(self, bucket: Bucket, upload: Upload) -> None:
        """Keep what the upload became; drop its parts.

        :raises Absent: there is no such upload.
        """
        row = self._stored_upload(bucket, upload)
        self._drop_parts(bucket, row[0])
        self._rewrite(
            UPLOADS,
            row,
            is_completed=is_there(upload.completed),
            completed=completed_text(upload.completed),
            completed_parts=upload.completed_parts,
        )

    def remove_upload(self, bucket: Bucket, upload: Upload) -> None:
        """Drop an upload and its parts; nothing happens if it is gone."""
        try:
            number = self._number(bucket, upload)
        except Absent:
            return
        self._drop_upload(bucket, number)

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
        resume = None
        if upload_id_marker:
            resume = (bucket.number, key_marker, upload_id_marker)
        scan = Scan(
            self._connection,
            PAGE,
            RUN,
            bucket.number,
            prefix,
            key_marker,
            delimiter,
            LATER_UPLOADS,
            resume,
        )
        found = scan.page(limit)
        items = tuple([UPLOADS.read(row[1:]) for row in found.rows])
        in_key = found.more and not found.ends_in_prefix
        return UploadPage(
            items,
            tuple(found.prefixes),
            found.last,
            items[-1].upload_id if in_key else "",
        )

    def uploads_before(
        self, initiated: int, limit: int
    ) -> Sequence[tuple[Bucket, Upload]]:
        """Uploads of all buckets begun before that time, oldest first, but for those whose rows are damaged."""
        rows = self._execute(
            f"SELECT {BUCKETS.select}, {UPLOADS.select} FROM uploads"
            " JOIN buckets ON buckets.number = uploads.bucket"
            " WHERE uploads.initiated < ?"
            " ORDER BY uploads.initiated, uploads.number",
            (initiated,),
        )
        width = BUCKETS.width
        found: list[tuple[Bucket, Upload]] = []
        with closing(rows), self._any_text():
            for row in rows:
                if len(found) >= limit:
                    break
                with suppress(Damaged, UnicodeEncodeError):
                    found.append(
                        (self._bucket_of(row[:width]), UPLOADS.read(row[width:]))
                    )
        return found

    def put_part(self, bucket: Bucket, upload: Upload, part: Part) -> None:
        """Store a part; the one it replaces is dropped.

        :raises Absent: there is no such upload in progress.
        :raises ValueError: the part's bytes are not in extents.
        """
        if part.content.body:
            raise ValueError("the bytes of a part belong in extents")
        number = self._number(bucket, upload, " AND is_completed = 0")
        replaced = self._execute(
            f"SELECT {PARTS.select} FROM parts WHERE upload = ? AND number = ?",
            (number, part.number),
        ).fetchone()
        more = part.size
        if replaced is not None:
            old, size = owner_of(replaced)
            self._drop_extents(old)
            more -= size
        owner = self.next_sequence()
        self._execute(PARTS.put, PARTS.row(part, number, owner))
        self._add_extents(owner, part.content.extents)
        self.usage.add(bucket.volume, bucket.number, more, 0)

    def parts(
        self,
        bucket: Bucket,
        upload: Upload,
        after: int,
        limit: int,
        contents: bool = True,
    ) -> Sequence[Part]:
        """Parts by number, with their content where it is asked for."""
        try:
            number = self._number(bucket, upload)
        except Absent:
            return []
        if not contents:
            rows = self._execute(BARE_PARTS, (number, after, limit)).fetchall()
            return [part_of(row, None) for row in rows]
        (last,) = self._execute(
            "SELECT MAX(number) FROM (SELECT number FROM parts"
            " WHERE upload = ? AND number > ? ORDER BY number LIMIT ?)",
            (number, after, limit),
        ).fetchone()
        if last is None:
            return []
        rows = self._execute(PARTS_OF, (number, after, last)).fetchall()
        width = PARTS.width
        parts = []
        for _, group in groupby(rows, itemgetter(1)):
            his = list(group)
            extents = [row[width:] for row in his if row[width] is not None]
            parts.append(part_of(his[0][:width], extents))
        return parts

    def count_extents(self, bucket: Bucket, upload: Upload, most: int) -> int:
        """Extents of all parts of an upload, up to so many."""
        try:
            number = self._number(bucket, upload)
        except Absent:
            return 0
        (count,) = self._execute(COUNT, (number, most)).fetchone()
        return int(count)

    def remove_bucket(self, bucket: Bucket) -> None:
        """Remove a bucket, with its configurations and uploads.

        :raises Conflict: it holds a version.
        """
        self.forget()
        numbers = self._execute(
            "SELECT number FROM uploads WHERE bucket = ?", (bucket.number,)
        ).fetchall()
        for (number,) in numbers:
            self._drop_upload(bucket, number)
        self._execute("DELETE FROM configurations WHERE bucket = ?", (bucket.number,))
        try:
            removed = self._execute(
                "DELETE FROM buckets WHERE number = ?", (bucket.number,)
            ).rowcount
        except sqlite3.IntegrityError:
            raise Conflict(f"bucket {bucket.name} is not empty") from None
        self._count_buckets(bucket.volume, -removed)

    def _number(self, bucket: Bucket, upload: Upload, condition: str = "") -> int:
        """The number of an upload's row."""
        number: int = self._stored_upload(bucket, upload, condition)[0]
        return number

    def _stored_upload(
        self, bucket: Bucket, upload: Upload, condition: str = ""
    ) -> Row:
        """An upload's row, which agrees with its check: a wrong number leads to the parts of another upload."""
        row: Row | None = self._execute(
            f"SELECT {UPLOADS.select} FROM uploads"
            f" WHERE bucket = ? AND key = ? AND upload_id = ?{condition}",
            (bucket.number, upload.key, upload.upload_id),
        ).fetchone()
        if row is None:
            raise Absent(f"there is no upload {upload.upload_id}")
        if not UPLOADS.agrees(row):
            raise damaged("uploads", *row[1:4])
        return row

    def _drop_upload(self, bucket: Bucket, number: int) -> None:
        self._drop_parts(bucket, number)
        self._execute("DELETE FROM uploads WHERE number = ?", (number,))

    def _drop_parts(self, bucket: Bucket, number: int) -> None:
        """Drop the parts of an upload, dooming blobs that have no name left."""
        rows = self._execute(
            f"SELECT {PARTS.select} FROM parts WHERE upload = ?", (number,)
        ).fetchall()
        # A wrong owner leads to the bytes of another part or version.
        size = sum([owner_of(row)[1] for row in rows])
        self._execute(DOOM, (number, self.now()))
        self._execute(
            "DELETE FROM extents WHERE owner IN"
            " (SELECT owner FROM parts WHERE upload = ?)",
            (number,),
        )
        self._execute("DELETE FROM parts WHERE upload = ?", (number,))
        self.usage.add(bucket.volume, bucket.number, -size, 0)
