"""One object on a real server, which bad input of any kind must leave as it was."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.running import shared_server

BODY = b"0123456789abcdef" * 1024
"""16 KiB: larger than the smallest chunk that AWS allows."""


class BadInputCase(SynchronousTestCase):
    """One server for all tests of a class; each test must leave the bucket as it was."""

    settings: tuple[str, ...] = ()

    def setUp(self) -> None:
        """A server with one bucket and one object."""
        self.server = shared_server(*self.settings)
        self.assertIn(self.server.request("PUT", "/bucket")[0], (200, 409))
        self.assertEqual(
            self.server.request("PUT", "/bucket/kept", body=b"kept")[0], 200
        )

    def tearDown(self) -> None:
        """The service lives, and the one object is all there is."""
        status, _, listing = self.server.request("GET", "/bucket?list-type=2")
        self.assertEqual(status, 200)
        self.assertEqual(listing.count(b"<Key>"), 1, listing)
        self.assertEqual(self.server.request("GET", "/bucket/kept")[2], b"kept")
        uploads = self.server.request("GET", "/bucket?uploads=")[2]
        self.assertNotIn(b"<UploadId>", uploads)

    def assert_error(self, answer: bytes, status: int, code: str) -> bytes:
        """The first answer is an S3 error of this status and code."""
        head, _, body = answer.partition(b"\r\n\r\n")
        self.assertEqual(head.split(b" ")[1:2], [str(status).encode()], answer[:500])
        self.assertIn(f"<Code>{code}</Code>".encode(), body)
        self.assertIn(b"<RequestId>", body)
        self.assertIn(b"<HostId>", body)
        self.assertIn(b"\r\nx-amz-id-2: ", head)
        self.assertIn(b"\r\nx-amz-request-id: ", head)
        return body

    def refused(
        self,
        status: int,
        code: str,
        method: str,
        target: str,
        headers: dict[str, str] | None = None,
        body: bytes = b"",
        payload: str = "UNSIGNED-PAYLOAD",
    ) -> bytes:
        """A signed request is refused."""
        got, _, document = self.server.request(method, target, headers, body, payload)
        self.assertEqual(got, status, document[:500])
        self.assertIn(f"<Code>{code}</Code>".encode(), document)
        return document
