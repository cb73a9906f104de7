"""Workers on sockets of every kind, all of which their parent has opened."""

from __future__ import annotations

import os
import re
import signal
import socket
import ssl
import stat
import sys
from urllib.request import Request

from tests.running import program
from tests.service.test_daemon import DaemonTestCase
from tests.service.twistd import ServiceTestCase, Twistd
from tests.service.workers import is_alive, until

TWO = "--workers", "2"

ACTIVATED = """
import os, socket, sys
made = socket.create_server(("127.0.0.1", 0))
os.dup2(made.fileno(), 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()), LISTEN_FDNAMES="s3")
os.execv(sys.argv[1], sys.argv[1:])
"""
"""Starts a program as systemd does that has opened a socket for it."""


class SocketTests(ServiceTestCase):
    """What two workers serve."""

    def ends_well(self, process: Twistd) -> None:
        """It stops, and nobody had anything to say of it."""
        self.assertEqual(process.stop(), -signal.SIGTERM)
        self.assertNotIn("Traceback", process.output())
        self.assertNotIn("ended by", process.output())

    def test_several(self) -> None:
        """A TCP socket, one of TLS, one that proxies speak to and one for websites, each by what it speaks."""
        key, certificate = self.certificate()
        process = self.started(
            *TWO,
            *("-D", "ozone.security.enabled=false"),
            *("--listen", "127.0.0.1:0"),
            *(
                "--listen",
                f"ssl:0:interface=127.0.0.1:privateKey={key}:certKey={certificate}",
            ),
            *("--listen", "haproxy:tcp:0:interface=127.0.0.1"),
            *("-D", "ozgate.website.listen=127.0.0.1:0"),
        )
        plain, secure, proxied = process.urls
        for _ in range(8):
            self.assertEqual(self.ask(plain + "/")[0], 200)
            context = ssl.create_default_context(cafile=certificate)
            self.assertEqual(self.answer(Request(secure + "/healthz"), context)[0], 200)
            host, port = proxied.removeprefix("http://").split(":")
            with socket.create_connection((host, int(port)), timeout=60) as client:
                client.sendall(
                    b"PROXY TCP4 192.0.2.7 127.0.0.1 40000 9878\r\n"
                    b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
                )
                self.assertIn(b" 200 ", client.recv(1000))
        [line] = [
            each for each in process.output().splitlines() if "websites are" in each
        ]
        # No bucket has such a name.
        self.assertEqual(self.answer(line.split()[-1] + "/")[0], 400)
        self.ends_well(process)

    def test_unix(self) -> None:
        """A UNIX socket keeps its mode, and its file goes when the service stops and not when a worker does."""
        path = self.socket_path()
        process = self.started(*TWO, "--listen", f"unix:{path}:mode=600")

        def answers() -> bool:
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(60)
                client.connect(path)
                client.sendall(
                    b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
                )
                return b" 200 " in client.recv(1000)

        self.assertTrue(all(answers() for _ in range(8)))
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        self.ends_well(process)
        self.assertFalse(os.path.exists(path))

    def test_activated(self) -> None:
        """A socket that the service manager has opened."""
        process = self.launch(
            *("-c", ACTIVATED, program("twistd")),
            *("-n", "--pidfile=", "ozgate", "--data", self.data, *TWO),
            *("--listen", "systemd:domain=INET:index=0"),
            command=sys.executable,
        )
        process.wait_ready()
        for _ in range(8):
            self.assertEqual(self.ask(process.urls[0] + "/")[0], 200)
        self.ends_well(process)


class DaemonTests(DaemonTestCase):
    """Workers of a daemon."""

    def pids(self) -> list[int]:
        """The workers that serve, or have."""
        found = re.findall(r"as process (\d+)", self.log.read_text())
        return [int(pid) for pid in found]

    def test_served(self) -> None:
        """A daemon is ready once a worker serves; the others follow, and end with it."""
        path = self.socket_path()
        found = self.daemon("--workers", "2", "--listen", f"unix:{path}")
        self.assertEqual(found, (0, ""))
        self.assertTrue(self.pids())
        until(lambda: len(self.pids()) == 2, "the second does not serve")
        pids = self.pids()
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(60)
            client.connect(path)
            client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            self.assertTrue(client.recv(100).startswith(b"HTTP/1.1 403 "))
        os.kill(int(self.pid_file.read_text()), signal.SIGKILL)
        until(lambda: not any(map(is_alive, pids)), "workers stay")
        self.pid_file.unlink()
