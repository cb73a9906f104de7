"""Forms that boto3 presigns, posted by two HTTP libraries: one names each field a file, the other none."""

from __future__ import annotations

import http.client
from typing import Any
from urllib.parse import urlsplit

import urllib3
from urllib3.filepost import encode_multipart_formdata

from tests.clients.botos import SharedTestCase, make_client


class FormTests(SharedTestCase):
    """POST object."""

    def setUp(self) -> None:
        """A client that signs with version 4, and one with version 2."""
        super().setUp()
        self.signer = make_client(self.server.url, signature_version="s3v4")
        self.older = make_client(self.server.url, signature_version="s3")

    def post(
        self, form: dict[str, Any], content: bytes, named: bool = False
    ) -> tuple[int, bytes]:
        """Send a form; status and body of the answer.

        :param named: whether each field has a filename.
        """
        fields: dict[str, Any] = {
            name: ("", value) if named else value
            for name, value in form["fields"].items()
        }
        fields["file"] = ("b.bin", content)
        body, kind = encode_multipart_formdata(fields)
        parts = urlsplit(form["url"])
        connection = http.client.HTTPConnection(parts.netloc, timeout=30)
        self.addCleanup(connection.close)
        connection.request("POST", parts.path, body, {"Content-Type": kind})
        response = connection.getresponse()
        return response.status, response.read()

    def test_presigned(self) -> None:
        """A presigned form stores what its conditions allow, of either version, small and large."""
        for number, client in enumerate((self.signer, self.older)):
            for size in (0, 10, 5 << 20):
                for named in (False, True):
                    key = f"up/{number}/{size}/{named}"
                    form = client.generate_presigned_post(
                        self.bucket,
                        key,
                        Fields={"Content-Type": "text/plain"},
                        Conditions=[
                            {"Content-Type": "text/plain"},
                            ["content-length-range", 0, 6 << 20],
                        ],
                    )
                    content = b"x" * size
                    status, said = self.post(form, content, named)
                    self.assertEqual(status, 204, said)
                    got = self.s3.get_object(Bucket=self.bucket, Key=key)
                    self.assertEqual(got["Body"].read(), content)
                    self.assertEqual(got["ContentType"], "text/plain")

    def test_file_name(self) -> None:
        """boto3 signs the beginning of a key that ends in the file's name."""
        form = self.signer.generate_presigned_post(self.bucket, "up/${filename}")
        self.assertEqual(self.post(form, b"content")[0], 204)
        got = self.s3.get_object(Bucket=self.bucket, Key="up/b.bin")
        self.assertEqual(got["Body"].read(), b"content")

    def test_refused(self) -> None:
        """What the form does not allow is refused, and stored nowhere."""
        form = self.signer.generate_presigned_post(
            self.bucket, "key", Conditions=[["content-length-range", 1, 10]]
        )
        status, said = self.post(form, b"x" * 11)
        self.assertEqual(status, 400)
        self.assertIn(b"<Code>EntityTooLarge</Code>", said)
        form["fields"]["key"] = "other"
        status, said = self.post(form, b"x")
        self.assertEqual(status, 403)
        self.assertIn(b"Policy Condition failed", said)
        stranger = make_client(
            self.server.url, access_id="nobody", secret="x", signature_version="s3v4"
        )
        form = stranger.generate_presigned_post(self.bucket, "key")
        status, said = self.post(form, b"x")
        self.assertEqual(status, 403)
        self.assertIn(b"<Code>InvalidAccessKeyId</Code>", said)
        listed = self.s3.list_objects_v2(Bucket=self.bucket)
        self.assertEqual(listed["KeyCount"], 0)

    def test_pool(self) -> None:
        """A pooled client goes on using the connection after a form."""
        pool = urllib3.PoolManager(maxsize=1)
        self.addCleanup(pool.clear)
        for key in ("a", "b"):
            form = self.signer.generate_presigned_post(self.bucket, key)
            fields = {**form["fields"], "file": ("c", b"content")}
            response = pool.request("POST", form["url"], fields=fields, retries=False)
            self.assertEqual(response.status, 204)
        self.assertEqual(len(pool.pools), 1)
