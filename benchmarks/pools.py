"""Many of one kind: 10,000 idle connections, 100 Completes of 5 GiB at once, a listing of 1,000,000 common prefixes.

The idle ones come from several addresses of the loopback network, after a request each; rounds of busy clients without and beside them
are interleaved. The uploads are made of UploadPartCopies of one object, so that they need no 500 GiB of disk; their Completes are sent all
at once. The prefixes are paged through to the end. (1,000 slow uploads are in ``benchmarks.slow_clients``.)
Run ``python -m benchmarks.pools [idle|completes|prefixes]``; all takes five minutes and needs wrk;
the idle ones are fewer where fewer than 21,000 files may be open (``ulimit -Hn``).
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import os
import re
import socket
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from urllib.parse import quote

from benchmarks.filling import fill_buckets, populate
from benchmarks.measure import GIB, Gateway, gateway, upload, verdict
from benchmarks.slow_clients import metric, text
from benchmarks.wrk import busy, signed
from ozgate.wire.limits import connections_for, descriptors, raise_descriptors

IDLE, ADDRESSES = 10_000, 8
UPLOADS, PARTS = 100, 128
PREFIXES = 1_000_000
ADMIN = ("-D", "ozone.s3g.webadmin.http-address=127.0.0.1:0")


def most_idle() -> int:
    """10,000, or as many as the limit of open files leaves room for; takes that as high as it goes."""
    raise_descriptors()
    return min(IDLE, connections_for(0, descriptors()) - 100)


def settle(server: Gateway, connections: int) -> None:
    """Wait until the server has so many connections, at most 30 seconds."""
    deadline = time.monotonic() + 30
    while metric(server, "ozgate_connections") != connections:
        if time.monotonic() > deadline:
            raise RuntimeError(f"there are not {connections} connections")
        time.sleep(0.05)


@contextlib.contextmanager
def idling(server: Gateway, count: int) -> Iterator[None]:
    """Have connections that were answered once and wait."""
    request = text(server, "GET", "/bucket/small")
    settle(server, 1)  # that of the measuring client
    with contextlib.ExitStack() as stack:
        for number in range(count):
            source = (f"127.0.1.{1 + number % ADDRESSES}", 0)
            each = socket.create_connection(("127.0.0.1", server.port), 30, source)
            stack.enter_context(contextlib.closing(each))
            each.sendall(request)
            if not each.recv(65536).startswith(b"HTTP/1.1 200 "):
                raise RuntimeError("an idle one is not served")
        settle(server, 1 + count)
        yield
        settle(server, 1 + count)
    settle(server, 1)


def idle() -> list[bool]:
    """10,000 idle connections: their memory, and what busy clients have beside them."""
    count = most_idle()
    options = (
        *("-D", f"ozgate.limit.connections={count + 100}"),
        *("-D", "hadoop.http.idle_timeout.ms=600000"),
    )
    with gateway(*ADMIN, *options) as server:
        server.must("PUT", "/bucket")
        server.must("PUT", "/bucket/small", os.urandom(4096))
        get = [signed(server, "GET", "/bucket/small")]
        with idling(server, 100):  # whatever is made once is made
            busy(server, get, seconds=2)
        before = server.memory()
        rates, grown = [], []
        for _ in range(3):
            quiet = busy(server, get).rate
            with idling(server, count):
                grown.append(server.memory() - before)
                began, cpu = time.monotonic(), server.cpu
                time.sleep(3)
                resting = (server.cpu - cpu) / (time.monotonic() - began)
                loud = busy(server, get).rate
            rates.append(loud / quiet)
            print(
                f"     GET {quiet:.0f}/s, beside {count} idle {loud:.0f}/s; {grown[-1]:.1f} MiB more; alone they cost {resting:.3f} of a CPU",
                flush=True,
            )
    each = max(grown) * 1024 / count
    return [
        verdict("an idle connection takes", each, 12, at_most=True, unit=" KiB"),
        verdict(
            f"GET of 4 KiB by 16 clients beside {count} idle, relative to without: rate",
            statistics.median(rates),
            0.8,
            at_most=False,
        ),
        verdict(
            "the last crowd raises RSS, over the first, by",
            grown[-1] - grown[0],
            16,
            at_most=True,
            unit=" MiB",
        ),
    ]


def make_upload(server: Gateway, number: int) -> tuple[str, bytes]:
    """An upload of copied parts; its target, and the document that completes it."""
    key = f"/bucket/large-{number}"
    answer = server.must("POST", f"{key}?uploads=")
    upload_id = re.search(rb"<UploadId>(.*?)</UploadId>", answer)[1].decode()  # type: ignore[index]
    listed = []
    for part in range(1, PARTS + 1):
        target = f"{key}?partNumber={part}&uploadId={upload_id}"
        answer = server.must("PUT", target, x_amz_copy_source="/bucket/source")
        etag = re.search(rb"<ETag>(.*?)</ETag>", answer)[1].decode()  # type: ignore[index]
        listed.append(
            f"<Part><PartNumber>{part}</PartNumber><ETag>{etag}</ETag></Part>"
        )
    document = f"<CompleteMultipartUpload>{''.join(listed)}</CompleteMultipartUpload>"
    return f"{key}?uploadId={upload_id}", document.encode()


def complete(
    server: Gateway, target: str, document: bytes, start: threading.Barrier
) -> float:
    """Complete an upload when all are ready to; the seconds it took."""
    headers = server.headers("POST", target)
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
    with contextlib.closing(connection):
        connection.connect()
        start.wait()
        began = time.monotonic()
        connection.request("POST", target, document, headers)
        answer = connection.getresponse()
        body = answer.read()
    if answer.status != 200 or b"<ETag>" not in body:
        raise RuntimeError(f"{answer.status} {body[:500]!r}")
    return time.monotonic() - began


def completes() -> list[bool]:
    """100 Completes of 5 GiB at once."""
    size = 5 * GIB // PARTS
    with gateway(*ADMIN) as server:
        server.must("PUT", "/bucket")
        upload(server, "/bucket/source", size)
        uploads = [make_upload(server, number) for number in range(UPLOADS)]
        server.reset_high_water()
        before, cpu = server.memory(), server.cpu
        start, took = threading.Barrier(UPLOADS), list[float]()
        threads = [
            threading.Thread(
                target=lambda each=each: took.append(complete(server, *each, start))
            )
            for each in uploads
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        cpu = server.cpu - cpu
        grown = server.memory("VmHWM") - before
        for number in range(UPLOADS):
            _, headers, _ = server.request("HEAD", f"/bucket/large-{number}")
            if headers["content-length"] != str(5 * GIB):
                raise RuntimeError(f"large-{number} is not whole: {headers}")
    if len(took) != UPLOADS:
        raise RuntimeError(f"{UPLOADS - len(took)} of {UPLOADS} failed")
    print(
        f"     {UPLOADS} Completes of {PARTS} parts: {cpu:.2f} s server CPU, the first after {min(took):.2f} s, half within {statistics.median(took):.2f} s",
        flush=True,
    )
    return [
        verdict("the last Complete", max(took), 3, at_most=True, unit=" s"),
        verdict(
            "Completes raise RSS, at its highest, by",
            grown,
            64,
            at_most=True,
            unit=" MiB",
        ),
    ]


def page_through(server: Gateway, first: str) -> tuple[int, float]:
    """List to the end; how many common prefixes there are, and the seconds of the slowest page."""
    token, found, slowest = "", 0, 0.0
    while True:
        asked = time.monotonic()
        answer = server.must("GET", first + token)
        slowest = max(slowest, time.monotonic() - asked)
        found += answer.count(b"<CommonPrefixes>")
        following = re.search(
            rb"<NextContinuationToken>(.*?)</NextContinuationToken>", answer
        )
        if following is None:
            return found, slowest
        token = f"&continuation-token={quote(following[1].decode(), safe='')}"


def prefixes() -> list[bool]:
    """A listing over 1,000,000 common prefixes, page by page."""
    with tempfile.TemporaryDirectory(prefix="ozgate-pools-") as folder:
        data = os.path.join(folder, "data")
        names = (f"prefix-{number:09d}/key" for number in range(PREFIXES))
        populate(data, lambda store: fill_buckets(store, {"wide": names}))
        server = Gateway(data, None, *ADMIN)
        try:
            first = "/wide?list-type=2&delimiter=/"
            server.must("GET", first)
            server.reset_high_water()
            before, cpu, began = server.memory(), server.cpu, time.monotonic()
            found, slowest = page_through(server, first)
            cpu, wall = server.cpu - cpu, time.monotonic() - began
            grown = server.memory("VmHWM") - before
        finally:
            server.stop()
    if found != PREFIXES:
        raise RuntimeError(f"{found} prefixes listed of {PREFIXES}")
    print(
        f"     {found} prefixes: {wall:.2f} s wall with the client, {cpu:.2f} s server CPU; the slowest page {slowest * 1000:.0f} ms",
        flush=True,
    )
    return [
        verdict(
            "listing of common prefixes",
            found / cpu / 1000,
            1000 / 60,
            at_most=False,
            unit="k per server CPU-s",
        ),
        verdict(
            "the listing raises RSS, at its highest, by",
            grown,
            32,
            at_most=True,
            unit=" MiB",
        ),
    ]


def main() -> int:
    """Print the figures; 1 when one misses."""
    parts = {"idle": idle, "completes": completes, "prefixes": prefixes}
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("part", nargs="*", help=f"{', '.join(parts)}; all if left out")
    wanted = parser.parse_args().part or list(parts)
    if unknown := set(wanted) - set(parts):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    results = [holds for name in wanted for holds in parts[name]()]
    return 0 if all(results) else 1


if __name__ == "__main__":
    raise SystemExit(main())
