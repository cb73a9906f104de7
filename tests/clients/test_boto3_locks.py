"""Object lock through boto3: the owner, others with and without the right to bypass, an administrator, and anybody, on a secured service."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore import UNSIGNED
from botocore.exceptions import ClientError

from tests.clients.botos import SharedTestCase, make_client, of_user

PROTECTED = "Access Denied because object protected by object lock."
DAY = timedelta(days=1)


class LockTests(SharedTestCase):
    """A bucket of ``owner``'s with object lock, in which ``other`` may do all but bypass, and ``trusted`` that too."""

    def setUp(self) -> None:
        """Have it made by its owner."""
        super().setUp()
        names = ("owner", "other", "trusted")
        self.owner, self.other, self.trusted = (of_user(self.server, n) for n in names)
        self.anybody = make_client(self.server.url, signature_version=UNSIGNED)
        self.s3.delete_bucket(Bucket=self.bucket)
        self.owner.create_bucket(Bucket=self.bucket, ObjectLockEnabledForBucket=True)
        self.until = datetime.now(UTC).replace(microsecond=0) + DAY
        bypass = "s3:BypassGovernanceRetention"
        statements = [
            self.statement("Allow", ["other", "trusted"], "s3:*"),
            self.statement("Deny", ["other"], bypass),
        ]
        policy = {"Version": "2012-10-17", "Statement": statements}
        self.owner.put_bucket_policy(Bucket=self.bucket, Policy=json.dumps(policy))

    def statement(self, effect: str, users: list[str], action: str) -> dict[str, Any]:
        """What allows or denies users something in the bucket."""
        arn = f"arn:aws:s3:::{self.bucket}"
        return {
            "Effect": effect,
            "Principal": {"AWS": [f"arn:aws:iam:::user/{user}" for user in users]},
            "Action": action,
            "Resource": [arn, f"{arn}/*"],
        }

    def lock(self, mode: str, **more: Any) -> dict[str, Any]:
        """Store an object that is locked for a day; how its version is named."""
        put = self.owner.put_object(
            Bucket=self.bucket,
            Key="key",
            Body=b"kept",
            ObjectLockMode=mode,
            ObjectLockRetainUntilDate=self.until,
            **more,
        )
        return {"Bucket": self.bucket, "Key": "key", "VersionId": put["VersionId"]}

    def all_refused(self, named: dict[str, Any], *clients: Any, **options: Any) -> None:
        """Assert that none of these deletes a version."""
        for client in clients:
            error = self.error(client.delete_object, **named, **options)
            self.assertEqual((error["Status"], error["Code"]), (403, "AccessDenied"))
        found = self.owner.get_object(**named)
        self.assertEqual(found["Body"].read(), b"kept")

    def retain(
        self, client: Any, named: Any, mode: str, until: Any, **more: Any
    ) -> None:
        """Set a retention; none where the mode is ``""``."""
        retention = {"Mode": mode, "RetainUntilDate": until} if mode else {}
        client.put_object_retention(**named, Retention=retention, **more)

    def test_bucket(self) -> None:
        """The bucket shows its object lock and its versioning, takes a default, and keeps both."""
        shown = self.owner.get_object_lock_configuration(Bucket=self.bucket)
        wanted = {"ObjectLockEnabled": "Enabled"}
        self.assertEqual(shown["ObjectLockConfiguration"], wanted)
        wanted = {
            **wanted,
            "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 1}},
        }
        self.owner.put_object_lock_configuration(
            Bucket=self.bucket, ObjectLockConfiguration=wanted
        )
        shown = self.other.get_object_lock_configuration(Bucket=self.bucket)
        self.assertEqual(shown["ObjectLockConfiguration"], wanted)
        put = self.other.put_object(Bucket=self.bucket, Key="key", Body=b"kept")
        named = {"Bucket": self.bucket, "Key": "key", "VersionId": put["VersionId"]}
        head = self.other.head_object(**named)
        self.assertEqual(head["ObjectLockMode"], "COMPLIANCE")
        lasts = head["ObjectLockRetainUntilDate"] - head["LastModified"]
        self.assertLess(abs(lasts - DAY), timedelta(seconds=2))
        self.all_refused(named, self.owner, self.other, self.trusted, self.s3)
        suspended = {"Status": "Suspended"}
        self.refused(
            *(409, "InvalidBucketState", self.owner.put_bucket_versioning),
            VersioningConfiguration=suspended,
        )
        self.refused(409, "BucketNotEmpty", self.owner.delete_bucket)

    def test_existing(self) -> None:
        """A bucket that is there gets object lock once it is versioned."""
        other = f"{self.bucket}-later"
        self.owner.create_bucket(Bucket=other)
        configuration = {"ObjectLockEnabled": "Enabled"}
        put = self.owner.put_object_lock_configuration
        absent = "ObjectLockConfigurationNotFoundError"
        self.refused(
            *(404, absent, self.owner.get_object_lock_configuration), Bucket=other
        )
        options = {"Bucket": other, "ObjectLockConfiguration": configuration}
        self.refused(409, "InvalidBucketState", put, **options)
        self.owner.put_bucket_versioning(
            Bucket=other, VersioningConfiguration={"Status": "Enabled"}
        )
        put(**options)
        self.owner.put_object(
            Bucket=other, Key="k", Body=b"", ObjectLockLegalHoldStatus="ON"
        )

    def test_governance(self) -> None:
        """GOVERNANCE keeps a version from all but who may bypass it, and says that he does."""
        named = self.lock("GOVERNANCE")
        everybody = (self.owner, self.other, self.trusted, self.s3)
        self.all_refused(named, *everybody, self.anybody)
        self.all_refused(named, self.other, BypassGovernanceRetention=True)
        error = self.error(self.owner.delete_object, **named)
        self.assertEqual(error["Message"], PROTECTED)
        for client in (self.owner, self.trusted, self.s3):
            named = self.lock("GOVERNANCE")
            client.delete_object(**named, BypassGovernanceRetention=True)
            self.refused(404, "NoSuchVersion", self.owner.get_object, **named)

    def test_compliance(self) -> None:
        """COMPLIANCE keeps a version from everybody, an administrator and a bypass included."""
        named = self.lock("COMPLIANCE")
        everybody = (self.owner, self.other, self.trusted, self.s3)
        self.all_refused(named, *everybody)
        self.all_refused(named, *everybody, BypassGovernanceRetention=True)
        for client in everybody:
            for mode, until in (
                ("COMPLIANCE", self.until - timedelta(seconds=1)),
                ("GOVERNANCE", self.until + DAY),
                ("", None),
            ):
                for bypass in ({}, {"BypassGovernanceRetention": True}):
                    with self.assertRaises(ClientError) as caught:
                        self.retain(client, named, mode, until, **bypass)
                    code = caught.exception.response["Error"]["Code"]
                    self.assertEqual(code, "AccessDenied")
        self.retain(self.other, named, "COMPLIANCE", self.until + DAY)
        shown = self.other.get_object_retention(**named)["Retention"]
        wanted = {"Mode": "COMPLIANCE", "RetainUntilDate": self.until + DAY}
        self.assertEqual(shown, wanted)

    def test_retention(self) -> None:
        """GOVERNANCE is extended by who may retain, and shortened and removed by who may bypass."""
        named = self.lock("GOVERNANCE")
        self.retain(self.other, named, "GOVERNANCE", self.until + DAY)
        for mode, until in (("GOVERNANCE", self.until), ("", None)):
            for client in (self.other, self.trusted):
                with self.assertRaises(ClientError):
                    self.retain(client, named, mode, until)
            with self.assertRaises(ClientError):
                self.retain(
                    self.other, named, mode, until, BypassGovernanceRetention=True
                )
            self.retain(
                self.trusted, named, mode, until, BypassGovernanceRetention=True
            )
        absent = "NoSuchObjectLockConfiguration"
        self.refused(404, absent, self.owner.get_object_retention, **named)
        self.owner.delete_object(**named)

    def test_legal_hold(self) -> None:
        """A legal hold keeps a version from everybody until it is lifted."""
        put = self.owner.put_object(
            Bucket=self.bucket, Key="key", Body=b"kept", ObjectLockLegalHoldStatus="ON"
        )
        named = {"Bucket": self.bucket, "Key": "key", "VersionId": put["VersionId"]}
        everybody = (self.owner, self.other, self.trusted, self.s3)
        self.all_refused(named, *everybody)
        self.all_refused(named, *everybody, BypassGovernanceRetention=True)
        self.assertEqual(
            self.other.get_object_legal_hold(**named)["LegalHold"], {"Status": "ON"}
        )
        lifted = {"LegalHold": {"Status": "OFF"}}
        self.refused(
            403, "AccessDenied", self.anybody.put_object_legal_hold, **named, **lifted
        )
        self.other.put_object_legal_hold(**named, **lifted)
        self.other.delete_object(**named)

    def test_delete_objects(self) -> None:
        """Each key of a DeleteObjects has an answer of its own."""
        named = self.lock("GOVERNANCE")
        free = self.owner.put_object(Bucket=self.bucket, Key="free", Body=b"x")
        objects = [
            {"Key": "key", "VersionId": named["VersionId"]},
            {"Key": "free", "VersionId": free["VersionId"]},
        ]
        answer = self.other.delete_objects(
            Bucket=self.bucket, Delete={"Objects": objects}
        )
        self.assertEqual([each["Key"] for each in answer["Deleted"]], ["free"])
        [error] = answer["Errors"]
        self.assertEqual((error["Code"], error["Message"]), ("AccessDenied", PROTECTED))
        answer = self.trusted.delete_objects(
            Bucket=self.bucket,
            Delete={"Objects": objects[:1]},
            BypassGovernanceRetention=True,
        )
        self.assertEqual(len(answer["Deleted"]), 1)

    def test_uploads(self) -> None:
        """An upload is locked from its completion, by what it was begun with; the SDK sends the checksums that are wanted."""
        where = {"Bucket": self.bucket, "Key": "key"}
        upload = self.owner.create_multipart_upload(
            **where,
            ObjectLockMode="COMPLIANCE",
            ObjectLockRetainUntilDate=self.until,
            ObjectLockLegalHoldStatus="ON",
        )["UploadId"]
        part = self.owner.upload_part(
            **where, UploadId=upload, PartNumber=1, Body=b"kept"
        )
        told = {"PartNumber": 1, "ETag": part["ETag"]}
        done = self.owner.complete_multipart_upload(
            **where, UploadId=upload, MultipartUpload={"Parts": [told]}
        )
        head = self.owner.head_object(**where, VersionId=done["VersionId"])
        self.assertEqual(head["ObjectLockRetainUntilDate"], self.until)
        self.assertEqual(head["ObjectLockLegalHoldStatus"], "ON")
        self.all_refused({**where, "VersionId": done["VersionId"]}, self.owner, self.s3)
        plain = make_client(
            self.server.url, request_checksum_calculation="when_required"
        )
        lock = {"ObjectLockLegalHoldStatus": "ON"}
        self.refused(
            400, "InvalidRequest", plain.put_object, Key="key", Body=b"x", **lock
        )

    def test_conditions(self) -> None:
        """A policy bounds what others may ask for: how long, and in which mode."""
        arn = f"arn:aws:s3:::{self.bucket}/*"
        days = "s3:object-lock-remaining-retention-days"
        statements = [
            self.statement("Allow", ["other"], "s3:*"),
            {
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:PutObjectRetention",
                "Resource": arn,
                "Condition": {"NumericGreaterThan": {days: "10"}},
            },
            {
                "Effect": "Deny",
                "Principal": "*",
                "Action": ["s3:PutObject", "s3:PutObjectRetention"],
                "Resource": arn,
                "Condition": {"StringEquals": {"s3:object-lock-mode": "COMPLIANCE"}},
            },
        ]
        policy = {"Version": "2012-10-17", "Statement": statements}
        self.owner.put_bucket_policy(Bucket=self.bucket, Policy=json.dumps(policy))
        named = self.lock("GOVERNANCE")
        for mode, lasting, allowed in (
            ("GOVERNANCE", 5 * DAY, True),
            ("GOVERNANCE", 12 * DAY, False),
            ("COMPLIANCE", 5 * DAY, False),
        ):
            until = datetime.now(UTC).replace(microsecond=0) + lasting
            lock = {"ObjectLockMode": mode, "ObjectLockRetainUntilDate": until}
            for call, options in (
                (self.other.put_object, {"Body": b"", **lock}),
                (self.other.create_multipart_upload, lock),
            ):
                where = {"Bucket": self.bucket, "Key": "other"}
                if allowed:
                    call(**where, **options)
                else:
                    self.refused(403, "AccessDenied", call, **where, **options)
            if not allowed:
                with self.assertRaises(ClientError) as caught:
                    self.retain(self.other, named, mode, until)
                error = caught.exception.response["Error"]
                self.assertEqual(error["Code"], "AccessDenied")
            else:
                self.retain(self.other, named, mode, until)
