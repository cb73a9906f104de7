"""Slow clients against the real service: each is cut by its rule, and the others are served.

The same at its full size, with rates and memory, is ``benchmarks/slow_clients.py``.
"""

from __future__ import annotations

import atexit
import os
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

from ozgate.cli.tls import LOCAL, make_pair
from tests.running import free_port
from tests.service.talking import Talk, TalkCase

LARGE = 16 << 20


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
