"""What belongs to objects, through boto3: conditions, ranges, copies, metadata."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

from botocore.exceptions import ClientError

from ozgate.s3.owners import canonical_id
from tests.clients.botos import SharedTestCase
from tests.running import ACCESS_KEY


class ReadTests(SharedTestCase):
    """Conditions, ranges and parts of reads."""

    def setUp(self) -> None:
        """An object of ten bytes."""
        super().setUp()
        self.etag = self.put()
        head = self.s3.head_object(Bucket=self.bucket, Key="key")
        self.now = head["LastModified"]
        self.past = self.now - timedelta(days=1)

    def read(self, **options: Any) -> tuple[int, bytes]:
        """Status and body; those of errors too."""
        try:
            got = self.s3.get_object(Bucket=self.bucket, Key="key", **options)
        except ClientError as error:
            response: Any = error.response
            return response["ResponseMetadata"]["HTTPStatusCode"], b""
        return got["ResponseMetadata"]["HTTPStatusCode"], got["Body"].read()

    def test_conditions(self) -> None:
        """Each condition and each pair that S3 documents; HEAD agrees with GET."""
        whole, other = (200, b"0123456789"), '"other"'
        cases: list[tuple[dict[str, Any], tuple[int, bytes]]] = [
            ({"IfMatch": self.etag}, whole),
            ({"IfMatch": other}, (412, b"")),
            ({"IfNoneMatch": self.etag}, (304, b"")),
            ({"IfNoneMatch": other}, whole),
            ({"IfModifiedSince": self.past}, whole),
            ({"IfModifiedSince": self.now}, (304, b"")),
            ({"IfUnmodifiedSince": self.now}, whole),
            ({"IfUnmodifiedSince": self.past}, (412, b"")),
            ({"IfMatch": self.etag, "IfUnmodifiedSince": self.past}, whole),
            ({"IfNoneMatch": self.etag, "IfModifiedSince": self.past}, (304, b"")),
            ({"IfMatch": other, "IfNoneMatch": self.etag}, (412, b"")),
            ({"IfNoneMatch": self.etag, "Range": "bytes=99-"}, (304, b"")),
        ]
        for options, expected in cases:
            self.assertEqual(self.read(**options), expected, options)
            if expected[0] != 200:
                error = self.error(self.s3.head_object, Key="key", **options)
                self.assertEqual(error["Status"], expected[0], options)
        error = self.error(self.s3.get_object, Key="key", IfMatch=other)
        self.assertEqual(error["Condition"], "If-Match")

    def test_ranges(self) -> None:
        """One range is 206 or 416; what is none, or several, is ignored."""
        cases = {
            "bytes=0-3": (206, b"0123"),
            "bytes=3-": (206, b"3456789"),
            "bytes=-3": (206, b"789"),
            "bytes=-30": (206, b"0123456789"),
            "bytes=5-100": (206, b"56789"),
            "bytes=10-": (416, b""),
            "bytes=-0": (416, b""),
            "bytes=0-1,3-4": (200, b"0123456789"),
            "bits=0-1": (200, b"0123456789"),
        }
        for header, expected in cases.items():
            self.assertEqual(self.read(Range=header), expected, header)
        error = self.refused(
            416, "InvalidRange", self.s3.get_object, Key="key", Range="bytes=10-"
        )
        self.assertEqual(
            (error["RangeRequested"], error["ActualObjectSize"]), ("bytes=10-", "10")
        )
        self.put(body=b"")
        self.assertEqual(self.read(Range="bytes=0-"), (416, b""))

    def test_part_numbers(self) -> None:
        """An object put at once is its own first part."""
        self.assertEqual(self.read(PartNumber=1), (206, b"0123456789"))
        head = self.s3.head_object(Bucket=self.bucket, Key="key", PartNumber=1)
        self.assertNotIn("PartsCount", head)
        error = self.refused(
            416, "InvalidPartNumber", self.s3.get_object, Key="key", PartNumber=2
        )
        self.assertEqual(
            (error["PartNumberRequested"], error["ActualPartCount"]), ("2", "1")
        )
        for number in (0, 10_001):
            self.refused(
                400, "InvalidArgument", self.s3.get_object, Key="key", PartNumber=number
            )
        self.refused(
            400,
            "InvalidRequest",
            self.s3.get_object,
            Key="key",
            PartNumber=1,
            Range="bytes=0-",
        )

    def test_absent(self) -> None:
        """What is not there is named."""
        error = self.refused(404, "NoSuchKey", self.s3.get_object, Key="no\x01t")
        self.assertEqual(error["Key"], "no\ufffdt")
        self.refused(404, "404", self.s3.head_object, Key="not")
        error = self.refused(
            404, "NoSuchBucket", self.s3.get_object, Bucket="absent", Key="key"
        )
        self.assertEqual(error["BucketName"], "absent")
        self.refused(
            404, "NoSuchVersion", self.s3.get_object, Key="key", VersionId="a" * 32
        )
        self.refused(
            400, "InvalidArgument", self.s3.get_object, Key="key", VersionId="short"
        )


class WriteTests(SharedTestCase):
    """Conditions of writes, metadata and copies."""

    def test_conditions(self) -> None:
        """If-Match and If-None-Match, where something is there and where nothing is."""
        etag = self.put()
        put = self.plain.put_object
        for status, code, key, options in (
            (412, "PreconditionFailed", "key", {"IfNoneMatch": "*"}),
            (412, "PreconditionFailed", "key", {"IfMatch": '"other"'}),
            (404, "NoSuchKey", "new", {"IfMatch": etag}),
            (501, "NotImplemented", "key", {"IfNoneMatch": etag}),
            (501, "NotImplemented", "key", {"IfMatch": "*"}),
            (501, "NotImplemented", "key", {"IfMatch": etag, "IfNoneMatch": "*"}),
        ):
            error = self.refused(status, code, put, Key=key, Body=b"", **options)
            if code == "NoSuchKey":
                self.assertEqual(error["Key"], "new")
        self.put(IfMatch=etag)
        self.put("new", IfNoneMatch="*")
        delete = self.s3.delete_object
        self.refused(412, "PreconditionFailed", delete, Key="key", IfMatch='"other"')
        outcome = self.s3.delete_objects(
            Bucket=self.bucket,
            Delete={
                "Objects": [
                    {"Key": "key", "ETag": '"other"'},
                    {"Key": "new"},
                    {"Key": "absent"},
                ]
            },
        )
        self.assertEqual(
            [(row["Key"], row["Code"]) for row in outcome["Errors"]],
            [("key", "PreconditionFailed")],
        )
        self.assertEqual([row["Key"] for row in outcome["Deleted"]], ["new", "absent"])
        delete(Bucket=self.bucket, Key="key", IfMatch=etag)

    def test_race(self) -> None:
        """Of eight who create a key at once, one succeeds."""

        def create(number: int) -> int:
            try:
                self.put("raced", str(number).encode(), IfNoneMatch="*")
            except ClientError as error:
                response: Any = error.response
                return int(response["ResponseMetadata"]["HTTPStatusCode"])
            return 200

        with ThreadPoolExecutor(8) as pool:
            statuses = sorted(pool.map(create, range(8)))
        self.assertEqual(statuses[0], 200)
        self.assertTrue(set(statuses[1:]) <= {409, 412}, statuses)

    def test_complete_conditions(self) -> None:
        """A Complete whose condition fails can be repeated without it."""
        self.put()
        where = {"Bucket": self.bucket, "Key": "key"}
        where["UploadId"] = self.s3.create_multipart_upload(**where)["UploadId"]
        part = self.s3.upload_part(**where, PartNumber=1, Body=b"part")
        listed = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
        complete = self.s3.complete_multipart_upload
        for condition in ({"IfNoneMatch": "*"}, {"IfMatch": '"other"'}):
            self.refused(
                412,
                "PreconditionFailed",
                complete,
                **where,
                **condition,
                MultipartUpload=listed,
            )
        self.refused(400, "InvalidRequest", complete, **where)
        first = complete(**where, MultipartUpload=listed)
        again = complete(**where, MultipartUpload=listed)
        self.assertEqual(first["ETag"], again["ETag"])
        self.refused(404, "NoSuchUpload", self.s3.list_parts, **where)

    def test_metadata(self) -> None:
        """Metadata of two kilobytes fits, in any script; one byte more does not."""
        self.put(Metadata={"k": "x" * 2046, "E": ""})
        error = self.refused(
            400,
            "MetadataTooLarge",
            self.plain.put_object,
            Key="key",
            Body=b"",
            Metadata={"k": "x" * 2048},
        )
        self.assertEqual((error["Size"], error["MaxSizeAllowed"]), ("2049", "2048"))
        path = f"/{self.bucket}/scripts"
        for sent, shown in (
            ("grüße", "=?UTF-8?B?Z3LDvMOfZQ==?="),
            ("=?UTF-8?Q?gr=C3=BC=C3=9Fe?=", "=?UTF-8?B?Z3LDvMOfZQ==?="),
            ("=?UTF-8?B?YWJj?=", "abc"),
            ("=?none", "=?none"),
        ):
            self.assertEqual(self.raw("PUT", path, {"x-amz-meta-v": sent})[0], 200)
            _, headers, _ = self.raw("HEAD", path)
            self.assertEqual(headers["x-amz-meta-v"], shown)

    def test_storage_classes(self) -> None:
        """Classes of general purpose buckets are kept and reported, the default by silence."""
        for name in ("STANDARD_IA", "GLACIER", "DEEP_ARCHIVE", "STANDARD"):
            self.put(StorageClass=name)
            head = self.s3.head_object(Bucket=self.bucket, Key="key")
            shown = None if name == "STANDARD" else name
            self.assertEqual(head.get("StorageClass"), shown)
            [row] = self.s3.list_objects_v2(Bucket=self.bucket)["Contents"]
            self.assertEqual(row["StorageClass"], name)
        error = self.refused(
            400,
            "InvalidStorageClass",
            self.s3.put_object,
            Key="key",
            StorageClass="SNOW",
        )
        self.assertEqual(error["StorageClassRequested"], "SNOW")

    def test_not_built(self) -> None:
        """What would not happen is refused: encryption, access lists, locks."""
        for options, status, code in (
            ({"ServerSideEncryption": "AES256"}, 501, "NotImplemented"),
            ({"ACL": "public-read"}, 400, "AccessControlListNotSupported"),
            (
                {"GrantRead": f"id={canonical_id(ACCESS_KEY)}"},
                400,
                "AccessControlListNotSupported",
            ),
            ({"GrantRead": "id=x"}, 400, "InvalidArgument"),
            ({"ObjectLockLegalHoldStatus": "ON"}, 400, "InvalidRequest"),
            ({"WebsiteRedirectLocation": "x"}, 400, "InvalidRedirectLocation"),
            ({"Tagging": "a=1&a=2"}, 400, "InvalidArgument"),
            ({"Tagging": "a=%00"}, 400, "InvalidTag"),
        ):
            self.refused(status, code, self.s3.put_object, Key="key", **options)
        self.put(ACL="bucket-owner-full-control")

    def test_copies(self) -> None:
        """What a copy takes over by its directives, and what refuses it."""
        etag = self.put(
            Metadata={"a": "b"},
            ContentType="x/y",
            Tagging="t=1",
            StorageClass="STANDARD_IA",
            WebsiteRedirectLocation="/r",
        )
        source = f"{self.bucket}/key"
        kept: dict[str, Any] = {
            "Metadata": {"a": "b"},
            "ContentType": "x/y",
            "tags": [("t", "1")],
        }
        for options, changed in (
            ({}, {}),
            ({"Metadata": {"z": "1"}, "Tagging": "q=2"}, {}),
            (
                {"Metadata": {"z": "1"}, "MetadataDirective": "REPLACE"},
                {"Metadata": {"z": "1"}, "ContentType": "binary/octet-stream"},
            ),
            ({"Tagging": "q=2", "TaggingDirective": "REPLACE"}, {"tags": [("q", "2")]}),
            ({"StorageClass": "GLACIER"}, {"StorageClass": "GLACIER"}),
            (
                {"WebsiteRedirectLocation": "/n"},
                {"WebsiteRedirectLocation": "/n"},
            ),
        ):
            self.s3.copy_object(
                Bucket=self.bucket, Key="copy", CopySource=source, **options
            )
            self.assertEqual(self.traits("copy"), {**kept, **changed}, options)
        copy = self.s3.copy_object
        for options, status, code in (
            ({"CopySourceIfMatch": '"other"'}, 412, "PreconditionFailed"),
            ({"CopySourceIfNoneMatch": etag}, 412, "PreconditionFailed"),
            ({"IfNoneMatch": "*"}, 412, "PreconditionFailed"),
            ({"MetadataDirective": "X"}, 400, "InvalidArgument"),
            ({"CopySource": f"{self.bucket}/absent"}, 404, "NoSuchKey"),
            ({"CopySource": "absent/key"}, 404, "NoSuchBucket"),
            ({"CopySource": "bucket"}, 400, "InvalidArgument"),
            ({"Key": "key"}, 400, "InvalidRequest"),
        ):
            parameters = {"Key": "copy", "CopySource": source, **options}
            self.refused(status, code, copy, **parameters)
        copy(Bucket=self.bucket, Key="key", CopySource=source, StorageClass="STANDARD")

    def traits(self, key: str) -> dict[str, Any]:
        """What a copy may take over."""
        head = self.s3.head_object(Bucket=self.bucket, Key=key)
        tags = self.s3.get_object_tagging(Bucket=self.bucket, Key=key)["TagSet"]
        names = ("Metadata", "ContentType", "StorageClass", "WebsiteRedirectLocation")
        return {
            **{name: head[name] for name in names if name in head},
            "tags": [(tag["Key"], tag["Value"]) for tag in tags],
        }
