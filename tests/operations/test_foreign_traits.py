"""Tags, owners and attributes of keys of another system, its buckets' configuration, and policies of ours about them."""

from __future__ import annotations

from typing import Any

from attrs import evolve

from ozgate.s3 import gate
from ozgate.s3.operations import OPERATIONS
from ozgate.s3.row import Gate
from ozgate.values import Principal
from ozgate.wire.target import Scope
from tests.operations.abroad import ForeignTestCase, MixedTestCase
from tests.operations.support import checked
from tests.unit.s3.policy.documents import document, statement

NOTHING = {
    "GetBucketCors": (404, "NoSuchCORSConfiguration"),
    "GetBucketEncryption": (404, "ServerSideEncryptionConfigurationNotFoundError"),
    "GetBucketLifecycleConfiguration": (404, "NoSuchLifecycleConfiguration"),
    "GetBucketPolicy": (404, "NoSuchBucketPolicy"),
    "GetBucketPolicyStatus": (404, "NoSuchBucketPolicy"),
    "GetBucketReplication": (404, "ReplicationConfigurationNotFoundError"),
    "GetBucketTagging": (404, "NoSuchTagSet"),
    "GetBucketWebsite": (404, "NoSuchWebsiteConfiguration"),
    "GetBucketAnalyticsConfiguration": (404, "NoSuchConfiguration"),
    "GetBucketIntelligentTieringConfiguration": (404, "NoSuchConfiguration"),
    "GetBucketInventoryConfiguration": (404, "NoSuchConfiguration"),
    "GetBucketMetricsConfiguration": (404, "NoSuchConfiguration"),
    "GetObjectLockConfiguration": (404, "ObjectLockConfigurationNotFoundError"),
    "GetObjectLegalHold": (400, "InvalidRequest"),
    "GetObjectRetention": (400, "InvalidRequest"),
}
"""What reads a configuration, and what AWS says where there is none."""


class TraitTests(ForeignTestCase):
    """What is told of a key."""

    async def test_tags(self) -> None:
        """They are the other system's, and replaced as a whole."""
        asked = self.client.request("GET", "/bucket/k?tagging")
        await self.refused(asked, 404, "NoSuchKey")
        await self.client.request("PUT", "/bucket/k", {"x-amz-tagging": "a=1"}, b"x")
        got = await self.client.request("GET", "/bucket/k?tagging")
        self.assertEqual(got.texts("TagSet/Tag/Key"), ["a"])
        said = b"<Tagging><TagSet><Tag><Key>b</Key><Value>2</Value></Tag></TagSet></Tagging>"
        put = await self.client.request("PUT", "/bucket/k?tagging", checked(said), said)
        self.assertEqual(put.status, 200, put.body)
        self.assertEqual(self.there()["k"].shown.tags, {"b": "2"})
        gone = await self.client.request("DELETE", "/bucket/k?tagging")
        self.assertEqual(gone.status, 204)
        self.assertEqual(self.there()["k"].shown.tags, {})

    async def test_owner(self) -> None:
        """A list says who owns a key or a bucket, and no more."""
        self.put_there("k", b"x")
        for target, owner in (
            ("/bucket/k?acl", "somebody"),
            ("/bucket?acl", "testuser"),
        ):
            got = await self.client.request("GET", target)
            self.assertEqual(got.text("Owner/DisplayName"), owner)
            self.assertEqual(
                got.texts("AccessControlList/Grant/Permission"), ["FULL_CONTROL"]
            )

    async def test_attributes(self) -> None:
        """Those that are known are told."""
        put = await self.client.request("PUT", "/bucket/k", body=b"abc")
        wanted = {"x-amz-object-attributes": "ETag,Checksum,ObjectSize,StorageClass"}
        got = await self.client.request("GET", "/bucket/k?attributes", wanted)
        self.assertEqual(got.text("ETag"), put.headers["etag"].strip('"'))
        self.assertEqual(got.text("ObjectSize"), "3")
        self.assertEqual(
            got.text("Checksum/ChecksumCRC64NVME"),
            put.headers["x-amz-checksum-crc64nvme"],
        )


class PlainTests(ForeignTestCase):
    """What is read of a bucket for which nothing can be configured."""

    async def test_all(self) -> None:
        """Each reading operation says what AWS says where there is nothing, though a bucket of that name is in the stores, and none of a bucket that is not there."""
        seen = set()
        for row in OPERATIONS:
            if row.foreign is None or row.method != "GET" or row.scope is Scope.SERVICE:
                continue
            query = "&".join(
                name if "=" in name else f"{name}=" for name in row.names
            ).replace("id=", "id=x")
            if row.name in ("ListParts", "GetObject", "GetObjectAttributes"):
                continue
            key = "/k" if row.scope is Scope.OBJECT else ""
            self.put_there("k")
            got = await self.client.request("GET", f"/bucket{key}?{query}")
            expected = NOTHING.get(row.name, (200, None))
            code = got.code if got.status >= 400 else None
            self.assertEqual((got.status, code), expected, row.name)
            gone = await self.client.request("GET", f"/gone{key}?{query}")
            self.assertEqual((gone.status, gone.code), (404, "NoSuchBucket"), row.name)
            seen.add(row.name)
        self.assertLessEqual(NOTHING.keys(), seen)

    async def test_not_built(self) -> None:
        """Whatever else there is for ours is 501, and does nothing here."""
        before = repr(self.client.gateway.metadata)
        for row in OPERATIONS:
            if row.perform is None or row.foreign is not None:
                continue
            if row.gate is Gate.PREFLIGHT or row.scope is Scope.SERVICE:
                continue
            query = "&".join(f"{name}=x" for name in row.names)
            key = "/k" if row.scope is Scope.OBJECT else ""
            asked = self.client.request(row.method, f"/bucket{key}?{query}")
            await self.refused(asked, 501, "NotImplemented")
        self.assertEqual(repr(self.client.gateway.metadata), before)


def have(
    test: ForeignTestCase, *, policies: tuple[Any, ...] = (), limits: Any = ()
) -> None:
    """Let everybody who signs have policies and limits from now on."""
    real = gate.principal_of

    async def principal(*args: Any) -> Principal:
        return evolve(
            await real(*args),
            policies=tuple(document(each) for each in policies),
            limits=tuple(document(each) for each in limits),
        )

    test.patch(gate, "principal_of", principal)


class PolicyTests(ForeignTestCase):
    """Policies and limits of users of ours."""

    async def test_denied(self) -> None:
        """What a policy denies is denied, key by key; all else is the other system's to say."""
        for key in ("open", "secret"):
            await self.client.request("PUT", f"/bucket/{key}", body=b"x")
        have(
            self,
            policies=(statement("Deny", "s3:*Object", "arn:aws:s3:::bucket/secret"),),
        )
        for method in ("GET", "PUT", "DELETE"):
            asked = self.client.request(method, "/bucket/secret")
            await self.refused(asked, 403, "AccessDenied")
        said = (
            b"<Delete><Object><Key>open</Key></Object>"
            b"<Object><Key>secret</Key></Object></Delete>"
        )
        gone = await self.client.request("POST", "/bucket?delete", checked(said), said)
        self.assertEqual(gone.texts("Deleted/Key"), ["open"])
        self.assertEqual(gone.texts("Error/Code"), ["AccessDenied"])
        header = {"x-amz-copy-source": "/bucket/secret"}
        asked = self.client.request("PUT", "/bucket/copy", header)
        await self.refused(asked, 403, "AccessDenied")

    async def test_limits(self) -> None:
        """A session does what its limits allow, and nothing else."""
        await self.client.request("PUT", "/bucket/k", body=b"x")
        have(
            self,
            limits=[statement("Allow", "s3:GetObject", "arn:aws:s3:::bucket/*")],
        )
        got = await self.client.request("GET", "/bucket/k")
        self.assertEqual(got.status, 200)
        for method, target in (
            ("PUT", "/bucket/k"),
            ("GET", "/bucket"),
            ("GET", "/"),
            ("PUT", "/more"),
            ("DELETE", "/bucket"),
            ("GET", "/bucket?policy"),
            ("POST", "/bucket/k?uploads"),
        ):
            asked = self.client.request(method, target)
            await self.refused(asked, 403, "AccessDenied")

    async def test_tags_of_what_is_there(self) -> None:
        """A policy that hangs on the tags of a stored object keeps its user from every key: nobody knows them here."""
        await self.client.request("PUT", "/bucket/k", body=b"x")
        where = {"StringEquals": {"s3:ExistingObjectTag/secret": "yes"}}
        have(
            self,
            policies=(
                statement(
                    "Deny", "s3:GetObject", "arn:aws:s3:::bucket/*", Condition=where
                ),
            ),
        )
        asked = self.client.request("GET", "/bucket/k")
        await self.refused(asked, 403, "AccessDenied")


class LinkedPolicyTests(MixedTestCase):
    """The same, through a link of ours."""

    async def test_names(self) -> None:
        """Policies call a bucket of another volume by the volume too, whatever the link is called."""
        await self.client.request("PUT", "/link/k", body=b"x")
        have(
            self,
            policies=(
                statement("Deny", "s3:GetObject", "arn:aws:s3:::@cluster/data/*"),
            ),
        )
        asked = self.client.request("GET", "/link/k")
        await self.refused(asked, 403, "AccessDenied")
