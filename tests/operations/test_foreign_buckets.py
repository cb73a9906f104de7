"""Buckets of another system: where all volumes are its, and beside ours."""

from __future__ import annotations

from tests.operations.abroad import (
    ForeignTestCase,
    MixedTestCase,
    add_bucket_here,
    add_link_here,
)


class BucketTests(ForeignTestCase):
    """Where all volumes are the other system's."""

    async def test_list(self) -> None:
        """Its buckets are listed, a page at a time, and ours are not."""
        for name in ("zebra", "apple"):
            made = await self.client.request("PUT", f"/{name}")
            self.assertEqual(made.status, 200)
        listed = await self.client.request("GET", "/")
        self.assertEqual(
            listed.texts("Buckets/Bucket/Name"), ["apple", "bucket", "zebra"]
        )
        page = await self.client.request("GET", "/?max-buckets=2")
        self.assertEqual(page.texts("Buckets/Bucket/Name"), ["apple", "bucket"])
        token = page.text("ContinuationToken")
        rest = await self.client.request("GET", f"/?continuation-token={token}")
        self.assertEqual(rest.texts("Buckets/Bucket/Name"), ["zebra"])
        some = await self.client.request("GET", "/?prefix=z")
        self.assertEqual(some.texts("Buckets/Bucket/Name"), ["zebra"])

    async def test_made_again(self) -> None:
        """Its owner makes a bucket again in us-east-1; nobody else does."""
        again = await self.client.request("PUT", "/bucket")
        self.assertEqual(again.status, 200)
        other = self.client.as_user("other").request("PUT", "/bucket")
        await self.refused(other, 409, "BucketAlreadyExists")
        elsewhere = self.client.with_settings(region="eu-west-1")
        asked = elsewhere.request("PUT", "/bucket")
        await self.refused(asked, 409, "BucketAlreadyOwnedByYou")

    async def test_besides(self) -> None:
        """What a bucket cannot have there is refused, and none is made."""
        for headers, status, code in (
            (
                {"x-amz-bucket-object-lock-enabled": "true"},
                501,
                "NotImplemented",
            ),
            ({"x-amz-object-ownership": "ObjectWriter"}, 501, "NotImplemented"),
            (
                {"x-amz-acl": "public-read"},
                400,
                "InvalidBucketAclWithObjectOwnership",
            ),
        ):
            asked = self.client.request("PUT", "/more", headers)
            await self.refused(asked, status, code)
        head = await self.client.request("HEAD", "/more")
        self.assertEqual(head.status, 404)

    async def test_remove(self) -> None:
        """An empty bucket goes; one that holds something does not, nor one that is not there."""
        await self.client.request("PUT", "/bucket/k", body=b"x")
        asked = self.client.request("DELETE", "/bucket")
        await self.refused(asked, 409, "BucketNotEmpty")
        await self.client.request("DELETE", "/bucket/k")
        gone = await self.client.request("DELETE", "/bucket")
        self.assertEqual(gone.status, 204)
        await self.refused(
            self.client.request("DELETE", "/bucket"), 404, "NoSuchBucket"
        )

    async def test_head(self) -> None:
        """A bucket says that it is there, and in the region of the endpoint."""
        head = await self.client.request("HEAD", "/bucket")
        self.assertEqual(head.status, 200)
        self.assertEqual(head.headers["x-amz-bucket-region"], "us-east-1")
        found = await self.client.request("GET", "/bucket?location")
        self.assertEqual(found.xml().text, None)
        head = await self.client.request("HEAD", "/gone")
        self.assertEqual(head.status, 404)

    async def test_expected_owner(self) -> None:
        """A bucket is entered by who expects its owner."""
        right = {"x-amz-expected-bucket-owner": "testuser"}
        head = await self.client.request("HEAD", "/bucket", right)
        self.assertEqual(head.status, 200)
        wrong = {"x-amz-expected-bucket-owner": "other"}
        asked = self.client.request("GET", "/bucket", wrong)
        await self.refused(asked, 403, "AccessDenied")

    async def test_not_built(self) -> None:
        """What the other system cannot do is 501, and never done here, though there are rows of a bucket of that name."""
        for method, target in (
            ("PUT", "/bucket?versioning"),
            ("PUT", "/bucket?policy"),
            ("PUT", "/bucket?cors"),
            ("PUT", "/bucket?object-lock"),
            ("DELETE", "/bucket?tagging"),
            ("PUT", "/bucket/k?acl"),
        ):
            await self.refused(
                self.client.request(method, target), 501, "NotImplemented"
            )

    async def test_pages_of_others(self) -> None:
        """No rules of ours let a page of another origin read an answer."""
        page = {"origin": "http://other.example"}
        got = await self.client.request("GET", "/bucket", page)
        self.assertNotIn("access-control-allow-origin", got.headers)
        preflight = {**page, "access-control-request-method": "GET"}
        asked = self.client.request("OPTIONS", "/bucket/k", preflight, signed=False)
        await self.refused(asked, 403, "AccessForbidden")


class MixedTests(MixedTestCase):
    """Ours and the other system's, side by side: a link of ours leads there."""

    async def test_both(self) -> None:
        """A key of each goes where its bucket is."""
        for name in ("bucket", "link"):
            put = await self.client.request("PUT", f"/{name}/k", body=name.encode())
            self.assertEqual(put.status, 200, put.body)
            got = await self.client.request("GET", f"/{name}/k")
            self.assertEqual(got.body, name.encode())
        self.assertEqual(list(self.there("data", "cluster")), ["k"])
        self.assertEqual(self.there("data", "cluster")["k"].data, b"link")

    async def test_rights_on_the_link(self) -> None:
        """Who may not read the link does not get there, whatever he may there."""
        await self.grant("user:other:n", bucket="link")
        asked = self.client.as_user("other").request("GET", "/link/k")
        await self.refused(asked, 403, "AccessDenied")
        self.assertNotIn("other", {behalf.user for behalf in self.system.asked})
        await self.grant("user:other:r", bucket="link")
        asked = self.client.as_user("other").request("GET", "/link/k")
        await self.refused(asked, 404, "NoSuchKey")

    async def test_the_link_itself(self) -> None:
        """A link is ours: it is listed, and removed without what it leads to."""
        listed = await self.client.request("GET", "/")
        self.assertEqual(listed.texts("Buckets/Bucket/Name"), ["bucket", "link"])
        gone = await self.client.request("DELETE", "/link")
        self.assertEqual(gone.status, 204)
        self.assertEqual(list(self.system.volumes["cluster"]), ["data"])
        await self.refused(self.client.request("GET", "/link/k"), 404, "NoSuchBucket")

    async def test_rows_of_before(self) -> None:
        """Rows of a volume that is the other system's by now are never found through a link."""
        store = self.client.gateway.metadata
        await store.write(add_bucket_here, "cluster", "old")
        await store.write(add_link_here, "s3v", "older", ("cluster", "old"))
        asked = self.client.request("GET", "/older")
        await self.refused(asked, 404, "NoSuchBucket")
