"""Bad input of every kind against a real server: a clear S3 error, and nothing changed."""

from __future__ import annotations

import base64
import hashlib
import os
import select
import socket
import struct
import time
import zlib

from twisted.trial.unittest import SynchronousTestCase

from tests.chunked import ChunkSigner, unsigned_body
from tests.running import shared_server

UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
SIGNED = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
SIGNED_TRAILER = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
BODY = b"0123456789abcdef" * 1024
"""16 KiB: larger than the smallest chunk that AWS allows."""


def crc32(data: bytes) -> str:
    """The base64 of a CRC32, as S3 writes it."""
    return base64.b64encode(struct.pack(">I", zlib.crc32(data))).decode()


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


class ChunkedTests(BadInputCase):
    """aws-chunked framing that is broken in each known way."""

    def put(self, body: bytes, payload: str, decoded: int, trailer: str = "") -> bytes:
        """A PUT of an encoded body."""
        headers = {
            "x-amz-decoded-content-length": str(decoded),
            "content-encoding": "aws-chunked",
        }
        if trailer:
            headers["x-amz-trailer"] = trailer
        head = self.server.head(
            "PUT", "/bucket/bad", headers, (f"Content-Length: {len(body)}",), payload
        )
        return self.server.raw(head + body)

    def assert_refused(self, answer: bytes) -> None:
        """Some 4xx with an S3 document."""
        self.assertTrue(answer.startswith(b"HTTP/1.1 4"), answer[:400])
        self.assertIn(b"<Error>", answer)

    def test_unsigned_framing(self) -> None:
        """Each broken frame of an unsigned body is refused."""
        size = f"{len(BODY):x}".encode()
        cases = {
            "bad hex": b"zz\r\n" + BODY + b"\r\n0\r\n\r\n",
            "signed hex": b"+" + size + b"\r\n" + BODY + b"\r\n0\r\n\r\n",
            "prefixed hex": b"0x" + size + b"\r\n" + BODY + b"\r\n0\r\n\r\n",
            "negative": b"-5\r\n" + BODY + b"\r\n0\r\n\r\n",
            "overflow": b"f" * 40 + b"\r\n" + BODY + b"\r\n0\r\n\r\n",
            "larger than the body": b"ffffff\r\n" + BODY + b"\r\n0\r\n\r\n",
            "no CRLF after data": size + b"\r\n" + BODY + b"XX0\r\n\r\n",
            "no last chunk": size + b"\r\n" + BODY + b"\r\n",
            "truncated": size + b"\r\n" + BODY[:100],
            "extra after the end": size
            + b"\r\n"
            + BODY
            + b"\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n",
            "endless size line": b"0" * 10000 + b"\r\n" + BODY + b"\r\n0\r\n\r\n",
        }
        for name, body in cases.items():
            with self.subTest(name):
                self.assert_refused(self.put(body, UNSIGNED_TRAILER, len(BODY)))

    def test_wrong_decoded_length(self) -> None:
        """The decoded length must be what was decoded."""
        for decoded in (len(BODY) - 1, len(BODY) + 1, 0):
            self.assert_refused(
                self.put(unsigned_body([BODY]), UNSIGNED_TRAILER, decoded)
            )

    def test_malformed_decoded_length(self) -> None:
        """The decoded length must be a number."""
        for value in ("-1", "abc", "+5", ""):
            headers = {"x-amz-decoded-content-length": value}
            body = unsigned_body([b"hello"])
            head = self.server.head(
                "PUT",
                "/bucket/bad",
                headers,
                (f"Content-Length: {len(body)}",),
                UNSIGNED_TRAILER,
            )
            self.assert_refused(self.server.raw(head + body))

    def test_trailers(self) -> None:
        """A trailer must be announced, there, alone, right and harmless."""
        name = "x-amz-checksum-crc32"
        good = f"{name}:{crc32(BODY)}\r\n"
        cases = {
            "not announced": ("", good),
            "not sent": (name, ""),
            "another one": (name, f"x-amz-checksum-sha1:{crc32(BODY)}\r\n"),
            "wrong": (name, f"{name}:{crc32(b'other')}\r\n"),
            "no checksum at all": (name, f"{name}:????\r\n"),
            "doubled": (name, good + good),
            "protected": ("authorization", "authorization:nonsense\r\n"),
            "host": ("host", "host:elsewhere\r\n"),
        }
        for case, (announced, lines) in cases.items():
            with self.subTest(case):
                self.assert_refused(
                    self.put(
                        unsigned_body([BODY], lines),
                        UNSIGNED_TRAILER,
                        len(BODY),
                        announced,
                    )
                )

    def signed_put(self, spoil: str) -> bytes:
        """A signed chunked PUT with one thing spoiled."""
        headers = {
            "x-amz-decoded-content-length": str(2 * len(BODY)),
            "content-encoding": "aws-chunked",
        }
        signed = self.server.signed("PUT", "/bucket/bad", headers, SIGNED)
        signer = ChunkSigner(signed)
        chunks = [
            signer.chunk(BODY),
            signer.chunk(BODY[::-1]),
            signer.chunk(b"") + b"\r\n",
        ]
        if spoil == "data":
            chunks[1] = chunks[1].replace(b"fedc", b"FEDC", 1)
        elif spoil == "signature":
            chunks[0] = chunks[0].replace(b"signature=", b"signature=0", 1)[:-1]
        elif spoil == "order":
            chunks[:2] = chunks[1::-1]
        elif spoil == "unsigned":
            chunks[0] = f"{len(BODY):x}\r\n".encode() + BODY + b"\r\n"
        elif spoil == "extension":
            chunks[0] = chunks[0].replace(
                b";chunk-signature", b";junk=1;chunk-signature", 1
            )
        elif spoil == "last":
            chunks[2] = b"0;chunk-signature=" + b"0" * 64 + b"\r\n\r\n"
        body = b"".join(chunks)
        lines = ["PUT /bucket/bad HTTP/1.1", f"Content-Length: {len(body)}"]
        if not any(name.lower() == "host" for name in signed):
            lines.append(f"Host: 127.0.0.1:{self.server.port}")
        lines += [f"{name}: {value}" for name, value in signed.items()]
        return self.server.raw("\r\n".join([*lines, "", ""]).encode() + body)

    def test_chunk_signatures(self) -> None:
        """Every chunk's signature counts, and so does the order."""
        for spoil in ("data", "signature", "order", "unsigned", "extension", "last"):
            with self.subTest(spoil):
                self.assert_refused(self.signed_put(spoil))

    def test_the_same_unspoiled(self) -> None:
        """The body that the cases above spoil is accepted when left alone."""
        answer = self.signed_put("")
        self.assertTrue(answer.startswith(b"HTTP/1.1 200"), answer[:400])
        got = self.server.request("GET", "/bucket/bad")[2]
        self.assertEqual(got, BODY + BODY[::-1])
        self.server.request("DELETE", "/bucket/bad")

    def test_trailer_signature(self) -> None:
        """A signed trailer must be signed by who signed the chunks."""
        trailer = f"x-amz-checksum-crc32:{crc32(BODY)}\n"
        for spoil in (False, True):
            headers = {
                "x-amz-decoded-content-length": str(len(BODY)),
                "content-encoding": "aws-chunked",
                "x-amz-trailer": "x-amz-checksum-crc32",
            }
            signed = self.server.signed("PUT", "/bucket/bad", headers, SIGNED_TRAILER)
            signer = ChunkSigner(signed)
            body = signer.chunk(BODY) + signer.chunk(b"")
            body += signer.trailer(trailer)
            if spoil:
                body = body[:-10] + b"0" * 6 + b"\r\n\r\n"
            lines = ["PUT /bucket/bad HTTP/1.1", f"Content-Length: {len(body)}"]
            if not any(name.lower() == "host" for name in signed):
                lines.append(f"Host: 127.0.0.1:{self.server.port}")
            lines += [f"{name}: {value}" for name, value in signed.items()]
            answer = self.server.raw("\r\n".join([*lines, "", ""]).encode() + body)
            if spoil:
                self.assert_refused(answer)
            else:
                self.assertTrue(answer.startswith(b"HTTP/1.1 200"), answer[:400])
                self.server.request("DELETE", "/bucket/bad")


class DigestTests(BadInputCase):
    """Digests that are wrong."""

    def test_content_md5(self) -> None:
        """A wrong MD5 is BadDigest, a malformed one InvalidDigest."""
        wrong = base64.b64encode(hashlib.md5(b"other").digest()).decode()
        self.refused(
            400, "BadDigest", "PUT", "/bucket/bad", {"content-md5": wrong}, b"hello"
        )
        for malformed in ("nonsense", "AAAA", "=" * 24):
            self.refused(
                400,
                "InvalidDigest",
                "PUT",
                "/bucket/bad",
                {"content-md5": malformed},
                b"hello",
            )

    def test_payload_hash(self) -> None:
        """A literal payload hash must be the body's."""
        wrong = hashlib.sha256(b"other").hexdigest()
        self.refused(
            400, "XAmzContentSHA256Mismatch", "PUT", "/bucket/bad", {}, b"hello", wrong
        )
        self.refused(
            400, "XAmzContentSHA256Mismatch", "PUT", "/bucket/bad", {}, BODY * 20, wrong
        )

    def test_checksums(self) -> None:
        """A wrong checksum of any algorithm is BadDigest, also for a body that goes to a blob."""
        for name, length in (
            ("crc32", 4),
            ("crc32c", 4),
            ("crc64nvme", 8),
            ("sha1", 20),
            ("sha256", 32),
        ):
            wrong = base64.b64encode(b"\1" * length).decode()
            for body in (b"hello", BODY * 20):
                with self.subTest(name):
                    self.refused(
                        400,
                        "BadDigest",
                        "PUT",
                        "/bucket/bad",
                        {f"x-amz-checksum-{name}": wrong},
                        body,
                    )

    def test_required(self) -> None:
        """DeleteObjects without any digest is refused."""
        document = b"<Delete><Object><Key>kept</Key></Object></Delete>"
        self.refused(400, "InvalidRequest", "POST", "/bucket?delete=", {}, document)


class VanishingTests(BadInputCase):
    """Clients that go in the middle."""

    def leave(self, send: bytes, *, reset: bool) -> None:
        """Send the start of something, then go."""
        connection = self.server.connect()
        connection.sendall(send)
        time.sleep(0.05)
        if reset:
            connection.setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
            )
        connection.close()

    def test_in_mid_body(self) -> None:
        """Gone in mid-body, politely or not, small or large: nothing is kept and no file is left."""
        for total in (10_000, 10_000_000):
            head = self.server.head(
                "PUT", "/bucket/bad", unsigned=(f"Content-Length: {total}",)
            )
            for reset in (False, True):
                self.leave(head + b"x" * (total // 2), reset=reset)
        deadline = time.monotonic() + 60
        while self.open_blobs() and time.monotonic() < deadline:
            time.sleep(0.05)
        self.assertEqual(self.open_blobs(), [])

    def open_blobs(self) -> list[str]:
        """Files below the data folder's blobs that the server holds open."""
        assert self.server.process is not None
        folder = f"/proc/{self.server.process.pid}/fd"
        names = [os.path.join(folder, name) for name in os.listdir(folder)]
        links = [os.readlink(name) for name in names if os.path.islink(name)]
        return [
            link for link in links if "/blobs" in link and not link.endswith("/FORMAT")
        ]

    def test_after_the_head(self) -> None:
        """Gone right after the head, or in the middle of it."""
        head = self.server.head("PUT", "/bucket/bad", unsigned=("Content-Length: 5",))
        self.leave(head, reset=True)
        self.leave(head[: len(head) // 2], reset=True)

    def test_while_reading(self) -> None:
        """Gone while the answer is under way."""
        self.assertEqual(
            self.server.request("PUT", "/bucket/large", body=b"x" * 20_000_000)[0], 200
        )
        try:
            self.leave(self.server.head("GET", "/bucket/large"), reset=True)
            self.leave(self.server.head("GET", "/bucket/large"), reset=False)
        finally:
            self.server.request("DELETE", "/bucket/large")


class DocumentTests(BadInputCase):
    """XML that is none, or an attack."""

    def delete(self, document: bytes) -> tuple[int, bytes]:
        """A DeleteObjects with that document; status and answer."""
        digest = base64.b64encode(hashlib.md5(document).digest()).decode()
        status, _, answer = self.server.request(
            "POST", "/bucket?delete=", {"content-md5": digest}, document
        )
        return status, answer

    def test_malformed(self) -> None:
        """What is not the document is MalformedXML and deletes nothing."""
        laughs = "".join(
            f'<!ENTITY l{n} "&l{n - 1};&l{n - 1};&l{n - 1};">' for n in range(1, 20)
        )
        cases = {
            "empty": b"",
            "text": b"hello",
            "not closed": b"<Delete><Object><Key>kept</Key></Object>",
            "two roots": b"<Delete><Object><Key>kept</Key></Object></Delete><Delete/>",
            "wrong root": b"<Remove><Object><Key>kept</Key></Object></Remove>",
            "wrong namespace": b'<Delete xmlns="urn:x"><Object><Key>kept</Key></Object></Delete>',
            "doctype": b"<!DOCTYPE Delete><Delete><Object><Key>kept</Key></Object></Delete>",
            "external entity": b'<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><Delete><Object><Key>&x;</Key></Object></Delete>',
            "laughs": f'<!DOCTYPE d [<!ENTITY l0 "ha">{laughs}]><Delete><Object><Key>&l19;</Key></Object></Delete>'.encode(),
            "undefined entity": b"<Delete><Object><Key>&kept;</Key></Object></Delete>",
            "wrong encoding": b'<?xml version="1.0" encoding="UTF-16"?><Delete><Object><Key>kept</Key></Object></Delete>',
            "not UTF-8": b"<Delete><Object><Key>\xff\xfe</Key></Object></Delete>",
            "deep": b"<Delete>"
            + b"<Object>" * 5000
            + b"</Object>" * 5000
            + b"</Delete>",
            "no objects": b"<Delete></Delete>",
            "no key": b"<Delete><Object></Object></Delete>",
            "1001 keys": b"<Delete>"
            + b"<Object><Key>a</Key></Object>" * 1001
            + b"</Delete>",
        }
        for name, document in cases.items():
            with self.subTest(name):
                status, answer = self.delete(document)
                self.assertEqual(status, 400, answer[:300])
                self.assertTrue(
                    b"MalformedXML" in answer or b"MissingRequestBody" in answer,
                    answer[:300],
                )
                self.assertNotIn(b"root:", answer)

    def test_too_big(self) -> None:
        """A document over the limit is refused before it is read."""
        headers = {"content-md5": "1B2M2Y8AsgTpgAmY7PhCfg=="}
        head = self.server.head(
            "POST",
            "/bucket?delete=",
            headers,
            ("Content-Length: 900000000", "Expect: 100-continue"),
        )
        answer = self.server.raw(head)
        self.assertTrue(answer.startswith(b"HTTP/1.1 400"), answer[:300])
        self.assertNotIn(b"100 Continue", answer)


class AbsurdTests(BadInputCase):
    """Numbers, tokens and names out of all bounds."""

    def test_ranges(self) -> None:
        """A range beyond the end is 416; one that is none gives the whole object."""
        for value in ("bytes=4-", "bytes=99999999999999999999-", "bytes=-0"):
            self.refused(416, "InvalidRange", "GET", "/bucket/kept", {"range": value})
        for value in (
            "bytes=a-b",
            "bytes=3-1",
            "kilobytes=0-1",
            "bytes=0-1,2-3",
            "bytes",
            "bytes=-",
            "bytes=--1",
        ):
            status, _, body = self.server.request(
                "GET", "/bucket/kept", {"range": value}
            )
            self.assertEqual((status, body), (200, b"kept"), value)

    def test_part_numbers(self) -> None:
        """Part numbers outside 1 to 10,000 are refused."""
        for value in ("0", "-1", "10001", "abc", "1.5", "99999999999999999999"):
            self.refused(
                400,
                "InvalidArgument",
                "PUT",
                f"/bucket/bad?partNumber={value}&uploadId=x",
                {},
                b"x",
            )

    def test_upload_ids(self) -> None:
        """Upload ids that were never given are no uploads."""
        for value in ("x", "..%2F..%2Fetc", "%00", "a" * 2000):
            self.refused(
                404,
                "NoSuchUpload",
                "PUT",
                f"/bucket/bad?partNumber=1&uploadId={value}",
                {},
                b"x",
            )
            self.refused(404, "NoSuchUpload", "DELETE", f"/bucket/bad?uploadId={value}")

    def test_max_keys(self) -> None:
        """max-keys must be a number from 0 to 2147483647."""
        for value in ("-1", "abc", "2147483648", "1e3"):
            self.refused(
                400, "InvalidArgument", "GET", f"/bucket?list-type=2&max-keys={value}"
            )

    def test_tokens(self) -> None:
        """A continuation token that was never given is refused."""
        for value in ("nonsense", "%00", "A" * 5000):
            self.refused(
                400,
                "InvalidArgument",
                "GET",
                f"/bucket?list-type=2&continuation-token={value}",
            )

    def test_long_keys(self) -> None:
        """A key of 1,024 bytes is the longest."""
        self.refused(400, "KeyTooLongError", "PUT", "/bucket/" + "k" * 1025, {}, b"x")
        self.refused(
            400, "KeyTooLongError", "PUT", "/bucket/" + "%E2%82%AC" * 342, {}, b"x"
        )

    def test_metadata(self) -> None:
        """User metadata over 2 KiB is refused."""
        self.refused(
            400,
            "MetadataTooLarge",
            "PUT",
            "/bucket/bad",
            {"x-amz-meta-a": "a" * 2100},
            b"x",
        )

    def test_keys_that_are_no_utf8(self) -> None:
        """A key must be UTF-8, and an escape must be one."""
        for target in ("/bucket/%FF", "/bucket/%C3", "/bucket/%ED%A0%80"):
            answer = self.server.raw(
                f"PUT {target} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n".encode()
            )
            self.assertTrue(answer.startswith(b"HTTP/1.1 400"), answer[:300])

    def test_header_splitting(self) -> None:
        """CR and LF never reach an answer's headers."""
        for value in ("a%0D%0ASet-Cookie:%20x", "a%0Ab", "a%0Db", "a%00b"):
            status, headers, _ = self.server.request(
                "GET", f"/bucket/kept?response-content-type={value}"
            )
            self.assertEqual(status, 400)
            self.assertNotIn("set-cookie", headers)

    def test_splitting_by_key(self) -> None:
        """A key with line ends in it cannot split the Location or any other header."""
        target = "/bucket/a%0D%0ASet-Cookie:%20x"
        answer = self.server.raw(
            self.server.head("PUT", target, unsigned=("Content-Length: 1",)) + b"x"
        )
        self.assertTrue(answer.startswith(b"HTTP/1.1 200"), answer[:300])
        self.assertNotIn(b"Set-Cookie", answer.split(b"\r\n\r\n")[0])
        self.assertEqual(self.server.request("DELETE", target)[0], 204)


class SlowTests(BadInputCase):
    """Clients that hardly move: a floor on progress, not only on idleness."""

    settings = (
        "ozgate.http.header-timeout=1s",
        "ozgate.http.progress-window=1s",
        "ozgate.http.minimum-rate=1024",
        "hadoop.http.idle_timeout.ms=60000",
    )

    def drip(self, start: bytes, drop: bytes) -> bytes:
        """Send a start, then a drop every 200 ms until the server has enough of it (20 s at most)."""
        with self.server.connect() as connection:
            connection.sendall(start)
            connection.settimeout(0.2)
            received, deadline = b"", time.monotonic() + 20
            while time.monotonic() < deadline:
                try:
                    data = connection.recv(65536)
                    if not data:
                        return received
                    received += data
                except TimeoutError:
                    try:
                        connection.sendall(drop)
                    except OSError:
                        return received
                except OSError:
                    return received
        raise AssertionError("the server goes on waiting")

    def test_headers(self) -> None:
        """A head that trickles in is cut off."""
        self.drip(b"GET /bucket HTTP/1.1\r\nHost: x\r\n", b"X-A: b\r\n")

    def test_body(self) -> None:
        """A body that trickles in is cut off, though the connection is never idle."""
        head = self.server.head(
            "PUT", "/bucket/bad", unsigned=("Content-Length: 100000",)
        )
        answer = self.drip(head, b"x")
        self.assert_error(answer, 400, "RequestTimeout")

    def test_reader(self) -> None:
        """Who takes the answer by drops is cut off, too."""
        self.assertEqual(
            self.server.request("PUT", "/bucket/large", body=b"x" * 30_000_000)[0], 200
        )
        try:
            with self.server.connect() as connection:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                connection.sendall(self.server.head("GET", "/bucket/large"))
                poll = select.poll()
                poll.register(connection, 0)
                deadline = time.monotonic() + 60
                # What had arrived before the reset can still be read: only poll tells at once.
                while not poll.poll(200):
                    self.assertLess(time.monotonic(), deadline, "it goes on sending")
                    connection.recv(64)
        finally:
            self.server.request("DELETE", "/bucket/large")


class UnauthenticatedTests(BadInputCase):
    """Nobody gets in without a signature."""

    def test_no_credentials(self) -> None:
        """Every verb on every scope is AccessDenied without credentials."""
        for method in ("GET", "PUT", "POST", "DELETE"):
            for target in (
                "/",
                "/bucket",
                "/bucket/kept",
                "/bucket?policy",
                "/bucket?frobnicate",
                "/bucket/kept?tagging",
            ):
                data = f"{method} {target} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"
                self.assert_error(self.server.raw(data.encode()), 403, "AccessDenied")

    def test_signature_in_the_logs(self) -> None:
        """Neither log names a signature, a credential or a secret."""
        target = "/bucket/kept?X-Amz-Signature=feedface&X-Amz-Credential=someone"
        self.server.raw(f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        self.server.stop()
        text = self.server.output()
        for name in os.listdir(self.server.data):
            if name.endswith(".log"):
                with open(os.path.join(self.server.data, name)) as file:
                    text += file.read()
        self.server.start()
        self.assertIn("/bucket", text)
        for secret in ("feedface", "c261b6ecabf7d37d"):
            self.assertNotIn(secret, text)
