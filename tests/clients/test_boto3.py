"""boto3 with its default settings: CRC checksums in trailers, multipart by itself."""

from __future__ import annotations

import io
import os
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.clients.botos import DOMAIN
from tests.clients.support import BUCKET, NAMES, ClientTestCase
from tests.running import ACCESS_KEY, REGION, SECRET_KEY

MIB = 1 << 20


class Boto3Tests(ClientTestCase):
    """What programs do."""

    def setUp(self) -> None:
        """A client and a bucket."""
        super().setUp()
        self.session = boto3.session.Session(ACCESS_KEY, SECRET_KEY, region_name=REGION)
        self.s3: Any = self.session.client("s3", endpoint_url=self.server.url)
        self.addCleanup(self.s3.close)
        self.s3.create_bucket(Bucket=BUCKET)

    def keys(self, **options: Any) -> list[str]:
        """All keys, over as many pages as it takes."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(
            Bucket=BUCKET, **options
        )
        return [each["Key"] for page in pages for each in page.get("Contents", [])]

    def test_put_get_head_delete(self) -> None:
        """Every odd key goes in and out byte for byte, with a checksum that boto3 verifies."""
        for key in (*NAMES, "/lead", "a//b", "trail/", "..", "a/../b", "new\nline"):
            body = os.urandom(1000)
            put = self.s3.put_object(Bucket=BUCKET, Key=key, Body=body)
            self.assertIn("ChecksumCRC32", put)
            got = self.s3.get_object(Bucket=BUCKET, Key=key)
            self.assertEqual(got["Body"].read(), body)
            head = self.s3.head_object(Bucket=BUCKET, Key=key)
            self.assertEqual((head["ContentLength"], head["ETag"]), (1000, put["ETag"]))
            self.assertIn(key, self.keys())
            self.s3.delete_object(Bucket=BUCKET, Key=key)
        self.assertEqual(self.keys(), [])

    def test_streams(self) -> None:
        """A body of unknown hash, from a stream, is sent with a trailer and stored whole."""
        body = os.urandom(3 * MIB + 1)
        self.s3.put_object(Bucket=BUCKET, Key="k", Body=io.BytesIO(body))
        self.assertEqual(
            self.s3.get_object(Bucket=BUCKET, Key="k")["Body"].read(), body
        )

    def test_every_checksum(self) -> None:
        """Each algorithm is computed, sent, checked, and returned when asked for."""
        for algorithm in ("CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"):
            self.s3.put_object(
                Bucket=BUCKET, Key="k", Body=b"abc", ChecksumAlgorithm=algorithm
            )
            head = self.s3.head_object(Bucket=BUCKET, Key="k", ChecksumMode="ENABLED")
            self.assertIn("Checksum" + algorithm, head)

    def test_transfer(self) -> None:
        """upload_file and download_file move a large file in parts, both ways at once."""
        big = self.big_file(40 * MIB)
        self.s3.upload_file(str(big), BUCKET, "big")
        head = self.s3.head_object(Bucket=BUCKET, Key="big")
        self.assertTrue(head["ETag"].endswith('-5"'), head["ETag"])
        self.s3.copy({"Bucket": BUCKET, "Key": "big"}, BUCKET, "copy")
        back = self.path("back")
        self.s3.download_file(BUCKET, "copy", str(back))
        self.assertEqual(back.read_bytes(), big.read_bytes())

    def test_pages(self) -> None:
        """Paginators go through listings with tokens of every kind."""
        wanted = [f"d{n % 3}/k{n:02}" for n in range(12)]
        for key in wanted:
            self.s3.put_object(Bucket=BUCKET, Key=key, Body=b"")
        self.assertEqual(self.keys(PaginationConfig={"PageSize": 5}), sorted(wanted))
        for name in ("list_objects", "list_object_versions"):
            pages = self.s3.get_paginator(name).paginate(
                Bucket=BUCKET, PaginationConfig={"PageSize": 5}
            )
            found = [
                each["Key"]
                for page in pages
                for each in page.get("Contents", page.get("Versions", []))
            ]
            self.assertEqual(found, sorted(wanted))
        page = self.s3.list_objects_v2(Bucket=BUCKET, Delimiter="/")
        prefixes = [each["Prefix"] for each in page["CommonPrefixes"]]
        self.assertEqual(prefixes, ["d0/", "d1/", "d2/"])

    def test_delete_many(self) -> None:
        """delete_objects, with the checksum it must have, removes up to 1000 keys at once."""
        for n in range(5):
            self.s3.put_object(Bucket=BUCKET, Key=f"k{n}", Body=b"")
        answer = self.s3.delete_objects(
            Bucket=BUCKET,
            Delete={"Objects": [{"Key": key} for key in [*self.keys(), "absent"]]},
        )
        self.assertEqual(len(answer["Deleted"]), 6)
        self.assertEqual(self.keys(), [])

    def test_metadata_and_tags(self) -> None:
        """User metadata, headers and tags come back as they were given."""
        self.s3.put_object(
            Bucket=BUCKET,
            Key="k",
            Body=b"x",
            Metadata={"color": "blue"},
            ContentType="text/x",
            CacheControl="no-cache",
            Tagging="a=1&b=two",
        )
        head = self.s3.head_object(Bucket=BUCKET, Key="k")
        self.assertEqual(head["Metadata"], {"color": "blue"})
        self.assertEqual(
            (head["ContentType"], head["CacheControl"]), ("text/x", "no-cache")
        )
        tags = self.s3.get_object_tagging(Bucket=BUCKET, Key="k")["TagSet"]
        self.assertEqual(
            tags, [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "two"}]
        )

    def test_conditions(self) -> None:
        """IfNoneMatch on a write tells the second creator that it was late."""
        self.s3.put_object(Bucket=BUCKET, Key="k", Body=b"1", IfNoneMatch="*")
        with self.assertRaises(ClientError) as caught:
            self.s3.put_object(Bucket=BUCKET, Key="k", Body=b"2", IfNoneMatch="*")
        self.assertEqual(
            caught.exception.response["Error"]["Code"], "PreconditionFailed"
        )

    def test_presigned(self) -> None:
        """URLs that boto3 presigns with its default settings put, get, head, list and delete without credentials."""
        key = {"Bucket": BUCKET, "Key": "a b+c/ü"}
        kind = {"Content-Type": "text/x"}
        virtual: Any = self.session.client(
            "s3",
            endpoint_url=f"http://{DOMAIN}:{self.server.port}",
            config=Config(s3={"addressing_style": "virtual"}),
        )
        self.addCleanup(virtual.close)
        for host, client in (("127.0.0.1", self.s3), (f"{BUCKET}.{DOMAIN}", virtual)):
            sign = client.generate_presigned_url
            put = sign(
                "put_object", {**key, "ContentType": "text/x", "Metadata": {"a": "b"}}
            )
            self.assertEqual(urlsplit(put).hostname, host)
            self.assertIn("AWSAccessKeyId=", put)
            self.assertEqual(self.use(put, "PUT", b"signed", kind)[0], 200)
            other = {"Content-Type": "text/y"}
            self.assertEqual(self.use(put, "PUT", b"other", other)[0], 403)
            get = sign("get_object", {**key, "ResponseContentLanguage": "de"})
            _, headers, body = self.use(get, headers={"Range": "bytes=0-2"})
            self.assertEqual((headers["content-language"], body), ("de", b"sig"))
            _, headers, _ = self.use(sign("head_object", key), "HEAD")
            self.assertEqual(
                (headers["content-type"], headers["x-amz-meta-a"]), ("text/x", "b")
            )
            for operation in ("list_objects", "list_objects_v2"):
                listing = sign(operation, {"Bucket": BUCKET, "Prefix": "a "})
                self.assertIn(b"<Key>a", self.use(listing)[2])
            self.assertEqual(self.use(sign("delete_object", key), "DELETE")[0], 204)
            self.assertEqual(self.use(get)[0], 404)

    def test_errors(self) -> None:
        """Errors arrive as the exceptions that programs catch."""
        self.assertRaises(
            self.s3.exceptions.NoSuchKey, self.s3.get_object, Bucket=BUCKET, Key="no"
        )
        self.assertRaises(
            self.s3.exceptions.NoSuchBucket, self.s3.list_objects_v2, Bucket="absent"
        )
        elsewhere: dict[str, Any] = {
            "Bucket": "elsewhere",
            "CreateBucketConfiguration": {"LocationConstraint": "eu-west-3"},
        }
        self.s3.create_bucket(**elsewhere)
        self.assertRaises(
            self.s3.exceptions.BucketAlreadyOwnedByYou,
            self.s3.create_bucket,
            **elsewhere,
        )
