"""Secrets by the command, beside a running service and without one, and in boto3's hands."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from tests.running import ROOT
from tests.service.commanding import SECURE, SecretCase
from tests.service.twistd import LOOPBACK


class CommandTests(SecretCase):
    """The commands, and what boto3 can do with what they give."""

    def test_shown_once(self) -> None:
        """A secret opens S3, is shown once, and can be had again once it is revoked."""
        process = self.started(*SECURE)
        pair = self.pair()
        self.assertEqual(pair[0], self.me)
        self.client(process, pair).create_bucket(Bucket="bucket")
        self.has_one(self.me, "getsecret")
        self.has_one(self.me, "get-secret", "-e", "--om-service-id=om")
        code, out, _ = self.ozgate("s3", "revokesecret", "-y")
        self.assertEqual((code, out), (0, "S3 secret revoked.\n"))
        again = self.pair()
        self.assertNotEqual(again, pair)
        self.denied("SignatureDoesNotMatch", self.client(process, pair).list_buckets)
        found = self.client(process, again).list_buckets()
        self.assertEqual(found["Owner"]["DisplayName"], self.me)
        self.assertEqual([each["Name"] for each in found["Buckets"]], ["bucket"])

    def test_revoked_at_once(self) -> None:
        """The request after a revocation is refused, on a connection that was used before it."""
        process = self.started(*SECURE)
        client = self.client(process, self.pair())
        client.create_bucket(Bucket="bucket")
        client.list_buckets()
        self.assertEqual(self.ozgate("s3", "revoke-secret", "-y")[0], 0)
        self.denied("InvalidAccessKeyId", client.list_buckets)
        self.denied("InvalidAccessKeyId", client.put_object, Bucket="bucket", Key="k")

    def test_revoking_asks(self) -> None:
        """Without -y it asks, and only y is a yes."""
        self.started(*SECURE)
        self.pair()
        question = f"Enter 'y' to confirm S3 secret revocation for '{self.me}': "
        for said in ("n\n", "", "yes\n"):
            found = self.ozgate("s3", "revokesecret", said=said)
            self.assertEqual(found, (1, question + "Operation cancelled.\n", ""))
        found = self.ozgate("s3", "revokesecret", "-u", self.me, said="y\n")
        self.assertEqual(found, (0, question + "S3 secret revoked.\n", ""))
        self.refused_with(
            f"S3_SECRET_NOT_FOUND Secret for '{self.me}' not found",
            *("revokesecret", "-y"),
        )

    def test_set(self) -> None:
        """A secret can be set where there is one, and the one before is refused then."""
        process = self.started(*SECURE)
        chosen = "a secret of my choice"
        self.refused_with(
            f"ACCESS_ID_NOT_FOUND accessId '{self.me}' not found.\n"
            "There is no secret to replace: 'ozgate s3 getsecret' makes one.",
            *("setsecret", "-s", chosen),
        )
        pair = self.pair()
        self.refused_with(
            "INVALID_REQUEST Secret key length should be at least 8 characters",
            *("setsecret", "-s", "1234567"),
        )
        for weak, why in (
            (" " * 8, "neither begin nor end with a blank"),
            ("a secret of my choice ", "neither begin nor end with a blank"),
            ("x" * 30, "more than one character repeated"),
        ):
            code, out, error = self.ozgate("s3", "setsecret", "-s", weak)
            self.assertEqual((code, out), (255, ""), weak)
            self.assertRegex(error, rf"\AINVALID_REQUEST .*{why}.*\n\Z")
        code, out, error = self.ozgate("s3", "setsecret", "-s", "15-characters--")
        self.assertEqual((code, out.splitlines()[1]), (0, "awsSecret=15-characters--"))
        self.assertRegex(error, r"\Awarning: .*can be guessed.*\n\Z")
        exported = (
            f"export AWS_ACCESS_KEY_ID='{self.me}'\n"
            f"export AWS_SECRET_ACCESS_KEY='{chosen}'\n"
        )
        found = self.ozgate("s3", "set-secret", "-e", "-s", chosen)
        self.assertEqual(found, (0, exported, ""))
        self.denied("SignatureDoesNotMatch", self.client(process, pair).list_buckets)
        self.client(process, (self.me, chosen)).list_buckets()
        # Other users see the arguments of a command.
        said = "another, typed\n"
        code, out, _ = self.ozgate("s3", "setsecret", "-s", "-", said=said)
        self.assertEqual((code, out.splitlines()[1]), (0, "awsSecret=another, typed"))
        self.client(process, (self.me, "another, typed")).list_buckets()

    def test_usage(self) -> None:
        """Wrong options end with 2."""
        self.started(*SECURE)
        for arguments in (
            ("setsecret",),
            ("getsecret", "--ttl", "soon"),
            ("getsecret", "--ttl", "0"),
            ("getsecret", "--no-such-option"),
            ("getsecret", "--data", "a", "--admin-url", "http://b"),
        ):
            self.assertEqual(self.ozgate("s3", *arguments)[0], 2, arguments)

    def test_names(self) -> None:
        """Names that could not be used, or could be taken for another's key, are refused."""
        self.started(*SECURE)
        for arguments in (
            ("-u", "alice~ci"),
            ("-u", "a,b"),
            ("-u", "ünï"),
            ("-u", ""),
            ("-u", "a" * 257),
            ("--key", "a~b"),
            ("--key", "a/b"),
        ):
            code, out, error = self.ozgate("s3", "getsecret", *arguments)
            self.assertEqual((code, out), (255, ""), arguments)
            self.assertTrue(error.startswith("INVALID_REQUEST "), error)

    def test_rotation(self) -> None:
        """A further key of the same user works beside the first, and goes on when that is revoked."""
        process = self.started(*SECURE)
        old, new = self.pair(), self.pair("--key", "2026-11", "--ttl", "30d")
        self.assertEqual(new[0], f"{self.me}~2026-11")
        self.client(process, old).create_bucket(Bucket="bucket")
        client = self.client(process, new)
        client.put_object(Bucket="bucket", Key="key", Body=b"body")
        listed = client.list_objects_v2(Bucket="bucket", FetchOwner=True)
        self.assertEqual(listed["Contents"][0]["Owner"]["DisplayName"], self.me)
        self.ozgate("s3", "revokesecret", "-y")
        self.denied("InvalidAccessKeyId", self.client(process, old).list_buckets)
        client.get_object(Bucket="bucket", Key="key")
        self.ozgate("s3", "revokesecret", "-y", "--key", "2026-11")
        self.denied("InvalidAccessKeyId", client.list_buckets)

    def test_time_to_live(self) -> None:
        """A secret past its time is refused, and makes room for the next one."""
        process = self.started(*SECURE)
        expired = self.pair("--ttl", "1ms")
        self.denied("InvalidAccessKeyId", self.client(process, expired).list_buckets)
        [row] = json.loads(self.ozgate("s3", "listsecrets")[1])
        self.assertEqual((row["accessId"], row["expired"]), (self.me, True))
        self.client(process, self.pair()).list_buckets()

    def test_second_day(self) -> None:
        """A start says what fits: how to get a key while the service's user has none, and afterwards that there is one."""
        process = self.started(*SECURE)
        make = f"s3 getsecret --export --data {self.data}"
        self.assertRegex(process.output(), rf'eval "\$\(\S+ {make}\)"')
        pair = self.pair()
        process.stop()
        process = self.started(*SECURE)
        self.assertNotIn(make, process.output())
        self.assertIn(f"{self.me} has a key", process.output())
        self.assertIn("s3 getsecret --export --key NAME", process.output())
        self.assertIn(f"  export AWS_ACCESS_KEY_ID='{self.me}' ", process.output())
        self.assertNotIn(pair[1], process.output())
        self.ozgate("s3", "revokesecret", "-y")
        process.stop()
        self.assertIn(make, self.started(*SECURE).output())

    def test_new_user(self) -> None:
        """Whoever would make a key of somebody who is not there is asked at a terminal: it may be a slip of the pen. Scripts are not."""
        self.started(*SECURE)

        def typed(answer: str, *arguments: str) -> tuple[int, str]:
            """The exit code of ``getsecret``, and what a terminal shows of its questions and errors."""
            ours, theirs = os.openpty()
            os.write(ours, answer.encode() + b"\n")
            try:
                ended = subprocess.run(
                    [sys.executable, "-m", "ozgate", "s3", "getsecret", *arguments],
                    env={
                        "PATH": os.environ["PATH"],
                        "PYTHONPATH": str(ROOT),
                        "OZGATE_DATA": self.data,
                    },
                    stdin=theirs,
                    stdout=subprocess.DEVNULL,
                    stderr=theirs,
                    timeout=60,
                )
                os.write(theirs, b"end\n")
                return ended.returncode, os.read(ours, 4096).decode()
            finally:
                os.close(ours)
                os.close(theirs)

        asked = "There is no user 'zoee' yet."
        for answer in ("n", "", "no"):
            code, said = typed(answer, "-u", "zoee")
            self.assertEqual(code, 1)
            self.assertIn(asked, said)
            self.assertIn("Operation cancelled.", said)
        self.assertEqual(self.ozgate("s3", "listsecrets")[1], "[]\n")
        code, said = typed("y", "-u", "zoee")
        self.assertEqual(code, 0)
        self.assertIn(asked, said)
        for arguments in (
            ("-u", "zoee", "--key", "further"),
            ("-u", "zoeee", "--yes"),
            ("-u", self.me),
            ("--key", "own"),
        ):
            code, said = typed("n", *arguments)
            self.assertEqual(code, 0, said)
            self.assertNotIn("There is no user", said)
        self.pair("-u", "another")

    def test_listed(self) -> None:
        """An administrator sees whose secrets there are and how old, in order, and no secret."""
        self.started(*SECURE)
        pairs = [self.pair("-u", user) for user in ("zoe", "testuser/scm@EXAMPLE.COM")]
        pairs.append(self.pair("-u", "zoe", "--key", "ci", "--ttl", "30d"))
        code, out, _ = self.ozgate("s3", "listsecrets")
        rows = json.loads(out)
        self.assertEqual(code, 0)
        self.assertEqual(
            [(row["accessId"], row["owner"]) for row in rows],
            [
                ("testuser/scm@EXAMPLE.COM",) * 2,
                ("zoe", "zoe"),
                ("zoe~ci", "zoe"),
            ],
        )
        self.assertEqual(rows[0].keys(), {"accessId", "owner", "creationTime", "age"})
        self.assertIn("expirationTime", rows[2])
        for _, secret in pairs:
            self.assertNotIn(secret, out)

    def test_static_pair(self) -> None:
        """What the configuration sets cannot be changed by a command."""
        environment = {"AWS_ACCESS_KEY_ID": "me", "AWS_SECRET_ACCESS_KEY": "configured"}
        self.started(*SECURE, environment=environment)
        line = "INVALID_REQUEST the secret of me is set in the configuration"
        self.refused_with(line, "setsecret", "-u", "me", "-s", "12345678")
        self.refused_with(line, "revokesecret", "-u", "me", "-y")
        self.has_one("me", "getsecret", "-u", "me")

    def test_security_off(self) -> None:
        """Without security there are no secrets: it says so as Ozone does, but not with 0, for nothing was done."""
        self.started("-D", LOOPBACK)
        for arguments in (
            ("getsecret",),
            ("setsecret", "-s", "12345678"),
            ("revokesecret", "-y"),
            ("listsecrets",),
        ):
            line = (
                f"Error: 'ozgate s3 {arguments[0]}' operation works only when security is enabled. "
                "To enable security set ozone.security.enabled to true.\n"
            )
            self.assertEqual(self.ozgate("s3", *arguments), (255, "", line))
        self.assertFalse(os.path.exists(os.path.join(self.data, "master.key")))

    def test_not_found(self) -> None:
        """Where there is no service it says where it looked, in one line."""
        for arguments, part in (
            (("--data", self.data), self.data),
            (("--admin-url", "nonsense"), "nonsense"),
            (("--admin-url", "http://127.0.0.1:1"), "http://127.0.0.1:1"),
            ((), "--data"),
        ):
            code, out, error = self.ozgate(
                "s3", "getsecret", *arguments, environment={"OZGATE_DATA": ""}
            )
            self.assertEqual((code, out), (255, ""))
            [line] = error.splitlines()
            self.assertTrue(line.startswith("SERVICE_NOT_FOUND "), line)
            self.assertIn(part, line)

    def test_after_a_crash(self) -> None:
        """The socket that a killed service leaves does not keep the next one from listening."""
        process = self.started(*SECURE)
        process.process.kill()
        process.wait()
        self.assertTrue(os.path.exists(os.path.join(self.data, "admin.sock")))
        process = self.started(*SECURE)
        self.client(process, self.pair()).list_buckets()
        process.stop()
        self.assertFalse(os.path.exists(os.path.join(self.data, "admin.sock")))


class OfflineTests(SecretCase):
    """Commands while the service is down."""

    def test_works(self) -> None:
        """A command opens the stores itself; what it did is there when the service is back."""
        self.started(*SECURE).stop()
        secure = {"OZONE-SITE.XML_ozone.security.enabled": "true"}
        code, out, error = self.ozgate("s3", "getsecret", environment=secure)
        self.assertEqual((code, error), (0, ""))
        first, second = out.splitlines()
        pair = first.partition("=")[2], second.partition("=")[2]
        code, _, error = self.ozgate("s3", "getsecret", environment=secure)
        self.assertEqual(code, 255)
        self.assertTrue(error.startswith("S3_SECRET_ALREADY_EXISTS "), error)
        process = self.started(*SECURE)
        self.client(process, pair).list_buckets()
