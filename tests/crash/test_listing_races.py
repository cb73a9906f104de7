"""Lists, uploads and buckets that change while they are asked for, on a real server with an eager reaper."""

# ruff: noqa: B023
# Whatever runs in a thread has ended before a loop goes on.

from __future__ import annotations

import hashlib
import os
import random
import re
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from tests.crash.races import RaceCase, race

_ROW = re.compile(
    "<(?:Contents|Version|CommonPrefixes)><(Key|Prefix)>(.*?)</(?:Key|Prefix)>"
)

LASTING = [f"{folder}/{n:02}" for folder in ("a", "b", "b+", "c") for n in range(9)]
"""Keys that are there all the time."""


class ListingTests(RaceCase):
    """Pages, while keys come and go around those that stay."""

    def setUp(self) -> None:
        """Put what stays, and have a writer at work."""
        super().setUp()
        for key in LASTING:
            self.assertEqual(self.put(quote(key), b"lasting"), 200)
        self.passing = Counter[str]()
        self.stop = threading.Event()
        self.writer = threading.Thread(target=self.churn, daemon=True)
        self.writer.start()
        self.addCleanup(self.end)

    def end(self) -> None:
        """Have the writer stop."""
        self.stop.set()
        self.writer.join(30)

    def tearDown(self) -> None:
        """Nothing may be left; the writer is at rest by then."""
        self.end()
        for key in [*LASTING, *self.passing]:
            self.delete(quote(key))
        super().tearDown()

    def churn(self) -> None:
        """Put and delete keys between those that stay, in new folders too."""
        chance = random.Random(16)
        while not self.stop.is_set():
            key = chance.choice(LASTING) + chance.choice(("", "", "/x", "0", "!"))
            if key in LASTING:
                # Overwritten: it is there throughout, and has one row before and after.
                self.put(quote(key), b"lasting", x_amz_meta_n="1")
            elif self.passing[key] % 2:
                self.delete(quote(key))
                self.passing[key] += 1
            else:
                self.put(quote(key), b"passing")
                self.passing[key] += 1

    def pages(self, query: str, after: str, going_on: str) -> list[tuple[str, str]]:
        """All pages of a listing: element and name, in the order they came.

        :param after: the element of a page that says where the next begins.
        :param going_on: the parameter that takes it.
        """
        found: list[tuple[str, str]] = []
        token = ""
        while True:
            asked = f"?{query}" + (
                f"&{going_on}={quote(token, safe='')}" if token else ""
            )
            status, _, answer = self.answer("GET", asked)
            self.assertEqual(status, 200, answer)
            text = answer.decode()
            page = _ROW.findall(text)
            self.assertLessEqual(len(page), 5, "more than max-keys")
            found += page
            if "<IsTruncated>true</IsTruncated>" not in text:
                return found
            token = re.findall(f"<{after}>(.*?)</{after}>", text)[0]

    def check(
        self, found: list[tuple[str, str]], expected: list[tuple[str, str]]
    ) -> None:
        """Each in order and once, those that stayed all the time among them."""
        self.assertEqual(len(found), len(set(found)), "twice")
        missed = set(expected) - set(found)
        self.assertEqual(missed, set())

    def listed(self, count: int, look: Callable[[], None]) -> None:
        """Look again and again, until the writer has changed much meanwhile."""
        before = self.passing.total()
        turns = 0
        while turns < count or self.passing.total() < before + 30:
            look()
            turns += 1
            self.assertTrue(self.writer.is_alive())

    def test_keys(self) -> None:
        """No key that is there throughout is missed or doubled over continuation tokens."""
        expected = [("Key", key) for key in LASTING]

        def look() -> None:
            query = "list-type=2&max-keys=5"
            token = "NextContinuationToken", "continuation-token"
            found = self.pages(query, *token)
            self.check(found, expected)
            names = [name.encode() for _, name in found]
            self.assertEqual(names, sorted(names))

        self.listed(6, look)

    def test_markers(self) -> None:
        """Nor over the markers of the older listings."""
        expected = [("Key", key) for key in LASTING]

        def look() -> None:
            query = "versions&max-keys=5"
            self.check(self.pages(query, "NextKeyMarker", "key-marker"), expected)

        self.listed(6, look)

    def test_folders(self) -> None:
        """Nor are common prefixes, wherever a page ends."""
        folders = [("Prefix", f"{folder}/") for folder in ("a", "b", "b+", "c")]
        below = [("Key", key) for key in LASTING if key.startswith("b/")]

        def look() -> None:
            for most in range(1, 5):
                query = f"list-type=2&delimiter=/&max-keys={most}"
                token = "NextContinuationToken", "continuation-token"
                self.check(self.pages(query, *token), folders)
            found = self.pages("list-type=2&delimiter=/&prefix=b/&max-keys=3", *token)
            self.check(found, below)

        self.listed(2, look)


class UploadRaceTests(RaceCase):
    """Parts that come while an upload ends."""

    def test_parts_against_complete(self) -> None:
        """A Complete that races other bodies of its part takes the one it lists, whole, or says that it is another."""
        outcomes = Counter[int]()
        for turn in range(12):
            key = f"key-{turn}"
            body, other = os.urandom(70_000), os.urandom(90_000)
            upload_id, document = self.upload(key, body)
            target = f"{key}?partNumber=1&uploadId={upload_id}"
            actions: list[Callable[[], Any]] = [
                lambda: self.complete(key, upload_id, document),
                lambda: self.answer("PUT", target, other)[0],
                lambda: self.answer("PUT", target, other)[0],
            ]
            chosen = turn % 3
            actions[0], actions[chosen] = actions[chosen], actions[0]
            results = race(actions)
            completed = results[chosen]
            parts = [each for each in results if each is not completed]
            outcomes[completed[0]] += 1
            self.assertIn(completed[0], (200, 400))
            if completed[0] == 200:
                self.assertTrue(self.get(key) == body)
                self.assertTrue(set(parts) <= {200, 404}, parts)
                # Its answer lost, it is sent again.
                self.assertEqual(self.complete(key, upload_id, document), completed)
            else:
                self.assertEqual(parts, [200, 200])
                self.assertIsNone(self.get(key))
                etag = hashlib.md5(other).hexdigest()
                again = re.sub(
                    b"<ETag>.*?</ETag>", f"<ETag>{etag}</ETag>".encode(), document
                )
                self.assertEqual(self.complete(key, upload_id, again)[0], 200)
                self.assertTrue(self.get(key) == other)
        self.assertEqual(outcomes.total(), 12)

    def test_complete_against_other_lists(self) -> None:
        """Of Completes at once with other lists one makes the object; the others find no upload any more."""
        for turn in range(4):
            key = f"key-{turn}"
            bodies = [os.urandom(5 << 20), os.urandom(1000)]
            upload_id, document = self.upload(key, *bodies)
            rows = re.findall(b"<Part>.*?</Part>", document)
            documents = [
                b"<CompleteMultipartUpload>%s</CompleteMultipartUpload>" % listed
                for listed in (rows[0], rows[1], rows[0] + rows[1])
            ]
            results = race(
                [lambda d=d: self.complete(key, upload_id, d) for d in documents]
            )
            won = [n for n, result in enumerate(results) if result[0] == 200]
            self.assertEqual(len(won), 1, results)
            self.assertEqual({result[0] for result in results}, {200, 404})
            expected = (bodies[0], bodies[1], b"".join(bodies))[won[0]]
            self.assertTrue(self.get(key) == expected)
            for number, each in enumerate(documents):
                again = self.complete(key, upload_id, each)
                self.assertEqual(again[0], 200 if number in won else 404)

    def test_uploads_against_delete_bucket(self) -> None:
        """A bucket goes while parts come to it and uploads end: an object holds it, parts do not; no bytes are left."""
        for _ in range(8):
            name = f"short-{uuid4().hex}"
            bucket, self.bucket = self.bucket, name
            self.assertEqual(self.server.request("PUT", f"/{name}")[0], 200)
            upload_id, document = self.upload("key", os.urandom(70_000))
            other, _ = self.upload("other", os.urandom(70_000))
            target = f"other?partNumber=2&uploadId={other}"
            removed, completed, part = race(
                [
                    lambda: self.server.request("DELETE", f"/{name}")[0],
                    lambda: self.complete("key", upload_id, document)[0],
                    lambda: self.answer("PUT", target, b"x" * 70_000)[0],
                ]
            )
            self.assertIn((removed, completed), ((204, 404), (409, 200)))
            self.assertIn(part, (200, 404) if removed == 204 else (200,))
            if removed == 409:
                self.assertIsNotNone(self.get("key"))
                self.delete("key")
                self.assertEqual(self.server.request("DELETE", f"/{name}")[0], 204)
            self.assertEqual(self.answer("GET", f"other?uploadId={other}")[0], 404)
            self.bucket = bucket
        self.wait_for(lambda: not self.blob_files(), "bytes of uploads of a bucket")


class SlowReaderTests(RaceCase):
    """Reads that last longer than what they read."""

    def test_every_way_to_go(self) -> None:
        """A slow GET has the old bytes to the end, whatever becomes of the object, of its bucket, and of other names."""
        body = os.urandom(6 << 20)
        ways: dict[str, Callable[[], None]] = {
            "overwritten": lambda: self.done(self.put("key", b"new" * 30_000), 200),
            "overwritten in its row": lambda: self.done(self.put("key", b"new"), 200),
            "deleted": lambda: self.done(self.delete("key"), 204),
            "copied over": self.copy_over,
            "made anew of parts": self.make_of_parts,
            "deleted with its bucket": self.delete_with_bucket,
        }
        for name, change in ways.items():
            self.assertEqual(self.put("key", body), 200, name)
            with self.slow_get("key") as connection:
                received = connection.recv(65536)
                change()
                # The reaper comes by several times meanwhile.
                for _ in range(20):
                    received += connection.recv(4096)
                    self.stop.wait(0.05)
                while data := connection.recv(1 << 20):
                    received += data
            head, _, found = received.partition(b"\r\n\r\n")
            self.assertTrue(head.startswith(b"HTTP/1.1 200"), (name, head))
            self.assertTrue(found == body, (name, len(found)))

    def setUp(self) -> None:
        """Have something to wait with."""
        super().setUp()
        self.stop = threading.Event()

    def done(self, status: int, expected: int) -> None:
        """A change was made."""
        self.assertEqual(status, expected)

    def copy_over(self) -> None:
        """Copy another object over it."""
        self.done(self.put("other", b"other" * 30_000), 200)
        source = f"/{self.bucket}/other"
        self.done(self.answer("PUT", "key", x_amz_copy_source=source)[0], 200)
        self.done(self.delete("other"), 204)

    def make_of_parts(self) -> None:
        """Make it anew."""
        upload = self.upload("key", b"part" * 30_000)
        self.done(self.complete("key", *upload)[0], 200)

    def delete_with_bucket(self) -> None:
        """Remove it and its bucket, and make one of that name."""
        self.done(self.delete("key"), 204)
        self.done(self.server.request("DELETE", f"/{self.bucket}")[0], 204)
        self.done(self.server.request("PUT", f"/{self.bucket}")[0], 200)
