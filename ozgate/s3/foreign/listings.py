"""The listings of a bucket of another system: ListObjectsV2, ListObjects, ListObjectVersions.

What it lists are keys, in S3's order. What is rolled up at a delimiter is skipped, not read: the next page is asked for after the last key that may
begin so. Source of what is asked and shown: :mod:`ozgate.s3.perform.listing`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...values import (
    NULL_VERSION,
    ForeignObject,
    ObjectRow,
    Page,
    Traits,
    VersionPage,
)
from ..perform.listing import list_after_marker, list_after_token, list_versions
from .keptnames import etag_of
from .place import bucket_of, judge

if TYPE_CHECKING:
    from ...interfaces import IForeignBucket
    from ..call import Call
    from ..reply import Reply

_LAST: Final = "\U0010ffff"
"""The last of all characters, in the order of UTF-8 too."""

_MOST: Final = 1000
"""Keys that are asked for at a time, at most."""

_FEW: Final = 8
"""Keys that are asked for after others were skipped."""


async def list_objects_v2(call: Call) -> Reply:
    """List a page of the keys, going on after an opaque token."""
    return await list_after_token(call, _find_page)


async def list_objects(call: Call) -> Reply:
    """List a page of the keys, going on after a key."""
    return await list_after_marker(call, _find_page)


async def list_object_versions(call: Call) -> Reply:
    """List a page of the keys as versions: each has one, which S3 calls ``null``."""
    return await list_versions(call, _find_versions)


async def _find_page(
    call: Call, prefix: str, after: str, delimiter: str, limit: int
) -> tuple[Page, str]:
    await judge(call)
    bucket = bucket_of(call)
    if not limit:
        # Whether there is such a bucket, and the caller may know it, is to be told all the same.
        await bucket.list(prefix, after, 1)
        return Page(), ""
    rolled = Rolled(prefix, after, delimiter, limit)
    await rolled.fill(bucket)
    return rolled.page(), ""


async def _find_versions(
    call: Call,
    prefix: str,
    key_marker: str,
    version_marker: str,
    delimiter: str,
    limit: int,
) -> tuple[VersionPage, str]:
    page, owner = await _find_page(call, prefix, key_marker, delimiter, limit)
    rows = [(*row, NULL_VERSION, 1, 0) for row in page.rows]
    after = page.next_after
    is_key = bool(page.rows) and after == page.rows[-1][0]
    version_id = NULL_VERSION if is_key else ""
    return (
        VersionPage(rows, page.common_prefixes, after, version_id, page.traits),
        owner,
    )


def utf8(text: str) -> bytes:
    """What names are in order of."""
    return text.encode("utf-8", "surrogatepass")


class Rolled:
    """A page in the making.

    :param after: as that of a listing: keys and common prefixes come that are after it.
    """

    def __init__(self, prefix: str, after: str, delimiter: str, limit: int) -> None:
        self._prefix, self._after = prefix, utf8(after)
        self._delimiter, self._limit = delimiter, limit
        self._position = after
        self._rows: list[ObjectRow] = []
        self._traits: dict[object, Traits] = {}
        self._prefixes: list[str] = []
        self._group = ""
        self._last = ""
        self._is_full = False

    async def fill(self, bucket: IForeignBucket) -> None:
        """Take keys until the page is full, or there are no more."""
        asked, skipped = _MOST, ""
        while True:
            # One more than is shown tells whether the page is the last.
            missing = self._limit + 1 - len(self._rows) - len(self._prefixes)
            asked = min(asked, missing)
            found = await bucket.list(self._prefix, self._position, asked)
            for item in found.items:
                self._position = item.key
                if self._take(item):
                    return
            if found.is_last:
                return
            group = self._group
            if group not in ("", skipped) and self._position.startswith(group):
                skipped, self._position = group, group + _LAST
                # Where groups are large, one key of each is enough.
                asked = _FEW
            else:
                asked = min(4 * asked, _MOST)

    def page(self) -> Page:
        """The page."""
        return Page(
            self._rows,
            tuple(self._prefixes),
            self._last if self._is_full else None,
            self._traits,
        )

    def _take(self, item: ForeignObject) -> bool:
        """Take a key; whether the page was full before."""
        key, group = item.key, ""
        if self._delimiter:
            rest = key[len(self._prefix) :]
            before, sign, _ = rest.partition(self._delimiter)
            group = f"{self._prefix}{before}{sign}" if sign else ""
        if group and (group == self._group or utf8(group) <= self._after):
            self._group = group
            return False
        if not group and item.is_folder and not item.etag:
            # Nobody put it: it is there because others are in it, or once were.
            return False
        if len(self._rows) + len(self._prefixes) == self._limit:
            self._is_full = True
            return True
        self._last = group or key
        if group:
            self._group = group
            self._prefixes.append(group)
        else:
            self._rows.append(self._row(item))
        return False

    def _row(self, item: ForeignObject) -> ObjectRow:
        if item.owner not in self._traits:
            self._traits[item.owner] = Traits(item.owner, "STANDARD")
        return item.key, item.modified, item.size, etag_of(item), item.owner
