"""DeleteObject."""

from __future__ import annotations

from twisted.internet.defer import DeferredList, ensureDeferred

from tests.operations.support import OperationTestCase, Response

UNKNOWN = "0" * 32
ETAG = "d41d8cd98f00b204e9800998ecf8427e"


class DeleteObjectTests(OperationTestCase):
    """DeleteObject."""

    async def delete(self, target: str = "/bucket/key", **headers: str) -> Response:
        """Delete; underscores in header names stand for hyphens."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.request("DELETE", target, named)

    async def keys(self) -> list[str]:
        """All keys there are."""
        return (await self.client.request("GET", "/bucket")).texts("Contents/Key")

    async def test_removed(self) -> None:
        """An object goes, and no other."""
        await self.add_objects("key", "key2", "key/")
        response = await self.delete()
        self.assertEqual((response.status, response.body), (204, b""))
        self.assertNotIn("x-amz-version-id", response.headers)
        self.assertNotIn("x-amz-delete-marker", response.headers)
        self.assertEqual(await self.keys(), ["key/", "key2"])

    async def test_missing(self) -> None:
        """Removing what is not there succeeds."""
        self.assertEqual((await self.delete()).status, 204)

    async def test_missing_bucket(self) -> None:
        """There must be a bucket."""
        await self.refused(self.delete("/absent/key"), 404, "NoSuchBucket")

    async def test_null_version(self) -> None:
        """The null version may be named."""
        await self.add_objects("key")
        response = await self.delete("/bucket/key?versionId=null")
        self.assertEqual(response.status, 204)
        self.assertEqual(response.headers["x-amz-version-id"], "null")
        self.assertEqual(await self.keys(), [])

    async def test_unknown_version(self) -> None:
        """Removing a version that is not there succeeds, and removes nothing."""
        await self.add_objects("key")
        response = await self.delete(f"/bucket/key?versionId={UNKNOWN}")
        self.assertEqual(response.status, 204)
        self.assertEqual(response.headers["x-amz-version-id"], UNKNOWN)
        self.assertEqual(await self.keys(), ["key"])

    async def test_bad_version(self) -> None:
        """What can be no version id is refused, and removes nothing."""
        await self.add_objects("key")
        for bad in ("x", "", "%3C", "a" * 2000):
            response = await self.refused(
                self.delete(f"/bucket/key?versionId={bad}"), 400, "InvalidArgument"
            )
            self.assertEqual(response.text("ArgumentName"), "versionId")
        self.assertEqual(await self.keys(), ["key"])

    async def test_named_version(self) -> None:
        """Removing the latest version brings back the one before; a marker is said to be one."""
        await self.add_objects("key", version_id="1" * 32)
        await self.add_objects("key", version_id="2" * 32, is_delete_marker=True)
        response = await self.delete(f"/bucket/key?versionId={'2' * 32}")
        self.assertEqual(response.headers["x-amz-delete-marker"], "true")
        self.assertEqual(await self.keys(), ["key"])

    async def test_if_match(self) -> None:
        """With If-Match only the object with that ETag goes."""
        await self.add_objects("key")
        await self.refused(self.delete(if_match='"0123"'), 412, "PreconditionFailed")
        self.assertEqual(await self.keys(), ["key"])
        self.assertEqual((await self.delete(if_match=f'"{ETAG}"')).status, 204)
        self.assertEqual(await self.keys(), [])

    async def test_if_size(self) -> None:
        """With x-amz-if-match-size only an object of that size goes."""
        await self.add_objects("key", size=3)
        await self.refused(
            self.delete(x_amz_if_match_size="4"), 412, "PreconditionFailed"
        )
        self.assertEqual((await self.delete(x_amz_if_match_size="3")).status, 204)
        self.assertEqual(await self.keys(), [])

    async def test_contention(self) -> None:
        """Of many conditional removals at the same time, one removes."""
        await self.add_objects("key")
        outcomes = await DeferredList(
            [ensureDeferred(self.delete(if_match=ETAG)) for _ in range(5)]
        )
        statuses = [response.status for _, response in outcomes]
        self.assertEqual(statuses.count(204), 1, statuses)

    async def test_bypass(self) -> None:
        """Bypassing a lock is refused where there can be none, as S3 does, be it only spoken of."""
        await self.add_objects("key")
        for value in ("true", "false"):
            response = await self.refused(
                self.delete(x_amz_bypass_governance_retention=value),
                400,
                "InvalidArgument",
            )
            self.assertEqual(
                response.text("ArgumentName"), "x-amz-bypass-governance-retention"
            )
        self.assertEqual(await self.keys(), ["key"])

    async def test_expected_owner(self) -> None:
        """Another owner than the client expects: nothing happens."""
        await self.add_objects("key")
        await self.refused(
            self.delete(x_amz_expected_bucket_owner="other"), 403, "AccessDenied"
        )
        self.assertEqual(await self.keys(), ["key"])
