"""S3's access control lists with the clients that have options for them: the AWS CLI, s3cmd, rclone."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

from ozgate.s3.owners import canonical_id
from ozgate.s3.policy.grants import ALL_USERS
from tests.clients.support import BUCKET, ClientTestCase
from tests.running import ACCESS_KEY, SECRET_KEY


class _Clients(ClientTestCase):
    """All of them, with a bucket and a file."""

    def setUp(self) -> None:
        """Configure them."""
        super().setUp()
        self.programs = {name: self.find(name) for name in ("aws", "s3cmd", "rclone")}
        host = urlsplit(self.server.url).netloc
        self.path("s3cfg").write_text(
            f"[default]\naccess_key = {ACCESS_KEY}\nsecret_key = {SECRET_KEY}\n"
            f"host_base = {host}\nhost_bucket = {host}\nuse_https = False\n"
        )
        self.path("rclone.conf").write_text(
            "[r]\ntype = s3\nprovider = Other\nenv_auth = true\n"
            f"endpoint = {self.server.url}\n"
        )
        self.path("a").write_bytes(b"contents")
        self.aws("s3", "mb", f"s3://{BUCKET}")

    def aws(self, *arguments: str, expected: int | None = 0) -> str:
        """``aws …``"""
        return self.run_client(self.programs["aws"], *arguments, expected=expected)

    def s3cmd(self, *arguments: str, expected: int | None = 0) -> str:
        """``s3cmd …``"""
        configured = (self.programs["s3cmd"], f"--config={self.path('s3cfg')}")
        return self.run_client(*configured, *arguments, expected=expected)

    def rclone(self, *arguments: str, expected: int | None = 0) -> str:
        """``rclone …``"""
        once = (self.programs["rclone"], "--retries", "1", "--low-level-retries", "1")
        return self.run_client(*once, *arguments, expected=expected)

    def read(self, key: str) -> tuple[int, bytes]:
        """What anybody gets: status and body."""
        status, _, body = self.use(f"{self.server.url}/{BUCKET}/{key}")
        return status, body


class OldWaysTests(_Clients):
    """Buckets that begin as they did on AWS before 2023, and as on servers that go on so."""

    settings = (
        "ozgate.s3.new-bucket.object-ownership=ObjectWriter",
        "ozgate.s3.new-bucket.block-public-access=false",
    )

    def test_public_file(self) -> None:
        """A file that is copied with an option is everybody's to read, and one that is copied without is not."""
        self.aws("s3", "cp", "a", f"s3://{BUCKET}/aws", "--acl", "public-read")
        self.s3cmd("put", "--acl-public", "a", f"s3://{BUCKET}/s3cmd")
        self.rclone("copyto", "--s3-acl", "public-read", "a", f"r:{BUCKET}/rclone")
        self.aws("s3", "cp", "a", f"s3://{BUCKET}/closed")
        for key in ("aws", "s3cmd", "rclone"):
            self.assertEqual(self.read(key), (200, b"contents"), key)
        self.assertEqual(self.read("closed")[0], 403)

    def test_s3cmd(self) -> None:
        """``s3cmd setacl`` opens and closes what is there, the bucket too, and ``info`` shows it."""
        address = f"s3://{BUCKET}/key"
        self.s3cmd("put", "a", address)
        self.s3cmd("setacl", "--acl-public", address)
        self.assertEqual(self.read("key"), (200, b"contents"))
        self.assertIn("*anon*: READ", self.s3cmd("info", address))
        self.s3cmd("setacl", "--acl-private", address)
        self.assertEqual(self.read("key")[0], 403)
        self.s3cmd("setacl", "--acl-public", "--recursive", f"s3://{BUCKET}")
        self.assertEqual(self.read("key"), (200, b"contents"))
        self.s3cmd("setacl", "--acl-public", f"s3://{BUCKET}")
        status, body = self.read("")
        self.assertEqual((status, b"<Key>key</Key>" in body), (200, True))
        nobody = "0" * 64
        self.s3cmd("setacl", f"--acl-grant=read:{nobody}", address, expected=None)

    def test_made_public(self) -> None:
        """Buckets that s3cmd and the AWS CLI make public are."""
        self.s3cmd("mb", "--acl-public", "s3://one")
        self.aws("s3api", "create-bucket", "--bucket", "two", "--acl", "public-read")
        for name in ("one", "two"):
            self.assertEqual(self.use(f"{self.server.url}/{name}")[0], 200)

    def test_aws_cli(self) -> None:
        """``aws s3 --grants`` and ``aws s3api`` give and show the same."""
        self.aws(
            *("s3", "cp", "a", f"s3://{BUCKET}/key", "--grants"),
            *(f"read=uri={ALL_USERS}", f"full=id={canonical_id(ACCESS_KEY)}"),
        )
        self.assertEqual(self.read("key"), (200, b"contents"))
        where = ("--bucket", BUCKET, "--key", "key")
        shown = json.loads(self.aws("s3api", "get-object-acl", *where))
        permissions = sorted(row["Permission"] for row in shown["Grants"])
        self.assertEqual(permissions, ["FULL_CONTROL", "READ"])
        shown["Grants"] = [
            row for row in shown["Grants"] if row["Permission"] != "READ"
        ]
        policy = ("--access-control-policy", json.dumps(shown))
        self.aws("s3api", "put-object-acl", *where, *policy)
        self.assertEqual(self.read("key")[0], 403)


class DefaultTests(_Clients):
    """Buckets as they begin."""

    def test_refused(self) -> None:
        """Whoever asks for a public file is told that the bucket has no lists; nothing is public."""
        for ended in (
            self.failed(
                "aws", "s3", "cp", "a", f"s3://{BUCKET}/a", "--acl=public-read"
            ),
            self.failed(
                *("s3cmd", f"--config={self.path('s3cfg')}", "put", "--acl-public"),
                *("a", f"s3://{BUCKET}/a"),
            ),
            self.failed(
                *("rclone", "--retries=1", "--low-level-retries=1", "copyto"),
                *("--s3-no-check-bucket", "--s3-acl=public-read", "a", f"r:{BUCKET}/a"),
            ),
        ):
            self.assertIn("The bucket does not allow ACLs", ended)
        self.assertEqual(self.read("a")[0], 403)

    def test_private(self) -> None:
        """What says that it is private is taken."""
        self.aws("s3", "cp", "a", f"s3://{BUCKET}/aws", "--acl", "private")
        self.rclone("copyto", "--s3-acl", "private", "a", f"r:{BUCKET}/rclone")
        self.s3cmd("put", "--acl-private", "a", f"s3://{BUCKET}/s3cmd")

    def failed(self, name: str, *arguments: str) -> str:
        """What a client says that fails."""
        script = '"$@" 2>&1; test $? -ne 0'
        return self.run_client(
            "sh", "-c", script, "sh", self.programs[name], *arguments
        )
