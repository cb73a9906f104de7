"""CompleteMultipartUpload."""

from __future__ import annotations

from collections.abc import Sequence

from twisted.internet.defer import DeferredList, ensureDeferred
from twisted.trial.unittest import SkipTest

from ozgate.interfaces import IMetadataTransaction
from ozgate.testing.metadata_needs import claim_whole
from ozgate.values import Bucket, Content, Part
from tests import elsewhere
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
        if elsewhere.METADATA:
            raise SkipTest(
                "a part that has not the bytes that its row says is damaged, but in memory"
            )
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
