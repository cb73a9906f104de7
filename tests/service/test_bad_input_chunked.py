"""Bodies in aws-chunked that are broken, against a real server: a clear S3 error, and nothing changed."""

from __future__ import annotations

import base64
import struct
import zlib

from tests.chunked import ChunkSigner, unsigned_body
from tests.service.badinput import BODY, BadInputCase

UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
SIGNED = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
SIGNED_TRAILER = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"


def crc32(data: bytes) -> str:
    """The base64 of a CRC32, as S3 writes it."""
    return base64.b64encode(struct.pack(">I", zlib.crc32(data))).decode()


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
