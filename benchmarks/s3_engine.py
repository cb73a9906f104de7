"""What an S3 engine in the place of files costs: CPU seconds of the gateway for each GiB that it takes and gives, and its memory.

Run ``python -m benchmarks.s3_engine [GiB]``. The engine is another ozgate; a third one keeps its bytes in files, and what it takes is taken off. Needs 15 GiB
of disk.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial

from benchmarks.measure import (
    ACCESS_KEY,
    GIB,
    MIB,
    SECRET_KEY,
    Gateway,
    argument,
    download,
    gateway,
    upload,
    verdict,
)

BUCKET = "/bucket"
ROUNDS = 3
METHODS = "PUTs", "GETs"

Figure = tuple[str, float, float, str]
"""What was measured: its name, the figure, the most it may be, and its unit."""


def over(engine: Gateway) -> list[str]:
    """Options of a gateway whose bytes are in an engine."""
    settings = {
        "ozgate.blobs": f"s3+http://127.0.0.1:{engine.port}/bytes",
        "ozgate.blobs.s3.access-key": ACCESS_KEY,
        "ozgate.blobs.s3.secret-key": SECRET_KEY,
    }
    return [
        part for key, value in settings.items() for part in ("-D", f"{key}={value}")
    ]


def cost(server: Gateway, work: Callable[[], object], size: int) -> float:
    """CPU seconds for a GiB, the least of some rounds."""
    found = []
    for _ in range(ROUNDS):
        before = server.cpu
        work()
        found.append((server.cpu - before) / (size / GIB))
    return min(found)


def get(server: Gateway, name: str) -> None:
    """GET an object."""
    target = f"{BUCKET}/{name}"
    download(server.port, target, server.headers("GET", target))


def costs(server: Gateway, size: int) -> tuple[float, float]:
    """Of PUT and of GET."""
    target = f"{BUCKET}/large"
    put = cost(server, lambda: upload(server, target, size), size)
    return put, cost(server, lambda: get(server, "large"), size)


def rise(server: Gateway, work: Callable[[], object]) -> float:
    """MiB by which some work raises what is resident, at its highest."""
    server.reset_high_water()
    base = server.memory()
    work()
    return server.memory("VmHWM") - base


def at_once(work: Callable[[int], object]) -> None:
    """Do something 64 times at once."""
    with ThreadPoolExecutor(64) as pool:
        list(pool.map(work, range(64)))


def many(server: Gateway, size: int) -> list[Figure]:
    """MiB that 64 at once raise what is resident by.

    :param size: bytes of each.
    """
    names = [
        f"64 {method} of {size // MIB} MiB at once raise RSS by" for method in METHODS
    ]
    works: tuple[Callable[[int], object], ...] = (
        lambda n: upload(server, f"{BUCKET}/{n}", size),
        lambda n: get(server, str(n)),
    )
    return [
        (name, rise(server, partial(at_once, work)), 192, " MiB")
        for name, work in zip(names, works, strict=True)
    ]


def large(server: Gateway, size: int) -> list[Figure]:
    """MiB that one large one raises it by."""
    target = f"{BUCKET}/large"
    put = rise(server, lambda: upload(server, target, size))
    got = rise(server, lambda: get(server, "large"))
    return [
        ("a large PUT raises RSS by", put, 32, " MiB"),
        ("a large GET raises RSS by", got, 32, " MiB"),
    ]


def main() -> int:
    """Print the figures; 1 when one misses."""
    size = int(argument(__doc__, "GiB", 1.0) * GIB)
    with ExitStack() as stack:
        files, engine = (stack.enter_context(gateway()) for _ in range(2))
        engine.must("PUT", "/bytes")
        server = stack.enter_context(gateway(*over(engine)))
        for each in (files, server):
            each.must("PUT", BUCKET)
            upload(each, f"{BUCKET}/warm", 32 * MIB)
            get(each, "warm")
        put, got = costs(files, size)
        print(f"     files: PUT {put:.2f}, GET {got:.2f} CPU-s/GiB", flush=True)
        more_put, more_got = costs(server, size)
        print(f"     s3: PUT {more_put:.2f}, GET {more_got:.2f} CPU-s/GiB", flush=True)
        figures: list[Figure] = [
            ("a GiB of GET adds", more_got - got, 1.2, " CPU-s"),
            ("a GiB of PUT adds", more_put - put, 1.5, " CPU-s"),
            *large(server, size),
            *many(server, 64 * MIB),
        ]
        results = [
            verdict(name, value, limit, at_most=True, unit=unit)
            for name, value, limit, unit in figures
        ]
    return 0 if all(results) else 1


if __name__ == "__main__":
    raise SystemExit(main())
