"""Multipart uploads of the memory provider, and their parts."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import evolve

from ..errors import Absent, Conflict
from ..values import (
    Bucket,
    Claim,
    Content,
    Part,
    Upload,
)
from .memory_state import Rows, kept_content


class UploadRows(Rows):
    """Uploads; see :class:`~ozgate.interfaces.IMetadataTransaction`."""

    def upload(self, bucket: Bucket, key: str, upload_id: str) -> Upload | None:
        """An upload, in progress or completed."""
        return self._state.uploads.get((bucket.number, key, upload_id))

    def add_upload(self, bucket: Bucket, upload: Upload) -> None:
        """Begin an upload."""
        state = self._inside(bucket, Claim.upload(bucket.number, upload.upload_id))
        place = (bucket.number, upload.key, upload.upload_id)
        numbers = [stored.number for stored in state.buckets.values()]
        if place in state.uploads or bucket.number not in numbers:
            raise Conflict(f"upload {place} is there already, or its bucket is gone")
        state.uploads[place] = upload

    def _place(self, bucket: Bucket, upload: Upload) -> tuple[int, str, str]:
        place = (bucket.number, upload.key, upload.upload_id)
        claim = Claim.upload(bucket.number, upload.upload_id)
        if place not in self._inside(bucket, claim).uploads:
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
            part, checksums=dict(part.checksums), content=kept_content(part.content)
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
