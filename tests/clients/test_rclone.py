"""rclone."""

from __future__ import annotations

import shutil
from urllib.request import urlopen

from tests.clients.support import BUCKET, NAMES, ClientTestCase, lines

GIB = 1 << 30


class RcloneTests(ClientTestCase):
    """What people type."""

    def setUp(self) -> None:
        """A remote and a bucket."""
        super().setUp()
        self.program = self.find("rclone")
        self.path("rclone.conf").write_text(
            "[r]\ntype = s3\nprovider = Other\nenv_auth = true\n"
            f"endpoint = {self.server.url}\n"
        )
        self.rclone("mkdir", f"r:{BUCKET}")

    def rclone(self, *arguments: str, expected: int | None = 0) -> str:
        """``rclone …``, without retries that would hide a failure."""
        return self.run_client(
            *(self.program, "--retries", "1", "--low-level-retries", "1"),
            *arguments,
            expected=expected,
        )

    def listed(self) -> list[str]:
        """Keys as ``rclone lsf`` shows them."""
        return sorted(lines(self.rclone("lsf", "-R", "--files-only", f"r:{BUCKET}")))

    def test_put_get_ls_cp_mv_rm(self) -> None:
        """One file up, listed, copied, moved, down, removed."""
        self.path("a").write_bytes(b"contents")
        self.rclone("copyto", str(self.path("a")), f"r:{BUCKET}/dir/a b")
        self.rclone("copyto", f"r:{BUCKET}/dir/a b", f"r:{BUCKET}/copy")
        self.rclone("moveto", f"r:{BUCKET}/copy", f"r:{BUCKET}/moved+")
        self.assertEqual(self.listed(), ["dir/a b", "moved+"])
        self.assertEqual(self.rclone("cat", f"r:{BUCKET}/moved+"), "contents")
        self.rclone("copyto", f"r:{BUCKET}/moved+", str(self.path("back")))
        self.assertEqual(self.path("back").read_bytes(), b"contents")
        self.rclone("deletefile", f"r:{BUCKET}/moved+")
        self.rclone("purge", f"r:{BUCKET}/dir")
        self.rclone("rmdir", f"r:{BUCKET}")

    def test_sync(self) -> None:
        """A small tree of odd names, up and down, with deletions; ``check`` finds no difference."""
        source = self.source()
        self.rclone("sync", str(source), f"r:{BUCKET}/t")
        self.assertEqual(self.listed(), sorted(f"t/{name}" for name in NAMES))
        self.rclone("check", str(source), f"r:{BUCKET}/t")
        (source / "plain.txt").unlink()
        self.rclone("sync", str(source), f"r:{BUCKET}/t")
        self.rclone("sync", f"r:{BUCKET}/t", str(self.path("back")))
        self.assert_same(source, self.path("back"))

    def test_presign(self) -> None:
        """``rclone link`` makes a URL that works."""
        self.path("a").write_bytes(b"contents")
        self.rclone("copy", str(self.path("a")), f"r:{BUCKET}")
        with urlopen(self.rclone("link", f"r:{BUCKET}/a").strip()) as answer:
            self.assertEqual(answer.read(), b"contents")

    def test_large_file(self) -> None:
        """1 GiB goes up in parts and comes back the same."""
        big = self.big_file(GIB)
        self.rclone("copy", str(big), f"r:{BUCKET}")
        self.rclone("copy", f"r:{BUCKET}/big", str(self.path("back")))
        compare = shutil.which("cmp") or "cmp"
        self.run_client(compare, str(big), str(self.path("back") / "big"))
