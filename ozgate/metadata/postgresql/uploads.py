"""Rows of multipart uploads and their parts."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from itertools import groupby
from operator import itemgetter

from ...errors import Absent, Conflict, Damaged
from ...values import Bucket, Part, Upload, UploadPage
from ..declared.columns import Row
from ..declared.conversions import completed_text, is_there
from ..declared.pieces import owner_of, part_of
from ..declared.rowchecks import damaged
from ..declared.tables import EXTENTS, PARTS, UPLOADS
from .buckets import NUMBERED, BucketRows
from .listing import Lists, Range, Source
from .objectbase import DOOM_GONE, NAMED, ExtentRows
from .statements import Statements

_UPLOADS, _PARTS = Statements(UPLOADS), Statements(PARTS)

_COLUMNS = [name for name in (*UPLOADS.columns, "checked") if name != "key"]

OPEN = Source(
    "uploads",
    ", ".join(["key", *_COLUMNS]),
    "upload_id",
    terms=" AND is_completed = 0",
)

_UPLOAD = f"""SELECT {_UPLOADS.select} FROM uploads
    WHERE bucket = $1 AND key = $2 AND upload_id = $3"""

_ADDED = f"""INSERT INTO uploads ({", ".join([*UPLOADS.columns, "checked"])})
    SELECT {", ".join([f"${place}" for place in range(1, len(UPLOADS.columns) + 2)])}
    WHERE EXISTS (SELECT 1 FROM buckets WHERE number = $2)
    ON CONFLICT DO NOTHING RETURNING 1"""

_COMPLETED = """UPDATE uploads SET is_completed = $2, completed = $3, completed_parts = $4, checked = $5
    WHERE number = $1"""

_BEFORE = f"""SELECT {_UPLOADS.select} FROM uploads
    WHERE initiated < $1 ORDER BY initiated, number LIMIT $2"""

_DAMAGED = 100
"""Damaged rows that are passed over at most."""

_WITH_PART = f"""SELECT {_UPLOADS.select}, {_PARTS.select} FROM uploads
    LEFT JOIN parts ON parts.upload = uploads.number AND parts.number = $4
    WHERE bucket = $1 AND key = $2 AND upload_id = $3 AND is_completed = 0"""

_PARTS_OF = f"""SELECT {_PARTS.select}, {EXTENTS.select} FROM (
        SELECT * FROM parts WHERE upload = $1 AND number > $2 ORDER BY number LIMIT $3
    ) AS parts LEFT JOIN extents ON extents.owner = parts.owner
    ORDER BY parts.number, extents.start"""

_BARE_PARTS = f"""SELECT {_PARTS.select} FROM parts WHERE upload = $1 AND number > $2
    ORDER BY number LIMIT $3"""

_ALL_PARTS = f"SELECT {_PARTS.select} FROM parts WHERE upload = $1"

_COUNT = """SELECT COUNT(*) FROM (SELECT 1 FROM parts JOIN extents ON extents.owner = parts.owner
    WHERE parts.upload = $1 LIMIT $2) AS found"""

_OF_OTHERS = NAMED.format(
    named="named",
    others=" AND extents.owner NOT IN (SELECT owner FROM parts WHERE upload = $1)",
)

# Of each blob once: what else names it is found at once, or is of this upload, too.
_DROP_PARTS = f"""WITH dropped AS (DELETE FROM parts WHERE upload = $1 RETURNING owner),
gone AS (
    DELETE FROM extents USING dropped WHERE extents.owner = dropped.owner
    RETURNING extents.store, extents.blob
) {DOOM_GONE.format(others=_OF_OTHERS)}"""


class UploadRows(BucketRows, ExtentRows, Lists):
    """Uploads and parts; see :class:`~ozgate.interfaces.IMetadataTransaction`."""

    def upload(self, bucket: Bucket, key: str, upload_id: str) -> Upload | None:
        """An upload, in progress or completed."""
        place = (bucket.number, key.encode(), upload_id)
        row = self._execute(_UPLOAD, place).fetchone()
        return None if row is None else UPLOADS.read(_UPLOADS.row_out(row))

    def add_upload(self, bucket: Bucket, upload: Upload) -> None:
        """Begin an upload.

        :raises Conflict: there is one of that id, or the bucket is gone.
        """
        row = UPLOADS.row(upload, self.next_sequence(), bucket.number)
        if self._execute(_ADDED, _UPLOADS.row_in(row)).fetchone() is None:
            raise Conflict(
                f"upload {upload.upload_id} is there already,"
                f" or bucket {bucket.name} is gone"
            )

    def complete_upload(self, bucket: Bucket, upload: Upload) -> None:
        """Keep what the upload became; drop its parts.

        :raises Absent: there is no such upload.
        """
        row = self._stored_upload(bucket, upload)
        self._drop_parts(bucket, row[0])
        changed = {
            "is_completed": is_there(upload.completed),
            "completed": completed_text(upload.completed),
            "completed_parts": upload.completed_parts,
        }
        columns = dict(zip(UPLOADS.columns, row, strict=False)) | changed
        check = UPLOADS.check(*columns.values())
        self._execute(_COMPLETED, (row[0], *changed.values(), check))

    def remove_upload(self, bucket: Bucket, upload: Upload) -> None:
        """Drop an upload and its parts; nothing happens if it is gone."""
        with suppress(Absent):
            self._drop_upload(bucket, self._stored_upload(bucket, upload)[0])

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
        wanted = Range(
            bucket.number, prefix, key_marker, delimiter, upload_id_marker or None
        )
        found = self._page(OPEN, wanted, limit)
        items = tuple(
            [UPLOADS.read((*row[1:3], row[0], *row[3:])) for row in found.rows]
        )
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
        rows = self._execute(_BEFORE, (initiated, limit + _DAMAGED)).fetchall()
        buckets = {row[1]: self._execute(NUMBERED, (row[1],)) for row in rows[:limit]}
        known: dict[int, Row | None] = {}
        found: list[tuple[Bucket, Upload]] = []
        for row in rows:
            number = row[1]
            if len(found) == limit:
                break
            if number not in known:
                sent = buckets.get(number) or self._execute(NUMBERED, (number,))
                known[number] = sent.fetchone()
            bucket = known[number]
            with suppress(Damaged, UnicodeError):
                if bucket is not None:
                    upload = UPLOADS.read(_UPLOADS.row_out(row))
                    found.append((self._bucket_of(bucket), upload))
        return found

    def put_part(self, bucket: Bucket, upload: Upload, part: Part) -> None:
        """Store a part; the one it replaces is dropped.

        :raises Absent: there is no such upload in progress.
        :raises ValueError: the part's bytes are not in extents.
        """
        if part.content.body:
            raise ValueError("the bytes of a part belong in extents")
        place = (bucket.number, upload.key.encode(), upload.upload_id, part.number)
        found = self._execute(_WITH_PART, place).fetchone()
        number = _agreeing(upload, found and found[: UPLOADS.width])[0]
        more, replaced = part.size, found[UPLOADS.width :]
        if replaced[0] is not None:
            old, size = owner_of(replaced)
            self._drop_extents(old)
            more -= size
        owner = self.next_sequence()
        self._execute(_PARTS.put, PARTS.row(part, number, owner))
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
            number = self._stored_upload(bucket, upload)[0]
        except Absent:
            return []
        statement = _PARTS_OF if contents else _BARE_PARTS
        rows = self._execute(statement, (number, after, limit)).fetchall()
        if not contents:
            return [part_of(row, None) for row in rows]
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
            number = self._stored_upload(bucket, upload)[0]
        except Absent:
            return 0
        (count,) = self._execute(_COUNT, (number, most)).fetchone()
        return int(count)

    def remove_bucket(self, bucket: Bucket) -> None:
        """Remove a bucket, with its configurations and uploads.

        :raises Conflict: it holds a version.
        """
        uploads = self._execute(
            "SELECT number FROM uploads WHERE bucket = $1", (bucket.number,)
        ).fetchall()
        for (number,) in uploads:
            self._drop_upload(bucket, number)
        super().remove_bucket(bucket)

    def _stored_upload(self, bucket: Bucket, upload: Upload) -> Row:
        """An upload's row, which agrees with its check."""
        place = (bucket.number, upload.key.encode(), upload.upload_id)
        return _agreeing(upload, self._execute(_UPLOAD, place).fetchone())

    def _drop_upload(self, bucket: Bucket, number: int) -> None:
        self._drop_parts(bucket, number)
        self._execute("DELETE FROM uploads WHERE number = $1", (number,))

    def _drop_parts(self, bucket: Bucket, number: int) -> None:
        """Drop the parts of an upload, dooming blobs that have no name left."""
        rows = self._execute(_ALL_PARTS, (number,)).fetchall()
        # A wrong owner leads to the bytes of another part or version.
        owned = [owner_of(row) for row in rows]
        self._execute(_DROP_PARTS, (number, self.now()))
        self._drop_rest([owner for owner, _ in owned])
        self.usage.add(
            bucket.volume, bucket.number, -sum([size for _, size in owned]), 0
        )


def _agreeing(upload: Upload, row: Row | None) -> Row:
    """An upload's row as it was found, which agrees with its check: a wrong number leads to the parts of another upload.

    :raises Absent: there is none.
    :raises Damaged: it does not agree.
    """
    if row is None:
        raise Absent(f"there is no upload {upload.upload_id}")
    found = _UPLOADS.row_out(row)
    if not UPLOADS.agrees(found):
        raise damaged("uploads", *found[1:4])
    return found
