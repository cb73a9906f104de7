"""Where requests begin and end, over raw sockets against the real service, with what AWS answers.

Which case of the list of what must not break (section C) is tested where:

====  =============================================  =========================================================
 no.  case                                           tests
====  =============================================  =========================================================
 20   heads, bodies at a byte a second               ``test_slow_clients``, ``test_bad_input_clients.SlowTests``, ``wire.test_progress``
 20   answers read at a byte a second                the same; over TLS ``test_slow_clients``
 20   idle, silent, handshakes that never end        ``test_slow_clients``, ``wire.test_progress``, ``wire.test_tls``
 20   connections in all, of one address, memory     ``test_crowd``, ``wire.test_limits``, ``wire.test_idle``, ``benchmarks/slow_clients.py``, ``benchmarks/pools.py``
 21   half-closed, reset, closed after the head      ``test_framing_gone``, ``wire.test_gone``, ``test_bad_input_clients.VanishingTests``
 22   refused before the body; none after 100        ``ExpectTests``, ``wire.test_body``, ``wire.test_early_end``
 23   oversized heads, keys, metadata, documents     ``test_framing_oversized``, ``test_bad_input``, ``test_bad_input_framing``, ``wire.test_malformed``
 24   Content-Length                                 ``LengthTests``, ``test_bad_input_framing``, ``wire.test_malformed``
 25   two readings of one request                    ``test_smuggling``, ``wire.test_malformed``
 25   answers out of order                           ``test_smuggling``, ``wire.test_body``
 26   aws-chunked                                    ``CodedTests``, ``test_bad_input_chunked``, ``unit.wire.test_awschunked``
 27   HTTP/2                                         ``test_smuggling.OtherProtocolTests``, ``wire.test_tls``
 28   answers that are split                         ``test_splitting``, ``test_bad_input``, ``wire.test_send``
 29   metadata and keys beyond ASCII                 ``test_splitting``, ``unit.s3.test_headers``, ``unit.wire.test_target``
====  =============================================  =========================================================
"""

from __future__ import annotations

import time

from ozgate.auth.sigv4 import sign
from tests.chunked import unsigned_body
from tests.running import ACCESS_KEY, REGION, SECRET_KEY
from tests.service.talking import EXPECT, Heard, TalkCase, md5


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
            (400, "InvalidRequest", self.put("/bucket?policy")),
            (501, "NotImplemented", self.put("/bucket?replication")),
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
    """26: aws-chunked, beside what ``test_bad_input_chunked.ChunkedTests`` has."""

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
