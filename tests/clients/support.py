"""Real clients against a real gateway.

Each test has a gateway of its own, with security on. A client that is not installed skips its
tests, except in continuous integration, where it fails them.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from tests.clients.botos import DOMAIN, send
from tests.running import Server, program

BUCKET = "bucket"
NAMES = (
    "plain.txt",
    "with space.txt",
    "deeper/than one/level.bin",
    "plus+percent%25&equals=.txt",
    "ünïcødé/日本語.txt",
    "empty",
)
"""Files of a small tree: names that clients must encode one way and gateways decode the same."""


def digest(path: Path) -> str:
    """A digest of a file's bytes."""
    running = blake2b()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            running.update(block)
    return running.hexdigest()


def tree(root: Path) -> dict[str, str]:
    """Relative path → digest, of every file below a folder."""
    return {
        str(path.relative_to(root)): digest(path)
        for path in root.rglob("*")
        if path.is_file()
    }


def make_tree(root: Path) -> None:
    """The files of :data:`NAMES` below a new folder, each with contents of its own."""
    for number, name in enumerate(NAMES):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"" if name == "empty" else os.urandom(1 + number * 30_000))


def missing(case: SynchronousTestCase, message: str) -> NoReturn:
    """Skip a test whose program is not there; in continuous integration, fail it."""
    if os.environ.get("CI") == "true":
        case.fail(message)
    raise SkipTest(message)


def built(case: SynchronousTestCase, name: str) -> str:
    """The path of a client in Go, which ``.ci/install-clients`` builds into a folder of the user's.

    Not looked for elsewhere: another program is called ``mc`` too.
    """
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = os.environ.get("OZGATE_CLIENTS") or Path(cache, "ozgate-clients")
    path = Path(folder, name)
    if not path.exists():
        missing(case, f"{name} is not built: .ci/install-clients builds it, with Go")
    return str(path)


class ClientTestCase(SynchronousTestCase):
    """A gateway, a folder, and a way to run clients in it.

    :cvar settings: of the gateway, besides.
    """

    settings: tuple[str, ...] = ()

    def setUp(self) -> None:
        """Start the gateway; what it should not have logged fails the test."""
        self.folder = Path(os.path.abspath(self.mktemp()))
        self.folder.mkdir(parents=True)
        self.server = Server(
            str(self.folder / "data"),
            f"ozone.s3g.domain.name={DOMAIN}",
            *self.settings,
        )
        self.addCleanup(self._stop)
        self.server.start()

    def _stop(self) -> None:
        if self.server.process is None:
            return
        self.server.stop()
        output = self.server.output()
        self.assertNotIn("Traceback", output)
        self.assertNotIn("Unhandled", output)
        shutil.rmtree(self.folder)

    def find(self, name: str) -> str:
        """The path of a client's program, of this Python's environment or the system."""
        own = program(name)
        found = own if os.path.exists(own) else shutil.which(name)
        if found is None:
            missing(self, f"{name} is not installed")
        return found

    def environment(self) -> dict[str, str]:
        """The environment that clients run in, with nothing of the user's own configuration."""
        return {
            **self.server.environment(),
            "HOME": str(self.folder),
            "AWS_CONFIG_FILE": str(self.folder / "aws-config"),
            "LC_ALL": "C.UTF-8",
            "RCLONE_CONFIG": str(self.folder / "rclone.conf"),
        }

    def run_client(self, *arguments: str, expected: int | None = 0) -> str:
        """Run a command in the test's folder; returns its standard output.

        :param expected: the exit code it must end with; ``None``: any but 0.
        """
        ended = subprocess.run(
            arguments,
            cwd=self.folder,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=900,
        )
        output = ended.stdout.decode(errors="replace")
        said = f"{arguments} ended with {ended.returncode}\n{output}{ended.stderr.decode(errors='replace')[-3000:]}"
        if expected is None:
            self.assertNotEqual(ended.returncode, 0, said)
        else:
            self.assertEqual(ended.returncode, expected, said)
        return output

    def use(
        self,
        url: str,
        method: str = "GET",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Use a presigned URL, whatever host it names: status, headers, body."""
        parts = urlsplit(url)
        target = f"{parts.path or '/'}?{parts.query}"
        sent = {"Host": parts.netloc, **(headers or {})}
        return send(self.server.port, method, target, sent, body)

    def path(self, name: str) -> Path:
        """A path in the test's folder."""
        return self.folder / name

    def source(self) -> Path:
        """A new small tree."""
        root = self.path("source")
        make_tree(root)
        return root

    def assert_same(self, one: Path, other: Path) -> None:
        """Two folders hold the same files with the same bytes."""
        self.assertEqual(tree(one), tree(other))

    def big_file(self, size: int) -> Path:
        """A file of that many bytes, no block of which is like another."""
        path = self.path("big")
        block = bytearray(os.urandom(1 << 20))
        with path.open("wb") as file:
            for number in range(size >> 20):
                block[:8] = number.to_bytes(8, "big")
                file.write(block)
        return path


def lines(output: str) -> Iterator[str]:
    """Lines that are not empty, stripped."""
    return (line.strip() for line in output.splitlines() if line.strip())
