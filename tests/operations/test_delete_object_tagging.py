"""DeleteObjectTagging."""

from __future__ import annotations

from tests.operations.support import OperationTestCase


class DeleteObjectTaggingTests(OperationTestCase):
    """DeleteObjectTagging."""

    async def test_removed(self) -> None:
        """The tags go, the object stays; without tags it is no error either."""
        await self.add_objects("key", tags={"a": "b"})
        for _ in range(2):
            response = await self.client.request("DELETE", "/bucket/key?tagging")
            self.assertEqual((response.status, response.body), (204, b""))
            self.assertNotIn("x-amz-version-id", response.headers)
        tags = await self.client.request("GET", "/bucket/key?tagging")
        self.assertEqual(tags.texts("TagSet/Tag"), [])

    async def test_version(self) -> None:
        """A version may be named; the others keep their tags."""
        for version in ("1" * 32, "2" * 32):
            await self.add_objects("key", version_id=version, tags={"a": "b"})
        target = f"/bucket/key?tagging&versionId={'1' * 32}"
        response = await self.client.request("DELETE", target)
        self.assertEqual(response.headers["x-amz-version-id"], "1" * 32)
        kept = await self.client.request("GET", "/bucket/key?tagging")
        self.assertEqual(kept.texts("TagSet/Tag/Key"), ["a"])

    async def test_missing(self) -> None:
        """There must be a bucket and an object."""
        ask = self.client.request
        await self.refused(ask("DELETE", "/absent/key?tagging"), 404, "NoSuchBucket")
        await self.refused(ask("DELETE", "/bucket/key?tagging"), 404, "NoSuchKey")
