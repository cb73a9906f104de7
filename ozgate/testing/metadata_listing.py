"""Contract of metadata: pages of objects, versions and uploads, held against a plain reference."""

# mypy: disable-error-code="no-untyped-call"
# The assertions of trial have no types.

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ..interfaces import IMetadataTransaction
from ..values import Bucket, Content, Traits
from .metadata_base import OWNER, MetadataTests, put, upload

# Few characters, so that prefixes meet; and those at the borders of the order and of UTF-8.
LETTERS = "ab/\0\x7f\u0080\u07ff\u0800\ud7ff\ue000\uffff\U00010000\U0010ffff"

TEXTS = st.text(LETTERS, max_size=6)
KEYS = st.text(LETTERS, min_size=1, max_size=6)
DELIMITERS = st.one_of(st.just("/"), st.just(""), st.text(LETTERS, max_size=3))

examples = settings(
    max_examples=100,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)

Entry = tuple[str, str | None]
"""A name to be shown, and what tells items of one key apart; ``None`` for a common prefix."""


def utf8(key: str) -> bytes:
    """What keys are sorted by."""
    return key.encode("utf-8")


def expected(
    keys: Sequence[tuple[str, str]], prefix: str, delimiter: str
) -> list[Entry]:
    """The whole listing of (key, id) pairs in order, worked out the plain way."""
    entries: list[Entry] = []
    for key, name in keys:
        if not key.startswith(prefix):
            continue
        rest = key[len(prefix) :]
        if delimiter and delimiter in rest:
            at = rest.index(delimiter) + len(delimiter)
            entry: Entry = (prefix + rest[:at], None)
        else:
            entry = (key, name)
        if entry not in entries:
            entries.append(entry)
    return entries


def shown(page: Any, name: Callable[[Any], str]) -> list[Entry]:
    """Entries of a page, in order: an item sorts before a common prefix of the same name."""
    items: list[Entry] = [(item.key, name(item)) for item in page.items]
    prefixes: list[Entry] = [(prefix, None) for prefix in page.common_prefixes]
    # Python's sort is stable, so that the order among items stays.
    return sorted(items + prefixes, key=lambda entry: utf8(entry[0]))


def new_bucket(tx: IMetadataTransaction) -> Bucket:
    """An empty bucket, as an example needs it."""
    name = f"b{tx.next_sequence()}"
    return tx.add_bucket(Bucket("s3v", name, OWNER, tx.now()))


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

        def interaction(tx: IMetadataTransaction) -> None:
            for key in keys:
                put(tx, self.bucket, key)

        await self.write(interaction)

    async def page(
        self,
        prefix: str = "",
        after: str = "",
        delimiter: str = "",
        limit: int = 1000,
    ) -> tuple[list[str], list[str], str | None]:
        """Keys, common prefixes and the next marker of a page."""
        page = await self.read(
            lambda tx: tx.page(self.bucket, prefix, after, delimiter, limit)
        )
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

        def interaction(tx: IMetadataTransaction) -> None:
            for key in "abc":
                for number in range(3):
                    put(tx, self.bucket, key, version_id=f"v{number}", etag=f"{number}")
            put(
                tx,
                self.bucket,
                "b",
                Content(b""),
                version_id="v9",
                is_delete_marker=True,
            )

        await self.write(interaction)
        page = await self.read(lambda tx: tx.page(self.bucket, "", "", "", 10))
        self.assertEqual([i.key for i in page.items], ["a", "c"])
        self.assertEqual([i.etag for i in page.items], ["2", "2"])
        self.assertEqual(await self.page(limit=1), (["a"], [], "a"))
        self.assertEqual(await self.page(after="a", limit=1), (["c"], [], None))

    async def test_common_prefix_of_hidden_keys(self) -> None:
        """A common prefix below which every key is hidden is not listed."""

        def interaction(tx: IMetadataTransaction) -> None:
            put(tx, self.bucket, "a/b", Content(b""), is_delete_marker=True)
            put(tx, self.bucket, "b/c")

        await self.write(interaction)
        self.assertEqual(await self.page(delimiter="/"), ([], ["b/"], None))

    async def test_listed_members(self) -> None:
        """A listing shows of an object what its version says."""
        from .metadata_versions import FULL

        added = await self.write(lambda tx: put(tx, self.bucket, "key", **FULL))
        page = await self.read(lambda tx: tx.page(self.bucket, "", "", "", 10))
        versions = await self.read(
            lambda tx: tx.version_page(self.bucket, "", "", "", "", 10)
        )
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
        await self.write(lambda tx: put(tx, other, "a/b"))
        await self.add("z")
        self.assertEqual(await self.page(), (["z"], [], None))
        self.assertEqual(await self.page(delimiter="/"), (["z"], [], None))

    async def test_change_between_pages(self) -> None:
        """Keys that stay while others come and go are listed once each."""
        await self.add(*(f"k{number}" for number in range(8)))
        first, _, after = await self.page(limit=4)
        self.assertEqual(first, ["k0", "k1", "k2", "k3"])

        def change(tx: IMetadataTransaction) -> None:
            for key in ("k3", "k5"):
                found = tx.latest(self.bucket, key)
                assert found is not None
                tx.remove_version(self.bucket, found)
            put(tx, self.bucket, "k1x")
            put(tx, self.bucket, "k6x")

        await self.write(change)
        second, _, after = await self.page(after=after or "", limit=100)
        self.assertEqual(second, ["k4", "k6", "k6x", "k7"])

    async def test_pages_against_reference(self) -> None:
        """Walked in pages of any size, a listing is the reference's, for any keys."""

        def interaction(tx: IMetadataTransaction) -> None:
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

        await self.write(interaction)

    async def test_any_marker_against_reference(self) -> None:
        """From any marker, a page is what the reference says is after it."""

        def interaction(tx: IMetadataTransaction) -> None:
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

        await self.write(interaction)


class VersionListingTests(MetadataTests):
    """Pages of all versions."""

    async def page(
        self, *args: Any
    ) -> tuple[list[tuple[str, str]], list[str], str | None, str]:
        """Keys with version ids, common prefixes and the next markers of a page."""
        page = await self.read(lambda tx: tx.version_page(self.bucket, *args))
        items = [(item.key, item.version_id) for item in page.items]
        return items, list(page.common_prefixes), page.next_key, page.next_version_id

    async def add(self) -> None:
        """Add three versions of a, one of b/1, a marker over b/2, one of c."""

        def interaction(tx: IMetadataTransaction) -> None:
            for version_id in ("v0", "v1", "v2"):
                put(tx, self.bucket, "a", version_id=version_id)
            put(tx, self.bucket, "b/1", version_id="v3")
            put(tx, self.bucket, "b/2", version_id="v4")
            put(
                tx,
                self.bucket,
                "b/2",
                Content(b""),
                version_id="v5",
                is_delete_marker=True,
            )
            put(tx, self.bucket, "c")

        await self.write(interaction)

    async def test_everything(self) -> None:
        """All versions and delete markers are listed, by key, newest first, with their flags."""
        await self.add()
        page = await self.read(
            lambda tx: tx.version_page(self.bucket, "", "", "", "", 100)
        )
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

            def remove(tx: IMetadataTransaction, names: Any = items) -> None:
                for name in names:
                    found = tx.version(self.bucket, *name)
                    assert found is not None
                    tx.remove_version(self.bucket, found)

            await self.write(remove)
            removed += items
            if key is None:
                break
            markers = (key, version_id)
        self.assertEqual(len(removed), 7)
        self.assertTrue(await self.read(lambda tx: tx.is_empty(self.bucket)))

    async def test_against_reference(self) -> None:
        """Walked in pages of any size, all versions are the reference's, for any keys."""

        def interaction(tx: IMetadataTransaction) -> None:
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
                    page = tx.version_page(
                        bucket, prefix, key, version_id, delimiter, limit
                    )
                    entries = shown(page, lambda item: str(item.version_id))
                    assert len(entries) <= limit
                    found += entries
                    key, version_id = page.next_key, page.next_version_id
                    last = (key, version_id or None)
                    assert key is None or last == entries[-1]
                whole = expected(added, prefix, delimiter)
                assert found == whole, (found, whole)

            check()

        await self.write(interaction)


class UploadListingTests(MetadataTests):
    """Pages of uploads in progress."""

    async def page(
        self, *args: Any
    ) -> tuple[list[tuple[str, str]], list[str], str | None, str]:
        """Keys with upload ids, common prefixes and the next markers of a page."""
        page = await self.read(lambda tx: tx.upload_page(self.bucket, *args))
        items = [(item.key, item.upload_id) for item in page.items]
        return items, list(page.common_prefixes), page.next_key, page.next_upload_id

    async def add(self) -> None:
        """Begin uploads of a (three), b/1, b/2 and c."""

        def interaction(tx: IMetadataTransaction) -> None:
            for key, upload_id in (
                ("c", "u1"),
                ("a", "u4"),
                ("a", "u2"),
                ("b/2", "u3"),
                ("a", "u6"),
                ("b/1", "u5"),
            ):
                upload(tx, self.bucket, key, upload_id)

        await self.write(interaction)

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

        def interaction(tx: IMetadataTransaction) -> None:
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
                    page = tx.upload_page(
                        bucket, prefix, key, upload_id, delimiter, limit
                    )
                    entries = shown(page, lambda item: str(item.upload_id))
                    assert len(entries) <= limit
                    found += entries
                    key, upload_id = page.next_key, page.next_upload_id
                    assert key is None or (key, upload_id or None) == entries[-1]
                whole = expected(begun, prefix, delimiter)
                assert found == whole, (found, whole)

            check()

        await self.write(interaction)
