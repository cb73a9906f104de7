"""PutObjectTagging."""

from __future__ import annotations

from base64 import b64encode
from hashlib import md5

from ozgate.s3.tags import to_document
from tests.operations.support import OperationTestCase, Response


class PutObjectTaggingTests(OperationTestCase):
    """PutObjectTagging; the rules of tags themselves are in ``tests.unit.s3.test_tags``."""

    async def put(
        self, body: bytes, target: str = "/bucket/key?tagging", **headers: str
    ) -> Response:
        """Send a document with its MD5; underscores in header names stand for hyphens."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        digest = b64encode(md5(body).digest()).decode()
        return await self.client.request(
            "PUT", target, {"content-md5": digest, **named}, body
        )

    async def tags(self) -> list[tuple[str, str]]:
        """The tags there are."""
        response = await self.client.request("GET", "/bucket/key?tagging")
        return list(
            zip(
                response.texts("TagSet/Tag/Key"),
                response.texts("TagSet/Tag/Value"),
                strict=True,
            )
        )

    async def test_replaced(self) -> None:
        """A tag set takes the place of the one before, and nothing else changes."""
        await self.add_objects("key", tags={"old": "1"}, metadata={"color": "red"})
        before = await self.client.request("GET", "/bucket")
        response = await self.put(to_document({"new": "2", "é": ""}))
        self.assertEqual((response.status, response.body), (200, b""))
        self.assertNotIn("x-amz-version-id", response.headers)
        self.assertEqual(await self.tags(), [("new", "2"), ("é", "")])
        after = await self.client.request("GET", "/bucket")
        self.assertEqual(before.body, after.body)

    async def test_empty(self) -> None:
        """An empty tag set removes all tags."""
        await self.add_objects("key", tags={"old": "1"})
        self.assertEqual((await self.put(to_document({}))).status, 200)
        self.assertEqual(await self.tags(), [])

    async def test_refused(self) -> None:
        """Bad documents and bad tags change nothing."""
        await self.add_objects("key", tags={"old": "1"})
        eleven = {f"k{number}": "" for number in range(11)}
        for body, code in (
            (b"", "MalformedXML"),
            (b"<Tagging/>", "MalformedXML"),
            (b"<Other/>", "MalformedXML"),
            (to_document(eleven), "BadRequest"),
            (to_document({"aws:x": ""}), "InvalidTag"),
            (to_document({"": "x"}), "InvalidTag"),
        ):
            response = await self.put(body)
            self.assertEqual(response.status, 400)
            if body:
                self.assertEqual(response.code, code)
        self.assertEqual(await self.tags(), [("old", "1")])

    async def test_missing(self) -> None:
        """There must be a bucket, an object, and the version that is named."""
        body = to_document({"a": "b"})
        await self.refused(self.put(body, "/absent/key?tagging"), 404, "NoSuchBucket")
        response = await self.refused(self.put(body), 404, "NoSuchKey")
        self.assertEqual(response.text("Key"), "key")
        await self.add_objects("key")
        response = await self.refused(
            self.put(body, f"/bucket/key?tagging&versionId={'0' * 32}"),
            404,
            "NoSuchVersion",
        )
        self.assertEqual(response.text("VersionId"), "0" * 32)
        await self.refused(
            self.put(body, "/bucket/key?tagging&versionId=x"), 400, "InvalidArgument"
        )

    async def test_version(self) -> None:
        """A version may be named, and is named in the answer unless it is the null version."""
        await self.add_objects("key", version_id="1" * 32)
        await self.add_objects("key")
        old = await self.put(
            to_document({"a": "b"}), f"/bucket/key?tagging&versionId={'1' * 32}"
        )
        self.assertEqual(old.headers["x-amz-version-id"], "1" * 32)
        self.assertEqual(await self.tags(), [])
        null = await self.put(
            to_document({"c": "d"}), "/bucket/key?tagging&versionId=null"
        )
        self.assertNotIn("x-amz-version-id", null.headers)
        self.assertEqual(await self.tags(), [("c", "d")])

    async def test_checksum_required(self) -> None:
        """A document without any checksum is refused."""
        await self.add_objects("key")
        await self.refused(
            self.client.request(
                "PUT", "/bucket/key?tagging", {}, to_document({"a": "b"})
            ),
            400,
            "InvalidRequest",
        )
        self.assertEqual(await self.tags(), [])

    async def test_expected_owner(self) -> None:
        """Another owner than the client expects: nothing happens."""
        await self.add_objects("key")
        await self.refused(
            self.put(to_document({"a": "b"}), x_amz_expected_bucket_owner="other"),
            403,
            "AccessDenied",
        )
        self.assertEqual(await self.tags(), [])
