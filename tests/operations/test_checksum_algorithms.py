"""Each of S3's checksum algorithms, by every operation that takes or shows checksums.

What a multipart object's checksum can be is AWS's table ("Checking object integrity"): of all bytes for the CRCs, which
can be combined; of the parts' checksums for all others, and by choice for CRC32 and CRC32C.
"""

from __future__ import annotations

from base64 import b64encode

from ozgate.s3.checksums import ALGORITHMS
from tests.operations.uploads import LARGE, PART, SMALL, ObjectTestCase, checksum_of

HASHES = [name for name in ALGORITHMS if not name.startswith("CRC")]


def header_of(algorithm: str) -> str:
    """The header of an algorithm's values."""
    return f"x-amz-checksum-{algorithm.lower()}"


def composite_of(name: str, *bodies: bytes) -> str:
    """The checksum of parts' checksums, in base64, without their number."""
    whole = ALGORITHMS[name].new()
    for body in bodies:
        part = ALGORITHMS[name].new()
        part.update(body)
        whole.update(part.digest())
    return b64encode(whole.digest()).decode()


class ChecksumAlgorithmTests(ObjectTestCase):
    """What works with one algorithm works with all."""

    async def shown(self, target: str = "/bucket/key") -> dict[str, str]:
        """The checksum headers of a HEAD that asks for them."""
        response = await self.ask("HEAD", target, x_amz_checksum_mode="ENABLED")
        return {
            name: value
            for name, value in response.headers.items()
            if name.startswith("x-amz-checksum-")
        }

    def test_all(self) -> None:
        """They are those of S3's service model."""
        self.assertEqual(
            set(ALGORITHMS),
            {
                *("CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256", "SHA512"),
                *("MD5", "XXHASH64", "XXHASH3", "XXHASH128"),
            },
        )

    async def test_put_object(self) -> None:
        """A value in a header is checked, kept, and shown by GET, HEAD, attributes and all listings."""
        for name in ALGORITHMS:
            for body in (SMALL, LARGE):
                header, value = header_of(name), checksum_of(name, body)
                for algorithm in ({}, {"x-amz-sdk-checksum-algorithm": name}):
                    response = await self.put(body, **{header: value, **algorithm})
                    self.assertEqual(response.headers[header], value)
                shown = {header: value, "x-amz-checksum-type": "FULL_OBJECT"}
                self.assertEqual(await self.shown(), shown)
                got = await self.get(x_amz_checksum_mode="ENABLED")
                self.assertEqual(got.headers[header], value)
                told = await self.get(
                    "/bucket/key?attributes", x_amz_object_attributes="Checksum"
                )
                self.assertEqual(told.text(f"Checksum/Checksum{name}"), value)
                for target, row in (
                    ("/bucket", "Contents"),
                    ("/bucket?list-type=2", "Contents"),
                    ("/bucket?versions", "Version"),
                ):
                    listed = await self.get(target)
                    self.assertEqual(listed.texts(f"{row}/ChecksumAlgorithm"), [name])

    async def test_refused(self) -> None:
        """A value that is another's, or is no value of the algorithm, is refused wherever a body is taken."""
        upload_id = await self.begin("/bucket/upload")
        targets = ("/bucket/key", f"/bucket/upload?partNumber=1&uploadId={upload_id}")
        for name, row in ALGORITHMS.items():
            short = b64encode(bytes(row.size - 1)).decode()
            for value, code in (
                (checksum_of(name, b"other"), "BadDigest"),
                (short, "InvalidRequest"),
                (checksum_of(name, SMALL).rstrip("=") + "=A", "InvalidRequest"),
            ):
                for target in targets:
                    asked = self.ask("PUT", target, SMALL, **{row.header: value})
                    await self.refused(asked, 400, code)
        await self.refused(self.get(), 404, "NoSuchKey")

    async def test_trailers(self) -> None:
        """A value may come as a trailer, for objects and parts."""
        for name, row in ALGORITHMS.items():
            upload_id = await self.begin(x_amz_checksum_algorithm=name)
            for target in (
                "/bucket/key",
                f"/bucket/key?partNumber=1&uploadId={upload_id}",
            ):
                value = checksum_of(name, SMALL)
                encoded = b"%x\r\n%b\r\n0\r\n%b:%b\r\n\r\n" % (
                    *(len(SMALL), SMALL, row.header.encode(), value.encode()),
                )
                response = await self.ask(
                    "PUT",
                    target,
                    encoded,
                    x_amz_content_sha256="STREAMING-UNSIGNED-PAYLOAD-TRAILER",
                    x_amz_decoded_content_length=str(len(SMALL)),
                    x_amz_trailer=row.header,
                    x_amz_sdk_checksum_algorithm=name,
                )
                self.assertEqual(response.status, 200, response.body)
                self.assertEqual(response.headers[row.header], value)

    async def test_documents(self) -> None:
        """A document may come with any of them."""
        await self.put()
        document = b"<Tagging><TagSet/></Tagging>"
        for name, row in ALGORITHMS.items():
            for body, status in ((document, 200), (b"other", 400)):
                value = {row.header: checksum_of(name, body)}
                asked = await self.ask("PUT", "/bucket/key?tagging", document, **value)
                self.assertEqual(asked.status, status, name)

    async def test_composite(self) -> None:
        """An upload with a hash has that of its parts' hashes, from the first answer to the last."""
        for name in HASHES:
            header, where = header_of(name), "/bucket/key"
            begun = await self.ask(
                "POST", f"{where}?uploads", x_amz_checksum_algorithm=name
            )
            self.assertEqual(begun.headers["x-amz-checksum-algorithm"], name)
            self.assertEqual(begun.headers["x-amz-checksum-type"], "COMPOSITE")
            upload = f"uploadId={begun.text('UploadId')}"
            listed = await self.get("/bucket?uploads")
            self.assertEqual(listed.texts("Upload/ChecksumAlgorithm"), [name])
            parts, sums = [], []
            for number, body in enumerate((PART, LARGE), 1):
                value = checksum_of(name, body)
                target = f"{where}?partNumber={number}&{upload}"
                sent = await self.ask("PUT", target, body, **{header: value})
                self.assertEqual(sent.headers[header], value)
                parts.append((number, sent.headers["etag"]))
                sums.append({name: value})
            listed = await self.get(f"{where}?{upload}")
            self.assertEqual(listed.text("ChecksumAlgorithm"), name)
            self.assertEqual(
                listed.texts(f"Part/Checksum{name}"), [each[name] for each in sums]
            )
            value = composite_of(name, PART, LARGE)
            wrong = {header: checksum_of(name, PART + LARGE)}
            upload_id = upload.partition("=")[2]
            asked = self.complete(upload_id, parts, checksums=sums, **wrong)
            await self.refused(asked, 400, "BadDigest")
            done = await self.complete(
                upload_id, parts, checksums=sums, **{header: value}
            )
            self.assertEqual(done.text(f"Checksum{name}"), f"{value}-2")
            shown = {header: f"{value}-2", "x-amz-checksum-type": "COMPOSITE"}
            self.assertEqual(await self.shown(), shown)
            self.assertEqual(
                await self.shown("/bucket/key?partNumber=2"),
                {**shown, header: sums[1][name]},
            )
            told = await self.get(
                "/bucket/key?attributes", x_amz_object_attributes="ObjectParts"
            )
            self.assertEqual(
                told.texts(f"ObjectParts/Part/Checksum{name}"),
                [each[name] for each in sums],
            )

    async def test_full_object(self) -> None:
        """Hashes of parts do not give that of the whole, so that no upload can have it."""
        for name in HASHES:
            asked = self.ask(
                "POST",
                "/bucket/key?uploads",
                x_amz_checksum_algorithm=name,
                x_amz_checksum_type="FULL_OBJECT",
            )
            response = await self.refused(asked, 400, "InvalidRequest")
            self.assertEqual(
                response.text("Message"),
                f"The FULL_OBJECT checksum type cannot be used with the {name.lower()} checksum algorithm.",
            )

    async def test_copies(self) -> None:
        """A copy has the algorithm that is asked for, a part of a copy that of its upload."""
        for body in (SMALL, LARGE):
            await self.put(body, "/bucket/source")
            for name in ALGORITHMS:
                value = checksum_of(name, body)
                copied = await self.ask(
                    "PUT",
                    "/bucket/copy",
                    x_amz_copy_source="/bucket/source",
                    x_amz_checksum_algorithm=name,
                )
                self.assertEqual(copied.text(f"Checksum{name}"), value)
                self.assertEqual(
                    (await self.shown("/bucket/copy"))[header_of(name)], value
                )
                upload_id = await self.begin(x_amz_checksum_algorithm=name)
                part = await self.ask(
                    "PUT",
                    f"/bucket/key?partNumber=1&uploadId={upload_id}",
                    x_amz_copy_source="/bucket/source",
                )
                self.assertEqual(part.text(f"Checksum{name}"), value)
