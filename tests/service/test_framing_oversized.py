"""Heads, keys, metadata and documents that are too large, or just not, over raw sockets against the real service."""

from __future__ import annotations

import base64
from urllib.parse import quote

from tests.service.talking import TalkCase, md5

LONGEST_LINE, LONGEST_HEAD, MOST_HEADERS = 16 << 10, 32 << 10, 500


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
