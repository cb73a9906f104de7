"""Contract of other systems: multipart uploads."""

# mypy: disable-error-code="no-untyped-call"
# The assertions of trial have no types.

from __future__ import annotations

from ..values import Precondition
from .foreign_base import LEAST, ForeignTests, md5

_NONE = "NO_SUCH_MULTIPART_UPLOAD_ERROR"


class UploadTests(ForeignTests):
    """Uploads of a bucket."""

    async def listed(self, key: str, upload_id: str) -> list[tuple[int, str]]:
        """The parts of an upload as they are completed."""
        parts = await self.bucket.parts(key, upload_id, 0, 1000)
        return [(each.number, each.etag) for each in parts]

    async def test_completed(self) -> None:
        """A key is made of its parts in order, with what was said in the beginning; its parts can be read one by one."""
        first, second = b"1" * LEAST, b"22"
        upload_id = await self.upload("key", first, second)
        listed = await self.listed("key", upload_id)
        self.assertEqual(listed, [(1, md5(first)), (2, md5(second))])
        etag = await self.bucket.complete("key", upload_id, listed)
        found = await self.bucket.head("key")
        self.assertEqual((found.size, found.etag), (LEAST + 2, etag))
        self.assertEqual(found.parts, 2)
        self.assertEqual(dict(found.metadata), {"of": "key"})
        self.assertEqual(dict(found.tags), {"tag": "1"})
        self.assertTrue(await self.read("key") == first + second)
        self.assertEqual((await self.bucket.uploads("", "", "", 10)).items, [])
        for number, data in ((1, first), (2, second)):
            reading = await self.bucket.open("key", number)
            self.assertEqual(reading.found.size, len(data))
            self.assertTrue(await self.run_of(reading, 0, len(data)) == data)
            reading.close()
        await self.refused("INVALID_PART", self.bucket.open("key", 3))

    async def test_unseen(self) -> None:
        """Nothing is there before an upload is completed."""
        await self.upload("key", b"1")
        self.assertEqual(await self.keys(), [])
        await self.refused("KEY_NOT_FOUND", self.bucket.head("key"))

    async def test_some_parts(self) -> None:
        """Parts that are not named are not in the key."""
        upload_id = await self.upload("key", b"1", b"2", b"3")
        await self.bucket.complete("key", upload_id, [(3, md5(b"3"))])
        self.assertEqual(await self.read("key"), b"3")

    async def test_replaced_part(self) -> None:
        """A part that is written again is as it was written last."""
        upload_id = await self.upload("key", b"old")
        await self.put_part("key", upload_id, 1, b"new one")
        (part,) = await self.bucket.parts("key", upload_id, 0, 10)
        self.assertEqual((part.size, part.etag), (7, md5(b"new one")))
        await self.bucket.complete("key", upload_id, [(1, part.etag)])
        self.assertEqual(await self.read("key"), b"new one")

    async def test_dropped_part(self) -> None:
        """A part that is dropped while it is written is not there."""
        upload_id = await self.upload("key")
        sink = await self.bucket.create_part("key", upload_id, 1, 3)
        sink.write(b"abc")
        await sink.abort()
        self.assertEqual(await self.listed("key", upload_id), [])

    async def test_pages_of_parts(self) -> None:
        """Parts are told in order, after a number, so many."""
        upload_id = await self.upload("key", *[b"x"] * 3)
        await self.put_part("key", upload_id, 10, b"ten")
        for after, limit, wanted in (
            (0, 10, [1, 2, 3, 10]),
            (0, 2, [1, 2]),
            (2, 10, [3, 10]),
            (5, 1, [10]),
            (10, 1, []),
        ):
            parts = await self.bucket.parts("key", upload_id, after, limit)
            self.assertEqual([each.number for each in parts], wanted, (after, limit))
        self.assertGreater(parts[0].modified if parts else 1, 0)

    async def test_not_completed(self) -> None:
        """Parts that are not there, in disorder or too small make no key, and the upload stays."""
        upload_id = await self.upload("key", b"1", b"2")
        one, two = await self.listed("key", upload_id)
        for code, parts in (
            ("INVALID_PART", [(1, md5(b"other"))]),
            ("INVALID_PART", [(3, md5(b"3"))]),
            ("INVALID_PART_ORDER", [two, one]),
            ("ENTITY_TOO_SMALL", [one, two]),
        ):
            await self.refused(code, self.bucket.complete("key", upload_id, parts))
        await self.refused("KEY_NOT_FOUND", self.bucket.head("key"))
        self.assertEqual(await self.listed("key", upload_id), [one, two])

    async def test_aborted(self) -> None:
        """An upload that was dropped or completed is not there."""
        dropped = await self.upload("key", b"1")
        await self.bucket.abort("key", dropped)
        done = await self.upload("key", b"1")
        parts = [(1, md5(b"1"))]
        await self.bucket.complete("key", done, parts)
        for each in (dropped, done, "none"):
            for asked in (
                self.bucket.abort("key", each),
                self.bucket.parts("key", each, 0, 10),
                self.bucket.create_part("key", each, 1, 1),
                self.bucket.complete("key", each, parts),
            ):
                await self.refused(_NONE, asked)

    async def test_conditions(self) -> None:
        """An upload becomes a key only where what is wanted is so."""
        parts = [(1, md5(b"1"))]
        first = await self.upload("key", b"1")
        wanted = Precondition(etag="none")
        with self.assertRaises(Exception):  # noqa: B017 - there is no key
            await self.bucket.complete("key", first, parts, wanted)
        etag = await self.bucket.complete(
            "key", first, parts, Precondition(absent=True)
        )
        second = await self.upload("key", b"1")
        for code, wanted in (
            ("KEY_ALREADY_EXISTS", Precondition(absent=True)),
            ("ETAG_MISMATCH", Precondition(etag=md5(b"other"))),
        ):
            asked = self.bucket.complete("key", second, parts, wanted)
            await self.refused(code, asked)
        before = await self.bucket.head("key")
        await self.bucket.complete("key", second, parts, Precondition(etag=etag))
        after = await self.bucket.head("key")
        self.assertGreater(after.generation, before.generation)

    async def test_uploads(self) -> None:
        """Uploads are told by key and id, with a prefix, after a key or an upload, so many."""
        keys = ["a", "a", "a-b", "a/c", "b", "\uff5e", "\U0001f600"]
        began = sorted([(each, await self.upload(each)) for each in keys], key=_bytes)
        one = began[0]
        for prefix, after, limit, wanted in (
            ("", ("", ""), 10, began),
            ("", ("", ""), 2, began[:2]),
            ("a", ("", ""), 10, began[:4]),
            ("a/", ("", ""), 10, began[3:4]),
            ("", ("a", ""), 10, began[2:]),
            ("", one, 10, began[1:]),
            ("", began[1], 1, began[2:3]),
            ("a", began[2], 10, began[3:4]),
            ("x", ("", ""), 10, []),
        ):
            page = await self.bucket.uploads(prefix, *after, limit)
            found = [(each.key, each.upload_id) for each in page.items]
            self.assertEqual(found, wanted, (prefix, after, limit))
            key, upload_id = after
            rest = [
                each
                for each in began
                if each[0].startswith(prefix)
                and (_bytes(each) > _bytes(after) if upload_id else each[0] > key)
            ]
            self.assertEqual(page.is_last, len(found) == len(rest))


def _bytes(upload: tuple[str, str]) -> tuple[bytes, str]:
    return upload[0].encode(), upload[1]
