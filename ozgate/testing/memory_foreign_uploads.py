"""Multipart uploads of another system, in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import md5
from secrets import token_hex

from attrs import define, field

from ..errors import Refused
from ..values import ForeignObject, ForeignPart, ForeignUpload, ForeignUploadPage
from .memory_foreign_keys import Key, order

LEAST = 5 << 20
"""Bytes of every part but the last, at least."""


@define(eq=False)
class _Upload:
    shown: ForeignUpload
    metadata: Mapping[str, str]
    tags: Mapping[str, str]
    parts: dict[int, tuple[ForeignPart, bytes]] = field(factory=dict)


class Uploads:
    """Those of a bucket."""

    def __init__(self) -> None:
        self._all: dict[tuple[str, str], _Upload] = {}

    def begin(
        self,
        key: str,
        metadata: Mapping[str, str],
        tags: Mapping[str, str],
        now: int,
        user: str,
    ) -> str:
        """Begin one, and give its id."""
        upload_id = f"{now:014}-{len(self._all):04}-{token_hex(8)}"
        shown = ForeignUpload(key, upload_id, now, user)
        self._all[key, upload_id] = _Upload(shown, dict(metadata), dict(tags))
        return upload_id

    def find(self, key: str, upload_id: str) -> _Upload:
        """One in progress.

        :raises Refused: there is none.
        """
        found = self._all.get((key, upload_id))
        if found is None:
            raise Refused("NO_SUCH_MULTIPART_UPLOAD_ERROR", "No such upload")
        return found

    def put_part(
        self, key: str, upload_id: str, number: int, data: bytes, etag: str, now: int
    ) -> None:
        """Keep a part."""
        part = ForeignPart(number, len(data), etag, now)
        self.find(key, upload_id).parts[number] = part, data

    def parts(
        self, key: str, upload_id: str, after: int, limit: int
    ) -> Sequence[ForeignPart]:
        """A page of parts."""
        found = self.find(key, upload_id).parts
        numbers = sorted(number for number in found if number > after)
        return [found[number][0] for number in numbers[:limit]]

    def page(
        self, prefix: str, after_key: str, after_id: str, limit: int
    ) -> ForeignUploadPage:
        """A page of uploads."""
        start = order(after_key), after_id
        found = []
        for key, upload_id in sorted(self._all, key=lambda it: (order(it[0]), it[1])):
            place = order(key), upload_id
            is_after = place > start if after_id else place[0] > start[0]
            if key.startswith(prefix) and is_after:
                found.append(self._all[key, upload_id].shown)
        return ForeignUploadPage(found[:limit], len(found) <= limit)

    def complete(
        self, key: str, upload_id: str, parts: Sequence[tuple[int, str]]
    ) -> Key:
        """Make a key, whose ETag is of all parts that came, as Ozone's is."""
        upload = self.find(key, upload_id)
        if [number for number, _ in parts] != sorted({n for n, _ in parts}):
            raise Refused("INVALID_PART_ORDER", "parts not in order")
        chosen = []
        for number, etag in parts:
            found = upload.parts.get(number)
            if found is None or found[0].etag != etag:
                raise Refused("INVALID_PART", f"part {number} is missing or another")
            chosen.append(found)
        if any(part.size < LEAST for part, _ in chosen[:-1]):
            raise Refused("ENTITY_TOO_SMALL", "a part is too small")
        said = "".join(part.etag for _, (part, _) in sorted(upload.parts.items()))
        digest = md5(said.encode(), usedforsecurity=False).hexdigest()
        data = b"".join(each for _, each in chosen)
        shown = ForeignObject(
            key,
            len(data),
            0,
            f"{digest}-{len(upload.parts)}",
            upload.shown.owner,
            upload.metadata,
            upload.tags,
            replication="RATIS/ONE",
            parts=len(chosen),
        )
        del self._all[key, upload_id]
        return Key(shown, data, tuple((part.number, part.size) for part, _ in chosen))

    def drop(self, key: str, upload_id: str) -> None:
        """Forget one."""
        self.find(key, upload_id)
        del self._all[key, upload_id]
