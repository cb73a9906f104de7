"""UploadPartCopy."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.operations.uploads import (
    LARGE,
    PART,
    SMALL,
    UNKNOWN_UPLOAD,
    ObjectTestCase,
    Response,
    checksum_of,
    etag_of,
    multipart_etag_of,
)


class UploadPartCopyTests(ObjectTestCase):
    """UploadPartCopy."""

    async def copy(
        self,
        upload_id: str,
        number: int = 1,
        source: str = "/bucket/key",
        **headers: str,
    ) -> Response:
        """Make a part of an object."""
        target = f"/bucket/target?partNumber={number}&uploadId={upload_id}"
        return await self.ask("PUT", target, x_amz_copy_source=source, **headers)

    async def copy_range(
        self,
        upload_id: str,
        number: int,
        start: int,
        length: int,
        source: str = "/bucket/key",
    ) -> Response:
        """Make a part of so many bytes of an object."""
        wanted = f"bytes={start}-{start + length - 1}"
        return await self.copy(
            upload_id, number, source, x_amz_copy_source_range=wanted
        )

    @contextmanager
    def nothing_readable(self) -> Iterator[None]:
        """While this lasts, there are no blobs to be read."""
        blobs: Any = self.client.gateway.blobs.default
        kept, blobs.data = blobs.data, {}
        yield
        blobs.data = kept

    async def finish(self, upload_id: str, *parts: Response) -> Response:
        """Complete with parts copied, numbered from 1, and get the object."""
        listed = [
            (number, part.text("ETag") or "") for number, part in enumerate(parts, 1)
        ]
        done = await self.complete(upload_id, listed, "/bucket/target")
        self.assertEqual(done.status, 200, done.body)
        return await self.get("/bucket/target", x_amz_checksum_mode="ENABLED")

    async def test_whole(self) -> None:
        """A part of a whole object has its MD5 as ETag and shares its blob, unless it was in the row."""
        for body, blobs in ((LARGE, 0), (SMALL, 1), (b"", 0)):
            await self.put(body)
            upload_id = await self.begin("/bucket/target")
            count = len(self.client.gateway.blobs.default.data)
            response = await self.copy(upload_id)
            self.assertEqual(response.status, 200)
            self.assertEqual(response.xml().tag, "CopyPartResult")
            self.assertEqual(response.names(), ["LastModified", "ETag"])
            self.assertEqual(response.text("ETag"), etag_of(body))
            self.assertEqual(len(self.client.gateway.blobs.default.data), count + blobs)
            await self.ask("DELETE", "/bucket/key")
            got = await self.finish(upload_id, response)
            self.assertEqual(got.body, body)
            self.assertEqual(
                got.headers["x-amz-checksum-crc64nvme"], checksum_of("CRC64NVME", body)
            )
            self.assert_no_reader()

    async def test_ranges(self) -> None:
        """A part of a range has the MD5 of these bytes, and shares the blob."""
        await self.put(PART + LARGE)
        upload_id = await self.begin("/bucket/target")
        count = len(self.client.gateway.blobs.default.data)
        first = await self.copy(
            upload_id, 1, x_amz_copy_source_range=f"bytes=7-{len(PART) + 6}"
        )
        second = await self.copy(upload_id, 2, x_amz_copy_source_range="bytes=0-6")
        data = (PART + LARGE)[7 : len(PART) + 7]
        self.assertEqual(first.text("ETag"), etag_of(data))
        self.assertEqual(len(self.client.gateway.blobs.default.data), count)
        got = await self.finish(upload_id, first, second)
        self.assertEqual(got.body, data + PART[:7])
        self.assertEqual(got.headers["etag"], multipart_etag_of(data, PART[:7]))
        self.assertEqual(
            got.headers["x-amz-checksum-crc64nvme"],
            checksum_of("CRC64NVME", data + PART[:7]),
        )
        self.assert_no_reader()

    async def test_range_of_inline_source(self) -> None:
        """A range of an object in the row becomes a blob of its own."""
        await self.put()
        upload_id = await self.begin("/bucket/target")
        part = await self.copy(upload_id, x_amz_copy_source_range="bytes=2-5")
        self.assertEqual(part.text("ETag"), etag_of(SMALL[2:6]))
        self.assertEqual((await self.finish(upload_id, part)).body, SMALL[2:6])

    async def test_multipart_source(self) -> None:
        """A multipart source's ETag is no MD5: the bytes of the part are read for it."""
        await self.upload(PART, LARGE)
        upload_id = await self.begin("/bucket/target")
        whole = await self.copy(upload_id)
        self.assertEqual(whole.text("ETag"), etag_of(PART + LARGE))
        border = await self.copy(
            upload_id, x_amz_copy_source_range=f"bytes=9-{len(PART) + 9}"
        )
        self.assertEqual(
            border.text("ETag"), etag_of((PART + LARGE)[9 : len(PART) + 10])
        )
        self.assertEqual(
            (await self.finish(upload_id, border)).body,
            (PART + LARGE)[9 : len(PART) + 10],
        )

    async def refuse_what_is_no_part(self, upload_id: str) -> None:
        """Ranges of PART, PART and LARGE that are none of the three, while nothing can be read."""
        size = len(PART)
        for start, length in (
            *((1, size), (1, size - 1), (0, size + 1), (0, size - 1)),
            *((size, size + 1), (0, 2 * size), (0, 2 * size + len(LARGE))),
            *((2 * size, 5), (2 * size + 1, len(LARGE) - 1)),
        ):
            asked = self.copy_range(upload_id, 9, start, length)
            await self.refused(asked, 500, "InternalError")

    async def test_one_part_of_source(self) -> None:
        """A copy of just one part of the source reads nothing, whatever its number; of anything else, it must."""
        bodies = (PART, PART[::-1], LARGE)
        source = b"".join(bodies)
        for algorithm, kind, numbers in (
            ("", "", (2, 3, 9999)),
            ("CRC32", "FULL_OBJECT", (1, 7000, 10000)),
            ("SHA256", "COMPOSITE", (1, 2, 3)),
        ):
            headers, sums = {}, list[dict[str, str]]()
            if algorithm:
                headers = {
                    "x_amz_checksum_algorithm": algorithm,
                    "x_amz_checksum_type": kind,
                }
                sums = [{algorithm: checksum_of(algorithm, body)} for body in bodies]
            upload_id = await self.begin(**headers)
            listed = []
            for number, body in zip(numbers, bodies, strict=True):
                stated = {}
                if algorithm:
                    header = f"x_amz_checksum_{algorithm.lower()}"
                    stated = {header: checksum_of(algorithm, body)}
                etag = await self.part(upload_id, number, body, **stated)
                listed.append((number, etag))
            done = await self.complete(upload_id, listed, "/bucket/key", sums)
            self.assertEqual(done.status, 200, done.body)
            upload_id = await self.begin("/bucket/target", **headers)
            with self.nothing_readable():
                copied, start = [], 0
                for number, body in enumerate(bodies, 1):
                    part = await self.copy_range(upload_id, number, start, len(body))
                    self.assertEqual(part.text("ETag"), etag_of(body), part.body)
                    if algorithm:
                        self.assertEqual(
                            part.text(f"Checksum{algorithm}"),
                            checksum_of(algorithm, body),
                        )
                    copied.append((number, part.text("ETag") or ""))
                    start += len(body)
                await self.refuse_what_is_no_part(upload_id)
            done = await self.complete(upload_id, copied, "/bucket/target", sums)
            self.assertEqual(done.status, 200, done.body)
            self.assertEqual((await self.get("/bucket/target")).body, source)
            self.assert_no_reader()

    async def test_one_part_of_a_copy(self) -> None:
        """Nor does a copy of a part of a copy, and of all of an object whose one part was a copy."""
        await self.upload(PART, LARGE)
        await self.ask("PUT", "/bucket/copy", x_amz_copy_source="/bucket/key")
        with self.nothing_readable():
            upload_id = await self.begin("/bucket/target")
            part = await self.copy_range(upload_id, 1, 0, len(PART), "/bucket/copy")
            self.assertEqual(part.text("ETag"), etag_of(PART))
            listed = [(1, part.text("ETag") or "")]
            done = await self.complete(upload_id, listed, "/bucket/target")
            self.assertEqual(done.status, 200, done.body)
            upload_id = await self.begin("/bucket/target")
            part = await self.copy(upload_id, 1, "/bucket/target")
            self.assertEqual(part.text("ETag"), etag_of(PART))

    async def test_md5(self) -> None:
        """Nor does one for an upload of MD5s, since they are the ETags."""
        await self.put(LARGE)
        upload_id = await self.begin("/bucket/target", x_amz_checksum_algorithm="MD5")
        with self.nothing_readable():
            part = await self.copy(upload_id)
            self.assertEqual(part.text("ChecksumMD5"), checksum_of("MD5", LARGE))

    async def test_checksums(self) -> None:
        """The part has a checksum of the upload's algorithm, shown in the answer."""
        await self.put(LARGE)
        for name in ("CRC32", "SHA256", "CRC64NVME"):
            upload_id = await self.begin(
                "/bucket/target", x_amz_checksum_algorithm=name
            )
            part = await self.copy(upload_id)
            value = checksum_of(name, LARGE)
            self.assertEqual(part.text(f"Checksum{name}"), value)
            done = await self.complete(
                upload_id,
                [(1, part.text("ETag") or "")],
                "/bucket/target",
                [{name: value}],
            )
            self.assertEqual(done.status, 200, done.body)

    async def test_known_checksum(self) -> None:
        """A checksum that the source has is taken from it."""
        await self.put(LARGE, x_amz_checksum_crc32=checksum_of("CRC32", LARGE))
        upload_id = await self.begin("/bucket/target", x_amz_checksum_algorithm="CRC32")
        (blob,) = await self.blobs_named()
        data = self.client.gateway.blobs.default.data
        kept = data.pop(blob)
        part = await self.copy(upload_id)
        data[blob] = kept
        self.assertEqual(part.text("ChecksumCRC32"), checksum_of("CRC32", LARGE))

    async def test_bad_ranges(self) -> None:
        """A range must have both ends, inside the source."""
        await self.put()
        upload_id = await self.begin("/bucket/target")
        size = len(SMALL)
        for bad in ("bytes=0-", "bytes=-5", "0-5", "bytes=5-2", f"bytes=0-{size}", ""):
            asked = self.copy(upload_id, x_amz_copy_source_range=bad)
            await self.refused(asked, 400, "InvalidArgument")

    async def test_no_upload(self) -> None:
        """There must be an upload of that key."""
        await self.put()
        response = await self.refused(self.copy(UNKNOWN_UPLOAD), 404, "NoSuchUpload")
        self.assertEqual(response.text("UploadId"), UNKNOWN_UPLOAD)
        other = await self.begin("/bucket/elsewhere")
        await self.refused(self.copy(other), 404, "NoSuchUpload")
        upload_id = await self.begin("/bucket/target")
        await self.refused(self.copy(upload_id, 0), 400, "InvalidArgument")

    async def test_bad_sources(self) -> None:
        """There must be a source that the conditions hold for."""
        await self.put()
        upload_id = await self.begin("/bucket/target")
        asked = self.copy(upload_id, source="/bucket/absent")
        await self.refused(asked, 404, "NoSuchKey")
        asked = self.copy(upload_id, x_amz_copy_source_if_match='"other"')
        await self.refused(asked, 412, "PreconditionFailed")
        await self.add_objects("huge", size=(5 << 30) + 1)
        asked = self.copy(upload_id, source="/bucket/huge")
        await self.refused(asked, 400, "InvalidRequest")
