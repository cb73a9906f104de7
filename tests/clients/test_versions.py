"""Versions with the AWS CLI, boto3's scripts and rclone: what is deleted by accident comes back, by the recipes of ``docs/versioning.md``, word for word."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from datetime import UTC, datetime

from tests.clients.support import BUCKET, ClientTestCase, make_tree, tree
from tests.running import ROOT


def recipe(section: str, language: str) -> str:
    """The block of a section of the document."""
    text = (ROOT / "docs/versioning.md").read_text(encoding="utf-8")
    text = text.split(f"\n## {section}\n")[1].split("\n## ")[0]
    [block] = re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)
    return str(block)


class VersionedTreeTests(ClientTestCase):
    """A tree in a bucket that keeps versions."""

    def setUp(self) -> None:
        """A bucket, versioned as the document says."""
        super().setUp()
        self.aws = self.find("aws")
        self.run_client(self.aws, "s3", "mb", f"s3://{BUCKET}")
        text = (ROOT / "docs/versioning.md").read_text(encoding="utf-8")
        first = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)[0]
        self.paste(first.replace("photos", BUCKET))

    def paste(self, lines: str) -> None:
        """Have a shell run lines, which must be content with every one."""
        folder = os.path.dirname(self.aws)
        path = f"{folder}:{self.environment()['PATH']}"
        ended = subprocess.run(
            ["bash", "-e", "-c", lines],
            cwd=self.folder,
            env={**self.environment(), "PATH": path},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=600,
        )
        self.assertEqual(ended.returncode, 0, ended.stdout + ended.stderr)

    def sync(self, *arguments: str) -> None:
        """``aws s3 sync``."""
        self.run_client(self.aws, "s3", "sync", *arguments, "--only-show-errors")

    def fetched(self, name: str) -> dict[str, str]:
        """What is there now, path → digest, by way of a folder of that name."""
        folder = self.path(name)
        self.sync(f"s3://{BUCKET}/2026", str(folder))
        return tree(folder) if folder.exists() else {}

    def second(self) -> datetime:
        """A time that everything before is before, and everything after after, in whole seconds."""
        time.sleep(1.1)
        now = datetime.now(UTC).replace(microsecond=0)
        time.sleep(1.1)
        return now

    def test_deleted_tree(self) -> None:
        """``aws s3 sync --delete`` of the wrong folder hides a tree of more than a thousand files; the recipe brings it back, and leaves what was not deleted."""
        source, empty = self.path("source"), self.path("empty")
        make_tree(source)
        for number in range(1100):
            (source / f"many-{number}").write_bytes(b"%d" % number)
        empty.mkdir()
        self.sync(str(source), f"s3://{BUCKET}/2026")
        (source / "plain.txt").write_bytes(b"newer, and longer than before" * 2000)
        self.sync(str(source), f"s3://{BUCKET}/2026")
        before = tree(source)
        self.sync("--delete", str(empty), f"s3://{BUCKET}/2026")
        self.assertEqual(self.fetched("gone"), {})
        block = recipe("Getting a deleted tree back", "sh")
        self.paste(block.replace("photos", BUCKET))
        self.assertEqual(self.fetched("back"), before)

    def test_as_it_was(self) -> None:
        """Whatever was changed, deleted and added since, the script brings a tree back to a time; and back to where it was before that."""
        source = self.path("source")
        make_tree(source)
        self.sync(str(source), f"s3://{BUCKET}/2026")
        before, then = tree(source), self.second()
        (source / "plain.txt").write_bytes(b"changed" * 10_000)
        (source / "empty").unlink()
        (source / "added").write_bytes(b"added")
        self.sync("--delete", str(source), f"s3://{BUCKET}/2026")
        after, later = tree(source), self.second()
        self.assertEqual(self.fetched("after"), after)
        script = self.path("as-it-was.py")
        script.write_text(recipe("Having everything as it was at a time", "python"))
        for when, expected in ((then, before), (later, after)):
            self.run_client(
                sys.executable, str(script), BUCKET, "2026/", when.isoformat()
            )
            self.assertEqual(self.fetched(f"at-{when:%H%M%S}"), expected)
            self.second()

    def test_rclone(self) -> None:
        """rclone shows all versions as files, a bucket as it was, and reads both."""
        rclone = self.find("rclone")
        self.path("rclone.conf").write_text(
            "[r]\ntype = s3\nprovider = Other\nenv_auth = true\n"
            f"endpoint = {self.server.url}\n"
        )
        file = self.path("file.txt")
        for body in ("one", "two and more"):
            file.write_text(body)
            self.run_client(rclone, "copyto", str(file), f"r:{BUCKET}/file.txt")
            then = self.second()
        self.run_client(rclone, "deletefile", f"r:{BUCKET}/file.txt")
        self.assertEqual(self.run_client(rclone, "lsf", f"r:{BUCKET}"), "")
        shown = self.run_client(rclone, "lsf", "--s3-versions", f"r:{BUCKET}")
        names = shown.split()
        self.assertEqual(len(names), 2, shown)
        found = {
            self.run_client(rclone, "cat", "--s3-versions", f"r:{BUCKET}/{name}")
            for name in names
        }
        self.assertEqual(found, {"one", "two and more"})
        # rclone takes times of the machine's own zone.
        at = then.astimezone().strftime("%Y-%m-%d %H:%M:%S")
        was = self.run_client(
            rclone, "cat", "--s3-version-at", at, f"r:{BUCKET}/file.txt"
        )
        self.assertEqual(was, "two and more")
