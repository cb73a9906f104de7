"""Contract of other systems: pages of keys."""

# mypy: disable-error-code="no-untyped-call"
# The assertions of trial have no types.

from __future__ import annotations

from collections.abc import Iterable

from twisted.internet.defer import gatherResults

from .foreign_base import ForeignTests, md5

_FAR = "\U0001f600"
"""Beyond U+FFFF: after everything else in UTF-8, and before U+E000 and what follows in UTF-16."""

_HIGH = "\uff5e"


class ListTests(ForeignTests):
    """Pages of keys, in the order of their UTF-8 bytes."""

    async def fill(self, keys: Iterable[str]) -> list[str]:
        """Put keys; they are told in order."""
        every = list(keys)
        for at in range(0, len(every), 20):
            await gatherResults(
                [
                    self.bucket.put(each, b"", md5(b""), {}, {})
                    for each in every[at : at + 20]
                ]
            )
        return sorted(every, key=str.encode)

    async def walk(self, prefix: str, limit: int) -> list[str]:
        """All keys with a prefix, page by page."""
        found: list[str] = []
        while True:
            page = await self.bucket.list(prefix, found[-1] if found else "", limit)
            found += [each.key for each in page.items]
            self.assertLessEqual(len(page.items), limit)
            if page.is_last:
                return found
            self.assertTrue(page.items, "a page that is not the last has keys")

    async def test_empty(self) -> None:
        """An empty bucket has an empty page, the last."""
        page = await self.bucket.list("", "", 10)
        self.assertEqual((list(page.items), page.is_last), ([], True))

    async def test_members(self) -> None:
        """A page tells size, ETag, owner and time of each key."""
        await self.put("key", b"12345")
        (found,) = (await self.bucket.list("", "", 10)).items
        head = await self.bucket.head("key")
        for name in found._fields:
            self.assertEqual(getattr(found, name), getattr(head, name), name)

    async def test_pages(self) -> None:
        """Pages of any size have every key once, in order."""
        keys = await self.fill(f"{each:03}" for each in range(25))
        for limit in (1, 2, 7, 24, 25, 26):
            self.assertEqual(await self.walk("", limit), keys, limit)

    async def test_prefix_and_after(self) -> None:
        """A page has the keys with a prefix that are after a string, whether there is such a key or not."""
        keys = await self.fill(
            ["a", "a-b", "a/", "a/b", "a/b/c", "a/c", "a0", "b", "b/a", "ab", "A", "ä"]
        )
        for prefix in ("", "a", "a/", "a/b", "b", "x", "ä"):
            for after in (
                "",
                "0",
                "a",
                "a/",
                "a/b",
                "a/bb",
                "a/~",
                "b",
                "zz",
                "ä",
                "ö",
            ):
                wanted = [
                    each
                    for each in keys
                    if each.startswith(prefix) and each.encode() > after.encode()
                ]
                self.assertEqual(
                    await self.keys(prefix, after), wanted, (prefix, after)
                )

    async def test_last(self) -> None:
        """A page says that it is the last exactly where no key follows."""
        await self.fill(["a1", "a2", "b1"])
        for prefix, limit, is_last in (
            ("a", 1, False),
            ("a", 2, True),
            ("", 2, False),
            ("", 3, True),
        ):
            page = await self.bucket.list(prefix, "", limit)
            self.assertEqual(page.is_last, is_last, (prefix, limit))

    async def test_more_than_a_thousand(self) -> None:
        """As many are told as were asked for, also where the system tells no more than a thousand at once."""
        keys = await self.fill(f"{each:04}" for each in range(1105))
        page = await self.bucket.list("", "", 1100)
        self.assertEqual([each.key for each in page.items], keys[:1100])
        self.assertFalse(page.is_last)
        self.assertEqual(await self.walk("", 1000), keys)

    async def test_beyond_the_basic_plane(self) -> None:
        """No key is skipped or told out of order at the edge of a page, whatever characters it has."""
        keys = await self.fill(
            ["a1", "a2", f"p{_HIGH}1", f"p{_HIGH}2"]
            + [f"p{_FAR}{each}" for each in range(4)]
            + [f"p{_FAR}{_HIGH}", f"p{_FAR}{_FAR}", "z", _HIGH, _FAR, "p\ue000"]
        )
        for limit in range(1, len(keys) + 2):
            self.assertEqual(await self.walk("", limit), keys, limit)
            wanted = [each for each in keys if each.startswith("p")]
            self.assertEqual(await self.walk("p", limit), wanted, limit)

    async def test_one_before_what_is_beyond(self) -> None:
        """A page that begins with names beyond U+FFFF has the one before them, which some systems cut off."""
        keys = await self.fill([f"p{_HIGH}"] + [f"p{_FAR}{each}" for each in range(3)])
        self.assertEqual(await self.keys("", "", 1), keys[:1])
        self.assertEqual(await self.keys("p", "p", 2), keys[:2])
