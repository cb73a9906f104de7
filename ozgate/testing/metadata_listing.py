"""Contract of metadata: pages of objects, held against a plain reference."""

# mypy: disable-error-code="no-untyped-call"
# The assertions of trial have no types.

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from ..interfaces import IMetadataTransaction
from ..values import Bucket, Content, Traits
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
    FULL,
    MetadataTests,
    put,
)
from .metadata_needs import claim_whole


def walk_pages(
    tx: IMetadataTransaction, bucket: Bucket, prefix: str, delimiter: str, limit: int
) -> list[Entry]:
    """All entries, page by page."""
    found: list[Entry] = []
    after: str | None = ""
    while after is not None:
        page = tx.page(bucket, prefix, after, delimiter, limit)
        entries = shown(page, lambda item: item.key)
        assert len(entries) <= limit
        assert page.next_after is None or page.next_after == entries[-1][0]
        found += entries
        after = page.next_after
    return found


class ListingTests(MetadataTests):
    """Pages of current objects."""

    async def add(self, *keys: str) -> None:
        """Add these keys."""
        await self.write(_add, self.bucket, keys)

    async def page(
        self,
        prefix: str = "",
        after: str = "",
        delimiter: str = "",
        limit: int = 1000,
    ) -> tuple[list[str], list[str], str | None]:
        """Keys, common prefixes and the next marker of a page."""
        page = await self.read("page", self.bucket, prefix, after, delimiter, limit)
        keys = [item.key for item in page.items]
        return keys, list(page.common_prefixes), page.next_after

    async def test_empty(self) -> None:
        """An empty bucket has one empty page."""
        self.assertEqual(await self.page(), ([], [], None))
        self.assertEqual(await self.page(delimiter="/"), ([], [], None))

    async def test_limits(self) -> None:
        """A page is full to its limit, and the last one says so, also when it is exactly full."""
        await self.add("a", "b", "c")
        self.assertEqual(await self.page(limit=1), (["a"], [], "a"))
        self.assertEqual(await self.page(limit=2), (["a", "b"], [], "b"))
        self.assertEqual(await self.page(limit=3), (["a", "b", "c"], [], None))
        self.assertEqual(await self.page(limit=4), (["a", "b", "c"], [], None))

    async def test_limit_zero(self) -> None:
        """With a limit of 0 the page is empty and the last."""
        await self.add("a", "b/c")
        self.assertEqual(await self.page(limit=0), ([], [], None))
        self.assertEqual(await self.page(delimiter="/", limit=0), ([], [], None))

    async def test_after(self) -> None:
        """A listing starts after the marker, whether or not that is a key."""
        await self.add("a", "b", "b\0", "c")
        self.assertEqual((await self.page(after="b"))[0], ["b\0", "c"])
        self.assertEqual((await self.page(after="b\0"))[0], ["c"])
        self.assertEqual((await self.page(after="aa"))[0], ["b", "b\0", "c"])
        self.assertEqual((await self.page(after="c"))[0], [])
        self.assertEqual((await self.page(after="\U0010ffff"))[0], [])

    async def test_prefix(self) -> None:
        """Only keys with the prefix are listed, whatever characters it has."""
        await self.add(
            "a", "a%", "a%b", "a_", "aB", "ab", "b", "\U0010ffff", "\U0010ffffx"
        )
        self.assertEqual((await self.page("a%"))[0], ["a%", "a%b"])
        self.assertEqual((await self.page("a_"))[0], ["a_"])
        self.assertEqual((await self.page("ab"))[0], ["ab"])
        self.assertEqual((await self.page("c"))[0], [])
        last = ["\U0010ffff", "\U0010ffffx"]
        self.assertEqual((await self.page("\U0010ffff"))[0], last)
        self.assertEqual((await self.page("\U0010ffff\U0010ffff"))[0], [])

    async def test_prefix_and_after(self) -> None:
        """A marker before the prefix means its beginning, one behind it an empty page."""
        await self.add("a", "b1", "b2", "c")
        self.assertEqual((await self.page("b", "a"))[0], ["b1", "b2"])
        self.assertEqual((await self.page("b", "b1"))[0], ["b2"])
        self.assertEqual((await self.page("b", "c"))[0], [])

    async def test_delimiter(self) -> None:
        """Keys are rolled up at the first delimiter after the prefix."""
        await self.add("a", "a/", "a/b", "a/b/c", "a/b/d", "b/x", "c")
        self.assertEqual(
            await self.page(delimiter="/"), (["a", "c"], ["a/", "b/"], None)
        )
        self.assertEqual(
            await self.page("a/", delimiter="/"), (["a/", "a/b"], ["a/b/"], None)
        )
        self.assertEqual(
            await self.page("a/b/", delimiter="/"), (["a/b/c", "a/b/d"], [], None)
        )
        self.assertEqual(await self.page("a", delimiter="/"), (["a"], ["a/"], None))

    async def test_delimiter_of_several_characters(self) -> None:
        """A delimiter may be longer than a character, and overlap with itself."""
        await self.add("a--b", "a-b", "a---b", "--", "x-")
        self.assertEqual(
            await self.page(delimiter="--"), (["a-b", "x-"], ["--", "a--"], None)
        )

    async def test_common_prefixes_count(self) -> None:
        """Items and common prefixes together fill a page; a page may end in either."""
        await self.add("a/1", "a/2", "b", "c/1", "d", "e/1")
        self.assertEqual(await self.page(delimiter="/", limit=1), ([], ["a/"], "a/"))
        self.assertEqual(await self.page(delimiter="/", limit=2), (["b"], ["a/"], "b"))
        self.assertEqual(
            await self.page(delimiter="/", limit=3), (["b"], ["a/", "c/"], "c/")
        )
        whole = (["b", "d"], ["a/", "c/", "e/"], None)
        self.assertEqual(await self.page(delimiter="/", limit=5), whole)

    async def test_after_a_common_prefix(self) -> None:
        """A marker that is a common prefix skips everything below it, and only then."""
        await self.add("a/1", "a/2", "a0")
        self.assertEqual(await self.page("", "a/", "/"), (["a0"], [], None))
        self.assertEqual(await self.page("", "a/1", "/"), (["a0"], ["a/"], None))
        self.assertEqual(await self.page("", "a/2", "/"), (["a0"], [], None))
        self.assertEqual((await self.page("", "a/", ""))[0], ["a/1", "a/2", "a0"])
        self.assertEqual((await self.page("a/", "a/", "/"))[0], ["a/1", "a/2"])

    async def test_hidden_keys(self) -> None:
        """Old versions and keys whose latest version is a delete marker are not listed."""
        await self.write(_hidden_keys, self.bucket)
        page = await self.read("page", self.bucket, "", "", "", 10)
        self.assertEqual([i.key for i in page.items], ["a", "c"])
        self.assertEqual([i.etag for i in page.items], ["2", "2"])
        self.assertEqual(await self.page(limit=1), (["a"], [], "a"))
        self.assertEqual(await self.page(after="a", limit=1), (["c"], [], None))

    async def test_common_prefix_of_hidden_keys(self) -> None:
        """A common prefix below which every key is hidden is not listed."""
        await self.write(_common_prefix_of_hidden_keys, self.bucket)
        self.assertEqual(await self.page(delimiter="/"), ([], ["b/"], None))

    async def test_common_prefixes_in_a_row(self) -> None:
        """Common prefixes that follow each other, and keys among them, are listed once each, whatever the delimiter and the page."""
        await self.write(_common_prefixes_in_a_row)

    async def test_listed_members(self) -> None:
        """A listing shows of an object what its version says."""
        added = await self.write(put, self.bucket, "key", **FULL)
        page = await self.read("page", self.bucket, "", "", "", 10)
        versions = await self.read("version_page", self.bucket, "", "", "", "", 10)
        for item in (page.items[0], versions.items[0]):
            self.assertEqual(
                (item.key, item.modified, item.size, item.etag),
                (added.key, added.modified, added.size, added.etag),
            )
            self.assertEqual(
                item.traits,
                Traits(added.owner, added.storage_class, "CRC32C", "COMPOSITE"),
            )
        item = versions.items[0]
        self.assertEqual(item.version_id, added.version_id)
        self.assertIs(item.is_latest, True)
        self.assertIs(item.is_delete_marker, False)

    async def test_another_bucket(self) -> None:
        """A listing ends where its bucket ends."""
        other = await self.add_bucket("other")
        await self.write(put, other, "a/b")
        await self.add("z")
        self.assertEqual(await self.page(), (["z"], [], None))
        self.assertEqual(await self.page(delimiter="/"), (["z"], [], None))

    async def test_change_between_pages(self) -> None:
        """Keys that stay while others come and go are listed once each."""
        await self.add(*(f"k{number}" for number in range(8)))
        first, _, after = await self.page(limit=4)
        self.assertEqual(first, ["k0", "k1", "k2", "k3"])
        await self.write(_change, self.bucket)
        second, _, after = await self.page(after=after or "", limit=100)
        self.assertEqual(second, ["k4", "k6", "k6x", "k7"])

    async def test_pages_against_reference(self) -> None:
        """Walked in pages of any size, a listing is the reference's, for any keys."""
        await self.write(_pages_against_reference)

    async def test_any_marker_against_reference(self) -> None:
        """From any marker, a page is what the reference says is after it."""
        await self.write(_any_marker_against_reference)


def _add(tx: IMetadataTransaction, bucket: Bucket, keys: Sequence[str]) -> None:
    for key in keys:
        put(tx, bucket, key)


def _hidden_keys(tx: IMetadataTransaction, bucket: Bucket) -> None:
    for key in "abc":
        for number in range(3):
            put(tx, bucket, key, version_id=f"v{number}", etag=f"{number}")
    put(
        tx,
        bucket,
        "b",
        Content(b""),
        version_id="v9",
        is_delete_marker=True,
    )


def _common_prefix_of_hidden_keys(tx: IMetadataTransaction, bucket: Bucket) -> None:
    put(tx, bucket, "a/b", Content(b""), is_delete_marker=True)
    put(tx, bucket, "b/c")


def _common_prefixes_in_a_row(tx: IMetadataTransaction) -> None:
    for delimiter in ("/", "\0", "--", "\u07ff", "\ud7ff", "a\U0010ffff", "\U0010ffff"):
        for prefix in ("", "\u0800/"):
            bucket = new_bucket(tx)
            for number in range(12):
                for end in ("", "x", "\0", "\U0010ffff"):
                    put(tx, bucket, f"{prefix}{number:02}{delimiter}{end}")
                if number in (3, 4, 8, 11):
                    put(tx, bucket, f"{prefix}{number:02}")
            keys = [item.key for item in tx.page(bucket, "", "", "", 100).items]
            whole = expected([(key, key) for key in keys], prefix, delimiter)
            for limit in (*range(1, 8), 15, 16, 17):
                found = walk_pages(tx, bucket, prefix, delimiter, limit)
                assert found == whole, (delimiter, prefix, limit, found)


def _change(tx: IMetadataTransaction, bucket: Bucket) -> None:
    claim_whole(tx, bucket)
    for key in ("k3", "k5"):
        found = tx.latest(bucket, key)
        assert found is not None
        tx.remove_version(bucket, found)
    put(tx, bucket, "k1x")
    put(tx, bucket, "k6x")


def _pages_against_reference(tx: IMetadataTransaction) -> None:
    @examples
    @given(
        keys=st.sets(KEYS, max_size=14),
        hidden=st.sets(KEYS, max_size=4),
        prefix=TEXTS.map(lambda text: text[:3]),
        delimiter=DELIMITERS,
        limit=st.integers(1, 6),
    )
    def check(
        keys: set[str],
        hidden: set[str],
        prefix: str,
        delimiter: str,
        limit: int,
    ) -> None:
        bucket = new_bucket(tx)
        for key in sorted(keys):
            put(tx, bucket, key)
        for key in sorted(hidden):
            put(tx, bucket, key, Content(b""), is_delete_marker=True)
        left = sorted(keys - hidden, key=utf8)
        whole = expected([(key, key) for key in left], prefix, delimiter)
        found = walk_pages(tx, bucket, prefix, delimiter, limit)
        assert found == whole, (found, whole)

    check()


def _any_marker_against_reference(tx: IMetadataTransaction) -> None:
    @examples
    @given(
        keys=st.sets(KEYS, max_size=12),
        prefix=TEXTS.map(lambda text: text[:2]),
        after=TEXTS,
        delimiter=DELIMITERS,
    )
    def check(keys: set[str], prefix: str, after: str, delimiter: str) -> None:
        bucket = new_bucket(tx)
        for key in sorted(keys):
            put(tx, bucket, key)
        left = [(key, key) for key in sorted(keys, key=utf8) if key > after]
        whole = expected(left, prefix, delimiter)
        whole = [entry for entry in whole if entry != (after, None)]
        found = tx.page(bucket, prefix, after, delimiter, 100)
        entries = shown(found, lambda item: item.key)
        assert entries == whole, (entries, whole)
        assert found.next_after is None

    check()
