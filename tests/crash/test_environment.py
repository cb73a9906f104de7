"""What a machine does to a running server: no descriptors, no room for logs, a disk that turns read-only, a second server."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import resource
import socket
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from unittest import SkipTest

from twisted.trial.unittest import SynchronousTestCase

from tests.running import Server

BLOB = b"blob" * 50_000
SMALL = b"small"


def cpu_seconds(server: Server) -> float:
    """What the server has used of processors."""
    assert server.process is not None
    fields = Path(f"/proc/{server.process.pid}/stat").read_text().rpartition(")")[2]
    user, system = fields.split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


class ServerCase(SynchronousTestCase):
    """A server of its own, with a bucket."""

    def begin(self, *settings: str, parent: str | None = None) -> Server:
        """Start one; it ends with the test."""
        folder = tempfile.TemporaryDirectory(prefix="ozgate-environment-")
        self.addCleanup(folder.cleanup)
        self.server = Server(os.path.join(parent or folder.name, "data"), *settings)
        self.server.log = os.path.join(folder.name, "out")
        self.server.start()
        self.addCleanup(lambda: self.server.kill())
        self.assertEqual(self.server.request("PUT", "/bucket")[0], 200)
        return self.server

    def put(self, key: str, body: bytes) -> int:
        """The status of a PUT."""
        return self.server.request("PUT", f"/bucket/{key}", {}, body)[0]

    def assert_there(self, **objects: bytes) -> None:
        """Each key has those bytes."""
        for key, body in objects.items():
            status, _, found = self.server.request("GET", f"/bucket/{key}")
            self.assertEqual((status, found == body), (200, True), key)

    def mount(self, *arguments: str) -> str:
        """Mount a file system until the test ends; where it is."""
        place = tempfile.mkdtemp(prefix="ozgate-mount-")
        self.addCleanup(os.rmdir, place)
        command = ["mount", *arguments, place]
        if os.geteuid() or subprocess.run(command, capture_output=True).returncode:
            raise SkipTest(f"{' '.join(command)} takes root, and cannot be done here")
        self.addCleanup(subprocess.run, ["umount", "-l", place], capture_output=True)
        return place


class DescriptorTests(ServerCase):
    """No file descriptor is left (EMFILE)."""

    def test_connections(self) -> None:
        """Clients take every descriptor: who has a connection is answered, nothing spins, and with them gone all is well."""
        # The process that is short of them is the one that serves.
        server = self.begin("ozgate.workers=1")
        self.assertEqual(self.put("blob", BLOB), 200)
        assert server.process is not None
        there = len(os.listdir(f"/proc/{server.process.pid}/fd"))
        with contextlib.ExitStack() as stack:
            early = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
            stack.callback(early.close)
            early.connect()
            # Below what it was started with, from which it has reckoned how many clients it can have.
            limits = (there + 20, there + 20)
            resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, limits)
            for _ in range(60):
                with contextlib.suppress(OSError):
                    stack.enter_context(server.connect())
            used = cpu_seconds(server)
            pause = time.monotonic() + 1
            while time.monotonic() < pause:
                time.sleep(0.05)
            self.assertLess(cpu_seconds(server) - used, 0.5)
            statuses = []
            for method, key, body in (
                ("GET", "blob", b""),
                ("PUT", "blob", BLOB),
                ("PUT", "small", SMALL),
            ):
                signed = server.signed(method, f"/bucket/{key}")
                early.request(method, f"/bucket/{key}", body or None, signed)
                answer = early.getresponse()
                statuses.append(answer.status)
                answer.read()
            # A blob takes a descriptor, a row does not.
            self.assertEqual(statuses, [503, 503, 200])
        self.wait_until_served()
        self.assert_there(blob=BLOB)
        self.assertEqual(self.put("after", BLOB), 200)
        self.assert_there(after=BLOB)

    def test_none(self) -> None:
        """Not even the reserved descriptor is to be had: clients wait without a spin, and are served when there are some."""
        # The process that is short of them is the one that serves.
        server = self.begin("ozgate.workers=1")
        self.assertEqual(self.put("small", SMALL), 200)
        assert server.process is not None
        process = server.process.pid
        before = resource.prlimit(process, resource.RLIMIT_NOFILE)
        there = len(os.listdir(f"/proc/{process}/fd"))
        resource.prlimit(process, resource.RLIMIT_NOFILE, (there // 2, before[1]))
        client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
        self.addCleanup(client.close)
        client.request(
            "GET", "/bucket/small", headers=server.signed("GET", "/bucket/small")
        )
        time.sleep(0.2)
        used = cpu_seconds(server)
        time.sleep(1)
        self.assertLess(cpu_seconds(server) - used, 0.5)
        resource.prlimit(process, resource.RLIMIT_NOFILE, before)
        answer = client.getresponse()
        self.assertEqual((answer.status, answer.read()), (200, SMALL))
        told = Path(server.log).read_text().count("new clients wait")
        self.assertEqual(told, 1)

    def wait_until_served(self) -> None:
        """Until the server has noticed that its clients are gone."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError, http.client.HTTPException):
                if self.server.request("GET", "/bucket?list-type=2")[0] == 200:
                    return
            time.sleep(0.1)
        raise AssertionError("it does not serve any more")


class ReadOnlyTests(ServerCase):
    """A file system that can only be read (EROFS)."""

    def test_turns_read_only(self) -> None:
        """ext4 turns read-only after an error, in the middle of everything: reads go on, writes are refused, nothing is lost."""
        folder = tempfile.mkdtemp(prefix="ozgate-image-")
        image = os.path.join(folder, "image")
        self.addCleanup(os.rmdir, folder)
        self.addCleanup(os.unlink, image)
        with open(image, "wb") as file:
            file.truncate(64 << 20)
        mkfs = ["mkfs.ext4", "-q", "-F", image]
        with contextlib.suppress(FileNotFoundError):
            subprocess.run(mkfs, capture_output=True, check=True)
        place = self.mount("-o", "loop,errors=remount-ro", image)
        server = self.begin("ozgate.disk.reserve=0", parent=place)
        self.assertEqual(self.put("blob", BLOB), 200)
        self.assertEqual(self.put("small", SMALL), 200)
        subprocess.run(["mount", "-o", "remount,abort", place], check=True)
        for key, body in (("blob", SMALL), ("small", BLOB), ("new", SMALL)) * 2:
            self.assertIn(self.put(key, body), (500, 503), (key, len(body)))
        self.assertIn(self.server.request("DELETE", "/bucket/blob")[0], (500, 503))
        self.assert_there(blob=BLOB, small=SMALL)
        self.assertEqual(self.server.request("GET", "/bucket/new")[0], 404)
        server.stop()
        subprocess.run(["umount", place], check=True)
        subprocess.run(["mount", "-o", "loop", image, place], check=True)
        server.start()
        self.assert_there(blob=BLOB, small=SMALL)
        self.assertEqual(self.put("after", BLOB), 200)

    def test_start(self) -> None:
        """A server does not start on it, and says so in one line."""
        place = self.mount("-t", "tmpfs", "-o", "size=24m", "none")
        server = self.begin("ozgate.disk.reserve=0", parent=place)
        self.assertEqual(self.put("small", SMALL), 200)
        server.stop()
        subprocess.run(["mount", "-o", "remount,ro", place], check=True)
        with self.assertRaises(RuntimeError) as caught:
            server.start()
        line = str(caught.exception).splitlines()[-1]
        self.assertIn("Read-only file system", line)
        self.assertIn(server.data, line)
        subprocess.run(["mount", "-o", "remount,rw", place], check=True)
        server.start()
        self.assert_there(small=SMALL)


class LogTests(ServerCase):
    """No room for the access and audit logs (ENOSPC)."""

    def test_full(self) -> None:
        """Requests are answered all the same, and lines are written when there is room again."""
        place = self.mount("-t", "tmpfs", "-o", "size=256k", "none")
        logs = {name: Path(place, name) for name in ("access", "audit")}
        self.begin(
            f"ozgate.log.access={logs['access']}", f"ozgate.log.audit={logs['audit']}"
        )
        ballast = Path(place, "ballast")
        with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
            while file.write(bytes(4096)):
                pass
        for number in range(20):
            self.assertEqual(self.put(f"{number}", SMALL), 200)
        deadline = time.monotonic() + 60
        while "cannot be written" not in self.server.output():
            self.assertLess(time.monotonic(), deadline, "it never tried")
            time.sleep(0.1)
        self.assertEqual(self.put("still", SMALL), 200)
        ballast.unlink()
        self.assertEqual(self.put("after", SMALL), 200)
        self.server.stop()
        access, audit = (log.read_text() for log in logs.values())
        for key in (*map(str, range(20)), "still", "after"):
            self.assertIn(f'"PUT /bucket/{key} HTTP/1.1" 200', access)
            self.assertIn(f'"path": "[{key}]"', audit)


class CutTests(ServerCase):
    """A blob's file that somebody cuts while it is read."""

    def test_others_go_on(self) -> None:
        """The reader's connection is cut before its end, and everybody else is served."""
        self.begin()
        body = os.urandom(12 << 20)
        self.assertEqual(self.put("big", body), 200)
        self.assertEqual(self.put("blob", BLOB), 200)
        big = max(self.blob_files(), key=lambda path: path.stat().st_size)
        with socket.socket() as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
            connection.settimeout(20)
            connection.connect(("127.0.0.1", self.server.port))
            connection.sendall(self.server.head("GET", "/bucket/big"))
            received = connection.recv(65536)
            os.truncate(big, 1 << 20)
            self.assert_there(blob=BLOB)
            with contextlib.suppress(ConnectionResetError):
                while data := connection.recv(1 << 20):
                    received += data
        head, _, found = received.partition(b"\r\n\r\n")
        length = re.search(rb"Content-Length: (\d+)", head, re.IGNORECASE)
        assert length is not None
        self.assertEqual(int(length[1]), len(body))
        self.assertLess(len(found), len(body))
        self.assertTrue(body.startswith(found))
        self.assertEqual(self.server.request("GET", "/bucket/big")[0], 500)
        self.assertEqual(self.server.request("HEAD", "/bucket/big")[0], 200)
        self.assert_there(blob=BLOB)

    def blob_files(self) -> Iterator[Path]:
        """Files with bytes of objects."""
        for path in Path(self.server.data, "blobs", "data").rglob("*"):
            if path.is_file():
                yield path


class FolderTests(ServerCase):
    """Data folders that a server must not take."""

    def refusal(self) -> str:
        """The last line of another server that was to use the same folder."""
        other = Server(self.server.data)
        other.log = self.server.log + ".other"
        with self.assertRaises(RuntimeError):
            other.start()
        assert other.process is not None
        self.assertEqual(other.process.wait(), 1)
        (line,) = re.findall("^ozgate: (.*)$", other.output(), re.MULTILINE)
        return line

    def test_two_servers(self) -> None:
        """A second server on a folder that is in use ends with one line that says whose it is; the first does not notice."""
        server = self.begin()
        assert server.process is not None
        self.assertEqual(self.put("small", SMALL), 200)
        self.assertIn(f"in use by process {server.process.pid}", self.refusal())
        self.assert_there(small=SMALL)
        self.assertEqual(self.put("after", BLOB), 200)

    def test_newer(self) -> None:
        """A folder that a newer version wrote is left alone, with a line that says so."""
        server = self.begin()
        self.assertEqual(self.put("small", SMALL), 200)
        server.stop()
        path = os.path.join(server.data, "metadata.db")
        with contextlib.closing(sqlite3.connect(path)) as connection:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            connection.execute(f"PRAGMA user_version = {version + 1}")
        line = self.refusal()
        self.assertIn(f"has metadata schema {version + 1}", line)
        self.assertIn("start the newer ozgate", line)
        with contextlib.closing(sqlite3.connect(path)) as connection:
            connection.execute(f"PRAGMA user_version = {version}")
        server.start()
        self.assert_there(small=SMALL)
