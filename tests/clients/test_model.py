"""Every operation of S3's service model, called through boto3 with the least it takes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from ozgate.s3.operations import ALIASES, OPERATIONS
from tests.clients.botos import SharedTestCase, make_client

BUILT = {row.name for row in OPERATIONS if row.perform is not None}
ALSO: dict[str, dict[str, Any]] = {
    "PutBucketAcl": {"ACL": "private"},
    "PutObjectAcl": {"ACL": "private"},
    "PutObjectLegalHold": {"LegalHold": {"Status": "OFF"}},
    "PutObjectRetention": {
        "Retention": {
            "Mode": "GOVERNANCE",
            "RetainUntilDate": datetime(2030, 1, 1, tzinfo=UTC),
        }
    },
    "PutObjectLockConfiguration": {
        "ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled"}
    },
    "PutPublicAccessBlock": {
        "PublicAccessBlockConfiguration": {"BlockPublicAcls": True}
    },
    "PutBucketVersioning": {"VersioningConfiguration": {"Status": "Enabled"}},
    "PutBucketAccelerateConfiguration": {
        "AccelerateConfiguration": {"Status": "Suspended"}
    },
    "PutBucketWebsite": {
        "WebsiteConfiguration": {"IndexDocument": {"Suffix": "index.html"}}
    },
    "CompleteMultipartUpload": {
        "MultipartUpload": {"Parts": [{"PartNumber": 1, "ETag": "x"}]}
    },
}
"""Parameters that S3 wants though the model does not demand them."""

POLICY = '{"Statement": [{"Effect": "Deny", "Principal": "*", "Action": "s3:GetObjectTorrent", "Resource": "arn:aws:s3:::%s/*"}]}'

LAST = ("DeleteObject", "DeleteBucket")


def is_expected(name: str, code: str) -> bool:
    """Whether an error is what there is to say to so little."""
    return (
        code.startswith("NoSuch")
        or code.endswith("NotFoundError")
        or code in ("BucketAlreadyOwnedByYou", "BucketNotEmpty")
        # Before the bucket has object lock.
        or (code == "InvalidRequest" and name.endswith(("LegalHold", "Retention")))
    )


class ModelTests(SharedTestCase):
    """What is not built says so, and nothing fails."""

    def setUp(self) -> None:
        """A client that puts no part of its input into the host, and the model."""
        super().setUp()
        self.client: Any = make_client(
            self.server.url, inject_host_prefix=False, parameter_validation=False
        )
        self.model = self.client.meta.service_model

    def minimal(self, shape: Any, name: str = "") -> Any:
        """The least that a shape takes."""
        if shape.type_name == "structure":
            members = shape.required_members
            if getattr(shape, "is_tagged_union", False):
                members = list(shape.members)[:1]
            return {
                member: self.minimal(shape.members[member], member)
                for member in members
            }
        if shape.type_name == "list":
            return [self.minimal(shape.member, name)]
        if shape.type_name == "string":
            known = {
                "Bucket": self.bucket,
                "Key": "key",
                "AllowedMethods": "GET",
                "CopySource": f"{self.bucket}/source",
                "RequestRoute": "route",
                "Policy": POLICY % self.bucket,
            }
            return shape.enum[0] if shape.enum else known.get(name, "x")
        values: dict[str, Any] = {
            "integer": 1,
            "long": 1,
            "boolean": True,
            "blob": b"x",
            "map": {},
            "timestamp": datetime(2030, 1, 1, tzinfo=UTC),
        }
        return values[shape.type_name]

    def call(self, operation: str, **more: Any) -> tuple[int, str]:
        """Call an operation: status and code, ``""`` for success."""
        shape = self.model.operation_model(operation).input_shape
        asked = self.minimal(shape) if shape else {}
        asked |= ALSO.get(operation, {})
        try:
            answer = self.client._make_api_call(operation, {**asked, **more})
        except ClientError as error:
            response: Any = error.response
            return (
                response["ResponseMetadata"]["HTTPStatusCode"],
                response["Error"]["Code"],
            )
        return answer["ResponseMetadata"]["HTTPStatusCode"], ""

    def names(self) -> list[str]:
        """All operations, those last that would be in the way of others."""
        return sorted(self.model.operation_names, key=lambda name: (name in LAST, name))

    def test_every_operation(self) -> None:
        """What is not built is 501; what is built answers, and is never at a loss."""
        wrong = []
        for name in self.names():
            self.put()
            self.put("source")
            status, code = self.call(name)
            if ALIASES.get(name, name) in BUILT:
                if status >= 400 and not is_expected(name, code):
                    wrong.append((name, status, code))
            elif (status, code) != (501, "NotImplemented"):
                wrong.append((name, status, code))
            for row in self.s3.list_objects_v2(Bucket=self.bucket)["Contents"]:
                self.s3.delete_object(Bucket=self.bucket, Key=row["Key"])
        self.assertEqual(wrong, [])

    def test_expected_owner(self) -> None:
        """Whatever names a bucket does nothing when another owns it than the client expects."""
        self.put()
        self.put("source")
        wrong = []
        for name in self.names():
            shape = self.model.operation_model(name).input_shape
            if name not in BUILT or "ExpectedBucketOwner" not in shape.members:
                continue
            status, code = self.call(name, ExpectedBucketOwner="111122223333")
            if status != 403 or code not in ("AccessDenied", "403"):
                wrong.append((name, status, code))
        self.assertEqual(wrong, [])
        left = self.s3.list_objects_v2(Bucket=self.bucket)["Contents"]
        self.assertEqual([row["Key"] for row in left], ["key", "source"])

    def test_expected_source_owner(self) -> None:
        """Nothing is copied from a bucket that another owns than the client expects."""
        self.put("source")
        upload = self.s3.create_multipart_upload(Bucket=self.bucket, Key="key")
        for name in ("CopyObject", "UploadPartCopy"):
            status, code = self.call(
                name,
                ExpectedSourceBucketOwner="111122223333",
                **({"UploadId": upload["UploadId"]} if "Part" in name else {}),
            )
            self.assertEqual((status, code), (403, "AccessDenied"), name)
