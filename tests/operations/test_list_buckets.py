"""ListBuckets."""

from __future__ import annotations

from hashlib import sha256
from urllib.parse import quote

from tests.operations.support import OperationTestCase


class ListBucketsTests(OperationTestCase):
    """ListBuckets, besides the one bucket that is there from the start."""

    async def make(self, *names: str) -> None:
        """Make buckets."""
        for name in names:
            made = await self.client.request("PUT", f"/{name}")
            self.assertEqual(made.status, 200)

    async def test_document(self) -> None:
        """The document has the owner and each bucket's name and time, and no more."""
        response = await self.client.request("GET", "/")
        self.assertEqual(response.status, 200)
        self.assertEqual(response.headers["content-type"], "application/xml")
        root = response.xml()
        self.assertEqual(root.tag, "ListAllMyBucketsResult")
        self.assertEqual(response.names(), ["Owner", "Buckets"])
        self.assertEqual(response.text("Owner/ID"), sha256(b"testuser").hexdigest())
        self.assertEqual(response.text("Owner/DisplayName"), "testuser")
        (bucket,) = root.findall("Buckets/Bucket")
        self.assertEqual(
            [child.tag for child in bucket], ["Name", "CreationDate", "BucketArn"]
        )
        self.assertEqual(bucket.findtext("Name"), "bucket")
        self.assertEqual(bucket.findtext("BucketArn"), "arn:aws:s3:::bucket")
        self.assertRegex(
            bucket.findtext("CreationDate") or "",
            r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$",
        )

    async def test_order(self) -> None:
        """Buckets come in order of their names."""
        await self.make("zebra", "apple")
        response = await self.client.request("GET", "/")
        self.assertEqual(
            response.texts("Buckets/Bucket/Name"), ["apple", "bucket", "zebra"]
        )

    async def test_pages(self) -> None:
        """Following the tokens visits each bucket once, and the last page has no token."""
        await self.make("aaa", "ccc", "ddd", "eee")
        seen: list[list[str]] = []
        target = "/?max-buckets=2"
        while True:
            response = await self.client.request("GET", target)
            seen.append(response.texts("Buckets/Bucket/Name"))
            token = response.text("ContinuationToken")
            if token is None:
                break
            target = f"/?max-buckets=2&continuation-token={quote(token)}"
        self.assertEqual(seen, [["aaa", "bucket"], ["ccc", "ddd"], ["eee"]])

    async def test_prefix(self) -> None:
        """A prefix selects, and is said again."""
        await self.make("logs-1", "logs-2")
        response = await self.client.request("GET", "/?prefix=logs-")
        self.assertEqual(response.texts("Buckets/Bucket/Name"), ["logs-1", "logs-2"])
        self.assertEqual(response.text("Prefix"), "logs-")
        everything = await self.client.request("GET", "/?prefix=")
        self.assertEqual(len(everything.texts("Buckets/Bucket/Name")), 3)
        self.assertEqual(everything.text("Prefix"), "")

    async def test_region(self) -> None:
        """A request with a parameter is told the regions, and may select one across pages."""
        configuration = b"<CreateBucketConfiguration><LocationConstraint>eu-west-3</LocationConstraint></CreateBucketConfiguration>"
        for name in ("paris-1", "paris-2", "paris-3"):
            await self.client.request("PUT", f"/{name}", body=configuration)
        response = await self.client.request(
            "GET", "/?bucket-region=eu-west-3&max-buckets=2"
        )
        self.assertEqual(response.texts("Buckets/Bucket/Name"), ["paris-1", "paris-2"])
        self.assertEqual(
            response.texts("Buckets/Bucket/BucketRegion"), ["eu-west-3"] * 2
        )
        everything = await self.client.request("GET", "/?max-buckets=1")
        self.assertEqual(everything.texts("Buckets/Bucket/BucketRegion"), ["us-east-1"])

    async def test_bad_max_buckets(self) -> None:
        """max-buckets is a whole number from 1 to 10000."""
        for value in ("0", "-1", "10001", "many", "1.5"):
            response = await self.refused(
                self.client.request("GET", f"/?max-buckets={value}"),
                400,
                "InvalidArgument",
            )
            self.assertEqual(response.text("ArgumentName"), "max-buckets")
            self.assertEqual(response.text("ArgumentValue"), value)

    async def test_bad_token(self) -> None:
        """A token that was not given out is refused."""
        for token in ("x", "AAAAAGE=", "%C3%A9", ""):
            await self.refused(
                self.client.request("GET", f"/?continuation-token={token}"),
                400,
                "InvalidArgument",
            )

    async def test_other_callers(self) -> None:
        """Others are shown the buckets that they may list or read, as their owner in the Owner element."""
        other = self.client.as_user("other")
        response = await other.request("GET", "/")
        self.assertEqual(response.texts("Buckets/Bucket/Name"), [])
        await self.grant("user:other:l")
        response = await other.request("GET", "/")
        self.assertEqual(response.texts("Buckets/Bucket/Name"), ["bucket"])
        self.assertEqual(response.text("Owner/DisplayName"), "other")
