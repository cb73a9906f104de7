"""``python -m benchmarks.suite`` against the real service: what it prints, and that it leaves nothing behind. What it measures is not looked at."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from tests.running import ACCESS_KEY, ROOT, SECRET_KEY, Server

ROWS = (
    *("GET 4 KiB, c=1", "HEAD, c=1", "304, c=1", "DELETE, c=16"),
    *("PUT 1 MiB, c=1", "GET 1 MiB, c=1", "Complete of 4 parts"),
    *("LIST page of 1,000 versions, c=1", "100 idle connections"),
)
LINE = re.compile(r"^\| (?P<work>.*?) +\| (?P<unit>.*?) +\| (?P<cells>.*) \|$", re.M)
FIGURE = re.compile(r"[\d,.]+(e-\d+)?[!~]*( \([\d,.]+(e[+-]\d+)?\))?")


class SuiteTests(SynchronousTestCase):
    """Two names for one server, so that there is something to compare."""

    def setUp(self) -> None:
        """Start the service."""
        if shutil.which("wrk") is None:
            raise SkipTest("wrk is not installed")
        self.folder = tempfile.mkdtemp(prefix="ozgate-suite-test-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.server = Server(os.path.join(self.folder, "data"))
        self.server.start()
        self.addCleanup(self.server.stop)
        self.report = Path(self.folder, "report.md")

    def suite(self, *more: str) -> subprocess.Popen[str]:
        """Run it."""
        assert self.server.process
        process = ("--pid", str(self.server.process.pid))
        keys = ("--access-key", ACCESS_KEY, "--secret-key", SECRET_KEY)
        # Temporary files of its own, so that what is left is seen.
        temporary = os.path.join(self.folder, "tmp")
        os.mkdir(temporary)
        return subprocess.Popen(
            [
                *(sys.executable, "-m", "benchmarks.suite", "--quick", *more),
                *("--endpoint", self.server.url, *keys, *process),
                *("--against", self.server.url, *keys, "--name", "the same"),
                *("--durability", "as well", "--markdown", str(self.report)),
            ],
            cwd=ROOT,
            env={**os.environ, "TMPDIR": temporary},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def assert_nothing_is_left(self) -> None:
        """No bucket on the server, no temporary file."""
        _, _, answer = self.server.request("GET", "/")
        self.assertIn(b"<Buckets", answer)
        self.assertNotIn(b"<Bucket>", answer)
        self.assertEqual(os.listdir(os.path.join(self.folder, "tmp")), [])

    def test_rows(self) -> None:
        """Each row that is chosen has figures of both servers and the ratio of the second; CPU and memory are those of the one whose process is known."""
        with self.suite("--rows", *ROWS) as running:
            output, _ = running.communicate(timeout=300)
        self.assertIn(running.returncode, (0, 1), output)
        text = self.report.read_text()
        self.assertIn(text, output)
        reached, cost = (
            {found["work"]: found["cells"].split("|") for found in LINE.finditer(part)}
            for part in text.split("### ")[1:3]
        )
        for row in ROWS:
            self.assertIn(row, reached, output)
            self.assertTrue(FIGURE.fullmatch(reached[row][0].strip()), reached[row])
            if "idle" not in row:
                self.assertRegex(reached[row][1], r"\(.*\)")
                self.assertEqual(cost[row][1].strip(), "")
        self.assertEqual(set(cost) - set(reached), set())
        self.assertIn("- **the same**: as well", text)
        self.assertRegex(text, r"p99 to p50 of GET 4 KiB, c=1 +\| [\d.]+ +\| at most 4")
        self.assertRegex(text, r"the same: its processes are not known")
        self.assert_nothing_is_left()

    def test_ended(self) -> None:
        """Ended in the middle, it removes what it made, and says what there is so far."""
        with self.suite("--rounds", "50", "--rows", "GET 4 KiB, c=1") as running:
            assert running.stdout
            for line in running.stdout:
                if "the same" in line:
                    break
            time.sleep(0.2)
            running.send_signal(signal.SIGTERM)
            output, _ = running.communicate(timeout=60)
        self.assertIn("interrupted", output)
        self.assertIn("GET 4 KiB, c=1", self.report.read_text())
        self.assert_nothing_is_left()

    def test_refused(self) -> None:
        """A row that a server refuses is noted with the reason, and the others are measured."""
        self.server.stop()
        with self.suite("--rows", "GET 4 KiB, c=1") as running:
            output, _ = running.communicate(timeout=60)
        self.assertEqual(running.returncode, 1, output)
        self.assertIn("Connection refused", self.report.read_text())
        self.server.start()
