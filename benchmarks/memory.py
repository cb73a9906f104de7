"""Server memory: idle, under a 5 GiB PUT, a 5 GiB GET, and 64 parallel uploads of 64 MiB.

Run ``python -m benchmarks.memory [GiB]``; needs 12 GiB of disk.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from benchmarks.measure import (
    GIB,
    MIB,
    Gateway,
    argument,
    download,
    gateway,
    upload,
    verdict,
)


def settle(server: Gateway) -> float:
    """Warm the server up, then its resident memory."""
    for number in range(50):
        server.must("PUT", f"/bucket/warm-{number}", b"x" * 4096)
        server.must("GET", f"/bucket/warm-{number}")
    server.reset_high_water()
    return server.memory()


def main() -> int:
    """Print the figures; 1 when one misses."""
    size = int(argument(__doc__, "GiB", 5.0) * GIB)
    with gateway() as server:
        results = [
            verdict("idle after start", server.memory(), 100, at_most=True, unit=" MiB")
        ]
        server.must("PUT", "/bucket")
        base = settle(server)
        upload(server, "/bucket/large", size)
        results.append(
            verdict(
                f"PUT of {size / GIB:g} GiB raises RSS by",
                server.memory("VmHWM") - base,
                32,
                at_most=True,
                unit=" MiB",
            )
        )
        server.reset_high_water()
        base = server.memory()
        download(server.port, "/bucket/large", server.headers("GET", "/bucket/large"))
        results.append(
            verdict(
                f"GET of {size / GIB:g} GiB raises RSS by",
                server.memory("VmHWM") - base,
                32,
                at_most=True,
                unit=" MiB",
            )
        )
        server.reset_high_water()
        base = server.memory()
        with ThreadPoolExecutor(64) as pool:
            list(
                pool.map(
                    lambda n: upload(server, f"/bucket/part-{n}", 64 * MIB), range(64)
                )
            )
        results.append(
            verdict(
                "64 parallel PUTs of 64 MiB raise RSS by",
                server.memory("VmHWM") - base,
                192,
                at_most=True,
                unit=" MiB",
            )
        )
    return 0 if all(results) else 1


if __name__ == "__main__":
    raise SystemExit(main())
