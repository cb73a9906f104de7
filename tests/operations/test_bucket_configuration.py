"""Every configuration of a bucket that clients and Terraform probe."""

from __future__ import annotations

from hashlib import sha256

from tests.operations.support import OperationTestCase

ABSENT = {
    "cors": "NoSuchCORSConfiguration",
    "encryption": "ServerSideEncryptionConfigurationNotFoundError",
    "lifecycle": "NoSuchLifecycleConfiguration",
    "object-lock": "ObjectLockConfigurationNotFoundError",
    "policy": "NoSuchBucketPolicy",
    "policyStatus": "NoSuchBucketPolicy",
    "replication": "ReplicationConfigurationNotFoundError",
    "tagging": "NoSuchTagSet",
    "website": "NoSuchWebsiteConfiguration",
    "analytics&id=x": "NoSuchConfiguration",
    "intelligent-tiering&id=x": "NoSuchConfiguration",
    "inventory&id=x": "NoSuchConfiguration",
    "metrics&id=x": "NoSuchConfiguration",
}
"""Query → code of the 404."""

SHOWN = {
    "accelerate": ("AccelerateConfiguration", {}),
    "logging": ("BucketLoggingStatus", {}),
    "notification": ("NotificationConfiguration", {}),
    "requestPayment": ("RequestPaymentConfiguration", {"Payer": "BucketOwner"}),
    "versioning": ("VersioningConfiguration", {}),
    "analytics": ("ListBucketAnalyticsConfigurationResult", {"IsTruncated": "false"}),
    "intelligent-tiering": (
        "ListBucketIntelligentTieringConfigurationsOutput",
        {"IsTruncated": "false"},
    ),
    "inventory": ("ListInventoryConfigurationsResult", {"IsTruncated": "false"}),
    "metrics": ("ListMetricsConfigurationsResult", {"IsTruncated": "false"}),
}
"""Query → root of the document and its members."""


class BucketConfigurationTests(OperationTestCase):
    """GET of each sub-resource that configures a bucket."""

    async def test_absent(self) -> None:
        """What is not configured is 404, with S3's code and the bucket."""
        for query, code in ABSENT.items():
            response = await self.refused(
                self.client.request("GET", f"/bucket?{query}"), 404, code
            )
            self.assertEqual(response.text("BucketName"), "bucket")

    async def test_shown(self) -> None:
        """What every bucket has in some state is shown."""
        for query, (root, members) in SHOWN.items():
            response = await self.client.request("GET", f"/bucket?{query}")
            self.assertEqual(response.status, 200, query)
            self.assertEqual(response.headers["content-type"], "application/xml")
            self.assertIn(b"http://s3.amazonaws.com/doc/2006-03-01/", response.body)
            found = response.xml()
            self.assertEqual(found.tag, root)
            self.assertEqual({child.tag: child.text for child in found}, members)

    async def test_acl(self) -> None:
        """The owner has full control, and nobody else any."""
        await self.grant("user:other:x")
        response = await self.client.as_user("other").request("GET", "/bucket?acl")
        self.assertEqual(response.xml().tag, "AccessControlPolicy")
        owner = sha256(b"testuser").hexdigest()
        self.assertEqual(response.text("Owner/ID"), owner)
        grant = "AccessControlList/Grant"
        self.assertEqual(response.texts(f"{grant}/Permission"), ["FULL_CONTROL"])
        self.assertEqual(response.texts(f"{grant}/Grantee/ID"), [owner])
        (grantee,) = response.xml().findall(f"{grant}/Grantee")
        self.assertEqual(
            grantee.attrib,
            {"{http://www.w3.org/2001/XMLSchema-instance}type": "CanonicalUser"},
        )

    async def test_ownership(self) -> None:
        """The bucket's owner owns all in it: access lists are off."""
        response = await self.client.request("GET", "/bucket?ownershipControls")
        self.assertEqual(response.xml().tag, "OwnershipControls")
        self.assertEqual(
            response.texts("Rule/ObjectOwnership"), ["BucketOwnerEnforced"]
        )

    async def test_missing_bucket(self) -> None:
        """Nothing is said of a bucket that is not there."""
        for query in (*ABSENT, *SHOWN, "acl", "ownershipControls"):
            response = await self.refused(
                self.client.request("GET", f"/absent?{query}"), 404, "NoSuchBucket"
            )
            self.assertEqual(response.text("BucketName"), "absent")

    async def test_expected_owner(self) -> None:
        """Another owner than the client expects is told nothing."""
        for query in ("versioning", "policy", "acl"):
            await self.refused(
                self.client.request(
                    "GET", f"/bucket?{query}", {"x-amz-expected-bucket-owner": "other"}
                ),
                403,
                "AccessDenied",
            )

    async def test_setting(self) -> None:
        """Setting or removing what is not built is 501, and does not touch the bucket."""
        for method in ("PUT", "DELETE"):
            for query in ("lifecycle", "encryption"):
                await self.refused(
                    self.client.request(method, f"/bucket?{query}"),
                    501,
                    "NotImplemented",
                )
        self.assertEqual((await self.client.request("HEAD", "/bucket")).status, 200)
