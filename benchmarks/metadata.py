"""What the metadata on SQLite costs: commits, point reads, pages, a large Complete.

Run it as ``python -m benchmarks.metadata [folder] [writes keys complete convoy]``. The folder should be on the
disk that is to be measured; figures are CPU time where they say so, wall time elsewhere.
"""

from __future__ import annotations

import os
import resource
import sys
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import react

from ozgate.interfaces import IMetadataTransaction
from ozgate.metadata.sqlite.store import SQLiteMetadataStore
from ozgate.values import (
    BlobRef,
    Bucket,
    Content,
    Extent,
    ObjectPart,
    ObjectVersion,
    Part,
    Upload,
    Volume,
)

BODY = os.urandom(4096)
HEADERS = {"content-type": "binary/octet-stream"}


def say(what: str, value: float, unit: str, target: str = "") -> None:
    """Print one figure."""
    print(f"{what:58} {value:12,.1f} {unit:10} {target}", flush=True)


def memory() -> float:
    """Resident MiB at their highest."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def size_of(path: str) -> float:
    """MiB of a file."""
    return os.path.getsize(path) / 2**20


def machine() -> float:
    """Nanoseconds of a turn of a loop: what the other figures are to be read with."""
    began, total = time.perf_counter(), 0
    for number in range(1_000_000):
        total += number
    return (time.perf_counter() - began) * 1e3


def make_bucket(tx: IMetadataTransaction, name: str) -> Bucket:
    """A bucket in the volume s3v."""
    if tx.volume("s3v") is None:
        tx.add_volume(Volume("s3v", "owner", tx.now()))
    return tx.add_bucket(Bucket("s3v", name, "owner", tx.now()))


def put(tx: IMetadataTransaction, name: str, key: str, body: bytes) -> None:
    """What a PutObject of a small object writes."""
    bucket = tx.bucket("s3v", name)
    assert bucket is not None
    old = tx.latest(bucket, key)
    if old is not None:
        tx.remove_version(bucket, old)
    version = ObjectVersion(
        key,
        tx.next_sequence(),
        tx.now(),
        len(body),
        "d41d8cd98f00b204e9800998ecf8427e",
        "owner",
        headers=HEADERS,
    )
    tx.add_version(bucket, version, Content(body))


async def many(
    store: SQLiteMetadataStore, writers: int, count: int, keys: int, body: bytes
) -> None:
    """Time ``count`` writes, ``writers`` of them at a time."""
    latencies: list[float] = []

    async def writer(number: int) -> None:
        for turn in range(count // writers):
            began = time.perf_counter()
            key = f"folder/{(turn * writers + number) * 7919 % keys:07}"
            await store.write(put, "writes", key, body)
            latencies.append(time.perf_counter() - began)

    began, cpu = time.perf_counter(), time.process_time()
    await gatherResults(
        [Deferred.fromCoroutine(writer(number)) for number in range(writers)]
    )
    elapsed, used = time.perf_counter() - began, time.process_time() - cpu
    done = len(latencies)
    latencies.sort()
    what = f"write, {writers} at a time, {len(body)} B body"
    say(what, done / elapsed, "/s")
    say("   CPU", used / done * 1e6, "us each", "(target 40 at 16)")
    say("   latency, median", latencies[done // 2] * 1e3, "ms")
    say("   latency, 99.9 %", latencies[done * 999 // 1000] * 1e3, "ms")
    say("   latency, worst", latencies[-1] * 1e3, "ms")


async def writes(store: SQLiteMetadataStore, path: str) -> None:
    """Commit rates."""
    await store.write(make_bucket, "writes")
    for writers, count in ((1, 1500), (16, 12000), (100, 20000)):
        await many(store, writers, count, 1 << 20, b"x" * 100)
    await many(store, 16, 8000, 1 << 20, BODY)
    await many(store, 16, 8000, 1000, BODY)
    say("write-ahead log", size_of(path + "-wal"), "MiB")


def fill(tx: IMetadataTransaction, bucket: Bucket, keys: list[str]) -> None:
    """Add empty objects."""
    etag = "d41d8cd98f00b204e9800998ecf8427e"
    for key in keys:
        version = ObjectVersion(
            key, tx.next_sequence(), tx.now(), 0, etag, "owner", headers=HEADERS
        )
        tx.add_version(bucket, version, Content(b""))


async def filled(
    store: SQLiteMetadataStore, name: str, key_of: Callable[[int], str], count: int
) -> Bucket:
    """A bucket with so many keys."""
    bucket = await store.write(make_bucket, name)
    began = time.perf_counter()
    for low in range(0, count, 10_000):
        keys = [key_of(number) for number in range(low, min(low + 10_000, count))]
        await store.write(fill, bucket, keys)
    say(f"fill {name}", count / (time.perf_counter() - began), "keys/s")
    found: Bucket = bucket
    return found


def one_page(
    tx: IMetadataTransaction, bucket: Bucket, after: str, delimiter: str
) -> Any:
    """A page of a thousand."""
    return tx.page(bucket, "", after, delimiter, 1000)


async def walk(store: SQLiteMetadataStore, bucket: Bucket, delimiter: str) -> int:
    """List a bucket; the number of entries."""
    after: str | None = ""
    found = 0
    while after is not None:
        page = await store.read(one_page, bucket, after, delimiter)
        found += len(page.items) + len(page.common_prefixes)
        after = page.next_after
    return found


async def timed(what: Callable[[], Awaitable[int]]) -> tuple[int, float, float]:
    """The result, wall and CPU seconds of something."""
    began, cpu = time.perf_counter(), time.process_time()
    result = await what()
    return result, time.perf_counter() - began, time.process_time() - cpu


async def keys(store: SQLiteMetadataStore, path: str) -> None:
    """Listings and point reads."""
    flat = await filled(store, "flat", lambda n: f"data/part-{n:08}.bin", 1_000_000)
    found, wall, cpu = await timed(lambda: walk(store, flat, ""))
    say("flat listing, CPU", found / cpu, "keys/s", "(target 300,000)")
    say("flat listing, wall", found / wall, "keys/s")

    def point(tx: IMetadataTransaction, key: str) -> Any:
        bucket = tx.bucket("s3v", "flat")
        assert bucket is not None
        version = tx.latest(bucket, key)
        assert version is not None
        return tx.content(bucket, version)

    async def points() -> int:
        for number in range(20_000):
            await store.read(point, f"data/part-{number * 7919 % 1_000_000:08}.bin")
        return 20_000

    found, wall, cpu = await timed(points)
    say("read of bucket, version and content, CPU", cpu / found * 1e6, "us")
    nested = await filled(
        store, "nested", lambda n: f"{n // 1000:04}/{n % 1000:04}", 1_000_000
    )
    found, wall, cpu = await timed(lambda: walk(store, nested, "/"))
    assert found == 1000
    say("1,000 prefixes of 1,000 keys, CPU", cpu * 1e3, "ms", "(target 15)")
    say("database", size_of(path), "MiB")


def content_of(number: int) -> Content:
    """The content of a part: one blob of 5 MiB."""
    size = 5 << 20
    blob = BlobRef("files", f"01jd{number:022}", size, number << 40)
    return Content(None, (Extent(blob, 0, size),))


async def complete(store: SQLiteMetadataStore, path: str) -> None:
    """A Complete of 10,000 parts, as one interaction."""
    count = 10_000
    sums = {"CRC64NVME": "AAAAAAAAAAA="}

    def begin(tx: IMetadataTransaction) -> tuple[Bucket, Upload]:
        bucket = make_bucket(tx, "complete")
        upload = Upload("key", "u1", tx.now(), "owner")
        tx.add_upload(bucket, upload)
        for number in range(1, count + 1):
            content = content_of(number)
            part = Part(number, content.length, "0" * 32, tx.now(), sums, content)
            tx.put_part(bucket, upload, part)
        return bucket, upload

    def finish(tx: IMetadataTransaction, bucket: Bucket, upload: Upload) -> None:
        parts = tx.parts(bucket, upload, 0, count)
        assert len(parts) == count
        extents = tuple(extent for part in parts for extent in part.content.extents)
        version = ObjectVersion("key", tx.next_sequence(), tx.now(), parts_count=count)
        kept = [ObjectPart(part.number, part.size, "AAAA") for part in parts]
        tx.add_version(bucket, version, Content(None, extents), kept)
        tx.complete_upload(bucket, upload)

    bucket, upload = await store.write(begin)
    began = time.perf_counter()
    await store.write(finish, bucket, upload)
    say("Complete of 10,000 parts", (time.perf_counter() - began) * 1e3, "ms", "(500)")


async def convoy(store: SQLiteMetadataStore, path: str) -> None:
    """A thousand-key page and writes while another thread computes in pure Python."""
    bucket = await filled(store, "convoy", lambda n: f"{n:08}", 20_000)
    await store.write(make_bucket, "writes2")
    stop = threading.Event()

    def compute() -> None:
        while not stop.is_set():
            sum(range(1000))

    for interval in (0.005, 0.001, 0.0005, 0.0001):
        sys.setswitchinterval(interval)
        stop.clear()
        thread = threading.Thread(target=compute)
        thread.start()
        try:
            _, wall, _ = await timed(lambda: walk(store, bucket, ""))
            say(
                f"page beside a busy thread, interval {interval}", wall / 20 * 1e3, "ms"
            )
            began = time.perf_counter()
            for number in range(5):
                await store.write(put, "writes2", f"{number}", b"x")
            wall = time.perf_counter() - began
            say(
                f"write beside a busy thread, interval {interval}", wall / 5 * 1e3, "ms"
            )
        finally:
            stop.set()
            thread.join()


PARTS = {"writes": writes, "keys": keys, "complete": complete, "convoy": convoy}


async def main(clock: Any, *names: str) -> None:
    """Measure what is named, or everything."""
    folder = names[0] if names and names[0] not in PARTS else None
    say("a turn of a plain loop", machine(), "ns")
    with tempfile.TemporaryDirectory(dir=folder) as place:
        path = f"{place}/metadata.db"
        store = SQLiteMetadataStore(path, reactor)
        began = time.perf_counter()
        await store.prepare()
        await store.open()
        say("open, making the schema", (time.perf_counter() - began) * 1e3, "ms")
        for name in [name for name in names if name in PARTS] or PARTS:
            await PARTS[name](store, path)
        say("highest memory", memory(), "MiB")
        await store.close()


if __name__ == "__main__":
    react(lambda clock: Deferred.fromCoroutine(main(clock, *sys.argv[1:])))
