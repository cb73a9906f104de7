"""A gateway on real stores in one thread of control, and the operations that crash tests drive through it.

Requests go over a connection in memory through the real channel, Klein and the pipeline; below are SQLite and files.
Time stands still but for what the operations say. What is drawn by lot is drawn from a seed, so that
the same operations make the same calls and store the same bytes.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from random import Random
from typing import Any
from unittest.mock import patch
from urllib.parse import quote

from attrs import define, evolve, field
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.testing import MemoryReactorClock

from ozgate.auth.sealing import MasterKey
from ozgate.auth.secretstore import MetadataSecretStore, StaticSecrets
from ozgate.auth.sigv4 import sign
from ozgate.background.drain import rename_blob
from ozgate.background.reaper import Reaper
from ozgate.background.uploads import UploadExpiry
from ozgate.blobs.files.store import FileBlobStore
from ozgate.config.settings import Settings
from ozgate.content import outlet as bytes_out
from ozgate.content.moving import copy_stored
from ozgate.content.readers import Readers
from ozgate.content.stores import BlobStores
from ozgate.gateway.gateway import Gateway
from ozgate.interfaces import IMetadataTransaction
from ozgate.metadata.sqlite import connections, retired
from ozgate.metadata.sqlite.store import SQLiteMetadataStore
from ozgate.s3.app import make_site
from ozgate.s3.perform import completing, multipart
from ozgate.s3.perform.buckets import shared_volume
from ozgate.testing.inmemory import settle, talk
from ozgate.values import Acl, BlobRef, Bucket, Content, ObjectVersion
from ozgate.wire.accesslog import AccessLog, AuditLog
from tests.crash.seals import sealing
from tests.started import started

VOLUME = "s3v"
OWNER, SECRET, REGION = "owner", "no secret", "us-east-1"
DAY = 86_400
START = 1_795_000_000
EXPIRY = 30 * DAY
"""Seconds after which an upload is given up."""

INLINE = 512
EXTENT = 6_000
"""Bytes of one blob: a large body is two of them, each longer than a block of a disk."""

SMALL, LARGE = 300, 9_100
PATIENCE = 60.0
"""Seconds to wait for the thread that writes metadata before a test is given up."""


class Loop(MemoryReactorClock):
    """A reactor whose turns are taken by whoever waits."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.advance(START)
        self._from_threads: SimpleQueue[tuple[Callable[..., Any], tuple[Any, ...]]] = (
            SimpleQueue()
        )

    def callFromThread(self, f: Callable[..., Any], *args: Any) -> None:
        """Have something called in the next turn."""
        self._from_threads.put((f, args))

    def wait(self, awaited: Deferred[Any] | Coroutine[Any, Any, Any]) -> Any:
        """Take turns until something has happened; gives its result."""
        if not isinstance(awaited, Deferred):
            awaited = Deferred.fromCoroutine(awaited)
        results: list[Any] = []
        awaited.addBoth(results.append)
        settle(self)
        while not results:
            try:
                f, args = self._from_threads.get(timeout=PATIENCE)
            except Empty:
                raise AssertionError("nothing happens any more") from None
            f(*args)
            settle(self)
        if hasattr(results[0], "raiseException"):
            results[0].raiseException()
        return results[0]


def at_once(f: Callable[..., Any], *args: Any) -> Deferred[Any]:
    """What takes the place of a pool of threads: the caller's."""
    try:
        return succeed(f(*args))
    except Exception:
        return fail()


@define(eq=False)
class Gate:
    """A gateway over a data folder.

    :ivar bodies: what the latest versions must hold, by bucket and key, as whoever asked for them knows.
    :ivar turn: how many operations were begun.
    :ivar relaxed: whether a write is acknowledged before it survives a power cut.
    """

    folder: str
    relaxed: bool = False
    loop: Loop = field(factory=Loop)
    bodies: dict[tuple[str, str], bytes] = field(factory=dict)
    turn: int = 0
    gateway: Gateway = field(init=False)
    _site: Any = field(init=False, default=None)

    @property
    def database(self) -> str:
        """The path of the database."""
        return f"{self.folder}/metadata.db"

    def open(self) -> None:
        """Open the stores as the service does."""
        settings = Settings(
            security_enabled=True, data=self.folder, access_log="-", audit_log="-"
        )
        loop: Any = self.loop
        metadata = SQLiteMetadataStore(self.database, loop, relaxed=self.relaxed)
        blobs = FileBlobStore(
            f"{self.folder}/blobs", "files", loop, at_once, INLINE, self.relaxed
        )
        blobs.extent_size = EXTENT
        self.loop.wait(started(metadata))
        try:
            self.loop.wait(started(blobs))
        except BaseException:
            self.loop.wait(metadata.close())
            raise
        self.gateway = Gateway(
            settings,
            metadata,
            BlobStores(blobs),
            Readers(),
            loop,
            at_once,
            process="owner",
            sealing=sealing(),
        )
        self._site = None
        self.write(_prepare)

    def _make_site(self) -> Any:
        settings, loop = self.gateway.settings, self.loop
        logs = AccessLog(settings), AuditLog(settings)
        stored = MetadataSecretStore(self.gateway.metadata, MasterKey(bytes(32)))
        secrets = StaticSecrets({OWNER: SECRET}, stored)
        return make_site(loop, self.gateway, secrets, *logs)

    def close(self) -> None:
        """Close them."""
        self.loop.wait(self.gateway.blobs.default.close_store())
        self.loop.wait(self.gateway.metadata.close())

    def write(self, interaction: Callable[..., Any], *args: Any) -> Any:
        """Run an interaction that writes."""
        return self.loop.wait(self.gateway.metadata.write(interaction, *args))

    def read(self, interaction: Callable[..., Any], *args: Any) -> Any:
        """Run an interaction that reads."""
        return self.loop.wait(self.gateway.metadata.read(interaction, *args))

    def ask(
        self,
        method: str,
        target: str,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> tuple[int, dict[str, str], bytes]:
        """A request's status, headers and body."""
        sent = sign(
            method,
            f"http://localhost{target}",
            headers or {},
            OWNER,
            SECRET,
            REGION,
            self.loop.seconds(),
            "UNSIGNED-PAYLOAD",
        )
        sent["connection"] = "close"
        if body or method in ("PUT", "POST"):
            sent["content-length"] = str(len(body))
        lines = [f"{method} {target} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in sent.items()]
        said = "\r\n".join([*lines, "", ""]).encode() + body
        if self._site is None:
            self._site = self._make_site()
        answer = self.loop.wait(talk(self._site, self.loop, said))
        head, _, rest = answer.partition(b"\r\n\r\n")
        first, *fields = head.decode("latin-1").split("\r\n")
        received = {}
        for line in fields:
            name, _, value = line.partition(":")
            received[name.lower()] = value.strip()
        return int(first.split()[1]), received, rest

    def sweep(self) -> None:
        """Do what the service does in the background: delete what nothing names."""
        reaper = Reaper(
            self.gateway.metadata,
            self.gateway.blobs.default,
            self.gateway.readers,
            self.loop,
            "owner",
            0.0,
        )
        self.loop.wait(reaper.sweep_orphans(int(self.loop.seconds() * 1000)))
        # What was doomed just now goes a moment later.
        self.loop.advance(1)
        self.loop.wait(reaper.reap())
        # So does what was retired, and is doomed only now.
        self.loop.advance(1)
        self.loop.wait(reaper.reap())


def _prepare(tx: IMetadataTransaction) -> None:
    if tx.volume(VOLUME) is None:
        tx.add_volume(shared_volume(VOLUME, OWNER, tx.now()))


# Operations. Each fires when its client was told of success.


def body(turn: int, length: int) -> bytes:
    """Bytes that no other turn has."""
    return Random(turn * 1_000_003 + length).randbytes(length)


def _told(gate: Gate, method: str, target: str, *rest: Any) -> dict[str, str]:
    status, headers, answer = gate.ask(method, target, *rest)
    if status not in (200, 204):
        raise AssertionError(f"{method} {target}: {status} {answer!r}")
    return headers


def _put(gate: Gate, key: str, length: int) -> None:
    data = body(gate.turn, length)
    digest = hashlib.sha256(data).digest()
    headers = {
        "x-amz-meta-turn": str(gate.turn),
        "x-amz-tagging": f"turn={gate.turn}",
        "x-amz-checksum-sha256": base64.b64encode(digest).decode(),
    }
    told = _told(gate, "PUT", f"/plain/{key}", data, headers)
    assert told["etag"] == f'"{hashlib.md5(data).hexdigest()}"', told
    gate.bodies["plain", key] = data


def put_small(gate: Gate) -> None:
    """PutObject of a body that is kept in the row."""
    _put(gate, "key", SMALL)


def put_large(gate: Gate) -> None:
    """PutObject of a new key's body in two blobs."""
    _put(gate, f"new-{gate.turn}", LARGE)


def overwrite(gate: Gate) -> None:
    """PutObject over what the other operations are about, in blobs."""
    _put(gate, "key", LARGE)


def delete(gate: Gate) -> None:
    """DeleteObject."""
    _told(gate, "DELETE", "/plain/key")
    gate.bodies.pop(("plain", "key"), None)


def delete_version(gate: Gate) -> None:
    """Deletion in a bucket with versions: of the latest one, or by a marker, in turns.

    Straight in the store, for no operation of S3 makes versions yet.
    """
    interaction = _add_marker if gate.turn % 2 else _remove_latest
    gate.bodies.pop(("versions", "key"), None)
    data = gate.write(interaction)
    if data is not None:
        gate.bodies["versions", "key"] = data


def complete(gate: Gate) -> None:
    """CompleteMultipartUpload over what the other operations are about."""
    upload_id, parts = gate.read(_next_upload, "key")
    listed = "".join(
        f"<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"
        for number, etag in parts
    )
    document = f"<CompleteMultipartUpload>{listed}</CompleteMultipartUpload>"
    _told(gate, "POST", f"/plain/key?uploadId={upload_id}", document.encode())
    gate.bodies["plain", "key"] = b"".join(part_body(number) for number, _ in parts)


def abort(gate: Gate) -> None:
    """AbortMultipartUpload."""
    upload_id, _ = gate.read(_next_upload, "key")
    _told(gate, "DELETE", f"/plain/key?uploadId={upload_id}")


def copy(gate: Gate) -> None:
    """CopyObject, which shares the blobs of its source; of another one when the first is gone."""
    source = "key" if ("plain", "key") in gate.bodies else "other"
    _told(gate, "PUT", "/plain/copy", b"", {"x-amz-copy-source": f"/plain/{source}"})
    gate.bodies["plain", "copy"] = gate.bodies["plain", source]


def tag(gate: Gate) -> None:
    """PutObjectTagging."""
    key = "key" if ("plain", "key") in gate.bodies else "other"
    document = f"<Tagging><TagSet><Tag><Key>turn</Key><Value>tagged {gate.turn}</Value></Tag></TagSet></Tagging>"
    digest = base64.b64encode(hashlib.md5(document.encode()).digest()).decode()
    headers = {"content-md5": digest}
    _told(gate, "PUT", f"/plain/{key}?tagging", document.encode(), headers)


def expire(gate: Gate) -> None:
    """The expiry of uploads, then a round of the reaper, which deletes the files of the parts."""
    expiry = UploadExpiry(gate.gateway.metadata, gate.loop, "owner", EXPIRY, 60.0)
    expiry.running = 1
    gate.loop.wait(expiry.work())
    gate.sweep()


def configure(gate: Gate) -> None:
    """CreateBucket; quotas and rights of the volume, as its administrator sets them; DeleteBucket."""
    if gate.turn % 3 == 0:
        _told(gate, "PUT", f"/made-{gate.turn}")
    elif gate.turn % 3 == 1:
        gate.write(_configure_volume, gate.turn)
    else:
        _told(gate, "DELETE", "/empty")


def move(gate: Gate) -> None:
    """What a drain does with each blob: a copy, which is durable before rows name it for the old one. Here within one store."""
    blob = gate.read(_first_blob)
    new = gate.loop.wait(copy_stored(gate.gateway, blob))
    while not gate.write(rename_blob, blob, new):
        pass


OPERATIONS: dict[str, Callable[[Gate], None]] = {
    "put-small": put_small,
    "put-large": put_large,
    "overwrite": overwrite,
    "delete": delete,
    "delete-version": delete_version,
    "complete": complete,
    "abort": abort,
    "copy": copy,
    "tag": tag,
    "expire": expire,
    "configure": configure,
    "move": move,
}
"""The twelve."""


def restart(gate: Gate) -> None:
    """An orderly stop and a start."""
    gate.close()
    gate.open()


def perform(gate: Gate, name: str) -> None:
    """One operation, a day after the one before."""
    gate.loop.advance(DAY)
    if name == "restart":
        restart(gate)
    else:
        OPERATIONS[name](gate)
    gate.turn += 1


def _first_blob(tx: IMetadataTransaction) -> BlobRef:
    [blob] = tx.blobs(("", ""), 1)
    return blob


def _bucket(tx: IMetadataTransaction, name: str) -> Bucket:
    found = tx.bucket(VOLUME, name)
    assert found is not None, name
    return found


def _add_marker(tx: IMetadataTransaction) -> None:
    bucket, sequence = _bucket(tx, "versions"), tx.next_sequence()
    marker = ObjectVersion(
        key="key",
        sequence=sequence,
        modified=tx.now(),
        owner=OWNER,
        version_id=f"{sequence:032x}",
        is_delete_marker=True,
    )
    tx.add_version(bucket, marker, Content(b""))


def _remove_latest(tx: IMetadataTransaction) -> bytes | None:
    bucket = _bucket(tx, "versions")
    latest = tx.latest(bucket, "key")
    assert latest is not None
    tx.remove_version(bucket, latest)
    latest = tx.latest(bucket, "key")
    if latest is None or latest.is_delete_marker:
        return None
    return tx.content(bucket, latest).body


def _next_upload(
    tx: IMetadataTransaction, key: str
) -> tuple[str, list[tuple[int, str]]]:
    bucket = _bucket(tx, "plain")
    upload = tx.upload_page(bucket, key, "", "", "", 1).items[0]
    parts = tx.parts(bucket, upload, 0, 10)
    return upload.upload_id, [(part.number, part.etag) for part in parts]


def _configure_volume(tx: IMetadataTransaction, turn: int) -> None:
    volume, bucket = tx.volume(VOLUME), _bucket(tx, "plain")
    assert volume is not None
    acls = (Acl.parse(f"user:user{turn}:rw"),)
    tx.replace_volume(evolve(volume, acls=acls, quota_names=100 + turn))
    tx.replace_bucket(evolve(bucket, acls=acls, quota_bytes=10_000_000 + turn))


# What is there before


def part_body(number: int) -> bytes:
    """The bytes of a part of every upload."""
    return body(1000 + number, 2_000 * number)


def fill(gate: Gate) -> None:
    """What the operations find: objects in rows and in blobs, versions, uploads young and old."""
    for name in ("plain", "versions", "empty"):
        _told(gate, "PUT", f"/{name}")
    gate.turn = 100
    _put(gate, "key", LARGE)
    _put(gate, "other", LARGE)
    _put(gate, quote("small/ü"), SMALL)
    gate.bodies["plain", "small/ü"] = gate.bodies.pop(("plain", quote("small/ü")))
    for number in range(3):
        gate.write(_add_object, number)
    gate.bodies["versions", "key"] = body(2002, 100)
    for number in range(3):
        _begin_upload(gate, f"old-{number}", 1)
        gate.loop.advance(DAY)
    gate.loop.advance(EXPIRY - 3 * DAY - 60)
    for _ in range(3):
        _begin_upload(gate, "key", 2)
    gate.turn = 0


def _begin_upload(gate: Gate, key: str, parts: int) -> None:
    _, _, answer = gate.ask("POST", f"/plain/{key}?uploads=")
    found = re.search(rb"<UploadId>(.*?)</UploadId>", answer)
    assert found is not None, answer
    upload_id = found[1].decode()
    for number in range(1, parts + 1):
        target = f"/plain/{key}?partNumber={number}&uploadId={upload_id}"
        _told(gate, "PUT", target, part_body(number))


def _add_object(tx: IMetadataTransaction, number: int) -> None:
    bucket, sequence = _bucket(tx, "versions"), tx.next_sequence()
    data = body(2000 + number, 100)
    version = ObjectVersion(
        key="key",
        sequence=sequence,
        modified=tx.now(),
        size=len(data),
        etag=hashlib.md5(data).hexdigest(),
        owner=OWNER,
        version_id=f"{sequence:032x}",
    )
    if not bucket.versioning:
        tx.replace_bucket(evolve(bucket, versioning="Enabled"))
    tx.add_version(bucket, version, Content(data))


ENDINGS = tuple(f"{number:02x}" for number in range(8))
"""Where all blobs of a small world lie."""


@contextmanager
def small_world(seed: int = 0) -> Iterator[None]:
    """Have ids drawn from a seed, parts of any size, a write-ahead log that is emptied often, blobs in few folders."""
    random = Random(seed)

    def draw(count: int) -> bytes:
        return random.randbytes(count - 1) + bytes([random.randrange(len(ENDINGS))])

    with (
        patch.object(os, "urandom", draw),
        patch.object(multipart, "token_hex", lambda count: draw(count).hex()),
        patch.object(completing, "MIN_PART", 1),
        # A multipart object has more, any other body no more: both ways of ending are gone.
        patch.object(retired, "EXTENTS_AT_ONCE", 2),
        patch.object(bytes_out, "EXTENTS_AT_ONCE", 2),
        patch.object(connections, "CHECKPOINT_PAGES", 24),
    ):
        yield
