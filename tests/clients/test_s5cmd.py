"""s5cmd."""

from __future__ import annotations

from urllib.request import urlopen

from tests.clients.support import BUCKET, NAMES, ClientTestCase, lines

MIB = 1 << 20


class S5cmdTests(ClientTestCase):
    """What people type."""

    def setUp(self) -> None:
        """A bucket."""
        super().setUp()
        self.program = self.find("s5cmd")
        self.s5cmd("mb", f"s3://{BUCKET}")

    def s5cmd(self, *arguments: str, expected: int | None = 0) -> str:
        """``s5cmd …``"""
        return self.run_client(
            *(self.program, "--endpoint-url", self.server.url),
            *arguments,
            expected=expected,
        )

    def listed(self) -> list[str]:
        """Keys as ``s5cmd ls`` shows them."""
        output = self.s5cmd("ls", f"s3://{BUCKET}/*")
        return [line.split(None, 3)[3] for line in lines(output)]

    def test_put_get_ls_cp_mv_rm(self) -> None:
        """One file up, listed, copied, moved, down, removed."""
        self.path("a").write_bytes(b"contents")
        self.s5cmd("cp", "a", f"s3://{BUCKET}/dir/a b")
        self.s5cmd("cp", f"s3://{BUCKET}/dir/a b", f"s3://{BUCKET}/copy")
        self.s5cmd("mv", f"s3://{BUCKET}/copy", f"s3://{BUCKET}/moved+")
        self.assertEqual(self.listed(), ["dir/a b", "moved+"])
        self.assertEqual(self.s5cmd("cat", f"s3://{BUCKET}/moved+"), "contents")
        self.s5cmd("cp", f"s3://{BUCKET}/moved+", "back")
        self.assertEqual(self.path("back").read_bytes(), b"contents")
        self.s5cmd("rm", f"s3://{BUCKET}/*")
        self.s5cmd("rb", f"s3://{BUCKET}")

    def test_sync(self) -> None:
        """A small tree of odd names, up and down, with deletions."""
        source = self.source()
        self.s5cmd("sync", f"{source}/", f"s3://{BUCKET}/t/")
        self.assertEqual(
            self.listed(), sorted((f"t/{n}" for n in NAMES), key=str.encode)
        )
        (source / "plain.txt").unlink()
        self.s5cmd("sync", "--delete", f"{source}/", f"s3://{BUCKET}/t/")
        self.s5cmd("sync", f"s3://{BUCKET}/t/*", f"{self.path('back')}/")
        self.assert_same(source, self.path("back"))

    def test_multipart(self) -> None:
        """A file in several parts, all at once, both ways."""
        big = self.big_file(60 * MIB)
        self.s5cmd("cp", "--part-size", "5", str(big), f"s3://{BUCKET}/big")
        self.s5cmd("cp", "--part-size", "5", f"s3://{BUCKET}/big", "back")
        self.assertEqual(self.path("back").read_bytes(), big.read_bytes())

    def test_presign(self) -> None:
        """``s5cmd presign`` makes a URL that works."""
        self.path("a").write_bytes(b"contents")
        self.s5cmd("cp", "a", f"s3://{BUCKET}/a")
        with urlopen(self.s5cmd("presign", f"s3://{BUCKET}/a").strip()) as answer:
            self.assertEqual(answer.read(), b"contents")
