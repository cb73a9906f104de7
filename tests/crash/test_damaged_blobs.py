"""Blobs whose files are missing or cut short, on a real server."""

from __future__ import annotations

import http.client
import os
from pathlib import Path

from tests.crash.races import MIB, RaceCase


class DamageTests(RaceCase):
    """Blobs that are missing or cut short: a clean error or a cut connection, never a short success."""

    def file_of(self, body: bytes) -> Path:
        """The file of the blob with these bytes."""
        for path in self.blob_files():
            if path.read_bytes().startswith(body):
                return path
        raise AssertionError("there is no such file")

    def check_refused(self, key: str, **headers: str) -> None:
        """A GET is answered with an error document."""
        status, _, answer = self.answer("GET", key, **headers)
        self.assertEqual(status, 500, answer[:100])
        self.assertIn(b"<Code>InternalError</Code>", answer)

    def test_one_blob(self) -> None:
        """A blob that is cut by a byte, by half, or gone: 500, for the whole and for a range."""
        for size in (70_000, 300_000, 3_000_000):
            body = os.urandom(size)
            self.put("key", body)
            path = self.file_of(body)
            for length in (path.stat().st_size - 1, size // 2, 0):
                os.truncate(path, length)
                self.check_refused("key")
                self.check_refused("key", Range="bytes=0-9")
            path.unlink()
            self.check_refused("key")
            self.assertEqual(self.answer("HEAD", "key")[0], 200)

    def test_one_of_many(self) -> None:
        """With a later extent damaged what came before is sent and the connection is cut."""
        for small in (False, True):
            key = f"key-{small}"
            parts = [os.urandom(5 * MIB), os.urandom(30_000 if small else 400_000)]
            upload = self.upload(key, *parts)
            self.complete(key, *upload)
            path = self.file_of(parts[1])
            for break_it in (lambda p=path: os.truncate(p, 10), path.unlink):
                break_it()
                with self.assertRaises((http.client.IncompleteRead, ConnectionError)):
                    self.answer("GET", key)
                self.check_refused(key, Range=f"bytes={5 * MIB}-")
                status, _, found = self.answer(
                    "GET", key, Range=f"bytes=0-{5 * MIB - 1}"
                )
                self.assertEqual(status, 206)
                self.assertTrue(found == parts[0])

    def test_cut_while_it_is_sent(self) -> None:
        """A file that is cut under a slow reader: the connection is cut too."""
        body = os.urandom(12 * MIB)
        self.put("key", body)
        path = self.file_of(body)
        with self.slow_get("key") as connection:
            received = connection.recv(65536)
            os.truncate(path, 6 * MIB)
            try:
                while data := connection.recv(1 << 20):
                    received += data
            except ConnectionResetError:
                pass
        self.assertLess(len(received), len(body))
        found = received.partition(b"\r\n\r\n")[2]
        self.assertTrue(body.startswith(found))
