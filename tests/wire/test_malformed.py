"""HTTP that is not: each kind is answered 400 with a document, and the connection ends."""

from __future__ import annotations

from ozgate.wire.request import GatewayRequest
from tests.wire.support import WireTestCase

HOST = b"Host: h\r\n"


class MalformedTests(WireTestCase):
    """What two parsers could read differently never reaches an operation."""

    async def refused(self, data: bytes, code: bytes = b"BadRequest") -> None:
        """The bytes get one answer, the error, and nothing was dispatched."""
        answer = await self.exchange(data)
        self.assertTrue(
            answer.startswith(b"HTTP/1.1 400 Bad Request\r\n"), (data, answer)
        )
        self.assertEqual(answer.count(b"HTTP/1.1 "), 1, data)
        self.assertIn(b"<Code>" + code + b"</Code>", answer)
        self.assertIn(b"\r\nConnection: close\r\n", answer)
        self.assertEqual(self.root.seen, [], data)

    async def test_content_length(self) -> None:
        """A Content-Length is digits, once."""
        self.serve()
        values = (
            b"-1|+5|0x5|5 5|5,5|5, 5|five||1e3|5_0|\xb2|99999999999999999999".split(
                b"|"
            )
        )
        for value in values:
            head = b"PUT /b/k HTTP/1.1\r\n" + HOST + b"Content-Length: " + value
            await self.refused(head + b"\r\n\r\nhello")

    async def test_two_lengths(self) -> None:
        """Two framing headers are refused, also where they agree, in either order."""
        self.serve()
        length, other = b"Content-Length: 5\r\n", b"content-length: 6\r\n"
        chunked = b"Transfer-Encoding: chunked\r\n"
        for pair in (
            length + length,
            length + other,
            length + chunked,
            chunked + length,
            chunked + chunked,
        ):
            await self.refused(
                b"PUT /b/k HTTP/1.1\r\n" + HOST + pair + b"\r\n0\r\n\r\n"
            )

    async def test_transfer_codings(self) -> None:
        """Only ``chunked`` is known, and only in HTTP/1.1."""
        self.serve()
        for coding in (
            b"gzip",
            b"identity",
            b"gzip, chunked",
            b"chunked, gzip",
            b"xchunked",
            b"\x0bchunked",
            b"chunked;q=1",
            b"",
        ):
            head = b"PUT /b/k HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: " + coding
            await self.refused(head + b"\r\n\r\n0\r\n\r\n")
        await self.refused(
            b"PUT /b/k HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        )

    async def test_header_lines(self) -> None:
        """obs-fold, bare LF and CR, NUL, white space before the colon, nameless headers, controls."""
        self.serve()
        for line in (
            b"X-A: 1\r\n folded",
            b"X-A: 1\r\n\tfolded",
            b" X-A: 1",
            b"X-A: 1\nX-B: 2",
            b"X-A: 1\rX-B: 2",
            b"X-A: a\0b",
            b"X-A: a\x01b",
            b"X-A: a\x7fb",
            b"X-A : 1",
            b"X-A\t: 1",
            b"X A: 1",
            b": 1",
            b"X-A",
            b"X(A): 1",
            b"X-\xc3\xa9: 1",
        ):
            await self.refused(b"GET / HTTP/1.1\r\n" + HOST + line + b"\r\n\r\n")

    async def test_request_lines(self) -> None:
        """Three parts, one space between, a known version, a target of visible ASCII."""
        self.serve()
        for line in (
            b"GET /",
            b"GET  / HTTP/1.1",
            b"GET / HTTP/1.1 ",
            b" GET / HTTP/1.1",
            b"GET / a HTTP/1.1",
            b"GET\t/ HTTP/1.1",
            b"G@T / HTTP/1.1",
            b"GET / HTTP/1.2",
            b"GET / HTTP/2.0",
            b"GET / http/1.1",
            b"GET / HTTP/1.1x",
            b"GET /\xc3\xa9 HTTP/1.1",
            b"GET /a\0b HTTP/1.1",
            b"GET b/k HTTP/1.1",
            b"OPTIONS * HTTP/1.1",
            b"CONNECT h:80 HTTP/1.1",
            b"GET ftp://h/ HTTP/1.1",
            b"GET http://u:p@h/ HTTP/1.1",
            b"GET http:///b HTTP/1.1",
            b"PRI * HTTP/2.0",
            b"M" * 33 + b" / HTTP/1.1",
        ):
            await self.refused(line + b"\r\n" + HOST + b"\r\n")

    async def test_bare_lf_at_once(self) -> None:
        """Lines that end in bare LF are refused as they come, not at the header deadline."""
        self.serve()
        await self.refused(b"GET / HTTP/1.1\nHost: h\n\n")

    async def test_tls_handshake(self) -> None:
        """A client that speaks TLS to the plain port is told so at once."""
        self.serve()
        await self.refused(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")

    async def test_hosts(self) -> None:
        """HTTP/1.1 has one Host, and it is a host."""
        self.serve()
        await self.refused(b"GET / HTTP/1.1\r\n\r\n")
        await self.refused(b"GET / HTTP/1.1\r\n" + HOST + HOST + b"\r\n")
        await self.refused(b"GET / HTTP/1.0\r\n" + HOST + HOST + b"\r\n")
        for host in (
            b"",
            b"a..b",
            b".a",
            b"a" * 64,
            b"a:99999",
            b"a:b",
            b"a:80:80",
            b"u@h",
            b"a/b",
            b"a b",
            b"a,b",
            b"\xc3\xa9",
            b"[::1",
            b"[::zz]",
            b"[1.2.3.4]",
            b"::1",
            b"a%62",
        ):
            await self.refused(b"GET / HTTP/1.1\r\nHost: " + host + b"\r\n\r\n")

    async def test_limits(self) -> None:
        """Too long a line, too large a head, too many headers have an error of their own."""
        self.serve()
        large = b"RequestHeaderSectionTooLarge"
        start = b"GET / HTTP/1.1\r\n" + HOST
        await self.refused(
            b"GET /" + b"a" * 16384 + b" HTTP/1.1\r\n" + HOST + b"\r\n", large
        )
        await self.refused(b"GET /" + b"a" * 20000, large)
        await self.refused(start + b"X-A: " + b"a" * 33000 + b"\r\n\r\n", large)
        await self.refused(start + b"X-A: " + b"a" * 33000, large)
        await self.refused(start + b"X-A: 1\r\n" * 500 + b"\r\n", large)
        await self.refused(start + b"X-A: 1\r\n" * 100_000, large)

    async def test_log(self) -> None:
        """A refused request is shown to the site's log with its first line and status."""
        refused = []
        self.serve(log_refused=refused.append)
        await self.refused(b"GET /a\0b HTTP/1.1\r\n" + HOST + b"\r\n")
        [request] = refused
        self.assertEqual(request.raw_target, b"GET /a\0b HTTP/1.1")
        self.assertEqual((request.method, request.code), (b"-", 400))
        self.assertEqual(request.client_ip, "127.0.0.1")


class ChunkedTests(WireTestCase):
    """The chunked transfer coding."""

    head = b"PUT /b/k HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n"

    async def test_delivered(self) -> None:
        """A chunked body arrives whole, extensions and trailers dropped, and the connection lives on."""
        self.serve()
        peer = await self.connect()
        peer.send(self.head + b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: 1\r\n\r\n")
        await peer.until(b"abcde$")
        peer.send(b"GET /next HTTP/1.1\r\n" + HOST + b"\r\n")
        await peer.until(b"/next$")

    async def test_broken_framing(self) -> None:
        """Broken chunks are a bad request, told by the operation that takes the body, and the end."""
        self.serve()
        for body in (
            b"x\r\nabc\r\n0\r\n\r\n",
            b"-3\r\nabc\r\n0\r\n\r\n",
            b"+3\r\nabc\r\n0\r\n\r\n",
            b"0x3\r\nabc\r\n0\r\n\r\n",
            b" 3\r\nabc\r\n0\r\n\r\n",
            b"3 \r\nabc\r\n0\r\n\r\n",
            b"3_0\r\nabc\r\n0\r\n\r\n",
            b"\r\nabc\r\n0\r\n\r\n",
            b"3\nabc\n0\n\n" + b" " * 2000,
            b"3\r\nabcd\r\n0\r\n\r\n",
            b"3;\x01\r\nabc\r\n0\r\n\r\n",
            b"3" * 2000,
            b"0\r\nT: " + b"a" * 70000,
        ):
            answer = await self.exchange(
                self.head + body + b"GET /smuggled HTTP/1.1\r\n"
            )
            self.assertTrue(answer.startswith(b"HTTP/1.1 400 "), (body, answer))
            self.assertIn(b"<Code>BadRequest</Code>", answer)
            self.assertEqual(answer.count(b"HTTP/1.1 "), 1, body)

    async def test_truncated(self) -> None:
        """A chunked body without its last chunk is incomplete."""
        self.serve()
        peer = await self.connect()
        peer.send(self.head + b"3\r\nabc\r\n")
        peer.transport.loseWriteConnection()
        self.assertIn(b"<Code>IncompleteBody</Code>", await peer.ended)


class LegalTests(WireTestCase):
    """What is unusual and yet legal."""

    async def answered(self, data: bytes, expected: bytes) -> None:
        """The bytes are a request."""
        peer = await self.connect()
        peer.send(data)
        self.assertIn(b" 200 OK\r\n", await peer.until(expected + b"$"))

    async def test_heads(self) -> None:
        """Strange targets, hosts, methods and spacing pass through as sent."""
        self.serve()
        for data, target in (
            (b"GET / HTTP/1.0\r\n\r\n", b"/"),
            (b"\r\nGET /a HTTP/1.1\r\nHost: h\r\n\r\n", b"/a"),
            (
                b"GET //b//../k%2F+?a&b=;c&= HTTP/1.1\r\nHost:h:9878\r\n\r\n",
                rb"//b//../k%2F\+\?a&b=;c&=",
            ),
            (b"GET http://h/b/k HTTP/1.1\r\nHost: h\r\n\r\n", b"http://h/b/k"),
            (b"GET /%FF HTTP/1.1\r\nHost: [::1]:9878\r\n\r\n", b"/%FF"),
            (b"WEIRD /w HTTP/1.1\r\nhost:\t127.0.0.1 \r\n\r\n", b"/w"),
            (
                b"GET /x HTTP/1.1\r\nHost: a_b.c.\r\nX-Meta: \xc3\xa9\xff\r\nX-E:\r\n\r\n",
                b"/x",
            ),
        ):
            await self.answered(data, target)

    async def test_empty_lines(self) -> None:
        """Empty lines before a request are skipped, and the same whether they come with it or before it."""
        self.serve()
        request = b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n"
        await self.answered(b"\r\n\r\n\r\n" + request, b"/a")
        peer = await self.connect()
        peer.transport.setTcpNoDelay(True)
        for byte in b"\r\n\r\n\r\n":
            peer.send(bytes([byte]))
        peer.send(request)
        await peer.until(b"\r\n\r\n/a$")

    async def test_headers(self) -> None:
        """header_pairs has every line, lower-case names, in order; raw_host the Host."""
        pairs: list[object] = []

        async def operation(request: GatewayRequest) -> None:
            pairs.extend([*request.header_pairs(), request.raw_host])
            request.answer_document(200, [], b"")

        self.serve(operation)
        await self.exchange(
            b"GET / HTTP/1.1\r\nHost: h:1\r\nX-A:  1 \r\nx-a: 2\r\nConnection: close\r\n\r\n"
        )
        expected = [
            (b"host", b"h:1"),
            (b"x-a", b"1"),
            (b"x-a", b"2"),
            (b"connection", b"close"),
        ]
        self.assertEqual(pairs, [*expected, b"h:1"])

    async def test_byte_by_byte(self) -> None:
        """A request that comes byte by byte is the same request."""
        self.serve()
        peer = await self.connect()
        peer.transport.setTcpNoDelay(True)
        for byte in b"PUT /b/k HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc":
            peer.send(bytes([byte]))
        await peer.until(b"\r\n\r\nabc$")
