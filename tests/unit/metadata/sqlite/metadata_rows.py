"""Rows of every kind, and how a dump of them is made for the tests of later schemas.

``python -m tests.unit.metadata.sqlite.metadata_rows tests/unit/metadata/sqlite/metadata_vN.sql`` writes the dump of the schema of this checkout. It
is kept when a schema is released, and never made again: ``metadata_v2.sql`` and those after it are from the code of
those versions.
"""

from __future__ import annotations

import os
import sqlite3
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from attrs import evolve, frozen
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock, react

from ozgate.interfaces import IMetadataTransaction
from ozgate.metadata.sqlite.store import SQLiteMetadataStore
from ozgate.values import (
    EXTENTS_AT_ONCE,
    Acl,
    BlobRef,
    Bucket,
    Cause,
    Checksum,
    Content,
    Event,
    Extent,
    Group,
    ManagedPolicy,
    ObjectPart,
    ObjectVersion,
    Part,
    Process,
    Secret,
    Upload,
    User,
    Volume,
)
from tests.started import started

CREATED = 1_700_000_000_000
"""When everything was made."""

LEASE = 30.0

RARE = "rare"
"""The volume of what dumps from schema 11 on have besides."""


@frozen
class Still:
    """The reactor, but with a clock that stands still, so that what it makes is the same each time."""

    clock: Clock

    def seconds(self) -> float:
        """The time."""
        return self.clock.seconds()

    def callLater(self, delay: float, function: Callable[..., Any]) -> Any:
        """As the reactor does."""
        return reactor.callLater(delay, function)  # type: ignore[attr-defined]

    def callFromThread(self, function: Callable[..., Any], *args: Any) -> None:
        """As the reactor does."""
        reactor.callFromThread(function, *args)  # type: ignore[attr-defined]


def still_store(path: str) -> SQLiteMetadataStore:
    """A store whose time is :data:`CREATED`, not yet open."""
    clock = Clock()
    clock.advance(CREATED / 1000)
    return SQLiteMetadataStore(path, Still(clock), clock)


def fill(tx: IMetadataTransaction) -> None:
    """Rows of every kind; an interaction."""
    _fill_buckets(tx)
    _fill_uploads(tx)
    tx.put_secret(Secret("alice/key", "alice", b"\x00sealed\xff", CREATED))
    expires = CREATED + 86_400_000
    tx.put_secret(Secret("bob", "bob", b"sealed too", CREATED + 5, expires))
    tx.set_setting("master-key-check", b"value")
    tx.lease("reaper", "host", LEASE)


def _fill_buckets(tx: IMetadataTransaction) -> None:
    reads = Acl.parse("user:bob:rl[ACCESS]")
    world, staff = Acl.parse("world::a"), Acl.parse("group:staff:a[DEFAULT]")
    tx.add_volume(Volume("s3v", "testuser", CREATED, admin="om", acls=(world,)))
    volume = Volume("vol1", "alice", CREATED + 1000, quota_bytes=1 << 30, quota_names=9)
    tx.add_volume(evolve(volume, acls=(reads, staff)))
    made = Bucket("s3v", "bucket", "testuser", CREATED + 10, "eu-west-1", "Enabled")
    made = evolve(made, quota_bytes=5000, quota_names=100, acls=(reads,))
    bucket = tx.add_bucket(made)
    source = ("vol1", "data")
    tx.add_bucket(Bucket("s3v", "link", "testuser", CREATED + 20, source=source))
    layout = "FILE_SYSTEM_OPTIMIZED"
    data = tx.add_bucket(Bucket(*source, "alice", CREATED + 30, layout=layout))
    tx.set_configuration(bucket, "policy", b'{"Version": "2012-10-17"}')
    first = ObjectVersion("a", tx.next_sequence(), CREATED, 4, "e" * 32, "alice", "v1")
    described = evolve(
        first,
        headers={"content-type": "text/plain"},
        metadata={"m": "ü"},
        tags={"k": "v"},
    )
    tx.add_version(bucket, described, Content(b"body"))
    second = ObjectVersion("a", tx.next_sequence(), CREATED, 11, version_id="v2")
    checksum = Checksum("CRC32", "FULL_OBJECT", "AAAAAA==")
    tx.add_version(bucket, evolve(second, checksum=checksum), Content(b"longer body"))
    third = ObjectVersion("a", tx.next_sequence(), CREATED, version_id="v3")
    tx.add_version(bucket, evolve(third, is_delete_marker=True), Content(b""))
    tx.add_version(
        bucket, ObjectVersion("bä", tx.next_sequence(), CREATED), Content(b"")
    )
    rare = ObjectVersion("c", tx.next_sequence(), CREATED, 16)
    tx.add_version(
        bucket, evolve(rare, storage_class="STANDARD_IA"), _extents("c1", "c2")
    )
    plain = ObjectVersion("x", tx.next_sequence(), CREATED, 10)
    tx.add_version(data, plain, Content(b"1234567890"))


def _fill_uploads(tx: IMetadataTransaction) -> None:
    data = tx.bucket("vol1", "data")
    assert data is not None
    begun = Upload("big", "u1", CREATED, "testuser", checksum_algorithm="SHA256")
    headers = {"content-type": "image/png"}
    begun = evolve(begun, checksum_type="COMPOSITE", headers=headers)
    tx.add_upload(data, begun)
    checksums = {"CRC64NVME": "AAAAAAAAAAA="}
    for part in (
        Part(1, 16, f"{1:032x}", CREATED, checksums, _extents("p1", "p2")),
        Part(2, 8, f"{2:032x}", CREATED, content=_extents("p3")),
        Part(2, 16, f"{2:032x}", CREATED, content=_extents("p4", "p5")),
    ):
        tx.put_part(data, begun, part)
    etag = "f" * 32 + "-1"
    became = ObjectVersion("z", tx.next_sequence(), CREATED, 8, etag, parts_count=1)
    other = Upload("z", "u2", CREATED, "testuser")
    tx.add_upload(data, other)
    tx.add_version(data, became, _extents("z1"), [ObjectPart(1, 8, "c" * 12)])
    done = evolve(other, completed=became, completed_parts="digest")
    tx.complete_upload(data, done)


def retire(tx: IMetadataTransaction) -> None:
    """Remove a version that has more extents than go at once, after :func:`fill`; an interaction."""
    data = tx.bucket("vol1", "data")
    assert data is not None
    names = [f"r{number}" for number in range(EXTENTS_AT_ONCE + 1)]
    many = ObjectVersion("many", tx.next_sequence(), CREATED, 8 * len(names))
    tx.add_version(data, many, _extents(*names))
    tx.remove_version(data, many)


def rare(tx: IMetadataTransaction) -> None:
    """What few rows have, and rows of kinds that came with schema 11 or before, in a volume of their own; an interaction."""
    tx.add_volume(Volume(RARE, "alice", CREATED))
    data = tx.add_bucket(Bucket(RARE, "data", "alice", CREATED))
    held = ObjectVersion("held", tx.next_sequence(), CREATED, 5, more={"until": "ü"})
    tx.add_version(data, held, Content(b"sealed bytes", (), "how", 5))
    blob = BlobRef("another", "s1", 10, 7)
    far = ObjectVersion("far", tx.next_sequence(), CREATED, 8)
    tx.add_version(data, far, Content(None, (Extent(blob, 2, 8, "how"),)))
    tx.add_upload(data, Upload("held", "u3", CREATED, "testuser", more={"a": "b"}))
    cause = Cause("alice", "::1", "0A")
    place = data.number, data.volume, data.name, data.owner, held.key, "null"
    tx.note_event(Event("ObjectCreated:Put", CREATED, *place, 5, "e" * 32, cause))
    tx.put_process(Process("id.1", CREATED, CREATED + 1, CREATED + 2))


def look_at_rare(tx: IMetadataTransaction) -> list[Any]:
    """What a store tells of :func:`rare`; an interaction."""
    data = tx.bucket(RARE, "data")
    assert data is not None
    found: list[Any] = [tx.upload(data, "held", "u3"), tx.events(0, 9), tx.processes()]
    for key in ("held", "far"):
        version = tx.latest(data, key)
        assert version is not None
        found += [version, tx.content(data, version)]
    return found


def identities(tx: IMetadataTransaction) -> None:
    """Users, groups and policies, and what few secrets have, for dumps of the schema that brought them and later ones; an interaction."""
    document, names = '{"Statement":[]}', frozenset({"readonly", "all"})
    tx.put_user(User("alice", "AIDA1", CREATED))
    known = User("carol", "AIDA2", CREATED + 1, True, frozenset({"staff"}), names)
    tx.put_user(
        evolve(known, inline={"own": document}, tags={"t": "ü"}, more={"a": "b"})
    )
    tx.put_group(Group("staff", "AGPA1", CREATED, names, {"own": document}))
    policy = ManagedPolicy("all", "ANPA1", CREATED, document, CREATED + 2, 3, "says ü")
    tx.put_policy(evolve(policy, tags={"t": "ü"}))
    secret = Secret("AKIA1", "carol", b"sealed", CREATED, None, True, True)
    tx.put_secret(evolve(secret, limits=(document,), description="ü", created_by="me"))


def look_at_identities(tx: IMetadataTransaction) -> list[Any]:
    """What a store tells of :func:`identities`; an interaction."""
    found: list[Any] = [tx.user("alice"), tx.user("carol"), tx.group("staff")]
    return [*found, tx.policy("all"), tx.secret_row("AKIA1")]


def _extents(*names: str) -> Content:
    blobs = [BlobRef("files", name, 10, 0xF000000000000001) for name in names]
    return Content(None, tuple(Extent(blob, 2, 8) for blob in blobs))


def look(tx: IMetadataTransaction) -> list[Any]:
    """Everything that a store tells of its rows, but for :func:`rare`; an interaction."""
    found: list[Any] = [*tx.secrets("", 99), tx.setting("master-key-check")]
    found += [tx.secret_row(secret.access_id) for secret in tx.secrets("", 99)]
    found += tx.doomed("files", 1 << 60, 99)
    for volume in tx.volumes("", "", 99):
        if volume.name == RARE:
            continue
        found.append(volume)
        for bucket in tx.buckets(volume.name, "", "", 99):
            found += _look_into(tx, bucket)
    return found


def _look_into(tx: IMetadataTransaction, bucket: Bucket) -> list[Any]:
    assert tx.recount(bucket) == (bucket.used_bytes, bucket.used_names)
    versions = tx.version_page(bucket, "", "", "", "", 99)
    uploads = [
        upload
        for holder, upload in tx.uploads_before(1 << 60, 99)
        if holder.number == bucket.number
    ]
    found: list[Any] = [bucket, tx.configuration(bucket, "policy"), versions, uploads]
    found += [
        tx.page(bucket, "", "", "", 99),
        tx.upload_page(bucket, "", "", "", "", 9),
    ]
    found += [tx.parts(bucket, upload, 0, 99) for upload in uploads]
    for item in versions.items:
        version = tx.version(bucket, item.key, item.version_id)
        assert version is not None
        parts = tx.object_parts(bucket, version, 0, 99)
        found += [version, tx.content(bucket, version), parts]
    return found


def restore(dump: str, path: str) -> None:
    """Make a database of a dump.

    :param dump: the text of one.
    """
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(dump)


async def dump() -> str:
    """A dump of the schema of this checkout."""
    with tempfile.TemporaryDirectory() as folder:
        store = still_store(os.path.join(folder, "metadata.db"))
        await started(store)
        await store.write(fill)
        await store.write(retire)
        await store.write(rare)
        await store.write(identities)
        await store.close()
        with closing(sqlite3.connect(os.path.join(folder, "metadata.db"))) as database:
            (number,) = database.execute("PRAGMA user_version").fetchone()
            lines = [*database.iterdump(), f"PRAGMA user_version = {number};"]
    return "\n".join([*lines, ""])


def main(clock: object, path: str) -> Deferred[int]:
    """Write a dump to a file."""
    made = Deferred.fromCoroutine(dump())
    return made.addCallback(Path(path).write_text)


if __name__ == "__main__":
    react(main, sys.argv[1:])
