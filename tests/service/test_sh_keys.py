"""Keys whose bytes ``ozgate sh`` puts and gets, on a real service."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.running import ROOT
from tests.service.commanding import SECURE
from tests.service.shell import MIB, STATIC, ShellCase
from tests.service.twistd import LOOPBACK, Twistd


class KeyTests(ShellCase):
    """Bytes of keys."""

    def file(self, name: str, size: int) -> str:
        """A file of random bytes in the test's folder."""
        path = os.path.join(self.folder, name)
        Path(path).write_bytes(os.urandom(size))
        return path

    def test_put_and_get(self) -> None:
        """What is put is what is got, by the command and by S3, with S3's ETag, whatever its size."""
        process = self.started(*SECURE, environment=STATIC)
        self.sh("bucket", "create", "/s3v/bucket")
        client = self.as_root(process)
        for size in (0, 1, 100_000, 3 * MIB + 7):
            path, key = self.file("in", size), f"/s3v/bucket/a//{size} ü+%"
            self.assertEqual(self.sh("key", "put", key, path), "")
            out = os.path.join(self.folder, f"out{size}")
            self.assertEqual(self.sh("key", "get", key, out), "")
            self.assertEqual(Path(out).read_bytes(), Path(path).read_bytes())
            found = client.get_object(Bucket="bucket", Key=f"a//{size} ü+%")
            self.assertEqual(found["Body"].read(), Path(path).read_bytes())
            shown = self.shown("key", "info", key)
            self.assertEqual(shown["dataSize"], size)
            self.assertEqual(f'"{shown["metadata"]["ETag"]}"', found["ETag"])

    def test_files(self) -> None:
        """A file that is there is not overwritten unasked; a folder gets the name; what fails leaves no file."""
        self.started(*SECURE, environment=STATIC)
        path = self.file("in", 10)
        self.script("bucket create /s3v/bucket", f"key put /s3v/bucket/a/name {path}")
        before = Path(path).read_bytes()
        there = self.file("there", 20)
        said = f"{there} exists. Download would overwrite an existing file. Aborting."
        self.refused_by(said, "key", "get", "/s3v/bucket/a/name", there)
        self.sh("key", "get", "--force", "/s3v/bucket/a/name", there)
        self.assertEqual(Path(there).read_bytes(), before)
        self.sh("key", "get", "/s3v/bucket/a/name", self.folder)
        self.assertEqual(Path(self.folder, "name").read_bytes(), before)
        missing = os.path.join(self.folder, "missing")
        said = "KEY_NOT_FOUND The specified key does not exist."
        self.refused_by(said, "key", "get", "/s3v/bucket/absent", missing)
        self.assertFalse(os.path.exists(missing))
        said = f"Error: File not found: {missing}"
        self.refused_by(said, "key", "put", "/s3v/bucket/k", missing)
        said = f"{self.folder}: Is a directory"
        self.refused_by(said, "key", "put", "/s3v/bucket/k", self.folder)
        self.assertEqual(self.sh("key", "rm", "/s3v/bucket/a/name"), "")
        self.assertEqual(self.sh("key", "ls", "/s3v/bucket"), "[ ]\n")

    def test_bounded_memory(self) -> None:
        """Neither the command nor the service holds a large key in memory."""
        process = self.started(*SECURE, environment=STATIC)
        self.sh("bucket", "create", "/s3v/bucket")
        path, out = (os.path.join(self.folder, name) for name in ("in", "out"))
        size = 256 * MIB
        with open(path, "wb") as file:
            file.truncate(size)
        before = memory(process)
        for arguments in (
            ("put", "/s3v/bucket/key", path),
            ("get", "/s3v/bucket/key", out),
        ):
            peak = self.peak("sh", "key", *arguments)
            self.assertLess(peak, 150 * MIB)
        self.assertEqual(os.path.getsize(out), size)
        self.assertLess(memory(process) - before, 64 * MIB)

    def peak(self, *arguments: str) -> int:
        """Bytes of memory that a command took at most."""
        script = (
            "import resource, subprocess, sys;"
            "subprocess.run(sys.argv[1:], check=True);"
            "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
        )
        ended = subprocess.run(
            [sys.executable, "-c", script, sys.executable, "-m", "ozgate", *arguments],
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": str(ROOT),
                "OZGATE_DATA": self.data,
            },
            capture_output=True,
            text=True,
            timeout=120,
        )
        self.assertEqual(ended.returncode, 0, ended.stderr)
        return int(ended.stdout) << 10

    def test_refused_early(self) -> None:
        """What will not be kept is refused with the reason, over the socket and over TCP, however large it is."""
        process = self.started("-D", LOOPBACK)
        self.script("volume create /vol1", "bucket create /vol1/bucket --quota 1MB")
        path = os.path.join(self.folder, "in")
        with open(path, "wb") as file:
            file.truncate(200 * MIB)
        said = "QUOTA_EXCEEDED The space quota of bucket bucket is 1048576 bytes."
        self.refused_by(said, "key", "put", "/vol1/bucket/key", path)
        by_url = ("--admin-url", process.admin_url)
        self.refused_by(said, "key", "put", *by_url, "/vol1/bucket/key", path)
        missing = "BUCKET_NOT_FOUND Bucket not found: absent"
        self.refused_by(missing, "key", "put", *by_url, "/vol1/absent/key", path)
        self.sh("key", "put", *by_url, "/vol1/bucket/key", __file__)
        out = os.path.join(self.folder, "out")
        self.sh("key", "get", *by_url, "/vol1/bucket/key", out)
        self.assertEqual(Path(out).read_bytes(), Path(__file__).read_bytes())


def memory(process: Twistd) -> int:
    """Bytes of memory that a service has taken at most so far."""
    status = Path(f"/proc/{process.process.pid}/status").read_text()
    [peak] = re.findall(r"^VmHWM:\s*(\d+) kB$", status, re.M)
    return int(peak) << 10
