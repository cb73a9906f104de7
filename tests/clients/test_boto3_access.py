"""The ways to come in, through boto3: signatures, presigned URLs, no security, TLS."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from botocore import UNSIGNED
from botocore.config import Config

from ozgate.auth.presign import presign
from tests.clients.botos import DOMAIN, SharedTestCase, make_client, send, session
from tests.running import ACCESS_KEY, REGION, SECRET_KEY, shared_server
from tests.service.twistd import ServiceTestCase

KEY = "a b+ü/%2F"
COPY = "a%20b%2B%C3%BC/%252F"
"""The same, as in ``x-amz-copy-source``."""


def upload_in_parts(s3: Any, body: bytes) -> str:
    """Upload in one part what is then /bucket/key; the location that is told."""
    where = {"Bucket": "bucket", "Key": "key"}
    where["UploadId"] = s3.create_multipart_upload(**where)["UploadId"]
    part = s3.upload_part(**where, PartNumber=1, Body=body)
    told = {"PartNumber": 1, **{k: part[k] for k in ("ETag", "ChecksumCRC32")}}
    done = s3.complete_multipart_upload(**where, MultipartUpload={"Parts": [told]})
    return str(done["Location"])


class PresignedTests(SharedTestCase):
    """URLs that boto3 presigns, used without credentials."""

    def setUp(self) -> None:
        """One client of each style with version 4; boto3 presigns with version 2 unless it is told not to."""
        super().setUp()
        self.signer = make_client(self.server.url, signature_version="s3v4")
        self.signers = (
            self.signer,
            make_client(
                f"http://{DOMAIN}:{self.server.port}",
                "virtual",
                signature_version="s3v4",
            ),
            self.s3,
            self.virtual,
        )

    def use(
        self,
        url: str,
        method: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Send a presigned request: status, headers, body."""
        parts = urlsplit(url)
        return send(
            self.server.port,
            method,
            f"{parts.path or '/'}?{parts.query}",
            {"Host": parts.netloc, **(headers or {})},
            body,
        )

    def ask(
        self,
        operation: str,
        method: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        **parameters: Any,
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Presign an operation, and use the URL."""
        if operation != "list_buckets":
            parameters.setdefault("Bucket", self.bucket)
        url = self.signer.generate_presigned_url(operation, parameters)
        return self.use(url, method, body, headers)

    def test_operations(self) -> None:
        """Every operation whose input fits a URL and headers, in both styles and versions."""
        for signer in self.signers:
            self.signer = signer
            self.objects()
            self.upload()
            self.buckets()

    def objects(self) -> None:
        """Operations on objects."""
        key = {"Key": KEY}
        self.assertEqual(self.ask("put_object", "PUT", b"data", **key)[0], 200)
        self.assertEqual(self.ask("get_object", "GET", **key)[2], b"data")
        self.assertEqual(self.ask("head_object", "HEAD", **key)[0], 200)
        status, headers, body = self.ask(
            "get_object",
            "GET",
            headers={"Range": "bytes=0-1"},
            Range="bytes=0-1",
            ResponseContentDisposition='attachment; filename="ü"',
            **key,
        )
        self.assertEqual((status, body), (206, b"da"))
        self.assertEqual(headers["content-disposition"], 'attachment; filename="ü"')
        attributes = {"x-amz-object-attributes": "ETag"}
        status, _, body = self.ask(
            "get_object_attributes",
            "GET",
            headers=attributes,
            ObjectAttributes=["ETag"],
            **key,
        )
        if self.signer in (self.s3, self.virtual):
            # A URL of version 2 does not say that this sub-resource is meant: it would do for the object.
            self.assertIn(b"<Code>SignatureDoesNotMatch</Code>", body)
        else:
            self.assertIn(b"<ETag>8d777f385d3dfec8815d20f7496026dc</ETag>", body)
        status, _, body = self.ask(
            "copy_object",
            "PUT",
            headers={"x-amz-copy-source": f"{self.bucket}/{COPY}"},
            Key="copy",
            CopySource={"Bucket": self.bucket, "Key": KEY},
        )
        self.assertEqual(status, 200, body)
        self.assertEqual(self.ask("get_object_tagging", "GET", **key)[0], 200)
        self.assertEqual(self.ask("delete_object_tagging", "DELETE", **key)[0], 204)
        self.assertEqual(self.ask("delete_object", "DELETE", **key)[0], 204)

    def upload(self) -> None:
        """An upload of two parts; the list of a Complete is no part of its URL."""
        key: dict[str, Any] = {"Key": "upload"}
        _, _, body = self.ask("create_multipart_upload", "POST", **key)
        key["UploadId"] = body.split(b"<UploadId>")[1].split(b"<")[0].decode()
        _, part, _ = self.ask("upload_part", "PUT", b"x", PartNumber=1, **key)
        status, _, _ = self.ask(
            "upload_part_copy",
            "PUT",
            headers={"x-amz-copy-source": f"{self.bucket}/copy"},
            PartNumber=2,
            CopySource={"Bucket": self.bucket, "Key": "copy"},
            **key,
        )
        self.assertEqual(status, 200)
        self.assertEqual(self.ask("list_parts", "GET", **key)[0], 200)
        self.assertEqual(self.ask("list_multipart_uploads", "GET")[0], 200)
        status, _, body = self.ask(
            "complete_multipart_upload",
            "POST",
            b"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber>"
            b"<ETag>%s</ETag></Part></CompleteMultipartUpload>" % part["etag"].encode(),
            **key,
        )
        self.assertEqual(status, 200, body)
        status, _, _ = self.ask("abort_multipart_upload", "DELETE", **key)
        self.assertEqual(status, 404)

    def buckets(self) -> None:
        """Operations on buckets."""
        name = f"{self.bucket}-more"
        self.assertEqual(self.ask("create_bucket", "PUT", Bucket=name)[0], 200)
        self.assertEqual(self.ask("head_bucket", "HEAD", Bucket=name)[0], 200)
        self.assertEqual(self.ask("list_buckets", "GET")[0], 200)
        for operation in (
            *("list_objects", "list_objects_v2", "list_object_versions"),
            *("get_bucket_location", "get_bucket_versioning", "get_bucket_acl"),
        ):
            self.assertEqual(self.ask(operation, "GET", Bucket=name)[0], 200)
        self.assertEqual(self.ask("delete_bucket", "DELETE", Bucket=name)[0], 204)

    def test_headers(self) -> None:
        """Headers that were signed must come as they were signed, and no x-amz- header besides."""
        wanted = {"Key": "key", "ContentType": "x/y", "Metadata": {"a": "b"}}
        sent = {"Content-Type": "x/y", "x-amz-meta-a": "b"}
        status, _, _ = self.ask("put_object", "PUT", b"x", sent, **wanted)
        self.assertEqual(status, 200)
        for wrong in ({"Content-Type": "x/y"}, {**sent, "Content-Type": "z"}):
            _, _, body = self.ask("put_object", "PUT", b"x", wrong, **wanted)
            self.assertIn(b"<Code>SignatureDoesNotMatch</Code>", body)
        for name in ("x-amz-meta-more", "content-md5"):
            more = {**sent, name: "x"}
            _, _, body = self.ask("put_object", "PUT", b"x", more, **wanted)
            self.assertIn(f"<HeadersNotSigned>{name}</HeadersNotSigned>".encode(), body)

    def test_headers_in_the_url(self) -> None:
        """What SDKs move from headers into the query counts as if it had been sent; checksums do not."""
        url = presign(
            "PUT",
            f"{self.server.url}/{self.bucket}/key",
            ACCESS_KEY,
            SECRET_KEY,
            REGION,
            60,
            time.time(),
            {
                "x-amz-meta-a": "b",
                "x-amz-storage-class": "GLACIER",
                "x-amz-tagging": "q=1",
                "x-amz-checksum-crc32": "AAAAAA==",
                "x-amz-sdk-checksum-algorithm": "CRC32",
                "x-id": "PutObject",
            },
        )
        self.assertEqual(self.use(url, "PUT", b"data")[0], 200)
        head = self.s3.head_object(Bucket=self.bucket, Key="key")
        self.assertEqual(head["Metadata"], {"a": "b"})
        self.assertEqual((head["StorageClass"], head["TagCount"]), ("GLACIER", 1))

    def test_lifetime(self) -> None:
        """A URL of more than a week is refused, and so is any that was changed."""
        url = self.signer.generate_presigned_url(
            "get_object", {"Bucket": self.bucket, "Key": "key"}, 604_801
        )
        status, _, body = self.use(url, "GET")
        self.assertEqual(status, 400)
        self.assertIn(b"<Code>AuthorizationQueryParametersError</Code>", body)
        url = self.signer.generate_presigned_url(
            "get_object", {"Bucket": self.bucket, "Key": "key"}
        )
        for changed in (
            url.replace("/key?", "/kez?"),
            f"{url}&versionId=null",
            url.replace("X-Amz-Expires=3600", "X-Amz-Expires=3601"),
        ):
            self.assertEqual(self.use(changed, "GET")[0], 403, changed)
        self.assertEqual(self.use(url, "PUT", b"x")[0], 403)
        self.assertEqual(self.use(url, "GET")[0], 404)


class ModeTests(SharedTestCase):
    """Who may come in, and by which mechanism."""

    def test_strangers(self) -> None:
        """Nobody comes in without a signature, with an unknown key, a wrong secret, or version 2 in a header."""
        url = self.server.url
        self.put()
        for options, code in (
            ({"signature_version": UNSIGNED}, "AccessDenied"),
            ({"access_id": "nobody"}, "InvalidAccessKeyId"),
            ({"secret": "wrong"}, "SignatureDoesNotMatch"),
        ):
            client = make_client(url, **options)
            self.refused(403, code, client.get_object, Key="key")
            self.refused(403, code, client.put_object, Key="key", Body=b"")
            self.refused(403, "403", client.head_object, Key="key")
        old = make_client(url, signature_version="s3")
        self.refused(400, "InvalidRequest", old.get_object, Key="key")

    def test_version_2_turned_off(self) -> None:
        """Where URLs of version 2 are not wanted, those of version 4 are good still."""
        server = shared_server("ozgate.s3.sigv2-presigned=false")
        make_client(server.url).create_bucket(Bucket=self.bucket)
        for options, status in (({}, 400), ({"signature_version": "s3v4"}, 200)):
            url = make_client(server.url, **options).generate_presigned_url(
                "list_objects_v2", {"Bucket": self.bucket}
            )
            parts = urlsplit(url)
            answered, _, body = send(
                server.port,
                "GET",
                f"{parts.path}?{parts.query}",
                {"Host": parts.netloc},
            )
            self.assertEqual(answered, status, body)

    def test_security_off(self) -> None:
        """With security off every key is good, but there must be one."""
        url = shared_server("ozone.security.enabled=false").url
        anyone = make_client(url, access_id="anyone", secret="whatever")
        anyone.create_bucket(Bucket=self.bucket)
        body = os.urandom(100_000)
        for algorithm in ("CRC32", "SHA256"):
            anyone.put_object(
                Bucket=self.bucket, Key="key", Body=body, ChecksumAlgorithm=algorithm
            )
        got = anyone.get_object(Bucket=self.bucket, Key="key")
        self.assertEqual(got["Body"].read(), body)
        other = make_client(url, access_id="other", secret="whatever")
        self.refused(409, "BucketAlreadyExists", other.create_bucket)
        nobody = make_client(url, signature_version=UNSIGNED)
        self.refused(403, "AccessDenied", nobody.get_object, Key="key")


class TlsTests(ServiceTestCase):
    """boto3 over TLS, where it sends checksums as trailers."""

    def test_trailers(self) -> None:
        """Streams of any size, with every algorithm, arrive as they were sent."""
        key, certificate = self.certificate()
        process = self.started(
            *("-D", "ozone.security.enabled=true"),
            "--listen",
            f"ssl:0:interface=127.0.0.1:privateKey={key}:certKey={certificate}",
            environment={
                "AWS_ACCESS_KEY_ID": ACCESS_KEY,
                "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            },
        )
        s3 = session(ACCESS_KEY, SECRET_KEY).client(
            "s3",
            endpoint_url=process.urls[0],
            verify=certificate,
            config=Config(s3={"addressing_style": "path"}),
        )
        self.addCleanup(s3.close)
        sent: list[Any] = []
        s3.meta.events.register(
            "before-send.s3.PutObject",
            lambda request, **_: sent.append(request.headers["X-Amz-Trailer"]),
        )
        s3.create_bucket(Bucket="bucket")
        for algorithm in ("CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"):
            for size in (0, 1, 70_000, (1 << 20) + 1):
                body = os.urandom(size)
                s3.put_object(
                    Bucket="bucket",
                    Key="key",
                    Body=io.BytesIO(body),
                    ChecksumAlgorithm=algorithm,
                    ContentEncoding="gzip",
                )
                self.assertEqual(
                    sent.pop(), f"x-amz-checksum-{algorithm.lower()}".encode()
                )
                got = s3.get_object(Bucket="bucket", Key="key")
                self.assertEqual(got["ContentEncoding"], "gzip")
                self.assertEqual(got["Body"].read(), body)
        location = upload_in_parts(s3, b"x")
        self.assertEqual(location, f"{process.urls[0]}/bucket/key")
