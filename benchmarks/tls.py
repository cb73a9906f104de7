"""GET of 1 GiB over TLS against nginx's TLS, in the same run, with the same certificate, cipher and client.

Rounds are interleaved and the median of the ratios is what counts. Run ``python -m benchmarks.tls [rounds]``; needs nginx.
"""

from __future__ import annotations

import os
import ssl
import statistics
import subprocess
import tempfile
from pathlib import Path

from benchmarks.measure import (
    GIB,
    MIB,
    Gateway,
    argument,
    download,
    free_port,
    gateway,
    upload,
    verdict,
)
from benchmarks.processes import Process
from benchmarks.throughput import nginx


def certificate(folder: str) -> tuple[str, str]:
    """A certificate that signs itself, and its key: their paths."""
    key, shown = os.path.join(folder, "key.pem"), os.path.join(folder, "shown.pem")
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-nodes", "-days", "2"),
            *("-pkeyopt", "ec_paramgen_curve:prime256v1", "-subj", "/CN=localhost"),
            *("-keyout", key, "-out", shown),
        ],
        check=True,
        capture_output=True,
    )
    return shown, key


def context() -> ssl.SSLContext:
    """What the client speaks: TLS 1.3, and it believes any certificate."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
    made.minimum_version = ssl.TLSVersion.TLSv1_3
    return made


def measure_round(
    server: Gateway, secure: int, web: tuple[int, Process], tls: ssl.SSLContext
) -> tuple[float, float]:
    """GET it from both.

    :param secure: our port of TLS.
    :param web: nginx's port and its worker.
    :return: what nginx took relative to us, in seconds and in CPU-s.
    """
    port, worker = web
    cpu = worker.cpu
    by_nginx, _ = download(port, "/large", {"Connection": "close"}, tls)
    nginx_cpu = worker.cpu - cpu
    headers = server.headers("GET", "/bucket/large")
    cpu = server.cpu
    ours, _ = download(secure, "/bucket/large", headers, tls)
    our_cpu = server.cpu - cpu
    print(
        f"     GET over TLS: {1 / ours:.2f} GiB/s and {our_cpu:.2f} CPU-s, nginx {1 / by_nginx:.2f} GiB/s and {nginx_cpu:.2f} CPU-s",
        flush=True,
    )
    return by_nginx / ours, nginx_cpu / our_cpu


def main() -> int:
    """Print the figures; 1 when one misses."""
    rounds = int(argument(__doc__, "rounds", 5))
    secure, block, tls = free_port(), os.urandom(MIB), context()
    with tempfile.TemporaryDirectory(prefix="ozgate-nginx-") as folder:
        shown, key = certificate(folder)
        options = (
            f"ozone.s3g.https-address=127.0.0.1:{secure}",
            "ozone.http.policy=HTTP_AND_HTTPS",
            f"ozgate.tls.certificate={shown}",
            f"ozgate.tls.key={key}",
        )
        large = Path(folder, "large")
        with large.open("wb") as file:
            for _ in range(GIB // MIB):
                file.write(block)
        with (
            gateway(*(word for each in options for word in ("-D", each))) as server,
            nginx(folder, (shown, key)) as web,
        ):
            server.must("PUT", "/bucket")
            upload(server, "/bucket/large", GIB, block)
            found = [measure_round(server, secure, web, tls) for _ in range(rounds)]
    rates, costs = zip(*found, strict=True)
    results = [
        verdict(
            "GET of 1 GiB over TLS, rate relative to nginx",
            statistics.median(rates),
            0.8,
            at_most=False,
        ),
        verdict(
            "GET of 1 GiB over TLS, nginx's CPU relative to the server's",
            statistics.median(costs),
            0.8,
            at_most=False,
        ),
    ]
    return 0 if all(results) else 1


if __name__ == "__main__":
    raise SystemExit(main())
