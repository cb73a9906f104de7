"""Multipart uploads in a bucket of another system."""

from __future__ import annotations

from hashlib import md5

from tests.operations.abroad import ForeignTestCase
from tests.operations.support import Response
from tests.operations.uploads import PART, checksum_of, complete_document, etag_of

LAST = b"the last part"


class UploadTests(ForeignTestCase):
    """All six operations."""

    async def begin(self, key: str = "big", **headers: str) -> str:
        """Begin an upload, and give its id."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        begun = await self.client.request("POST", f"/bucket/{key}?uploads", sent)
        self.assertEqual(begun.status, 200, begun.body)
        return begun.text("UploadId") or ""

    async def part(
        self, upload_id: str, number: int, data: bytes, **headers: str
    ) -> Response:
        """Put a part."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        target = f"/bucket/big?partNumber={number}&uploadId={upload_id}"
        return await self.client.request("PUT", target, sent, data)

    async def complete(
        self, upload_id: str, document: bytes, **headers: str
    ) -> Response:
        """Make the object."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        target = f"/bucket/big?uploadId={upload_id}"
        return await self.client.request("POST", target, sent, document)

    async def two_parts(self, **headers: str) -> tuple[str, bytes]:
        """An upload of two parts, and the document that completes it."""
        upload_id = await self.begin(**headers)
        for number, data in ((1, PART), (2, LAST)):
            put = await self.part(upload_id, number, data)
            self.assertEqual(put.headers["etag"], etag_of(data))
        parts = [(1, etag_of(PART)), (2, etag_of(LAST))]
        return upload_id, complete_document(parts)

    async def test_whole(self) -> None:
        """An object is made of its parts, with what the upload began with; its ETag is the other system's, everywhere."""
        upload_id, document = await self.two_parts(
            x_amz_meta_color="blue", content_type="text/plain", x_amz_tagging="a=1"
        )
        made = await self.complete(upload_id, document)
        self.assertEqual(made.status, 200, made.body)
        said = md5(PART, usedforsecurity=False).hexdigest()
        said += md5(LAST, usedforsecurity=False).hexdigest()
        etag = f'"{md5(said.encode(), usedforsecurity=False).hexdigest()}-2"'
        self.assertEqual(made.text("ETag"), etag)
        head = await self.client.request("HEAD", "/bucket/big")
        self.assertEqual(head.headers["etag"], etag)
        self.assertEqual(head.headers["x-amz-meta-color"], "blue")
        self.assertEqual(head.headers["content-type"], "text/plain")
        self.assertEqual(head.headers["x-amz-tagging-count"], "1")
        listed = await self.client.request("GET", "/bucket?list-type=2")
        self.assertEqual(listed.text("Contents/ETag"), etag)
        got = await self.client.request("GET", "/bucket/big")
        self.assertEqual(got.body, PART + LAST)

    async def test_parts_of_it(self) -> None:
        """Its parts can be read by their numbers, with where they are in it."""
        upload_id, document = await self.two_parts()
        await self.complete(upload_id, document)
        size = len(PART) + len(LAST)
        for method in ("GET", "HEAD"):
            got = await self.client.request(method, "/bucket/big?partNumber=2")
            self.assertEqual(got.status, 206)
            self.assertEqual(
                got.headers["content-range"], f"bytes {len(PART)}-{size - 1}/{size}"
            )
            self.assertEqual(got.headers["x-amz-mp-parts-count"], "2")
        got = await self.client.request("GET", "/bucket/big?partNumber=2")
        self.assertEqual(got.body, LAST)
        asked = self.client.request("GET", "/bucket/big?partNumber=3")
        await self.refused(asked, 416, "InvalidPartNumber")
        told = await self.client.request(
            "GET", "/bucket/big?attributes", {"x-amz-object-attributes": "ObjectParts"}
        )
        self.assertEqual(told.text("ObjectParts/PartsCount"), "2")

    async def test_listed(self) -> None:
        """Uploads and parts are listed while they are in progress."""
        upload_id, document = await self.two_parts()
        parts = await self.client.request("GET", f"/bucket/big?uploadId={upload_id}")
        self.assertEqual(parts.texts("Part/PartNumber"), ["1", "2"])
        self.assertEqual(parts.texts("Part/ETag"), [etag_of(PART), etag_of(LAST)])
        one = f"/bucket/big?uploadId={upload_id}&max-parts=1"
        parts = await self.client.request("GET", one)
        self.assertEqual(parts.text("NextPartNumberMarker"), "1")
        self.assertEqual(parts.text("IsTruncated"), "true")
        for key in ("a/1", "a/2", "c"):
            await self.begin(key)
        found = await self.client.request("GET", "/bucket?uploads")
        self.assertEqual(found.texts("Upload/Key"), ["a/1", "a/2", "big", "c"])
        found = await self.client.request("GET", "/bucket?uploads&delimiter=/")
        self.assertEqual(found.texts("Upload/Key"), ["big", "c"])
        self.assertEqual(found.texts("CommonPrefixes/Prefix"), ["a/"])
        found = await self.client.request("GET", "/bucket?uploads&max-uploads=3")
        self.assertEqual(found.text("NextKeyMarker"), "big")
        self.assertEqual(found.text("NextUploadIdMarker"), upload_id)
        marker = f"&key-marker=big&upload-id-marker={upload_id}"
        found = await self.client.request("GET", f"/bucket?uploads{marker}")
        self.assertEqual(found.texts("Upload/Key"), ["c"])
        await self.complete(upload_id, document)
        found = await self.client.request("GET", "/bucket?uploads&prefix=b")
        self.assertEqual(found.texts("Upload/Key"), [])

    async def test_ended(self) -> None:
        """What was dropped is no upload any more."""
        upload_id, document = await self.two_parts()
        target = f"/bucket/big?uploadId={upload_id}"
        gone = await self.client.request("DELETE", target)
        self.assertEqual(gone.status, 204)
        for asked in (
            self.client.request("DELETE", target),
            self.client.request("GET", target),
            self.part(upload_id, 1, LAST),
            self.part(upload_id, 1, PART),
            self.complete(upload_id, document),
        ):
            await self.refused(asked, 404, "NoSuchUpload")
        self.assertEqual(self.there(), {})

    async def test_wrong_lists(self) -> None:
        """A list of parts that are not there, or too small, makes nothing."""
        upload_id, document = await self.two_parts()
        await self.part(upload_id, 3, LAST)
        for parts, code in (
            ([(1, etag_of(LAST))], "InvalidPart"),
            ([(4, etag_of(LAST))], "InvalidPart"),
            ([(2, etag_of(LAST)), (3, etag_of(LAST))], "EntityTooSmall"),
            ([(2, etag_of(LAST)), (1, etag_of(PART))], "InvalidPartOrder"),
        ):
            asked = self.complete(upload_id, complete_document(parts))
            await self.refused(asked, 400, code)
        asked = self.complete(upload_id, document, x_amz_mp_object_size="7")
        await self.refused(asked, 400, "InvalidRequest")
        self.assertEqual(self.there(), {})

    async def test_repeated(self) -> None:
        """A Complete whose answer was lost gets it again, as long as the key is what it made."""
        upload_id, document = await self.two_parts()
        made = await self.complete(upload_id, document, if_none_match="*")
        for more in ({}, {"x_amz_mp_object_size": str(len(PART) + len(LAST))}):
            again = await self.complete(upload_id, document, **more)
            self.assertEqual(again.status, 200, again.body)
            self.assertEqual(again.text("ETag"), made.text("ETag"))
        other = complete_document([(1, etag_of(PART))])
        await self.refused(self.complete(upload_id, other), 404, "NoSuchUpload")
        await self.client.request("PUT", "/bucket/big", body=b"x")
        await self.refused(self.complete(upload_id, document), 404, "NoSuchUpload")

    async def test_conditions(self) -> None:
        """They are the other system's, when the object is made."""
        upload_id, document = await self.two_parts()
        put = await self.client.request("PUT", "/bucket/big", body=b"x")
        asked = self.complete(upload_id, document, if_none_match="*")
        await self.refused(asked, 412, "PreconditionFailed")
        asked = self.complete(upload_id, document, if_match='"another"')
        await self.refused(asked, 412, "PreconditionFailed")
        made = await self.complete(upload_id, document, if_match=put.headers["etag"])
        self.assertEqual(made.status, 200, made.body)

    async def test_checksums(self) -> None:
        """Those of parts are compared as they come; that of the object is what the list makes of them."""
        upload_id = await self.begin(x_amz_checksum_algorithm="CRC32")
        sums = [checksum_of("CRC32", data) for data in (PART, LAST)]
        asked = self.part(upload_id, 1, PART, x_amz_checksum_crc32=sums[1])
        await self.refused(asked, 400, "BadDigest")
        for number, data in ((1, PART), (2, LAST)):
            value = sums[number - 1]
            put = await self.part(upload_id, number, data, x_amz_checksum_crc32=value)
            self.assertEqual(put.headers["x-amz-checksum-crc32"], value)
        parts = [(1, etag_of(PART)), (2, etag_of(LAST))]
        document = complete_document(parts, [{"CRC32": value} for value in sums])
        whole = checksum_of("CRC32", PART + LAST)
        full = {"x_amz_checksum_type": "FULL_OBJECT"}
        wrong = {"x_amz_checksum_crc32": sums[0], **full}
        await self.refused(
            self.complete(upload_id, document, **wrong), 400, "BadDigest"
        )
        right = {"x_amz_checksum_crc32": whole, **full}
        bare = complete_document(parts)
        asked = self.complete(upload_id, bare, **right)
        await self.refused(asked, 501, "NotImplemented")
        made = await self.complete(upload_id, document, **right)
        self.assertEqual(made.status, 200, made.body)
        self.assertEqual(made.text("ChecksumCRC32"), whole)
