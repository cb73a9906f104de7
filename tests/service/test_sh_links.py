"""Links that ``ozgate sh`` makes, as S3 sees them on a real service."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.service.commanding import SECURE
from tests.service.shell import MIB, STATIC, ShellCase


class LinkTests(ShellCase):
    """Links as S3 sees them."""

    def test_nowhere(self) -> None:
        """Through dangling links and loops each operation answers 404 NoSuchBucket, and ListBuckets shows them."""
        process = self.started(*SECURE, environment=STATIC)
        self.script(
            "bucket create /s3v/real",
            "bucket link /vol9/absent /s3v/dangling",
            "bucket link /s3v/loop2 /s3v/loop1",
            "bucket link /s3v/loop1 /s3v/loop2",
            "bucket link /s3v/myself /s3v/myself",
            "bucket link /s3v/loop1 /s3v/to-a-loop",
        )
        client = self.as_root(process)
        client.put_object(Bucket="real", Key="key", Body=b"x" * 10)
        names = ["dangling", "loop1", "loop2", "myself", "real", "to-a-loop"]
        found = client.list_buckets()["Buckets"]
        self.assertEqual([each["Name"] for each in found], names)
        names.remove("real")
        for name in names:
            for call, arguments in self.calls(client, name):
                code = "404" if call.__name__.startswith("head_") else "NoSuchBucket"
                self.assertEqual(self.fails(code, call, **arguments), 404, call)
            self.fails("BucketAlreadyExists", client.create_bucket, Bucket=name)
            client.delete_bucket(Bucket=name)
        found = client.list_buckets()["Buckets"]
        self.assertEqual([each["Name"] for each in found], ["real"])

    def calls(
        self, client: Any, name: str
    ) -> list[tuple[Callable[..., Any], dict[str, Any]]]:
        """Every operation on a bucket or its objects that is built, but for making and removing the bucket."""
        bucket = {"Bucket": name}
        key = {**bucket, "Key": "key"}
        part = {**key, "UploadId": "x", "PartNumber": 1}
        copied = {"Bucket": "real", "Key": "key"}
        tags = {"TagSet": [{"Key": "k", "Value": "v"}]}
        finished = {"Parts": [{"PartNumber": 1, "ETag": '"x"'}]}
        doomed = {"Objects": [{"Key": "key"}]}
        c = client
        return [
            *((call, bucket) for call in (c.head_bucket, c.get_bucket_location)),
            *((call, bucket) for call in (c.list_objects, c.list_objects_v2)),
            (c.list_object_versions, bucket),
            (c.list_multipart_uploads, bucket),
            (c.get_bucket_versioning, bucket),
            (c.get_bucket_acl, bucket),
            (c.delete_objects, {**bucket, "Delete": doomed}),
            (c.put_object, {**key, "Body": b"x"}),
            (c.put_object, {**key, "Body": b"x" * MIB}),
            (c.copy_object, {**key, "CopySource": copied}),
            (c.copy_object, {**copied, "CopySource": key}),
            *((call, key) for call in (c.get_object, c.head_object)),
            (c.get_object_attributes, {**key, "ObjectAttributes": ["ETag"]}),
            (c.delete_object, key),
            (c.get_object_tagging, key),
            (c.put_object_tagging, {**key, "Tagging": tags}),
            (c.delete_object_tagging, key),
            (c.create_multipart_upload, key),
            (c.upload_part, {**part, "Body": b"x"}),
            (c.upload_part_copy, {**part, "CopySource": copied}),
            (c.list_parts, {**key, "UploadId": "x"}),
            (
                c.complete_multipart_upload,
                {**key, "UploadId": "x", "MultipartUpload": finished},
            ),
            (c.abort_multipart_upload, {**key, "UploadId": "x"}),
        ]

    def test_chain(self) -> None:
        """A chain of 16 links leads to the bucket, whose data stays when links go; one more leads nowhere."""
        process = self.started(*SECURE, environment=STATIC)
        links = [f"bucket link /s3v/link{n} /s3v/link{n + 1}" for n in range(16)]
        self.script(
            "volume create /vol1",
            "bucket create /vol1/bucket",
            "bucket link /vol1/bucket /s3v/link0",
            *links,
        )
        client = self.as_root(process)
        client.put_object(Bucket="link15", Key="key", Body=b"bytes")
        self.fails("NoSuchBucket", client.get_object, Bucket="link16", Key="key")
        found = client.get_object(Bucket="link3", Key="key")["Body"].read()
        self.assertEqual(found, b"bytes")
        client.delete_bucket(Bucket="link7")
        self.fails("NoSuchBucket", client.get_object, Bucket="link15", Key="key")
        client.get_object(Bucket="link6", Key="key")
        self.sh("bucket", "delete", "-r", "-y", "/s3v/link0")
        self.assertEqual(self.shown("key", "info", "/vol1/bucket/key")["dataSize"], 5)
