"""Bodies in chunks that are not signed, at both operations that take them: what is a body, and what is none."""

from __future__ import annotations

from collections.abc import Awaitable

from tests.operations.uploads import SMALL, ObjectTestCase, Response, checksum_of

CRC = "x-amz-checksum-crc32"
VALUE = checksum_of("CRC32", b"hello")
BODY = b"5\r\nhello\r\n0\r\n"
TRAILER = f"{CRC}:{VALUE}".encode()


class ChunkedBodyTests(ObjectTestCase):
    """PutObject and UploadPart, each asked alike."""

    async def targets(self) -> tuple[str, str]:
        """An object, and a part of an upload."""
        upload_id = await self.begin("/bucket/upload")
        return "/bucket/key", f"/bucket/upload?partNumber=1&uploadId={upload_id}"

    def send(
        self, target: str, encoded: bytes, announced: bool = True
    ) -> Awaitable[Response]:
        """Send a body of five bytes in that coding."""
        headers = {
            "x_amz_content_sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
            "x_amz_decoded_content_length": "5",
            "content_encoding": "aws-chunked",
        }
        if announced:
            headers["x_amz_trailer"] = CRC
        return self.ask("PUT", target, encoded, **headers)

    async def test_trailer_lines(self) -> None:
        """A trailer may end in a bare LF with empty lines after it, as minio-go and mc send it: it is checked all the same."""
        for target in await self.targets():
            for end in (b"\r\n\r\n", b"\n\r\n", b"\n\r\n\r\n", b"\r\n\r\n\r\n\r\n"):
                response = await self.send(target, BODY + TRAILER + end)
                self.assertEqual(response.status, 200, response.body)
                self.assertEqual(response.headers[CRC], VALUE)
                wrong = f"{CRC}:{checksum_of('CRC32', b'other')}".encode() + end
                await self.refused(self.send(target, BODY + wrong), 400, "BadDigest")
        self.assertEqual((await self.get()).body, b"hello")

    async def test_no_trailer(self) -> None:
        """A body without a trailer needs none, and may have empty lines at its end."""
        for target in await self.targets():
            for end in (b"\r\n", b"\r\n\r\n"):
                response = await self.send(target, BODY + end, announced=False)
                self.assertEqual(response.status, 200, response.body)

    async def test_bad_trailers(self) -> None:
        """A trailer that is missing, another, doubled or no header is malformed; nothing is stored."""
        for target in await self.targets():
            for lines in (
                b"",
                b"x-amz-checksum-sha1:AAAA\r\n",
                TRAILER.replace(b":", b"") + b"\r\n",
                (TRAILER + b"\r\n") * 2,
            ):
                asked = self.send(target, BODY + lines + b"\r\n")
                await self.refused(asked, 400, "MalformedTrailerError")
        await self.refused(self.get(), 404, "NoSuchKey")

    async def test_broken_framing(self) -> None:
        """Framing that is broken, however it is, is a body that is not complete; nothing is stored."""
        end = b"\r\n"
        for target in await self.targets():
            for encoded in (
                b"3\r\nhello\r\n0\r\n" + end,
                b"6\r\nhello\r\n0\r\n" + end,
                b"5\r\nhello0\r\n" + end,
                b"5\r\nhello\n0\r\n" + end,
                b"5\nhello\r\n0\r\n" + end,
                b"5hello\r\n0\r\n" + end,
                b"five\r\nhello\r\n0\r\n" + end,
                b"-5\r\nhello\r\n0\r\n" + end,
                b"0x5\r\nhello\r\n0\r\n" + end,
                b"\r\nhello\r\n0\r\n" + end,
                b"5;name=value\r\nhello\r\n0\r\n" + end,
                b"5;chunk-signature=" + b"0" * 64 + b"\r\nhello\r\n0\r\n" + end,
                b"5\r\nhello\r\n0\n" + end,
                b"5\r\nhello\r\n" + end,
                b"5\r\nhello\r\n",
                BODY,
                BODY + b"\r",
                BODY + end + b"x",
                BODY + end + b"5\r\nhello\r\n0\r\n\r\n",
                BODY + end + TRAILER + end,
                BODY + end * 2049,
                b"hello",
                b"",
            ):
                asked = self.send(target, encoded, announced=False)
                await self.refused(asked, 400, "IncompleteBody")
        await self.refused(self.get(), 404, "NoSuchKey")
        self.assertEqual(self.client.gateway.blobs.default.data, {})

    async def test_next_request(self) -> None:
        """What follows a body's end in its own frame is no request, and the connection goes on behind it."""
        request = b"DELETE /bucket/kept HTTP/1.1\r\nHost: localhost\r\n\r\n"
        await self.put(target="/bucket/kept")
        for target in await self.targets():
            await self.refused(
                self.send(target, BODY + TRAILER + b"\n\r\n\r\n" + request),
                400,
                "IncompleteBody",
            )
        self.assertEqual((await self.get("/bucket/kept")).body, SMALL)
