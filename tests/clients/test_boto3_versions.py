"""Versions through boto3: its owner, another user whom a list lets in, and anybody."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from botocore import UNSIGNED

from tests.clients.botos import SharedTestCase, make_client, of_user


class VersionTests(SharedTestCase):
    """A bucket that keeps versions."""

    def setUp(self) -> None:
        """Have it keep them."""
        super().setUp()
        self.set("Enabled")

    def set(self, status: str) -> None:
        """Set the state."""
        self.s3.put_bucket_versioning(
            Bucket=self.bucket, VersioningConfiguration={"Status": status}
        )

    def made(self, body: bytes = b"", key: str = "key") -> str:
        """Put an object; its version id."""
        answer = self.s3.put_object(Bucket=self.bucket, Key=key, Body=body)
        return str(answer["VersionId"])

    def got(self, version: str | None = None, key: str = "key") -> bytes:
        """An object, or a version of it."""
        named = {} if version is None else {"VersionId": version}
        answer = self.s3.get_object(Bucket=self.bucket, Key=key, **named)
        return bytes(answer["Body"].read())

    def listed(self, **options: Any) -> list[tuple[str, str, str, bool]]:
        """Everything that the paginator finds: kind, key, id, whether it is the latest."""
        pages = self.s3.get_paginator("list_object_versions")
        return [
            (kind, row["Key"], row["VersionId"], row["IsLatest"])
            for page in pages.paginate(Bucket=self.bucket, **options)
            for kind in ("Versions", "DeleteMarkers")
            for row in page.get(kind, ())
        ]

    def test_state(self) -> None:
        """The state is told; what boto3 knows besides is refused."""
        for status in ("Suspended", "Enabled"):
            self.set(status)
            answer = self.s3.get_bucket_versioning(Bucket=self.bucket)
            self.assertEqual(answer["Status"], status)
            self.assertNotIn("MFADelete", answer)
        self.refused(
            403,
            "AccessDenied",
            self.s3.put_bucket_versioning,
            VersioningConfiguration={"Status": "Enabled", "MFADelete": "Enabled"},
            MFA="arn:aws:iam::123456789012:mfa/x 123456",
        )
        self.refused(
            400,
            "IllegalVersioningConfigurationException",
            self.s3.put_bucket_versioning,
            VersioningConfiguration={"MFADelete": "Disabled"},
        )

    def test_life(self) -> None:
        """Versions are made, read, hidden, shown again, copied, tagged and removed."""
        old, new = self.made(b"old"), self.made(b"new")
        self.assertEqual((self.got(), self.got(old)), (b"new", b"old"))
        hidden = self.s3.delete_object(Bucket=self.bucket, Key="key")
        self.assertTrue(hidden["DeleteMarker"])
        marker = hidden["VersionId"]
        error = self.refused(404, "NoSuchKey", self.s3.get_object, Key="key")
        self.assertEqual(error["Key"], "key")
        self.refused(404, "404", self.s3.head_object, Key="key")
        for call, code in (
            (self.s3.get_object, "MethodNotAllowed"),
            (self.s3.head_object, "405"),
        ):
            self.refused(405, code, call, Key="key", VersionId=marker)
        named = {"Bucket": self.bucket, "Key": "key", "VersionId": old}
        copied = self.s3.copy_object(Bucket=self.bucket, Key="key", CopySource=named)
        self.assertEqual(copied["CopySourceVersionId"], old)
        self.assertEqual(self.got(), b"old")
        tags = {"TagSet": [{"Key": "a", "Value": "b"}]}
        answer = self.s3.put_object_tagging(**named, Tagging=tags)
        self.assertEqual(answer["VersionId"], old)
        self.assertEqual(self.s3.get_object_tagging(**named)["TagSet"], tags["TagSet"])
        self.assertEqual(self.s3.head_object(**named)["TagCount"], 1)
        found = self.s3.get_object_attributes(**named, ObjectAttributes=["ObjectSize"])
        self.assertEqual((found["VersionId"], found["ObjectSize"]), (old, 3))
        doomed = [{"Key": "key", "VersionId": each} for each in (marker, new)]
        answer = self.s3.delete_objects(
            Bucket=self.bucket, Delete={"Objects": [*doomed, {"Key": "key"}]}
        )
        rows = answer["Deleted"]
        self.assertEqual(rows[0]["DeleteMarkerVersionId"], marker)
        self.assertEqual((rows[1]["VersionId"], len(rows[1])), (new, 2))
        self.assertTrue(rows[2]["DeleteMarker"])
        self.assertEqual(
            self.listed(),
            [
                ("Versions", "key", copied["VersionId"], False),
                ("Versions", "key", old, False),
                ("DeleteMarkers", "key", rows[2]["DeleteMarkerVersionId"], True),
            ],
        )
        self.refused(409, "BucketNotEmpty", self.s3.delete_bucket)

    def test_pages(self) -> None:
        """The paginator finds everything once, however small its pages are, by a delimiter too."""
        for number in range(5):
            for _ in range(3):
                self.made(key=f"dir {number}/ü")
            self.s3.delete_object(Bucket=self.bucket, Key=f"dir {number}/ü")
        for size in (1, 3, 1000):
            found = self.listed(PaginationConfig={"PageSize": size})
            self.assertEqual(len(set(found)), 20)
            self.assertEqual(len(found), 20)
        pages = self.s3.get_paginator("list_object_versions").paginate(
            Bucket=self.bucket, Delimiter="/", PaginationConfig={"PageSize": 2}
        )
        prefixes = [row["Prefix"] for p in pages for row in p.get("CommonPrefixes", ())]
        self.assertEqual(prefixes, [f"dir {number}/" for number in range(5)])

    def test_multipart(self) -> None:
        """An upload makes a version; its parts may be copies of old versions."""
        old = self.made(b"o" * 10)
        self.made(b"new")
        where = {"Bucket": self.bucket, "Key": "key"}
        upload = {
            **where,
            "UploadId": self.s3.create_multipart_upload(**where)["UploadId"],
        }
        part = self.s3.upload_part_copy(
            **upload, PartNumber=1, CopySource={**where, "VersionId": old}
        )
        self.assertEqual(part["CopySourceVersionId"], old)
        parts = [{"PartNumber": 1, "ETag": part["CopyPartResult"]["ETag"]}]
        done = self.s3.complete_multipart_upload(
            **upload, MultipartUpload={"Parts": parts}
        )
        self.assertEqual(self.got(done["VersionId"]), b"o" * 10)
        self.assertEqual(len(self.listed()), 3)

    def test_suspended(self) -> None:
        """A suspended bucket replaces the null version, and marks with it."""
        made = self.made(b"kept")
        self.set("Suspended")
        for body in (b"one", b"two"):
            answer = self.s3.put_object(Bucket=self.bucket, Key="key", Body=body)
            self.assertNotIn("VersionId", answer)
        got = self.s3.get_object(Bucket=self.bucket, Key="key")
        self.assertEqual((got["VersionId"], got["Body"].read()), ("null", b"two"))
        hidden = self.s3.delete_object(Bucket=self.bucket, Key="key")
        self.assertEqual((hidden["DeleteMarker"], hidden["VersionId"]), (True, "null"))
        self.s3.delete_object(Bucket=self.bucket, Key="key", VersionId="null")
        self.assertEqual(self.got(), b"kept")
        self.assertEqual(self.listed(), [("Versions", "key", made, True)])

    def test_at_once(self) -> None:
        """Of writes and deletes of one key that come at once each makes a version or marker of its own; one is the latest."""

        def work(number: int) -> str:
            if number % 4 == 3:
                done = self.s3.delete_object(Bucket=self.bucket, Key="key")
                return str(done["VersionId"])
            return self.made(b"%d" % number)

        with ThreadPoolExecutor(8) as pool:
            made = list(pool.map(work, range(40)))
        found = self.listed()
        self.assertEqual(sorted(row[2] for row in found), sorted(set(made)))
        self.assertEqual(len(found), 40)
        self.assertEqual(sum(row[3] for row in found), 1)
        self.assertEqual(sum(row[0] == "DeleteMarkers" for row in found), 10)

    def test_three_users(self) -> None:
        """What the owner may, another user may not, and who did not sign may nothing at all."""
        old, _ = self.made(b"old"), self.made(b"new")
        named = {"Key": "key", "VersionId": old}
        other = of_user(self.server, "other")
        nobody = make_client(self.server.url, signature_version=UNSIGNED)
        for client in (other, nobody):
            for call, options in (
                (client.get_object, named),
                (client.get_object_tagging, named),
                (client.get_object_attributes, {**named, "ObjectAttributes": ["ETag"]}),
                (client.delete_object, named),
                (client.delete_object, {"Key": "key"}),
                (client.delete_object_tagging, named),
                (client.list_object_versions, {}),
                (client.get_bucket_versioning, {}),
                (
                    client.put_bucket_versioning,
                    {"VersioningConfiguration": {"Status": "Suspended"}},
                ),
            ):
                self.refused(403, "AccessDenied", call, **options)
            self.refused(403, "403", client.head_object, **named)
        mine = f"{self.bucket}-of-other"
        other.create_bucket(Bucket=mine)
        source = {"Bucket": self.bucket, **named}
        copy = {"Bucket": mine, "Key": "copy", "CopySource": source}
        self.refused(403, "AccessDenied", other.copy_object, **copy)
        self.assertEqual(len(self.listed()), 2)
        self.assertEqual(self.got(old), b"old")
