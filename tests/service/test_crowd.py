"""Slow clients, and too many of them, against the real service: each is cut by its rule, and the others are served.

The same at its full size, with rates and memory, is ``benchmarks/slow_clients.py``.
"""

from __future__ import annotations

import atexit
import contextlib
import http.client
import os
import re
import resource
import select
import shutil
import socket
import ssl
import tempfile
import time
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from attrs import define

from ozgate.admin.localsocket import connect_local
from ozgate.cli.tls import LOCAL, make_pair
from tests.running import Server, free_port
from tests.service.talking import Talk, TalkCase

LARGE = 16 << 20


def metric(server: Server, pattern: str) -> float:
    """A metric by a pattern of its name and labels, read over the admin socket; 0 where there is none."""
    connection = http.client.HTTPConnection("localhost", timeout=20)
    connection.sock = connect_local(server.data)
    with contextlib.closing(connection):
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
    found = re.search(f"^{pattern} (.*)$", text, re.M)
    return float(found[1]) if found else 0.0


@define
class Slow:
    """A client that goes on by a byte at a time.

    :ivar byte: what it sends each time; ``None``: nothing.
    :ivar reads: whether it takes one byte at a time, else whatever comes.
    :ivar heard: what it has read.
    """

    talk: Talk
    byte: bytes | None = None
    reads: bool = False
    heard: bytes = b""

    def step(self) -> bool:
        """Go on; returns whether it is cut."""
        here = self.talk.socket
        poll = select.poll()
        poll.register(here, 0)
        try:
            if poll.poll(0):
                return True
            if self.byte is not None:
                here.sendall(self.byte)
            data = here.recv(1 if self.reads else 65536)
        except TimeoutError:
            return False
        except (ConnectionError, ssl.SSLError):
            return True
        self.heard += data
        return not data


class CutCase(TalkCase):
    """Has slow clients cut."""

    settings = (
        "ozgate.http.header-timeout=1s",
        "ozgate.http.progress-window=1s",
        "hadoop.http.idle_timeout.ms=2000",
    )

    def begin(
        self, start: bytes, byte: bytes | None = None, reads: bool = False
    ) -> Slow:
        """A client that has sent a start."""
        talk = self.talk()
        self.addCleanup(talk.socket.close)
        if reads:
            talk.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        talk.send(start)
        return Slow(talk, byte, reads)

    def cut(self, *crowd: Slow) -> list[bytes]:
        """Have clients go on until all are cut, and another be served meanwhile; returns what each has read."""
        left = list(crowd)
        for each in left:
            each.talk.socket.settimeout(0.02)
        deadline = time.monotonic() + 60
        while left:
            self.assertLess(time.monotonic(), deadline, f"{left} are not cut")
            self.assertEqual(self.server.request("GET", "/bucket/kept")[2], b"kept")
            left = [each for each in left if not each.step()]
        return [each.heard for each in crowd]

    def check_heads(self) -> None:
        """Who sends a head by a byte at a time, or nothing, at first or after a request."""
        idle = self.begin(self.head("GET", "/bucket/kept"))
        self.assertEqual(idle.talk.hear().body, b"kept")
        head, *silent = self.cut(
            self.begin(b"GET /bucket/kept HTTP/1.1\r\nX-A: ", b"x"),
            self.begin(b"\r\n", b"\r\n"),
            self.begin(b""),
            idle,
        )
        self.assertIn(b"<Code>RequestTimeout</Code>", head)
        self.assertEqual(silent, [b"", b"", b""])

    def check_readers(self) -> None:
        """Who takes an answer by a byte at a time, or asks for many."""
        put = self.server.request("PUT", "/bucket/large", body=bytes(LARGE))
        self.assertEqual(put[0], 200)
        try:
            ask = self.head("GET", "/bucket/large")
            for heard in self.cut(
                self.begin(ask, reads=True), self.begin(ask * 20, reads=True)
            ):
                self.assertLess(len(heard), LARGE)
        finally:
            self.server.request("DELETE", "/bucket/large")


class CutTests(CutCase):
    """20: who hardly moves is cut, by the rule that is for it, while another is served."""

    def test_heads(self) -> None:
        """A head at a byte a time is RequestTimeout; who sends nothing, or empty lines, is closed without a word."""
        self.check_heads()

    def test_readers(self) -> None:
        """Who takes an answer by a byte at a time, or asks for many and hardly takes any, is cut."""
        self.check_readers()

    def test_bodies(self) -> None:
        """A body at a byte a time is RequestTimeout, in every coding, also where it was asked for; nothing is stored."""
        chunked = self.server.head(
            "PUT",
            "/bucket/bad",
            {"x-amz-decoded-content-length": "100000"},
            ("Transfer-Encoding: chunked",),
            "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        )
        length = "Content-Length: 100000"
        put = self.head("PUT", "/bucket/bad", length)
        expecting = self.head("PUT", "/bucket/bad", length, "Expect: 100-continue")
        digest = "1B2M2Y8AsgTpgAmY7PhCfg=="
        document = self.head("POST", "/bucket?delete", length, content_md5=digest)
        for heard in self.cut(
            self.begin(put, b"x"),
            self.begin(expecting),
            self.begin(chunked + b"18700\r\n186a0\r\n", b"x"),
            self.begin(chunked + b"7\r\n186a0\r\n\r\n", b"1\r\nx\r\n"),
            self.begin(document, b" "),
        ):
            self.assertIn(b"<Code>RequestTimeout</Code>", heard)

    def test_unwanted_body(self) -> None:
        """The rest of a body that nobody wants is not waited for without end, and what comes of it is no answer."""
        slow = self.begin(
            self.head("PUT", "/nosuch/bad", "Content-Length: 99999"), b"x"
        )
        self.assertEqual(slow.talk.hear().code, "NoSuchBucket")
        self.assertEqual(self.cut(slow), [b""])


def secured() -> tuple[int, tuple[str, ...]]:
    """A new port, and the settings of a server that speaks TLS there."""
    folder = tempfile.mkdtemp(prefix="ozgate-test-")
    atexit.register(shutil.rmtree, folder)
    paths = [os.path.join(folder, name) for name in ("key.pem", "cert.pem")]
    made = make_pair(list(LOCAL), datetime.now(UTC), 1)
    for path, data in zip(paths, made, strict=True):
        Path(path).write_bytes(data)
    port = free_port()
    return port, (
        *CutCase.settings,
        "ozone.http.policy=HTTP_AND_HTTPS",
        f"ozone.s3g.https-address=127.0.0.1:{port}",
        f"ozgate.tls.key={paths[0]}",
        f"ozgate.tls.certificate={paths[1]}",
    )


@cache
def shared_secured() -> tuple[int, tuple[str, ...]]:
    """Those of the server that the tests of this module share."""
    return secured()


class TlsTests(CutCase):
    """The same over TLS, and the handshake itself."""

    def setUp(self) -> None:
        """A server with a certificate."""
        self.tls_port, self.settings = shared_secured()
        super().setUp()

    def talk(self) -> Talk:
        """A new connection."""
        made = Talk(self.tls_port)
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        made.socket = context.wrap_socket(made.socket)
        return made

    def test_heads(self) -> None:
        """Heads, silence, and handshakes that never end, at a byte a time or not begun at all, are cut."""
        self.check_heads()
        plain = [Talk(self.tls_port), Talk(self.tls_port)]
        for each in plain:
            self.addCleanup(each.socket.close)
        plain[0].send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
        self.assertEqual(self.cut(Slow(plain[0], b"x"), Slow(plain[1])), [b"", b""])

    def test_readers(self) -> None:
        """Slow readers are cut."""
        self.check_readers()


class CrowdCase(TalkCase):
    """Many at once."""

    def crowd(
        self, count: int, address: str, start: bytes = b""
    ) -> list[socket.socket]:
        """Connections from an address of this machine's, each of which sends a start."""
        made = []
        for _ in range(count):
            each = socket.create_connection(
                ("127.0.0.1", self.server.port), 20, (address, 0)
            )
            self.addCleanup(each.close)
            each.sendall(start)
            made.append(each)
        return made

    def until(self, value: float, pattern: str) -> None:
        """Wait for a metric."""
        deadline = time.monotonic() + 60
        while (found := metric(self.server, pattern)) != value:
            self.assertLess(time.monotonic(), deadline, (pattern, found))

    def leave(self, crowd: list[socket.socket]) -> None:
        """Go, all of them."""
        for each in crowd:
            each.close()
        self.until(0, "ozgate_connections")

    def refused(self, address: str, head: bytes) -> None:
        """A connection from an address is one too many."""
        [one] = self.crowd(1, address, head)
        answer = b"".join(iter(lambda: one.recv(65536), b""))
        self.assertTrue(answer.startswith(b"HTTP/1.1 503 "), answer)
        self.assertIn(b"\r\nRetry-After: 1\r\n", answer)
        self.assertIn(b"<Code>SlowDown</Code>", answer)
        self.assertEqual(answer.count(b"HTTP/1.1 "), 1)


class PlaceTests(CrowdCase):
    """Connections."""

    settings = (
        "ozgate.limit.connections-per-address=60",
        "ozgate.limit.connections=80",
        "ozgate.http.progress-window=600s",
    )

    def test_connections(self) -> None:
        """One address gets no more than its share, all together no more than there are; who is in is served on."""
        before = {
            name: metric(self.server, f'ozgate_refused_total{{limit="{name}"}}')
            for name in ("connections", "connections-per-address")
        }
        self.until(0, "ozgate_connections")
        at_work = self.head("PUT", "/bucket/bad", "Content-Length: 9")
        with self.talk() as inside:
            inside.send(self.head("GET", "/bucket/kept"))
            inside.hear()
            inside.send(self.head("PUT", "/bucket/kept", "Content-Length: 4"))
            many = self.crowd(59, "127.0.0.1", at_work)
            self.until(60, "ozgate_requests_in_flight")
            head = self.head(
                "PUT", "/bucket/bad", "Content-Length: 9", "Expect: 100-continue"
            )
            self.refused("127.0.0.1", head)
            others = self.crowd(20, "127.0.0.2", at_work)
            self.until(80, "ozgate_requests_in_flight")
            self.refused("127.0.0.3", head)
            inside.send(b"kept")
            self.assertEqual(inside.hear().status, 200)
        self.leave(many + others)
        for name, count in before.items():
            self.until(count + 1, f'ozgate_refused_total{{limit="{name}"}}')
        self.assertEqual(self.server.request("GET", "/bucket/kept")[2], b"kept")

    def test_idle_make_room(self) -> None:
        """Idle ones of other addresses, or such that never finish a head, keep nobody out: a client that tries again, as SDKs do, is served."""
        self.until(0, "ozgate_connections")
        half = b"GET / HTTP/1.1\r\nX-A: "
        idle = [*self.crowd(60, "127.0.0.1"), *self.crowd(20, "127.0.0.2", half)]
        self.until(80, "ozgate_connections")
        deadline = time.monotonic() + 60
        answer = b""
        while not answer.startswith(b"HTTP/1.1 200 "):
            self.assertLess(time.monotonic(), deadline, answer)
            head = self.head("GET", "/bucket/kept", "Connection: close")
            [one] = self.crowd(1, "127.0.0.3", head)
            answer = b"".join(iter(lambda one=one: one.recv(65536), b""))  # type: ignore[misc]
        self.leave(idle)


class CrowdTests(CrowdCase):
    """Connections, requests and bodies."""

    settings = (
        "ozgate.limit.connections-per-address=60",
        "ozgate.limit.connections=80",
        "ozgate.limit.requests=30",
        "ozgate.limit.inflight-bytes=3MB",
    )

    def test_refused_hold_nothing(self) -> None:
        """Hundreds that are refused and stay are let go one after the other, and take nobody's place."""
        with self.talk() as inside:
            inside.send(self.head("GET", "/bucket/kept"))
            inside.hear()
            many = self.crowd(59, "127.0.0.1")
            self.until(60, "ozgate_connections")
            assert self.server.process is not None
            folder = f"/proc/{self.server.process.pid}/fd"
            before = len(os.listdir(folder))
            refused = self.crowd(300, "127.0.0.1")
            # 64 that are being refused, and those that come and go in one turn.
            self.assertLess(len(os.listdir(folder)), before + 200)
            inside.send(self.head("GET", "/bucket/kept"))
            self.assertEqual(inside.hear().body, b"kept")
        self.leave(many + refused)

    def test_requests(self) -> None:
        """More requests at once than are worked on are told to slow down, before the body, on a connection that lives."""
        head = self.head("PUT", "/bucket/bad", "Content-Length: 50")
        many = self.crowd(30, "127.0.0.1", head)
        self.until(30, "ozgate_requests_in_flight")
        with self.talk() as talk:
            talk.send(self.head("GET", "/bucket/kept"))
            heard = talk.hear()
            self.assertEqual((heard.status, heard.code), (503, "SlowDown"))
            self.assertEqual(heard.header("retry-after"), "1")
            talk.send(
                self.head(
                    "PUT", "/bucket/bad", "Content-Length: 9", "Expect: 100-continue"
                )
            )
            self.assertEqual(talk.hear().code, "SlowDown")
            self.assertEqual(talk.rest(), b"")
        self.leave(many)
        self.until(0, "ozgate_requests_in_flight")
        self.assertEqual(self.server.request("GET", "/bucket/kept")[2], b"kept")

    def test_bytes(self) -> None:
        """Bodies that wait in memory leave no room for more: refused before they are sent; promises alone take none."""
        small = f"Content-Length: {100 << 10}"
        promised = self.crowd(
            10,
            "127.0.0.1",
            self.head("PUT", "/bucket/bad", "Content-Length: 1000000000"),
        )
        sent = self.crowd(
            3,
            "127.0.0.1",
            self.head("PUT", "/bucket/bad", f"Content-Length: {900 << 10}")
            + bytes(899 << 10),
        )
        self.until(13, "ozgate_requests_in_flight")
        deadline = time.monotonic() + 60
        with self.talk() as talk:
            while True:
                # The bytes of the three are on their way: in the end they are there.
                talk.send(
                    self.head(
                        "PUT",
                        "/bucket/other",
                        "Content-Length: 1000000",
                        "Expect: 100-continue",
                    )
                )
                heard = talk.hear()
                if heard.status == 503:
                    break
                self.assertLess(time.monotonic(), deadline)
                talk.socket.close()
                talk = self.talk()
            self.assertEqual(heard.code, "SlowDown")
            self.assertEqual(talk.rest(), b"")
        with self.talk() as talk:
            talk.send(self.head("PUT", "/bucket/kept", small, "Expect: 100-continue"))
            self.assertEqual(talk.hear().status, 100)
            talk.send(bytes(100 << 10))
            self.assertEqual(talk.hear().status, 200)
        self.leave(promised + sent)
        self.until(0, "ozgate_requests_in_flight")
        self.assertEqual(
            self.server.request("PUT", "/bucket/kept", body=b"kept")[0], 200
        )
        self.assertGreater(
            metric(self.server, 'ozgate_refused_total{limit="inflight-bytes"}'), 0
        )

    def test_descriptors(self) -> None:
        """The service may have as many files open as the operating system lets it."""
        assert self.server.process is not None
        soft, hard = resource.prlimit(self.server.process.pid, resource.RLIMIT_NOFILE)
        self.assertEqual(soft, hard)
