"""What people type, over a real gateway before a real cluster, with Kerberos and without: the AWS CLI, boto3, rclone, s3cmd."""

from __future__ import annotations

import os
import subprocess
from itertools import product
from urllib.parse import urlsplit

from tests.clients.support import NAMES, built, lines
from tests.ozone.gateways import GatewayCase

MIB = 1 << 20


class AwsCliTests(GatewayCase):
    """``aws s3`` and ``aws s3api``."""

    def setUp(self) -> None:
        """The program."""
        super().setUp()
        self.aws = self.find("aws")

    def s3_(self, *arguments: str, expected: int | None = 0) -> str:
        """``aws s3 …``, its progress kept quiet."""
        quiet = {"cp", "mv", "rm", "sync"} & set(arguments[:1])
        more = ["--only-show-errors"] if quiet else []
        return self.run_client(self.aws, "s3", *arguments, *more, expected=expected)

    def listed(self, prefix: str = "") -> list[str]:
        """Keys as ``aws s3 ls --recursive`` shows them."""
        output = self.s3_("ls", "--recursive", f"s3://{self.bucket}/{prefix}")
        return [line.split(None, 3)[3] for line in lines(output)]

    def test_files(self) -> None:
        """A file of a byte and one in parts, up, listed, down, removed."""
        self.path("a").write_bytes(b"1")
        self.big_file(20 * MIB)
        for name in ("a", "big"):
            self.s3_("cp", name, f"s3://{self.bucket}/dir/{name}")
            self.s3_("cp", f"s3://{self.bucket}/dir/{name}", f"{name}-back")
            back = self.path(f"{name}-back").read_bytes()
            self.assertEqual(back, self.path(name).read_bytes(), name)
        self.assertEqual(self.listed(), ["dir/a", "dir/big"])
        self.assertIn("PRE dir/", self.s3_("ls", f"s3://{self.bucket}/"))
        self.assertIn(self.bucket, self.s3_("ls"))
        self.s3_("rm", "--recursive", f"s3://{self.bucket}")
        self.assertEqual(self.listed(), [])

    def test_sync(self) -> None:
        """A small tree of odd names: synced, copied inside, moved, synced back with deletions."""
        source = self.source()
        self.s3_("sync", str(source), f"s3://{self.bucket}/one")
        expected = sorted((f"one/{name}" for name in NAMES), key=str.encode)
        self.assertEqual(self.listed(), expected)
        one, two = f"s3://{self.bucket}/one", f"s3://{self.bucket}/two"
        self.s3_("cp", "--recursive", one, two)
        self.s3_("mv", "--recursive", two, f"s3://{self.bucket}/three")
        (source / "plain.txt").unlink()
        self.s3_("sync", "--delete", str(source), f"s3://{self.bucket}/three")
        self.s3_("sync", f"s3://{self.bucket}/three", str(self.path("back")))
        self.assert_same(source, self.path("back"))

    def test_presign(self) -> None:
        """``aws s3 presign``, with signatures of version 4."""
        self.path("a").write_bytes(b"contents")
        self.path("aws-config").write_text(
            "[default]\ns3 =\n  signature_version = s3v4\n  addressing_style = path\n"
        )
        self.s3_("cp", "a", f"s3://{self.bucket}/a b+ü")
        url = self.s3_("presign", f"s3://{self.bucket}/a b+ü").strip()
        self.assertIn("X-Amz-Signature=", url)
        self.assertEqual(self.use(url)[2], b"contents", url)

    def test_checksums(self) -> None:
        """``aws s3api`` with each checksum, sent and shown."""
        self.path("a").write_bytes(b"contents")
        for name in ("CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"):
            asked = ("--bucket", self.bucket, "--key", name, "--output", "json")
            put = ("--body", "a", "--checksum-algorithm", name)
            self.run_client(self.aws, "s3api", "put-object", *asked, *put)
            mode = ("--checksum-mode", "ENABLED")
            said = self.run_client(self.aws, "s3api", "head-object", *asked, *mode)
            self.assertIn(f"Checksum{name}", said)
            self.run_client(self.aws, "s3api", "get-object", *asked[:4], *mode, "back")
            self.assertEqual(self.path("back").read_bytes(), b"contents")


class Boto3Tests(GatewayCase):
    """boto3, with its defaults and with bodies of each form that it has."""

    def test_bodies(self) -> None:
        """Bodies small and large, hashed and in chunks with a trailer, come back with all that was said of them."""
        whens = "when_supported", "when_required"
        for when, size in product(whens, (0, 1, 100_000, 3 * MIB)):
            url = self.server.url
            client = self.me.client(url, request_checksum_calculation=when)
            body, key = os.urandom(size), f"{when}/{size}"
            client.put_object(
                Bucket=self.bucket,
                Key=key,
                Body=body,
                Metadata={"who": "me", "more": "a b"},
                ContentType="text/x-test",
                CacheControl="no-cache",
                ContentDisposition="attachment",
            )
            got = client.get_object(Bucket=self.bucket, Key=key)
            self.assertEqual(got["Body"].read(), body)
            self.assertEqual(got["Metadata"], {"who": "me", "more": "a b"})
            self.assertEqual(got["ContentType"], "text/x-test")
            self.assertEqual(got["CacheControl"], "no-cache")
            self.assertEqual(got["ContentDisposition"], "attachment")

    def test_ranges_and_conditions(self) -> None:
        """A range, and what is asked on a condition."""
        asks = {"Bucket": self.bucket, "Key": "a"}
        made = self.s3.put_object(**asks, Body=b"0123456789")
        got = self.s3.get_object(**asks, Range="bytes=2-4")
        self.assertEqual((got["Body"].read(), got["ContentLength"]), (b"234", 3))
        code = self.code_of(self.s3.put_object, **asks, Body=b"x", IfNoneMatch="*")
        self.assertEqual(code, "PreconditionFailed")
        self.s3.put_object(**asks, Body=b"x", IfMatch=made["ETag"])
        self.assertEqual(self.s3.get_object(**asks)["Body"].read(), b"x")

    def test_transfers(self) -> None:
        """What boto3 uploads in parts and downloads in ranges is the same."""
        path = self.big_file(20 * MIB)
        self.s3.upload_file(str(path), self.bucket, "big")
        self.s3.download_file(self.bucket, "big", str(self.path("back")))
        self.assertEqual(self.path("back").read_bytes(), path.read_bytes())
        found = self.s3.head_object(Bucket=self.bucket, Key="big")
        self.assertTrue(found["ETag"].strip('"').endswith("-3"), found["ETag"])


class RcloneTests(GatewayCase):
    """rclone."""

    def setUp(self) -> None:
        """A remote."""
        super().setUp()
        self.program = self.find("rclone")
        self.path("rclone.conf").write_text(
            f"[r]\ntype = s3\nprovider = Other\nenv_auth = true\nendpoint = {self.server.url}\n"
        )

    def rclone(self, *arguments: str) -> str:
        """``rclone …``, without retries that would hide a failure."""
        once = ("--retries", "1", "--low-level-retries", "1")
        return self.run_client(self.program, *once, *arguments)

    def test_sync(self) -> None:
        """A small tree of odd names and a file in parts, up and down; ``check`` finds no difference."""
        source, there = self.source(), f"r:{self.bucket}/t"
        parts = ("--s3-chunk-size", "5M", "--s3-upload-cutoff", "5M")
        self.big_file(12 * MIB).rename(source / "big")
        self.rclone("sync", str(source), there, *parts)
        self.rclone("check", str(source), there)
        (source / "plain.txt").unlink()
        self.rclone("sync", str(source), there, *parts)
        self.rclone("sync", there, str(self.path("back")))
        self.assert_same(source, self.path("back"))
        self.rclone("copyto", f"{there}/big", f"r:{self.bucket}/copy", *parts)
        self.rclone("purge", there)
        found = lines(self.rclone("lsf", "-R", "--files-only", f"r:{self.bucket}"))
        self.assertEqual(list(found), ["copy"])


class S3cmdTests(GatewayCase):
    """s3cmd."""

    def setUp(self) -> None:
        """A configuration file."""
        super().setUp()
        self.program = self.find("s3cmd")
        host = urlsplit(self.server.url).netloc
        self.path("s3cfg").write_text(
            f"[default]\naccess_key = {self.me.access_id}\nsecret_key = {self.me.secret}\n"
            f"host_base = {host}\nhost_bucket = {host}\nuse_https = False\n"
        )

    def s3cmd(self, *arguments: str) -> str:
        """``s3cmd …``"""
        configuration = f"--config={self.path('s3cfg')}"
        return self.run_client(self.program, configuration, "--no-progress", *arguments)

    def test_files(self) -> None:
        """A file and a tree, up, listed, copied, down, removed."""
        there = f"s3://{self.bucket}"
        self.path("a").write_bytes(b"contents")
        self.s3cmd("put", "a", f"{there}/dir/a b")
        self.s3cmd("cp", f"{there}/dir/a b", f"{there}/copy")
        self.s3cmd("mv", f"{there}/copy", f"{there}/moved+")
        self.s3cmd("get", f"{there}/moved+", "back")
        self.assertEqual(self.path("back").read_bytes(), b"contents")
        self.assertIn("DIR", self.s3cmd("ls", there))
        self.assertIn("File size: 8", self.s3cmd("info", f"{there}/dir/a b"))
        source = self.source()
        self.s3cmd("sync", f"{source}/", f"{there}/t/")
        self.s3cmd("sync", f"{there}/t/", f"{self.path('tree')}/")
        self.assert_same(source, self.path("tree"))
        self.s3cmd("del", "--recursive", "--force", there)
        self.assertEqual(self.s3cmd("ls", "--recursive", there), "")

    def test_parts(self) -> None:
        """A file in parts."""
        there = f"s3://{self.bucket}/big"
        path = self.big_file(12 * MIB)
        self.s3cmd("--multipart-chunk-size-mb=5", "put", str(path), there)
        self.s3cmd("get", there, "back")
        self.assertEqual(self.path("back").read_bytes(), path.read_bytes())


class CurlTests(GatewayCase):
    """curl, which signs by itself."""

    def test_signed(self) -> None:
        """Put and got with ``--aws-sigv4``, whatever is sent of the body's digest."""
        curl = self.find("curl")
        url = f"{self.server.url}/{self.bucket}/a"
        self.path("a").write_bytes(b"contents")
        signs = (
            *(curl, "--silent", "--show-error", "--fail-with-body"),
            *("--aws-sigv4", "aws:amz:us-east-1:s3"),
            *("--user", f"{self.me.access_id}:{self.me.secret}"),
            *("-H", "x-amz-content-sha256: UNSIGNED-PAYLOAD"),
        )
        self.run_client(*signs, "-T", "a", url)
        self.assertEqual(self.run_client(*signs, url), "contents")
        ended = subprocess.run([curl, "--silent", url], capture_output=True, timeout=60)
        self.assertIn(b"AccessDenied", ended.stdout)


class McTests(GatewayCase):
    """MinIO's ``mc``, which signs each chunk of what it sends without TLS."""

    def setUp(self) -> None:
        """The program."""
        super().setUp()
        self.program = built(self, "mc")
        who = (self.me.access_id, self.me.secret)
        self.mc("alias", "set", "oz", self.server.url, *who)

    def mc(self, *arguments: str) -> str:
        """``mc …``"""
        kept = ("--config-dir", str(self.path("mc")), "--no-color")
        return self.run_client(self.program, *kept, *arguments)

    def test_files(self) -> None:
        """Files small and in parts, up and down."""
        there = f"oz/{self.bucket}"
        self.path("a").write_bytes(b"contents")
        self.path("chunks").write_bytes(os.urandom(500_000))
        self.big_file(20 * MIB)
        for name in ("a", "chunks", "big"):
            self.mc("cp", name, f"{there}/{name}")
            self.mc("cp", f"{there}/{name}", "back")
            back = self.path("back").read_bytes()
            self.assertEqual(back, self.path(name).read_bytes(), name)
        said = self.mc("ls", there)
        for name in ("a", "chunks", "big"):
            self.assertIn(name, said)
        self.mc("rm", "--recursive", "--force", there)
