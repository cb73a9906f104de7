"""Lists of a bucket of another system."""

from __future__ import annotations

from urllib.parse import quote

from ozgate.s3.foreign.listings import rolled_page
from ozgate.testing.memory_foreign import MemoryForeignBucket
from ozgate.values import OnBehalf
from tests.operations.abroad import ForeignTestCase

KEYS = ("a/1", "a/2", "a/sub/3", "b", "c/4", "d", "😀", "\uff5e")


class ListTests(ForeignTestCase):
    """ListObjectsV2, ListObjects and ListObjectVersions."""

    async def _open(self) -> None:
        await super()._open()
        for key in KEYS:
            self.put_there(key, b"12345", etag="e" * 32)

    async def walk(self, query: str = "", first: str = "") -> list[list[str]]:
        """Keys and common prefixes of every page, following the tokens."""
        pages, token = [], first
        while True:
            page = await self.client.request(
                "GET", f"/bucket?list-type=2{query}{token}"
            )
            self.assertEqual(page.status, 200, page.body)
            pages.append(
                page.texts("Contents/Key") + page.texts("CommonPrefixes/Prefix")
            )
            found = page.text("NextContinuationToken")
            if found is None:
                return pages
            token = f"&continuation-token={found}"

    async def test_order(self) -> None:
        """Keys come in the order of their UTF-8 bytes, whatever the size of a page."""
        expected = sorted(KEYS, key=lambda key: key.encode())
        for size in range(1, 10):
            pages = await self.walk(f"&max-keys={size}")
            self.assertEqual([key for page in pages for key in page], expected)

    async def test_delimiters(self) -> None:
        """Any delimiter rolls up, and so does a prefix that ends in the middle of a name."""
        self.assertEqual(
            await self.walk("&delimiter=/"),
            [["b", "d", "\uff5e", "😀", "a/", "c/"]],
        )
        self.assertEqual(
            await self.walk("&delimiter=/&prefix=a/"), [["a/1", "a/2", "a/sub/"]]
        )
        self.assertEqual(
            await self.walk("&delimiter=sub&prefix=a"), [["a/1", "a/2", "a/sub"]]
        )
        pages = await self.walk("&delimiter=/&max-keys=1")
        self.assertEqual(pages, [["a/"], ["b"], ["c/"], ["d"], ["\uff5e"], ["😀"]])

    async def test_start_after(self) -> None:
        """What is before is left out; of a group that it is in the middle of, the rest is rolled up."""
        self.assertEqual(
            await self.walk("&delimiter=/", "&start-after=a/1"),
            [["b", "d", "\uff5e", "😀", "a/", "c/"]],
        )
        self.assertEqual(
            await self.walk("&delimiter=/", "&start-after=a/"),
            [["b", "d", "\uff5e", "😀", "c/"]],
        )
        pages = await self.walk("", "&start-after=bb")
        self.assertEqual(pages, [["c/4", "d", "\uff5e", "😀"]])

    async def test_markers(self) -> None:
        """The older list goes on after a marker, and says who owns what."""
        page = await self.client.request("GET", "/bucket?delimiter=/&max-keys=2")
        self.assertEqual(page.text("NextMarker"), "b")
        self.assertEqual(page.text("Contents/Owner/DisplayName"), "somebody")
        marker = quote("a/", safe="")
        page = await self.client.request("GET", f"/bucket?delimiter=/&marker={marker}")
        self.assertEqual(page.texts("CommonPrefixes/Prefix"), ["c/"])

    async def test_versions(self) -> None:
        """Each key has one version, which is called null."""
        page = await self.client.request("GET", "/bucket?versions&max-keys=2")
        self.assertEqual(page.texts("Version/Key"), ["a/1", "a/2"])
        self.assertEqual(page.texts("Version/VersionId"), ["null", "null"])
        more = (
            f"&key-marker={quote(page.text('NextKeyMarker') or '', safe='')}"
            f"&version-id-marker={page.text('NextVersionIdMarker')}"
        )
        page = await self.client.request("GET", f"/bucket?versions&max-keys=1{more}")
        self.assertEqual(page.texts("Version/Key"), ["a/sub/3"])

    async def test_folders(self) -> None:
        """A folder that holds something is not shown; an empty one is, as a key of no bytes."""
        for key in ("e/", "e/f/", "e/g/", "h/"):
            self.put_there(key, is_folder=True)
        self.put_there("e/f/5")
        self.put_there("i")
        for size in (1, 2, 3, 1000):
            pages = await self.walk(f"&prefix=e&max-keys={size}")
            keys = [key for page in pages for key in page]
            self.assertEqual(keys, ["e/f/5", "e/g/"])
        self.assertEqual(await self.walk("&prefix=h"), [["h/"]])
        self.assertEqual(await self.walk("&prefix=e/&delimiter=/"), [["e/f/", "e/g/"]])
        page = await self.client.request("GET", "/bucket?list-type=2&prefix=h")
        head = await self.client.request("HEAD", "/bucket/h/")
        self.assertEqual(page.text("Contents/ETag"), head.headers["etag"])
        self.assertEqual(head.headers["etag"], '"d41d8cd98f00b204e9800998ecf8427e"')

    async def test_nothing(self) -> None:
        """No rows are shown where none are asked for, but whether there is such a bucket."""
        page = await self.client.request("GET", "/bucket?list-type=2&max-keys=0")
        self.assertEqual(page.text("KeyCount"), "0")
        asked = self.client.request("GET", "/gone?list-type=2&max-keys=0")
        await self.refused(asked, 404, "NoSuchBucket")

    async def test_skips(self) -> None:
        """What is rolled up is not read: many keys of many groups take a page for each group, and few keys."""
        for group in range(20):
            for number in range(300):
                self.put_there(f"many/{group:02}/{number:03}")
        bucket = _Counting(self.system, "s3v", "bucket", OnBehalf("testuser"))
        page = await rolled_page(bucket, "many/", "", "/", 1000)
        self.assertEqual(len(page.common_prefixes), 20)
        self.assertIsNone(page.next_after)
        self.assertLess(bucket.taken, 3_000)


class _Counting(MemoryForeignBucket):
    """Counts the keys that it gives."""

    taken = 0

    def list(self, prefix, after, limit):  # type: ignore[no-untyped-def]
        """Give a page."""
        self.taken += limit
        return super().list(prefix, after, limit)
