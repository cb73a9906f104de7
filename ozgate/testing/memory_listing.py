"""Pages of the memory provider, worked out from all keys."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any

from attrs import define, field

from ..values import (
    Bucket,
    ListedObject,
    ListedVersion,
    ObjectVersion,
    Page,
    Traits,
    UploadPage,
    VersionPage,
)
from .memory_state import Kept
from .memory_versions import VersionRows


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


def _traits_in(
    items: Iterable[ListedObject | ListedVersion],
) -> dict[Hashable, Traits]:
    """The traits of items that are rows as they are: each has its own."""
    return {item.traits: item.traits for item in items}


def _rolled_up(key: str, prefix: str, delimiter: str) -> str | None:
    """The common prefix that a key belongs to."""
    if not delimiter or not key.startswith(prefix):
        return None
    head, found, _ = key[len(prefix) :].partition(delimiter)
    return prefix + head + delimiter if found else None


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


class ListedRows(VersionRows):
    """Pages of objects, versions and uploads; see :class:`~ozgate.interfaces.IMetadataTransaction`."""

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
        prefixes = tuple(page.prefixes)
        return Page(tuple(page.items), prefixes, page.last, _traits_in(page.items))

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
            _traits_in(page.items),
        )

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
