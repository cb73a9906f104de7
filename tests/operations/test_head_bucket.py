"""HeadBucket."""

from __future__ import annotations

from ozgate.s3.owners import canonical_id

from .support import OperationTestCase


class HeadBucketTests(OperationTestCase):
    """HeadBucket."""

    async def test_there(self) -> None:
        """A bucket that is there is answered with its region and no body."""
        response = await self.client.request("HEAD", "/bucket")
        self.assertEqual((response.status, response.body), (200, b""))
        self.assertEqual(response.headers["x-amz-bucket-region"], "us-east-1")
        self.assertEqual(response.headers["x-amz-access-point-alias"], "false")
        self.assertEqual(response.headers["x-amz-bucket-arn"], "arn:aws:s3:::bucket")

    async def test_missing(self) -> None:
        """A bucket that is not there is 404 without a body."""
        response = await self.client.request("HEAD", "/absent")
        self.assertEqual((response.status, response.body), (404, b""))

    async def test_expected_owner(self) -> None:
        """Another owner than the client expects is 403; the owner's id, as listings show it, is as good as the name."""
        listed = await self.client.request("GET", "/")
        for owner, status in (
            ("testuser", 200),
            ("other", 403),
            (listed.text("Owner/ID") or "", 200),
            (canonical_id("other"), 403),
        ):
            response = await self.client.request(
                "HEAD", "/bucket", {"x-amz-expected-bucket-owner": owner}
            )
            self.assertEqual(response.status, status)

    async def test_denied(self) -> None:
        """Who may not see a bucket is told where it is, as on S3: SDKs look there; of a missing one nothing is said."""
        other = self.client.as_user("other")
        response = await other.request("HEAD", "/bucket")
        self.assertEqual((response.status, response.body), (403, b""))
        self.assertEqual(response.headers["x-amz-bucket-region"], "us-east-1")
        for client, signed in ((other, True), (self.client, False)):
            for target in ("/absent", "/bucket/key"):
                response = await client.request("HEAD", target, signed=signed)
                self.assertNotIn("x-amz-bucket-region", response.headers)
        unsigned = await other.request("HEAD", "/bucket", signed=False)
        self.assertNotIn("x-amz-bucket-region", unsigned.headers)

    async def test_old_region_name(self) -> None:
        """A bucket made in EU says the region's name of today."""
        body = b"<CreateBucketConfiguration><LocationConstraint>EU</LocationConstraint></CreateBucketConfiguration>"
        await self.client.request("PUT", "/europe", body=body)
        response = await self.client.request("HEAD", "/europe")
        self.assertEqual(response.headers["x-amz-bucket-region"], "eu-west-1")
