"""``twistd ozgate`` without ``-n``: who started it is told how it went."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from tests.running import ROOT, WORKERS, program
from tests.service.twistd import ADMIN, ServiceTestCase

SCRIPT = """
import os
from ozgate.service.launch import Launch
launch = Launch("the.log")
if os.fork() == 0:
    {child}
print("it went on")
"""
"""A daemon's start in small: what the child does, and what its parent makes of it."""


class DaemonTestCase(ServiceTestCase):
    """Starts daemons."""

    forked = False

    def setUp(self) -> None:
        """Where a daemon's process and log are."""
        super().setUp()
        self.pid_file = Path(self.folder, "pid")
        self.log = Path(self.folder, "log")

    def daemon(self, *arguments: str, stdout: int = subprocess.PIPE) -> tuple[int, str]:
        """Start one: exit code and standard error of the process that stays in front, once that has ended."""
        started = subprocess.run(
            [
                program("twistd"),
                *(f"--pidfile={self.pid_file}", f"--logfile={self.log}"),
                *("ozgate", "--data", self.data, *arguments),
            ],
            cwd=self.folder,
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": str(ROOT),
                "OZGATE_WORKERS": WORKERS,
                **ADMIN,
            },
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.PIPE,
            timeout=120,
            check=False,
        )
        if self.pid_file.exists():
            self.addCleanup(self.end, int(self.pid_file.read_text()))
        if stdout == subprocess.PIPE:
            self.assertEqual(started.stdout, b"")
        return started.returncode, started.stderr.decode()

    def end(self, pid: int) -> None:
        """Stop a daemon, and wait until it is gone."""
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + 60
        while self.pid_file.exists() and time.monotonic() < deadline:
            time.sleep(0.02)


class StartTests(DaemonTestCase):
    """Real daemons."""

    def test_ready(self) -> None:
        """It is done with 0 once the service answers, and scripts hear nothing."""
        path = self.socket_path()
        self.assertEqual(self.daemon("--listen", f"unix:{path}"), (0, ""))
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(20)
            client.connect(path)
            client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            self.assertTrue(client.recv(100).startswith(b"HTTP/1.1 403 "))

    def test_terminal(self) -> None:
        """At a terminal it says what a start in the foreground says, and where the rest is."""
        ours, theirs = os.openpty()
        self.addCleanup(os.close, ours)
        found = self.daemon("--listen", "127.0.0.1:0", stdout=theirs)
        os.close(theirs)
        self.assertEqual(found, (0, ""))
        shown = os.read(ours, 8192).decode()
        self.assertIn("ozgate listens on http://127.0.0.1:", shown)
        self.assertIn("aws s3 mb s3://first", shown)
        self.assertIn(f"process {self.pid_file.read_text()}, ", shown)
        self.assertIn(f"logs to {self.log}", shown)

    def test_port_taken(self) -> None:
        """A port that another program has: one line, and 1."""
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            port = other.getsockname()[1]
            code, error = self.daemon("--listen", f"127.0.0.1:{port}")
        [line] = error.splitlines()
        self.assertEqual(code, 1)
        self.assertTrue(line.startswith("ozgate: cannot listen on "), line)
        self.assertIn("another program", line)

    def test_nowhere_to_write(self) -> None:
        """A folder of the log, or of the process's number, that is not there: one line that names the option, and 1."""
        for option, name in (("pidfile", "pid_file"), ("logfile", "log")):
            self.patch(self, name, Path(self.folder, "none", "file"))
            code, error = self.daemon("--listen", "127.0.0.1:0")
            [line] = error.splitlines()
            self.assertEqual(code, 1)
            self.assertTrue(line.startswith("ozgate: cannot write "), line)
            self.assertIn(f"--{option}", line)
            setattr(self, name, Path(self.folder, name))

    def test_fails_late(self) -> None:
        """What only the daemon finds out is said in one line, too, when it is gone; its log has it once."""
        os.makedirs(self.data)
        Path(self.data, "metadata.db").write_text("not a database " * 100)
        code, error = self.daemon("--listen", "127.0.0.1:0")
        [line] = error.splitlines()
        self.assertEqual(code, 1)
        self.assertTrue(line.startswith("ozgate: "), line)
        self.assertIn("metadata.db", line)
        self.assertFalse(self.pid_file.exists())
        self.assertEqual(self.log.read_text().count("metadata.db"), 1)


class LaunchTests(ServiceTestCase):
    """What the process that stays in front makes of what it hears."""

    def run_child(self, child: str) -> tuple[int, str, str]:
        """Exit code, standard output and error of :data:`SCRIPT`."""
        ended = subprocess.run(
            [sys.executable, "-c", SCRIPT.format(child=child)],
            env={"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return ended.returncode, ended.stdout, ended.stderr

    def test_gone(self) -> None:
        """A daemon that is killed before it is ready is a start that failed."""
        found = self.run_child("os._exit(9)")
        line = "ozgate: it ended before it was ready: see the.log\n"
        self.assertEqual(found, (1, "", line))

    def test_ready(self) -> None:
        """Once it is ready the process goes on, which ends with 0; only a terminal is told more."""
        found = self.run_child("launch.begin(); launch.ready('text'); os._exit(0)")
        self.assertEqual(found, (0, "it went on\n", ""))

    def test_failed(self) -> None:
        """What it says of a failure is passed on."""
        found = self.run_child("launch.begin(); launch.failed('no luck'); os._exit(0)")
        self.assertEqual(found, (1, "", "ozgate: no luck\n"))

    def test_later_forks(self) -> None:
        """A fork of the running service, of which no daemon comes, waits for nothing."""
        ended = subprocess.run(
            [
                sys.executable,
                "-c",
                "import os\nfrom ozgate.service.launch import Launch\nlaunch = Launch('the.log')\nlaunch.begin()\n"
                "if os.fork() == 0:\n    os._exit(9)\nlaunch.ready('text')",
            ],
            env={"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        self.assertEqual(
            (ended.returncode, ended.stdout, ended.stderr), (0, "text", "")
        )
