"""Requests that race each other and an eager reaper, on a real server."""

# ruff: noqa: B023
# Whatever runs in a thread has ended before a loop goes on.

from __future__ import annotations

import hashlib
import os
import re
import socket
import struct
import threading
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from ozgate.values import EXTENTS_AT_ONCE
from tests.crash.races import MIB, RaceCase, race

RACERS = 32


class RaceTests(RaceCase):
    """Requests against each other, and against the reaper."""

    # Creators

    def test_creators(self) -> None:
        """Of 32 racing creators exactly one gets 200 and the others 412, whether bodies are in rows or in blobs."""
        for size in (0, 100, 100_000):
            key = f"key-{size}"
            bodies = [b"%02d" % number * (size // 2) for number in range(RACERS)]
            statuses = race(
                [
                    lambda body=body: self.put(key, body, If_None_Match="*")
                    for body in bodies
                ]
            )
            self.assertEqual(sorted(statuses), [200] + [412] * (RACERS - 1))
            self.assertEqual(self.get(key), bodies[statuses.index(200)])
        self.wait_for(lambda: len(self.blob_files()) == 1, "the losers' bytes")

    def test_replacers(self) -> None:
        """Of 32 that replace what they have seen exactly one succeeds."""
        for size in (100, 100_000):
            self.put("key", b"x" * size)
            etag = f'"{hashlib.md5(b"x" * size).hexdigest()}"'
            bodies = [b"%02d" % number * (size // 2) for number in range(RACERS)]
            statuses = race(
                [
                    lambda body=body: self.put("key", body, If_Match=etag)
                    for body in bodies
                ]
            )
            self.assertEqual(sorted(statuses), [200] + [412] * (RACERS - 1))
            self.assertEqual(self.get("key"), bodies[statuses.index(200)])

    def test_creators_by_every_road(self) -> None:
        """PutObject, CopyObject and CompleteMultipartUpload race for a key: one makes it."""
        self.put("source", b"copied" * 20_000)
        uploads = [self.upload("key", b"part%d" % n) for n in range(4)]
        condition = {"If_None_Match": "*"}
        actions: list[Callable[[], Any]] = [
            lambda upload=upload: self.complete("key", *upload, **condition)[0]
            for upload in uploads
        ]
        for n in range(4):
            actions.append(
                lambda n=n: self.put("key", b"put%d" % n * 30_000, **condition)
            )
            actions.append(
                lambda: self.answer(
                    "PUT",
                    "key",
                    x_amz_copy_source=f"/{self.bucket}/source",
                    **condition,
                )[0]
            )
        statuses = race(actions)
        self.assertEqual(sorted(statuses), [200] + [412] * 11)
        self.assertIsNotNone(self.get("key"))
        for upload_id, _ in uploads:
            self.answer("DELETE", f"key?uploadId={upload_id}")

    # Uploads

    def test_complete_repeated(self) -> None:
        """A Complete sent eight times at once gets the same answer each time."""
        parts = [os.urandom(5 * MIB), os.urandom(100)]
        upload = self.upload("key", *parts)
        answers = race([lambda: self.complete("key", *upload) for _ in range(8)])
        self.assertEqual(len(set(answers)), 1)
        self.assertEqual(answers[0][0], 200)
        self.assertEqual(self.get("key"), b"".join(parts))
        self.assertEqual(self.complete("key", *upload), answers[0])

    def test_complete_against_abort(self) -> None:
        """Complete, Abort and UploadPart race: the object is whole or absent, as the answers say."""
        outcomes = set()
        for turn in range(12):
            key = f"key-{turn}"
            body = os.urandom(70_000)
            upload_id, document = self.upload(key, body)
            one_part = f"{key}?partNumber=1&uploadId={upload_id}"
            actions: list[Callable[[], Any]] = [
                lambda: self.complete(key, upload_id, document)[0],
                lambda: self.answer("DELETE", f"{key}?uploadId={upload_id}")[0],
                lambda: self.answer("PUT", one_part, b"another" * 20_000)[0],
            ]
            if turn % 2:
                actions.reverse()
            results = race(actions)
            completed, aborted, _ = results[::-1] if turn % 2 else results
            outcomes.add(completed)
            self.assertIn(completed, (200, 400, 404))
            self.assertEqual(self.get(key), body if completed == 200 else None)
            self.assertEqual(aborted, 404 if completed == 200 else 204)
            self.assertEqual(self.answer("GET", f"{key}?uploadId={upload_id}")[0], 404)

    def test_part_sent_twice(self) -> None:
        """Of two bodies sent at once as one part, the last wins, wholly; the other's bytes go."""
        bodies = [os.urandom(200_000) for _ in range(8)]
        upload_id, _ = self.upload("key")
        race(
            [lambda body=body: self.part("key", upload_id, 1, body) for body in bodies]
        )
        listed = self.answer("GET", f"key?uploadId={upload_id}")[2].decode()
        etag = re.findall("<ETag>(.*?)</ETag>", listed)[0].replace("&quot;", '"')
        document = (
            "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber>"
            f"<ETag>{etag}</ETag></Part></CompleteMultipartUpload>"
        )
        self.assertEqual(self.complete("key", upload_id, document.encode())[0], 200)
        body = self.get("key")
        self.assertIn(body, bodies)
        self.assertEqual(hashlib.md5(body or b"").hexdigest(), etag.strip('"'))
        self.wait_for(lambda: len(self.blob_files()) == 1, "the other bodies")

    # Buckets

    def test_put_against_delete_bucket(self) -> None:
        """A bucket is deleted or an object is put in it, never both."""
        for turn in range(10):
            name = f"short-{uuid4().hex}"
            target = f"/{name}"
            size = 100 if turn % 2 else 100_000
            self.assertEqual(self.server.request("PUT", target)[0], 200)
            statuses = race(
                [
                    lambda: self.server.request("DELETE", target)[0],
                    lambda: self.server.request(
                        "PUT", f"{target}/key", {}, b"x" * size
                    )[0],
                ]
            )
            self.assertIn(statuses, ([204, 404], [409, 200]))
            found = self.server.request("GET", f"{target}/key")
            if statuses[1] == 200:
                self.assertEqual((found[0], len(found[2])), (200, size))
                self.server.request("DELETE", f"{target}/key")
                self.server.request("DELETE", target)
            else:
                self.assertEqual(found[0], 404)

    # The reaper

    def test_copy_against_overwrite(self) -> None:
        """A copy of what is overwritten and deleted at that moment has all its bytes, or there is none."""
        stop = threading.Event()

        def churn() -> None:
            while not stop.is_set():
                self.put("source", os.urandom(8) * 10_000)
                self.put("source", os.urandom(8) * 10_000)
                self.delete("source")

        churning = threading.Thread(target=churn, daemon=True)
        churning.start()
        copied, deadline = 0, time.monotonic() + 60
        headers = {"x_amz_copy_source": f"/{self.bucket}/source"}
        try:
            while copied < 40 and time.monotonic() < deadline:
                status = self.answer("PUT", f"copy-{copied % 5}", **headers)[0]
                self.assertIn(status, (200, 404))
                copied += status == 200
                for number in range(min(copied, 5)):
                    self.assertIsNotNone(self.get(f"copy-{number}"))
        finally:
            stop.set()
            churning.join(30)
        self.assertGreater(copied, 5)

    def test_read_against_overwrite(self) -> None:
        """Reads of what is overwritten all the time give one whole version, while the reaper is at it."""
        parts = [(b"%d" % n) * (5 * MIB) for n in range(3)]
        upload = self.upload("key", *parts)
        self.complete("key", *upload)
        self.answer("PUT", "kept", x_amz_copy_source=f"/{self.bucket}/key")

        over = threading.Event()

        def overwrite() -> None:
            try:
                for _ in range(40):
                    self.put("key", os.urandom(8) * 50_000)
                    self.answer("PUT", "key", x_amz_copy_source=f"/{self.bucket}/kept")
            finally:
                over.set()

        def read() -> int:
            count = 0
            while not over.is_set():
                body = self.get("key")
                assert body is not None
                if len(body) != 400_000:
                    self.assertTrue(body == b"".join(parts))
                count += 1
            return count

        results = race([overwrite, read, read, read])
        self.assertIsNone(results[0])
        for result in results[1:]:
            self.assertIsInstance(result, int)

    def test_slow_reader(self) -> None:
        """A slow GET of three extents gets all of them, though the object is overwritten and the reaper comes by."""
        parts = [os.urandom(5 * MIB) for _ in range(3)]
        upload = self.upload("key", *parts)
        self.assertEqual(self.complete("key", *upload)[0], 200)
        with self.slow_get("key") as connection:
            received = connection.recv(65536)
            self.assertEqual(self.put("key", b"new" * 30_000), 200)
            self.assertEqual(self.delete("key"), 204)
            pause = time.monotonic() + 2
            while time.monotonic() < pause:
                received += connection.recv(4096)
                time.sleep(0.05)
            while data := connection.recv(1 << 20):
                received += data
        head, _, body = received.partition(b"\r\n\r\n")
        self.assertTrue(head.startswith(b"HTTP/1.1 200"), head)
        self.assertTrue(body == b"".join(parts), len(body))
        self.wait_for(lambda: not self.blob_files(), "the reaper never came by")

    def test_slow_reader_of_many(self) -> None:
        """A slow GET of more extents than are read at once gets all of them, though all that named their bytes is gone."""
        body = os.urandom(5 * MIB)
        self.assertEqual(self.put("source", body), 200)
        count = EXTENTS_AT_ONCE + 2
        created = self.answer("POST", "key?uploads=")[2].decode()
        upload_id = re.findall("<UploadId>(.*?)</UploadId>", created)[0]
        source = f"/{self.bucket}/source"
        listed = ""
        for number in range(1, count + 1):
            target = f"key?partNumber={number}&uploadId={upload_id}"
            copied = self.answer("PUT", target, x_amz_copy_source=source)[2].decode()
            etag = re.findall("<ETag>(.*?)</ETag>", copied)[0]
            listed += (
                f"<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"
            )
        document = f"<CompleteMultipartUpload>{listed}</CompleteMultipartUpload>"
        self.assertEqual(self.complete("key", upload_id, document.encode())[0], 200)
        with self.slow_get("key") as connection:
            head = b""
            while b"\r\n\r\n" not in head:
                head += connection.recv(1000)
            self.assertEqual(self.delete("source"), 204)
            self.assertEqual(self.put("key", b"new" * 30_000), 200)
            self.assertEqual(self.delete("key"), 204)
            time.sleep(2)
            head, _, received = head.partition(b"\r\n\r\n")
            digest, length = hashlib.md5(received), len(received)
            while data := connection.recv(1 << 20):
                digest.update(data)
                length += len(data)
        self.assertTrue(head.startswith(b"HTTP/1.1 200"), head)
        self.assertEqual(length, count * len(body))
        self.assertEqual(digest.digest(), hashlib.md5(body * count).digest())
        self.wait_for(lambda: not self.blob_files(), "the reaper never came by")

    # Clients that vanish

    def test_clients_that_vanish(self) -> None:
        """A client that goes at any point of a PUT leaves the old object or the new one, and no other bytes."""
        old, new = b"old" * 50_000, b"new" * 400_000
        self.put("key", old)
        head = self.server.head(
            "PUT", f"/{self.bucket}/key", unsigned=(f"Content-Length: {len(new)}",)
        )
        for sent in (0, 1, 65_535, 600_000, len(new) - 1, *[len(new)] * 12):
            with self.server.connect() as connection:
                connection.sendall(head + new[:sent])
                if sent % 2:
                    reset = struct.pack("ii", 1, 0)
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
            found = self.get("key")
            self.assertIn(found, (old, new) if sent == len(new) else (old,))
        self.wait_for(lambda: self.get("key") == new, "what was wholly sent")
        self.wait_for(lambda: len(self.blob_files()) == 1, "bytes of broken uploads")

    def test_uploaders_that_vanish(self) -> None:
        """Clients that go while their parts and their Complete are worked on: all or nothing, and again it works."""
        parts = [os.urandom(5 * MIB), os.urandom(300_000)]
        for turn in range(4):
            key = f"key-{turn}"
            upload_id, document = self.upload(key, *parts)
            target = f"/{self.bucket}/{key}?uploadId={upload_id}"
            length = f"Content-Length: {len(document)}"
            head = self.server.head("POST", target, unsigned=(length,))
            with self.server.connect() as connection:
                connection.sendall(head + document)
            self.assertEqual(self.complete(key, upload_id, document)[0], 200)
            self.assertTrue(self.get(key) == b"".join(parts))
            self.delete(key)
