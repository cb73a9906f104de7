"""ListMultipartUploads."""

from __future__ import annotations

from tests.operations.uploads import PART, ObjectTestCase, Response


class ListMultipartUploadsTests(ObjectTestCase):
    """ListMultipartUploads."""

    async def list(self, query: str = "") -> Response:
        """List uploads."""
        return await self.ask("GET", f"/bucket?uploads{query}")

    async def test_empty(self) -> None:
        """A bucket without uploads has S3's empty list."""
        response = await self.list()
        self.assertEqual(response.xml().tag, "ListMultipartUploadsResult")
        self.assertEqual(
            response.names(),
            [
                "Bucket",
                "KeyMarker",
                "UploadIdMarker",
                "Prefix",
                "MaxUploads",
                "IsTruncated",
            ],
        )
        self.assertEqual(response.text("MaxUploads"), "1000")

    async def test_members(self) -> None:
        """An upload is shown with who began it, when, its class and its checksum."""
        upload_id = await self.begin(
            x_amz_checksum_algorithm="CRC32", x_amz_storage_class="GLACIER"
        )
        response = await self.list()
        upload = response.xml().find("Upload")
        assert upload is not None
        self.assertEqual(
            [child.tag for child in upload],
            [
                "Key",
                "UploadId",
                "Initiator",
                "Owner",
                "StorageClass",
                "Initiated",
                "ChecksumAlgorithm",
                "ChecksumType",
            ],
        )
        self.assertEqual(response.text("Upload/UploadId"), upload_id)
        self.assertEqual(response.text("Upload/StorageClass"), "GLACIER")
        self.assertEqual(response.text("Upload/Initiated"), "2026-11-18T11:06:40.000Z")

    async def test_order_and_pages(self) -> None:
        """Uploads come by key, then by time; pages follow one another through both markers."""
        first = await self.begin("/bucket/b")
        self.clock.advance(1)
        second = await self.begin("/bucket/b")
        third = await self.begin("/bucket/a")
        response = await self.list()
        self.assertEqual(response.texts("Upload/UploadId"), [third, first, second])
        seen: list[str] = []
        query = "&max-uploads=1"
        for last in (False, False, True):
            page = await self.list(query)
            seen += page.texts("Upload/UploadId")
            self.assertEqual(page.text("IsTruncated"), "false" if last else "true")
            query = (
                f"&max-uploads=1&key-marker={page.text('NextKeyMarker')}"
                f"&upload-id-marker={page.text('NextUploadIdMarker')}"
            )
        self.assertEqual(seen, [third, first, second])

    async def test_last_page(self) -> None:
        """A page that is the last names its end too, as S3's do: only IsTruncated says whether there is more."""
        await self.begin("/bucket/a/1")
        upload_id = await self.begin("/bucket/b")
        page = await self.list()
        self.assertEqual(page.text("IsTruncated"), "false")
        self.assertEqual(page.text("NextKeyMarker"), "b")
        self.assertEqual(page.text("NextUploadIdMarker"), upload_id)
        await self.begin("/bucket/c/1")
        page = await self.list("&delimiter=/")
        self.assertEqual(page.text("IsTruncated"), "false")
        self.assertEqual(page.text("NextKeyMarker"), "c/")
        self.assertEqual(page.text("NextUploadIdMarker"), "")

    async def test_markers(self) -> None:
        """A key-marker alone passes over that key; an upload-id-marker alone is ignored."""
        await self.begin("/bucket/a")
        other = await self.begin("/bucket/b")
        page = await self.list("&key-marker=a")
        self.assertEqual(page.texts("Upload/UploadId"), [other])
        page = await self.list(f"&upload-id-marker={other}")
        self.assertEqual(page.texts("Upload/Key"), ["a", "b"])

    async def test_prefix_and_delimiter(self) -> None:
        """Keys are chosen by prefix and rolled up at a delimiter."""
        for key in ("x/1", "x/2/3", "x/2/4", "y"):
            await self.begin(f"/bucket/{key}")
        page = await self.list("&prefix=x/&delimiter=/")
        self.assertEqual(page.texts("Upload/Key"), ["x/1"])
        self.assertEqual(page.texts("CommonPrefixes/Prefix"), ["x/2/"])
        self.assertEqual(page.text("Delimiter"), "/")

    async def test_encoding(self) -> None:
        """Keys that XML cannot carry come percent-encoded when asked for."""
        await self.begin("/bucket/a%20%7F%2F%C3%BC")
        page = await self.list("&encoding-type=url&prefix=a%20")
        self.assertEqual(page.text("Upload/Key"), "a%20%7F/%C3%BC")
        self.assertEqual(page.text("Prefix"), "a%20")
        self.assertEqual(page.text("EncodingType"), "url")
        await self.refused(self.list("&encoding-type=x"), 400, "InvalidArgument")

    async def test_limits(self) -> None:
        """More than 1000 uploads are asked for in vain; what is no number is refused."""
        page = await self.list("&max-uploads=2000")
        self.assertEqual(page.text("MaxUploads"), "1000")
        for bad in ("-1", "x", "99999999999"):
            asked = self.list(f"&max-uploads={bad}")
            await self.refused(asked, 400, "InvalidArgument")

    async def test_only_in_progress(self) -> None:
        """Completed and aborted uploads are not shown."""
        upload_id = await self.begin()
        etag = await self.part(upload_id, 1, PART)
        await self.complete(upload_id, [(1, etag)])
        upload_id = await self.begin()
        await self.ask("DELETE", f"/bucket/key?uploadId={upload_id}")
        self.assertEqual((await self.list()).texts("Upload"), [])

    async def test_no_bucket(self) -> None:
        """There must be a bucket."""
        await self.refused(self.ask("GET", "/absent?uploads"), 404, "NoSuchBucket")
