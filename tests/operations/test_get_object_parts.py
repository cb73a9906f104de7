"""GetObject of one part, by its number."""

from __future__ import annotations

from tests.operations.uploads import LARGE, PART, SMALL, ObjectTestCase, checksum_of


class PartNumberTests(ObjectTestCase):
    """GetObject with a part number."""

    async def test_part_numbers(self) -> None:
        """Each part of a multipart object can be had, by the number the client gave it."""
        upload_id = await self.begin()
        parts = [
            (3, await self.part(upload_id, 3, PART)),
            (7, await self.part(upload_id, 7, LARGE)),
        ]
        await self.complete(upload_id, parts)
        size = len(PART) + len(LARGE)
        for number, body, low in ((3, PART, 0), (7, LARGE, len(PART))):
            response = await self.get(
                f"/bucket/key?partNumber={number}", x_amz_checksum_mode="ENABLED"
            )
            self.assertEqual((response.status, response.body), (206, body))
            self.assertEqual(
                response.headers["content-range"],
                f"bytes {low}-{low + len(body) - 1}/{size}",
            )
            self.assertEqual(response.headers["x-amz-mp-parts-count"], "2")
            self.assertEqual(
                response.headers["x-amz-checksum-crc64nvme"],
                checksum_of("CRC64NVME", body),
            )
        for number in (1, 4, 8):
            response = await self.refused(
                self.get(f"/bucket/key?partNumber={number}"), 416, "InvalidPartNumber"
            )
            self.assertEqual(response.text("ActualPartCount"), "2")

    async def test_empty_part(self) -> None:
        """An empty part of an object has no bytes, and no checksum but its own; neither has one of a copy of it."""
        await self.upload(PART, b"")
        await self.put(b"", "/bucket/copy", x_amz_copy_source="bucket/key")
        size = len(PART)
        for target in ("/bucket/key", "/bucket/copy"):
            response = await self.get(
                f"{target}?partNumber=2", x_amz_checksum_mode="ENABLED"
            )
            self.assertEqual((response.status, response.body), (200, b""), target)
            self.assertEqual(response.headers["content-length"], "0")
            self.assertNotIn("content-range", response.headers)
            self.assertEqual(response.headers["x-amz-mp-parts-count"], "2")
            self.assertEqual(
                response.headers["x-amz-checksum-crc64nvme"],
                checksum_of("CRC64NVME", b""),
            )
            response = await self.get(f"{target}?partNumber=1")
            self.assertEqual((response.status, response.body), (206, PART))
            self.assertEqual(
                response.headers["content-range"], f"bytes 0-{size - 1}/{size}"
            )
        self.assert_no_reader()

    async def test_only_part_is_empty(self) -> None:
        """The empty part of an empty multipart object is all of it."""
        await self.upload(b"")
        response = await self.get("/bucket/key?partNumber=1")
        self.assertEqual((response.status, response.body), (200, b""))
        self.assertNotIn("content-range", response.headers)
        self.assertEqual(response.headers["x-amz-mp-parts-count"], "1")

    async def test_part_number_of_a_plain_object(self) -> None:
        """An object put at once is its own part 1, and has no other."""
        await self.put()
        response = await self.get("/bucket/key?partNumber=1")
        self.assertEqual((response.status, response.body), (206, SMALL))
        self.assertNotIn("x-amz-mp-parts-count", response.headers)
        await self.refused(
            self.get("/bucket/key?partNumber=2"), 416, "InvalidPartNumber"
        )
        await self.put(b"")
        response = await self.get("/bucket/key?partNumber=1")
        self.assertEqual((response.status, response.body), (200, b""))
        self.assertNotIn("content-range", response.headers)

    async def test_bad_part_numbers(self) -> None:
        """A part number is from 1 to 10000, and goes with no range."""
        await self.put()
        for number in ("0", "10001", "-1", "a", "", "99999999999999999999"):
            await self.refused(
                self.get(f"/bucket/key?partNumber={number}"), 400, "InvalidArgument"
            )
        await self.refused(
            self.get("/bucket/key?partNumber=1", range="bytes=0-1"),
            400,
            "InvalidRequest",
        )
