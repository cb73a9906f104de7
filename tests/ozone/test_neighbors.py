"""Keys that ozgate and others of a cluster see alike: Ozone's own S3 gateway, its commands, and HttpFS."""

from __future__ import annotations

import hashlib
import json
import os
import urllib.parse
import urllib.request
from itertools import product

from twisted.trial.unittest import SkipTest

from tests.ozone.gateways import GatewayCase

MIB = 1 << 20
META = {"who": "me", "Mixed-Case": "a b", "empty": ""}


class S3GatewayTests(GatewayCase):
    """Ozone's own S3 gateway, side by side."""

    def setUp(self) -> None:
        """A client of each."""
        super().setUp()
        self.theirs = self.me.client(self.ozone.s3g)

    def test_bytes(self) -> None:
        """What one has put the other reads at once, byte for byte, also in ranges; and lists, and removes."""
        sides = self.s3, self.theirs
        for (one, other), size in product(
            (sides, sides[::-1]), (0, 1, 70_000, 3 * MIB)
        ):
            body = os.urandom(size)
            asks = {"Bucket": self.bucket, "Key": f"a/{size}"}
            one.put_object(**asks, Body=body)
            got = other.get_object(**asks)
            self.assertEqual(got["Body"].read(), body)
            self.assertEqual(got["ETag"].strip('"'), hashlib.md5(body).hexdigest())
            if size > 1:
                got = other.get_object(**asks, Range=f"bytes=1-{size // 2}")
                self.assertEqual(got["Body"].read(), body[1 : size // 2 + 1])
            found = other.list_objects_v2(Bucket=self.bucket)["Contents"]
            self.assertEqual([each["Size"] for each in found], [size])
            other.delete_object(**asks)
            self.assertEqual(one.list_objects_v2(Bucket=self.bucket)["KeyCount"], 0)

    def test_parts(self) -> None:
        """What one has put in parts the other reads; a part of it too, by its number, where that is asked of ozgate."""
        sizes = 5 * MIB, 5 * MIB, 100
        for one, other in ((self.s3, self.theirs), (self.theirs, self.s3)):
            asks = {"Bucket": self.bucket, "Key": "parts"}
            upload = one.create_multipart_upload(**asks)["UploadId"]
            parts, pieces = [], [os.urandom(size) for size in sizes]
            for number, piece in enumerate(pieces, 1):
                named = {**asks, "UploadId": upload, "PartNumber": number}
                tag = one.upload_part(**named, Body=piece)["ETag"]
                parts.append({"PartNumber": number, "ETag": tag})
            one.complete_multipart_upload(
                **asks, UploadId=upload, MultipartUpload={"Parts": parts}
            )
            got = other.get_object(**asks)["Body"].read()
            self.assertEqual(got, b"".join(pieces))
            got = self.s3.get_object(**asks, PartNumber=2)
            self.assertEqual(got["Body"].read(), pieces[1])
            one.delete_object(**asks)

    def test_metadata(self) -> None:
        """User metadata and tags that one has kept the other shows."""
        for one, other in ((self.s3, self.theirs), (self.theirs, self.s3)):
            asks = {"Bucket": self.bucket, "Key": "meta"}
            one.put_object(**asks, Body=b"x", Metadata=META, Tagging="a=b&c=d")
            found = other.head_object(**asks)["Metadata"]
            expected = {name.lower(): value for name, value in META.items()}
            # What ozgate keeps besides, 2.2.0 shows among it.
            shown = {
                name.lower(): value
                for name, value in found.items()
                if not name.lower().startswith("ozone-s3-internal-")
            }
            self.assertEqual(shown, expected)
            tags = other.get_object_tagging(**asks)["TagSet"]
            pairs = {each["Key"]: each["Value"] for each in tags}
            self.assertEqual(pairs, {"a": "b", "c": "d"})
            one.delete_object(**asks)


class CommandTests(GatewayCase):
    """Ozone's own commands."""

    def key(self, name: str) -> str:
        """A key's path there."""
        return f"/s3v/{self.bucket}/{name}"

    def test_both_ways(self) -> None:
        """A key that was put over S3 is theirs, and theirs is an object here, byte for byte, metadata included."""
        body = os.urandom(2 * MIB)
        self.s3.put_object(
            Bucket=self.bucket,
            Key="a/b",
            Body=body,
            Metadata={"who": "me"},
            ContentType="text/x-test",
        )
        self.ozone.text("sh", "key", "get", self.key("a/b"), str(self.path("back")))
        self.assertEqual(self.path("back").read_bytes(), body)
        said = json.loads(self.ozone.text("sh", "key", "info", self.key("a/b")))
        self.assertEqual(said["dataSize"], len(body))
        self.assertEqual(said["owner"], self.me.user)
        self.assertEqual(said["metadata"]["who"], "me")
        self.assertEqual(said["metadata"]["ETag"], hashlib.md5(body).hexdigest())
        self.path("up").write_bytes(body[::-1])
        self.ozone.text("sh", "key", "put", self.key("theirs"), str(self.path("up")))
        asks = {"Bucket": self.bucket, "Key": "theirs"}
        self.assertEqual(self.s3.get_object(**asks)["Body"].read(), body[::-1])
        self.assertEqual(self.s3.head_object(**asks)["ContentLength"], len(body))
        listed = self.s3.list_objects_v2(Bucket=self.bucket)["Contents"]
        self.assertEqual([each["Key"] for each in listed], ["a/b", "theirs"])
        self.ozone.text("sh", "key", "delete", self.key("theirs"))
        self.assertEqual(self.code_of(self.s3.head_object, **asks), "404")


class HttpFsTests(GatewayCase):
    """HttpFS, which is the ofs of Hadoop's clients behind HTTP."""

    def setUp(self) -> None:
        """A bucket that is a tree of files, for those of the layout that S3 makes are none to it."""
        super().setUp()
        if not self.ozone.httpfs:
            raise SkipTest("the cluster has no HttpFS")
        self.tree = f"{self.bucket}-tree"
        path, layout = f"/s3v/{self.tree}", ("--layout", "FILE_SYSTEM_OPTIMIZED")
        self.ozone.text("sh", "bucket", "create", path, *layout)
        self.addCleanup(self.ozone.text, "sh", "bucket", "delete", "-r", "--yes", path)

    def ask(
        self, method: str, name: str, body: bytes | None = None, **query: str
    ) -> bytes:
        """One request of WebHDFS."""
        asked = urllib.parse.urlencode({**query, "user.name": "root"})
        url = f"{self.ozone.httpfs}/webhdfs/v1/s3v/{self.tree}/{name}?{asked}"
        kind = {"Content-Type": "application/octet-stream"}
        request = urllib.request.Request(url, body, kind, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            said: bytes = answer.read()
        return said

    def test_both_ways(self) -> None:
        """A file there is an object here, and an object a file."""
        body = os.urandom(MIB)
        self.s3.put_object(Bucket=self.tree, Key="d/a", Body=body)
        self.assertEqual(self.ask("GET", "d/a", op="OPEN"), body)
        status = json.loads(self.ask("GET", "d/a", op="GETFILESTATUS"))["FileStatus"]
        self.assertEqual(status["length"], len(body))
        self.ask("PUT", "d/b", body[::-1], op="CREATE", data="true", overwrite="true")
        got = self.s3.get_object(Bucket=self.tree, Key="d/b")["Body"].read()
        self.assertEqual(got, body[::-1])
        found = self.s3.list_objects_v2(Bucket=self.tree)["Contents"]
        self.assertEqual([each["Key"] for each in found], ["d/a", "d/b"])
