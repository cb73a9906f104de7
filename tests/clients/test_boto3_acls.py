"""S3's access control lists and ownership controls through boto3: the owner, another user, and anybody, on a secured service."""

from __future__ import annotations

from typing import Any

from botocore import UNSIGNED

from ozgate.s3.owners import canonical_id
from ozgate.s3.policy.grants import ALL_USERS
from tests.clients.botos import SharedTestCase, make_client, of_user

OPEN = {
    "BlockPublicAcls": False,
    "IgnorePublicAcls": False,
    "BlockPublicPolicy": False,
    "RestrictPublicBuckets": False,
}


class AclTests(SharedTestCase):
    """A bucket of ``owner``, who is no administrator."""

    def setUp(self) -> None:
        """Have it made by him."""
        super().setUp()
        self.owner = of_user(self.server, "owner")
        self.other = of_user(self.server, "other")
        self.anybody = make_client(self.server.url, signature_version=UNSIGNED)
        self.s3.delete_bucket(Bucket=self.bucket)
        self.owner.create_bucket(Bucket=self.bucket)
        self.key = {"Bucket": self.bucket, "Key": "key"}

    def own(self, ownership: str) -> None:
        """Say who owns what is written."""
        self.owner.put_bucket_ownership_controls(
            Bucket=self.bucket,
            OwnershipControls={"Rules": [{"ObjectOwnership": ownership}]},
        )

    def open(self) -> None:
        """Block nothing."""
        self.owner.put_public_access_block(
            Bucket=self.bucket, PublicAccessBlockConfiguration=OPEN
        )

    def given(self, answer: Any) -> list[tuple[str, str]]:
        """A list: names or URIs, and permissions."""
        return [
            (
                row["Grantee"].get("URI") or row["Grantee"]["DisplayName"],
                row["Permission"],
            )
            for row in answer["Grants"]
        ]

    def test_default(self) -> None:
        """Lists are off in a new bucket, with AWS's errors; what says nothing is taken."""
        for call, options in (
            (self.owner.put_object, {"Key": "key", "ACL": "public-read"}),
            (self.owner.put_bucket_acl, {"ACL": "private"}),
            (self.owner.create_multipart_upload, {"Key": "key", "ACL": "public-read"}),
            (self.owner.put_object, {"Key": "key", "GrantRead": f"uri={ALL_USERS}"}),
        ):
            error = self.refused(400, "AccessControlListNotSupported", call, **options)
            self.assertEqual(error["Message"], "The bucket does not allow ACLs")
        for name in ("private", "bucket-owner-full-control"):
            self.owner.put_object(**self.key, ACL=name)
        self.owner.put_object_acl(**self.key, ACL="bucket-owner-full-control")
        answer = self.owner.get_object_acl(**self.key)
        self.assertEqual(self.given(answer), [("owner", "FULL_CONTROL")])
        self.assertEqual(answer["Owner"]["ID"], canonical_id("owner"))
        answer = self.owner.get_bucket_ownership_controls(Bucket=self.bucket)
        rules = answer["OwnershipControls"]["Rules"]
        self.assertEqual(rules, [{"ObjectOwnership": "BucketOwnerEnforced"}])

    def test_grants(self) -> None:
        """Another user, named by id, has what he is granted on the bucket and on the object, and it can be taken away again."""
        self.own("ObjectWriter")
        self.owner.put_object(**self.key, Body=b"x")
        self.refused(403, "AccessDenied", self.other.get_object, Key="key")
        self.refused(403, "AccessDenied", self.other.list_objects_v2)
        other = f'id="{canonical_id("other")}"'
        self.owner.put_object_acl(**self.key, GrantRead=other)
        self.owner.put_bucket_acl(Bucket=self.bucket, GrantRead=other)
        self.assertEqual(self.other.get_object(**self.key)["Body"].read(), b"x")
        self.assertEqual(self.other.list_objects_v2(Bucket=self.bucket)["KeyCount"], 1)
        self.refused(403, "AccessDenied", self.other.put_object, Key="key")
        self.refused(403, "AccessDenied", self.other.get_bucket_acl)
        shown = self.owner.get_bucket_acl(Bucket=self.bucket)
        self.assertEqual(self.given(shown), [("other", "READ")])
        policy = {"Owner": shown["Owner"], "Grants": []}
        self.owner.put_bucket_acl(Bucket=self.bucket, AccessControlPolicy=policy)
        self.refused(403, "AccessDenied", self.other.list_objects_v2)
        policy["Grants"] = shown["Grants"]
        self.owner.put_bucket_acl(Bucket=self.bucket, AccessControlPolicy=policy)
        self.assertEqual(self.other.list_objects_v2(Bucket=self.bucket)["KeyCount"], 1)
        del policy["Owner"]
        self.refused(
            *(400, "MalformedACLError", self.owner.put_bucket_acl),
            AccessControlPolicy=policy,
        )

    def test_public(self) -> None:
        """Once nothing is blocked, an object is as public as its list says, and no other is."""
        self.own("BucketOwnerPreferred")
        self.refused(
            *(403, "AccessDenied", self.owner.put_object),
            **{"Key": "key", "ACL": "public-read"},
        )
        self.open()
        self.owner.put_object(**self.key, Body=b"x", ACL="public-read")
        self.owner.put_object(Bucket=self.bucket, Key="closed", Body=b"y")
        for who in (self.anybody, self.other):
            self.assertEqual(who.get_object(**self.key)["Body"].read(), b"x")
            self.refused(403, "AccessDenied", who.get_object, Key="closed")
            self.refused(403, "AccessDenied", who.list_objects_v2)
            self.refused(403, "AccessDenied", who.put_object, Key="key")
            self.refused(403, "AccessDenied", who.get_object_acl, Key="key")
        blocked = {**OPEN, "IgnorePublicAcls": True}
        self.owner.put_public_access_block(
            Bucket=self.bucket, PublicAccessBlockConfiguration=blocked
        )
        for who in (self.anybody, self.other):
            self.refused(403, "AccessDenied", who.get_object, Key="key")

    def test_owners(self) -> None:
        """Whoever writes owns what he wrote, or the bucket's owner, as the controls and his list say."""
        other = f'id="{canonical_id("other")}"'
        for ownership, names in (
            ("ObjectWriter", ["other", "other"]),
            ("BucketOwnerPreferred", ["other", "owner"]),
        ):
            self.own(ownership)
            self.owner.put_bucket_acl(Bucket=self.bucket, GrantWrite=other)
            self.other.put_object(**self.key)
            self.refused(403, "AccessDenied", self.owner.get_object, Key="key")
            found = [self.other.get_object_acl(**self.key)]
            self.other.put_object(**self.key, ACL="bucket-owner-full-control")
            found.append(self.owner.get_object_acl(**self.key))
            self.assertEqual([row["Owner"]["DisplayName"] for row in found], names)
            listed = self.owner.list_objects_v2(Bucket=self.bucket, FetchOwner=True)
            self.assertEqual(listed["Contents"][0]["Owner"]["DisplayName"], names[1])
        self.refused(
            *(400, "InvalidBucketAclWithObjectOwnership"),
            self.owner.put_bucket_ownership_controls,
            OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
        )

    def test_created(self) -> None:
        """A bucket is made with its ownership and its list; deleted controls are not found."""
        name = f"{self.bucket}-made"
        self.owner.create_bucket(
            Bucket=name,
            ObjectOwnership="ObjectWriter",
            GrantRead=f'id="{canonical_id("other")}"',
        )
        self.assertEqual(self.other.list_objects_v2(Bucket=name)["KeyCount"], 0)
        self.owner.delete_bucket_ownership_controls(Bucket=name)
        self.refused(
            *(404, "OwnershipControlsNotFoundError"),
            self.owner.get_bucket_ownership_controls,
            Bucket=name,
        )
        self.refused(
            *(400, "InvalidBucketAclWithBlockPublicAccessError"),
            self.owner.create_bucket,
            Bucket=f"{self.bucket}-public",
            ObjectOwnership="ObjectWriter",
            ACL="public-read",
        )

    def test_multipart(self) -> None:
        """A multipart object has the list that its upload began with."""
        self.own("ObjectWriter")
        self.open()
        began = self.owner.create_multipart_upload(**self.key, ACL="public-read")
        where = {**self.key, "UploadId": began["UploadId"]}
        part = self.owner.upload_part(**where, PartNumber=1, Body=b"x")
        told = {"PartNumber": 1, "ETag": part["ETag"]}
        told["ChecksumCRC32"] = part["ChecksumCRC32"]
        self.owner.complete_multipart_upload(**where, MultipartUpload={"Parts": [told]})
        self.assertEqual(self.anybody.get_object(**self.key)["Body"].read(), b"x")
