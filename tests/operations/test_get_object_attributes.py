"""GetObjectAttributes."""

from __future__ import annotations

from tests.operations.uploads import (
    LARGE,
    PART,
    SMALL,
    ObjectTestCase,
    Response,
    checksum_of,
    etag_of,
)

ALL = "ETag,Checksum,ObjectParts,StorageClass,ObjectSize"


class GetObjectAttributesTests(ObjectTestCase):
    """GetObjectAttributes."""

    async def attributes(self, wanted: str = ALL, **headers: str) -> Response:
        """Ask for attributes."""
        return await self.ask(
            "GET", "/bucket/key?attributes", x_amz_object_attributes=wanted, **headers
        )

    async def test_plain_object(self) -> None:
        """An object put at once has all attributes but parts; its ETag has no quotes."""
        await self.put()
        response = await self.attributes()
        self.assertEqual(response.status, 200)
        self.assertEqual(response.xml().tag, "GetObjectAttributesResponse")
        self.assertEqual(
            response.names(), ["ETag", "Checksum", "StorageClass", "ObjectSize"]
        )
        self.assertEqual(response.text("ETag"), etag_of(SMALL).strip('"'))
        self.assertEqual(
            response.text("Checksum/ChecksumCRC64NVME"),
            checksum_of("CRC64NVME", SMALL),
        )
        self.assertEqual(response.text("Checksum/ChecksumType"), "FULL_OBJECT")
        self.assertEqual(response.text("StorageClass"), "STANDARD")
        self.assertEqual(response.text("ObjectSize"), str(len(SMALL)))
        self.assertEqual(
            response.headers["last-modified"], "Wed, 18 Nov 2026 11:06:40 GMT"
        )

    async def test_only_what_is_asked(self) -> None:
        """Nothing is told that was not asked for; blanks in the list do not matter."""
        await self.put()
        response = await self.attributes("ObjectSize, ETag")
        self.assertEqual(response.names(), ["ETag", "ObjectSize"])

    async def test_parts(self) -> None:
        """Parts are listed with sizes and checksums, by pages, where the checksum is one of parts."""
        upload_id = await self.begin(x_amz_checksum_algorithm="CRC32")
        parts, sums = [], []
        for number, body in enumerate((PART, PART, LARGE), 1):
            value = checksum_of("CRC32", body)
            etag = await self.part(upload_id, number, body, x_amz_checksum_crc32=value)
            parts.append((number, etag))
            sums.append({"CRC32": value})
        done = await self.complete(upload_id, parts, checksums=sums)
        self.assertEqual(done.status, 200, done.body)
        response = await self.attributes()
        self.assertEqual(response.text("ObjectParts/PartsCount"), "3")
        self.assertEqual(response.texts("ObjectParts/Part/PartNumber"), ["1", "2", "3"])
        self.assertEqual(
            response.texts("ObjectParts/Part/Size"),
            [str(len(PART)), str(len(PART)), str(len(LARGE))],
        )
        self.assertEqual(
            response.texts("ObjectParts/Part/ChecksumCRC32")[2],
            checksum_of("CRC32", LARGE),
        )
        page = await self.attributes("ObjectParts", x_amz_max_parts="2")
        self.assertEqual(page.texts("ObjectParts/Part/PartNumber"), ["1", "2"])
        self.assertEqual(page.text("ObjectParts/IsTruncated"), "true")
        self.assertEqual(page.text("ObjectParts/NextPartNumberMarker"), "2")
        self.assertEqual(page.text("ObjectParts/MaxParts"), "2")
        page = await self.attributes("ObjectParts", x_amz_part_number_marker="2")
        self.assertEqual(page.texts("ObjectParts/Part/PartNumber"), ["3"])
        self.assertEqual(page.text("ObjectParts/IsTruncated"), "false")

    async def test_parts_of_a_full_checksum(self) -> None:
        """Of an object whose checksum is one of all its bytes, only the number of parts is told."""
        await self.upload(PART, LARGE)
        response = await self.attributes()
        self.assertEqual(response.texts("ObjectParts/*"), ["2"])
        self.assertEqual(response.text("ObjectParts/PartsCount"), "2")

    async def test_composite(self) -> None:
        """A composite checksum comes without its number of parts."""
        upload_id = await self.begin(x_amz_checksum_algorithm="SHA256")
        value = checksum_of("SHA256", LARGE)
        etag = await self.part(upload_id, 1, LARGE, x_amz_checksum_sha256=value)
        done = await self.complete(
            upload_id, [(1, etag)], checksums=[{"SHA256": value}]
        )
        shown = done.text("ChecksumSHA256")
        assert shown is not None
        self.assertTrue(shown.endswith("-1"))
        response = await self.attributes()
        self.assertEqual(response.text("Checksum/ChecksumSHA256"), shown[:-2])
        self.assertEqual(response.text("Checksum/ChecksumType"), "COMPOSITE")
        self.assertEqual(response.text("ObjectParts/Part/ChecksumSHA256"), value)

    async def test_bad_requests(self) -> None:
        """Attributes must be named, and exist; numbers must be numbers."""
        await self.put()
        asked = self.ask("GET", "/bucket/key?attributes")
        await self.refused(asked, 400, "InvalidRequest")
        await self.refused(self.attributes(""), 400, "InvalidRequest")
        await self.refused(self.attributes("ETag,Color"), 400, "InvalidArgument")
        for bad in ("-1", "a", "99999999999"):
            asked = self.attributes(x_amz_max_parts=bad)
            await self.refused(asked, 400, "InvalidArgument")

    async def test_missing(self) -> None:
        """There must be an object, of that version."""
        await self.refused(self.attributes(), 404, "NoSuchKey")
        await self.put()
        asked = self.ask(
            "GET",
            f"/bucket/key?attributes&versionId={'a' * 32}",
            x_amz_object_attributes=ALL,
        )
        await self.refused(asked, 404, "NoSuchVersion")
