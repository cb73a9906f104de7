"""UploadPart."""

from __future__ import annotations

from base64 import b64encode
from hashlib import md5

from tests.operations.uploads import (
    LARGE,
    PART,
    SMALL,
    UNKNOWN_UPLOAD,
    ObjectTestCase,
    Response,
    checksum_of,
    doomed_ids,
    etag_of,
)


class UploadPartTests(ObjectTestCase):
    """UploadPart."""

    async def send(
        self, upload_id: str, number: int | str = 1, body: bytes = SMALL, **headers: str
    ) -> Response:
        """Upload a part."""
        target = f"/bucket/key?partNumber={number}&uploadId={upload_id}"
        return await self.ask("PUT", target, body, **headers)

    async def test_answer(self) -> None:
        """The answer has the part's MD5, and a checksum if one was sent; the upload has no algorithm that would ask for one."""
        upload_id = await self.begin()
        response = await self.send(upload_id)
        self.assertEqual((response.status, response.body), (200, b""))
        self.assertEqual(response.headers["etag"], etag_of(SMALL))
        self.assertNotIn("x-amz-checksum-crc64nvme", response.headers)
        value = checksum_of("CRC32", LARGE)
        response = await self.send(upload_id, 2, LARGE, x_amz_checksum_crc32=value)
        self.assertEqual(response.headers["x-amz-checksum-crc32"], value)

    async def test_never_in_the_row(self) -> None:
        """A part is a blob however small; only an empty one is none."""
        upload_id = await self.begin()
        await self.send(upload_id, body=b"x")
        self.assertEqual(len(self.client.gateway.blobs.default.data), 1)
        await self.send(upload_id, 2, b"")
        self.assertEqual(len(self.client.gateway.blobs.default.data), 1)

    async def test_numbers(self) -> None:
        """Part numbers are from 1 to 10000."""
        upload_id = await self.begin()
        for number in (1, 10000):
            self.assertEqual((await self.send(upload_id, number)).status, 200)
        for bad in (0, 10001, -1, "x", "1.5", "%2B1"):
            response = await self.refused(
                self.send(upload_id, bad), 400, "InvalidArgument"
            )
            self.assertEqual(
                response.text("Message"),
                "Part number must be an integer between 1 and 10000, inclusive",
            )

    async def test_last_wins(self) -> None:
        """A part sent again replaces the first, whose blob is doomed."""
        upload_id = await self.begin()
        await self.part(upload_id, 1, LARGE)
        etag = await self.part(upload_id, 1, PART)
        doomed = await self.look(doomed_ids)
        self.assertEqual(len(doomed), 1)
        await self.complete(upload_id, [(1, etag)])
        self.assertEqual((await self.get()).body, PART)

    async def test_no_upload(self) -> None:
        """There must be an upload of that key; the body is not taken otherwise."""
        wrong = b64encode(md5(b"other").digest()).decode()
        response = await self.refused(
            self.send(UNKNOWN_UPLOAD, content_md5=wrong), 404, "NoSuchUpload"
        )
        self.assertEqual(response.text("UploadId"), UNKNOWN_UPLOAD)
        other = await self.begin("/bucket/other")
        await self.refused(self.send(other), 404, "NoSuchUpload")
        self.assertEqual(self.client.gateway.blobs.default.data, {})

    async def test_upload_over(self) -> None:
        """An upload that was completed or aborted takes no part any more."""
        upload_id = await self.begin()
        etag = await self.part(upload_id, 1, PART)
        await self.complete(upload_id, [(1, etag)])
        await self.refused(self.send(upload_id), 404, "NoSuchUpload")
        upload_id = await self.begin()
        await self.ask("DELETE", f"/bucket/key?uploadId={upload_id}")
        await self.refused(self.send(upload_id), 404, "NoSuchUpload")

    async def test_digests(self) -> None:
        """A wrong digest is refused, and leaves no part."""
        upload_id = await self.begin()
        wrong = b64encode(md5(b"other").digest()).decode()
        for body in (SMALL, LARGE):
            asked = self.send(upload_id, body=body, content_md5=wrong)
            await self.refused(asked, 400, "BadDigest")
        listed = await self.ask("GET", f"/bucket/key?uploadId={upload_id}")
        self.assertEqual(listed.texts("Part"), [])

    async def test_algorithm(self) -> None:
        """A checksum must be of the upload's algorithm, and be there for a composite one."""
        upload_id = await self.begin(x_amz_checksum_algorithm="CRC32")
        good = {"x_amz_checksum_crc32": checksum_of("CRC32", SMALL)}
        self.assertEqual((await self.send(upload_id, **good)).status, 200)
        other = {"x_amz_checksum_crc32c": checksum_of("CRC32C", SMALL)}
        response = await self.refused(
            self.send(upload_id, **other), 400, "InvalidRequest"
        )
        self.assertEqual(
            response.text("Message"),
            "Checksum Type mismatch occurred, expected checksum Type: crc32, actual checksum Type: crc32c",
        )
        response = await self.refused(self.send(upload_id), 400, "InvalidRequest")
        self.assertEqual(
            response.text("Message"),
            "Checksum Type mismatch occurred, expected checksum Type: crc32, actual checksum Type: null",
        )

    async def test_full_object_algorithm(self) -> None:
        """Where the object's checksum is of the whole, parts may come without one: the answer has what was computed."""
        for name in ("CRC32", "CRC32C", "CRC64NVME"):
            upload_id = await self.begin(
                x_amz_checksum_algorithm=name, x_amz_checksum_type="FULL_OBJECT"
            )
            for number, body in enumerate((SMALL, LARGE, b""), 1):
                response = await self.send(upload_id, number, body)
                self.assertEqual(response.status, 200)
                header = f"x-amz-checksum-{name.lower()}"
                self.assertEqual(response.headers[header], checksum_of(name, body))

    async def test_encryption(self) -> None:
        """A part cannot be encrypted with a customer's key."""
        upload_id = await self.begin()
        asked = self.send(
            upload_id, x_amz_server_side_encryption_customer_algorithm="AES256"
        )
        await self.refused(asked, 501, "NotImplemented")
