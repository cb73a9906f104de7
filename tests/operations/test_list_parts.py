"""ListParts."""

from __future__ import annotations

from tests.operations.uploads import (
    SMALL,
    UNKNOWN_UPLOAD,
    ObjectTestCase,
    Response,
    checksum_of,
    etag_of,
)


class ListPartsTests(ObjectTestCase):
    """ListParts."""

    async def list(self, upload_id: str, query: str = "") -> Response:
        """List parts."""
        return await self.ask("GET", f"/bucket/key?uploadId={upload_id}{query}")

    async def test_answer(self) -> None:
        """Parts come by number with ETag, size and time; the rest of S3's members is there."""
        upload_id = await self.begin(x_amz_storage_class="STANDARD_IA")
        await self.part(upload_id, 10, SMALL)
        await self.part(upload_id, 2, b"x")
        response = await self.list(upload_id)
        self.assertEqual(response.xml().tag, "ListPartsResult")
        self.assertEqual(
            response.names(),
            [
                "Bucket",
                "Key",
                "UploadId",
                "Initiator",
                "Owner",
                "StorageClass",
                "PartNumberMarker",
                "NextPartNumberMarker",
                "MaxParts",
                "IsTruncated",
                "Part",
                "Part",
            ],
        )
        self.assertEqual(response.texts("Part/PartNumber"), ["2", "10"])
        self.assertEqual(response.texts("Part/Size"), ["1", str(len(SMALL))])
        self.assertEqual(response.texts("Part/ETag"), [etag_of(b"x"), etag_of(SMALL)])
        self.assertEqual(
            response.texts("Part/LastModified")[0], "2026-11-18T11:06:40.000Z"
        )
        self.assertEqual(response.text("StorageClass"), "STANDARD_IA")
        self.assertEqual(response.text("NextPartNumberMarker"), "10")
        self.assertEqual(response.text("IsTruncated"), "false")

    async def test_pages(self) -> None:
        """Pages follow one another, the last one says that it is."""
        upload_id = await self.begin()
        for number in (1, 3, 5):
            await self.part(upload_id, number, SMALL)
        page = await self.list(upload_id, "&max-parts=2")
        self.assertEqual(page.texts("Part/PartNumber"), ["1", "3"])
        self.assertEqual(page.text("IsTruncated"), "true")
        self.assertEqual(page.text("NextPartNumberMarker"), "3")
        page = await self.list(upload_id, "&max-parts=2&part-number-marker=3")
        self.assertEqual(page.texts("Part/PartNumber"), ["5"])
        self.assertEqual(page.text("IsTruncated"), "false")
        page = await self.list(upload_id, "&max-parts=3")
        self.assertEqual(page.text("IsTruncated"), "false")
        page = await self.list(upload_id, "&max-parts=0")
        self.assertEqual(page.texts("Part"), [])

    async def test_limits(self) -> None:
        """More than 1000 parts are asked for in vain; what is no number is refused."""
        upload_id = await self.begin()
        page = await self.list(upload_id, "&max-parts=5000")
        self.assertEqual(page.text("MaxParts"), "1000")
        for query in ("&max-parts=-1", "&max-parts=x", "&part-number-marker=x"):
            await self.refused(self.list(upload_id, query), 400, "InvalidArgument")

    async def test_checksums(self) -> None:
        """The upload's algorithm and each part's checksum are shown."""
        upload_id = await self.begin(x_amz_checksum_algorithm="SHA1")
        value = checksum_of("SHA1", SMALL)
        await self.part(upload_id, 1, SMALL, x_amz_checksum_sha1=value)
        response = await self.list(upload_id)
        self.assertEqual(response.text("ChecksumAlgorithm"), "SHA1")
        self.assertEqual(response.text("ChecksumType"), "COMPOSITE")
        self.assertEqual(response.text("Part/ChecksumSHA1"), value)

    async def test_missing(self) -> None:
        """There must be such an upload."""
        await self.refused(self.list(UNKNOWN_UPLOAD), 404, "NoSuchUpload")

    async def test_owners(self) -> None:
        """The initiator is who began the upload, the owner is the bucket's."""
        await self.grant("user:somebody:w")
        other = self.client.as_user("somebody")
        begun = await other.request("POST", "/bucket/key?uploads")
        response = await self.list(begun.text("UploadId") or "")
        self.assertEqual(response.text("Initiator/DisplayName"), "somebody")
        self.assertEqual(response.text("Owner/DisplayName"), "testuser")
