"""Clients that stop in the middle of a request, over raw sockets against the real service."""

from __future__ import annotations

import os
import time

from tests.service.talking import EXPECT, TalkCase, md5


class GoneTests(TalkCase):
    """21: clients that stop in the middle. No file, no key, no error in the log."""

    def uploads(self, size: int) -> list[bytes]:
        """Heads of requests with a body of that size: an object, an object in chunks, a document."""
        length = f"Content-Length: {size}"
        chunked = self.server.head(
            "PUT",
            "/bucket/bad",
            {"x-amz-decoded-content-length": str(size)},
            ("Transfer-Encoding: chunked",),
            "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        )
        coded = b"%x\r\n" % size
        return [
            self.head("PUT", "/bucket/bad", length),
            self.head("PUT", "/bucket/bad", length, EXPECT),
            chunked + b"%x\r\n%b" % (size + len(coded), coded),
            self.head("POST", "/bucket?delete", length, content_md5=md5(b"")),
        ]

    def assert_nothing_left(self) -> None:
        """In the end the service has no blob open, and no request under way."""
        assert self.server.process is not None
        folder = f"/proc/{self.server.process.pid}/fd"
        deadline = time.monotonic() + 60
        while True:
            links = []
            for name in os.listdir(folder):
                try:
                    links.append(os.readlink(f"{folder}/{name}"))
                except FileNotFoundError:
                    continue
            left = [
                each for each in links if "/blobs/" in each and "FORMAT" not in each
            ]
            if not left:
                return
            self.assertLess(time.monotonic(), deadline, left)
            time.sleep(0.01)

    def test_half_closed(self) -> None:
        """Who stops in mid-body and still listens hears IncompleteBody, whatever the size; nothing is stored."""
        for size in (100, 100_000, 3_000_000):
            for head in self.uploads(size):
                with self.talk() as talk:
                    talk.send(head)
                    talk.send(b"x" * (size // 2))
                    talk.end()
                    heard = talk.hear()
                    if heard.status == 100:
                        heard = talk.hear()
                    self.assertEqual(
                        (heard.status, heard.code), (400, "IncompleteBody")
                    )
                    self.assertEqual(talk.rest(), b"")
        self.assert_nothing_left()

    def test_reset(self) -> None:
        """A reset in mid-body leaves nothing."""
        for size in (100, 100_000, 3_000_000):
            for head in self.uploads(size):
                talk = self.talk()
                talk.send(head + b"x" * (size // 2))
                talk.reset()
        self.assert_nothing_left()

    def test_gone_after_the_head(self) -> None:
        """CVE-2019-10222: a client that goes right after a valid head takes nothing down with it, nor one in mid-head."""
        heads = self.uploads(3_000_000)
        heads += [
            self.head(method, target)
            for method in ("GET", "HEAD", "DELETE", "POST", "PUT", "OPTIONS")
            for target in (
                "/",
                "/bucket?list-type=2",
                "/bucket/none",
                "/bucket/none?uploads",
            )
            if not (method == "POST" and target == "/bucket/none?uploads")
        ]
        for head in heads:
            for sent in (head, head[: len(head) // 2], head[:-1]):
                for leave in ("close", "reset", "end"):
                    talk = self.talk()
                    talk.send(sent)
                    getattr(talk.socket if leave == "close" else talk, leave)()
                    if leave == "end":
                        talk.rest()
                        talk.socket.close()
        self.assert_nothing_left()

    def test_half_closed_after_it(self) -> None:
        """Who says all and closes that half hears every answer."""
        with self.talk() as talk:
            talk.send(self.head("GET", "/bucket/kept") * 3)
            talk.end()
            self.assertEqual([talk.hear().body for _ in range(3)], [b"kept"] * 3)
            self.assertEqual(talk.rest(), b"")
