"""Too many clients at once against the real service: who is one too many is told so, and the others are served.

The same at its full size, with rates and memory, is ``benchmarks/slow_clients.py``.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import resource
import socket
import time

from ozgate.admin.localsocket import connect_local
from tests.running import Server
from tests.service.talking import TalkCase


def metric(server: Server, pattern: str) -> float:
    """A metric by a pattern of its name and labels, read over the admin socket; 0 where there is none."""
    connection = http.client.HTTPConnection("localhost", timeout=20)
    connection.sock = connect_local(server.data)
    with contextlib.closing(connection):
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
    found = re.search(f"^{pattern} (.*)$", text, re.M)
    return float(found[1]) if found else 0.0


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
