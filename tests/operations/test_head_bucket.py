"""HeadBucket."""

from __future__ import annotations

from ozgate.auth.sigv4 import sign
from ozgate.s3.owners import canonical_id
from tests.operations.past import PastTestCase
from tests.operations.support import REGION, URL

AFAR = b"<CreateBucketConfiguration><LocationConstraint>eu-central-1</LocationConstraint></CreateBucketConfiguration>"


class HeadBucketTests(PastTestCase):
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
        for target in ("/absent", "/bucket/key", "/bucket?acl"):
            response = await other.request("HEAD", target)
            self.assertNotIn("x-amz-bucket-region", response.headers)

    async def test_stranger(self) -> None:
        """Who does not sign, or wrongly, is told where a bucket is, as on S3; of a missing one who signs wrongly is told what this endpoint says of its own."""
        await self.client.request("PUT", "/afar", body=AFAR)
        for target, region in (
            ("/bucket", "us-east-1"),
            ("/afar", "eu-central-1"),
            ("/absent", "us-east-1"),
        ):
            for method, headers, status in (
                ("HEAD", {}, 403),
                ("HEAD", {"authorization": "AWS4-HMAC-SHA256 x"}, 400),
                ("HEAD", self.wrongly_signed(target), 403),
            ):
                response = await self.client.request(
                    method, target, headers, signed=False
                )
                found = response.headers.get("x-amz-bucket-region")
                if target == "/absent" and not headers:
                    # As S3 tells everybody.
                    self.assertEqual((response.status, found), (404, None))
                    continue
                self.assertEqual((response.status, response.body), (status, b""))
                self.assertEqual(found, region)
        for method, target in (
            ("HEAD", "/bucket/key"),
            ("GET", "/bucket"),
            ("GET", "/bucket?acl"),
            ("HEAD", "/bucket?acl"),
            ("PUT", "/bucket"),
            ("GET", "/"),
        ):
            response = await self.client.request(method, target, signed=False)
            self.assertEqual(response.status, 403)
            self.assertNotIn("x-amz-bucket-region", response.headers)

    def wrongly_signed(self, target: str) -> dict[str, str]:
        """The headers of a HEAD that another secret signed."""
        now = self.clock.seconds()
        return sign("HEAD", URL + target, {}, "testuser", "another secret", REGION, now)

    async def test_link(self) -> None:
        """A link is where its bucket is, for whom it may be followed by; others are told where the link is."""
        await self.client.request("PUT", "/afar", body=AFAR)
        await self.link("link", "afar")
        response = await self.client.request("HEAD", "/link")
        self.assertEqual(response.headers["x-amz-bucket-region"], "eu-central-1")
        response = await self.client.request("HEAD", "/link", signed=False)
        self.assertEqual(response.headers["x-amz-bucket-region"], "us-east-1")

    async def test_old_region_name(self) -> None:
        """A bucket made in EU says the region's name of today."""
        body = b"<CreateBucketConfiguration><LocationConstraint>EU</LocationConstraint></CreateBucketConfiguration>"
        await self.client.request("PUT", "/europe", body=body)
        response = await self.client.request("HEAD", "/europe")
        self.assertEqual(response.headers["x-amz-bucket-region"], "eu-west-1")
