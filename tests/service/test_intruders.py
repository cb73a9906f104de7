"""Requests that do not belong, against a real service: none gets in, and none takes a secret out.

What is changed on the way, taken for something else, sent by who may not, or sent by a page in somebody's browser. The rules of
signatures themselves are in ``tests.unit.auth.test_sigv4`` and its neighbors, other users of the machine in
``tests.service.test_secrets_users``, impostors in ``tests.service.test_kerberos``.
"""

from __future__ import annotations

import hmac
import http.client
import json
import os
import re
import tempfile
import time
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from hashlib import md5, sha1
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from twisted.trial.unittest import SynchronousTestCase

from ozgate.admin.commands.table import COMMANDS
from ozgate.admin.localsocket import connect_local
from ozgate.auth.presign import presign
from ozgate.auth.sigv4 import sign
from tests.running import ACCESS_KEY, REGION, SECRET_KEY, Server, shared_server

Pair = tuple[str, str]
Headers = Sequence[tuple[str, str]]

DOMAIN = "ozone.s3g.domain.name=s3.test"


class Answer:
    """What came back.

    :ivar code: S3's code in an error document; ``""`` without one.
    """

    def __init__(self, data: bytes) -> None:
        head, _, self.body = data.partition(b"\r\n\r\n")
        found = re.match(rb"HTTP/1\.1 (\d{3}) ", head)
        self.status = int(found[1]) if found else 0
        code = re.search(rb"<Code>(\w+)</Code>", self.body)
        self.code = code[1].decode() if code else ""
        self.data = data

    def __repr__(self) -> str:
        return f"<{self.data[:300]!r}>"


def exchange(
    server: Server,
    method: str,
    target: str,
    headers: Headers = (),
    body: bytes = b"",
    port: int = 0,
) -> Answer:
    """One request, its head as it is given, on a connection of its own."""
    sent = list(headers)
    if not any(name.lower() == "host" for name, _ in sent):
        sent.insert(0, ("Host", f"127.0.0.1:{port or server.port}"))
    if body:
        sent.append(("Content-Length", str(len(body))))
    lines = "".join(f"{name}: {value}\r\n" for name, value in sent)
    head = f"{method} {target} HTTP/1.1\r\n{lines}Connection: close\r\n\r\n"
    return send(server, head.encode("latin-1") + body, port)


def send(server: Server, data: bytes, port: int = 0) -> Answer:
    """Bytes, on a connection of their own."""
    import socket

    received = b""
    address = ("127.0.0.1", port or server.port)
    with socket.create_connection(address, timeout=20) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        try:
            while more := connection.recv(65536):
                received += more
        except ConnectionResetError:
            pass
    return Answer(received)


def signed(
    server: Server,
    pair: Pair,
    method: str,
    target: str,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
    payload: str = "UNSIGNED-PAYLOAD",
) -> Answer:
    """A request that is as it should be."""
    found = sign(
        method,
        server.url + target,
        headers or {},
        *pair,
        REGION,
        time.time(),
        payload,
    )
    return exchange(server, method, target, list(found.items()), body)


def command(server: Server, name: str, **arguments: Any) -> Any:
    """A command over the admin socket, as an administrator."""
    connection = http.client.HTTPConnection("localhost", timeout=20)
    connection.sock = connect_local(server.data)
    try:
        sent = {"Content-Type": "application/json"}
        body = json.dumps(arguments)
        connection.request("POST", f"/ozgate/v1/{name}", body, sent)
        response = connection.getresponse()
        answer = json.loads(response.read())
        assert response.status == 200, answer
        return answer
    finally:
        connection.close()


def pair_of(server: Server, user: str, **arguments: Any) -> Pair:
    """A new key of a user."""
    made = command(server, "get_secret", user=user, **arguments)
    return made["awsAccessKey"], made["awsSecret"]


def admin_port(server: Server) -> int:
    """Where the admin listener is."""
    pattern = r"^ozgate is administered at http://127\.0\.0\.1:(\d+)$"
    found = re.search(pattern, server.output(), re.M)
    assert found, server.output()
    return int(found[1])


@cache
def inhabited() -> tuple[Server, Pair, Pair]:
    """A server with Alice, who has a bucket with two keys, and Bob, who has one of his own."""
    server = shared_server(DOMAIN)
    alice, bob = pair_of(server, "alice"), pair_of(server, "bob")
    for pair, target, body in (
        (alice, "/alices", b""),
        (alice, "/alices/key", b"meant"),
        (alice, "/alices/key%20", b"not meant"),
        (bob, "/bobs", b""),
    ):
        answer = signed(server, pair, "PUT", target, body)
        assert answer.status == 200, answer
    return server, alice, bob


class IntruderCase(SynchronousTestCase):
    """Asks a server that others use."""

    def setUp(self) -> None:
        """Have one."""
        self.server, self.alice, self.bob = inhabited()

    def refused(self, answer: Answer, what: object = "") -> None:
        """Make sure that a request was refused, knowingly."""
        self.assertIn(answer.status, range(400, 500), (what, answer))

    def presigned(
        self,
        method: str,
        target: str,
        query: Mapping[str, str] | None = None,
        host: str = "",
        pair: Pair | None = None,
    ) -> str:
        """The target of a presigned URL of Alice's."""
        url = f"http://{host or f'127.0.0.1:{self.server.port}'}{target}"
        pair = pair or self.alice
        made = presign(method, url, *pair, REGION, 600, time.time(), query or {})
        parts = urlsplit(made)
        return f"{parts.path}?{parts.query}"

    def presigned_2(self, method: str, path: str, amz: str = "") -> str:
        """The query of a URL of Alice's that is presigned in the manner of version 2."""
        expires = int(time.time()) + 600
        text = f"{method}\n\n\n{expires}\n{amz}{path}"
        access_id, secret = self.alice
        digest = b64encode(hmac.digest(secret.encode(), text.encode(), sha1))
        signature = quote(digest, safe="")
        return f"AWSAccessKeyId={access_id}&Expires={expires}&Signature={signature}"


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


class AdminTests(IntruderCase):
    """The admin listener's port, without credentials."""

    def test_every_path(self) -> None:
        """Whoever is not known is told of the service's health and of nothing else, whatever the path and the method."""
        port = admin_port(self.server)
        paths = (
            *("/conf", "/conf/", "/%63onf", "/./conf", "/x/../conf", "//conf"),
            *("/metrics", "/prom", "/reload", "/stacks", "/jmx", "/logs", "/static/"),
            *("/secret", "/secret/", "/secret/alice", "//secret", "/secret%2Falice"),
            *("/ozgate/v1/", "/ozgate/v1/none", "/ozgate/v1/get_key"),
            *(f"/ozgate/v1/{name}" for name in COMMANDS),
            "/ozgate/v1/put_key?volume=s3v&bucket=alices&key=key",
        )
        arguments = b'{"user": "alice", "volume": "s3v", "bucket": "alices"}'
        for path in paths:
            for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"):
                octets = "put_key" in path
                kind = f"application/{'octet-stream' if octets else 'json'}"
                body = arguments if method in ("POST", "PUT") else b""
                headers = [("Content-Type", kind)]
                answer = exchange(self.server, method, path, headers, body, port)
                self.refused(answer, (method, path))
                for secret in (b"alices", b"s3v", b"awsSecret", b"ozgate.data"):
                    self.assertNotIn(secret, answer.body, (method, path))
        found = signed(self.server, self.alice, "GET", "/alices/key")
        self.assertEqual(found.body, b"meant")

    def test_no_signature(self) -> None:
        """A key for S3, even the administrator's, is none for the admin listener."""
        port = admin_port(self.server)
        url = f"http://127.0.0.1:{port}/conf"
        pair = (ACCESS_KEY, SECRET_KEY)
        headers = sign("GET", url, {}, *pair, REGION, time.time())
        answer = exchange(self.server, "GET", "/conf", list(headers.items()), port=port)
        self.assertEqual(answer.status, 403)


class BrowserTests(SynchronousTestCase):
    """Pages in a browser of somebody whose machine runs a service with security off."""

    def setUp(self) -> None:
        """Have one, with a bucket."""
        self.server = shared_server("ozone.security.enabled=false", DOMAIN)
        signed(self.server, ("any", "any"), "PUT", "/bucket")
        self.port = admin_port(self.server)

    def at(self, host: str, *headers: tuple[str, str]) -> Iterable[Answer]:
        """Answers of S3 and of the admin listener."""
        url = f"http://{host}/"
        own = sign("GET", url, {}, "any", "any", REGION, time.time())
        yield exchange(self.server, "GET", "/", list(own.items()))
        for method, path, kind, body in (
            ("GET", "/conf", "text/plain", b""),
            ("GET", "/metrics", "text/plain", b""),
            ("POST", "/reload", "text/plain", b"x"),
            ("POST", "/ozgate/v1/list_volumes", "application/json", b"{}"),
            (
                *("POST", "/ozgate/v1/list_keys", "application/json"),
                b'{"volume": "s3v", "bucket": "bucket"}',
            ),
        ):
            sent = [("Host", host), ("Content-Type", kind), *headers]
            yield exchange(self.server, method, path, sent, body, self.port)

    def test_rebound_name(self) -> None:
        """A name of the page's own site that was made to point here opens nothing."""
        for host in (
            *("evil.example.com", f"evil.example.com:{self.port}", "s3.test.evil.com"),
            *("localhost.evil.com", "127.0.0.1.nip.io", "evils3.test.com", "a.b."),
        ):
            for answer in self.at(host):
                self.assertEqual(answer.status, 403, (host, answer))
                self.assertNotIn(b"bucket", answer.body)

    def test_names_of_here(self) -> None:
        """Names and addresses that nobody else can have, and those of the configuration, do as ever."""
        for host in (
            *("localhost", f"LOCALHOST:{self.port}", "127.0.0.1", f"[::1]:{self.port}"),
            *("ozgate", "s3.test", "host.docker.internal", "ozgate.localhost"),
        ):
            for answer in self.at(host):
                self.assertEqual(answer.status, 200, (host, answer))

    def test_another_sites_page(self) -> None:
        """A page that asks across sites, as it can without being permitted to, is not heard by the admin listener."""
        here = f"127.0.0.1:{self.port}"
        for origin in ("http://evil.example.com", "null", "http://127.0.0.1:1"):
            _, *answers = self.at(here, ("Origin", origin))
            self.assertEqual({each.status for each in answers}, {403}, origin)
        _, *answers = self.at(here, ("Origin", f"http://{here}"))
        self.assertEqual({each.status for each in answers}, {200})

    def test_forms(self) -> None:
        """What a form can send is no command, and reading across sites is never allowed."""
        for kind in (
            *("text/plain", "application/x-www-form-urlencoded"),
            *("multipart/form-data; boundary=application/json", ""),
        ):
            sent = [("Content-Type", kind)]
            path = "/ozgate/v1/delete_bucket"
            body = b'{"volume": "s3v", "bucket": "bucket", "recursive": true}'
            answer = exchange(self.server, "POST", path, sent, body, self.port)
            self.assertEqual(answer.status, 415, kind)
            self.assertNotIn(b"Access-Control-", answer.data)


class SecretTests(SynchronousTestCase):
    """What is written down, and for whom."""

    def test_nowhere(self) -> None:
        """No secret and no signature is in a log, an answer or a command line, whatever goes wrong; files are their owner's.

        RustFS wrote secrets into its logs (GHSA-r54g, -8cm2, -333v; CVE-2026-22782, CVE-2026-45040).
        """
        with tempfile.TemporaryDirectory(prefix="ozgate-test-") as folder:
            server = Server(os.path.join(folder, "data"))
            server.start()
            try:
                pair = pair_of(server, "alice")
                chosen = "a secret of her choice"
                command(server, "set_secret", user="alice", secret=chosen)
                answers = list(self.provoke(server, (pair[0], chosen)))
                configuration = self.read_locally(server, "/conf")
                assert server.process is not None
                shown = Path(f"/proc/{server.process.pid}/cmdline").read_bytes()
            finally:
                server.stop()
            written = [Path(server.log).read_bytes()]
            for path in Path(server.data).iterdir():
                if path.suffix == ".log":
                    written.append(path.read_bytes())
                self.assertEqual(path.stat().st_mode & 0o077, 0, path)
            self.assertEqual(len(written), 3)
            key = Path(server.data, "master.key").read_bytes().strip()
            secrets = [pair[1].encode(), chosen.encode(), SECRET_KEY.encode(), key]
            for text in (*written, *answers, configuration, shown):
                for secret in secrets:
                    self.assertNotIn(secret, text)
            for text in written:
                self.assertNotRegex(text, rb"ignature=(?!REDACTED)")
                self.assertNotIn(b"customers key", text.replace(b"+", b" "))
                self.assertNotIn(b"Traceback", text)

    def provoke(self, server: Server, pair: Pair) -> Iterable[bytes]:
        """Answers to requests that are well, wrong and broken."""
        now = time.time()
        hidden = {
            "x-amz-server-side-encryption-customer-key": "customers key",
            "x-amz-server-side-encryption-customer-algorithm": "AES256",
        }
        for target in ("/", "/none/key", "/none?policy"):
            for secret in (pair[1], "wrong"):
                yield signed(server, (pair[0], secret), "GET", target).data
                url = server.url + target
                made = presign(*("PUT", url, pair[0], secret, REGION, 60, now), hidden)
                target = made.removeprefix(server.url)
                for sent in (
                    f"PUT {target} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n\r\n",
                    f"PUT {target} HTTP/1.1\r\n\r\n",
                    f"PUT {target}%zz HTTP/1.1\r\nHost: h\r\n\r\n",
                    f"PUT {target} HTTP/3\r\n\r\n",
                ):
                    yield send(server, sent.encode()).data

    def read_locally(self, server: Server, path: str) -> bytes:
        """What an administrator reads."""
        connection = http.client.HTTPConnection("localhost", timeout=20)
        connection.sock = connect_local(server.data)
        try:
            connection.request("GET", path)
            return connection.getresponse().read()
        finally:
            connection.close()


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
