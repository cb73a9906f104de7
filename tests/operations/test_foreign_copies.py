"""Copies into, out of and within a bucket of another system, beside one of ours."""

from __future__ import annotations

from tests.operations.abroad import MixedTestCase
from tests.operations.uploads import LARGE, PART, SMALL, etag_of

WAYS = (("bucket", "link"), ("link", "bucket"), ("link", "link"))


class CopyTests(MixedTestCase):
    """CopyObject."""

    async def test_all_ways(self) -> None:
        """What is copied is the same there, small or large, with all that was said of it."""
        said = {
            "x-amz-meta-color": "blue",
            "content-type": "text/plain",
            "x-amz-tagging": "a=1",
        }
        for size, data in (("small", SMALL), ("large", LARGE), ("none", b"")):
            for source, target in WAYS:
                await self.client.request("PUT", f"/{source}/{size}", said, data)
                header = {"x-amz-copy-source": f"/{source}/{size}"}
                where = f"/{target}/copy"
                copied = await self.client.request("PUT", where, header)
                self.assertEqual(copied.status, 200, copied.body)
                self.assertEqual(copied.text("ETag"), etag_of(data))
                got = await self.client.request("GET", where)
                self.assertEqual(got.body, data)
                self.assertEqual(got.headers["etag"], etag_of(data))
                self.assertEqual(got.headers["x-amz-meta-color"], "blue")
                self.assertEqual(got.headers["content-type"], "text/plain")
                self.assertEqual(got.headers["x-amz-tagging-count"], "1")

    async def test_replaced(self) -> None:
        """What is said of the copy may be another."""
        for source, target in WAYS:
            said = {"x-amz-meta-color": "blue", "x-amz-tagging": "a=1"}
            await self.client.request("PUT", f"/{source}/k", said, SMALL)
            headers = {
                "x-amz-copy-source": f"/{source}/k",
                "x-amz-metadata-directive": "REPLACE",
                "x-amz-tagging-directive": "REPLACE",
                "x-amz-meta-size": "big",
                "x-amz-checksum-algorithm": "SHA256",
            }
            copied = await self.client.request("PUT", f"/{target}/copy", headers)
            self.assertEqual(copied.status, 200, copied.body)
            self.assertIsNotNone(copied.text("ChecksumSHA256"))
            head = await self.client.request("HEAD", f"/{target}/copy")
            self.assertEqual(head.headers["x-amz-meta-size"], "big")
            self.assertNotIn("x-amz-meta-color", head.headers)
            self.assertNotIn("x-amz-tagging-count", head.headers)

    async def test_conditions(self) -> None:
        """Those on the source and those on the target are both kept."""
        for source, target in WAYS:
            await self.client.request("PUT", f"/{source}/k", body=SMALL)
            put = await self.client.request("PUT", f"/{target}/copy", body=b"x")
            of = {"x-amz-copy-source": f"/{source}/k"}
            for header in (
                {"x-amz-copy-source-if-match": '"other"'},
                {"x-amz-copy-source-if-none-match": etag_of(SMALL)},
                {"if-none-match": "*"},
                {"if-match": '"other"'},
            ):
                asked = self.client.request("PUT", f"/{target}/copy", {**of, **header})
                await self.refused(asked, 412, "PreconditionFailed")
            same = {"if-match": put.headers["etag"]}
            copied = await self.client.request("PUT", f"/{target}/copy", {**of, **same})
            self.assertEqual(copied.status, 200, copied.body)

    async def test_not_there(self) -> None:
        """A source that is not there is named."""
        for source, target in WAYS:
            header = {"x-amz-copy-source": f"/{source}/gone"}
            asked = self.client.request("PUT", f"/{target}/copy", header)
            refused = await self.refused(asked, 404, "NoSuchKey")
            self.assertEqual(refused.text("Key"), "gone")

    async def test_onto_itself(self) -> None:
        """A copy that would change nothing is refused; one that does is made."""
        await self.client.request("PUT", "/link/k", body=LARGE)
        header = {"x-amz-copy-source": "/link/k"}
        asked = self.client.request("PUT", "/link/k", header)
        await self.refused(asked, 400, "InvalidRequest")
        more = {**header, "x-amz-metadata-directive": "REPLACE", "x-amz-meta-a": "1"}
        copied = await self.client.request("PUT", "/link/k", more)
        self.assertEqual(copied.status, 200)
        got = await self.client.request("GET", "/link/k")
        self.assertEqual(got.body, LARGE)
        self.assertEqual(got.headers["x-amz-meta-a"], "1")

    async def test_rights(self) -> None:
        """Who may not follow the link that the source is behind copies nothing."""
        await self.client.request("PUT", "/link/k", body=SMALL)
        await self.grant("user:other:n", bucket="link")
        await self.grant("user:other:a")
        header = {"x-amz-copy-source": "/link/k"}
        asked = self.client.as_user("other").request("PUT", "/bucket/copy", header)
        await self.refused(asked, 403, "AccessDenied")


class PartTests(MixedTestCase):
    """UploadPartCopy."""

    async def test_all_ways(self) -> None:
        """A part may be a range of an object, wherever that is."""
        for source, target in WAYS:
            await self.client.request("PUT", f"/{source}/k", body=PART + LARGE)
            begun = await self.client.request("POST", f"/{target}/big?uploads")
            upload_id = begun.text("UploadId")
            etags = []
            for number, span in ((1, f"0-{len(PART) - 1}"), (2, "5-9")):
                headers = {
                    "x-amz-copy-source": f"/{source}/k",
                    "x-amz-copy-source-range": f"bytes={span}",
                }
                where = f"/{target}/big?partNumber={number}&uploadId={upload_id}"
                copied = await self.client.request("PUT", where, headers)
                self.assertEqual(copied.status, 200, copied.body)
                etags.append(copied.text("ETag"))
            self.assertEqual(etags, [etag_of(PART), etag_of(PART[5:10])])
            rows = "".join(
                f"<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"
                for number, etag in enumerate(etags, 1)
            )
            said = f"<CompleteMultipartUpload>{rows}</CompleteMultipartUpload>"
            where = f"/{target}/big?uploadId={upload_id}"
            made = await self.client.request("POST", where, body=said.encode())
            self.assertEqual(made.status, 200, made.body)
            got = await self.client.request("GET", f"/{target}/big")
            self.assertEqual(got.body, PART + PART[5:10])

    async def test_wrong_range(self) -> None:
        """A range that the source does not have is refused."""
        for source, target in WAYS:
            await self.client.request("PUT", f"/{source}/k", body=SMALL)
            begun = await self.client.request("POST", f"/{target}/big?uploads")
            headers = {
                "x-amz-copy-source": f"/{source}/k",
                "x-amz-copy-source-range": "bytes=5-5000",
            }
            upload_id = begun.text("UploadId")
            where = f"/{target}/big?partNumber=1&uploadId={upload_id}"
            asked = self.client.request("PUT", where, headers)
            await self.refused(asked, 400, "InvalidArgument")
