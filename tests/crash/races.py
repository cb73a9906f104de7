"""Requests sent at the same time to a real server, whose reaper is eager."""

from __future__ import annotations

import hashlib
import re
import socket
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

from twisted.trial.unittest import SynchronousTestCase

from tests.running import Server, shared_server

EAGER = ("ozgate.sweep.delay=0s", "ozgate.sweep.interval=200ms")
MIB = 1 << 20


def race(actions: Sequence[Callable[[], Any]]) -> list[Any]:
    """Do all at once, each in a thread, and give what each gave."""
    barrier = threading.Barrier(len(actions))
    results: list[Any] = [None] * len(actions)

    def run(number: int) -> None:
        barrier.wait()
        try:
            results[number] = actions[number]()
        except Exception as error:
            results[number] = error

    threads = [
        threading.Thread(target=run, args=(number,), daemon=True)
        for number in range(len(actions))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results


class RaceCase(SynchronousTestCase):
    """One bucket for each test, on one server whose reaper comes all the time and waits for nothing."""

    server: Server

    def setUp(self) -> None:
        """Make a bucket."""
        self.server = shared_server(*EAGER)
        self.bucket = f"race-{uuid4().hex}"
        self.assertEqual(self.server.request("PUT", f"/{self.bucket}")[0], 200)

    def tearDown(self) -> None:
        """Empty the bucket; nothing may be left of it on the disk."""
        listing = self.server.request("GET", f"/{self.bucket}?list-type=2")[2].decode()
        for key in re.findall("<Key>(.*?)</Key>", listing):
            self.delete(key)
        self.server.request("DELETE", f"/{self.bucket}")
        self.wait_for(lambda: not self.blob_files(), "bytes without a name")

    # Requests

    def put(self, key: str, body: bytes, **headers: str) -> int:
        """PUT; the status."""
        return self.answer("PUT", key, body, **headers)[0]

    def get(self, key: str) -> bytes | None:
        """GET; ``None`` for 404. The body must be what its ETag says, where that is an MD5."""
        status, headers, body = self.server.request("GET", f"/{self.bucket}/{key}")
        if status == 404:
            return None
        self.assertEqual(status, 200, body[:300])
        etag = headers["etag"].strip('"')
        if "-" not in etag:
            self.assertEqual(hashlib.md5(body).hexdigest(), etag)
        return body

    def delete(self, key: str) -> int:
        """DELETE; the status."""
        return self.answer("DELETE", key)[0]

    def answer(
        self, method: str, target: str, body: bytes = b"", **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        """One request of a key in the bucket."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.server.request(method, f"/{self.bucket}/{target}", named, body)

    def upload(self, key: str, *parts: bytes) -> tuple[str, bytes]:
        """Begin an upload and send parts; its id, and the document that completes it."""
        created = self.answer("POST", f"{key}?uploads=")[2].decode()
        upload_id = re.findall("<UploadId>(.*?)</UploadId>", created)[0]
        listed = ""
        for number, part in enumerate(parts, 1):
            etag = self.part(key, upload_id, number, part)
            listed += (
                f"<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"
            )
        document = f"<CompleteMultipartUpload>{listed}</CompleteMultipartUpload>"
        return upload_id, document.encode()

    def part(self, key: str, upload_id: str, number: int, body: bytes) -> str:
        """Send a part; its ETag."""
        target = f"{key}?partNumber={number}&uploadId={upload_id}"
        status, headers, answer = self.answer("PUT", target, body)
        self.assertEqual(status, 200, answer)
        return headers["etag"]

    def complete(
        self, key: str, upload_id: str, document: bytes, **headers: str
    ) -> Any:
        """Complete; status and ETag."""
        status, _, answer = self.answer(
            "POST", f"{key}?uploadId={upload_id}", document, **headers
        )
        return status, *re.findall(b"<ETag>(.*?)</ETag>", answer)

    # Files

    def blob_files(self) -> list[Path]:
        """Files with bytes of objects, those being written among them."""
        blobs = Path(self.server.data, "blobs")
        return [
            path
            for path in blobs.rglob("*")
            if path.is_file() and path.name not in ("FORMAT", "NAME")
        ]

    def wait_for(self, condition: Callable[[], bool], what: str) -> None:
        """Until something holds, at most 20 seconds."""
        deadline = time.monotonic() + 60
        while not condition():
            self.assertLess(time.monotonic(), deadline, what)
            time.sleep(0.1)

    def slow_get(self, key: str) -> socket.socket:
        """A GET sent on a connection with a small window, which closes after the answer."""
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
        connection.settimeout(30)
        connection.connect(("127.0.0.1", self.server.port))
        target = f"/{self.bucket}/{key}"
        connection.sendall(self.server.head("GET", target, {"Connection": "close"}))
        return connection
