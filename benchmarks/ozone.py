"""ozgate before a cluster of Apache Ozone, beside Ozone's own S3 gateway before the same one, in turns::

    python -m benchmarks.ozone                 some 25 minutes, with a cluster of its own (tests/engines)
    python -m benchmarks.ozone --quick         two minutes, for machines that do other things besides
    python -m benchmarks.ozone --conf FOLDER   over a cluster that runs, without Kerberos; FOLDER has its ozone-site.xml
    python -m benchmarks.ozone --workers 1     ozgate in one process; by default it has a worker for each core, as it does by itself

Both are warm before anything counts: Java's compiler goes on for a minute of each load. Each round has both, the next one begins with the other; a figure is the middle one of the rounds. Needs wrk and Java.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import shutil
import statistics
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

from attrs import frozen

from benchmarks.measure import MIB, Gateway, download, upload, verdict
from benchmarks.processes import cpu_of
from benchmarks.wrk import Ask, Busy, busy, signed
from tests.engines.cluster import Cluster, running
from tests.engines.given import Ozone

BUCKET = "ozgate-benchmark"
WRITTEN, READ, LISTED = 2000, 200, 1000
"""Keys that are written, read and listed, in turn or at once."""
LARGE = 256 * MIB
UPLOADS = 64


class Theirs(Gateway):
    """Ozone's own gateway, which runs already, as one of ours is measured.

    :param ozone: its cluster.
    """

    def __init__(self, ozone: Ozone) -> None:
        self.port = urlsplit(ozone.s3g).port or 0
        self.pid = ozone.daemon("s3g")
        self._connection = http.client.HTTPConnection(
            "127.0.0.1", self.port, timeout=600
        )

    @property
    def cpu(self) -> float:
        """CPU seconds used so far, user and system."""
        return cpu_of(self.pid)

    def stop(self) -> None:
        """It is the cluster's."""


@frozen
class Pair:
    """Both, with a bucket that has keys."""

    ours: Gateway
    theirs: Gateway

    def turn(self, number: int) -> tuple[Gateway, Gateway]:
        """Who comes first in a round."""
        both = self.ours, self.theirs
        return both if number % 2 else both[::-1]


@frozen
class Length:
    """How long it takes.

    :ivar rounds: that count.
    :ivar seconds: of a load.
    :ivar warm: seconds of the same load before anything counts.
    :ivar bodies: large bodies each way before anything counts.
    """

    rounds: int
    seconds: int
    warm: int
    bodies: int


@contextlib.contextmanager
def started(ozone: Ozone, workers: int) -> Iterator[Gateway]:
    """One of ours before the cluster.

    :param workers: as ``ozgate.workers``.
    """
    settings = ozone.settings(
        "ozone.security.enabled=false", f"ozgate.workers={workers}"
    )
    options = [part for each in settings for part in ("-D", each)]
    with tempfile.TemporaryDirectory() as folder:
        ours = Gateway(f"{folder}/data", None, *options)
        try:
            # The first answer waits for Java.
            ours.request("PUT", f"/{BUCKET}")
            yield ours
        finally:
            ours.stop()


@contextlib.contextmanager
def pair(ozone: Ozone, workers: int) -> Iterator[Pair]:
    """One of ours before the cluster, beside its own."""
    with started(ozone, workers) as ours:
        fill(ours)
        yield Pair(ours, Theirs(ozone))


def fill(server: Gateway) -> None:
    """Have keys there that are read, and empty ones that are listed."""
    bodies = {f"read-{number}": bytes(4096) for number in range(READ)}
    bodies |= {f"list-{number:05}": b"" for number in range(LISTED)}

    def put(key: str) -> None:
        target = f"/{BUCKET}/{key}"
        line = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        with contextlib.closing(line):
            line.request("PUT", target, bodies[key], server.headers("PUT", target))
            status = line.getresponse().status
        if status != 200:
            raise RuntimeError(f"PUT {target}: {status}")

    with ThreadPoolExecutor(16) as pool:
        for _ in pool.map(put, bodies):
            pass


def puts(server: Gateway) -> list[Ask]:
    """4 KiB to each key, in turn."""
    keys = (f"/{BUCKET}/write-{number}" for number in range(WRITTEN))
    return [signed(server, "PUT", key, 4096) for key in keys]


def gets(server: Gateway) -> list[Ask]:
    """4 KiB of each key, in turn."""
    keys = (f"/{BUCKET}/read-{number}" for number in range(READ))
    return [signed(server, "GET", key) for key in keys]


def lists(server: Gateway) -> list[Ask]:
    """A page of 1,000 keys."""
    return [signed(server, "GET", f"/{BUCKET}?list-type=2&prefix=list-")]


def loaded(
    name: str, both: Pair, length: Length, made: Callable[[Gateway], list[Ask]]
) -> tuple[float, float]:
    """Rate and CPU of ours relative to theirs, under 8 clients."""
    for server in (both.ours, both.theirs):
        busy(server, made(server), 8, length.warm)
    rates, costs = [], []
    for number in range(length.rounds):
        found: dict[Gateway, Busy] = {}
        for server in both.turn(number):
            found[server] = busy(server, made(server), 8, length.seconds)
        ours, theirs = found[both.ours], found[both.theirs]
        rates.append(ours.rate / theirs.rate)
        costs.append(ours.cost / theirs.cost)
        print(
            f"     {name}: {ours.rate:.0f}/s, {ours.cost * 1e3:.2f} ms of CPU; theirs {theirs.rate:.0f}/s, {theirs.cost * 1e3:.2f} ms",
            flush=True,
        )
    return statistics.median(rates), statistics.median(costs)


def streamed(
    name: str, both: Pair, length: Length, take: Callable[[Gateway], float]
) -> float:
    """How fast a large body goes, relative to theirs.

    :param take: seconds that one takes.
    """
    ratios = []
    for number in range(length.bodies + length.rounds):
        found = {server: take(server) for server in both.turn(number)}
        if number >= length.bodies:
            ours, theirs = found[both.ours], found[both.theirs]
            ratios.append(theirs / ours)
            print(
                f"     {name}: {LARGE / MIB / ours:.0f} MiB/s; theirs {LARGE / MIB / theirs:.0f}",
                flush=True,
            )
    return statistics.median(ratios)


def put_large(server: Gateway) -> float:
    """Seconds of a PUT."""
    return upload(server, f"/{BUCKET}/large-{server.port}", LARGE)


def get_large(server: Gateway) -> float:
    """Seconds of a GET."""
    target = f"/{BUCKET}/large-{server.port}"
    seconds, size = download(server.port, target, server.headers("GET", target))
    assert size == LARGE, size
    return seconds


def uploads(server: Gateway) -> float:
    """MiB that ours takes at most under many uploads."""
    server.reset_high_water()
    with ThreadPoolExecutor(UPLOADS) as pool:
        work = [
            pool.submit(upload, server, f"/{BUCKET}/upload-{number}", 8 * MIB)
            for number in range(UPLOADS)
        ]
        for each in work:
            each.result()
    return server.memory("VmHWM")


def measured(ozone: Ozone, length: Length, workers: int) -> list[bool]:
    """Everything, each figure against its limit."""
    with pair(ozone, workers) as both:
        # First, while the cluster is new: it lists more and more slowly the more keys it was given.
        rate, _ = loaded("LIST of 1,000", both, length, lists)
        good = [verdict("LIST of 1,000 keys, rate", rate, 1, at_most=False)]
        for name, made in (("PUT", puts), ("GET", gets)):
            rate, cost = loaded(f"{name} of 4 KiB", both, length, made)
            good += [
                verdict(f"{name} of 4 KiB, CPU", cost, 0.7, at_most=True),
                verdict(f"{name} of 4 KiB, 8 clients, rate", rate, 1.3, at_most=False),
            ]
        for name, take in (("PUT", put_large), ("GET", get_large)):
            rate = streamed(f"{name} of 256 MiB", both, length, take)
            good.append(verdict(f"{name} of 256 MiB", rate, 1, at_most=False))
    # All uploads come to one process.
    with started(ozone, 1) as alone:
        most = uploads(alone)
        good.append(verdict("RSS, 64 uploads", most, 600, at_most=True, unit=" MiB"))
    return good


def main() -> int:
    """Print the figures; 1 when one misses."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--conf", help="folder of a running cluster's ozone-site.xml")
    parser.add_argument("--workers", type=int, default=0)
    asked = parser.parse_args()
    length = Length(2, 3, 4, 1) if asked.quick else Length(7, 6, 90, 6)
    if asked.conf:
        return 0 if all(measured(Ozone(asked.conf), length, asked.workers)) else 1
    folder = Path(tempfile.mkdtemp(prefix="ozgate-benchmark-"))
    try:
        cluster = Cluster(
            folder / "cluster",
            is_quick=False,
            tell=lambda text: print(text, flush=True),
        )
        with running(cluster):
            return 0 if all(measured(cluster.ozone, length, asked.workers)) else 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    raise SystemExit(main())
