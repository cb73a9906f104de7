"""Objects of 1, 1,000 and 10,000 extents: what a byte and a part of them cost, and what 200 slow readers of the largest hold.

The extents are put straight into the metadata, between two runs of the server: 10,000 parts of 5 MiB need no 50 GiB of disk.
Costs are CPU time of the server, in rounds that take the objects in turn. Run ``python -m benchmarks.extents [rounds]``.
"""

from __future__ import annotations

import contextlib
import os
import socket
import statistics
import tempfile
import time
from collections.abc import Iterator

from twisted.internet import reactor
from twisted.internet.defer import Deferred

from benchmarks.measure import MIB, Gateway, argument, upload, verdict
from ozgate.interfaces import IMetadataTransaction
from ozgate.metadata.sqlite.store import SQLiteMetadataStore
from ozgate.values import Content, Extent, ObjectPart, ObjectVersion

COUNTS = (1, 1_000, 10_000)
PART = 5 * MIB
READERS = 200
REQUESTS = 200
"""Of one kind, to one object, in a round."""
FLAT = 1.5
"""How much more one object may cost than another."""
RSS = 50.0
"""MiB that the readers may add."""


def add(tx: IMetadataTransaction) -> None:
    """Objects of so many extents, no two of them neighbours; an interaction."""
    bucket = tx.bucket("s3v", "bucket")
    assert bucket is not None
    blobs = []
    for key in ("source-0", "source-1"):
        source = tx.latest(bucket, key)
        assert source is not None
        blobs.append(tx.content(bucket, source).extents[0].blob)
    for count in COUNTS:
        extents = tuple(Extent(blobs[n % 2], n % MIB, PART) for n in range(count))
        parts = [ObjectPart(number, PART) for number in range(1, count + 1)]
        version = ObjectVersion(
            *(f"of-{count}", tx.next_sequence(), tx.now(), count * PART, "0" * 32),
            owner="benchmark",
            parts_count=count,
        )
        tx.add_version(bucket, version, Content(None, extents), parts)


async def fill(path: str) -> None:
    """Add the objects to the metadata of a server that does not run."""
    store = SQLiteMetadataStore(path, reactor)
    await store.prepare()
    await store.open()
    await store.write(add)
    await store.close()


def run(path: str) -> None:
    """Do so; the reactor runs for nothing else."""
    failures: list[object] = []

    def begin() -> None:
        filling = Deferred.fromCoroutine(fill(path))
        filling.addErrback(failures.append).addBoth(lambda _: reactor.stop())

    reactor.callWhenRunning(begin)
    reactor.run(installSignalHandlers=False)
    if failures:
        raise RuntimeError(f"the objects could not be made: {failures[0]}")


@contextlib.contextmanager
def filled() -> Iterator[Gateway]:
    """A server that has the objects."""
    with tempfile.TemporaryDirectory(prefix="ozgate-benchmark-") as folder:
        data = os.path.join(folder, "data")
        server = Gateway(data)
        try:
            server.must("PUT", "/bucket")
            for number in range(2):
                upload(server, f"/bucket/source-{number}", 8 * MIB)
        finally:
            server.stop()
        run(os.path.join(data, "metadata.db"))
        server = Gateway(data)
        try:
            yield server
        finally:
            server.stop()


def cost(server: Gateway, target: str, wanted: str) -> float:
    """CPU milliseconds of a request."""
    before = server.cpu
    for _ in range(REQUESTS):
        if wanted:
            server.must("GET", target, range=wanted)
        else:
            server.must("HEAD", target)
    return (server.cpu - before) * 1000 / REQUESTS


def flat(server: Gateway, rounds: int) -> list[bool]:
    """What a byte and a part cost, of each object."""
    results = []
    for name, asked in (
        ("the first byte", lambda count: ("", "bytes=0-0")),
        (
            "a byte in the middle",
            lambda count: ("", f"bytes={count * PART // 2}-{count * PART // 2}"),
        ),
        ("the last byte", lambda count: ("", "bytes=-1")),
        ("HEAD of the last part", lambda count: (f"?partNumber={count}", "")),
    ):
        costs: dict[int, list[float]] = {count: [] for count in COUNTS}
        for number in range(rounds + 1):
            for count in COUNTS:
                query, wanted = asked(count)
                found = cost(server, f"/bucket/of-{count}{query}", wanted)
                if number:  # the first round warms up
                    costs[count].append(found)
        medians = {count: statistics.median(found) for count, found in costs.items()}
        said = ", ".join(f"{count}: {value:.2f} ms" for count, value in medians.items())
        print(f"     {name}, CPU by extents: {said}", flush=True)
        ratio = max(medians.values()) / min(medians.values())
        results.append(
            verdict(f"{name}, largest to smallest", ratio, FLAT, at_most=True)
        )
    return results


def readers(server: Gateway, target: str, count: int) -> list[socket.socket]:
    """Clients that ask for all of an object, read its head, and no more."""
    headers = server.headers("GET", target)
    lines = [f"GET {target} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    asked = "\r\n".join([*lines, "", ""]).encode()
    found = []
    for _ in range(count):
        connection = socket.create_connection(("127.0.0.1", server.port), timeout=60)
        connection.sendall(asked)
        found.append(connection)
    for connection in found:
        if not connection.recv(1000).startswith(b"HTTP/1.1 200 "):
            raise RuntimeError("a reader was refused")
    return found


def slow(server: Gateway) -> list[bool]:
    """What slow readers hold."""
    # Blocks that were found well are sent without passing through the server's memory.
    for number in range(2):
        server.must("GET", f"/bucket/source-{number}")
    results = []
    cpu = []
    for count in COUNTS[:0:-1]:
        server.reset_high_water()
        base, before = server.memory(), server.cpu
        held = readers(server, f"/bucket/of-{count}", READERS)
        time.sleep(1)
        cpu.append((server.cpu - before) * 1000 / READERS)
        more = server.memory("VmHWM") - base
        for connection in held:
            connection.close()
        time.sleep(1)
        name = f"{READERS} slow readers of {count} extents raise RSS by"
        results.append(verdict(name, more, RSS, at_most=True, unit=" MiB"))
    many, few = cpu
    print(f"     CPU of a slow reader: {many:.2f} ms and {few:.2f} ms", flush=True)
    name = "CPU of a slow reader, 10,000 extents to 1,000"
    results.append(verdict(name, many / few, FLAT, at_most=True))
    return results


def main() -> int:
    """Print the figures; 1 when one misses."""
    rounds = int(argument(__doc__, "rounds", 3))
    with filled() as server:
        results = flat(server, rounds) + slow(server)
    return 0 if all(results) else 1


if __name__ == "__main__":
    raise SystemExit(main())
