"""GetBucketLocation."""

from __future__ import annotations

from tests.operations.support import OperationTestCase


class GetBucketLocationTests(OperationTestCase):
    """GetBucketLocation."""

    async def test_first_region(self) -> None:
        """A bucket in us-east-1 has an empty constraint."""
        response = await self.client.request("GET", "/bucket?location")
        self.assertEqual(response.status, 200)
        self.assertEqual(response.xml().tag, "LocationConstraint")
        self.assertEqual(response.xml().text or "", "")

    async def test_other_region(self) -> None:
        """A bucket elsewhere names its region."""
        client = self.client.with_settings(region="ap-south-1")
        await client.request("PUT", "/india")
        response = await client.request("GET", "/india?location")
        self.assertEqual(response.xml().text, "ap-south-1")

    async def test_missing(self) -> None:
        """There must be a bucket."""
        response = await self.refused(
            self.client.request("GET", "/absent?location"), 404, "NoSuchBucket"
        )
        self.assertEqual(response.text("BucketName"), "absent")
