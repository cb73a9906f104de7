"""Policies of buckets and public access blocks through boto3: the owner, another user, and anybody, on a secured service."""

from __future__ import annotations

import json
from typing import Any

from botocore import UNSIGNED

from ozgate.s3.owners import canonical_id
from tests.clients.botos import SharedTestCase, make_client, of_user
from tests.clients.test_boto3_acls import OPEN


class PolicyTests(SharedTestCase):
    """A bucket of ``owner``, who is no administrator."""

    def setUp(self) -> None:
        """Have it made by him, with an object."""
        super().setUp()
        self.owner = of_user(self.server, "owner")
        self.other = of_user(self.server, "other")
        self.anybody = make_client(self.server.url, signature_version=UNSIGNED)
        self.s3.delete_bucket(Bucket=self.bucket)
        self.owner.create_bucket(Bucket=self.bucket)
        self.key = {"Bucket": self.bucket, "Key": "key"}
        self.owner.put_object(**self.key, Body=b"x", Tagging="team=blue")

    def statement(
        self, who: Any, action: str | list[str], keys: str = "*", **members: Any
    ) -> dict[str, Any]:
        """What allows somebody something with keys, and with the bucket."""
        bucket = f"arn:aws:s3:::{self.bucket}"
        made = {
            "Effect": "Allow",
            "Principal": who,
            "Action": action,
            "Resource": [bucket, f"{bucket}/{keys}"],
        }
        return {**made, **members}

    def have(self, *statements: dict[str, Any], **options: Any) -> str:
        """Put a policy; its text."""
        text = json.dumps({"Version": "2012-10-17", "Statement": statements}, indent=1)
        self.owner.put_bucket_policy(Bucket=self.bucket, Policy=text, **options)
        return text

    def reads(self, client: Any) -> bool:
        """Whether somebody reads the object."""
        try:
            return bool(client.get_object(**self.key)["Body"].read() == b"x")
        except client.exceptions.ClientError as error:
            self.assertEqual(error.response["Error"]["Code"], "AccessDenied")
            return False

    def test_kept(self) -> None:
        """A policy is shown as it was put, and removed; what is none is refused with its reason."""
        user = {"AWS": "arn:aws:iam::123456789012:user/other"}
        text = self.have(self.statement(user, "s3:GetObject"))
        found = self.owner.get_bucket_policy(Bucket=self.bucket)
        self.assertEqual(found["Policy"], text)
        status = self.owner.get_bucket_policy_status(Bucket=self.bucket)
        self.assertEqual(status["PolicyStatus"], {"IsPublic": False})
        error = self.refused(
            *(400, "MalformedPolicy", self.owner.put_bucket_policy),
            Policy='{"Statement": []}',
        )
        self.assertIn("Statement", error["Message"])
        nobody = self.statement({"AWS": "arn:aws:iam:::user/nobody"}, "s3:GetObject")
        error = self.refused(
            *(400, "MalformedPolicy", self.owner.put_bucket_policy),
            Policy=json.dumps({"Version": "2012-10-17", "Statement": [nobody]}),
        )
        self.assertEqual(error["Message"], "Invalid principal in policy")
        self.refused(403, "AccessDenied", self.other.get_bucket_policy)
        self.owner.delete_bucket_policy(Bucket=self.bucket)
        self.refused(404, "NoSuchBucketPolicy", self.owner.get_bucket_policy)
        self.refused(404, "NoSuchBucketPolicy", self.owner.get_bucket_policy_status)

    def test_named(self) -> None:
        """Another user, named by name or by canonical id, may do what he is granted, and no more."""
        self.assertFalse(self.reads(self.other))
        for who in (
            {"AWS": "arn:aws:iam:::user/other"},
            {"CanonicalUser": canonical_id("other")},
        ):
            self.have(self.statement(who, "s3:GetObject"))
            self.assertTrue(self.reads(self.other))
            self.assertFalse(self.reads(self.anybody))
            self.refused(403, "AccessDenied", self.other.list_objects_v2)
            self.refused(403, "AccessDenied", self.other.put_object, Key="key")
            self.refused(403, "AccessDenied", self.other.get_object, Key="none")
            self.owner.delete_bucket_policy(Bucket=self.bucket)
            self.assertFalse(self.reads(self.other))

    def test_public(self) -> None:
        """Everybody reads what a public policy grants, once nothing is blocked; a signature that is wrong is refused all the same."""
        public = self.statement("*", "s3:GetObject")
        text = json.dumps({"Version": "2012-10-17", "Statement": [public]})
        self.refused(403, "AccessDenied", self.owner.put_bucket_policy, Policy=text)
        blocks = self.owner.get_public_access_block(Bucket=self.bucket)
        shown = blocks["PublicAccessBlockConfiguration"]
        self.assertEqual(shown, dict.fromkeys(OPEN, True))
        self.owner.put_public_access_block(
            Bucket=self.bucket, PublicAccessBlockConfiguration=OPEN
        )
        self.have(public)
        status = self.owner.get_bucket_policy_status(Bucket=self.bucket)
        self.assertEqual(status["PolicyStatus"], {"IsPublic": True})
        self.assertTrue(self.reads(self.anybody))
        self.assertTrue(self.reads(self.other))
        self.refused(403, "AccessDenied", self.anybody.list_objects_v2)
        self.refused(403, "AccessDenied", self.anybody.put_object, Key="key")
        self.refused(
            404,
            "NoSuchBucket",
            self.anybody.get_object,
            Bucket="no-such-bucket",
            Key="key",
        )
        liar = make_client(self.server.url, access_id="AKIANOBODY", secret="x")
        self.refused(403, "InvalidAccessKeyId", liar.get_object, Key="key")
        self.owner.put_public_access_block(
            Bucket=self.bucket,
            PublicAccessBlockConfiguration={**OPEN, "RestrictPublicBuckets": True},
        )
        self.assertFalse(self.reads(self.anybody))
        self.assertTrue(self.reads(self.other))
        self.owner.delete_public_access_block(Bucket=self.bucket)
        self.refused(
            *(404, "NoSuchPublicAccessBlockConfiguration"),
            self.owner.get_public_access_block,
        )
        self.assertTrue(self.reads(self.anybody))

    def test_written_by_anybody(self) -> None:
        """Where everybody may write, what anybody writes is the owner's; copies and uploads in parts want a signature."""
        self.owner.delete_public_access_block(Bucket=self.bucket)
        self.have(self.statement("*", ["s3:PutObject", "s3:GetObject"]))
        self.anybody.put_object(Bucket=self.bucket, Key="drop", Body=b"y" * 100_000)
        listed = self.owner.list_objects_v2(Bucket=self.bucket, FetchOwner=True)
        owners = {row["Owner"]["DisplayName"] for row in listed["Contents"]}
        self.assertEqual(owners, {"owner"})
        self.refused(
            *(403, "AccessDenied", self.anybody.copy_object),
            **{"Key": "copy", "CopySource": self.key},
        )
        create = self.anybody.create_multipart_upload
        self.refused(403, "AccessDenied", create, Key="big")

    def test_conditions(self) -> None:
        """Conditions on the address, on tags that are there and that come, and on what is listed."""
        other = {"AWS": "arn:aws:iam:::user/other"}
        here = {"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}}
        there = {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}
        for condition, expected in ((here, True), (there, False)):
            self.have(self.statement(other, "s3:GetObject", Condition=condition))
            self.assertIs(self.reads(self.other), expected)
        for team, expected in (("blue", True), ("red", False)):
            tags = {"StringEquals": {"s3:ExistingObjectTag/team": team}}
            self.have(self.statement(other, "s3:GetObject", Condition=tags))
            self.assertIs(self.reads(self.other), expected)
        home = {"StringLike": {"s3:prefix": "home/${aws:username}/*"}}
        self.have(self.statement(other, "s3:ListBucket", Condition=home))
        listing = self.other.list_objects_v2
        self.assertEqual(
            listing(Bucket=self.bucket, Prefix="home/other/a")["KeyCount"], 0
        )
        self.refused(403, "AccessDenied", listing, Prefix="home/owner/a")
        self.refused(403, "AccessDenied", listing)
        tagged = {"StringEquals": {"s3:RequestObjectTag/team": "blue"}}
        self.have(
            self.statement(
                other, ["s3:PutObject", "s3:PutObjectTagging"], Condition=tagged
            )
        )
        put = self.other.put_object
        put(**self.key, Body=b"x", Tagging="team=blue")
        self.refused(403, "AccessDenied", put, Key="key", Tagging="team=red")
        sets = {"TagSet": [{"Key": "team", "Value": "red"}]}
        tagging = self.other.put_object_tagging
        self.refused(403, "AccessDenied", tagging, Key="key", Tagging=sets)

    def test_denied(self) -> None:
        """What is denied is denied to the owner too, who has to confirm that he shuts himself out, and can undo it."""
        deny = self.statement("*", "s3:*", Effect="Deny")
        text = json.dumps({"Version": "2012-10-17", "Statement": [deny]})
        self.refused(403, "AccessDenied", self.owner.put_bucket_policy, Policy=text)
        self.have(deny, ConfirmRemoveSelfBucketAccess=True)
        for client in (self.owner, self.other, self.s3, self.anybody):
            self.assertFalse(self.reads(client))
        self.owner.get_bucket_policy(Bucket=self.bucket)
        self.refused(403, "AccessDenied", self.other.delete_bucket_policy)
        self.owner.delete_bucket_policy(Bucket=self.bucket)
        self.assertTrue(self.reads(self.owner))

    def test_deleting(self) -> None:
        """Many keys are deleted as each is granted."""
        other = {"AWS": "arn:aws:iam:::user/other"}
        self.have(self.statement(other, "s3:DeleteObject", "tmp/*"))
        self.owner.put_object(Bucket=self.bucket, Key="tmp/a", Body=b"")
        objects = [{"Key": "tmp/a"}, {"Key": "key"}]
        done = self.other.delete_objects(
            Bucket=self.bucket, Delete={"Objects": objects}
        )
        self.assertEqual([row["Key"] for row in done["Deleted"]], ["tmp/a"])
        (error,) = done["Errors"]
        self.assertEqual((error["Key"], error["Code"]), ("key", "AccessDenied"))
