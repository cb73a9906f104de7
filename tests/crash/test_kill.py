"""kill -9 at any moment: nothing acknowledged is lost, nothing half made is shown."""

from __future__ import annotations

import hashlib
import http.client
import os
import random
import re
import tempfile
import threading
import time

from twisted.trial.unittest import SynchronousTestCase

from tests.running import Server

SIZES = (0, 1, 4096, 65536, 65537, 300_000, 3_000_000)
"""Bodies in the metadata row, at its border, and in blobs."""


class Writer(threading.Thread):
    """Puts, overwrites and deletes keys of its own until the server is gone.

    :ivar acknowledged: what each key must hold: a digest, or ``None`` for absent.
    :ivar doubtful: the key whose last request got no answer, with what it would have become.
    """

    def __init__(self, server: Server, number: int, seed: int) -> None:
        super().__init__(daemon=True)
        self.server = server
        self.prefix = f"writer-{number}"
        self.random = random.Random(seed * 1000 + number)
        self.acknowledged: dict[str, str | None] = {}
        self.doubtful: dict[str, str | None] = {}
        self.refusals: list[tuple[int, bytes]] = []

    def run(self) -> None:
        """Work until the connection breaks."""
        while True:
            key = f"{self.prefix}/{self.random.randrange(12)}"
            delete = self.random.random() < 0.2
            body = b""
            if not delete:
                size = self.random.choice(SIZES)
                body = self.random.randbytes(min(size, 4096)) * (size // 4096 + 1)
                body = body[:size]
            meant = None if delete else hashlib.md5(body).hexdigest()
            try:
                status, _, answer = self.server.request(
                    "DELETE" if delete else "PUT", f"/bucket/{key}", {}, body
                )
            except (OSError, http.client.HTTPException):
                self.doubtful[key] = meant
                return
            if status not in (200, 204):
                self.refusals.append((status, answer))
                return
            self.acknowledged[key] = meant


class KillTests(SynchronousTestCase):
    """A real server, really killed, again and again on the same data."""

    def setUp(self) -> None:
        """A server on empty data with one bucket."""
        folder = tempfile.TemporaryDirectory(prefix="ozgate-crash-")
        self.addCleanup(folder.cleanup)
        self.server = Server(
            os.path.join(folder.name, "data"),
            "ozgate.sweep.delay=0s",
            "ozgate.sweep.interval=1s",
        )
        self.server.start()
        self.addCleanup(lambda: self.server.kill())
        self.assertEqual(self.server.request("PUT", "/bucket")[0], 200)
        self.expected: dict[str, str | None] = {}

    def digest(self, key: str) -> str | None:
        """The MD5 of what a key holds, which must be its ETag; ``None`` when it is absent."""
        status, headers, body = self.server.request("GET", f"/bucket/{key}")
        if status == 404:
            return None
        self.assertEqual(status, 200, body[:300])
        found = hashlib.md5(body).hexdigest()
        self.assertEqual(headers["etag"], f'"{found}"')
        self.assertEqual(int(headers["content-length"]), len(body))
        return found

    def check(self, writers: list[Writer]) -> None:
        """Every acknowledged state is there; an unanswered request happened wholly or not at all."""
        doubtful: dict[str, str | None] = {}
        for writer in writers:
            self.assertEqual(writer.refusals, [])
            self.expected.update(writer.acknowledged)
            doubtful.update(writer.doubtful)
        for key in {**self.expected, **doubtful}:
            found = self.digest(key)
            allowed = {self.expected.get(key)}
            if key in doubtful:
                allowed.add(doubtful[key])
            self.assertIn(found, allowed, key)
            self.expected[key] = found

    def check_listing(self) -> None:
        """A list shows exactly the keys that can be read."""
        listing = self.server.request("GET", "/bucket?list-type=2")[2].decode()
        listed = set(re.findall("<Key>(.*?)</Key>", listing))
        there = {key for key, digest in self.expected.items() if digest is not None}
        self.assertEqual(listed, there)

    def test_load_and_kill(self) -> None:
        """Eight writers, five kills at random moments."""
        chance = random.Random(20261122)
        for turn in range(5):
            writers = [Writer(self.server, number, turn) for number in range(8)]
            for writer in writers:
                writer.start()
            time.sleep(0.3 + chance.random())
            self.server.kill()
            for writer in writers:
                writer.join(30)
            self.assertTrue(any(writer.acknowledged for writer in writers))
            self.server.start()
            self.check(writers)
            self.check_listing()

    def test_leftovers_are_swept(self) -> None:
        """Bytes of uploads that were cut off by a kill are gone soon after the next start."""
        head = self.server.head(
            "PUT", "/bucket/cut", unsigned=("Content-Length: 9000000",)
        )
        connections = [self.server.connect() for _ in range(4)]
        for connection in connections:
            connection.sendall(head + b"x" * 4_000_000)
        self.assertEqual(
            self.server.request("PUT", "/bucket/gone", body=b"y" * 100_000)[0], 200
        )
        self.assertEqual(self.server.request("DELETE", "/bucket/gone")[0], 204)
        self.server.kill()
        for connection in connections:
            connection.close()
        self.server.start()
        deadline = time.monotonic() + 30
        while (left := self.blob_files()) and time.monotonic() < deadline:
            time.sleep(0.2)
        self.assertEqual(left, [])
        self.assertEqual(self.digest("cut"), None)

    def blob_files(self) -> list[str]:
        """Files with bytes of objects below the data folder."""
        found = []
        for folder, _, names in os.walk(os.path.join(self.server.data, "blobs")):
            found += [
                os.path.join(folder, name)
                for name in names
                if name not in ("FORMAT", "NAME")
            ]
        return found

    def test_multipart_survives(self) -> None:
        """Parts that were acknowledged before a kill complete after it."""
        answer = self.server.request("POST", "/bucket/many?uploads=")[2].decode()
        upload_id = re.search("<UploadId>(.*?)</UploadId>", answer)[1]  # type: ignore[index]
        parts = [os.urandom(5 << 20), os.urandom(5 << 20), b"end"]
        listed = ""
        for number, part in enumerate(parts, 1):
            target = f"/bucket/many?partNumber={number}&uploadId={upload_id}"
            status, headers, _ = self.server.request("PUT", target, {}, part)
            self.assertEqual(status, 200)
            listed += f"<Part><PartNumber>{number}</PartNumber><ETag>{headers['etag']}</ETag></Part>"
            self.server.kill()
            self.server.start()
        document = (
            f"<CompleteMultipartUpload>{listed}</CompleteMultipartUpload>".encode()
        )
        target = f"/bucket/many?uploadId={upload_id}"
        first = self.server.request("POST", target, {}, document)
        self.assertEqual(first[0], 200, first[2])
        self.server.kill()
        self.server.start()
        again = self.server.request("POST", target, {}, document)
        self.assertEqual(again[0], 200, again[2])
        self.assertEqual(self.server.request("GET", "/bucket/many")[2], b"".join(parts))
