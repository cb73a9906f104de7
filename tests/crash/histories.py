"""Histories of requests from many clients to a real server that is killed and started again meanwhile.

Each client is a thread with a connection of its own. It notes when it sent a request and when the answer was there, by
one clock for all. A request whose connection broke may have happened until the server was dead, or never.
"""

from __future__ import annotations

import hashlib
import http.client
import math
import random
import re
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import TypeVar

from attrs import define, evolve, field, frozen

from tests.crash.linear import CREATE, DELETE, GET, PUT, REPLACE, Event
from tests.running import Server

SIZES = (40, 40, 20_000, 100_000)
"""Bodies in rows and in blobs."""

KINDS = (GET,) * 7 + (PUT,) * 4 + (REPLACE,) * 5 + (CREATE,) * 2 + (DELETE,) * 2
BY_PARTS = 0.3
"""How many of the creations are multipart uploads."""

Lost = (OSError, http.client.HTTPException)

C = TypeVar("C", bound="Client")


@frozen
class Request:
    """A request that was sent.

    :ivar event: its end, where there was no answer, is when the client noticed.
    """

    key: str
    event: Event


@define
class Client:
    """One client.

    :ivar requests: what it sent, and what came of it.
    :ivar wrong: answers that no server should give.
    """

    server: Server
    bucket: str
    keys: tuple[str, ...]
    name: str
    chance: random.Random
    requests: list[Request] = field(factory=list)
    wrong: list[str] = field(factory=list)
    refused: int = 0
    _seen: dict[str, str] = field(factory=dict)
    _connection: http.client.HTTPConnection | None = None
    _count: int = 0

    def run(self, stop: threading.Event) -> None:
        """Ask until told to stop, or until an answer is wrong."""
        while not stop.is_set() and not self.wrong:
            self._count += 1
            key = self.chance.choice(self.keys)
            kind = self.chance.choice(KINDS)
            if kind == REPLACE:
                # Of what was seen long ago nothing would be left.
                self._ask(key, GET)
                kind = kind if key in self._seen else GET
            if kind == CREATE and self.chance.random() < BY_PARTS:
                self._create_by_parts(key)
            else:
                self._ask(key, kind)
            self._besides()
        self._close()

    def _besides(self) -> None:
        """What is done besides, after each request; nothing here."""

    def _further(self, body: bytes) -> dict[str, str]:
        """Further headers of a PUT; none here."""
        return {}

    def _body(self) -> bytes:
        """One that nobody else sends."""
        size = self.chance.choice(SIZES)
        return f"{self.name} {self._count} ".encode().ljust(size, b".")

    def _ask(self, key: str, kind: str) -> None:
        method = {GET: "GET", DELETE: "DELETE"}.get(kind, "PUT")
        body = self._body() if method == "PUT" else b""
        headers = self._further(body) if body else {}
        if kind == REPLACE:
            headers["if-match"] = f'"{self._seen[key]}"'
        elif kind == CREATE:
            headers["if-none-match"] = "*"
        event = Event(
            kind,
            0,
            value=_md5(body) if body else "",
            seen=self._seen[key] if kind == REPLACE else "",
        )
        self._note(key, event, method, f"/{self.bucket}/{key}", headers, body)

    def _create_by_parts(self, key: str) -> None:
        """A multipart upload whose Complete must find nothing there."""
        target = f"/{self.bucket}/{key}"
        body = self._body()
        try:
            begun = self._send("POST", f"{target}?uploads")
            found = re.search(b"<UploadId>(.*?)</UploadId>", begun[2])
            if found is None:
                return self._refused(begun)
            upload = f"uploadId={found[1].decode()}"
            sent = self._send("PUT", f"{target}?partNumber=1&{upload}", {}, body)
        except Lost:
            return self._close()
        if sent[0] != 200:
            return self._refused(sent)
        document = (
            "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber>"
            f"<ETag>{_md5(body)}</ETag></Part></CompleteMultipartUpload>"
        )
        event = Event(CREATE, 0, value=multipart_etag(body))
        self._note(
            key,
            event,
            "POST",
            f"{target}?{upload}",
            {"if-none-match": "*"},
            document.encode(),
        )

    def _note(
        self,
        key: str,
        event: Event,
        method: str,
        target: str,
        headers: dict[str, str],
        body: bytes,
    ) -> None:
        """Send the request of an event, and keep what came of it."""
        if self._connection is None and not self._connect():
            return
        event = evolve(event, begun=time.monotonic())
        try:
            answer = self._send(method, target, headers, body)
        except Lost:
            self._close()
            lost = evolve(event, ended=time.monotonic())
            self.requests.append(Request(key, lost))
            return
        event = evolve(event, ended=time.monotonic())
        if answer[0] in (503, 507):
            return self._refused(answer)
        self._keep(key, event, answer)

    def _keep(
        self, key: str, event: Event, answer: tuple[int, dict[str, str], bytes]
    ) -> None:
        status, headers, body = answer
        etag = headers.get("etag", "").strip('"')
        said: str | int = status
        expected = event.value
        if event.kind == GET and status == 200:
            said = expected = etag
            if etag not in (_md5(body), multipart_etag(body)):
                self.wrong.append(f"GET {key}: {etag} is not of {len(body)} bytes")
        elif status not in (200, 204, 404, 412):
            self.wrong.append(f"{event.kind} {key}: {status} {body[:200]!r}")
        if b"CompleteMultipartUploadResult" in body[:300]:
            etag = re.sub(
                rb".*<ETag>(&quot;)?(.*?)(&quot;)?</ETag>.*",
                rb"\2",
                body,
                flags=re.DOTALL,
            ).decode()
        if status == 200:
            self._seen[key] = etag
            if etag != expected:
                self.wrong.append(f"{event.kind} {key}: {etag}, not {expected}")
        self.requests.append(Request(key, evolve(event, answer=said)))

    def _refused(self, answer: tuple[int, dict[str, str], bytes]) -> None:
        """Too much at once, surely not done; anything else is wrong."""
        self.refused += 1
        if answer[0] != 503:
            self.wrong.append(f"{answer[0]} {answer[2][:200]!r}")

    def _connect(self) -> bool:
        """Whether the server is there."""
        try:
            self._connection = http.client.HTTPConnection(
                "127.0.0.1", self.server.port, timeout=60
            )
            self._connection.connect()
        except OSError:
            self._connection = None
            time.sleep(0.05)
            return False
        return True

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _send(
        self,
        method: str,
        target: str,
        headers: dict[str, str] | None = None,
        body: bytes = b"",
    ) -> tuple[int, dict[str, str], bytes]:
        """One request: status, headers, body.

        :raises OSError: there is no answer.
        :raises http.client.HTTPException: likewise.
        """
        if self._connection is None and not self._connect():
            raise ConnectionRefusedError
        assert self._connection is not None
        signed = self.server.signed(method, target, headers)
        self._connection.request(method, target, body or None, signed)
        answer = self._connection.getresponse()
        found = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, found, answer.read()


def _md5(body: bytes) -> str:
    return hashlib.md5(body, usedforsecurity=False).hexdigest()


def multipart_etag(body: bytes) -> str:
    """The ETag of an object of one part."""
    digest = hashlib.md5(body, usedforsecurity=False).digest()
    return f"{_md5(digest)}-1"


@define
class History:
    """What many clients did.

    :ivar events: of each key.
    :ivar wrong: answers that no server should give.
    :ivar done: how many of each kind got an answer, how many none, how many were refused.
    """

    events: dict[str, list[Event]] = field(factory=lambda: defaultdict(list))
    wrong: list[str] = field(factory=list)
    done: Counter[str] = field(factory=Counter)

    def add(self, clients: Iterable[Client], kills: list[tuple[float, float]]) -> None:
        """Take up what clients did.

        :param kills: when each began, and when the server was dead.
        """
        for client in clients:
            self.wrong += client.wrong
            self.done["refused"] += client.refused
            for key, event in ((each.key, each.event) for each in client.requests):
                if event.answer is None:
                    event = evolve(event, ended=_last_moment(event, kills))
                kind = (
                    "lost" if event.answer is None else f"{event.kind} {_status(event)}"
                )
                self.done[kind] += 1
                self.events[key].append(event)


def _status(event: Event) -> str | int:
    return 200 if isinstance(event.answer, str) else event.answer or 0


def _last_moment(event: Event, kills: list[tuple[float, float]]) -> float:
    """When a request without an answer can no longer happen: when the server is dead that was killed last before
    the client noticed."""
    ends = [dead for begun, dead in kills if begun <= event.ended]
    return max(ends) if ends and max(ends) >= event.begun else math.inf


def crowd_of(
    kind: type[C], server: Server, bucket: str, clients: int, keys: int, seed: int
) -> list[C]:
    """Clients for a few keys.

    :param seed: of what they ask. Time is not to be repeated.
    """
    names = tuple(f"key-{number}" for number in range(keys))
    return [
        kind(
            server, bucket, names, f"{seed}-{number}", random.Random(f"{seed} {number}")
        )
        for number in range(clients)
    ]


def play(
    server: Server, crowd: Sequence[Client], seconds: float, kills: int, seed: int
) -> History:
    """Have clients at work on a few keys, and kill the server now and then.

    :param server: it runs, and has their bucket, with nothing in it; it runs afterwards.
    :param seed: of when it is killed.
    """
    stop = threading.Event()
    threads = [
        threading.Thread(target=client.run, args=(stop,), daemon=True)
        for client in crowd
    ]
    for thread in threads:
        thread.start()
    ended = []
    chance = random.Random(seed)
    for _ in range(kills):
        time.sleep(seconds / (kills + 1) * (0.75 + chance.random() / 2))
        begun = time.monotonic()
        server.kill()
        ended.append((begun, time.monotonic()))
        server.start()
    time.sleep(seconds / (kills + 1))
    stop.set()
    for thread in threads:
        thread.join(90)
    history = History()
    history.add(crowd, ended)
    return history
