"""s3cmd."""

from __future__ import annotations

from urllib.parse import urlsplit

from tests.clients.botos import DOMAIN
from tests.clients.support import BUCKET, NAMES, ClientTestCase, lines
from tests.running import ACCESS_KEY, SECRET_KEY

MIB = 1 << 20


class S3cmdTests(ClientTestCase):
    """What people type."""

    def setUp(self) -> None:
        """A configuration file and a bucket."""
        super().setUp()
        self.program = self.find("s3cmd")
        host = urlsplit(self.server.url).netloc
        self.path("s3cfg").write_text(
            f"[default]\naccess_key = {ACCESS_KEY}\nsecret_key = {SECRET_KEY}\n"
            f"host_base = {host}\nhost_bucket = {host}\nuse_https = False\n"
        )
        self.s3cmd("mb", f"s3://{BUCKET}")

    def s3cmd(self, *arguments: str, expected: int | None = 0) -> str:
        """``s3cmd …``"""
        configuration = f"--config={self.path('s3cfg')}"
        return self.run_client(
            self.program, configuration, "--no-progress", *arguments, expected=expected
        )

    def listed(self) -> list[str]:
        """Keys as ``s3cmd ls --recursive`` shows them."""
        output = self.s3cmd("ls", "--recursive", f"s3://{BUCKET}")
        found = [line.split(None, 3)[3] for line in lines(output)]
        return [address.removeprefix(f"s3://{BUCKET}/") for address in found]

    def test_put_get_cp_mv_rm(self) -> None:
        """One file up, listed, copied, moved, down, removed."""
        self.path("a").write_bytes(b"contents")
        self.s3cmd("put", "a", f"s3://{BUCKET}/dir/a b")
        self.s3cmd("cp", f"s3://{BUCKET}/dir/a b", f"s3://{BUCKET}/copy")
        self.s3cmd("mv", f"s3://{BUCKET}/copy", f"s3://{BUCKET}/moved+")
        self.assertEqual(self.listed(), ["dir/a b", "moved+"])
        self.s3cmd("get", f"s3://{BUCKET}/moved+", "back")
        self.assertEqual(self.path("back").read_bytes(), b"contents")
        self.assertIn("DIR", self.s3cmd("ls", f"s3://{BUCKET}"))
        self.assertIn("8", self.s3cmd("du", f"s3://{BUCKET}/dir"))
        self.assertIn("File size: 8", self.s3cmd("info", f"s3://{BUCKET}/dir/a b"))
        self.s3cmd("rm", f"s3://{BUCKET}/moved+")
        self.s3cmd("del", "--recursive", "--force", f"s3://{BUCKET}/dir")
        self.s3cmd("rb", f"s3://{BUCKET}")
        self.s3cmd("ls", f"s3://{BUCKET}", expected=None)

    def test_sync(self) -> None:
        """A small tree of odd names, up and down, with deletions."""
        source = self.source()
        self.s3cmd("sync", f"{source}/", f"s3://{BUCKET}/t/")
        self.assertEqual(
            self.listed(), sorted((f"t/{n}" for n in NAMES), key=str.encode)
        )
        (source / "plain.txt").unlink()
        self.s3cmd("sync", "--delete-removed", f"{source}/", f"s3://{BUCKET}/t/")
        self.path("back").mkdir()
        self.s3cmd("sync", f"s3://{BUCKET}/t/", f"{self.path('back')}/")
        self.assert_same(source, self.path("back"))

    def test_signurl(self) -> None:
        """``s3cmd signurl`` makes URLs that work, for a virtual host too, until they expire."""
        self.path("a").write_bytes(b"contents")
        address = f"s3://{BUCKET}/a b+ü"
        self.s3cmd("put", "a", address)
        own = f"{DOMAIN}:{self.server.port}"
        virtual = (f"--host={own}", f"--host-bucket=%(bucket)s.{own}")
        for hosts in ((), virtual):
            url = self.s3cmd("signurl", address, "+600", *hosts).strip()
            self.assertIn(f"//{BUCKET}.{own}/" if hosts else "//127.0.0.1:", url)
            self.assertEqual(self.use(url)[2], b"contents", url)
            self.assertEqual(self.use(url, "PUT", b"other")[0], 403)
        url = self.s3cmd(
            *("signurl", address, "+600", "--content-type=text/x"),
            "--content-disposition=attachment; filename=ü",
        ).strip()
        _, headers, body = self.use(url)
        self.assertEqual((headers["content-type"], body), ("text/x", b"contents"))
        self.assertEqual(headers["content-disposition"], "attachment; filename=ü")
        url = self.s3cmd("signurl", address, "1175139620").strip()
        self.assertIn(b"<Message>Request has expired</Message>", self.use(url)[2])

    def test_multipart(self) -> None:
        """A file larger than s3cmd's chunk goes up in parts and comes back the same."""
        big = self.big_file(40 * MIB)
        self.s3cmd("put", str(big), f"s3://{BUCKET}/big")
        self.s3cmd("get", f"s3://{BUCKET}/big", "back")
        self.assertEqual(self.path("back").read_bytes(), big.read_bytes())
