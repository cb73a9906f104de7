"""Contract of metadata: pages of uploads in progress, held against a plain reference."""

# mypy: disable-error-code="no-untyped-call"
# The assertions of trial have no types.

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ..interfaces import IMetadataTransaction
from ..values import Bucket
from .listing_reference import (
    DELIMITERS,
    KEYS,
    TEXTS,
    Entry,
    examples,
    expected,
    new_bucket,
    shown,
    utf8,
)
from .metadata_base import (
    MetadataTests,
    upload,
)


class UploadListingTests(MetadataTests):
    """Pages of uploads in progress."""

    async def page(
        self, *args: Any
    ) -> tuple[list[tuple[str, str]], list[str], str | None, str]:
        """Keys with upload ids, common prefixes and the next markers of a page."""
        page = await self.read("upload_page", self.bucket, *args)
        items = [(item.key, item.upload_id) for item in page.items]
        return items, list(page.common_prefixes), page.next_key, page.next_upload_id

    async def add(self) -> None:
        """Begin uploads of a (three), b/1, b/2 and c."""
        await self.write(_add, self.bucket)

    async def test_pages(self) -> None:
        """Uploads are listed by key, then by id, and a page may end within a key."""
        await self.add()
        self.assertEqual(
            await self.page("", "", "", "", 2),
            ([("a", "u2"), ("a", "u4")], [], "a", "u4"),
        )
        self.assertEqual(
            await self.page("", "a", "u4", "", 2),
            ([("a", "u6"), ("b/1", "u5")], [], "b/1", "u5"),
        )
        self.assertEqual(
            await self.page("", "b/1", "u5", "", 2),
            ([("b/2", "u3"), ("c", "u1")], [], None, ""),
        )
        self.assertEqual(await self.page("", "", "", "", 0), ([], [], None, ""))

    async def test_key_marker_alone(self) -> None:
        """A key marker without an upload skips all uploads of the key."""
        await self.add()
        self.assertEqual((await self.page("", "a", "", "", 1))[0], [("b/1", "u5")])

    async def test_upload_marker_that_is_gone(self) -> None:
        """An upload marker need not be there: ids after it follow."""
        await self.add()
        self.assertEqual((await self.page("", "a", "u3", "", 1))[0], [("a", "u4")])

    async def test_delimiter_and_prefix(self) -> None:
        """Uploads are rolled up at the delimiter and picked by prefix."""
        await self.add()
        self.assertEqual(
            await self.page("", "a", "u4", "/", 2), ([("a", "u6")], ["b/"], "b/", "")
        )
        self.assertEqual(
            await self.page("", "b/", "", "/", 2), ([("c", "u1")], [], None, "")
        )
        self.assertEqual(
            await self.page("b", "", "", "", 9),
            ([("b/1", "u5"), ("b/2", "u3")], [], None, ""),
        )

    async def test_against_reference(self) -> None:
        """Walked in pages of any size, uploads are the reference's, for any keys."""
        await self.write(_against_reference)


def _add(tx: IMetadataTransaction, bucket: Bucket) -> None:
    for key, upload_id in (
        ("c", "u1"),
        ("a", "u4"),
        ("a", "u2"),
        ("b/2", "u3"),
        ("a", "u6"),
        ("b/1", "u5"),
    ):
        upload(tx, bucket, key, upload_id)


def _against_reference(tx: IMetadataTransaction) -> None:
    @examples
    @given(
        keys=st.lists(KEYS, max_size=12),
        prefix=TEXTS.map(lambda text: text[:2]),
        delimiter=DELIMITERS,
        limit=st.integers(1, 5),
    )
    def check(keys: list[str], prefix: str, delimiter: str, limit: int) -> None:
        bucket = new_bucket(tx)
        begun = [(key, f"u{number:02}") for number, key in enumerate(keys)]
        for one in begun:
            upload(tx, bucket, *one)
        begun.sort(key=lambda pair: (utf8(pair[0]), pair[1]))
        found: list[Entry] = []
        key: str | None = ""
        upload_id = ""
        while key is not None:
            page = tx.upload_page(bucket, prefix, key, upload_id, delimiter, limit)
            entries = shown(page, lambda item: str(item.upload_id))
            assert len(entries) <= limit
            found += entries
            key, upload_id = page.next_key, page.next_upload_id
            assert key is None or (key, upload_id or None) == entries[-1]
        whole = expected(begun, prefix, delimiter)
        assert found == whole, (found, whole)

    check()
