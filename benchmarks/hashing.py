"""64 UploadPartCopies of 5 GiB each by one user: what another user's PUTs take beside them, and how soon all ends when their clients go.

The source is made of UploadPartCopies of one object of 40 MiB, so that it needs no 5 GiB of disk; as a whole nobody knows its MD5. Security is
off, so that each access key is a user. Rounds without and with the crowd are interleaved; the crowd closes its sockets by FIN and by RST in turn.
Run ``python -m benchmarks.hashing [rounds]``; takes half a minute.
"""

from __future__ import annotations

import os
import re
import socket
import statistics
import struct
import time
from pathlib import Path

from benchmarks.measure import (
    GIB,
    MIB,
    REGION,
    Gateway,
    argument,
    gateway,
    upload,
    verdict,
)
from benchmarks.pools import PARTS, make_upload
from benchmarks.slow_clients import metric
from ozgate.auth.sigv4 import sign

CROWD = 64
PUTS = 40
OPTIONS = ("-D", "ozone.security.enabled=false")


def read_by(server: Gateway) -> int:
    """Bytes that the server has read so far, from whatever."""
    lines = Path(f"/proc/{server.pid}/io").read_text().splitlines()
    return int(dict(line.split(": ") for line in lines)["rchar"])


def make_target(server: Gateway) -> str:
    """Make the source; the target of a part to copy it to."""
    server.must("PUT", "/bucket")
    upload(server, "/bucket/source", 5 * GIB // PARTS)
    target, document = make_upload(server, 0)
    server.must("POST", target, document)
    answer = server.must("POST", "/bucket/copy?uploads=")
    upload_id = re.search(rb"<UploadId>(.*?)</UploadId>", answer)[1].decode()  # type: ignore[index]
    return f"/bucket/copy?partNumber=1&uploadId={upload_id}"


def begin(server: Gateway, target: str) -> list[socket.socket]:
    """Have all the copies under way."""
    host = f"127.0.0.1:{server.port}"
    headers = {"x-amz-copy-source": "/bucket/large-0"}
    headers = sign(
        "PUT", f"http://{host}{target}", headers, "crowd", "any", REGION, time.time()
    )
    lines = [f"PUT {target} HTTP/1.1", "content-length: 0"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    head = "\r\n".join([*lines, "", ""]).encode()
    there = []
    for _ in range(CROWD):
        there.append(socket.create_connection(("127.0.0.1", server.port), 30))
        there[-1].sendall(head)
    deadline = time.monotonic() + 30
    while (
        metric(server, "ozgate_hashing") + metric(server, "ozgate_hashing_waiting")
        < CROWD
    ):
        if time.monotonic() > deadline:
            raise RuntimeError("the copies do not begin")
    return there


def puts(server: Gateway) -> float:
    """The median of a small PUT, in milliseconds."""
    body, took = os.urandom(4096), []
    for number in range(PUTS):
        began = time.monotonic()
        server.must("PUT", f"/bucket/small-{number}", body)
        took.append((time.monotonic() - began) * 1000)
    return statistics.median(took)


def end(server: Gateway, there: list[socket.socket], *, reset: bool) -> float:
    """Have all clients go; the seconds until the server read nothing any more."""
    for each in there:
        if reset:
            linger = struct.pack("ii", 1, 0)
            each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        each.close()
    went = last = time.monotonic()
    before = read_by(server)
    while time.monotonic() < min(last + 0.5, went + 10):
        time.sleep(0.01)
        now = read_by(server)
        if now > before + MIB:
            before, last = now, time.monotonic()
    return last - went


def main() -> int:
    """Print the figures; 1 when one misses."""
    rounds = int(argument(__doc__, "rounds", 3))
    ratios, ends, spent = [], [], []
    with gateway(*OPTIONS) as server:
        target = make_target(server)
        puts(server)
        for number in range(rounds):
            quiet = puts(server)
            there = begin(server, target)
            crowded = puts(server)
            read, began = read_by(server), time.monotonic()
            time.sleep(1)
            rate = (read_by(server) - read) / (time.monotonic() - began)
            ends.append(end(server, there, reset=number % 2 == 1))
            cpu = server.cpu
            time.sleep(1)
            spent.append(server.cpu - cpu)
            ratios.append(crowded / quiet)
            print(
                f"     PUT {quiet:.2f} ms, beside {CROWD} copies {crowded:.2f} ms, which read {rate / MIB:.0f} MiB/s; over {ends[-1]:.2f} s after they went",
                flush=True,
            )
        left = metric(server, "ozgate_connections")
    results = [
        verdict(
            f"another user's PUT beside {CROWD} copies, relative to without",
            statistics.median(ratios),
            2,
            at_most=True,
        ),
        verdict(
            "work ends after its clients went", max(ends), 2, at_most=True, unit=" s"
        ),
        verdict(
            "CPU in the second after that", max(spent), 0.2, at_most=True, unit=" s"
        ),
        verdict("connections left", left, 1, at_most=True),
    ]
    return 0 if all(results) else 1


if __name__ == "__main__":
    raise SystemExit(main())
