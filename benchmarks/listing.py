"""ListObjectsV2: 1,000,000 flat keys page by page, and a delimiter over 1,000 prefixes of 1,000 keys.

Keys are put into the store by its own interface, in large transactions, before the server starts.
Run ``python -m benchmarks.listing [keys]``.
"""

from __future__ import annotations

import os
import re
import tempfile
import time
from typing import Any
from urllib.parse import quote

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import react

from benchmarks.measure import Gateway, argument, verdict
from ozgate.metadata.sqlite.store import SQLiteMetadataStore
from ozgate.s3.perform.buckets import shared_volume
from ozgate.values import Bucket, Content, ObjectVersion


def fill(tx: Any, bucket: Bucket, names: list[str]) -> None:
    """Add a small object under each name."""
    for name in names:
        version = ObjectVersion(
            key=name, sequence=tx.next_sequence(), modified=tx.now(), size=5,
            etag="5d41402abc4b2a76b9719d911017c592", owner="benchmark",
        )  # fmt: skip
        tx.add_version(bucket, version, Content(b"hello"))


def make_bucket(tx: Any, name: str) -> Bucket:
    """A bucket in the volume s3v."""
    if tx.volume("s3v") is None:
        tx.add_volume(shared_volume("s3v", "benchmark", tx.now()))
    made: Bucket = tx.add_bucket(Bucket("s3v", name, "benchmark", tx.now()))
    return made


async def populate(data: str, keys: int) -> None:
    """Both buckets, written in batches of 10,000."""
    os.makedirs(data)
    store = SQLiteMetadataStore(os.path.join(data, "metadata.db"), reactor)
    await store.prepare()
    await store.open()
    flat = await store.write(make_bucket, "flat")
    tree = await store.write(make_bucket, "tree")
    for first in range(0, keys, 10_000):
        last = min(first + 10_000, keys)
        await store.write(fill, flat, [f"key-{n:09d}" for n in range(first, last)])
        await store.write(
            fill,
            tree,
            [f"prefix-{n // 1000:06d}/key-{n % 1000:06d}" for n in range(first, last)],
        )
    await store.close()


def list_flat(server: Gateway) -> tuple[int, int]:
    """Every page; returns keys and pages."""
    token, keys, pages = "", 0, 0
    while True:
        target = "/flat?list-type=2" + (
            f"&continuation-token={quote(token, safe='')}" if token else ""
        )
        answer = server.must("GET", target)
        keys += answer.count(b"<Key>")
        pages += 1
        following = re.search(
            rb"<NextContinuationToken>(.*?)</NextContinuationToken>", answer
        )
        if following is None:
            return keys, pages
        token = following[1].decode()


def main() -> int:
    """Print the figures; 1 when one misses."""
    keys = int(argument(__doc__, "keys", 1_000_000))
    with tempfile.TemporaryDirectory(prefix="ozgate-listing-") as folder:
        data = os.path.join(folder, "data")
        try:
            react(lambda _: Deferred.fromCoroutine(populate(data, keys)))
        except SystemExit as ended:
            if ended.code:
                raise
        server = Gateway(data)
        try:
            server.must("GET", "/flat?list-type=2&max-keys=1")
            cpu, started = server.cpu, time.monotonic()
            listed, pages = list_flat(server)
            cpu, wall = server.cpu - cpu, time.monotonic() - started
            if listed != keys:
                raise RuntimeError(f"{listed} keys listed of {keys}")
            print(
                f"     {listed} keys in {pages} pages: {wall:.2f} s wall with the client, {cpu:.2f} s server CPU"
            )
            results = [
                verdict(
                    "flat listing",
                    listed / cpu / 1000,
                    150,
                    at_most=False,
                    unit="k keys per server CPU-s",
                )
            ]
            server.must("GET", "/tree?list-type=2&delimiter=/&max-keys=1")
            cpu, rounds = server.cpu, 20
            for _ in range(rounds):
                answer = server.must("GET", "/tree?list-type=2&delimiter=/")
            cpu = (server.cpu - cpu) / rounds
            if answer.count(b"<CommonPrefixes>") != min(1000, keys // 1000):
                raise RuntimeError("not every prefix was listed")
            results.append(
                verdict(
                    "listing over 1,000 prefixes",
                    cpu * 1000,
                    60,
                    at_most=True,
                    unit=" ms CPU",
                )
            )
        finally:
            server.stop()
    return 0 if all(results) else 1


if __name__ == "__main__":
    raise SystemExit(main())
