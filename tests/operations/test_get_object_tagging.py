"""GetObjectTagging."""

from __future__ import annotations

from tests.operations.support import OperationTestCase


class GetObjectTaggingTests(OperationTestCase):
    """GetObjectTagging."""

    async def test_tags(self) -> None:
        """The tags come as a document, escaped where needed."""
        await self.add_objects("key", tags={"a": "1", "b é": "+-=._:/@"})
        response = await self.client.request("GET", "/bucket/key?tagging")
        self.assertEqual(response.status, 200)
        self.assertEqual(response.headers["content-type"], "application/xml")
        self.assertEqual(response.xml().tag, "Tagging")
        self.assertEqual(response.texts("TagSet/Tag/Key"), ["a", "b é"])
        self.assertEqual(response.texts("TagSet/Tag/Value"), ["1", "+-=._:/@"])
        self.assertNotIn("x-amz-version-id", response.headers)

    async def test_none(self) -> None:
        """An object without tags has an empty set; that is no error."""
        await self.add_objects("key")
        response = await self.client.request("GET", "/bucket/key?tagging")
        self.assertEqual(response.status, 200)
        self.assertEqual(response.names(), ["TagSet"])
        self.assertEqual(response.texts("TagSet/Tag"), [])

    async def test_version(self) -> None:
        """A version may be named, and is named in the answer."""
        await self.add_objects("key", version_id="1" * 32, tags={"v": "1"})
        await self.add_objects("key", version_id="2" * 32, tags={"v": "2"})
        response = await self.client.request(
            "GET", f"/bucket/key?tagging&versionId={'1' * 32}"
        )
        self.assertEqual(response.texts("TagSet/Tag/Value"), ["1"])
        self.assertEqual(response.headers["x-amz-version-id"], "1" * 32)

    async def test_missing(self) -> None:
        """There must be a bucket, an object, and the version that is named."""
        get = self.client.request
        await self.refused(get("GET", "/absent/key?tagging"), 404, "NoSuchBucket")
        await self.refused(get("GET", "/bucket/key?tagging"), 404, "NoSuchKey")
        await self.add_objects("key")
        target = f"/bucket/key?tagging&versionId={'0' * 32}"
        await self.refused(get("GET", target), 404, "NoSuchVersion")
        target = "/bucket/key?tagging&versionId=x"
        await self.refused(get("GET", target), 400, "InvalidArgument")

    async def test_delete_marker(self) -> None:
        """A delete marker has no tags: without its id the key is missing, with it nothing is allowed."""
        version = "1" * 32
        await self.add_objects("key", version_id=version, is_delete_marker=True)
        get = self.client.request
        await self.refused(get("GET", "/bucket/key?tagging"), 404, "NoSuchKey")
        target = f"/bucket/key?tagging&versionId={version}"
        await self.refused(get("GET", target), 405, "MethodNotAllowed")
