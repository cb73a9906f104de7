"""What is started here: ozgates on fresh data, and what they are held against, each as a :class:`~benchmarks.suite.server.Server`."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from attrs import evolve

from benchmarks.measure import (
    ACCESS_KEY,
    SECRET_KEY,
    Gateway,
    free_port,
    wait_for_port,
)
from benchmarks.processes import Process
from benchmarks.suite.server import Server
from benchmarks.suite.streams import blocks
from ozgate.cli.tls import CERTIFICATE, KEY, LOCAL, make_pair

STRICT = "fsync of data and name before a 200"
HELLO, NGINX, LOOP = "Klein hello-world", "nginx", "bare loop"
"""Kinds of servers."""

_HELLO = """
import sys
from klein import Klein
app = Klein()
@app.route("/")
async def hello(request):
    return b"hello"
app.run("127.0.0.1", int(sys.argv[1]), logFile=open(sys.argv[2], "w"))
"""


@contextlib.contextmanager
def folder() -> Iterator[str]:
    """A folder, gone afterwards; its certificate is for this machine."""
    with tempfile.TemporaryDirectory(prefix="ozgate-suite-") as made:
        pair = make_pair(list(LOCAL), datetime.now(UTC), 1)
        for name, data in zip((KEY, CERTIFICATE), pair, strict=True):
            Path(made, name).write_bytes(data)
        yield made


@contextlib.contextmanager
def ozgate(
    name: str = "ozgate", workers: int | None = None, data: str | None = None
) -> Iterator[Server]:
    """An ozgate, over plain TCP and TLS.

    :param workers: one, if that is not said.
    :param data: its folder; a new one if that is not said.
    """
    with folder() as made:
        tls = free_port()
        options = [
            *("-D", "ozone.http.policy=HTTP_AND_HTTPS"),
            *("-D", f"ozone.s3g.https-address=127.0.0.1:{tls}"),
            *("-D", f"ozgate.tls.certificate={made}/{CERTIFICATE}"),
            *("-D", f"ozgate.tls.key={made}/{KEY}"),
            *("-D", "ozone.s3g.webadmin.http-address=127.0.0.1:0"),
            # 10,000 idle ones are let be for as long as they are looked at.
            *("-D", "ozgate.limit.connections=11000"),
            *("-D", "hadoop.http.idle_timeout.ms=600000"),
        ]
        if workers is not None:
            options += ["--workers", str(workers)]
        gateway = Gateway(data or os.path.join(made, "data"), None, *options)
        try:
            wait_for_port(tls, gateway.process)
            yield Server(
                name,
                f"http://127.0.0.1:{gateway.port}",
                ACCESS_KEY,
                SECRET_KEY,
                tls=f"https://127.0.0.1:{tls}",
                pids=(gateway.pid,),
                durability=STRICT,
                durable=True,
            )
        finally:
            gateway.stop()


@contextlib.contextmanager
def _listening(kind: str, port: int, command: Sequence[str]) -> Iterator[Server]:
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        wait_for_port(port, process)
        yield Server(kind, f"http://127.0.0.1:{port}", pids=(process.pid,), kind=kind)
    finally:
        Process(process).stop()


@contextlib.contextmanager
def hello() -> Iterator[Server]:
    """A bare Klein with an ``async`` route and a log."""
    with folder() as made:
        port = free_port()
        log = os.path.join(made, "log")
        command = [sys.executable, "-c", _HELLO, str(port), log]
        with _listening(HELLO, port, command) as server:
            yield server


def nginx_binary() -> str | None:
    """The program, which is not on everybody's path."""
    return shutil.which("nginx") or shutil.which("/usr/sbin/nginx")


@contextlib.contextmanager
def nginx(size: int) -> Iterator[Server]:
    """nginx with sendfile over a file of so many bytes, ``/large``, over plain TCP and TLS."""
    binary = nginx_binary()
    assert binary
    with folder() as made:
        os.chmod(made, 0o755)
        with Path(made, "large").open("wb") as file:
            file.writelines(blocks(size))
            os.fsync(file.fileno())
        port, tls = free_port(), free_port()
        temporary = " ".join(
            f"{name}_temp_path {made}/{name};"
            for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        user = "user root;" if os.getuid() == 0 else ""
        configuration = Path(made, "nginx.conf")
        configuration.write_text(
            f"{user} worker_processes 1; daemon off; pid {made}/nginx.pid; error_log {made}/error.log;\n"
            f"events {{}} http {{ access_log {made}/access.log; sendfile on; tcp_nopush on; {temporary}\n"
            f"ssl_protocols TLSv1.2 TLSv1.3; ssl_certificate {made}/{CERTIFICATE}; ssl_certificate_key {made}/{KEY};\n"
            f"server {{ listen 127.0.0.1:{port}; listen 127.0.0.1:{tls} ssl; root {made}; }} }}\n"
        )
        with _listening(NGINX, port, [binary, "-c", str(configuration)]) as server:
            yield evolve(server, tls=f"https://127.0.0.1:{tls}")


@contextlib.contextmanager
def bare_loop() -> Iterator[Server]:
    """The bare loop of ``bareloop``, on the disk that temporary files are on."""
    with folder() as made:
        port = free_port()
        command = [sys.executable, "-m", "benchmarks.suite.bareloop", str(port), made]
        with _listening(LOOP, port, command) as server:
            yield server
