"""PutBucketOwnershipControls, GetBucketOwnershipControls, DeleteBucketOwnershipControls."""

from __future__ import annotations

from ozgate.interfaces import IMetadataTransaction
from ozgate.values import Bucket
from tests.operations.granting import FULL, OPEN, GrantingTestCase
from tests.operations.past import PastTestCase
from tests.operations.support import checked

QUERY = "/bucket?ownershipControls"
RULE = "Rule/ObjectOwnership"


class DefaultTests(PastTestCase):
    """A bucket that nobody said anything of."""

    async def test_default(self) -> None:
        """Its owner owns everything, as in a new bucket on AWS; nothing is kept of that."""
        response = await self.client.request("GET", QUERY)
        self.assertEqual(response.text(RULE), "BucketOwnerEnforced")
        self.assertEqual(response.headers["content-type"], "application/xml")
        found = await self.client.gateway.metadata.read(_bucket)
        assert found is not None
        self.assertEqual(found.configured, frozenset())

    async def test_not_there(self) -> None:
        """A bucket that is not there has none."""
        await self.refused(
            self.client.request("GET", "/missing?ownershipControls"),
            404,
            "NoSuchBucket",
        )


def _bucket(tx: IMetadataTransaction) -> Bucket | None:
    return tx.bucket("s3v", "bucket")


class OwnershipTests(GrantingTestCase):
    """Controls that are put, shown and deleted."""

    async def test_life(self) -> None:
        """Each ownership is put and shown; the one of new buckets is kept as nothing."""
        for ownership in (
            "BucketOwnerPreferred",
            "ObjectWriter",
            "BucketOwnerEnforced",
        ):
            response = await self.own(ownership)
            self.assertEqual((response.status, response.body), (200, b""))
            shown = await self.client.request("GET", QUERY)
            self.assertEqual(shown.text(RULE), ownership)

    async def test_deleted(self) -> None:
        """Deleted controls are not found, and whoever writes an object owns it, also where there were none."""
        for _ in range(2):
            response = await self.client.request("DELETE", QUERY)
            self.assertEqual((response.status, response.body), (204, b""))
            await self.refused(
                self.client.request("GET", QUERY),
                404,
                "OwnershipControlsNotFoundError",
            )
            self.assertEqual(await self.write("a", x_amz_acl="public-read"), 200)
            await self.own("BucketOwnerEnforced")

    async def test_malformed(self) -> None:
        """Another document, none, or several rules change nothing."""
        rule = "<Rule><ObjectOwnership>ObjectWriter</ObjectOwnership></Rule>"
        await self.own("BucketOwnerPreferred")
        for text in ("", rule * 2, "<Rule/>", rule.replace("Writer", "writer")):
            body = f"<OwnershipControls>{text}</OwnershipControls>".encode()
            await self.refused(
                self.client.request("PUT", QUERY, checked(body), body),
                400,
                "MalformedXML",
            )
        await self.refused(
            self.client.request("PUT", QUERY, checked(b""), b""),
            400,
            "MissingRequestBodyError",
        )
        shown = await self.client.request("GET", QUERY)
        self.assertEqual(shown.text(RULE), "BucketOwnerPreferred")

    async def test_checksum(self) -> None:
        """A document without any checksum is refused, as S3 demands one."""
        await self.refused(
            self.client.request("PUT", QUERY, {}, b"<OwnershipControls/>"),
            400,
            "InvalidRequest",
        )

    async def test_list_gives_others(self) -> None:
        """Lists that count cannot be switched off while the bucket's gives somebody else something; objects' lists do not matter."""
        await self.write("key", x_amz_acl="public-read")
        await self.give(x_amz_acl="public-read")
        await self.refused(
            self.own("BucketOwnerEnforced"),
            400,
            "InvalidBucketAclWithObjectOwnership",
        )
        shown = await self.client.request("GET", QUERY)
        self.assertEqual(shown.text(RULE), "ObjectWriter")
        await self.give(x_amz_acl="private")
        self.assertEqual((await self.own("BucketOwnerEnforced")).status, 200)
        self.assertEqual(await self.given("/bucket/key?acl"), [FULL])

    async def test_lists_come_back(self) -> None:
        """An object's list says nothing while lists do not count, and the same as before once they do again."""
        await self.write("key", x_amz_acl="public-read")
        for ownership, status in (("BucketOwnerEnforced", 403), ("ObjectWriter", 200)):
            await self.own(ownership)
            self.assertEqual(await self.status("GET", "/bucket/key", None), status)

    async def test_link(self) -> None:
        """Through a link they are the bucket's."""
        await self.link("link", "bucket")
        await self.own("BucketOwnerPreferred", "/link")
        shown = await self.client.request("GET", QUERY)
        self.assertEqual(shown.text(RULE), "BucketOwnerPreferred")

    async def test_rights(self) -> None:
        """Nobody else changes or sees them, whatever the bucket's list gives."""
        await self.give(x_amz_acl="public-read-write")
        body = b"<OwnershipControls><Rule><ObjectOwnership>ObjectWriter</ObjectOwnership></Rule></OwnershipControls>"
        for who in (self.other, None):
            for method in ("PUT", "GET", "DELETE"):
                sent = body if method == "PUT" else b""
                asked = (who or self.client).request(
                    method, QUERY, checked(sent), sent, signed=who is not None
                )
                await self.refused(asked, 403, "AccessDenied")

    async def test_opens_nothing(self) -> None:
        """With lists that count and nothing blocked, an object and a bucket of which nothing is said are their owner's alone."""
        await self.write("key")
        await self.blocks(OPEN)
        for who in (self.other, None):
            for target in ("/bucket/key", "/bucket", "/bucket/key?acl", "/bucket?acl"):
                self.assertEqual(await self.status("GET", target, who), 403)
            self.assertEqual(await self.status("PUT", "/bucket/new", who), 403)
            self.assertEqual(await self.status("DELETE", "/bucket/key", who), 403)
