"""CreateMultipartUpload."""

from __future__ import annotations

from ozgate.s3.perform.multipart import new_upload_id
from tests.operations.uploads import PART, ObjectTestCase


class CreateMultipartUploadTests(ObjectTestCase):
    """CreateMultipartUpload."""

    async def test_answer(self) -> None:
        """The answer names bucket, key and upload; without an algorithm it says nothing of checksums."""
        response = await self.ask("POST", "/bucket/a%20b?uploads")
        self.assertEqual(response.status, 200)
        self.assertEqual(response.xml().tag, "InitiateMultipartUploadResult")
        self.assertEqual(response.names(), ["Bucket", "Key", "UploadId"])
        self.assertEqual(response.text("Key"), "a b")
        self.assertNotIn("x-amz-checksum-algorithm", response.headers)

    async def test_nothing_visible(self) -> None:
        """An upload is no object."""
        await self.begin()
        await self.refused(self.get(), 404, "NoSuchKey")

    def test_ids(self) -> None:
        """Ids sort by their time and are never the same."""
        ids = [new_upload_id(1_795_000_000 + n / 1000) for n in (0, 1, 1000, 10**9)]
        self.assertEqual(ids, sorted(ids))
        self.assertNotEqual(new_upload_id(1.0), new_upload_id(1.0))

    async def test_headers_kept(self) -> None:
        """What is stated here belongs to the object in the end."""
        upload_id = await self.begin(
            content_type="text/plain",
            x_amz_meta_a="1",
            x_amz_tagging="t=1",
            x_amz_storage_class="STANDARD_IA",
        )
        etag = await self.part(upload_id, 1, PART)
        await self.complete(upload_id, [(1, etag)])
        headers = (await self.ask("HEAD", "/bucket/key")).headers
        self.assertEqual(headers["content-type"], "text/plain")
        self.assertEqual(headers["x-amz-meta-a"], "1")
        self.assertEqual(headers["x-amz-tagging-count"], "1")
        self.assertEqual(headers["x-amz-storage-class"], "STANDARD_IA")

    async def test_checksum_types(self) -> None:
        """Each algorithm has its default type, and the types it can have."""
        for algorithm, kind, shown in (
            ("CRC32", None, "COMPOSITE"),
            ("CRC32", "FULL_OBJECT", "FULL_OBJECT"),
            ("crc32c", "composite", "COMPOSITE"),
            ("CRC64NVME", None, "FULL_OBJECT"),
            ("CRC64NVME", "FULL_OBJECT", "FULL_OBJECT"),
            ("SHA1", None, "COMPOSITE"),
            ("SHA256", "COMPOSITE", "COMPOSITE"),
        ):
            headers = {"x-amz-checksum-algorithm": algorithm}
            if kind is not None:
                headers["x-amz-checksum-type"] = kind
            response = await self.client.request("POST", "/bucket/k?uploads", headers)
            self.assertEqual(
                response.headers["x-amz-checksum-algorithm"], algorithm.upper()
            )
            self.assertEqual(response.headers["x-amz-checksum-type"], shown)

    async def test_bad_checksum_types(self) -> None:
        """What does not go together is refused in AWS's words."""
        for algorithm, kind, message in (
            (
                "CRC64NVME",
                "COMPOSITE",
                "The COMPOSITE checksum type cannot be used with the crc64nvme checksum algorithm.",
            ),
            (
                "SHA256",
                "FULL_OBJECT",
                "The FULL_OBJECT checksum type cannot be used with the sha256 checksum algorithm.",
            ),
            (
                None,
                "FULL_OBJECT",
                "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.",
            ),
            ("CRC32", "HALF", "Value for x-amz-checksum-type header is invalid."),
            (
                "CRC16",
                None,
                "Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256, SHA512, MD5, XXHASH64, XXHASH3, XXHASH128]",
            ),
        ):
            headers = {
                "x-amz-checksum-algorithm": algorithm,
                "x-amz-checksum-type": kind,
            }
            given = {name: value for name, value in headers.items() if value}
            asked = self.client.request("POST", "/bucket/key?uploads", given)
            response = await self.refused(asked, 400, "InvalidRequest")
            self.assertEqual(response.text("Message"), message)

    async def test_refused(self) -> None:
        """There must be a bucket, and nothing asked that is not built."""
        asked = self.ask("POST", "/absent/key?uploads")
        await self.refused(asked, 404, "NoSuchBucket")
        asked = self.ask("POST", "/bucket/key?uploads", x_amz_acl="public-read")
        await self.refused(asked, 400, "AccessControlListNotSupported")
        for tags in ("=", "=v", "k=%zz", "a=1&a=2"):
            asked = self.ask("POST", "/bucket/key?uploads", x_amz_tagging=tags)
            await self.refused(asked, 400, "InvalidArgument")
        asked = self.ask(
            "POST", "/bucket/key?uploads", x_amz_server_side_encryption="AES256"
        )
        await self.refused(asked, 501, "NotImplemented")
