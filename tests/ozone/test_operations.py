"""S3's operations on buckets of a real cluster: what the tests in memory (``tests/operations/test_foreign_*``) cannot know."""

from __future__ import annotations

from hashlib import md5
from typing import Any
from unittest import SkipTest
from uuid import uuid4

from botocore.exceptions import ClientError

from tests.ozone.gateways import GatewayCase

PART = b"part" * ((5 << 20) // 4)
NAMES = (
    "a b",
    "a+b",
    "%41",
    "a%2Fb",
    "ü",
    "\uff5e",
    "😀",
    "a&b<c>",
    'a"b',
    "a\\b",
    "#x",
    "?x",
    " a",
    "x" * 1024,
)
IN_FLAT_BUCKETS = ("a//b", "/a", "./a", "../a", "a/../b", "a:b", "a/")
"""Names that no file can have."""


class OperationTests(GatewayCase):
    """One gateway, one client."""

    def put(self, key: str, data: bytes = b"x", **more: Any) -> str:
        """Put a key, and give its ETag."""
        put = self.s3.put_object(Bucket=self.bucket, Key=key, Body=data, **more)
        return str(put["ETag"])

    def body(self, key: str, **more: Any) -> bytes:
        """The bytes of a key."""
        got = self.s3.get_object(Bucket=self.bucket, Key=key, **more)
        return bytes(got["Body"].read())

    def keys(self, bucket: str = "", **more: Any) -> list[str]:
        """The keys of a bucket, by pages of three."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(
            Bucket=bucket or self.bucket, PaginationConfig={"PageSize": 3}, **more
        )
        return [each["Key"] for page in pages for each in page.get("Contents", ())]

    def test_names(self) -> None:
        """A key may have any name, and lists are in the order of UTF-8 bytes."""
        names = NAMES + IN_FLAT_BUCKETS
        for name in names:
            self.put(name, name.encode())
            self.assertEqual(self.body(name), name.encode())
        self.assertEqual(self.keys(), sorted(names, key=str.encode))
        code = self.code_of(self.put, ".snapshot/x")
        self.assertEqual(code, "InvalidArgument")

    def test_trees(self) -> None:
        """Where keys are files, folders are listed where they are empty, and names that no file can have are refused."""
        if self.ozone.is_secure:
            raise SkipTest("nobody new has a ticket to make such a bucket with")
        bucket = f"meaning-{uuid4().hex[:12]}"
        layout = "--layout", "FILE_SYSTEM_OPTIMIZED"
        place = f"/s3v/{bucket}"
        self.ozone.text("sh", "bucket", "create", *layout, place, user=self.me.user)
        self.addCleanup(self.s3.delete_bucket, Bucket=bucket)
        for key in ("d/", "d/x", "e/", "f/g/h"):
            body = b"" if key.endswith("/") else b"x"
            self.s3.put_object(Bucket=bucket, Key=key, Body=body)
        self.assertEqual(self.keys(bucket), ["d/x", "e/", "f/g/h"])
        for name in IN_FLAT_BUCKETS[:-1]:
            code = self.code_of(self.s3.put_object, Bucket=bucket, Key=name, Body=b"x")
            self.assertEqual(code, "InvalidArgument")
        for key in ("d/x/y", "d"):
            code = self.code_of(self.s3.put_object, Bucket=bucket, Key=key, Body=b"x")
            self.assertEqual(code, "InvalidRequest")
        while left := self.keys(bucket):
            for key in left:
                self.s3.delete_object(Bucket=bucket, Key=key)

    def test_conditions(self) -> None:
        """They are the OM's, at the moment of the write."""
        etag = self.put("k", IfNoneMatch="*")
        code = self.code_of(self.put, "k", IfNoneMatch="*")
        self.assertEqual(code, "PreconditionFailed")
        self.put("k", b"2", IfMatch=etag)
        code = self.code_of(self.put, "k", IfMatch=etag)
        self.assertEqual(code, "PreconditionFailed")
        self.assertEqual(self.code_of(self.put, "gone", IfMatch=etag), "NoSuchKey")
        self.assertEqual(self.body("k"), b"2")

    def test_copies(self) -> None:
        """A copy is as its source, with what was said of it."""
        for data in (b"small", PART):
            said = {"Metadata": {"color": "blue"}, "ContentType": "text/plain"}
            self.put("k", data, Tagging="a=1", **said)
            source = f"{self.bucket}/k"
            self.s3.copy_object(Bucket=self.bucket, Key="copy", CopySource=source)
            self.assertEqual(self.body("copy"), data)
            head = self.s3.head_object(Bucket=self.bucket, Key="copy")
            self.assertEqual(head["Metadata"], {"color": "blue"})
            self.assertEqual(head["ContentType"], "text/plain")
            tags = self.s3.get_object_tagging(Bucket=self.bucket, Key="copy")
            self.assertEqual(tags["TagSet"], [{"Key": "a", "Value": "1"}])

    def test_uploads(self) -> None:
        """An upload of a part and a copied one; its Complete may be repeated, its parts be read by number."""
        self.put("k", b"0123456789")
        of = {"Bucket": self.bucket, "Key": "big"}
        upload = self.s3.create_multipart_upload(**of)["UploadId"]
        of_upload = {**of, "UploadId": upload}
        first = self.s3.upload_part(**of_upload, PartNumber=1, Body=PART)["ETag"]
        copied = self.s3.upload_part_copy(
            **of_upload,
            PartNumber=2,
            CopySource=f"{self.bucket}/k",
            CopySourceRange="bytes=2-4",
        )["CopyPartResult"]["ETag"]
        self.assertEqual(copied.strip('"'), md5(b"234").hexdigest())
        parts = [
            {"PartNumber": 1, "ETag": first},
            {"PartNumber": 2, "ETag": copied},
        ]
        made = [
            self.s3.complete_multipart_upload(
                **of_upload, MultipartUpload={"Parts": parts}
            )["ETag"]
            for _ in range(2)
        ]
        head = self.s3.head_object(**of)
        self.assertEqual(made, [head["ETag"]] * 2)
        got = self.s3.get_object(**of, PartNumber=2)
        self.assertEqual(got["Body"].read(), b"234")
        size = len(PART) + 3
        self.assertEqual(got["ContentRange"], f"bytes {len(PART)}-{size - 1}/{size}")
        with self.assertRaises(ClientError):
            self.s3.abort_multipart_upload(**of_upload)
