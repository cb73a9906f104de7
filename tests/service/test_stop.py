"""Stopping and starting again."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import ssl
import subprocess
import time
from pathlib import Path
from urllib.parse import urlsplit

from ozgate.auth.sigv4 import sign
from tests.running import REGION, ROOT, program
from tests.service.twistd import LOOPBACK, ServiceTestCase


class StopTests(ServiceTestCase):
    """SIGTERM."""

    def test_keeps_data(self) -> None:
        """It ends in order and without a complaint; what was stored is there after the next start."""
        bodies = {"small": b"x" * 10, "large": os.urandom(300_000)}
        process = self.started("-D", LOOPBACK)
        [url] = process.urls
        self.assertEqual(self.ask(url + "/bucket", "PUT")[0], 200)
        for key, body in bodies.items():
            self.assertEqual(self.ask(f"{url}/bucket/{key}", "PUT", body)[0], 200)
        self.assertEqual(process.stop(), -signal.SIGTERM)
        self.assertNotIn("Traceback", process.output())
        self.assertNotIn("Unhandled", process.output())
        self.assertEqual(process.errors.read_text(), "")
        [url] = self.started("-D", LOOPBACK).urls
        for key, body in bodies.items():
            self.assertEqual(self.ask(f"{url}/bucket/{key}"), (200, body))

    def test_finishes_what_runs(self) -> None:
        """A request under way is answered; a connection that is idle is closed at once."""
        process = self.started("-D", LOOPBACK)
        [url] = process.urls
        self.assertEqual(self.ask(url + "/bucket", "PUT")[0], 200)
        place = (urlsplit(url).hostname, urlsplit(url).port)
        body = b"y" * 100_000
        headers = sign("PUT", url + "/bucket/key", {}, "a", "b", REGION, time.time())
        headers["Content-Length"] = str(len(body))
        head = "PUT /bucket/key HTTP/1.1\r\n" + "".join(
            f"{name}: {value}\r\n" for name, value in headers.items()
        )
        with (
            socket.create_connection(place, timeout=20) as busy,
            socket.create_connection(place, timeout=20) as idle,
        ):
            idle.sendall(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            self.assertTrue(idle.recv(65536).startswith(b"HTTP/1.1 403 "))
            busy.sendall(head.encode() + b"Expect: 100-continue\r\n\r\n")
            self.assertTrue(busy.recv(100).startswith(b"HTTP/1.1 100 "))
            busy.sendall(body[:50_000])
            process.process.send_signal(signal.SIGTERM)
            self.assertEqual(idle.recv(65536), b"")
            busy.sendall(body[50_000:])
            self.assertTrue(busy.recv(65536).startswith(b"HTTP/1.1 200 "))
        self.assertEqual(process.wait(), -signal.SIGTERM)
        [url] = self.started("-D", LOOPBACK).urls
        self.assertEqual(self.ask(url + "/bucket/key"), (200, body))

    def test_cuts_what_takes_too_long(self) -> None:
        """A request that is not over when the grace is, is cut, and nothing of it stays; the others' data does."""
        process = self.started("-D", LOOPBACK, "-D", "ozgate.stop.grace=100ms")
        [url] = process.urls
        self.assertEqual(self.ask(url + "/bucket", "PUT")[0], 200)
        self.assertEqual(self.ask(url + "/bucket/whole", "PUT", b"x" * 50_000)[0], 200)
        place = (urlsplit(url).hostname, urlsplit(url).port)
        headers = sign("PUT", url + "/bucket/half", {}, "a", "b", REGION, time.time())
        headers["Content-Length"] = "100000"
        head = "PUT /bucket/half HTTP/1.1\r\n" + "".join(
            f"{name}: {value}\r\n" for name, value in headers.items()
        )
        with socket.create_connection(place, timeout=20) as slow:
            slow.sendall(head.encode() + b"Expect: 100-continue\r\n\r\n")
            self.assertTrue(slow.recv(100).startswith(b"HTTP/1.1 100 "))
            slow.sendall(b"y" * 50_000)
            process.process.send_signal(signal.SIGTERM)
            with contextlib.suppress(ConnectionResetError):
                self.assertEqual(slow.recv(65536), b"")
        self.assertEqual(process.wait(), -signal.SIGTERM)
        self.assertNotIn("Traceback", process.output())
        [url] = self.started("-D", LOOPBACK).urls
        self.assertEqual(self.ask(url + "/bucket/whole"), (200, b"x" * 50_000))
        self.assertEqual(self.ask(url + "/bucket/half")[0], 404)

    def test_idle_over_tls(self) -> None:
        """Idle TLS clients, which never answer the farewell, do not hold it up for the whole grace."""
        key, certificate = self.certificate()
        process = self.started(
            *("-D", "ozgate.stop.grace=1h", "--listen"),
            f"ssl:0:interface=127.0.0.1:privateKey={key}:certKey={certificate}",
        )
        place = urlsplit(process.urls[0])
        context = ssl.create_default_context(cafile=certificate)
        with socket.create_connection((place.hostname, place.port), timeout=20) as tcp:
            with context.wrap_socket(tcp, server_hostname="127.0.0.1") as idle:
                idle.sendall(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
                self.assertTrue(idle.recv(65536).startswith(b"HTTP/1.1 403 "))
                self.assertEqual(process.stop(), -signal.SIGTERM)

    def test_stops_while_starting(self) -> None:
        """SIGTERM right at the start is obeyed, too."""
        process = self.launch("-n", "ozgate", "--data", self.data, "-D", LOOPBACK)
        deadline = time.monotonic() + 60
        while not os.path.exists(self.data + "/lock") and time.monotonic() < deadline:
            time.sleep(0.001)
        self.assertEqual(process.stop(), -signal.SIGTERM)
        self.assertNotIn("Traceback", process.output())
        self.started("-D", LOOPBACK)


class DaemonTests(ServiceTestCase):
    """twistd without -n."""

    forked = False

    def test_daemon(self) -> None:
        """It goes to the background with its lock, reopens logs on SIGHUP, and ends on SIGTERM."""
        pid_file = Path(self.folder, "pid")
        log = Path(self.folder, "log")
        path = self.socket_path()
        subprocess.run(
            [
                *(program("twistd"), f"--pidfile={pid_file}", f"--logfile={log}"),
                *("ozgate", "--data", "data", "--listen", f"unix:{path}"),
            ],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            check=True,
            timeout=30,
        )
        self.wait_until(lambda: os.path.exists(path))
        pid = int(pid_file.read_text())
        self.addCleanup(self.kill, pid)
        self.assertIn(str(pid), self.refused("-D", LOOPBACK))
        self.assert_answers(path)
        access = Path(self.folder, "data", "access.log")
        access.rename(f"{access}.1")
        os.kill(pid, signal.SIGHUP)
        reloaded = f"reload: access log: reopened {access}"
        # It is said when the workers, too, have reloaded.
        self.wait_until(lambda: reloaded in log.read_text())
        self.assertTrue(access.exists())
        self.assert_answers(path)
        os.kill(pid, signal.SIGUSR1)
        self.wait_until(Path(f"{log}.1").exists)
        self.assertIn(reloaded, Path(f"{log}.1").read_text())
        os.kill(pid, signal.SIGTERM)
        self.wait_until(lambda: not pid_file.exists())
        self.assertNotIn("Traceback", log.read_text())

    def assert_answers(self, path: str) -> None:
        """The service answers on a UNIX socket."""
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(20)
            client.connect(path)
            client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            self.assertTrue(client.recv(100).startswith(b"HTTP/1.1 403 "))

    def wait_until(self, condition: object) -> None:
        """Wait for something another process does, at most a minute."""
        deadline = time.monotonic() + 60
        while not condition() and time.monotonic() < deadline:
            time.sleep(0.02)

    def kill(self, pid: int) -> None:
        """End a daemon that the test left."""
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return
