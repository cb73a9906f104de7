"""Checksums in CompleteMultipartUpload: of parts, and of the object."""

from __future__ import annotations

from ozgate.s3.checksums import composite
from tests.operations.uploads import LARGE, PART, ObjectTestCase, checksum_of


class ChecksumTests(ObjectTestCase):
    """Checksums of completed uploads."""

    async def parts_of(
        self, algorithm: str, **headers: str
    ) -> tuple[str, list[tuple[int, str]], list[dict[str, str]]]:
        """An upload with a checksum algorithm and two parts that have it."""
        upload_id = await self.begin(x_amz_checksum_algorithm=algorithm, **headers)
        parts, checksums = [], []
        for number, body in ((1, PART), (2, LARGE)):
            value = checksum_of(algorithm, body)
            header = {f"x-amz-checksum-{algorithm.lower()}": value}
            parts.append((number, await self.part(upload_id, number, body, **header)))
            checksums.append({algorithm: value})
        return upload_id, parts, checksums

    async def test_composite(self) -> None:
        """A composite checksum is that of the parts' checksums, with their number."""
        for algorithm in ("CRC32", "CRC32C", "SHA1", "SHA256"):
            upload_id, parts, checksums = await self.parts_of(algorithm)
            value = composite(algorithm, [each[algorithm] for each in checksums])
            header = f"x-amz-checksum-{algorithm.lower()}"
            for stated in (value, value.removesuffix("-2")):
                response = await self.complete(
                    upload_id, parts, checksums=checksums, **{header: stated}
                )
                self.assertEqual(response.status, 200, response.body)
            self.assertEqual(response.text(f"Checksum{algorithm}"), value)
            self.assertEqual(response.text("ChecksumType"), "COMPOSITE")
            got = await self.ask("HEAD", "/bucket/key", x_amz_checksum_mode="ENABLED")
            self.assertEqual(got.headers[header], value)
            self.assertEqual(got.headers["x-amz-checksum-type"], "COMPOSITE")

    async def test_full_object(self) -> None:
        """A full-object checksum is that of all bytes."""
        for algorithm in ("CRC32", "CRC32C", "CRC64NVME"):
            upload_id, parts, _ = await self.parts_of(
                algorithm, x_amz_checksum_type="FULL_OBJECT"
            )
            value = checksum_of(algorithm, PART + LARGE)
            header = f"x-amz-checksum-{algorithm.lower()}"
            response = await self.complete(
                upload_id, parts, x_amz_checksum_type="FULL_OBJECT", **{header: value}
            )
            self.assertEqual(response.text(f"Checksum{algorithm}"), value)
            self.assertEqual(response.text("ChecksumType"), "FULL_OBJECT")

    async def test_algorithm_of_the_sdk(self) -> None:
        """What an SDK says of its checksums is no parameter of Complete, and changes nothing."""
        upload_id, parts, checksums = await self.parts_of("CRC32")
        response = await self.complete(
            upload_id,
            parts,
            checksums=checksums,
            x_amz_sdk_checksum_algorithm="CRC32",
        )
        self.assertEqual(response.status, 200, response.body)

    async def test_parts_without_checksum(self) -> None:
        """Parts that came without a checksum still make a full-object one."""
        upload_id = await self.begin(
            x_amz_checksum_algorithm="CRC32", x_amz_checksum_type="FULL_OBJECT"
        )
        parts = [(n, await self.part(upload_id, n, PART)) for n in (1, 2)]
        response = await self.complete(upload_id, parts)
        self.assertEqual(
            response.text("ChecksumCRC32"), checksum_of("CRC32", PART + PART)
        )

    async def test_checksum_demanded(self) -> None:
        """A composite upload demands each part's checksum in the list."""
        upload_id, parts, checksums = await self.parts_of("SHA256")
        response = await self.refused(
            self.complete(upload_id, parts, checksums=[checksums[0], {}]),
            400,
            "InvalidRequest",
        )
        self.assertEqual(
            response.text("Message"),
            "The upload was created using a sha256 checksum. The complete request must include the checksum for each part. It was missing for part 2 in the request.",
        )

    async def test_consecutive(self) -> None:
        """The parts of a composite checksum are numbered 1, 2, and so on; those of others only ascend."""
        value = checksum_of("CRC32", PART)
        for kind, numbers, status in (
            ("COMPOSITE", (1, 3), 400),
            ("COMPOSITE", (2, 3), 400),
            ("FULL_OBJECT", (2, 5), 200),
        ):
            upload_id = await self.begin(
                x_amz_checksum_algorithm="CRC32", x_amz_checksum_type=kind
            )
            parts = [
                (n, await self.part(upload_id, n, PART, x_amz_checksum_crc32=value))
                for n in numbers
            ]
            response = await self.complete(
                upload_id, parts, checksums=[{"CRC32": value}] * 2
            )
            self.assertEqual(response.status, status, response.body)
            if status == 400:
                self.assertEqual(response.code, "InvalidPartOrder")
                self.assertEqual(response.text("UploadId"), upload_id)

    async def test_wrong_part_checksum(self) -> None:
        """A part's checksum that is another is an invalid part."""
        upload_id, parts, checksums = await self.parts_of("CRC32")
        wrong = [checksums[0], {"CRC32": checksum_of("CRC32", b"other")}]
        asked = self.complete(upload_id, parts, checksums=wrong)
        await self.refused(asked, 400, "InvalidPart")

    async def test_unasked_checksums(self) -> None:
        """Parts of an upload without an algorithm may have checksums, and be listed with or without them."""
        for listed in (True, False):
            upload_id = await self.begin()
            value = checksum_of("CRC32", LARGE)
            etag = await self.part(upload_id, 1, LARGE, x_amz_checksum_crc32=value)
            response = await self.complete(
                upload_id, [(1, etag)], checksums=[{"CRC32": value} if listed else {}]
            )
            self.assertEqual(
                response.text("ChecksumCRC64NVME"), checksum_of("CRC64NVME", LARGE)
            )

    async def test_wrong_claims(self) -> None:
        """A wrong checksum, algorithm or type of the object is refused."""
        upload_id, parts, checksums = await self.parts_of("CRC32")
        for headers, code in (
            ({"x-amz-checksum-crc32": checksum_of("CRC32", b"other")}, "BadDigest"),
            ({"x-amz-checksum-crc32c": checksum_of("CRC32C", b"x")}, "InvalidRequest"),
            ({"x-amz-checksum-type": "FULL_OBJECT"}, "InvalidRequest"),
            ({"x-amz-checksum-type": "HALF"}, "InvalidRequest"),
            (
                {"x-amz-checksum-crc32": "a", "x-amz-checksum-sha1": "b"},
                "InvalidRequest",
            ),
        ):
            asked = self.complete(upload_id, parts, checksums=checksums, **headers)
            await self.refused(asked, 400, code)
        response = await self.complete(upload_id, parts, checksums=checksums)
        self.assertEqual(response.status, 200)
