"""Writers and readers of a gateway that stands before a cluster, and what must be true whatever fails meanwhile.

Each key has one writer, who writes one version after the other; a version's bytes are drawn by its key and number, so that whoever reads knows whether what comes is
a version that somebody wrote, whole. What was acknowledged may be followed by what was not, for that may have been done all the same, but never be gone.
"""

from __future__ import annotations

import http.client
import random
import threading
import time
from collections import Counter
from hashlib import md5
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.running import Server

SIZES = (0, 100, 4096, 4096, 70_000, 1_500_000)
PART = 5 << 20
"""Bytes of the first part of an upload; the second is short."""
TROUBLE = (500, 503)
"""Statuses of requests that failed for what was broken: 500 where it is not known whether a write was done."""


def body_of(key: str, number: int) -> bytes:
    """The bytes of a version."""
    draw = random.Random(f"{key} {number}")
    size = PART + 1000 if key.startswith("many-") else draw.choice(SIZES)
    head = f"{key} {number}\n".encode()
    return head + draw.randbytes(size)


class Key:
    """A key, and what is known of it.

    :ivar kept: the number of the last version that was acknowledged; 0: none.
    :ivar tried: of the last one that was asked for.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.kept = 0
        self.tried = 0


class Load:
    """Some clients, each in a thread.

    :param server: the gateway.
    :param bucket: there already.
    :param run: what names begin with, so that runs have keys of their own.
    :ivar wrong: what must never be, for people.
    :ivar statuses: how often each came; 0: the connection failed.
    :ivar slowest: seconds of the longest request.
    """

    def __init__(self, server: Server, bucket: str, run: str) -> None:
        self.server = server
        self.bucket = bucket
        self.wrong: list[str] = []
        self.statuses: Counter[int] = Counter()
        self.slowest = 0.0
        self.keys = [Key(f"{run}-{number}") for number in range(6)]
        self.uploads = [Key(f"many-{run}-{number}") for number in range(2)]
        self._lock = threading.Lock()
        self._over = threading.Event()
        works = [(self._write, (self.keys[:3],)), (self._write, (self.keys[3:],))]
        works += [(self._upload, (self.uploads,)), (self._read, ()), (self._read, ())]
        self._threads = [
            threading.Thread(target=self._work, args=(work, args), daemon=True)
            for work, args in works
        ]

    def start(self) -> None:
        """Begin."""
        for each in self._threads:
            each.start()

    def stop(self) -> None:
        """Make no more requests; returns once the last has its answer. One that never has is wrong."""
        self._over.set()
        for each in self._threads:
            each.join(120)
            if each.is_alive():
                self.wrong.append("a request has no answer after two minutes")

    def acknowledged(self) -> int:
        """Writes that were, so far."""
        with self._lock:
            return sum(each.kept for each in (*self.keys, *self.uploads))

    def check(self) -> None:
        """Read every key, once all is well again."""
        for key in (*self.keys, *self.uploads):
            self._look(key, must=True)

    def ask(
        self, method: str, target: str, body: bytes = b""
    ) -> tuple[int, dict[str, str], bytes]:
        """One request; status 0 where the connection failed."""
        begun = time.monotonic()
        try:
            answer = self.server.request(method, target, None, body)
        except TimeoutError:
            self.wrong.append(f"{method} {target}: no answer")
            answer = (0, {}, b"")
        except (OSError, http.client.HTTPException):
            # It broke off: whether what came was whole is for the next reader.
            answer = (0, {}, b"")
        with self._lock:
            self.statuses[answer[0]] += 1
            self.slowest = max(self.slowest, time.monotonic() - begun)
        if answer[0] not in (0, 200, 404, *TROUBLE):
            self.wrong.append(f"{method} {target}: {answer[0]} {answer[2][:300]!r}")
        return answer

    def _work(self, work: object, args: tuple[object, ...]) -> None:
        assert callable(work)
        while not self._over.is_set():
            try:
                work(*args)
            except Exception as error:
                self.wrong.append(repr(error))
                return
            # What is down is not asked in a hurry.
            time.sleep(0.01)

    def _target(self, key: Key, query: str = "") -> str:
        return f"/{self.bucket}/{key.name}{query}"

    def _write(self, keys: list[Key]) -> None:
        key = random.choice(keys)
        number = self._next(key)
        status, found, _ = self.ask("PUT", self._target(key), body_of(key.name, number))
        if status == 200:
            self._done(key, number)
            etag = md5(body_of(key.name, number)).hexdigest()
            if found.get("etag") != f'"{etag}"':
                self.wrong.append(f"{key.name} {number}: ETag {found.get('etag')}")

    def _upload(self, keys: list[Key]) -> None:
        key = random.choice(keys)
        number = self._next(key)
        body = body_of(key.name, number)
        status, _, answer = self.ask("POST", self._target(key, "?uploads="))
        if status != 200:
            return
        upload = answer.partition(b"<UploadId>")[2].partition(b"<")[0].decode()
        listed = ""
        for part, data in enumerate((body[:PART], body[PART:]), 1):
            query = f"?partNumber={part}&uploadId={upload}"
            status, found, _ = self.ask("PUT", self._target(key, query), data)
            if status != 200:
                return
            listed += f"<Part><PartNumber>{part}</PartNumber><ETag>{found['etag']}</ETag></Part>"
        document = f"<CompleteMultipartUpload>{listed}</CompleteMultipartUpload>"
        query = f"?uploadId={upload}"
        status, _, answer = self.ask(
            "POST", self._target(key, query), document.encode()
        )
        # Its status comes before its end is known.
        if status == 200 and b"<ETag>" in answer:
            self._done(key, number)

    def _read(self) -> None:
        self._look(random.choice((*self.keys, *self.uploads)))

    def _look(self, key: Key, must: bool = False) -> None:
        """Read a key, and see whether it is one of its versions, whole, and none that others had come after.

        :param must: whether it has to be readable.
        """
        with self._lock:
            kept = key.kept
        status, found, body = self.ask("GET", self._target(key))
        if status == 404 and kept:
            self.wrong.append(f"{key.name} is gone; version {kept} was acknowledged")
        if must and status not in (200, 404):
            self.wrong.append(f"{key.name} cannot be read: {status}")
        if status != 200:
            return
        name, _, number = body.partition(b"\n")[0].decode("latin-1").rpartition(" ")
        with self._lock:
            tried = key.tried
        if name != key.name or not number.isdigit():
            self.wrong.append(f"{key.name} begins with {body[:40]!r}")
        elif body != body_of(key.name, int(number)):
            self.wrong.append(f"{key.name} {number} is not what was written")
        elif not kept <= int(number) <= tried:
            self.wrong.append(f"{key.name} is {number}; {kept} was acknowledged")
        elif not self.is_whole(key, found.get("etag", ""), body):
            self.wrong.append(f"{key.name} {number}: ETag {found.get('etag')}")

    def is_whole(self, key: Key, etag: str, body: bytes) -> bool:
        """Whether an ETag is that of these bytes."""
        if key in self.uploads:
            # The OM's own: the MD5 of the parts' as text, not of their bytes as AWS has it.
            parts = [md5(each).hexdigest() for each in (body[:PART], body[PART:])]
            return etag == f'"{md5("".join(parts).encode()).hexdigest()}-2"'
        return etag == f'"{md5(body).hexdigest()}"'

    def _next(self, key: Key) -> int:
        with self._lock:
            key.tried += 1
            return key.tried

    def _done(self, key: Key, number: int) -> None:
        with self._lock:
            key.kept = number
