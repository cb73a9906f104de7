"""Histories in a bucket that keeps versions and has object lock: what is written stays until it is removed by its id, and what is locked stays.

The latest version of a key is what :mod:`tests.crash.linear` knows: a delete marker is nothing there. So clients remove only versions
that others have come over, which does not change what is the latest. In the end all versions are held against what clients were told.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from random import Random
from urllib.parse import quote
from xml.etree import ElementTree

from attrs import define, field, frozen

from tests.crash.histories import Client, History, Lost, multipart_etag
from tests.crash.linear import DELETE, GET, Event
from tests.crash.operations import digested
from tests.running import Server

LOCKING = {"x-amz-bucket-object-lock-enabled": "true"}
"""With what a bucket for these histories is made."""

LOCKS = (
    {
        "x-amz-object-lock-mode": "COMPLIANCE",
        "x-amz-object-lock-retain-until-date": "2200-01-01T00:00:00Z",
    },
    {"x-amz-object-lock-legal-hold": "ON"},
)
BYPASS = {"x-amz-bypass-governance-retention": "true"}
HOLD = b"<LegalHold><Status>ON</Status></LegalHold>"

LOCKED = 0.05
"""How many of the PUTs lock what they write."""

BESIDES = 0.2
"""After how many requests a version is removed, or held."""

READ = 300
"""Of how many versions the bytes are read in the end."""


@define(eq=False)
class Made:
    """A version that a client was told of.

    :ivar value: its ETag; ``""`` of a delete marker.
    :ivar is_locked: whether it was acknowledged that something keeps it.
    :ivar is_removed: whether it was acknowledged that it is gone; ``None`` where there was no answer.
    """

    key: str
    version_id: str
    value: str
    begun: float
    ended: float
    is_locked: bool
    is_removed: bool | None = False


@define
class VersionClient(Client):
    """A client that knows its versions by their ids.

    :ivar made: those that it made.
    :ivar beside: counts removals and holds, by their answers.
    """

    made: list[Made] = field(factory=list)
    beside: Counter[str] = field(factory=Counter)
    _fresh: list[Made] = field(factory=list)
    _old: list[Made] = field(factory=list)
    _locks: bool = False

    def _further(self, body: bytes) -> dict[str, str]:
        self._locks = self.chance.random() < LOCKED
        return digested(body) | self.chance.choice(LOCKS) if self._locks else {}

    def _keep(
        self, key: str, event: Event, answer: tuple[int, dict[str, str], bytes]
    ) -> None:
        super()._keep(key, event, answer)
        status, headers, said = answer
        version_id = headers.get("x-amz-version-id", "")
        if event.kind == GET and version_id:
            # What is the latest came over the others of this client, which had been acknowledged.
            for made in list(self._fresh):
                if made.key == key and made.version_id != version_id:
                    self._fresh.remove(made)
                    self._old.append(made)
        elif event.kind != GET and status in (200, 204):
            is_marker = event.kind == DELETE
            if not version_id or is_marker != ("x-amz-delete-marker" in headers):
                self.wrong.append(f"{event.kind} {key}: {headers}")
            # Uploads in parts have no locks, and are told of in a document.
            is_locked = self._locks and not is_marker and not said
            span = event.begun, event.ended
            made = Made(key, version_id, event.value, *span, is_locked)
            self.made.append(made)
            self._fresh.append(made)

    def _besides(self) -> None:
        if not self._old or self.chance.random() >= BESIDES:
            return
        made = self.chance.choice(self._old)
        if made.value and not made.is_locked and self.chance.random() < LOCKED:
            self._hold(made)
        else:
            self._remove(made)

    def _hold(self, made: Made) -> None:
        """PutObjectLegalHold. Of a version that may be held or not, for there was no answer, nothing more is asked."""
        target = f"{path_of(self.bucket, made)}&legal-hold="
        try:
            status, _, said = self._send("PUT", target, digested(HOLD), HOLD)
        except Lost:
            self._old.remove(made)
            return self._close()
        made.is_locked = status == 200
        self._note_answer("hold", made, status, said, 200)

    def _remove(self, made: Made) -> None:
        """DeleteObject of a version; of one that is locked it is refused."""
        target = path_of(self.bucket, made)
        try:
            status, _, said = self._send("DELETE", target, BYPASS)
        except Lost:
            made.is_removed = None
            self._old.remove(made)
            return self._close()
        if status == 204:
            made.is_removed = True
            self._old.remove(made)
        expected = 403 if made.is_locked else 204
        self._note_answer("remove", made, status, said, expected)

    def _note_answer(
        self, kind: str, made: Made, status: int, said: bytes, expected: int
    ) -> None:
        self.beside[f"{kind} {status}"] += 1
        if status not in (expected, 503, 507):
            self.wrong.append(f"{kind} {made}: {status} {said[:200]!r}")


def path_of(bucket: str, made: Made) -> str:
    """The target of a version."""
    return f"/{bucket}/{made.key}?versionId={made.version_id}"


@frozen
class Listed:
    """A version as it is listed."""

    key: str
    version_id: str
    value: str
    is_latest: bool


def listed(server: Server, bucket: str) -> list[Listed]:
    """All versions of a bucket, those of each key the newest first."""
    found: list[Listed] = []
    marker = ""
    while True:
        target = f"/{bucket}?versions=&max-keys=1000{marker}"
        status, _, body = server.request("GET", target)
        assert status == 200, body
        root = ElementTree.fromstring(body)
        space = root.tag.partition("}")[0] + "}"
        text = partial(_text, space)
        for each in root:
            if each.tag in (f"{space}Version", f"{space}DeleteMarker"):
                key, version_id = text(each, "Key"), text(each, "VersionId")
                value = text(each, "ETag").strip('"')
                is_latest = text(each, "IsLatest") == "true"
                found.append(Listed(key, version_id, value, is_latest))
        if text(root, "IsTruncated") != "true":
            return found
        key, version_id = text(root, "NextKeyMarker"), text(root, "NextVersionIdMarker")
        marker = f"&key-marker={quote(key)}&version-id-marker={quote(version_id)}"


def _text(space: str, element: ElementTree.Element, name: str) -> str:
    return element.findtext(f"{space}{name}", "")


def unkept(
    server: Server,
    bucket: str,
    crowd: Sequence[VersionClient],
    history: History,
    random: Random,
) -> list[str]:
    """What of the versions of a bucket is not as clients were told, one line each.

    :param history: what they did.
    :param random: draws the versions whose bytes are read.
    """
    there = listed(server, bucket)
    made = {
        (each.key, each.version_id): each for client in crowd for each in client.made
    }
    wrong = [*_missing(there, made), *_strange(there, made, history)]
    wrong += _misplaced(there, made)
    for each in made.values():
        if each.is_locked:
            status, _, said = server.request("DELETE", path_of(bucket, each), BYPASS)
            if status != 403:
                wrong.append(f"{each} is locked: DELETE answers {status} {said!r}")
    versions = [each for each in made.values() if each.value]
    for each in random.sample(versions, min(READ, len(versions))):
        status, _, body = server.request("GET", path_of(bucket, each))
        if each.is_removed and status != 404:
            wrong.append(f"{each} is removed: GET answers {status}")
        elif each.is_removed is False and status != 200:
            wrong.append(f"{each} is there: GET answers {status}")
        elif status == 200 and each.value not in (_md5(body), multipart_etag(body)):
            wrong.append(f"{each}: other bytes, {len(body)}")
    return wrong


def _missing(
    there: Sequence[Listed], made: Mapping[tuple[str, str], Made]
) -> Iterator[str]:
    """What was acknowledged and is not there, and the other way round."""
    values = {(each.key, each.version_id): each.value for each in there}
    if len(values) < len(there):
        yield "a version is listed twice"
    for name, each in made.items():
        if each.is_removed is False and name not in values:
            yield f"{each} is lost"
        if each.is_removed and name in values:
            yield f"{each} was removed, and is there again"
        if values.get(name, each.value) != each.value:
            yield f"{each} is listed with {values[name]}"


def _strange(
    there: Sequence[Listed], made: Mapping[tuple[str, str], Made], history: History
) -> Iterator[str]:
    """What is there though nobody wrote it: requests without an answer may have, each once."""
    left = Counter(
        (key, event.value)
        for key, events in history.events.items()
        for event in events
        if event.answer is None and event.kind != GET
    )
    for each in there:
        if (each.key, each.version_id) not in made:
            left[each.key, each.value] -= 1
            if left[each.key, each.value] < 0:
                yield f"{each} is from nowhere"


def _misplaced(
    there: Sequence[Listed], made: Mapping[tuple[str, str], Made]
) -> Iterator[str]:
    """Versions that are not in the order in which they came: one that was acknowledged before another was asked for is older."""
    begun: dict[str, float] = {}
    newest: dict[str, Listed] = {}
    for each in reversed(there):
        newest[each.key] = each
        known = made.get((each.key, each.version_id))
        if known is not None:
            if known.ended < begun.get(each.key, known.begun):
                yield f"{known} is listed as newer than one that was begun later"
            begun[each.key] = max(begun.get(each.key, known.begun), known.begun)
    for each in there:
        if each.is_latest != (newest[each.key] is each):
            yield f"{each} is not in its place"


def _md5(body: bytes) -> str:
    return hashlib.md5(body, usedforsecurity=False).hexdigest()
