"""CreateBucket."""

from __future__ import annotations

from ozgate.s3.policy.grants import ALL_USERS
from tests.operations.support import OperationTestCase, Response


def located(region: str) -> bytes:
    """A document that asks for a region."""
    return (
        '<CreateBucketConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        f"<LocationConstraint>{region}</LocationConstraint></CreateBucketConfiguration>"
    ).encode()


class CreateBucketTests(OperationTestCase):
    """CreateBucket."""

    async def create(
        self, name: str = "made", body: bytes = b"", **headers: str
    ) -> Response:
        """Make a bucket; underscores in header names stand for hyphens."""
        named = {key.replace("_", "-"): value for key, value in headers.items()}
        return await self.client.request("PUT", f"/{name}", named, body)

    async def test_made(self) -> None:
        """A new bucket is answered with its location, and is there."""
        response = await self.create()
        self.assertEqual(response.status, 200)
        self.assertEqual(response.headers["location"], "/made")
        self.assertEqual(response.headers["x-amz-bucket-arn"], "arn:aws:s3:::made")
        self.assertEqual(response.body, b"")
        self.assertEqual((await self.client.request("HEAD", "/made")).status, 200)

    async def test_own_again(self) -> None:
        """Making one's own bucket again is a conflict that says so, in each region but one."""
        self.assertEqual((await self.create("paris", located("eu-west-3"))).status, 200)
        berlin = self.client.with_settings(region="eu-central-1")
        self.assertEqual((await berlin.request("PUT", "/berlin")).status, 200)
        for name, asked in (
            ("paris", self.create("paris", located("eu-west-3"))),
            ("paris", self.create("paris")),
            ("bucket", self.create("bucket", located("eu-west-3"))),
            ("berlin", berlin.request("PUT", "/berlin")),
        ):
            response = await self.refused(asked, 409, "BucketAlreadyOwnedByYou")
            self.assertEqual(response.text("BucketName"), name)

    async def test_own_again_in_us_east_1(self) -> None:
        """Making one's own bucket of us-east-1 again is no error, and changes nothing."""
        await self.grant("user:other:l")
        await self.add_objects("key")
        listed = await self.client.request("GET", "/")
        self.clock.advance(60)
        response = await self.create("bucket")
        self.assertEqual(response.status, 200)
        self.assertEqual(response.headers["location"], "/bucket")
        self.assertEqual((await self.client.request("GET", "/")).body, listed.body)
        other = self.client.as_user("other")
        seen = await other.request("GET", "/bucket")
        self.assertEqual(seen.texts("Contents/Key"), ["key"])

    async def test_other_owner(self) -> None:
        """Making a bucket that another owns is another conflict."""
        other = self.client.as_user("other")
        await self.refused(other.request("PUT", "/bucket"), 409, "BucketAlreadyExists")

    async def test_names(self) -> None:
        """Names that break S3's rules are refused, with the name."""
        for name in (
            "ab",
            "a" * 64,
            "Upper",
            "a_b",
            "a..b",
            "-ab",
            "ab-",
            "192.168.1.1",
        ):
            response = await self.refused(self.create(name), 400, "InvalidBucketName")
            self.assertEqual(response.text("BucketName"), name)
        for name in ("abc", "a" * 63, "a.b-c", "1ab", "conf"):
            self.assertEqual((await self.create(name)).status, 200, name)

    async def test_location(self) -> None:
        """The default endpoint makes a bucket wherever it is asked to, and remembers."""
        for name, region, shown in (
            ("here", "us-east-1", ""),
            ("paris", "eu-west-3", "eu-west-3"),
            ("gov", "us-gov-west-1", "us-gov-west-1"),
            ("old", "EU", "EU"),
        ):
            self.assertEqual((await self.create(name, located(region))).status, 200)
            location = await self.client.request("GET", f"/{name}?location")
            self.assertEqual(location.xml().text or "", shown)

    async def test_empty_configuration(self) -> None:
        """A configuration that names no region is legal."""
        empty = b"<CreateBucketConfiguration/>"
        self.assertEqual((await self.create(body=empty)).status, 200)

    async def test_bad_location(self) -> None:
        """What is no region's name is refused, with the name."""
        response = await self.refused(
            self.create(body=located("the moon")), 400, "InvalidLocationConstraint"
        )
        self.assertEqual(response.text("LocationConstraint"), "the moon")

    async def test_regional_endpoint(self) -> None:
        """An endpoint that says where it is takes its own region or none, and no other."""
        client = self.client.with_settings(region="eu-central-1")
        for name, body in (("one", b""), ("two", located("eu-central-1"))):
            self.assertEqual(
                (await client.request("PUT", f"/{name}", body=body)).status, 200
            )
            head = await client.request("HEAD", f"/{name}")
            self.assertEqual(head.headers["x-amz-bucket-region"], "eu-central-1")
        await self.refused(
            client.request("PUT", "/three", body=located("us-west-2")),
            400,
            "IllegalLocationConstraintException",
        )

    async def test_malformed(self) -> None:
        """Another document is malformed, and makes no bucket."""
        for body in (
            b"<Other/>",
            b"not xml",
            b"<CreateBucketConfiguration><Odd/></CreateBucketConfiguration>",
        ):
            await self.refused(self.create(body=body), 400, "MalformedXML")
        self.assertEqual((await self.client.request("HEAD", "/made")).status, 404)

    async def test_not_built(self) -> None:
        """Directory buckets are not implemented."""
        directory = b"<CreateBucketConfiguration><Bucket><Type>Directory</Type></Bucket></CreateBucketConfiguration>"
        for asked in (
            self.create(x_amz_bucket_namespace="account-regional"),
            self.create(body=directory),
        ):
            await self.refused(asked, 501, "NotImplemented")
        self.assertEqual((await self.client.request("HEAD", "/made")).status, 404)

    async def test_tags(self) -> None:
        """A bucket is made with its tags, as Terraform does; it is not made again with some."""

        def tagged(inside: str) -> bytes:
            return f"<CreateBucketConfiguration><Tags>{inside}</Tags></CreateBucketConfiguration>".encode()

        tag = "<Tag><Key>team</Key><Value>a b</Value></Tag>"
        for inside, code in (
            (f"{tag}{tag}", "InvalidTag"),
            ("<Tag><Key>aws:x</Key><Value>y</Value></Tag>", "InvalidTag"),
            ("<Tag><Key>x</Key></Tag>", "MalformedXML"),
            ("<Odd/>", "MalformedXML"),
        ):
            await self.refused(self.create(body=tagged(inside)), 400, code)
        self.assertEqual((await self.client.request("HEAD", "/made")).status, 404)
        self.assertEqual((await self.create(body=tagged(tag))).status, 200)
        shown = await self.client.request("GET", "/made?tagging")
        self.assertEqual(shown.texts("TagSet/Tag/Value"), ["a b"])
        again = self.create(body=tagged(tag))
        await self.refused(again, 409, "BucketAlreadyOwnedByYou")
        self.assertEqual((await self.create(body=tagged(""))).status, 200)
        shown = await self.client.request("GET", "/made?tagging")
        self.assertEqual(shown.texts("TagSet/Tag/Value"), ["a b"])

    async def test_defaults_said(self) -> None:
        """Headers that ask for what is so anyway are accepted."""
        response = await self.create(
            x_amz_bucket_object_lock_enabled="false",
            x_amz_object_ownership="BucketOwnerEnforced",
            x_amz_acl="private",
        )
        self.assertEqual(response.status, 200)

    async def test_access_lists(self) -> None:
        """An access list contradicts the bucket's ownership."""
        code = "InvalidBucketAclWithObjectOwnership"
        await self.refused(self.create(x_amz_acl="public-read"), 400, code)
        await self.refused(self.create(x_amz_grant_read=f"uri={ALL_USERS}"), 400, code)
        response = await self.refused(
            self.create(x_amz_grant_read="id=abc"), 400, "InvalidArgument"
        )
        self.assertEqual(response.text("Message"), "Invalid id")

    async def test_ownership(self) -> None:
        """Where a bucket says so, lists count in it, and it begins with the one that is asked for; the public stays out."""
        for ownership in ("ObjectWriter", "BucketOwnerPreferred"):
            response = await self.create(
                x_amz_object_ownership=ownership, x_amz_acl="log-delivery-write"
            )
            self.assertEqual(response.status, 200)
            shown = await self.client.request("GET", "/made?ownershipControls")
            self.assertEqual(shown.text("Rule/ObjectOwnership"), ownership)
            listed = await self.client.request("GET", "/made?acl")
            self.assertEqual(len(listed.texts(".//Grant")), 3)
            await self.client.request("DELETE", "/made")
            await self.refused(
                self.create(x_amz_object_ownership=ownership, x_amz_acl="public-read"),
                400,
                "InvalidBucketAclWithBlockPublicAccessError",
            )

    async def test_old_ways(self) -> None:
        """Two settings have new buckets begin as they did on AWS before 2023; a header is heard before a setting."""
        self.client = self.client.with_settings(
            new_bucket_ownership="ObjectWriter", new_bucket_blocked=False
        )
        self.assertEqual((await self.create(x_amz_acl="public-read")).status, 200)
        await self.refused(
            self.client.request("GET", "/made?publicAccessBlock"),
            404,
            "NoSuchPublicAccessBlockConfiguration",
        )
        listed = await self.client.as_user("other").request("GET", "/made")
        self.assertEqual(listed.status, 200)
        await self.client.request("DELETE", "/made")
        await self.refused(
            self.create(
                x_amz_acl="public-read", x_amz_object_ownership="BucketOwnerEnforced"
            ),
            400,
            "InvalidBucketAclWithObjectOwnership",
        )
        await self.create()
        listed = await self.client.as_user("other").request("GET", "/made")
        self.assertEqual(listed.status, 403)
        closed = self.client.with_settings(block_public_access=True)
        await self.refused(
            closed.request("PUT", "/other", {"x-amz-acl": "public-read"}),
            400,
            "InvalidBucketAclWithBlockPublicAccessError",
        )

    async def test_made_again(self) -> None:
        """A bucket that its owner makes again gets the list of a new one, where lists count; its ownership stays."""
        self.client = self.client.with_settings(
            new_bucket_ownership="ObjectWriter", new_bucket_blocked=False
        )
        other = self.client.as_user("other")
        for acl, status in (("public-read", 200), ("private", 403)):
            self.assertEqual((await self.create(x_amz_acl=acl)).status, 200)
            self.assertEqual((await other.request("GET", "/made")).status, status)
        self.client = self.client.with_settings(
            new_bucket_ownership="BucketOwnerEnforced"
        )
        self.assertEqual((await self.create()).status, 200)
        shown = await self.client.request("GET", "/made?ownershipControls")
        self.assertEqual(shown.text("Rule/ObjectOwnership"), "ObjectWriter")

    async def test_bad_headers(self) -> None:
        """Values that S3 does not have are refused, with the header's name."""
        for name in (
            "x-amz-acl",
            "x-amz-object-ownership",
            "x-amz-bucket-object-lock-enabled",
        ):
            response = await self.refused(
                self.client.request("PUT", "/made", {name: "odd"}),
                400,
                "InvalidArgument",
            )
            self.assertEqual(response.text("ArgumentName"), name)
            self.assertEqual(response.text("ArgumentValue"), "odd")
