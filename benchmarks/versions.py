"""ListObjectsV2 over 10,000 live keys: with delete markers and old versions before, between and after them, with all of these before
the first of them, and without any.

What is beneath is put into the store by its own interface, in large transactions, before the server starts: twice 1,000,000 rows, half of them
delete markers. Each pass lists all three buckets, flat and by a delimiter, and the sums of all passes are compared.
Run ``python -m benchmarks.versions [rows]``; 20,000 rows take a few seconds.
"""

from __future__ import annotations

import os
import re
import tempfile
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from attrs import evolve

from benchmarks.filling import in_batches, make_bucket, populate
from benchmarks.measure import Gateway, argument, verdict
from ozgate.metadata.sqlite.store import SQLiteMetadataStore
from ozgate.s3.versions import new_version_id
from ozgate.values import Bucket, Content, ObjectVersion

LIVE = 10_000
BUCKETS = ("plain", "deep", "behind")

Row = tuple[str, bool]
"""A key, and whether the row is a delete marker."""


def live_keys() -> Iterator[Row]:
    """The keys that are listed, ten of each prefix."""
    for n in range(LIVE):
        yield f"dir-{n // 10:05d}/key-{n:06d}", False


def hidden(prefix: str, rows: int) -> Iterator[Row]:
    """Keys that are not listed, each an old version below a marker, a hundred of each prefix."""
    for n in range(rows // 2):
        name = f"{prefix}-{n // 100:06d}/gone-{n:07d}"
        yield name, False
        yield name, True


def beneath(rows: int) -> Iterator[Row]:
    """What is beneath, in the order in which it comes to be: a fifth before all live keys, a fifth after them, and the rest between."""
    part = rows // 5
    yield from hidden("aaa", part)
    yield from hidden("zzz", part)
    # In prefixes of their own, between those of live keys.
    each = max(1, part // (LIVE // 10) // 2)
    for n in range(LIVE // 10):
        for m in range(each):
            name = f"dir-{n:05d}.gone/{m:03d}"
            yield name, False
            yield name, True
    # In the prefixes of live keys, and of live keys themselves.
    for n in range(LIVE):
        key = f"dir-{n // 10:05d}/key-{n:06d}"
        for m in range(max(1, part // LIVE // 2)):
            yield f"{key}.gone-{m:03d}", False
            yield f"{key}.gone-{m:03d}", True
    for n in range(LIVE):
        for m in range(max(1, part // LIVE)):
            yield f"dir-{n // 10:05d}/key-{n:06d}", m % 2 == 1


def enable(tx: Any, bucket: Bucket) -> Bucket:
    """Have a bucket keep versions."""
    made = evolve(bucket, versioning="Enabled")
    tx.replace_bucket(made)
    return made


def add(tx: Any, bucket: Bucket, rows: list[Row]) -> None:
    """Add a version, or marker, for each row."""
    for key, is_marker in rows:
        version = ObjectVersion(
            key=key, sequence=tx.next_sequence(), modified=tx.now(), size=0 if is_marker else 5,
            etag="" if is_marker else "5d41402abc4b2a76b9719d911017c592", owner="benchmark",
            version_id=new_version_id(), is_delete_marker=is_marker,
        )  # fmt: skip
        tx.add_version(bucket, version, Content(b"" if is_marker else b"hello"))


async def fill(store: SQLiteMetadataStore, rows: int) -> None:
    """All three buckets."""
    beneaths = (iter(()), beneath(rows), hidden("aaa", rows))
    for name, wanted in zip(BUCKETS, beneaths, strict=True):
        bucket = await store.write(make_bucket, name)
        bucket = await store.write(enable, bucket)
        for some in in_batches(wanted):
            await store.write(add, bucket, some)
        await store.write(add, bucket, list(live_keys()))


def list_all(server: Gateway, bucket: str, query: str) -> int:
    """Every page; how many keys and prefixes there are."""
    token, found = "", 0
    while True:
        more = f"&continuation-token={quote(token, safe='')}" if token else ""
        answer = server.must("GET", f"/{bucket}?list-type=2{query}{more}")
        found += answer.count(b"<Key>") + answer.count(b"<CommonPrefixes>")
        following = re.search(
            rb"<NextContinuationToken>(.*?)</NextContinuationToken>", answer
        )
        if following is None:
            return found
        token = following[1].decode()


def compare(
    server: Gateway, query: str, expected: int, passes: int
) -> list[tuple[str, float]]:
    """The CPU time of each other bucket to that of the plain one, listed in turns."""
    spent = {bucket: [0.0, 0.0] for bucket in BUCKETS}
    for _ in range(passes):
        for bucket, sums in spent.items():
            cpu, started = server.cpu, time.monotonic()
            found = list_all(server, bucket, query)
            sums[0] += server.cpu - cpu
            sums[1] += time.monotonic() - started
            if found != expected:
                raise RuntimeError(f"{found} listed of {expected}, {query or 'flat'}")
    for bucket, (cpu, wall) in spent.items():
        print(f"     {bucket}{query}: {wall:.2f} s wall, {cpu:.2f} s server CPU")
    return [(each, spent[each][0] / spent["plain"][0]) for each in BUCKETS[1:]]


def main() -> int:
    """Print the figures; 1 when one misses."""
    rows = int(argument(__doc__, "rows", 1_000_000))
    with tempfile.TemporaryDirectory(prefix="ozgate-versions-") as folder:
        data = os.path.join(folder, "data")
        populate(data, lambda store: fill(store, rows))
        server = Gateway(data)
        try:
            results = []
            for what, query, expected, passes in (
                ("flat", "", LIVE, 20),
                ("by a delimiter", "&delimiter=/", LIVE // 10, 150),
            ):
                for bucket in BUCKETS:
                    list_all(server, bucket, query)
                for bucket, ratio in compare(server, query, expected, passes):
                    name = f"{bucket}, listed {what}"
                    results.append(verdict(name, ratio, 1.2, at_most=True, unit="x"))
        finally:
            server.stop()
    return 0 if all(results) else 1


if __name__ == "__main__":
    raise SystemExit(main())
