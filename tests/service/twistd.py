"""``twistd ozgate`` with whatever arguments a test wants, watched until it is ready or has ended."""

from __future__ import annotations

import os
import re
import shutil
import signal
import tempfile
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.request import Request, urlopen

from twisted.trial.unittest import SynchronousTestCase

from ozgate.auth.sigv4 import sign
from tests.forking import launch
from tests.running import REGION, ROOT, WORKERS, program

LOOPBACK = "ozone.s3g.http-address=127.0.0.1:0"
"""A free port of the system's choice."""

ADMIN = {"OZONE-SITE.XML_ozone.s3g.webadmin.http-address": "127.0.0.1:0"}
"""Likewise for the admin listener, where a test does not say otherwise."""


class Twistd:
    """One process.

    :param environment: what is not in ours; an empty value takes a variable away.
    :param command: what becomes ``twistd`` in the end, if not that itself.
    :param forked: whether its start is cut short, by :class:`~tests.forking.Forked`.
    :ivar urls: where it said that it listens.
    """

    def __init__(
        self,
        folder: str,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        cwd: str,
        command: str | None = None,
        forked: bool = True,
    ) -> None:
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.upper().startswith(("AWS_", "S3_", "OZ", "MINIO_"))
        }
        self.errors = Path(folder, "stderr")
        self.log = Path(folder, "stdout")
        self.urls: list[str] = []
        ours = {**ADMIN, "OZGATE_WORKERS": WORKERS, "PYTHONPATH": str(ROOT)}
        given = {**kept, **ours, **environment}
        env = {name: value for name, value in given.items() if value}
        called = [command or program("twistd"), *arguments]
        with self.errors.open("wb") as errors, self.log.open("wb") as log:
            self.process = launch(
                called,
                forked=forked and command is None,
                env=env,
                cwd=cwd,
                stdout=log,
                stderr=errors,
            )

    def output(self) -> str:
        """Standard output: what it printed, and its log."""
        return self.log.read_text(errors="replace")

    @property
    def admin_url(self) -> str:
        """Where it said that administrators come."""
        [url] = re.findall(r"^ozgate is administered at (\S+)$", self.output(), re.M)
        return str(url)

    def wait_ready(self) -> None:
        """Wait until it said where it listens, at most 20 seconds."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            found = re.findall(r"^ozgate listens on (\S+)$", self.output(), re.M)
            # Said last, in the same breath as the lines above it.
            if found and "ozgate listens on {" not in found and self._said_all():
                self.urls = found
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.02)
        raise AssertionError(self.output() + self.errors.read_text())

    def _said_all(self) -> bool:
        return "ozgate keeps its data in " in self.output()

    def wait(self) -> int:
        """Wait for its end, at most 30 seconds; returns its exit code."""
        return self.process.wait(30)

    def stop(self) -> int:
        """Ask it to end, as systemd does."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.wait()


class ServiceTestCase(SynchronousTestCase):
    """Starts processes and sees that none is left.

    :cvar forked: whether their starts are cut short, by :class:`~tests.forking.Forked`; not where the start is the point.
    """

    forked = True

    def setUp(self) -> None:
        """A folder for everything of the test."""
        self.folder = os.path.abspath(self.mktemp())
        os.makedirs(self.folder)
        self.data = os.path.join(self.folder, "data")

    def socket_path(self) -> str:
        """A path for a UNIX socket: it must be shorter than those of test folders can be."""
        folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, folder)
        return os.path.join(folder, "s")

    def launch(
        self,
        *arguments: str,
        environment: Mapping[str, str] | None = None,
        command: str | None = None,
    ) -> Twistd:
        """``twistd`` with these arguments; its end is seen to."""
        run = os.path.join(self.folder, f"run{len(os.listdir(self.folder))}")
        os.makedirs(run)
        process = Twistd(
            run, arguments, environment or {}, self.folder, command, self.forked
        )

        def end() -> None:
            if process.process.poll() is None:
                process.process.kill()
                process.process.wait()

        self.addCleanup(end)
        return process

    def started(
        self, *arguments: str, environment: Mapping[str, str] | None = None
    ) -> Twistd:
        """``twistd -n ozgate`` on the test's data, ready."""
        process = self.launch(
            *("-n", "--pidfile=", "ozgate", "--data", self.data),
            *arguments,
            environment=environment,
        )
        process.wait_ready()
        return process

    def refused(
        self, *arguments: str, environment: Mapping[str, str] | None = None
    ) -> str:
        """The one line with which ``twistd -n ozgate`` ends, at once, with exit code 1."""
        process = self.launch(
            *("-n", "--pidfile=", "ozgate", "--data", self.data),
            *arguments,
            environment=environment,
        )
        self.assertEqual(process.wait(), 1, process.output())
        [line] = process.errors.read_text().splitlines()
        self.assertTrue(line.startswith("ozgate: "), line)
        self.assertNotIn("Traceback", process.output())
        return line

    def ask(
        self,
        url: str,
        method: str = "GET",
        body: bytes | None = None,
        pair: tuple[str, str] | None = ("any", "any"),
    ) -> tuple[int, bytes]:
        """A request, signed with a pair or not at all: status and body."""
        headers = {}
        if pair is not None:
            headers = sign(method, url, {}, *pair, REGION, time.time())
        headers["Content-Type"] = "application/octet-stream"
        request = Request(url, body, headers, method=method)
        return self.answer(request)

    def answer(
        self, request: Request | str, context: object = None
    ) -> tuple[int, bytes]:
        """Status and body of the answer, whatever the status."""
        from urllib.error import HTTPError

        try:
            with urlopen(request, timeout=20, context=context) as response:
                return response.status, response.read()
        except HTTPError as error:
            with error:
                return error.code, error.read()

    def certificate(self) -> tuple[str, str]:
        """A key and a certificate of 127.0.0.1, as paths."""
        from ipaddress import ip_address

        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec

        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
        now = datetime.now(UTC)
        address = x509.IPAddress(ip_address("127.0.0.1"))
        certificate = (
            x509.CertificateBuilder(name, name, key.public_key())
            .serial_number(1)
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([address]), False)
            .sign(key, hashes.SHA256())
        )
        paths = os.path.join(self.folder, "key.pem"), os.path.join(self.folder, "c.pem")
        Path(paths[0]).write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        Path(paths[1]).write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        return paths
