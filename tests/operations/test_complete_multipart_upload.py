"""CompleteMultipartUpload."""

from __future__ import annotations

from collections.abc import Sequence

from twisted.internet.defer import DeferredList, ensureDeferred

from ozgate.interfaces import IMetadataTransaction
from ozgate.s3.checksums import composite
from ozgate.testing.metadata_needs import claim_whole
from ozgate.values import Bucket, Content, Part
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


class CompleteMultipartUploadTests(ObjectTestCase):
    """CompleteMultipartUpload."""

    async def two_parts(self, **headers: str) -> tuple[str, list[tuple[int, str]]]:
        """An upload with two parts."""
        upload_id = await self.begin(**headers)
        return upload_id, [
            (1, await self.part(upload_id, 1, PART)),
            (2, await self.part(upload_id, 2, LARGE)),
        ]

    async def raw(self, upload_id: str, document: bytes) -> Response:
        """Complete with a document of its own."""
        return await self.ask("POST", f"/bucket/key?uploadId={upload_id}", document)

    async def test_answer(self) -> None:
        """The answer tells where the object is, its ETag and its checksum."""
        upload_id, parts = await self.two_parts()
        response = await self.complete(upload_id, parts)
        self.assertEqual(response.status, 200, response.body)
        self.assertEqual(response.xml().tag, "CompleteMultipartUploadResult")
        self.assertEqual(
            response.names(),
            [
                "Location",
                "Bucket",
                "Key",
                "ETag",
                "ChecksumCRC64NVME",
                "ChecksumType",
            ],
        )
        self.assertEqual(response.text("Location"), "http://localhost/bucket/key")
        self.assertEqual(response.text("ETag"), multipart_etag_of(PART, LARGE))
        self.assertEqual(
            response.text("ChecksumCRC64NVME"), checksum_of("CRC64NVME", PART + LARGE)
        )
        self.assertEqual(response.text("ChecksumType"), "FULL_OBJECT")

    async def test_object(self) -> None:
        """The object is its parts, whose blobs it names: no byte is moved."""
        upload_id, parts = await self.two_parts()
        count = len(self.client.gateway.blobs.default.data)
        await self.complete(upload_id, parts)
        response = await self.get()
        self.assertEqual(response.body, PART + LARGE)
        self.assertEqual(response.headers["etag"], multipart_etag_of(PART, LARGE))
        self.assertEqual(len(self.client.gateway.blobs.default.data), count)

    async def test_chosen_parts(self) -> None:
        """Only listed parts count; the blobs of the others are doomed and not named."""
        upload_id, parts = await self.two_parts()
        await self.part(upload_id, 3, LARGE + b"unused")
        await self.complete(upload_id, parts)
        self.assertEqual((await self.get()).body, PART + LARGE)
        self.assertEqual(await self.look(_unnamed), 1)

    async def test_empty_object(self) -> None:
        """A single empty part makes an empty object."""
        await self.upload(b"")
        response = await self.get()
        self.assertEqual((response.status, response.body), (200, b""))
        self.assertEqual(response.headers["etag"], multipart_etag_of(b""))

    async def test_etags_without_quotes(self) -> None:
        """ETags may come without quotes, and with blanks around."""
        upload_id, parts = await self.two_parts()
        bare = [(number, f" {etag[1:-1]}\n") for number, etag in parts]
        self.assertEqual((await self.complete(upload_id, bare)).status, 200)

    async def test_invalid_parts(self) -> None:
        """A part that is not there, or is another, is named in the error."""
        upload_id, parts = await self.two_parts()
        for listed in (
            [*parts, (3, etag_of(b"absent"))],
            [parts[0], (2, etag_of(b"other"))],
            [parts[0], (2, "")],
        ):
            response = await self.refused(
                self.complete(upload_id, listed), 400, "InvalidPart"
            )
            self.assertEqual(response.text("UploadId"), upload_id)
            self.assertEqual(response.text("PartNumber"), str(listed[-1][0]))
            self.assertEqual(response.text("ETag"), listed[-1][1].strip('"'))
        self.assertEqual((await self.complete(upload_id, parts)).status, 200)

    async def test_order(self) -> None:
        """Parts must ascend, and none come twice."""
        upload_id, parts = await self.two_parts()
        for listed in (parts[::-1], [parts[0], parts[0], parts[1]]):
            response = await self.refused(
                self.complete(upload_id, listed), 400, "InvalidPartOrder"
            )
            self.assertEqual(response.text("UploadId"), upload_id)

    async def test_too_small(self) -> None:
        """Every part but the last has at least 5 MiB."""
        upload_id = await self.begin()
        parts = [
            (1, await self.part(upload_id, 1, PART[:-1])),
            (2, await self.part(upload_id, 2, SMALL)),
        ]
        response = await self.refused(
            self.complete(upload_id, parts), 400, "EntityTooSmall"
        )
        self.assertEqual(response.text("ProposedSize"), str(len(PART) - 1))
        self.assertEqual(response.text("MinSizeAllowed"), str(5 << 20))
        self.assertEqual(response.text("PartNumber"), "1")
        self.assertEqual(response.text("ETag"), parts[0][1].strip('"'))

    async def test_too_large(self) -> None:
        """An object has at most what 10,000 parts of 5 GiB make, 48.8 TiB."""
        upload_id = await self.begin()
        gateway = self.client.gateway
        most = 10_000 * (5 << 30)
        place = gateway.settings.volume_name, upload_id
        await gateway.metadata.write(_put_parts, *place, (most - 10, 11))
        listed = [(1, "0" * 32), (2, "0" * 32)]
        response = await self.refused(
            self.complete(upload_id, listed), 400, "EntityTooLarge"
        )
        self.assertEqual(response.text("MaxSizeAllowed"), str(most))
        await gateway.metadata.write(_put_parts, *place, (most - 10, 10))
        self.assertEqual((await self.complete(upload_id, listed)).status, 200)

    async def test_repeated(self) -> None:
        """The same Complete again gets the same answer; another list does not."""
        upload_id, parts = await self.two_parts()
        first = await self.complete(upload_id, parts, if_none_match="*")
        again = await self.complete(upload_id, parts, if_none_match="*")
        self.assertEqual((again.status, again.body), (200, first.body))
        await self.refused(self.complete(upload_id, parts[:1]), 404, "NoSuchUpload")
        listed = await self.ask("GET", "/bucket?versions")
        self.assertEqual(len(listed.texts("Version/Key")), 1)

    async def test_repeated_after_overwrite(self) -> None:
        """A Complete repeated late does not bring back what was replaced since."""
        upload_id, parts = await self.two_parts()
        await self.complete(upload_id, parts)
        await self.put(SMALL)
        self.assertEqual((await self.complete(upload_id, parts)).status, 200)
        self.assertEqual((await self.get()).body, SMALL)

    async def test_no_upload(self) -> None:
        """There must be an upload of that key."""
        listed = [(1, etag_of(SMALL))]
        response = await self.refused(
            self.complete(UNKNOWN_UPLOAD, listed), 404, "NoSuchUpload"
        )
        self.assertEqual(response.text("UploadId"), UNKNOWN_UPLOAD)
        upload_id, parts = await self.two_parts()
        asked = self.complete(upload_id, parts, "/bucket/other")
        await self.refused(asked, 404, "NoSuchUpload")

    async def test_conditions(self) -> None:
        """If-None-Match and If-Match are asked of what is there at the end."""
        upload_id, parts = await self.two_parts()
        asked = self.complete(upload_id, parts, if_match=etag_of(SMALL))
        await self.refused(asked, 404, "NoSuchKey")
        await self.put()
        asked = self.complete(upload_id, parts, if_none_match="*")
        await self.refused(asked, 412, "PreconditionFailed")
        asked = self.complete(upload_id, parts, if_match='"other"')
        await self.refused(asked, 412, "PreconditionFailed")
        response = await self.complete(upload_id, parts, if_match=etag_of(SMALL))
        self.assertEqual(response.status, 200)

    async def test_racing_creators(self) -> None:
        """Of uploads that complete one key at once, exactly one creates it."""
        uploads = [await self.two_parts() for _ in range(4)]
        asked = [
            ensureDeferred(self.complete(upload_id, parts, if_none_match="*"))
            for upload_id, parts in uploads
        ]
        statuses = [answer.status for _, answer in await DeferredList(asked)]
        self.assertEqual(sorted(statuses), [200, 412, 412, 412])

    async def test_bad_documents(self) -> None:
        """A document that is no list of parts is refused."""
        upload_id, _ = await self.two_parts()
        part = b"<Part><PartNumber>1</PartNumber><ETag>x</ETag></Part>"
        root = b"CompleteMultipartUpload"
        response = await self.refused(self.raw(upload_id, b""), 400, "InvalidRequest")
        self.assertEqual(response.text("Message"), "You must specify at least one part")
        for document in (
            b"<",
            b"<Other/>",
            b"<CompleteMultipartUpload/>",
            b"<%s><Piece/></%s>" % (root, root),
            b"<%s><Part><ETag>x</ETag></Part></%s>" % (root, root),
            b"<%s><Part><PartNumber>1</PartNumber></Part></%s>" % (root, root),
            b"<%s><Part><PartNumber>1_0</PartNumber><ETag>x</ETag></Part></%s>"
            % (root, root),
            b"<%s><Part><PartNumber>one</PartNumber><ETag>x</ETag></Part></%s>"
            % (root, root),
            b"<%s>%s</%s>" % (root, part.replace(b"</Part>", b"<Q/></Part>"), root),
            b"<%s>%s</%s>" % (root, part * 10_001, root),
            b"<!DOCTYPE a><%s>%s</%s>" % (root, part, root),
        ):
            asked = self.raw(upload_id, document)
            await self.refused(asked, 400, "MalformedXML")
        for number in ("0", "-1", "10001"):
            numbered = part.replace(b">1<", f">{number}<".encode())
            asked = self.raw(upload_id, b"<%s>%s</%s>" % (root, numbered, root))
            await self.refused(asked, 400, "InvalidArgument")

    async def test_size_stated(self) -> None:
        """The object's size can be stated, and must be so."""
        upload_id, parts = await self.two_parts()
        size = len(PART) + len(LARGE)
        for stated in (str(size + 1), "x", "-1"):
            asked = self.complete(upload_id, parts, x_amz_mp_object_size=stated)
            await self.refused(asked, 400, "InvalidRequest")
        response = await self.complete(upload_id, parts, x_amz_mp_object_size=str(size))
        self.assertEqual(response.status, 200)


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


def _unnamed(tx: IMetadataTransaction, bucket: Bucket) -> int:
    doomed = tx.doomed("memory", 1 << 62, 10)
    return sum(not tx.is_named(ref.store, ref.id) for ref in doomed)


def _put_parts(
    tx: IMetadataTransaction, volume: str, upload_id: str, sizes: Sequence[int]
) -> None:
    """Have parts of these sizes, by what their rows say."""
    bucket = tx.bucket(volume, "bucket")
    assert bucket is not None
    claim_whole(tx, bucket)
    upload = tx.upload(bucket, "key", upload_id)
    assert upload is not None
    checksums = {"CRC64NVME": "AAAAAAAAAAA="}
    for number, size in enumerate(sizes, 1):
        part = Part(number, size, "0" * 32, 0, checksums, Content(b""))
        tx.put_part(bucket, upload, part)
