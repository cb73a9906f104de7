"""Requests inside requests, and answers out of order: what a proxy in front, or who writes it, could read differently.

Each smuggled request is a real one, signed by who may: that it was not done is seen by the object that it would have deleted. Each
advisory about Twisted's HTTP has a test here that names it; Twisted's own cure is not relied on.
"""

from __future__ import annotations

import os

from tests.service.talking import TalkCase
from tests.wire.handshakes import HandshakeTestCase, client

CHUNKED = "Transfer-Encoding: chunked"


class SmugglingCase(TalkCase):
    """Requests of which one half is another's."""

    def smuggled(self) -> bytes:
        """What must not be done: it would be, if it were read as a request."""
        return self.head("DELETE", "/bucket/kept")

    def refused(self, head: bytes, body: bytes, status: int = 400) -> None:
        """One answer, a refusal, and the end; what stands behind is done by nobody."""
        heard = self.only(head + body + self.smuggled())
        self.assertEqual(heard.status, status, head)
        self.assertEqual(heard.header("connection"), "close")
        self.assertEqual(self.server.request("HEAD", "/bucket/kept")[0], 200, head)

    def put(self, *lines: str) -> bytes:
        """The head of an upload with header lines just as given, a backslash standing for what cannot be written so."""
        marks = tuple(f"X-Line-{number}: here" for number in range(len(lines)))
        head = self.head("PUT", "/bucket/bad", *marks)
        for mark, line in zip(marks, lines, strict=True):
            head = head.replace(mark.encode(), line.encode("latin-1"))
        return head


class TwoLengthsTests(SmugglingCase):
    """Content-Length twice, and beside Transfer-Encoding."""

    def test_two_content_lengths(self) -> None:
        """CVE-2020-10108: of two Content-Length headers none is believed, in whatever order and form."""
        for lines in (
            ("Content-Length: 5", "Content-Length: 0"),
            ("Content-Length: 0", "Content-Length: 5"),
            ("Content-Length: 5", "Content-Length: 5"),
            ("Content-Length: 5", "content-length: 5"),
            ("Content-Length: 5, 5",),
            ("Content-Length: 5", "X-A: b", "CONTENT-LENGTH: 55"),
        ):
            self.refused(self.put(*lines), b"hello")

    def test_length_and_coding(self) -> None:
        """CVE-2020-10109: Content-Length beside Transfer-Encoding is refused, whichever comes first."""
        for lines in (
            ("Content-Length: 5", CHUNKED),
            (CHUNKED, "Content-Length: 5"),
            ("Content-Length: 0", CHUNKED),
            (CHUNKED, "Content-Length: 0"),
            ("Content-Length: 5", "Transfer-Encoding: identity"),
            ("Content-Length: 5", "Transfer-Encoding:"),
        ):
            self.refused(self.put(*lines), b"0\r\n\r\n")

    def test_codings(self) -> None:
        """Transfer-Encoding in any form that one may take for chunked and another not is refused."""
        for value in (
            *("xchunked", "chunkedx", "chunked, chunked", "chunked,", ",chunked"),
            *("identity, chunked", "gzip, chunked", "chunked, identity", "identity"),
            *(
                '"chunked"',
                "chunked;q=1",
                "chunk ed",
                "cow",
                "chunked\x0b",
                "\x0bchunked",
            ),
            *(
                "\x0cchunked",
                "chunked\x00",
                "\xa0chunked",
                "chunked\x85",
                "\x1cchunked",
            ),
        ):
            self.refused(self.put(f"Transfer-Encoding: {value}"), b"0\r\n\r\n")
        for line in (
            "Transfer-Encoding : chunked",
            "Transfer-Encoding\t: chunked",
            " Transfer-Encoding: chunked",
            "X-A: b\r\n Transfer-Encoding: chunked",
            "X-A: b\r\n\tTransfer-Encoding: chunked",
            "Transfer-Encoding:\r\n chunked",
            "X-A: b\nTransfer-Encoding: chunked",
            "X-A: b\rTransfer-Encoding: chunked",
            "\x00Transfer-Encoding: chunked",
            "Transfer-Encoding\x00: chunked",
            "Transfer-Encoding",
        ):
            self.refused(self.put(line), b"0\r\n\r\n")
        self.refused(self.put(CHUNKED, CHUNKED), b"0\r\n\r\n")

    def test_case_and_white_space(self) -> None:
        """Space and tab around a value, and case, mean nothing: such a body is read as chunked, and what follows as the next."""
        for line in (
            "Transfer-Encoding: Chunked",
            "TRANSFER-ENCODING:chunked",
            "Transfer-Encoding:\t chunked \t",
        ):
            with self.talk() as talk:
                talk.send(self.put(line) + b"5\r\nhello\r\n0\r\n\r\n")
                self.assertEqual(talk.hear().code, "MissingContentLength")
                talk.send(self.head("GET", "/bucket/kept"))
                self.assertEqual(talk.hear().body, b"kept")

    def test_coding_in_http_1_0(self) -> None:
        """HTTP/1.0 has no Transfer-Encoding."""
        head = self.put(CHUNKED).replace(b" HTTP/1.1\r\n", b" HTTP/1.0\r\n", 1)
        self.refused(head, b"0\r\n\r\n")


class LenientTests(SmugglingCase):
    """Numbers and lines that are almost right."""

    def test_lengths(self) -> None:
        """CVE-2022-24801: signs, prefixes and strange white space make no Content-Length."""
        for value in (
            "+5",
            "-5",
            "0x5",
            "5 ;",
            "\x0b5",
            "5\x0c",
            "\x1c5",
            "5\x85",
            "\xa05",
        ):
            self.refused(self.put(f"Content-Length: {value}"), b"hello")

    def test_chunk_sizes(self) -> None:
        """CVE-2022-24801: a chunk's size is hexadecimal digits and nothing else, and its extensions have no line ends.

        The object's own refusal, for want of a length, may come first; but the connection ends in any case, since nobody
        knows where the body does.
        """
        for body in (
            b"+5\r\nhello\r\n0\r\n\r\n",
            b"-5\r\nhello\r\n0\r\n\r\n",
            b"0x5\r\nhello\r\n0\r\n\r\n",
            b" 5\r\nhello\r\n0\r\n\r\n",
            b"5 \r\nhello\r\n0\r\n\r\n",
            b"5\t;a=b\r\nhello\r\n0\r\n\r\n",
            b"5_0\r\nhello\r\n0\r\n\r\n",
            b"5;a\nb=c\r\nhello\r\n0\r\n\r\n",
            b"5;a\rb=c\r\nhello\r\n0\r\n\r\n",
            b"5;\x00\r\nhello\r\n0\r\n\r\n",
            b"5\r\nhelloXX0\r\n\r\n",
            b"5\r\nhello\n0\n\n" + b"x" * 2000,
            b"5\r\nhello\r\n\r\n0\r\n\r\n",
            b"\r\n5\r\nhello\r\n0\r\n\r\n",
            b"g\r\nhello\r\n0\r\n\r\n",
            b"5" * 2000 + b"\r\nhello",
            b"5;" + b"a" * 5000 + b"\r\nhello\r\n0\r\n\r\n",
            b"0\r\nX: " + b"y" * 70_000 + b"\r\n\r\n",
        ):
            with self.talk() as talk:
                talk.send(self.put(CHUNKED) + body + self.smuggled())
                self.assertIn(talk.hear().status, (400, 411), body)
                self.assertEqual(talk.rest(), b"", body)
            self.assertEqual(self.server.request("HEAD", "/bucket/kept")[0], 200)

    def test_extensions_and_trailers(self) -> None:
        """Chunk extensions and trailers that are in order are read past, and are no headers."""
        body = b"5;a=b;c\r\nhello\r\n0;d\r\nContent-Length: 50\r\nX-A: b\r\n\r\n"
        with self.talk() as talk:
            talk.send(self.put(CHUNKED) + body + self.head("GET", "/bucket/kept"))
            self.assertEqual(talk.hear().code, "MissingContentLength")
            self.assertEqual(talk.hear().body, b"kept")

    def test_heads(self) -> None:
        """Folded lines, bare line feeds, NUL, a space before the colon: a bad request, and the end."""
        start = self.head("GET", "/bucket/kept")[:-2]
        for data in (
            *(start + line for line in (b"X-A: b\r\n c\r\n\r\n", b"X-A: b\r\n\tc\r\n\r\n")),
            *(start + line for line in (b"X-A : b\r\n\r\n", b"X-A\x0b: b\r\n\r\n")),
            *(start + line for line in (b"X-A: b\nX-B: c\r\n\r\n", b"X-A: b\rX: c\r\n\r\n")),
            *(start + line for line in (b"X-A: b\0c\r\n\r\n", b"\0: b\r\n\r\n", b"X-A\r\n\r\n")),
            *(start + line for line in (b": b\r\n\r\n", b"X-\xc3\xa9: b\r\n\r\n", b"\n\r\n")),
            start.replace(b"\r\n", b"\n") + b"\n",
            start.replace(b" HTTP/1.1", b"  HTTP/1.1"),
            start.replace(b" HTTP/1.1", b" HTTP/1.1 "),
            start.replace(b" HTTP/1.1", b"\tHTTP/1.1"),
            start.replace(b"GET ", b" GET "),
            start.replace(b"GET ", b"GET\t"),
            start.replace(b"HTTP/1.1", b"HTTP/1.10"),
            start.replace(b"HTTP/1.1", b"http/1.1"),
            start.replace(b"HTTP/1.1", b"HTTP/0.9"),
            b"GET /bucket/kept\r\n\r\n",
        ):  # fmt: skip
            self.refused(data if data.endswith(b"\r\n\r\n") else data + b"\r\n", b"")

    def test_hosts(self) -> None:
        """CVE-2022-39348: a Host that is markup is no host, and nobody's markup comes back as such."""
        for host in (
            "<script>alert(1)</script>",
            'a"><b>',
            "h/<i>",
            "h?<i>",
            "h#<i>",
            "h\x0b",
        ):
            heard = self.only(f"GET /nosuch HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            self.assertEqual(heard.status, 400, host)
            self.assertEqual(heard.header("content-type"), "application/xml")
            self.assertNotIn(host.encode(), heard.body)
        target = "/bucket/%3Cscript%3E"
        status, headers, body = self.server.request("GET", target)
        self.assertEqual((status, headers["content-type"]), (404, "application/xml"))
        self.assertNotIn(b"<script>", body)


class OrderTests(SmugglingCase):
    """Many requests on one connection."""

    def test_slow_first(self) -> None:
        """CVE-2023-46137, CVE-2024-41671: what is asked behind a slow request is answered behind it, and not begun before.

        The second overwrites what the first is still storing: were it begun before the first ends, the first would win.
        """
        large = os.urandom(4_000_000)
        with self.talk() as talk:
            requests = b"".join((
                self.head("PUT", "/bucket/slow", f"Content-Length: {len(large)}") + large,
                self.head("PUT", "/bucket/slow", "Content-Length: 5") + b"quick",
                self.head("GET", "/bucket/slow"),
                self.head("DELETE", "/bucket/slow"),
                self.head("GET", "/bucket/slow"),
            ))  # fmt: skip
            talk.send(requests)
            heard = [talk.hear() for _ in range(5)]
        self.assertEqual([each.status for each in heard], [200, 200, 200, 204, 404])
        self.assertNotEqual(heard[0].header("etag"), heard[1].header("etag"))
        self.assertEqual(heard[2].body, b"quick")

    def test_in_one_packet(self) -> None:
        """CVE-2024-41671: many small requests in one packet, by one who reads late, are answered one by one in order."""
        keys = [f"none-{number}" for number in range(100)]
        with self.talk() as talk:
            talk.send(b"".join(self.head("GET", f"/bucket/{key}") for key in keys))
            for key in keys:
                self.assertIn(f"<Key>{key}</Key>".encode(), talk.hear().body)

    def test_errors_in_the_middle(self) -> None:
        """Errors of every kind keep their place, and what is refused takes its body with it."""
        body = b"x" * 300_000
        length = f"Content-Length: {len(body)}"
        wrong = self.head("PUT", "/bucket/other", length).replace(b"/other", b"/wrong")
        with self.talk() as talk:
            talk.send(self.head("PUT", "/nosuch/key", length) + body)
            talk.send(self.head("GET", "/bucket/kept"))
            talk.send(wrong + body)
            talk.send(self.head("GET", "/bucket/none"))
            talk.send(
                self.head(
                    "PUT", "/bucket/bad", length, content_md5="1B2M2Y8AsgTpgAmY7PhCfg=="
                )
                + body
            )
            talk.send(self.head("GET", "/bucket/kept", range="bytes=9-"))
            talk.send(self.head("HEAD", "/bucket/kept"))
            talk.send(self.head("PUT", "/bucket?replication", length) + body)
            talk.send(self.head("GET", "/bucket/kept"))
            found = [talk.hear("HEAD" if place == 6 else "GET") for place in range(9)]
        self.assertEqual(
            [each.code or each.status for each in found],
            ["NoSuchBucket", 200, "SignatureDoesNotMatch", "NoSuchKey", "BadDigest", "InvalidRange", 200, "NotImplemented", 200],
        )  # fmt: skip
        self.assertEqual(found[-1].body, b"kept")

    def test_malformed_in_the_middle(self) -> None:
        """A head that is none ends the connection: those before it are answered, those behind it are not done."""
        with self.talk() as talk:
            talk.send(self.head("GET", "/bucket/kept") * 3)
            talk.send(b"GET /bucket/kept HTTP/1.1\r\nHost: h\r\nX : y\r\n\r\n")
            talk.send(self.smuggled())
            self.assertEqual([talk.hear().body for _ in range(3)], [b"kept"] * 3)
            self.assertEqual(talk.hear().status, 400)
            self.assertEqual(talk.rest(), b"")

    def test_after_close(self) -> None:
        """Behind a request that asks to close nothing is done."""
        with self.talk() as talk:
            talk.send(
                self.head("GET", "/bucket/kept", "Connection: close") + self.smuggled()
            )
            self.assertEqual(talk.hear().header("connection"), "close")
            self.assertEqual(talk.rest(), b"")

    def test_empty_lines(self) -> None:
        """An empty line before a request is forgiven, as RFC 9112 has it."""
        with self.talk() as talk:
            for _ in range(3):
                talk.send(b"\r\n" + self.head("GET", "/bucket/kept"))
                self.assertEqual(talk.hear().body, b"kept")


class OtherProtocolTests(SmugglingCase):
    """27: HTTP/1.1 is spoken, and nothing else is agreed on."""

    def test_upgrades(self) -> None:
        """GHSA-32gv-6cf3-wcmq: no request for HTTP/2, WebSocket or TLS changes the protocol; HTTP/1.1 goes on."""
        with self.talk() as talk:
            for lines in (
                ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA"),
                ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="),
                ("Connection: Upgrade", "Upgrade: TLS/1.2, HTTP/1.1"),
            ):  # fmt: skip
                talk.send(self.head("GET", "/bucket/kept", *lines))
                heard = talk.hear()
                self.assertEqual((heard.status, heard.body), (200, b"kept"))
                self.assertEqual(heard.header("upgrade"), "")

    def test_prior_knowledge(self) -> None:
        """GHSA-32gv-6cf3-wcmq: who begins with HTTP/2's preface, and floods, is refused at its first line."""
        preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
        settings = b"\0\0\0\4\0\0\0\0\0"
        ping = b"\0\0\x08\6\0\0\0\0\0" + bytes(8)
        reset = b"\0\0\4\3\0\0\0\0\1" + bytes(4)
        for flood in (settings, ping, reset):
            heard = self.only(preface + settings + flood * 1000)
            self.assertEqual((heard.status, heard.code), (400, "BadRequest"))

    def test_tunnels(self) -> None:
        """CONNECT, and targets that are no place here, are bad requests; methods that S3 has not are refused."""
        for line in (
            "CONNECT 127.0.0.1:22",
            "CONNECT /bucket/kept",
            "OPTIONS *",
            "GET 127.0.0.1:22",
            "GET //",
        ):
            with self.talk() as talk:
                talk.send(
                    f"{line} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n".encode()
                )
                heard = talk.hear()
                self.assertIn(heard.status, (400, 403, 405), line)
                self.assertEqual(talk.rest(), b"")
        for method in ("TRACE", "PATCH", "PROPFIND", "get"):
            heard = self.only(self.head(method, "/bucket/kept", "Connection: close"))
            self.assertEqual(
                (heard.status, heard.code), (405, "MethodNotAllowed"), method
            )
            self.assertNotIn(b"authorization", heard.body.lower())


class NegotiationTests(HandshakeTestCase):
    """27, over TLS."""

    async def test_protocols(self) -> None:
        """GHSA-32gv-6cf3-wcmq: by ALPN only http/1.1 is agreed on, though the client would rather have h2."""
        self.begin(self.pair("h"))
        for offered in (["h2", "http/1.1"], ["http/1.1", "h2"], ["http/1.1"]):
            context = client(self.authority.pem)
            context.set_alpn_protocols(offered)
            self.assertEqual((await self.visited_with(context)).protocol, "http/1.1")
        context = client(self.authority.pem)
        context.set_alpn_protocols(["h2"])
        await self.refused(context)
