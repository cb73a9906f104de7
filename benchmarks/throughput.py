"""GET of 1 GiB against nginx's sendfile, PUT of 1 GiB against a bare loop, in the same run.

The bare loop receives, MD5s, writes and fsyncs in one process. Rounds are interleaved and the median
of the ratios is what counts. Run ``python -m benchmarks.throughput [rounds]``; needs nginx.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import socket
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from multiprocessing import Pipe
from multiprocessing import Process as Child
from pathlib import Path
from typing import Any

from attrs import frozen

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
    wait_for_port,
)
from benchmarks.processes import Process


@contextlib.contextmanager
def nginx(
    folder: str, tls: tuple[str, str] | None = None
) -> Iterator[tuple[int, Process]]:
    """nginx with sendfile over a folder; yields its port and its processes.

    :param tls: paths of a certificate and its key, where it is to speak TLS.
    """
    port = free_port()
    os.chmod(folder, 0o755)
    secure = ""
    if tls is not None:
        secure = f" ssl; ssl_protocols TLSv1.3; ssl_certificate {tls[0]}; ssl_certificate_key {tls[1]}"
    configuration = Path(folder) / "nginx.conf"
    configuration.write_text(
        f"user root; worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log;\n"
        f"events {{}} http {{ access_log {folder}/access.log; sendfile on; tcp_nopush on;\n"
        f"client_body_temp_path {folder}/c; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;"
        f" uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;\n"
        f"server {{ listen 127.0.0.1:{port}{secure}; root {folder}; }} }}\n"
    )
    binary = shutil.which("nginx") or "/usr/sbin/nginx"
    process = subprocess.Popen(
        [binary, "-c", str(configuration)], stderr=subprocess.DEVNULL
    )
    try:
        wait_for_port(port, process)
        yield port, Process(process)
    finally:
        process.terminate()
        process.wait()


def bare_loop(listener: socket.socket, folder: str, rounds: int) -> None:
    """Receive, MD5, write, fsync: what a PUT of the same bytes costs at least in one process."""
    for number in range(rounds):
        connection, _ = listener.accept()
        with (
            connection,
            open(os.path.join(folder, f"bare-{number}"), "wb", buffering=0) as file,
        ):
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            digest, left, buffer = hashlib.md5(), GIB, bytearray(MIB)
            view = memoryview(buffer)
            while left:
                count = connection.recv_into(buffer)
                digest.update(view[:count])
                file.write(view[:count])
                left -= count
            os.fsync(file.fileno())
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + digest.hexdigest().encode())
        os.unlink(os.path.join(folder, f"bare-{number}"))


def sendfile_cost(path: str) -> float:
    """CPU seconds of a process that does nothing but ``sendfile`` a file to a client: the kernel's share of a GET."""
    listener = socket.create_server(("127.0.0.1", 0))
    ours, theirs = Pipe()

    def serve() -> None:
        connection, _ = listener.accept()
        with connection, open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
            before, offset = time.process_time(), 0
            while offset < size:
                offset += os.sendfile(
                    connection.fileno(), file.fileno(), offset, size - offset
                )
            theirs.send(time.process_time() - before)

    child = Child(target=serve, daemon=True)
    child.start()
    download(listener.getsockname()[1], "/", {})
    child.join(5)
    listener.close()
    cost: float = ours.recv()
    return cost


@frozen
class Round:
    """What a round measured.

    :ivar put: rate relative to the bare loop.
    :ivar get: rate relative to nginx.
    :ivar seconds: of the GET.
    :ivar put_cpu: CPU-s per GiB, as the others.
    :ivar nginx_cpu: of nginx, for a GET.
    :ivar kernel_cpu: of a bare sendfile loop.
    """

    put: float
    get: float
    seconds: float
    put_cpu: float
    get_cpu: float
    nginx_cpu: float
    kernel_cpu: float


def measure_round(
    server: Gateway, bare: Any, web: tuple[int, Process], path: str, block: bytes
) -> Round:
    """A PUT and a GET of 1 GiB, each beside what it is held against.

    :param bare: where the bare loop listens.
    :param web: nginx's port and its processes.
    :param path: of the file that nginx serves as ``/large``.
    """
    port, there = web
    put_by_loop = upload(bare, "/x", GIB, block)
    os.sync()
    cpu = server.cpu
    put = upload(server, "/bucket/large", GIB, block)
    put_cpu = server.cpu - cpu
    os.sync()
    download(port, "/large", {})
    cpu = there.cpu
    get_by_nginx, _ = download(port, "/large", {"Connection": "close"})
    nginx_cpu = there.cpu - cpu
    cpu = server.cpu
    signed = server.headers("GET", "/bucket/large")
    get, _ = download(server.port, "/bucket/large", signed)
    get_cpu = server.cpu - cpu
    return Round(
        put_by_loop / put,
        get_by_nginx / get,
        get,
        put_cpu,
        get_cpu,
        nginx_cpu,
        sendfile_cost(path),
    )


def measure_rounds(count: int) -> list[Round]:
    """So many rounds, with a server, nginx and a bare loop that run through all of them."""
    block, found = os.urandom(MIB), []
    listener = socket.create_server(("127.0.0.1", 0))
    with (
        tempfile.TemporaryDirectory(prefix="ozgate-nginx-") as folder,
        gateway() as server,
    ):
        path = os.path.join(folder, "large")
        with open(path, "wb") as file:
            for _ in range(GIB // MIB):
                file.write(block)
            os.fsync(file.fileno())
        server.must("PUT", "/bucket")
        child = Child(
            target=bare_loop,
            args=(listener, os.path.dirname(server.data), count),
            daemon=True,
        )
        child.start()
        bare = type(
            "Bare", (), {"port": listener.getsockname()[1], "headers": lambda *a: {}}
        )()
        with nginx(folder) as there:
            for _ in range(count):
                last = measure_round(server, bare, there, path, block)
                found.append(last)
                print(
                    f"     PUT {last.put:.2f} of the bare loop, GET {last.get:.2f} of nginx ({1 / last.seconds:.2f} GiB/s)",
                    flush=True,
                )
                time.sleep(0.2)
        child.join(5)
    return found


def main() -> int:
    """Print the figures; 1 when one misses."""
    rounds = measure_rounds(int(argument(__doc__, "rounds", 5)))

    def median(of: Callable[[Round], float]) -> float:
        return statistics.median(map(of, rounds))

    nginx_cpu, kernel_cpu = (
        median(lambda r: r.nginx_cpu),
        median(lambda r: r.kernel_cpu),
    )
    print(f"     GET costs nginx {nginx_cpu:.2f} CPU-s per GiB")
    print(f"     a bare sendfile loop costs {kernel_cpu:.2f} CPU-s per GiB")
    print(f"     PUT costs {median(lambda r: r.put_cpu):.2f} CPU-s per GiB")
    results = [
        verdict(
            "GET of 1 GiB, rate relative to nginx sendfile",
            median(lambda r: r.get),
            0.8,
            at_most=False,
        ),
        verdict(
            "GET of 1 GiB, server CPU per GiB",
            median(lambda r: r.get_cpu),
            0.4,
            at_most=True,
            unit=" s",
        ),
        verdict(
            "GET of 1 GiB, server CPU relative to a bare sendfile loop",
            median(lambda r: r.get_cpu / r.kernel_cpu),
            1.5,
            at_most=True,
        ),
        verdict(
            "PUT of 1 GiB, rate relative to the bare loop",
            median(lambda r: r.put),
            0.7,
            at_most=False,
        ),
    ]
    return 0 if all(results) else 1


if __name__ == "__main__":
    raise SystemExit(main())
