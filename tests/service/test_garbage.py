"""What requests leave to the cyclic garbage collector, which is off here: nothing, whatever they ask and however they end.

What it has to free it first has to find, and everybody waits meanwhile. The limit is a number of objects.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import re
import signal
import ssl
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import Callable
from functools import cache
from hashlib import md5
from urllib.parse import urlsplit

from twisted.trial.unittest import SynchronousTestCase

from ozgate.auth.presign import presign
from tests.chunked import signed_body, unsigned_body
from tests.running import ACCESS_KEY, REGION, SECRET_KEY, Server
from tests.service.talking import Heard, Talk
from tests.service.test_slow_clients import secured

SMALL, LARGE, HUGE = b"x" * 4096, bytes(range(256)) * 800, bytes(12 << 20)
FEW = 30
"""Requests of each kind, where they are not many."""
LIMIT = 100
"""Objects that may be found after all of a kind: what is made once, as zope.interface does for transports of TLS. The smallest circle
that was ever found here had four, and there is one for each request.
"""
SIGNED = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
READS: tuple[tuple[str, int, dict[str, str]], ...] = (
    ("/", 200, {}),
    ("/bucket/large", 200, {}),
    ("/bucket/small", 304, {"if_none_match": "*"}),
    ("/bucket/small", 412, {"if_match": '"other"'}),
    ("/bucket/small?tagging", 200, {}),
    ("/bucket?list-type=2&delimiter=%2F", 200, {}),
    ("/bucket?versions", 200, {}),
    ("/bucket?uploads", 200, {}),
    ("/bucket?policy", 404, {}),
    ("/bucket?policy&acl", 400, {}),
    ("/bucket/%zz", 400, {}),
    ("/nobody/key", 404, {}),
    ("/bucket/key?uploadId=none", 404, {}),
)
"""Targets, their status, and headers."""


class Uncollected(Server):
    """A server whose garbage collector is off."""

    command = (sys.executable, "-m", "benchmarks.uncollected")
    forked = False

    def unreachable(self) -> int:
        """Objects that nothing holds but each other, since this was asked last."""
        return self.looked()[0]

    def looked(self) -> tuple[int, int]:
        """The same, and the objects that the collector never looks at."""
        assert self.process is not None
        before = self.output().count("unreachable: ")
        self.process.send_signal(signal.SIGUSR2)
        deadline = time.monotonic() + 60
        while True:
            found = re.findall(r"unreachable: (\d+), frozen: (\d+)\n", self.output())
            if len(found) > before:
                return int(found[-1][0]), int(found[-1][1])
            assert time.monotonic() < deadline
            time.sleep(0.01)


@cache
def uncollected() -> tuple[int, Uncollected]:
    """A port of TLS, and the server of all tests; it ends with the process."""
    port, settings = secured()
    folder = tempfile.TemporaryDirectory(prefix="ozgate-test-")
    server = Uncollected(os.path.join(folder.name, "data"), *settings)
    server.start()
    atexit.register(folder.cleanup)
    atexit.register(server.stop)
    return port, server


class GarbageTests(SynchronousTestCase):
    """One server, a bucket with a few objects, and one kind of request after the other."""

    def setUp(self) -> None:
        """Have it, with what is asked for."""
        self.tls_port, self.server = uncollected()
        self.connection: Talk | None = None
        self.addCleanup(lambda: self.connection and self.connection.socket.close())
        if self.ask("HEAD", "/bucket/huge", status=None).status == 404:
            self.ask("PUT", "/bucket")
            for name, body in (("small", SMALL), ("large", LARGE), ("huge", HUGE)):
                self.ask("PUT", f"/bucket/{name}", body)
            for number in range(30):
                self.ask("PUT", f"/bucket/folder/{number}", b"x")

    def talk(self, tls: bool = False) -> Talk:
        """A new connection."""
        made = Talk(self.tls_port if tls else self.server.port)
        if tls:
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            made.socket = context.wrap_socket(made.socket)
        return made

    def head(self, method: str, target: str, size: int, **headers: str) -> bytes:
        """The head of a signed request; ``_`` for ``-``, ``payload`` for its hash."""
        payload = headers.pop("payload", "UNSIGNED-PAYLOAD")
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        length = [f"Content-Length: {size}"] if size or method != "GET" else []
        return self.server.head(method, target, named, (*length,), payload)

    def ask(
        self,
        method: str,
        target: str,
        body: bytes = b"",
        status: int | None = 200,
        talk: Talk | None = None,
        **headers: str,
    ) -> Heard:
        """A request and its answer, on the connection that is kept for it unless another is given."""
        if talk is None:
            talk = self.connection = self.connection or self.talk()
        talk.send(self.head(method, target, len(body), **headers) + body)
        heard = talk.hear(method)
        if status is not None:
            self.assertEqual(heard.status, status, (method, target, heard.body))
        return heard

    def leaves_nothing(
        self, kind: str, one: Callable[[], object], times: int = FEW, pause: float = 0.0
    ) -> None:
        """Assert that a kind of request leaves nothing.

        :param pause: seconds for the server to find out that the last ones are over.
        """
        for _ in range(3):
            one()
        time.sleep(pause)
        self.server.unreachable()
        for _ in range(times):
            one()
        time.sleep(pause)
        self.assertLess(self.server.unreachable(), LIMIT, kind)

    def test_frozen(self) -> None:
        """What was there when the service had started is not looked at again."""
        self.assertGreater(self.server.looked()[1], 50_000)

    def test_reads(self) -> None:
        """10,000 requests that read: of rows and of blobs, ranges, listings, presigned, and those that are refused."""
        pipelined = b"".join(
            (
                self.head("GET", "/bucket/small", 0) * 16,
                self.head("GET", "/bucket/none", 0) * 2,
                self.head("GET", "/bucket/large", 0, range="bytes=5-9") * 2,
            )
        )

        def twenty() -> None:
            assert self.connection is not None
            self.connection.send(pipelined)
            statuses = [self.connection.hear().status for _ in range(20)]
            self.assertEqual(statuses, [200] * 16 + [404] * 2 + [206] * 2)

        self.leaves_nothing("GET", twenty, 500)
        url = f"{self.server.url}/bucket/small"
        given = (ACCESS_KEY, SECRET_KEY, REGION, 600, time.time())
        presigned = urlsplit(presign("GET", url, *given, {}))
        line = f"GET {presigned.path}?{presigned.query} HTTP/1.1\r\nHost: {presigned.netloc}\r\n\r\n"

        def by_url() -> None:
            assert self.connection is not None
            self.connection.send(line.encode())
            self.assertEqual(self.connection.hear().status, 200)

        self.leaves_nothing("presigned", by_url)
        for target, status, headers in READS:
            self.leaves_nothing(
                target,
                lambda t=target, s=status, h=headers: self.ask("GET", t, b"", s, **h),  # type: ignore[misc]
            )
        for target, status in (("/bucket/small", 200), ("/bucket/none", 404)):
            self.leaves_nothing(
                f"HEAD {target}", lambda t=target, s=status: self.ask("HEAD", t, b"", s)
            )

    def test_strangers(self) -> None:
        """Nobody's requests, those that are signed wrongly, and what is none."""
        anonymous = b"GET /bucket/small HTTP/1.1\r\nHost: localhost\r\n\r\n"
        right = self.head("PUT", "/bucket/small", len(LARGE))
        wrong = right.replace(b"PUT /bucket/small", b"PUT /bucket/other")
        for kind, data, status in (
            ("anonymous", anonymous, 403),
            ("wrong", wrong + LARGE, 403),
            ("no HTTP", b"\x16\x03\x01\r\n\r\n", 400),
            ("bad header", b"GET / HTTP/1.1\r\nHost : x\r\n\r\n", 400),
        ):

            def one(data: bytes = data, status: int = status) -> None:
                with self.talk() as talk:
                    talk.send(data)
                    self.assertEqual(talk.hear().status, status)

            self.leaves_nothing(kind, one, pause=0.2)

    def test_writes(self) -> None:
        """Objects of all sizes and codings, copies, tags, deletions; bodies that are not what was said of them."""
        tags = b"<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>"
        doomed = b"<Delete><Object><Key>a</Key></Object></Delete>"
        source = "/bucket/large"
        for method, target, body, status, headers in (
            ("PUT", "/bucket/a", SMALL, 200, {}),
            ("PUT", "/bucket/a", LARGE, 200, {}),
            ("PUT", "/bucket/a", LARGE, 200, {"payload": "STREAMING"}),
            ("PUT", "/bucket/a", SMALL, 400, {"content_md5": _md5(b"other")}),
            ("PUT", "/bucket/a", LARGE, 400, {"content_md5": _md5(b"other")}),
            ("PUT", "/bucket/small", SMALL, 412, {"if_none_match": "*"}),
            ("PUT", "/bucket/a", b"", 200, {"x_amz_copy_source": source}),
            ("PUT", "/bucket/a", b"", 200, {"x_amz_copy_source": source, "x_amz_checksum_algorithm": "SHA256"}),
            ("PUT", "/bucket/a", b"", 404, {"x_amz_copy_source": "/bucket/none"}),
            ("PUT", "/bucket/small?tagging", tags, 200, {"content_md5": _md5(tags)}),
            ("PUT", "/bucket/small?tagging", tags[:9], 400, {"content_md5": _md5(tags[:9])}),
            ("DELETE", "/bucket/a", b"", 204, {}),
            ("DELETE", "/bucket", b"", 409, {}),
            ("POST", "/bucket?delete", doomed, 200, {"content_md5": _md5(doomed)}),
            ("PUT", "/bucket/a?partNumber=1&uploadId=none", LARGE, 404, {}),
        ):  # fmt: skip

            def one(
                method: str = method,
                target: str = target,
                body: bytes = body,
                status: int = status,
                headers: dict[str, str] = headers,
            ) -> None:
                if "payload" in headers:
                    self.put_chunks(target, body)
                else:
                    self.ask(method, target, body, status, **headers)

            self.leaves_nothing(f"{method} {target} {len(body)} {status}", one)

    def put_chunks(self, target: str, body: bytes) -> None:
        """Put an object in signed chunks, and in unsigned ones in chunked transfer coding."""
        talk = self.connection = self.connection or self.talk()
        sent = {"x-amz-decoded-content-length": str(len(body))}
        chunks = [body[:65536], body[65536:]]
        headers = self.server.signed("PUT", target, sent, SIGNED)
        data = signed_body(headers, chunks)
        headers["Content-Length"] = str(len(data))
        talk.send(_lines("PUT", target, headers) + data)
        self.assertEqual(talk.hear().status, 200)
        payload = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
        sent["x-amz-trailer"] = "x-amz-checksum-crc32"
        headers = self.server.signed("PUT", target, sent, payload)
        headers["Transfer-Encoding"] = "chunked"
        data = unsigned_body(chunks, "x-amz-checksum-crc32:AAAAAA==\r\n")
        coded = b"%x\r\n%b\r\n0\r\n\r\n" % (len(data), data)
        talk.send(_lines("PUT", target, headers) + coded)
        self.assertEqual(talk.hear().code, "BadDigest")

    def test_uploads(self) -> None:
        """Multipart uploads, from their beginning to their end or their abortion."""

        def upload() -> None:
            for completed in (True, False):
                begun = self.ask("POST", "/bucket/multi?uploads")
                found = re.search(rb"<UploadId>(\S+)</UploadId>", begun.body)
                assert found is not None
                target = f"/bucket/multi?uploadId={found[1].decode()}"
                part = f"{target}&partNumber="
                self.ask("PUT", f"{part}1", LARGE)
                self.ask("PUT", f"{part}2", x_amz_copy_source="/bucket/large")
                self.ask("GET", target)
                wanted = f"<ETag>{md5(LARGE).hexdigest()}</ETag>"
                document = f"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber>{wanted}</Part></CompleteMultipartUpload>"
                if completed:
                    self.ask("POST", target, document.encode())
                else:
                    self.ask("DELETE", target, b"", 204)

        self.leaves_nothing("upload", upload)

    def test_cut(self) -> None:
        """Clients that go in the middle of a body or of an answer, over plain TCP and over TLS, or in a handshake."""
        for tls in (False, True):
            for kind, data in (
                ("idle", b""),
                ("head", b"GET /bucket/small HTT"),
                ("small body", self.head("PUT", "/bucket/a", 4096) + SMALL[:999]),
                ("body", self.head("PUT", "/bucket/a", len(LARGE)) + LARGE[:99_999]),
                ("document", self.head("POST", "/bucket?delete", 999) + b"<Delete>"),
                ("answer", self.head("GET", "/bucket/huge", 0)),
            ):

                def one(data: bytes = data, kind: str = kind, tls: bool = tls) -> None:
                    with self.talk(tls) as talk:
                        talk.send(data)
                        if kind == "answer":
                            talk.socket.recv(1000)
                        else:
                            time.sleep(0.005)

                self.leaves_nothing(f"{kind}, TLS: {tls}", one, pause=0.3)

        def shake() -> None:
            with Talk(self.tls_port) as talk:
                talk.send(b"GET / HTTP/1.1\r\n\r\n")
                with contextlib.suppress(EOFError):
                    talk.hear()

        self.leaves_nothing("no handshake", shake, pause=0.3)

    def test_tls(self) -> None:
        """Objects over TLS, on one connection and on many."""
        with self.talk(True) as talk:
            for size, body in (("small", SMALL), ("large", LARGE)):

                def one(size: str = size, body: bytes = body) -> None:
                    self.ask("GET", f"/bucket/{size}", talk=talk)
                    self.ask("PUT", "/bucket/a", body, talk=talk)

                self.leaves_nothing(f"TLS, {size}", one)

        def connect() -> None:
            with self.talk(True) as talk:
                self.ask("GET", "/bucket/small", talk=talk)

        self.leaves_nothing("a connection each", connect, pause=0.3)


def _md5(data: bytes) -> str:
    return b64encode(md5(data).digest()).decode()


def _lines(method: str, target: str, headers: dict[str, str]) -> bytes:
    lines = [f"{method} {target} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode()
