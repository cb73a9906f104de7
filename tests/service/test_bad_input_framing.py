"""Lengths and heads that are malformed or a lie, against a real server: a clear S3 error, and nothing changed."""

from __future__ import annotations

from tests.service.badinput import BadInputCase


class ContentLengthTests(BadInputCase):
    """Content-Length that is malformed, missing, doubled or a lie."""

    def put(
        self, *lines: str, body: bytes = b"hello", half_close: bool = False
    ) -> bytes:
        """A signed PUT with header lines of the test's own."""
        return self.server.raw(
            self.server.head("PUT", "/bucket/bad", unsigned=lines) + body,
            half_close=half_close,
        )

    def test_malformed(self) -> None:
        """Whatever is not digits is a bad request, and the connection ends."""
        for value in (
            "-5",
            "+5",
            "0x5",
            "5 5",
            "5,5",
            "five",
            "",
            "5.0",
            "1" * 40,
        ):
            with self.subTest(value):
                answer = self.put(f"Content-Length: {value}")
                self.assertTrue(answer.startswith(b"HTTP/1.1 400"), answer[:300])
                self.assertIn(b"<Error>", answer)

    def test_doubled(self) -> None:
        """Two Content-Length headers are refused, whether they agree or not."""
        for second in ("5", "6"):
            answer = self.put("Content-Length: 5", f"Content-Length: {second}")
            self.assertTrue(answer.startswith(b"HTTP/1.1 400"), answer[:300])

    def test_with_transfer_encoding(self) -> None:
        """Content-Length beside Transfer-Encoding is refused: it is how requests are smuggled."""
        answer = self.put(
            "Content-Length: 5", "Transfer-Encoding: chunked", body=b"0\r\n\r\n"
        )
        self.assertTrue(answer.startswith(b"HTTP/1.1 400"), answer[:300])

    def test_missing(self) -> None:
        """A PUT of an object needs a length."""
        answer = self.put("Transfer-Encoding: chunked", body=b"5\r\nhello\r\n0\r\n\r\n")
        self.assert_error(answer, 411, "MissingContentLength")

    def test_longer_than_sent(self) -> None:
        """A body that ends early keeps nothing; who still listens hears IncompleteBody."""
        answer = self.put("Content-Length: 50", half_close=True)
        if answer:
            self.assert_error(answer, 400, "IncompleteBody")

    def test_absurd(self) -> None:
        """More than S3 takes in one request is refused before the body."""
        answer = self.put(
            "Content-Length: 999999999999999", "Expect: 100-continue", body=b""
        )
        self.assert_error(answer, 400, "EntityTooLarge")

    def test_expect_is_answered_before_the_body(self) -> None:
        """A refused PUT with Expect hears the refusal instead of 100 Continue."""
        head = self.server.head(
            "PUT", "/nosuch/bad", unsigned=("Content-Length: 5", "Expect: 100-continue")
        )
        answer = self.server.raw(head)
        self.assert_error(answer, 404, "NoSuchBucket")
        self.assertNotIn(b"100 Continue", answer)


class FramingTests(BadInputCase):
    """HTTP that is not: each kind ends in 400 and a closed connection."""

    def test_broken_heads(self) -> None:
        """Heads that other parsers may read differently are refused."""
        host = f"Host: 127.0.0.1:{self.server.port}".encode()
        cases = {
            "space before colon": b"GET /bucket HTTP/1.1\r\n"
            + host
            + b"\r\nX-A : b\r\n\r\n",
            "folded header": b"GET /bucket HTTP/1.1\r\n"
            + host
            + b"\r\nX-A: b\r\n c\r\n\r\n",
            "NUL in a header": b"GET /bucket HTTP/1.1\r\n"
            + host
            + b"\r\nX-A: b\0c\r\n\r\n",
            "no colon": b"GET /bucket HTTP/1.1\r\n" + host + b"\r\nnonsense\r\n\r\n",
            "empty name": b"GET /bucket HTTP/1.1\r\n" + host + b"\r\n: b\r\n\r\n",
            "no version": b"GET /bucket\r\n" + host + b"\r\n\r\n",
            "bad version": b"GET /bucket HTTP/9.9\r\n" + host + b"\r\n\r\n",
            "unknown coding": b"PUT /bucket/bad HTTP/1.1\r\n"
            + host
            + b"\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
            "doubled coding": b"PUT /bucket/bad HTTP/1.1\r\n"
            + host
            + b"\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        }
        for name, data in cases.items():
            with self.subTest(name):
                answer = self.server.raw(data)
                self.assertTrue(
                    answer.startswith(b"HTTP/1.1 4")
                    or answer.startswith(b"HTTP/1.1 5"),
                    answer[:300],
                )
                self.assertEqual(answer.count(b"HTTP/1.1 "), 1, answer)

    def test_hosts_that_are_not(self) -> None:
        """A Host that is no host is a bad request, never a crash."""
        for host in (
            "",
            "a..b",
            "a" * 64 + ".example.com",
            "a b",
            "[::1",
            "host:port",
            "h/../x",
            "a@b",
            "ex\u00e4mple",
        ):
            with self.subTest(host):
                data = f"GET /bucket HTTP/1.1\r\nHost: {host}\r\n\r\n".encode("latin-1")
                answer = self.server.raw(data)
                self.assertTrue(answer.startswith(b"HTTP/1.1 400"), answer[:300])
                self.assertIn(b"<Error>", answer)

    def test_doubled_host(self) -> None:
        """Two Host headers are refused."""
        answer = self.server.raw(b"GET /bucket HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")
        self.assertTrue(answer.startswith(b"HTTP/1.1 400"), answer[:300])

    def test_missing_host(self) -> None:
        """HTTP/1.1 without a Host is refused."""
        answer = self.server.raw(b"GET /bucket HTTP/1.1\r\n\r\n")
        self.assertTrue(answer.startswith(b"HTTP/1.1 400"), answer[:300])

    def test_too_many_and_too_long_headers(self) -> None:
        """A header section without end is cut off with a clear error."""
        for lines in (
            [f"X-A: {'a' * 70000}"],
            [f"X-{n}: {'a' * 200}" for n in range(600)],
        ):
            answer = self.server.raw(
                self.server.head("GET", "/bucket", unsigned=tuple(lines))
            )
            self.assertTrue(
                answer.startswith((b"HTTP/1.1 400", b"HTTP/1.1 431")), answer[:300]
            )

    def test_a_body_is_not_the_next_request(self) -> None:
        """Bytes of a refused request's body are never read as a request."""
        smuggled = b"DELETE /bucket/kept HTTP/1.1\r\nHost: x\r\n\r\n"
        head = self.server.head(
            "PUT", "/nosuch/bad", unsigned=(f"Content-Length: {len(smuggled)}",)
        )
        answer = self.server.raw(head + smuggled)
        self.assert_error(answer, 404, "NoSuchBucket")
        self.assertEqual(answer.count(b"HTTP/1.1 "), 1, answer)

    def test_pipelined_answers_keep_their_order(self) -> None:
        """Two requests in one packet are answered in order."""
        first = self.server.head("GET", "/bucket/kept")
        second = self.server.head("GET", "/bucket/absent")
        answer = self.server.raw(first + second)
        self.assertIn(b"kept", answer)
        self.assertLess(answer.index(b"kept"), answer.index(b"NoSuchKey"))
