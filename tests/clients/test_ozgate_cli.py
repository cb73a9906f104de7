"""``ozgate s3 presign`` against the gateway."""

from __future__ import annotations

import sys
from base64 import b64encode
from hashlib import md5
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from tests.clients.support import BUCKET, ClientTestCase


class PresignTests(ClientTestCase):
    """URLs that others use."""

    def presign(self, *arguments: str) -> str:
        """What ``ozgate s3 presign …`` prints; endpoint and pair are in the environment."""
        printed = self.run_client(
            sys.executable, "-m", "ozgate", "s3", "presign", *arguments
        )
        [url] = printed.splitlines()
        return url

    def send(self, url: str, method: str, body: bytes | None = None) -> bytes:
        """The answer to a request without credentials."""
        headers = {"Content-Type": "application/octet-stream"}
        with urlopen(Request(url, body, headers, method=method)) as answer:
            return bytes(answer.read())

    def test_put_get_list_delete(self) -> None:
        """One URL each makes a bucket, puts, lists, gets and deletes an object of an odd name."""
        address = f"s3://{BUCKET}/a b+ü//%2F"
        self.send(self.presign("--method", "PUT", f"s3://{BUCKET}"), "PUT")
        self.send(self.presign("--method", "put", address), "PUT", b"contents")
        listing = self.presign("--query", "list-type=2", f"s3://{BUCKET}")
        self.assertIn(b"<KeyCount>1</KeyCount>", self.send(listing, "GET"))
        self.assertEqual(self.send(self.presign(address), "GET"), b"contents")
        self.send(self.presign("--method", "DELETE", address), "DELETE")
        with self.assertRaises(HTTPError) as caught:
            self.send(self.presign(address), "GET")
        self.assertEqual(caught.exception.code, 404)
        caught.exception.close()

    def test_header(self) -> None:
        """A URL can demand a header, as removing many objects needs one."""
        self.send(self.presign("--method", "PUT", f"s3://{BUCKET}"), "PUT")
        document = b"<Delete><Object><Key>k</Key></Object></Delete>"
        digest = b64encode(md5(document).digest()).decode()
        url = self.presign(
            *("--method", "POST", "--query", "delete"),
            *("--header", f"Content-MD5: {digest}", f"s3://{BUCKET}"),
        )
        request = Request(url, document, {"Content-MD5": digest}, method="POST")
        with urlopen(request) as answer:
            self.assertIn(b"<Deleted><Key>k</Key></Deleted>", answer.read())

    def test_other_method(self) -> None:
        """A URL signed for one method does not serve another."""
        self.send(self.presign("--method", "PUT", f"s3://{BUCKET}"), "PUT")
        with self.assertRaises(HTTPError) as caught:
            self.send(self.presign(f"s3://{BUCKET}/k"), "PUT", b"x")
        self.assertEqual(caught.exception.code, 403)
        caught.exception.close()
