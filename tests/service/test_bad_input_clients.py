"""Clients that vanish or hardly move, against a real server: they are cut off, and nothing is changed."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import struct
import time

from tests.service.badinput import BadInputCase


class VanishingTests(BadInputCase):
    """Clients that go in the middle."""

    def leave(self, send: bytes, *, reset: bool) -> None:
        """Send the start of something, then go."""
        connection = self.server.connect()
        connection.sendall(send)
        time.sleep(0.05)
        if reset:
            connection.setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
            )
        connection.close()

    def test_in_mid_body(self) -> None:
        """Gone in mid-body, politely or not, small or large: nothing is kept and no file is left."""
        for total in (10_000, 10_000_000):
            head = self.server.head(
                "PUT", "/bucket/bad", unsigned=(f"Content-Length: {total}",)
            )
            for reset in (False, True):
                self.leave(head + b"x" * (total // 2), reset=reset)
        deadline = time.monotonic() + 60
        while self.open_blobs() and time.monotonic() < deadline:
            time.sleep(0.05)
        self.assertEqual(self.open_blobs(), [])

    def open_blobs(self) -> list[str]:
        """Files below the data folder's blobs that the server holds open."""
        assert self.server.process is not None
        folder = f"/proc/{self.server.process.pid}/fd"
        links = []
        for name in os.listdir(folder):
            # One may be closed by now.
            with contextlib.suppress(FileNotFoundError):
                links.append(os.readlink(os.path.join(folder, name)))
        return [
            link for link in links if "/blobs" in link and not link.endswith("/FORMAT")
        ]

    def test_after_the_head(self) -> None:
        """Gone right after the head, or in the middle of it."""
        head = self.server.head("PUT", "/bucket/bad", unsigned=("Content-Length: 5",))
        self.leave(head, reset=True)
        self.leave(head[: len(head) // 2], reset=True)

    def test_while_reading(self) -> None:
        """Gone while the answer is under way."""
        self.assertEqual(
            self.server.request("PUT", "/bucket/large", body=b"x" * 20_000_000)[0], 200
        )
        try:
            self.leave(self.server.head("GET", "/bucket/large"), reset=True)
            self.leave(self.server.head("GET", "/bucket/large"), reset=False)
        finally:
            self.server.request("DELETE", "/bucket/large")


class SlowTests(BadInputCase):
    """Clients that hardly move: a floor on progress, not only on idleness."""

    settings = (
        "ozgate.http.header-timeout=1s",
        "ozgate.http.progress-window=1s",
        "ozgate.http.minimum-rate=1024",
        "hadoop.http.idle_timeout.ms=60000",
    )

    def drip(self, start: bytes, drop: bytes) -> bytes:
        """Send a start, then a drop every 200 ms until the server has enough of it (20 s at most)."""
        with self.server.connect() as connection:
            connection.sendall(start)
            connection.settimeout(0.2)
            received, deadline = b"", time.monotonic() + 20
            while time.monotonic() < deadline:
                try:
                    data = connection.recv(65536)
                    if not data:
                        return received
                    received += data
                except TimeoutError:
                    try:
                        connection.sendall(drop)
                    except OSError:
                        return received
                except OSError:
                    return received
        raise AssertionError("the server goes on waiting")

    def test_headers(self) -> None:
        """A head that trickles in is cut off."""
        self.drip(b"GET /bucket HTTP/1.1\r\nHost: x\r\n", b"X-A: b\r\n")

    def test_body(self) -> None:
        """A body that trickles in is cut off, though the connection is never idle."""
        head = self.server.head(
            "PUT", "/bucket/bad", unsigned=("Content-Length: 100000",)
        )
        answer = self.drip(head, b"x")
        self.assert_error(answer, 400, "RequestTimeout")

    def test_reader(self) -> None:
        """Who takes the answer by drops is cut off, too."""
        self.assertEqual(
            self.server.request("PUT", "/bucket/large", body=b"x" * 30_000_000)[0], 200
        )
        try:
            with self.server.connect() as connection:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                connection.sendall(self.server.head("GET", "/bucket/large"))
                poll = select.poll()
                poll.register(connection, 0)
                deadline = time.monotonic() + 60
                # What had arrived before the reset can still be read: only poll tells at once.
                while not poll.poll(200):
                    self.assertLess(time.monotonic(), deadline, "it goes on sending")
                    connection.recv(64)
        finally:
            self.server.request("DELETE", "/bucket/large")
