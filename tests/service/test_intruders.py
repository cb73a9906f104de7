"""Requests that do not belong, against a real service: none gets in.

What is changed on the way, taken for something else, or sent by who may not. The admin listener, and pages in somebody's browser, are in
``tests.service.test_intruders_admin``, what is written down of it all in ``tests.service.test_intruders_logs``. The rules of signatures themselves
are in ``tests.unit.auth.test_sigv4`` and its neighbors, other users of the machine in ``tests.service.test_secrets_users``, impostors in
``tests.service.test_kerberos``.
"""

from __future__ import annotations

import http.client
import re
import time
from base64 import b64encode
from collections.abc import Mapping
from hashlib import md5

from ozgate.auth.sigv4 import sign
from tests.running import REGION
from tests.service.intruders import (
    Headers,
    IntruderCase,
    command,
    exchange,
    pair_of,
    send,
    signed,
)


class ChangedTests(IntruderCase):
    """Signed requests that were changed on the way."""

    def test_every_byte(self) -> None:
        """No byte of a head can be another one, unless it is in nothing that is signed."""
        for method, target, headers in (
            ("GET", "/alices/key?response-content-type=a", {}),
            ("DELETE", "/alices/none", {"x-amz-expected-bucket-owner": "alice"}),
            ("PUT", "/alices/copy", {"x-amz-copy-source": "/alices/key"}),
        ):
            url = self.server.url + target
            found = sign(method, url, headers, *self.alice, REGION, time.time())
            lines = "".join(f"{name}: {value}\r\n" for name, value in found.items())
            head = f"{method} {target} HTTP/1.1\r\n{lines}"
            end = "Connection: close\r\n\r\n"
            self.assertLess(send(self.server, (head + end).encode()).status, 300)
            for place in range(len(head) - 2):
                for bit in (1, 32):
                    character = chr(ord(head[place]) ^ bit)
                    changed = head[:place] + character + head[place + 1 :]
                    answer = send(self.server, (changed + end).encode("latin-1"))
                    if _meaning(changed) != _meaning(head):
                        self.refused(answer, changed)

    def test_presigned(self) -> None:
        """A presigned URL is good for its method, host, path and query, and beside nothing else that authenticates."""
        target = self.presigned("GET", "/alices/key")
        path, query = target.split("?")
        local = f"127.0.0.1:{self.server.port}"
        self.assertEqual(exchange(self.server, "GET", target).body, b"meant")
        self.assertEqual(
            exchange(self.server, "GET", f"http://{local}{target}").body, b"meant"
        )
        attempts: list[tuple[str, str, Headers]] = [
            ("HEAD", target, ()),
            ("PUT", target, ()),
            ("DELETE", target, ()),
            ("GET", f"/alices/key%20?{query}", ()),
            ("GET", f"/alices?{query}", ()),
            ("GET", f"/bobs/key?{query}", ()),
            ("GET", f"/alices/./key?{query}", ()),
            ("GET", f"/alices//key?{query}", ()),
            ("GET", f"//alices/key?{query}", ()),
            ("GET", f"/alices%2Fkey?{query}", ()),
            ("GET", f"{path}?versionId=null&{query}", ()),
            ("GET", f"{path}?tagging&{query}", ()),
            ("GET", f"{target}&response-content-type=text/html", ()),
            ("GET", f"{target}&X-Amz-Signature=0", ()),
            ("GET", f"{target}&x-amz-signature=0", ()),
            ("GET", f"{target}&AWSAccessKeyId=alice", ()),
            ("GET", target.replace("&", ";", 1), ()),
            ("GET", target, [("Host", "s3.test")]),
            ("GET", f"http://alices.s3.test{target}", [("Host", local)]),
            ("GET", target, [("x-amz-acl", "private")]),
            ("GET", target, [("Content-MD5", "XUFAKrxLKna5cZ2REBfFkg==")]),
            ("GET", target, [("Authorization", "")]),
            ("GET", target, [("Authorization", "Bearer x")]),
        ]
        for attempt in attempts:
            self.refused(exchange(self.server, *attempt), attempt)
        old = f"GET http://{local}{target} HTTP/1.0\r\n\r\n".encode()
        self.refused(send(self.server, old), "no Host")

    def test_virtual_hosts(self) -> None:
        """What was signed for one host is not taken for a bucket of another."""
        inside = self.presigned("GET", "/key", host="alices.s3.test")
        outside = self.presigned("GET", "/alices/key", host="s3.test")
        for target, host in ((inside, "alices.s3.test"), (outside, "s3.test")):
            answer = exchange(self.server, "GET", target, [("Host", host)])
            self.assertEqual(answer.body, b"meant")
        for target, *hosts in (
            (inside, "bobs.s3.test"),
            (inside, "ALICES.s3.test"),
            (inside, "alices.s3.test."),
            (inside, "alices.s3.test:80"),
            (inside, "alices.s3.test", "bobs.s3.test"),
            (inside, "alices.s3.test", "alices.s3.test"),
            (outside, "bobs.s3.test"),
            (outside, "alices.s3.test"),
        ):
            found = exchange(
                self.server, "GET", target, [("Host", host) for host in hosts]
            )
            self.refused(found, (target, hosts))

    def test_version_2(self) -> None:
        """A presigned URL of version 2 is good for its method, path, sub-resources and x-amz-* headers."""
        query = self.presigned_2("GET", "/alices/key")
        path = f"/alices/key?{query}"
        self.assertEqual(exchange(self.server, "GET", path).body, b"meant")
        virtual = [("Host", "alices.s3.test")]
        answer = exchange(self.server, "GET", f"/key?{query}", virtual)
        self.assertEqual(answer.body, b"meant")
        attempts: list[tuple[str, str, Headers]] = [
            ("HEAD", path, ()),
            ("DELETE", path, ()),
            ("GET", f"/alices/key%20?{query}", ()),
            ("GET", f"/bobs/key?{query}", ()),
            ("GET", f"/key?{query}", [("Host", "bobs.s3.test")]),
            ("GET", f"{path}&tagging", ()),
            ("GET", f"{path}&attributes", [("x-amz-object-attributes", "ETag")]),
            ("GET", f"{path}&X-AMZ-Meta-A=1", ()),
            ("GET", path, [("x-amz-meta-a", "1")]),
            ("GET", path, [("Content-Type", "text/html")]),
            ("GET", path, [("Authorization", "AWS alice:x")]),
            ("GET", f"{path}&X-Amz-Algorithm=AWS4-HMAC-SHA256", ()),
            ("GET", f"{path}&AWSAccessKeyId=bob", ()),
        ]
        for attempt in attempts:
            self.refused(exchange(self.server, *attempt), attempt)

    def test_blanks(self) -> None:
        """White space that a signature of version 2 leaves out is left out of what is copied, too."""
        query = self.presigned_2(
            "PUT", "/alices/blank", "x-amz-copy-source:/alices/key\n"
        )
        for source in ("/alices/key", "/alices/key%20", "%0B/alices/key%20%20"):
            target = f"/alices/blank?x-amz-copy-source={source}&{query}"
            self.assertEqual(exchange(self.server, "PUT", target).status, 200, source)
            found = signed(self.server, self.alice, "GET", "/alices/blank")
            self.assertEqual(found.body, b"meant", source)

    def test_no_header(self) -> None:
        """A parameter that cannot be sent as a header is none, though it is signed."""
        for name, value in (
            ("x-amz-meta-a\r\nSet-Cookie: b", "c"),
            ("x-amz-meta-a: b", "c"),
            ("x-amz-meta-a b", "c"),
            ("x-amz-meta-é", "c"),
            ("x-amz-meta-a", "b\r\nSet-Cookie: c"),
            ("x-amz-tagging", "a=b\0"),
        ):
            target = self.presigned("PUT", "/alices/named", {name: value})
            answer = exchange(self.server, "PUT", target, body=b"x")
            self.assertEqual(answer.code, "InvalidArgument", name)
        found = signed(self.server, self.alice, "GET", "/alices/named")
        self.assertEqual(found.code, "NoSuchKey")

    def test_every_way_of_sending(self) -> None:
        """Whatever way a body is sent, a wrong secret stores nothing (CVE-2025-31489)."""
        body = b"a\r\n0123456789\r\n0\r\n\r\n"
        coded = {
            "x-amz-decoded-content-length": "10",
            "content-encoding": "aws-chunked",
        }
        trailing = {**coded, "x-amz-trailer": "x-amz-checksum-crc32"}
        modes: dict[str, Mapping[str, str]] = {
            "UNSIGNED-PAYLOAD": {},
            md5(body).hexdigest() * 2: {},
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD": coded,
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER": trailing,
            "STREAMING-UNSIGNED-PAYLOAD-TRAILER": trailing,
        }
        wrong = (self.alice[0], "a secret that is none")
        upload = self.begin_upload()
        for mode, headers in modes.items():
            for target in (
                "/alices/sent",
                f"/alices/mp?partNumber=1&uploadId={upload}",
            ):
                answer = signed(self.server, wrong, "PUT", target, body, headers, mode)
                self.assertEqual(answer.code, "SignatureDoesNotMatch", mode)
        found = signed(self.server, self.alice, "GET", "/alices/sent")
        self.assertEqual(found.code, "NoSuchKey")
        parts = signed(self.server, self.alice, "GET", f"/alices/mp?uploadId={upload}")
        self.assertNotIn(b"<Part>", parts.body)

    def begin_upload(self) -> str:
        """An upload of Alice's."""
        answer = signed(self.server, self.alice, "POST", "/alices/mp?uploads")
        found = re.search(rb"<UploadId>(\w+)</UploadId>", answer.body)
        assert found, answer
        return found[1].decode()


class NameTests(IntruderCase):
    """Names that are no names, or another's."""

    def test_sources(self) -> None:
        """However the source of a copy is written, its bucket is the one that is asked (CVE-2026-54917)."""
        answer = signed(self.server, self.bob, "POST", "/bobs/mp?uploads")
        upload = answer.body.partition(b"<UploadId>")[2].partition(b"<")[0].decode()
        for source in (
            "/alices/key",
            "alices/key",
            "alices%2Fkey",
            "%2Falices%2Fkey",
            "alices/key?versionId=null",
            "/bobs/../alices/key",
            "bobs%2F..%2Falices%2Fkey",
            "//alices/key",
            "ALICES/key",
            "alices%00/key",
            "s3v/alices/key",
        ):
            headers = {"x-amz-copy-source": source}
            for target in ("/bobs/x", f"/bobs/mp?partNumber=1&uploadId={upload}"):
                answer = signed(self.server, self.bob, "PUT", target, headers=headers)
                self.refused(answer, source)
        listed = signed(self.server, self.bob, "GET", "/bobs")
        self.assertNotIn(b"<Key>", listed.body)

    def test_documents(self) -> None:
        """Keys in a document are keys of the bucket that was asked (CVE-2026-58372)."""
        for key in ("../alices/key", "/alices/key", "alices/key", "..%2Falices%2Fkey"):
            body = f"<Delete><Object><Key>{key}</Key></Object></Delete>".encode()
            digest = {"content-md5": b64encode(md5(body).digest()).decode()}
            answer = signed(self.server, self.bob, "POST", "/bobs?delete", body, digest)
            self.assertEqual(answer.status, 200, answer)
        found = signed(self.server, self.alice, "GET", "/alices/key")
        self.assertEqual(found.body, b"meant")

    def test_uploads(self) -> None:
        """An upload is found under its own bucket and key alone."""
        answer = signed(self.server, self.alice, "POST", "/alices/up?uploads")
        upload = answer.body.partition(b"<UploadId>")[2].partition(b"<")[0].decode()
        document = (
            b"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber>"
            b"<ETag>x</ETag></Part></CompleteMultipartUpload>"
        )
        for method, key, query, body in (
            ("PUT", "up", "partNumber=1&", b"x"),
            ("GET", "up", "", b""),
            ("POST", "up", "", document),
            ("DELETE", "up", "", b""),
        ):
            for bucket, pair in (("bobs", self.bob), ("alices", self.bob)):
                target = f"/{bucket}/{key}?{query}uploadId={upload}"
                self.refused(signed(self.server, pair, method, target, body), target)
            other = f"/alices/other?{query}uploadId={upload}"
            self.refused(signed(self.server, self.alice, method, other, body), other)

    def test_access_ids(self) -> None:
        """Access keys that nobody has are refused, whatever is in them."""
        for access_id in (
            *("ALICE", "alice ", "alice~", "alice~x", "alice/", "/alice"),
            *("../alice", "alice'--", "alice\0", "alice\n", "é", "a" * 5000),
            *("alice/20260101/us-east-1/s3/aws4_request", "%61lice"),
        ):
            target = self.presigned(
                "GET", "/alices/key", pair=(access_id, self.alice[1])
            )
            answer = exchange(self.server, "GET", target)
            self.assertEqual(answer.code, "InvalidAccessKeyId", access_id)


class RevokedTests(IntruderCase):
    """Keys that were good a moment ago."""

    def test_in_the_middle(self) -> None:
        """On an open connection, and in the middle of an upload, the next request is refused."""
        access_id, secret = pair_of(self.server, "carol")
        pair = (access_id, secret)
        connection = http.client.HTTPConnection(
            "127.0.0.1", self.server.port, timeout=20
        )
        self.addCleanup(connection.close)

        def ask(method: str, target: str, body: bytes = b"") -> tuple[int, bytes]:
            url = self.server.url + target
            headers = sign(method, url, {}, *pair, REGION, time.time())
            connection.request(method, target, body, headers)
            response = connection.getresponse()
            return response.status, response.read()

        self.assertEqual(ask("PUT", "/carols")[0], 200)
        begun = ask("POST", "/carols/mp?uploads")[1]
        upload = begun.partition(b"<UploadId>")[2].partition(b"<")[0].decode()
        part = f"/carols/mp?partNumber=1&uploadId={upload}"
        self.assertEqual(ask("PUT", part, b"x")[0], 200)
        port = connection.sock.getsockname()
        command(self.server, "revoke_secret", user="carol")
        for method, target in (
            ("PUT", part),
            ("GET", f"/carols/mp?uploadId={upload}"),
            ("DELETE", f"/carols/mp?uploadId={upload}"),
            ("PUT", "/carols/key"),
        ):
            status, body = ask(method, target)
            self.assertEqual(status, 403, target)
            self.assertIn(b"InvalidAccessKeyId", body)
        self.assertEqual(connection.sock.getsockname(), port)

    def test_presigned(self) -> None:
        """What was presigned with a key ends with it, and the next key does not revive it."""
        pair = pair_of(self.server, "dave")
        target = self.presigned("GET", "/", pair=pair)
        self.assertEqual(exchange(self.server, "GET", target).status, 200)
        command(self.server, "revoke_secret", user="dave")
        self.assertEqual(
            exchange(self.server, "GET", target).code, "InvalidAccessKeyId"
        )
        pair_of(self.server, "dave")
        self.assertEqual(
            exchange(self.server, "GET", target).code, "SignatureDoesNotMatch"
        )


def _meaning(head: str) -> tuple[str, dict[str, str]] | None:
    """What a head asks for: the same for heads that differ in nothing that counts; ``None`` where it is none."""
    line, *lines = head.removesuffix("\r\n").split("\r\n")
    asked, _, version = line.rpartition(" ")
    if version not in ("HTTP/1.1", "HTTP/1.0"):
        return None
    fields = {}
    for each in lines:
        name, colon, value = each.partition(":")
        if not colon:
            return None
        fields[name.lower()] = value.strip()
    return asked, fields
