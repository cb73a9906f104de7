"""Bits that flip in a metadata database, and what every read makes of it.

``python -m tests.crash.bit_rot [EVERY]`` flips each EVERY-th bit (all of them without) of the file of a database with
rows of every kind, one after the other, and reads everything each time. It ends with 1 when a read
gave anything but what was written, nothing, or an error of the store.

Left out are listings, which are read from an index that no check covers, and what buckets and volumes use, which is
counted apart from their rows.
"""

# ruff: noqa: ASYNC240
# Nothing else waits while a file is written.

from __future__ import annotations

import argparse
import os
import shutil
import sqlite3
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

from attrs import evolve, frozen
from twisted.internet.defer import Deferred
from twisted.internet.task import react

from ozgate.errors import Absent, StoreError
from ozgate.interfaces import IMetadataTransaction
from ozgate.metadata.declared.relation import Table
from ozgate.metadata.declared.tables import CHECKED, RETIRED
from ozgate.metadata.sqlite.store import SQLiteMetadataStore
from ozgate.testing.metadata_events import EVENT
from ozgate.values import Bucket, Volume
from tests.started import started
from tests.unit.metadata.sqlite.metadata_rows import (
    CREATED,
    fill,
    identities,
    still_store,
)

Interaction = Callable[[IMetadataTransaction], Any]

RIGHT, REFUSED, ABSENT, WRONG = "right", "refused", "absent", "WRONG"

SEED = 4
"""What tests draw bits from."""


@frozen
class Read:
    """One question to the store.

    :ivar about: what it is, for messages.
    :ivar right: the answer before anything was damaged.
    """

    about: str
    interaction: Interaction
    right: Any


async def reads_of(store: SQLiteMetadataStore) -> list[Read]:
    """Every question about the rows of :func:`tests.unit.metadata.sqlite.metadata_rows.fill`, with its answer."""
    found: list[Read] = []

    async def ask(about: str, interaction: Interaction) -> Any:
        right = await store.read(interaction)
        if isinstance(right, Bucket | Volume):
            right = evolve(right, used_bytes=0, used_names=0)
        found.append(Read(about, interaction, right))
        return right

    for access_id in ("alice/key", "bob", "AKIA1"):
        await ask(access_id, lambda tx, a=access_id: tx.secret_row(a))
    for user in ("alice", "carol"):
        await ask(f"user {user}", lambda tx, u=user: tx.user(u))
    await ask("group", lambda tx: tx.group("staff"))
    await ask("named policy", lambda tx: tx.policy("all"))
    await ask("retired", lambda tx: tx.retired(1 << 60, 9))
    await ask("events", lambda tx: tx.events(0, 9))
    for volume in ("s3v", "vol1"):
        await ask(volume, lambda tx, v=volume: tx.volume(v))
    for place, keys in (
        (("s3v", "bucket"), {"a": ("v1", "v2", "v3"), "bä": (), "c": ()}),
        (("s3v", "link"), {}),
        (("vol1", "data"), {"x": (), "z": ()}),
    ):
        bucket = await ask(f"bucket {place}", lambda tx, p=place: tx.bucket(*p))
        await ask("policy", lambda tx, b=bucket: tx.configuration(b, "policy"))
        for key, version_ids in keys.items():
            await _ask_of_key(ask, bucket, key, version_ids)
        if place[1] == "data":
            for key, upload_id in (("big", "u1"), ("z", "u2")):
                place_of = (bucket, key, upload_id)
                upload = await ask(upload_id, lambda tx, p=place_of: tx.upload(*p))
                of = (bucket, upload, 0, 99)
                await ask(f"parts of {upload_id}", lambda tx, o=of: tx.parts(*o))
    return found


async def _ask_of_key(
    ask: Callable[..., Any], bucket: Any, key: str, version_ids: Iterable[str]
) -> None:
    latest = await ask(f"latest {key}", lambda tx: tx.latest(bucket, key))
    versions = [latest]
    for version_id in version_ids:
        name = f"{key} {version_id}"
        place = (bucket, key, version_id)
        versions.append(await ask(name, lambda tx, p=place: tx.version(*p)))
    for version in versions:
        name = f"of {key} {version.version_id}"
        of = (bucket, version)
        await ask(f"content {name}", lambda tx, o=of: tx.content(*o))
        await ask(f"parts {name}", lambda tx, o=of: tx.object_parts(*o, 0, 99))


async def outcome(store: SQLiteMetadataStore, read: Read) -> str:
    """What a read gives now."""
    try:
        found = await store.read(read.interaction)
    except Absent:
        return ABSENT
    except StoreError:
        return REFUSED
    if isinstance(found, Bucket | Volume):
        found = evolve(found, used_bytes=0, used_names=0)
    if found == read.right:
        return RIGHT
    if found is None:
        return ABSENT
    # Of several parts, fewer: whoever asks for one that is missing is told so.
    if isinstance(found, list) and all(each in read.right for each in found):
        return ABSENT
    return WRONG


def flipped(value: Any, random: Random) -> Any:
    """A column with one bit another one; bytes for text that is no UTF-8 any more."""
    if isinstance(value, int):
        return value ^ (1 << random.randrange(max(value.bit_length(), 1)))
    data = bytearray(value.encode() if isinstance(value, str) else value)
    data[random.randrange(len(data))] ^= 1 << random.randrange(8)
    return bytes(data)


def columns_of(path: str) -> Iterator[tuple[Table[object], str, tuple[Any, ...], Any]]:
    """Each column of each row that has a value: its table, its name, its row's key, the value."""
    with closing(sqlite3.connect(path)) as connection:
        for table in CHECKED:
            names = [*table.columns, "checked"]
            rows = connection.execute(f"SELECT {', '.join(names)} FROM {table.name}")
            for row in rows.fetchall():
                values = dict(zip(names, row, strict=True))
                place = tuple(values[name] for name in table.key)
                for name in names:
                    if values[name] not in (None, "", b""):
                        yield table, name, place, values[name]


def put_column(
    connection: sqlite3.Connection,
    table: Table[object],
    name: str,
    place: tuple[Any, ...],
    value: Any,
    is_text: bool,
) -> None:
    """Change one column of one row."""
    what = "CAST(? AS TEXT)" if is_text else "?"
    at = " AND ".join(
        f"{key} = {'CAST(? AS TEXT)' if isinstance(part, bytes) else '?'}"
        for key, part in zip(table.key, place, strict=True)
    )
    done = connection.execute(
        f"UPDATE {table.name} SET {name} = {what} WHERE {at}", (value, *place)
    )
    assert done.rowcount == 1, (table.name, name, place)


async def made(path: str) -> list[Read]:
    """Make a database, closed again, and every question to it."""
    store = still_store(path)
    await started(store)
    await store.write(fill)
    await store.write(identities)
    await store.write(_retire)
    await store.write(lambda tx: tx.note_event(EVENT))
    reads = await reads_of(store)
    await store.close()
    return reads


def _retire(tx: Any) -> None:
    """Keep extents of a removed version; there are none left."""
    tx._execute(RETIRED.insert, RETIRED.row(99, CREATED))


async def after_flip(
    original: bytes, path: str, bit: int, reads: list[Read]
) -> Counter[str]:
    """Flip one bit of a database's file and ask everything.

    :return: how often each outcome was had; the questions that were answered wrongly are among the keys.
    """
    data = bytearray(original)
    data[bit // 8] ^= 1 << bit % 8
    Path(path).write_bytes(data)
    found: Counter[str] = Counter()
    store = still_store(path)
    try:
        await started(store)
    except StoreError:
        found[REFUSED] += len(reads)
        return found
    try:
        for read in reads:
            was = await outcome(store, read)
            found[was] += 1
            if was == WRONG:
                found[f"{WRONG}: {read.about}"] += 1
    finally:
        await store.close()
        for name in (f"{path}-wal", f"{path}-shm"):
            if os.path.exists(name):
                os.unlink(name)
    return found


async def _main(every: int) -> int:
    folder = tempfile.mkdtemp(prefix="ozgate-bit-rot-")
    path = f"{folder}/metadata.db"
    reads = await made(path)
    original = Path(path).read_bytes()
    total: Counter[str] = Counter()
    for bit in range(0, len(original) * 8, every):
        found = await after_flip(original, path, bit, reads)
        if found[WRONG]:
            print(f"bit {bit}: {dict(found)}")
        total += found
    shutil.rmtree(folder)
    print(f"{len(original) * 8 // every} bits: {dict(total)}")
    return 1 if total[WRONG] else 0


def main(reactor: object, *words: str) -> Deferred[None]:
    """The command."""
    parser = argparse.ArgumentParser(
        "python -m tests.crash.bit_rot", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument(
        "every", type=int, nargs="?", default=1, help="flip each EVERY-th bit"
    )
    every = parser.parse_args(words).every

    def leave(code: int) -> None:
        if code:
            raise SystemExit(code)

    return Deferred.fromCoroutine(_main(every)).addCallback(leave)


if __name__ == "__main__":
    react(main, sys.argv[1:])
