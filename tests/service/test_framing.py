"""Where requests begin and end, over raw sockets against the real service, with what AWS answers.

Which case of the list of what must not break (section C) is tested where:

====  =============================================  =========================================================
 no.  case                                           tests
====  =============================================  =========================================================
 20   heads, bodies at a byte a second               ``test_crowd``, ``test_bad_input.SlowTests``, ``wire.test_progress``
 20   answers read at a byte a second                the same; over TLS ``test_crowd``
 20   idle, silent, handshakes that never end        ``test_crowd``, ``wire.test_progress``, ``wire.test_tls``
 20   connections in all, of one address, memory     ``test_crowd``, ``wire.test_limits``, ``wire.test_idle``, ``benchmarks/slow_clients.py``, ``benchmarks/pools.py``
 21   half-closed, reset, closed after the head      ``GoneTests``, ``wire.test_gone``, ``test_bad_input.VanishingTests``
 22   refused before the body; none after 100        ``ExpectTests``, ``wire.test_body``, ``wire.test_early_end``
 23   oversized heads, keys, metadata, documents     ``OversizedTests``, ``test_bad_input``, ``wire.test_malformed``
 24   Content-Length                                 ``LengthTests``, ``test_bad_input``, ``wire.test_malformed``
 25   two readings of one request                    ``test_smuggling``, ``wire.test_malformed``
 25   answers out of order                           ``test_smuggling``, ``wire.test_body``
 26   aws-chunked                                    ``CodedTests``, ``test_bad_input.ChunkedTests``, ``unit.wire.test_awschunked``
 27   HTTP/2                                         ``test_smuggling.OtherProtocolTests``, ``wire.test_tls``
 28   answers that are split                         ``test_splitting``, ``test_bad_input``, ``wire.test_send``
 29   metadata and keys beyond ASCII                 ``test_splitting``, ``unit.s3.test_headers``, ``unit.wire.test_target``
====  =============================================  =========================================================
"""

from __future__ import annotations

import base64
import hashlib
import os
import time
from urllib.parse import quote

from ozgate.auth.sigv4 import sign
from tests.chunked import unsigned_body
from tests.running import ACCESS_KEY, REGION, SECRET_KEY
from tests.service.talking import Heard, TalkCase

LONGEST_LINE, LONGEST_HEAD, MOST_HEADERS = 16 << 10, 32 << 10, 500
EXPECT = "Expect: 100-continue"


def md5(data: bytes) -> str:
    """A Content-MD5."""
    return base64.b64encode(hashlib.md5(data).digest()).decode()


class GoneTests(TalkCase):
    """21: clients that stop in the middle. No file, no key, no error in the log."""

    def uploads(self, size: int) -> list[bytes]:
        """Heads of requests with a body of that size: an object, an object in chunks, a document."""
        length = f"Content-Length: {size}"
        chunked = self.server.head(
            "PUT",
            "/bucket/bad",
            {"x-amz-decoded-content-length": str(size)},
            ("Transfer-Encoding: chunked",),
            "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        )
        coded = b"%x\r\n" % size
        return [
            self.head("PUT", "/bucket/bad", length),
            self.head("PUT", "/bucket/bad", length, EXPECT),
            chunked + b"%x\r\n%b" % (size + len(coded), coded),
            self.head("POST", "/bucket?delete", length, content_md5=md5(b"")),
        ]

    def assert_nothing_left(self) -> None:
        """In the end the service has no blob open, and no request under way."""
        assert self.server.process is not None
        folder = f"/proc/{self.server.process.pid}/fd"
        deadline = time.monotonic() + 60
        while True:
            links = []
            for name in os.listdir(folder):
                try:
                    links.append(os.readlink(f"{folder}/{name}"))
                except FileNotFoundError:
                    continue
            left = [
                each for each in links if "/blobs/" in each and "FORMAT" not in each
            ]
            if not left:
                return
            self.assertLess(time.monotonic(), deadline, left)
            time.sleep(0.01)

    def test_half_closed(self) -> None:
        """Who stops in mid-body and still listens hears IncompleteBody, whatever the size; nothing is stored."""
        for size in (100, 100_000, 3_000_000):
            for head in self.uploads(size):
                with self.talk() as talk:
                    talk.send(head)
                    talk.send(b"x" * (size // 2))
                    talk.end()
                    heard = talk.hear()
                    if heard.status == 100:
                        heard = talk.hear()
                    self.assertEqual(
                        (heard.status, heard.code), (400, "IncompleteBody")
                    )
                    self.assertEqual(talk.rest(), b"")
        self.assert_nothing_left()

    def test_reset(self) -> None:
        """A reset in mid-body leaves nothing."""
        for size in (100, 100_000, 3_000_000):
            for head in self.uploads(size):
                talk = self.talk()
                talk.send(head + b"x" * (size // 2))
                talk.reset()
        self.assert_nothing_left()

    def test_gone_after_the_head(self) -> None:
        """CVE-2019-10222: a client that goes right after a valid head takes nothing down with it, nor one in mid-head."""
        heads = self.uploads(3_000_000)
        heads += [
            self.head(method, target)
            for method in ("GET", "HEAD", "DELETE", "POST", "PUT", "OPTIONS")
            for target in (
                "/",
                "/bucket?list-type=2",
                "/bucket/none",
                "/bucket/none?uploads",
            )
            if not (method == "POST" and target == "/bucket/none?uploads")
        ]
        for head in heads:
            for sent in (head, head[: len(head) // 2], head[:-1]):
                for leave in ("close", "reset", "end"):
                    talk = self.talk()
                    talk.send(sent)
                    getattr(talk.socket if leave == "close" else talk, leave)()
                    if leave == "end":
                        talk.rest()
                        talk.socket.close()
        self.assert_nothing_left()

    def test_half_closed_after_it(self) -> None:
        """Who says all and closes that half hears every answer."""
        with self.talk() as talk:
            talk.send(self.head("GET", "/bucket/kept") * 3)
            talk.end()
            self.assertEqual([talk.hear().body for _ in range(3)], [b"kept"] * 3)
            self.assertEqual(talk.rest(), b"")


class ExpectTests(TalkCase):
    """22: what is refused is refused before the body is asked for."""

    def refusal(self, head: bytes) -> Heard:
        """The one answer to a head, after which the connection ends."""
        heard = self.only(head)
        self.assertEqual(heard.header("connection"), "close", heard)
        return heard

    def put(self, target: str, *lines: str, **headers: str) -> bytes:
        """The head of an upload that waits to be asked for its body."""
        if not any(line.startswith("Content-Length") for line in lines):
            lines += ("Content-Length: 5",)
        return self.head("PUT", target, EXPECT, *lines, **headers)

    def late(self) -> bytes:
        """The head of an upload that was signed an hour ago."""
        url = f"{self.server.url}/bucket/bad"
        now = time.time() - 3600
        headers = sign("PUT", url, {}, ACCESS_KEY, SECRET_KEY, REGION, now)
        lines = [f"{name}: {value}" for name, value in headers.items()]
        lines += [EXPECT, "Content-Length: 5", "", ""]
        return "\r\n".join(["PUT /bucket/bad HTTP/1.1", *lines]).encode()

    def test_refused(self) -> None:
        """Signature, size, preconditions, names, headers: for each its error, no 100 Continue, and the end."""
        good = self.put("/bucket/bad")
        huge = f"Content-Length: {(5 << 30) + 1}"
        unsigned = f"PUT /bucket/bad HTTP/1.1\r\nHost: h\r\n{EXPECT}\r\nContent-Length: 5\r\n\r\n"
        cases = [
            (403, "SignatureDoesNotMatch", good.replace(b"/bucket/bad", b"/bucket/other")),
            (403, "InvalidAccessKeyId", good.replace(b"Credential=testuser", b"Credential=nobody")),
            (403, "AccessDenied", unsigned.encode()),
            (403, "RequestTimeTooSkewed", self.late()),
            (400, "EntityTooLarge", self.put("/bucket/bad", huge)),
            (404, "NoSuchBucket", self.put("/nosuch/bad")),
            (412, "PreconditionFailed", self.put("/bucket/kept", if_none_match="*")),
            (412, "PreconditionFailed", self.put("/bucket/kept", if_match='"0"')),
            (404, "NoSuchKey", self.put("/bucket/bad", if_match='"0"')),
            (400, "KeyTooLongError", self.put("/bucket/" + "k" * 1025)),
            (400, "MetadataTooLarge", self.put("/bucket/bad", x_amz_meta_a="a" * 2048)),
            (400, "InvalidDigest", self.put("/bucket/bad", content_md5="nonsense")),
            (400, "InvalidRequest", self.put("/bucket/bad", x_amz_checksum_crc32="????")),
            (404, "NoSuchUpload", self.put("/bucket/bad?partNumber=1&uploadId=none")),
            (400, "InvalidArgument", self.put("/bucket/bad?partNumber=10001&uploadId=none")),
            (501, "NotImplemented", self.put("/bucket?policy")),
            (501, "NotImplemented", self.put("/bucket/bad", x_amz_server_side_encryption="AES256")),
            (400, "MaxMessageLengthExceeded", self.put("/bucket/kept?tagging", "Content-Length: 90000000", content_md5=md5(b""))),
        ]  # fmt: skip
        for status, code, head in cases:
            heard = self.refusal(head)
            self.assertEqual((heard.status, heard.code), (status, code), head)

    def test_asked_for(self) -> None:
        """What is not refused is asked for, once, and the connection lives on."""
        with self.talk() as talk:
            for body in (b"hello", b"x" * 100_000):
                talk.send(self.put("/bucket/kept", f"Content-Length: {len(body)}"))
                self.assertEqual(talk.hear().status, 100)
                talk.send(body)
                self.assertEqual(talk.hear().status, 200)
            talk.send(self.head("GET", "/bucket/kept"))
            self.assertEqual(talk.hear().body, body)
        self.server.request("PUT", "/bucket/kept", body=b"kept")

    def test_asked_for_and_not_sent(self) -> None:
        """Who is asked for a body and sends none, or a part, hears IncompleteBody; who resets, nothing."""
        for sent in (b"", b"hell"):
            with self.talk() as talk:
                talk.send(self.put("/bucket/bad"))
                self.assertEqual(talk.hear().status, 100)
                talk.send(sent)
                talk.end()
                self.assertEqual(talk.hear().code, "IncompleteBody")
            talk = self.talk()
            talk.send(self.put("/bucket/bad"))
            self.assertEqual(talk.hear().status, 100)
            talk.send(sent)
            talk.reset()

    def test_sent_unasked(self) -> None:
        """A body that comes without having been asked for, behind a head that is refused, is read past and is no request."""
        smuggled = self.head("DELETE", "/bucket/kept")
        head = self.put("/nosuch/bad", f"Content-Length: {len(smuggled)}")
        with self.talk() as talk:
            talk.send(head + smuggled + self.head("GET", "/bucket/kept"))
            self.assertEqual(talk.hear().code, "NoSuchBucket")
            self.assertEqual(talk.hear().body, b"kept")

    def test_unknown_expectation(self) -> None:
        """Another expectation asks for no interim answer."""
        with self.talk() as talk:
            talk.send(self.head("GET", "/bucket/kept", "Expect: a-miracle"))
            self.assertEqual(talk.hear().body, b"kept")


class OversizedTests(TalkCase):
    """23: too much of anything is a clear error, and as much as is allowed is none."""

    def test_heads(self) -> None:
        """Request line, one header, all headers, their number: each has its bound."""
        start = self.head("GET", "/bucket/kept")[:-2]
        for data in (
            b"GET /bucket/%b HTTP/1.1\r\nHost: h\r\n\r\n" % (b"k" * LONGEST_LINE),
            b"GET /bucket/kept?x=" + b"k" * (LONGEST_LINE + 100),
            start + b"X-A: %b\r\n\r\n" % (b"a" * LONGEST_HEAD),
            start + b"X-A: " + b"a" * (2 * LONGEST_HEAD),
            start + b"X-A: %b\r\n" % (b"a" * 1000) * 40 + b"\r\n",
            start + b"A:\r\n" * MOST_HEADERS + b"\r\n",
            start + b"A:\r\n" * 100_000,
        ):
            heard = self.only(data)
            self.assertEqual(heard.status, 400)
            self.assertEqual(heard.code, "RequestHeaderSectionTooLarge", data[:80])

    def test_heads_just_allowed(self) -> None:
        """Much, but not too much, is heard."""
        with self.talk() as talk:
            for lines in (
                ["X-A: " + "a" * 20_000],
                ["A:"] * (MOST_HEADERS - 20),
                [f"X-{n}: {'a' * 200}" for n in range(100)],
            ):
                talk.send(self.head("GET", "/bucket/kept", *lines))
                self.assertEqual(talk.hear().body, b"kept")
            target = "/bucket/kept?x=" + "y" * 8000
            talk.send(self.head("GET", target))
            self.assertEqual(talk.hear().body, b"kept")

    def test_keys(self) -> None:
        """1,024 bytes of UTF-8 are a key, 1,025 are not, in URLs and in documents."""
        for key, status in (
            ("k" * 1024, 200),
            ("k" * 1025, 400),
            ("\u20ac" * 341, 200),
            ("\u20ac" * 342, 400),
            ("\U0001f600" * 256, 200),
            ("\U0001f600" * 257, 400),
        ):
            target = "/bucket/" + quote(key)
            got, _, answer = self.server.request("PUT", target, body=b"x")
            self.assertEqual(got, status, len(key))
            if status == 200:
                self.assertEqual(self.server.request("DELETE", target)[0], 204)
            else:
                self.assertIn(b"<Code>KeyTooLongError</Code>", answer)
        document = f"<Delete><Object><Key>{'k' * 1025}</Key></Object></Delete>".encode()
        status, _, answer = self.server.request(
            "POST", "/bucket?delete", {"content-md5": md5(document)}, document
        )
        self.assertEqual(status, 200)
        self.assertIn(b"<Code>KeyTooLongError</Code>", answer)

    def test_metadata(self) -> None:
        """2 KB of metadata, names and values, are taken; a byte more is not, however it is written."""
        word = base64.b64encode("\u20ac".encode() * 15).decode()
        encoded = " ".join([f"=?UTF-8?B?{word}?="] * 46)
        for headers, status in (
            ({"x-amz-meta-a": "a" * 2047}, 200),
            ({"x-amz-meta-a": "a" * 2048}, 400),
            ({f"x-amz-meta-{n:03}": "a" * 17 for n in range(102)}, 200),
            ({f"x-amz-meta-{n:03}": "a" * 17 for n in range(103)}, 400),
            ({"x-amz-meta-a": encoded}, 400),
        ):
            got, _, answer = self.server.request("PUT", "/bucket/meta", headers, b"x")
            self.assertEqual(got, status, answer[:300])
            if status == 400:
                self.assertIn(b"<Code>MetadataTooLarge</Code>", answer)
        self.server.request("DELETE", "/bucket/meta")

    def test_documents(self) -> None:
        """1,001 keys, 10,001 parts, more bytes than a document has: refused, and nothing is done."""
        begun = self.server.request("POST", "/bucket/bad?uploads")[2]
        upload = begun.partition(b"<UploadId>")[2].partition(b"<")[0].decode()
        part = "<Part><PartNumber>{}</PartNumber><ETag>x</ETag></Part>"
        parts = "".join(part.format(number) for number in range(1, 10_002))
        complete = f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>"
        keys = "<Object><Key>kept</Key></Object>" * 1001
        for target, document in (
            ("/bucket?delete", f"<Delete>{keys}</Delete>"),
            (f"/bucket/bad?uploadId={upload}", complete),
        ):
            data = document.encode()
            status, _, answer = self.server.request(
                "POST", target, {"content-md5": md5(data)}, data
            )
            self.assertEqual(status, 400, answer[:300])
            self.assertIn(b"<Code>MalformedXML</Code>", answer)
        large = b"<Delete>" + b" " * (8 << 20) + b"</Delete>"
        status, _, answer = self.server.request(
            "POST", "/bucket?delete", {"content-md5": md5(large)}, large
        )
        self.assertEqual(status, 400)
        self.assertIn(b"<Code>MaxMessageLengthExceeded</Code>", answer)
        self.server.request("DELETE", f"/bucket/bad?uploadId={upload}")


class LengthTests(TalkCase):
    """24: Content-Length."""

    def test_crafted(self) -> None:
        """CVE-2019-19337: no Content-Length takes the service down, whatever it is, with or without a body behind it."""
        for value in (
            *("-1", "-5", "+5", "0x5", "5 5", "5,5", "5, 5", "5;5", "five", "", " "),
            *("1e3", "5.0", "5_0", "\u0665", "\xb2", "0b1", "0o5", "NaN", "Infinity"),
            *("18446744073709551616", "9" * 20, "9" * 400, "-" + "9" * 400),
        ):
            line = f"Content-Length: {value}".encode()
            head = self.head("PUT", "/bucket/bad", "X-Place: here")
            data = head.replace(b"X-Place: here", line)
            self.assertNotEqual(data, head)
            heard = self.only(data + b"hello")
            self.assertEqual((heard.status, heard.code), (400, "BadRequest"), value)

    def test_absurd(self) -> None:
        """A length that is a number, and more than S3 takes, is EntityTooLarge before a byte of it."""
        for value in ((5 << 30) + 1, (1 << 63) - 1, 10**18):
            heard = self.only(
                self.head("PUT", "/bucket/bad", f"Content-Length: {value}")
            )
            self.assertEqual((heard.status, heard.code), (400, "EntityTooLarge"))

    def test_zeros_in_front(self) -> None:
        """Digits are digits."""
        with self.talk() as talk:
            talk.send(
                self.head("PUT", "/bucket/kept", "Content-Length: 0004") + b"kept"
            )
            self.assertEqual(talk.hear().status, 200)

    def test_missing(self) -> None:
        """A PUT of an object, or of a part, needs a length: 411."""
        begun = self.server.request("POST", "/bucket/bad?uploads")[2]
        upload = begun.partition(b"<UploadId>")[2].partition(b"<")[0].decode()
        part = f"/bucket/bad?partNumber=1&uploadId={upload}"
        for target in ("/bucket/bad", part):
            heard = self.only(self.head("PUT", target, "Connection: close"))
            self.assertEqual((heard.status, heard.code), (411, "MissingContentLength"))
        chunked = self.head(
            "PUT", "/bucket/bad", "Transfer-Encoding: chunked", "Connection: close"
        )
        heard = self.only(chunked + b"5\r\nhello\r\n0\r\n\r\n")
        self.assertEqual((heard.status, heard.code), (411, "MissingContentLength"))
        self.server.request("DELETE", f"/bucket/bad?uploadId={upload}")

    def test_not_needed(self) -> None:
        """Where no body is due, no length is."""
        for method, target, status in (
            ("PUT", "/bucket-without-length", 200),
            ("DELETE", "/bucket-without-length", 204),
            ("GET", "/bucket/kept", 200),
        ):
            with self.talk() as talk:
                talk.send(self.head(method, target))
                self.assertEqual(talk.hear().status, status, method)

    def test_shorter_than_sent(self) -> None:
        """What comes after the announced bytes is the next request, and as such malformed."""
        with self.talk() as talk:
            talk.send(
                self.head("PUT", "/bucket/kept", "Content-Length: 4")
                + b"kept\0and more"
            )
            self.assertEqual(talk.hear().status, 200)
            heard = talk.hear()
            self.assertEqual((heard.status, heard.code), (400, "BadRequest"))
            self.assertEqual(talk.rest(), b"")

    def test_of_requests_without_body(self) -> None:
        """A body where none is due is read past, and is no request."""
        smuggled = self.head("DELETE", "/bucket/kept")
        with self.talk() as talk:
            for method, target in (
                ("GET", "/bucket/kept"),
                ("HEAD", "/bucket/kept"),
                ("DELETE", "/bucket/none"),
            ):
                talk.send(
                    self.head(method, target, f"Content-Length: {len(smuggled)}")
                    + smuggled
                )
                self.assertIn(talk.hear(method).status, (200, 204))
            talk.send(self.head("GET", "/bucket/kept"))
            self.assertEqual(talk.hear().body, b"kept")


class CodedTests(TalkCase):
    """26: aws-chunked, beside what ``test_bad_input.ChunkedTests`` has."""

    def put(self, body: bytes, *lines: str, decoded: int = 10, **headers: str) -> bytes:
        """An upload of an encoded body, unsigned."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        lines = lines or (f"Content-Length: {len(body)}",)
        return (
            self.server.head(
                "PUT",
                "/bucket/bad",
                {"x-amz-decoded-content-length": str(decoded), **named},
                (*lines, "Connection: close"),
                "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
            )
            + body
        )

    def test_framing(self) -> None:
        """Extensions, bare line feeds, white space, sizes that are none: each is refused."""
        for body in (
            b"a;junk=1\r\n0123456789\r\n0\r\n\r\n",
            b"a;\r\n0123456789\r\n0\r\n\r\n",
            b"a\n0123456789\n0\n\n",
            b"a\r\n0123456789\n0\r\n\r\n",
            b" a\r\n0123456789\r\n0\r\n\r\n",
            b"a \r\n0123456789\r\n0\r\n\r\n",
            b"a\t\r\n0123456789\r\n0\r\n\r\n",
            b"0xa\r\n0123456789\r\n0\r\n\r\n",
            b"-a\r\n0123456789\r\n0\r\n\r\n",
            b"\r\n0123456789\r\n0\r\n\r\n",
            b"a\0\r\n0123456789\r\n0\r\n\r\n",
            b"1000000000000000a\r\n0123456789\r\n0\r\n\r\n",
            b"ffffffffffffffff\r\n0123456789\r\n0\r\n\r\n",
            b"5\r\n01234\r\n-5\r\n56789\r\n0\r\n\r\n",
            b"b\r\n0123456789a\r\n0\r\n\r\n",
            b"9\r\n012345678\r\n0\r\n\r\n",
            b"a\r\n0123456789\r\n0\r\n\r\n0\r\n\r\n",
            b"a\r\n0123456789\r\n00000\r\n",
            b"a\r\n0123456789\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n",
            b"0123456789",
            b"",
        ):
            heard = self.only(self.put(body))
            self.assertEqual(heard.status, 400, (body, heard))
            self.assertTrue(heard.code, body)

    def test_inside_the_other_coding(self) -> None:
        """Inside the chunked transfer coding, a cut in one or the other is found, and the whole is taken."""
        coded = unsigned_body([b"0123456789"])
        lines = "Transfer-Encoding: chunked"

        def chunked(data: bytes) -> bytes:
            return b"%x\r\n%b\r\n0\r\n\r\n" % (len(data), data)

        for body in (
            chunked(coded[:-3]),
            chunked(coded + coded),
            chunked(coded)[:-9] + b"zz\r\n\r\n",
            b"%x\r\n%bXX0\r\n\r\n" % (len(coded), coded),
        ):
            self.assertEqual(self.only(self.put(body, lines)).status, 400, body)
        self.assertEqual(self.only(self.put(chunked(coded), lines)).status, 200)
        self.assertEqual(self.server.request("GET", "/bucket/bad")[2], b"0123456789")
        self.server.request("DELETE", "/bucket/bad")

    def test_trailers(self) -> None:
        """A trailer that names what the head must have, or that the head did not announce, is refused."""
        for name in (
            "authorization",
            "host",
            "content-length",
            "x-amz-date",
            "x-amz-acl",
            "x-amz-meta-a",
            "transfer-encoding",
        ):
            body = unsigned_body([b"0123456789"], f"{name}:1\r\n")
            for headers in ({}, {"x_amz_trailer": name}):
                heard = self.only(self.put(body, **headers))
                self.assertEqual(heard.status, 400, (name, heard))
