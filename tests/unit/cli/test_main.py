"""The ``ozgate`` command: what it prints, and what it says when it cannot."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from click.testing import CliRunner, Result
from twisted.trial.unittest import SynchronousTestCase

from ozgate import __version__
from ozgate.cli.main import main
from ozgate.config.reference import markdown, site_file

PAIR = {"AWS_ACCESS_KEY_ID": "me/x@Y", "AWS_SECRET_ACCESS_KEY": "secret"}
NOTHING = {
    name: None
    for name in (
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_ENDPOINT_URL",
        "AWS_ENDPOINT_URL_S3",
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
    )
}


class CommandTests(SynchronousTestCase):
    """Runs it in this process."""

    def ozgate(self, *arguments: str, **environment: str) -> Result:
        """What a command line comes to."""
        return CliRunner(env={**NOTHING, **environment}).invoke(main, arguments)

    def refused(self, *arguments: str, **environment: str) -> str:
        """The one line of an error."""
        result = self.ozgate(*arguments, **environment)
        self.assertNotEqual(result.exit_code, 0)
        return result.output.splitlines()[-1]

    def test_version(self) -> None:
        """It knows its version."""
        self.assertIn(__version__, self.ozgate("--version").output)

    def test_help(self) -> None:
        """Each command says in its line what it does, and speaks of links only where there can be one."""
        shown = self.ozgate("admin", "--help").output
        self.assertRegex(shown, "move-blobs +Move all bytes of a blob store to another")
        said = self.ozgate("admin", "move-blobs", "--help").output
        self.assertIn("move-blobs [OPTIONS] [NAME]", said)
        for group, has_links in (("bucket", True), ("volume", False)):
            for command in ("addacl", "removeacl", "setacl"):
                text = self.ozgate("sh", group, command, "--help").output
                self.assertEqual("Through a link" in text, has_links, command)

    def test_help_is_whole(self) -> None:
        """In the list of a group each command has its whole sentence."""
        groups = (
            "",
            "admin",
            "admin group",
            "admin key",
            "admin policy",
            "admin user",
            "config",
            "s3",
            "sh",
            "sh bucket",
            "sh key",
            "sh volume",
            "tls",
        )
        for group in groups:
            shown = self.ozgate(*group.split(), "--help").output
            self.assertNotRegex(shown, r"(?m)^  .*\.\.\.$")

    def test_reference(self) -> None:
        """The reference is printed in both forms."""
        self.assertEqual(self.ozgate("config", "reference").output, markdown())
        self.assertEqual(
            self.ozgate("config", "reference", "--xml").output, site_file()
        )

    def test_presign(self) -> None:
        """Endpoint, region and pair come from AWS's variables; the key is encoded as SigV4 wants."""
        result = self.ozgate(
            *("s3", "presign", "--expires", "60", "s3://b/a b/ü+~"),
            AWS_ENDPOINT_URL="https://s3.example.com:9879/",
            AWS_REGION="eu-west-1",
            **PAIR,
        )
        self.assertEqual(result.exit_code, 0, result.output)
        url = urlsplit(result.output.strip())
        self.assertEqual((url.scheme, url.netloc), ("https", "s3.example.com:9879"))
        self.assertEqual(url.path, "/b/a%20b/%C3%BC%2B~")
        query = parse_qs(url.query)
        self.assertEqual(query["X-Amz-Expires"], ["60"])
        [credential] = query["X-Amz-Credential"]
        self.assertTrue(credential.startswith("me/x@Y/"))
        self.assertTrue(credential.endswith("/eu-west-1/s3/aws4_request"))
        self.assertNotIn("secret", result.output)

    def test_presign_without_a_pair(self) -> None:
        """Without a pair it says which variables to set."""
        line = self.refused("s3", "presign", "s3://b/k")
        self.assertIn("AWS_SECRET_ACCESS_KEY", line)

    def test_presign_wrong_arguments(self) -> None:
        """Addresses, endpoints and life times that cannot be are refused."""
        for arguments in (
            ("b/k",),
            ("s3:///k",),
            ("--endpoint", "localhost:9878", "s3://b/k"),
            ("--endpoint", "http://h/path", "s3://b/k"),
            ("--endpoint", "http://[", "s3://b/k"),
            ("--expires", "604801", "s3://b/k"),
            ("--expires", "0", "s3://b/k"),
        ):
            self.refused("s3", "presign", *arguments, **PAIR)
