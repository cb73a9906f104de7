"""Buckets with a great many objects, put into a store by its own interface, in large transactions, while no server runs.

As a program, ``python -m benchmarks.filling FOLDER BUCKET KEYS``, it makes a data folder with one that has keys ``key-000000000`` and so on.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, TypeVar

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import react

from ozgate.metadata.sqlite.store import SQLiteMetadataStore
from ozgate.s3.perform.buckets import shared_volume
from ozgate.values import Bucket, Content, ObjectVersion

Row = TypeVar("Row")

AT_ONCE = 10_000
"""Rows of one transaction."""


def make_bucket(tx: Any, name: str) -> Bucket:
    """A bucket in the volume s3v."""
    if tx.volume("s3v") is None:
        tx.add_volume(shared_volume("s3v", "benchmark", tx.now()))
    made: Bucket = tx.add_bucket(Bucket("s3v", name, "benchmark", tx.now()))
    return made


def fill(tx: Any, bucket: Bucket, names: list[str]) -> None:
    """Add a small object under each name."""
    for name in names:
        version = ObjectVersion(
            key=name, sequence=tx.next_sequence(), modified=tx.now(), size=5,
            etag="5d41402abc4b2a76b9719d911017c592", owner="benchmark",
        )  # fmt: skip
        tx.add_version(bucket, version, Content(b"hello"))


def in_batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Some of them at a time."""
    left = iter(rows)
    while some := list(islice(left, AT_ONCE)):
        yield some


async def fill_buckets(
    store: SQLiteMetadataStore, buckets: Mapping[str, Iterable[str]]
) -> None:
    """Make buckets, with an object under each of their names."""
    for name, names in buckets.items():
        bucket = await store.write(make_bucket, name)
        for some in in_batches(names):
            await store.write(fill, bucket, some)


def populate(data: str, work: Callable[[SQLiteMetadataStore], Awaitable[None]]) -> None:
    """Do something with the store of a new data folder. The reactor runs for nothing else, and not again.

    :param work: called with the store while it is open.
    """

    async def run() -> None:
        os.makedirs(data)
        store = SQLiteMetadataStore(os.path.join(data, "metadata.db"), reactor)
        await store.prepare()
        await store.open()
        await work(store)
        await store.close()

    try:
        react(lambda _: Deferred.fromCoroutine(run()))
    except SystemExit as ended:
        if ended.code:
            raise


def main(data: str, bucket: str, keys: int) -> None:
    """Make a data folder with a bucket."""
    names = (f"key-{number:09d}" for number in range(keys))
    populate(data, lambda store: fill_buckets(store, {bucket: names}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
