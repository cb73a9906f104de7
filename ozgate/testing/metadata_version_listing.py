"""Contract of metadata: pages of all versions, held against a plain reference."""

# mypy: disable-error-code="no-untyped-call"
# The assertions of trial have no types.

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ..interfaces import IMetadataTransaction
from ..values import Bucket, Content
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
    put,
)
from .metadata_needs import claim_whole


class VersionListingTests(MetadataTests):
    """Pages of all versions."""

    async def page(
        self, *args: Any
    ) -> tuple[list[tuple[str, str]], list[str], str | None, str]:
        """Keys with version ids, common prefixes and the next markers of a page."""
        page = await self.read("version_page", self.bucket, *args)
        items = [(item.key, item.version_id) for item in page.items]
        return items, list(page.common_prefixes), page.next_key, page.next_version_id

    async def add(self) -> None:
        """Add three versions of a, one of b/1, a marker over b/2, one of c."""
        await self.write(_add, self.bucket)

    async def test_everything(self) -> None:
        """All versions and delete markers are listed, by key, newest first, with their flags."""
        await self.add()
        page = await self.read("version_page", self.bucket, "", "", "", "", 100)
        self.assertEqual(
            [
                (i.key, i.version_id, i.is_latest, i.is_delete_marker)
                for i in page.items
            ],
            [
                ("a", "v2", True, False),
                ("a", "v1", False, False),
                ("a", "v0", False, False),
                ("b/1", "v3", True, False),
                ("b/2", "v5", True, True),
                ("b/2", "v4", False, False),
                ("c", "null", True, False),
            ],
        )
        self.assertIsNone(page.next_key)
        self.assertEqual(page.next_version_id, "")

    async def test_pages_within_a_key(self) -> None:
        """A page may end between two versions of a key, and the next goes on there."""
        await self.add()
        self.assertEqual(
            await self.page("", "", "", "", 2),
            ([("a", "v2"), ("a", "v1")], [], "a", "v1"),
        )
        self.assertEqual(
            await self.page("", "a", "v1", "", 2),
            ([("a", "v0"), ("b/1", "v3")], [], "b/1", "v3"),
        )
        self.assertEqual(
            await self.page("", "c", "null", "", 2),
            ([], [], None, ""),
        )

    async def test_key_marker_alone(self) -> None:
        """A key marker without a version skips all versions of the key."""
        await self.add()
        self.assertEqual((await self.page("", "a", "", "", 1))[0], [("b/1", "v3")])

    async def test_delimiter(self) -> None:
        """Versions are rolled up too, those below delete markers included."""
        await self.add()
        self.assertEqual(
            await self.page("", "a", "v1", "/", 2), ([("a", "v0")], ["b/"], "b/", "")
        )
        self.assertEqual(
            await self.page("", "b/", "", "/", 2), ([("c", "null")], [], None, "")
        )

    async def test_limit_zero(self) -> None:
        """With a limit of 0 the page is empty and the last."""
        await self.add()
        self.assertEqual(await self.page("", "", "", "", 0), ([], [], None, ""))

    async def test_removed_marker(self) -> None:
        """A clean-up that removes each page it listed reaches every version."""
        await self.add()
        removed: list[tuple[str, str]] = []
        markers: tuple[str, str] = ("", "")
        while True:
            items, _, key, version_id = await self.page("", *markers, "", 2)
            await self.write(_remove, self.bucket, items)
            removed += items
            if key is None:
                break
            markers = (key, version_id)
        self.assertEqual(len(removed), 7)
        self.assertTrue(await self.read("is_empty", self.bucket))

    async def test_marker_outside(self) -> None:
        """What is left of a marker's key is no part of a page whose prefix it does not have."""
        await self.add()
        for prefix, key, version_id, left in (
            ("b/", "a", "v1", [("b/1", "v3"), ("b/2", "v5"), ("b/2", "v4")]),
            ("b/2", "b/1", "v9", [("b/2", "v5"), ("b/2", "v4")]),
            ("a", "b/2", "v5", []),
        ):
            page = await self.page(prefix, key, version_id, "", 10)
            self.assertEqual(page, (left, [], None, ""))

    async def test_against_reference(self) -> None:
        """Walked in pages of any size, all versions are the reference's, for any keys."""
        await self.write(_against_reference)


def _add(tx: IMetadataTransaction, bucket: Bucket) -> None:
    for version_id in ("v0", "v1", "v2"):
        put(tx, bucket, "a", version_id=version_id)
    put(tx, bucket, "b/1", version_id="v3")
    put(tx, bucket, "b/2", version_id="v4")
    put(
        tx,
        bucket,
        "b/2",
        Content(b""),
        version_id="v5",
        is_delete_marker=True,
    )
    put(tx, bucket, "c")


def _against_reference(tx: IMetadataTransaction) -> None:
    @examples
    @given(
        keys=st.lists(KEYS, max_size=14),
        prefix=TEXTS.map(lambda text: text[:3]),
        delimiter=DELIMITERS,
        limit=st.integers(1, 5),
    )
    def check(keys: list[str], prefix: str, delimiter: str, limit: int) -> None:
        bucket = new_bucket(tx)
        added = [
            (key, put(tx, bucket, key, version_id=f"v{number:02}").version_id)
            for number, key in enumerate(keys)
        ]
        added.sort(key=lambda pair: pair[1], reverse=True)
        added.sort(key=lambda pair: utf8(pair[0]))
        found: list[Entry] = []
        key: str | None = ""
        version_id = ""
        while key is not None:
            page = tx.version_page(bucket, prefix, key, version_id, delimiter, limit)
            entries = shown(page, lambda item: str(item.version_id))
            assert len(entries) <= limit
            found += entries
            key, version_id = page.next_key, page.next_version_id
            last = (key, version_id or None)
            assert key is None or last == entries[-1]
        whole = expected(added, prefix, delimiter)
        assert found == whole, (found, whole)

    check()


def _remove(
    tx: IMetadataTransaction, bucket: Bucket, names: Sequence[tuple[str, str]]
) -> None:
    claim_whole(tx, bucket)
    for key, version_id in names:
        found = tx.version(bucket, key, version_id)
        assert found is not None
        tx.remove_version(bucket, found)
