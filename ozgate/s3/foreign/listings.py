"""The listings of a bucket of another system: ListObjectsV2, ListObjects, ListObjectVersions.

What it lists are keys, in S3's order. What is rolled up at a delimiter is skipped, not read: the next page is asked for after the last key that may
begin so. Source of what is asked and shown: :mod:`ozgate.s3.perform.listing`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Hashable
from typing import TYPE_CHECKING, Final

from ...values import (
    NULL_VERSION,
    ForeignListed,
    ForeignRow,
    ObjectRow,
    Page,
    Traits,
    VersionPage,
)
from ..perform.listing import list_after_marker, list_after_token, list_versions
from .keptnames import is_etag, shown_etag
from .place import bucket_of, judge
from .rolling import Rolling

if TYPE_CHECKING:
    from ...interfaces import IForeignBucket
    from ..call import Call
    from ..reply import Reply

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
    return await rolled_page(bucket, prefix, after, delimiter, limit), ""


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


async def rolled_page(
    bucket: IForeignBucket, prefix: str, after: str, delimiter: str, limit: int
) -> Page:
    """A page of keys and common prefixes, as :class:`~ozgate.interfaces.IMetadataTransaction` has those of ours."""
    if not delimiter:
        page = await _plain_page(bucket, prefix, after, limit)
        if page is not None:
            return page
    rolling = Rolling(prefix, after, delimiter, limit)
    rows: list[ObjectRow] = []
    owners: dict[Hashable, Traits] = {}
    async for item in _keys(bucket, prefix, after, rolling):
        if rolling.takes(item.key):
            if item.owner not in owners:
                owners[item.owner] = Traits(item.owner, "STANDARD")
            rows.append(_row(item[:5]))
        elif rolling.is_full:
            break
    next_after = rolling.last if rolling.is_full else None
    return Page(rows, tuple(rolling.prefixes), next_after, owners)


async def _plain_page(
    bucket: IForeignBucket, prefix: str, after: str, limit: int
) -> Page | None:
    """The same where nothing is rolled up: most pages are read so, a thousand keys at a time. ``None`` where there are folders among them, to be judged one by one."""
    rows: list[ObjectRow] = []
    owners: dict[Hashable, Traits] = {}
    while len(rows) < limit:
        found = await bucket.list(prefix, after, min(limit - len(rows), _MOST))
        if found.folders:
            return None
        rows += [row if is_etag(row[3]) else _row(row) for row in found.rows]
        for owner in {row[4] for row in found.rows}:
            owners[owner] = Traits(owner, "STANDARD")
        if found.is_last:
            return Page(rows, (), None, owners)
        after = found.rows[-1][0]
    return Page(rows, (), after, owners)


async def _keys(
    bucket: IForeignBucket, prefix: str, after: str, rolling: Rolling
) -> AsyncIterator[ForeignListed]:
    """The keys of a bucket, but for those that are rolled up and that there is no need to read.

    A folder that holds something is none: whether somebody put it, or it came with what is in it, nobody knows. An empty one is what clients of S3 make
    folders by: a key of no bytes whose name ends so.
    """
    most, folder = _MOST, None
    after = rolling.past(after) or after
    while True:
        most = min(most, rolling.missing)
        found = await bucket.list(prefix, after, most)
        for item in found.items:
            after = item.key
            if folder is not None and not after.startswith(folder.key):
                yield folder
            folder = item if item.is_folder else None
            if folder is None:
                yield item
        if found.is_last:
            break
        if not rolling.more():
            return
        past = rolling.past(after)
        # Where groups are large, one key of each is enough.
        after, most = (past, _FEW) if past else (after, min(4 * most, _MOST))
        if past:
            folder = None
    if folder is not None:
        yield folder


def _row(row: ForeignRow) -> ObjectRow:
    key, modified, size, etag, owner = row
    return key, modified, size, shown_etag(key, modified, size, etag), owner
