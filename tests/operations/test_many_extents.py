"""Objects of many extents: GetObject and UploadPartCopy of them, and how many an object may have."""

from __future__ import annotations

from ozgate.s3.changing import uploads
from ozgate.s3.perform import completing
from ozgate.values import EXTENTS_AT_ONCE
from tests.operations.many import ManyExtentsTestCase
from tests.operations.support import Response
from tests.operations.uploads import LARGE, PART, checksum_of, extents_of

COUNT = 3 * EXTENTS_AT_ONCE + 1


class ReadingTests(ManyExtentsTestCase):
    """GetObject."""

    async def test_ranges_and_parts(self) -> None:
        """Ranges and parts anywhere are the right bytes, and so is the whole."""
        data = [b"%06d" % number for number in range(COUNT)]
        await self.add_object(*data)
        whole = b"".join(data)
        self.assertEqual((await self.get()).body, whole)
        edge = 6 * EXTENTS_AT_ONCE
        for low, high in ((0, 0), (edge - 1, edge), (edge, 2 * edge), (7, edge + 7)):
            got = await self.get(range=f"bytes={low}-{high}")
            self.assertEqual((got.status, got.body), (206, whole[low : high + 1]))
        got = await self.get(range="bytes=-7")
        self.assertEqual(got.body, whole[-7:])
        for number in (1, EXTENTS_AT_ONCE, EXTENTS_AT_ONCE + 1, COUNT):
            got = await self.get(f"/bucket/key?partNumber={number}")
            self.assertEqual((got.status, got.body), (206, data[number - 1]))

    async def test_removed_while_read(self) -> None:
        """A slow reader has all bytes of an object that is overwritten and deleted meanwhile; then they go."""
        data = [bytes([number % 251]) * 20_000 for number in range(COUNT)]
        await self.add_object(*data)
        reader = self.slowly()
        self.assertFalse(reader.heard)
        await self.put(LARGE)
        await self.ask("DELETE", "/bucket/key")
        self.assertEqual(await self.reap(), 0)
        self.read_on(reader)
        self.assertTrue(reader.heard.startswith(b"HTTP/1.1 200 "))
        self.assertTrue(reader.body == b"".join(data), len(reader.body))
        self.assertEqual(await self.reap(), COUNT + 1)
        self.assertEqual(self.client.gateway.blobs.default.data, {})

    async def test_gone_while_read(self) -> None:
        """Of a reader that goes in the middle nothing is left, neither counted nor in the way of the reaper."""
        await self.add_object(*[b"x" * 20_000] * COUNT)
        reader = self.slowly()
        memory = self.client.gateway.memory
        self.assertGreater(memory.held, 0)
        reader.transport.abortConnection()
        self.clock.advance(0)
        self.assertEqual(memory.held, 0)
        self.assert_no_reader()

    async def test_checksum_of_copy(self) -> None:
        """A checksum of a copy is computed of all bytes, however many extents they are in."""
        data = [b"%06d" % number for number in range(COUNT)]
        await self.add_object(*data)
        copied = await self.ask(
            "PUT",
            "/bucket/copy",
            x_amz_copy_source="/bucket/key",
            x_amz_checksum_algorithm="SHA1",
        )
        value = checksum_of("SHA1", b"".join(data))
        self.assertEqual(copied.text("ChecksumSHA1"), value)
        self.assertEqual((await self.get("/bucket/copy")).body, b"".join(data))


class LimitTests(ManyExtentsTestCase):
    """How many extents an object, and an upload, may have."""

    async def copy_part(
        self, upload_id: str, number: int, source: str, first: int, last: int
    ) -> Response:
        """Make a part of a range."""
        return await self.ask(
            "PUT",
            f"/bucket/made?partNumber={number}&uploadId={upload_id}",
            x_amz_copy_source=source,
            x_amz_copy_source_range=f"bytes={first}-{last}",
        )

    async def extents_of(self, key: str) -> list[tuple[int, int]]:
        """Offset and length of each extent of an object."""
        found = await self.look(extents_of, key)
        return [(each.offset, each.length) for each in found]

    async def test_joined(self) -> None:
        """Parts that are neighbours in one blob are one extent of the object; others are not."""
        await self.put(PART + PART, "/bucket/source")
        upload_id = await self.begin("/bucket/made")
        size = len(PART)
        wanted = [(0, size - 1), (size, 2 * size - 1), (0, size - 1), (0, 9)]
        parts = []
        for number, (first, last) in enumerate(wanted, 1):
            made = await self.copy_part(
                upload_id, number, "/bucket/source", first, last
            )
            parts.append((number, made.text("ETag") or ""))
        made = await self.complete(upload_id, parts, "/bucket/made")
        self.assertEqual(made.status, 200, made.body)
        found = await self.extents_of("made")
        self.assertEqual(found, [(0, 2 * size), (0, size), (0, 10)])
        got = await self.get("/bucket/made")
        self.assertTrue(got.body == PART + PART + PART + PART[:10])
        got = await self.get("/bucket/made?partNumber=2")
        self.assertTrue(got.body == PART)

    async def test_too_many(self) -> None:
        """Parts that are made of too many extents together are refused, in words that say what to do; a few more of few are not."""
        self.patch(uploads, "MOST_EXTENTS", 20)
        size = len(PART) // 8
        made_of = await self.add_object(*[b"x" * size + b"%d" % n for n in range(8)])
        whole = sum(extent.length for extent in made_of)
        upload_id = await self.begin("/bucket/made")
        for number in (1, 2):
            made = await self.copy_part(upload_id, number, "/bucket/key", 0, whole - 1)
            self.assertEqual(made.status, 200, made.body)
        refused = await self.copy_part(upload_id, 3, "/bucket/key", 0, whole - 1)
        self.assertEqual((refused.status, refused.code), (400, "InvalidRequest"))
        self.assertIn("at most 20 pieces", refused.text("Message") or "")
        # One that takes the place of another, as where an answer was lost, adds nothing.
        again = await self.copy_part(upload_id, 2, "/bucket/key", 0, whole - 1)
        self.assertEqual(again.status, 200, again.body)
        for number in (3, 4):
            made = await self.copy_part(
                upload_id, number, "/bucket/key", 0, 5 * made_of[0].length - 1
            )
            self.assertEqual(made.status, 200, made.body)

    async def test_too_many_at_the_end(self) -> None:
        """An object of too many extents is refused when it is completed, and its upload goes on."""
        self.patch(completing, "MIN_PART", 1)
        upload_id = await self.begin("/bucket/made")
        parts = [
            (number, await self.part(upload_id, number, LARGE, "/bucket/made"))
            for number in range(1, 5)
        ]
        self.patch(uploads, "MOST_EXTENTS", 3)
        refused = self.complete(upload_id, parts, "/bucket/made")
        await self.refused(refused, 400, "InvalidRequest")
        made = await self.complete(upload_id, parts[:3], "/bucket/made")
        self.assertEqual(made.status, 200, made.body)
        self.assertEqual(len(await self.extents_of("made")), 3)
