"""DeleteBucket."""

from __future__ import annotations

from twisted.internet.defer import DeferredList, ensureDeferred

from ozgate.interfaces import IMetadataTransaction
from ozgate.values import Bucket, Claim
from tests.operations.support import OperationTestCase


class DeleteBucketTests(OperationTestCase):
    """DeleteBucket."""

    async def test_empty(self) -> None:
        """An empty bucket goes, and can be made again."""
        response = await self.client.request("DELETE", "/bucket")
        self.assertEqual((response.status, response.body), (204, b""))
        await self.refused(self.client.request("GET", "/bucket"), 404, "NoSuchBucket")
        again = await self.client.request("PUT", "/bucket")
        self.assertEqual(again.status, 200)

    async def test_missing(self) -> None:
        """A bucket that is not there cannot go."""
        response = await self.refused(
            self.client.request("DELETE", "/absent"), 404, "NoSuchBucket"
        )
        self.assertEqual(response.text("BucketName"), "absent")

    async def test_not_empty(self) -> None:
        """A bucket with an object stays, with the object."""
        await self.add_objects("key")
        response = await self.refused(
            self.client.request("DELETE", "/bucket"), 409, "BucketNotEmpty"
        )
        self.assertEqual(response.text("BucketName"), "bucket")
        listed = await self.client.request("GET", "/bucket?list-type=2")
        self.assertEqual(listed.texts("Contents/Key"), ["key"])

    async def test_only_a_delete_marker(self) -> None:
        """A delete marker is a version too: the bucket is not empty."""
        await self.add_objects("key", is_delete_marker=True)
        await self.refused(
            self.client.request("DELETE", "/bucket"), 409, "BucketNotEmpty"
        )

    async def test_nothing_left(self) -> None:
        """A bucket of the same name that is made again shows nothing of the old one."""
        await self.add_objects("key")
        await self.client.request("DELETE", "/bucket/key")
        await self.client.request("DELETE", "/bucket")
        await self.client.request("PUT", "/bucket")
        listed = await self.client.request("GET", "/bucket?versions")
        self.assertEqual(listed.texts("Version/Key"), [])

    async def test_expected_owner(self) -> None:
        """Another owner than the client expects: nothing happens."""
        await self.refused(
            self.client.request(
                "DELETE", "/bucket", {"x-amz-expected-bucket-owner": "other"}
            ),
            403,
            "AccessDenied",
        )
        self.assertEqual((await self.client.request("HEAD", "/bucket")).status, 200)

    async def test_against_a_put(self) -> None:
        """Of a removal and a PUT at the same time one wins, and no object is orphaned."""
        outcomes = await DeferredList(
            [
                ensureDeferred(self.client.request("DELETE", "/bucket")),
                ensureDeferred(self.client.request("PUT", "/bucket/key", body=b"x")),
            ]
        )
        removed, stored = (response.status for _, response in outcomes)
        self.assertIn((removed, stored), [(204, 404), (409, 200)])

    async def test_link(self) -> None:
        """Removing a link leaves what it points at, with its objects."""
        await self.add_objects("key")
        volume = self.client.gateway.settings.volume_name
        link = Bucket(volume, "link", "testuser", 1, source=(volume, "bucket"))
        await self.client.gateway.metadata.write(_add, link)
        response = await self.client.request("DELETE", "/link")
        self.assertEqual(response.status, 204)
        self.assertEqual((await self.client.request("HEAD", "/link")).status, 404)
        listed = await self.client.request("GET", "/bucket")
        self.assertEqual(listed.texts("Contents/Key"), ["key"])


def _add(tx: IMetadataTransaction, made: Bucket) -> None:
    tx.claim(Claim.volume(made.volume, True), Claim.name(made.volume, made.name))
    tx.add_bucket(made)
