"""The AWS CLI: ``aws s3`` and ``aws s3api``."""

from __future__ import annotations

import json
import os
import shutil
import sysconfig
from itertools import islice
from pathlib import Path

from tests.clients.botos import DOMAIN
from tests.clients.support import BUCKET, NAMES, ClientTestCase, lines, tree

FILES = 10_000
GIB = 1 << 30


class AwsCliTests(ClientTestCase):
    """What people type."""

    def setUp(self) -> None:
        """A bucket."""
        super().setUp()
        self.aws = self.find("aws")
        self.run_client(self.aws, "s3", "mb", f"s3://{BUCKET}")

    def s3(self, *arguments: str, expected: int | None = 0) -> str:
        """``aws s3 …``, its progress kept quiet."""
        quiet = {"cp", "mv", "rm", "sync"} & set(arguments[:1])
        more = ["--only-show-errors"] if quiet else []
        return self.run_client(self.aws, "s3", *arguments, *more, expected=expected)

    def listed(self, prefix: str = "") -> list[str]:
        """Keys as ``aws s3 ls --recursive`` shows them."""
        output = self.s3("ls", "--recursive", f"s3://{BUCKET}/{prefix}")
        return [line.split(None, 3)[3] for line in lines(output)]

    def test_put_get_ls_rm(self) -> None:
        """One file up, listed, down, removed."""
        self.path("a").write_bytes(b"contents")
        self.s3("cp", "a", f"s3://{BUCKET}/dir/a")
        self.assertEqual(self.listed(), ["dir/a"])
        self.assertIn("PRE dir/", self.s3("ls", f"s3://{BUCKET}/"))
        self.assertIn(BUCKET, self.s3("ls"))
        self.s3("cp", f"s3://{BUCKET}/dir/a", "b")
        self.assertEqual(self.path("b").read_bytes(), b"contents")
        self.s3("rm", f"s3://{BUCKET}/dir/a")
        self.assertEqual(self.listed(), [])
        self.s3("rb", f"s3://{BUCKET}")

    def test_sync_cp_mv(self) -> None:
        """A small tree of odd names: synced, copied inside, moved, synced back with deletions."""
        source = self.source()
        self.s3("sync", str(source), f"s3://{BUCKET}/one")
        self.assertEqual(
            self.listed(), sorted((f"one/{n}" for n in NAMES), key=str.encode)
        )
        self.s3("cp", "--recursive", f"s3://{BUCKET}/one", f"s3://{BUCKET}/two")
        self.s3("mv", "--recursive", f"s3://{BUCKET}/two", f"s3://{BUCKET}/three")
        self.assertFalse([key for key in self.listed() if key.startswith("two/")])
        (source / "plain.txt").unlink()
        self.s3("sync", "--delete", str(source), f"s3://{BUCKET}/three")
        self.s3("sync", f"s3://{BUCKET}/three", str(self.path("back")))
        self.assert_same(source, self.path("back"))
        self.s3("rm", "--recursive", f"s3://{BUCKET}")

    def test_presign(self) -> None:
        """``aws s3 presign`` makes URLs that work, with its default settings, with SigV4, and for a virtual host."""
        self.path("a").write_bytes(b"contents")
        self.s3("cp", "a", f"s3://{BUCKET}/a b+ü")
        virtual = ("--endpoint-url", f"http://{DOMAIN}:{self.server.port}")
        for style, endpoint in (("path", ()), ("virtual", virtual)):
            for more in ("", "  signature_version = s3v4\n"):
                self.path("aws-config").write_text(
                    f"[default]\ns3 =\n  addressing_style = {style}\n{more}"
                )
                url = self.s3("presign", f"s3://{BUCKET}/a b+ü", *endpoint).strip()
                self.assertIn(f"{BUCKET}.{DOMAIN}" if endpoint else "127.0.0.1", url)
                self.assertEqual("X-Amz-Signature=" in url, bool(more))
                self.assertEqual(self.use(url)[2], b"contents", url)

    def test_streams(self) -> None:
        """Standard input and output are files too."""
        self.s3("cp", f"s3://{BUCKET}/absent", "-", expected=None)
        self.path("a").write_bytes(b"contents")
        self.s3("cp", "a", f"s3://{BUCKET}/a")
        self.assertEqual(self.s3("cp", f"s3://{BUCKET}/a", "-"), "contents")

    def test_api(self) -> None:
        """``aws s3api`` reads answers that only it asks for."""
        self.path("a").write_bytes(b"contents")
        self.s3("cp", "a", f"s3://{BUCKET}/a")
        answer = self.run_client(
            *(self.aws, "s3api", "get-object-attributes", "--output", "json"),
            *("--bucket", BUCKET, "--key", "a"),
            *("--object-attributes", "ETag", "Checksum", "ObjectSize", "StorageClass"),
        )
        found = json.loads(answer)
        self.assertEqual(found["ObjectSize"], 8)
        self.assertTrue(found["Checksum"])

    def test_large_file(self) -> None:
        """1 GiB goes up in parts and comes back the same."""
        big = self.big_file(GIB)
        self.s3("cp", "big", f"s3://{BUCKET}/big")
        self.s3("cp", f"s3://{BUCKET}/big", "back")
        compare = shutil.which("cmp") or "cmp"
        self.run_client(compare, str(big), str(self.path("back")))

    def test_real_tree(self) -> None:
        """A Python installation of up to 10,000 files: synced up, listed, synced down, the same."""
        source = self.path("source")
        count = copy_installation(source, FILES)
        self.s3("sync", str(source), f"s3://{BUCKET}/lib")
        before = tree(source)
        self.assertEqual(len(before), count)
        self.assertEqual(
            self.listed(), sorted((f"lib/{name}" for name in before), key=str.encode)
        )
        back = self.path("back")
        self.s3("sync", f"s3://{BUCKET}/lib", str(back))
        self.assertEqual(tree(back), before)


def copy_installation(target: Path, most: int) -> int:
    """Copy files of this Python's library and packages, as many as asked for if there are; returns how many."""
    roots = (
        sysconfig.get_path("stdlib"),
        sysconfig.get_path("purelib"),
        sysconfig.get_path("platlib"),
    )
    found = (
        Path(folder, name)
        for root in dict.fromkeys(roots)
        for folder, _, names in os.walk(root)
        for name in names
    )
    files = (path for path in found if path.is_file() and not path.is_symlink())
    count = 0
    for path in islice(files, most):
        copy = target / path.relative_to("/")
        copy.parent.mkdir(parents=True, exist_ok=True)
        if not copy.exists():
            shutil.copyfile(path, copy)
            count += 1
    return count
