"""Secrets of a running service: by the command, by the admin socket, in boto3's hands, at rest."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from twisted.trial.unittest import SkipTest

from ozgate.admin.localsocket import connect_local
from ozgate.auth.accounts import local_user
from ozgate.auth.sealing import MasterKey
from tests.running import REGION, ROOT
from tests.service.twistd import LOOPBACK, ServiceTestCase, Twistd

SECURE = ("-D", LOOPBACK, "-D", "ozone.security.enabled=true")
OPEN = (*SECURE, "-D", "ozgate.admin.socket.mode=666")
ALICE, BOB = 4_000_001, 4_000_002
"""Users that this machine does not know: their names are their numbers."""

AS_OTHER = (
    *("setpriv", "--clear-groups"),
    *("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"),
)
"""Runs a program as another user, who may read this Python's folders, wherever they are."""


class SecretCase(ServiceTestCase):
    """A service whose folder other users can pass through, and the command."""

    def setUp(self) -> None:
        """Make the folder."""
        super().setUp()
        public = tempfile.mkdtemp(prefix="ozgate-test-")
        os.chmod(public, 0o755)
        self.addCleanup(shutil.rmtree, public)
        self.data = os.path.join(public, "data")
        self.me = local_user(os.geteuid())

    def ozgate(
        self,
        *arguments: str,
        uid: int | None = None,
        said: str = "",
        environment: Mapping[str, str] | None = None,
    ) -> tuple[int, str, str]:
        """Exit code, standard output and standard error of ``ozgate …``.

        :param uid: who runs it, if not this user.
        """
        become = [] if uid is None else [*AS_OTHER, f"--reuid={uid}", f"--regid={uid}"]
        found = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "LC_ALL": "C.UTF-8",
        }
        found |= {"OZGATE_DATA": self.data, **(environment or {})}
        ended = subprocess.run(
            [*become, sys.executable, "-m", "ozgate", *arguments],
            env={name: value for name, value in found.items() if value},
            cwd="/",  # where no data folder is, whatever the checkout has
            input=said,
            capture_output=True,
            text=True,
            timeout=60,
        )
        return ended.returncode, ended.stdout, ended.stderr

    def pair(self, *arguments: str, uid: int | None = None) -> tuple[str, str]:
        """What ``getsecret`` gives."""
        code, out, error = self.ozgate("s3", "getsecret", *arguments, uid=uid)
        self.assertEqual((code, error), (0, ""))
        first, second = out.splitlines()
        access_id = first.removeprefix("awsAccessKey=")
        secret = second.removeprefix("awsSecret=")
        self.assertEqual(out, f"awsAccessKey={access_id}\nawsSecret={secret}\n")
        self.assertRegex(secret, "^[0-9a-f]{64}$")
        return access_id, secret

    def refused_with(self, line: str, *arguments: str, uid: int | None = None) -> None:
        """Assert that a command ends with one line and 255."""
        found = self.ozgate("s3", *arguments, uid=uid)
        self.assertEqual(found, (255, "", line + "\n"))

    def has_one(self, user: str, *arguments: str, uid: int | None = None) -> None:
        """Assert that a command is refused for a user who has the secret: Ozone's line, then what can be done."""
        code, out, error = self.ozgate("s3", *arguments, uid=uid)
        self.assertEqual((code, out), (255, ""))
        line, remedy = error.splitlines()
        self.assertEqual(
            line, f"S3_SECRET_ALREADY_EXISTS Secret for '{user}' already exists"
        )
        for each in ("revokesecret", "setsecret", "--key NAME"):
            self.assertIn(each, remedy)

    def client(self, process: Twistd, pair: tuple[str, str]) -> Any:
        """boto3 with a pair."""
        client = boto3.client(
            "s3",
            endpoint_url=process.urls[0],
            region_name=REGION,
            aws_access_key_id=pair[0],
            aws_secret_access_key=pair[1],
            config=Config(retries={"total_max_attempts": 1}),
        )
        self.addCleanup(client.close)
        return client

    def denied(self, code: str, call: Any, **arguments: Any) -> None:
        """Assert that a call of boto3 is refused with 403."""
        with self.assertRaises(ClientError) as caught:
            call(**arguments)
        answer = caught.exception.response
        self.assertEqual(answer["ResponseMetadata"]["HTTPStatusCode"], 403)
        self.assertEqual(answer["Error"]["Code"], code)

    def other_users(self) -> None:
        """Skip the test where commands cannot be run as another user."""
        if os.geteuid() != 0:
            raise SkipTest("only root can run commands as other users")
        if shutil.which("setpriv") is None:
            raise SkipTest("setpriv is not installed")


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
        """Whoever makes a key for a name that had none is told so at a terminal: it may be a slip of the pen."""
        self.started(*SECURE)

        def typed(*arguments: str) -> str:
            """What a terminal shows for the errors of ``getsecret``."""
            ours, theirs = os.openpty()
            try:
                subprocess.run(
                    [sys.executable, "-m", "ozgate", "s3", "getsecret", *arguments],
                    env={
                        "PATH": os.environ["PATH"],
                        "PYTHONPATH": str(ROOT),
                        "OZGATE_DATA": self.data,
                    },
                    stdin=theirs,
                    stdout=subprocess.DEVNULL,
                    stderr=theirs,
                    check=True,
                    timeout=60,
                )
                os.write(theirs, b"end\n")
                return os.read(ours, 4096).decode()
            finally:
                os.close(ours)
                os.close(theirs)

        self.assertIn("zoee is new", typed("-u", "zoee"))
        self.assertIn("'ozgate s3 revokesecret'", typed("-u", "zoeee"))
        self.assertNotIn("is new", typed("-u", "zoee", "--key", "further"))
        self.assertNotIn("is new", typed())

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


class OtherUserTests(SecretCase):
    """Users told apart by the operating system."""

    def setUp(self) -> None:
        """Start a service that lets all users in."""
        super().setUp()
        self.other_users()
        self.process = self.started(*OPEN)

    def test_own(self) -> None:
        """Everyone gets a secret of his own, and what it opens is his own."""
        path = os.path.join(self.data, "admin.sock")
        modes = [os.stat(each).st_mode & 0o777 for each in (self.data, path)]
        self.assertEqual(modes, [0o711, 0o666])
        one, two = self.pair(uid=ALICE), self.pair(uid=BOB)
        self.assertEqual((one[0], two[0]), (str(ALICE), str(BOB)))
        self.client(self.process, one).create_bucket(Bucket="alices")
        self.denied(
            "AccessDenied",
            self.client(self.process, two).put_object,
            Bucket="alices",
            Key="k",
        )
        self.client(self.process, two).create_bucket(Bucket="bobs")

    def test_not_anothers(self) -> None:
        """Nobody makes, sets or revokes another's secret, or sees whose there are."""
        pair = self.pair(uid=ALICE)
        mismatch = (
            f"USER_MISMATCH Requested accessId '{ALICE}' doesn't match current user '{BOB}', "
            "nor does current user has administrator privilege."
        )
        for arguments in (
            ("getsecret", "-u", str(ALICE)),
            ("getsecret", "-u", str(ALICE), "--key", "x"),
            ("setsecret", "-u", str(ALICE), "-s", "12345678"),
            ("revokesecret", "-u", str(ALICE), "-y"),
            ("revokesecret", "-u", str(ALICE), "--key", "x", "-y"),
        ):
            self.refused_with(mismatch, *arguments, uid=BOB)
        self.refused_with(
            f"PERMISSION_DENIED {BOB} is no administrator of S3",
            *("listsecrets",),
            uid=BOB,
        )
        self.client(self.process, pair).list_buckets()

    def test_administrator(self) -> None:
        """Root acts for others."""
        pair = self.pair("-u", str(ALICE))
        self.client(self.process, pair).create_bucket(Bucket="alices")
        self.has_one(str(ALICE), "getsecret", uid=ALICE)
        self.ozgate("s3", "revokesecret", "-y", "-u", str(ALICE))
        self.denied("InvalidAccessKeyId", self.client(self.process, pair).list_buckets)

    def test_configured_administrator(self) -> None:
        """Administrators of S3 that are configured act for others, others no more."""
        self.process.stop()
        self.process = self.started(*OPEN, "-D", f"ozone.s3.administrators={ALICE}")
        self.pair("-u", str(BOB), uid=ALICE)
        self.assertEqual(self.ozgate("s3", "listsecrets", uid=ALICE)[0], 0)
        self.assertEqual(self.ozgate("s3", "listsecrets", uid=BOB)[0], 255)

    def test_namesake_of_the_static_pair(self) -> None:
        """Who bears the name of the configured access key gets no key that speaks for it, and nothing that it owns."""
        self.process.stop()
        pair = {"AWS_ACCESS_KEY_ID": str(ALICE), "AWS_SECRET_ACCESS_KEY": "configured"}
        self.process = self.started(*OPEN, environment=pair)
        line = f"INVALID_REQUEST the secret of {ALICE} is set in the configuration"
        self.refused_with(line, "getsecret", "--key", "x", uid=ALICE)
        self.assertEqual(self.ozgate("s3", "listsecrets", uid=ALICE)[0], 255)
        self.pair("-u", str(ALICE), "--key", "x")
        operator = (str(ALICE), "configured")
        self.client(self.process, operator).create_bucket(Bucket="operators")
        for arguments in (
            ("bucket", "list", "/s3v"),
            ("bucket", "info", "/s3v/operators"),
            ("bucket", "delete", "/s3v/operators"),
            ("volume", "setquota", "/s3v", "--namespace-quota", "1"),
        ):
            code, out, error = self.ozgate("sh", *arguments, uid=ALICE)
            self.assertEqual((code, out), (255, ""), arguments)
            self.assertTrue(error.startswith("PERMISSION_DENIED "), error)
        self.assertEqual(self.ozgate("sh", "bucket", "list", "/s3v")[0], 0)

    def test_private_by_default(self) -> None:
        """Unless told otherwise, the socket is for the service's user alone, and so is its folder."""
        self.process.stop()
        self.process = self.started(*SECURE)
        self.assertEqual(os.stat(self.data).st_mode & 0o777, 0o700)
        path = os.path.join(self.data, "admin.sock")
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)

    def test_offline_as_root(self) -> None:
        """Root, while the service is down, leaves no file of its own in the folder of another user."""
        self.process.stop()
        for folder, _, files in os.walk(self.data):
            for name in (".", *files):
                os.chown(os.path.join(folder, name), ALICE, ALICE)
        ended = subprocess.run(
            [
                # What the folders of this Python need: to become another user takes no rights away.
                *("setpriv", "--securebits=+no_setuid_fixup", sys.executable),
                *("-m", "ozgate", "s3", "getsecret", "-u", "zoe", "--data", self.data),
            ],
            env={**os.environ, "OZONE-SITE.XML_ozone.security.enabled": "true"},
            cwd=ROOT,
            capture_output=True,
        )
        self.assertEqual((ended.returncode, ended.stderr), (0, b""))
        for folder, _, files in os.walk(self.data):
            for name in (".", *files):
                owner = os.stat(os.path.join(folder, name)).st_uid
                self.assertEqual(owner, ALICE, name)


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


class HTTPTests(SecretCase):
    """``/secret`` in Ozone's form."""

    def ask(  # type: ignore[override]
        self, method: str, target: str, url: str = ""
    ) -> tuple[int, str, bytes]:
        """Status, reason and body, over the socket or a URL."""
        parts = urlsplit(url)
        connection = HTTPConnection(parts.hostname or "x", parts.port, timeout=20)
        if not url:
            connection.sock = connect_local(self.data)
        self.addCleanup(connection.close)
        connection.request(method, target)
        answer = connection.getresponse()
        return answer.status, answer.reason, answer.read()

    def admin_url(self, process: Twistd) -> str:
        """Where the admin port is."""
        [line] = [
            line for line in process.output().splitlines() if "is administered" in line
        ]
        return line.split()[-1]

    def test_socket(self) -> None:
        """Making and revoking, of oneself and of another, with codes in the reason phrase."""
        process = self.started(*SECURE)
        for target, user in (
            ("/secret", self.me),
            ("/secret/zoe", "zoe"),
            ("/secret/testuser/scm@EXAMPLE.COM", "testuser/scm@EXAMPLE.COM"),
            ("/secret/om%2Fhost%40EXAMPLE.COM", "om/host@EXAMPLE.COM"),
        ):
            status, _, body = self.ask("PUT", target)
            self.assertEqual(status, 200, body)
            head, _, rest = body.decode().partition("<awsSecret>")
            secret, _, tail = rest.partition("</awsSecret>")
            self.assertTrue(
                head.endswith(f"<S3Secret><awsAccessKey>{user}</awsAccessKey>"), head
            )
            self.assertEqual(tail, "</S3Secret>")
            self.client(process, (user, secret)).list_buckets()
            self.assertEqual(
                self.ask("PUT", target), (400, "S3_SECRET_ALREADY_EXISTS", b"")
            )
            self.assertEqual(self.ask("DELETE", target), (200, "OK", b""))
            self.assertEqual(
                self.ask("DELETE", target), (404, "S3_SECRET_NOT_FOUND", b"")
            )
            self.denied(
                "InvalidAccessKeyId", self.client(process, (user, secret)).list_buckets
            )

    def test_parameters(self) -> None:
        """A key's name and a time to live may be given; a user's name not, where Ozone would revoke one's own."""
        self.started(*SECURE)
        self.pair()
        status, _, body = self.ask("PUT", "/secret?key=ci&ttl=30d")
        self.assertEqual(status, 200)
        self.assertIn(f"<awsAccessKey>{self.me}~ci</awsAccessKey>".encode(), body)
        for target in ("/secret?username=zoe", "/secret?ttl=1d", "/secret?key=a&key=b"):
            status, reason, body = self.ask("DELETE", target)
            self.assertEqual((status, reason), (400, "Bad Request"), target)
            self.assertTrue(body.startswith(b"INVALID_REQUEST "), body)
        self.assertEqual(self.ask("PUT", "/secret?ttl=x")[:2], (400, "Bad Request"))
        self.assertEqual(len(json.loads(self.ozgate("s3", "listsecrets")[1])), 2)
        self.assertEqual(self.ask("GET", "/secret")[0], 405)

    def test_port(self) -> None:
        """Over TCP it is off unless told otherwise, and so are the commands about secrets."""
        url = self.admin_url(self.started(*SECURE))
        disabled = (400, "Bad Request", b"S3 Secret endpoint is disabled.")
        for target in ("/secret", "/secret/zoe"):
            for method in ("PUT", "DELETE"):
                self.assertEqual(self.ask(method, target, url), disabled)
        for name, more in (
            ("getsecret", ()),
            ("getsecret", ("-u", "zoe")),
            ("revokesecret", ("-y",)),
            ("listsecrets", ()),
        ):
            found = self.ozgate(
                *("s3", name, "--admin-url", url, *more),
                environment={"OZGATE_DATA": ""},
            )
            self.assertEqual(found[:2], (255, ""))
            start = "PERMISSION_DENIED who asks is not known: "
            self.assertTrue(found[2].startswith(start), found)

    def test_commands_need_json(self) -> None:
        """The commands' interface takes JSON that fits them, and nothing else."""
        self.started(*SECURE)

        def post(name: str, body: bytes, kind: str = "application/json") -> Any:
            connection = HTTPConnection("x", timeout=20)
            connection.sock = connect_local(self.data)
            self.addCleanup(connection.close)
            headers = {"Content-Type": kind}
            connection.request("POST", f"/ozgate/v1/{name}", body, headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())

        self.assertEqual(post("whoami", b"")[1]["user"], self.me)
        for status, name, body, kind in (
            (415, "whoami", b"{}", "text/plain"),
            (400, "whoami", b"[]", "application/json"),
            (400, "whoami", b"{", "application/json"),
            (400, "whoami", b"[" * 100_000, "application/json"),
            (413, "whoami", b" " * (1 << 21), "application/json"),
            (404, "no_such", b"{}", "application/json"),
            (404, "_store", b"{}", "application/json"),
            (400, "get_secret", b'{"user": 5}', "application/json"),
            (400, "get_secret", b'{"ttl": true}', "application/json"),
            (400, "get_secret", b'{"ttl": -1}', "application/json"),
            (400, "get_secret", b'{"ttl": NaN}', "application/json"),
            (400, "get_secret", b'{"caller": {"is_admin": true}}', "application/json"),
            (400, "get_secret", b'{"more": 1}', "application/json"),
            (400, "set_secret", b"{}", "application/json"),
        ):
            found, answer = post(name, body, kind)
            self.assertEqual(found, status, (name, body[:40], answer))
            self.assertEqual(answer.keys(), {"code", "message"})


class AtRestTests(SecretCase):
    """Where secrets are, and where they are not."""

    def files(self) -> Iterator[tuple[str, bytes]]:
        """Every file below the data folder."""
        for path in Path(self.data).rglob("*"):
            if path.is_file():
                yield str(path), path.read_bytes()

    def assert_nowhere(self, secrets: Sequence[str], process: Twistd) -> None:
        """No file of the service has a secret, plain or in a usual encoding; nor has what it said."""
        said = process.output() + process.errors.read_text()
        for secret in secrets:
            plain = secret.encode()
            forms = [plain, plain.hex().encode(), b64encode(plain).rstrip(b"=")]
            if len(secret) == 64:
                forms.append(bytes.fromhex(secret))
            for form in forms:
                for path, data in self.files():
                    self.assertNotIn(form, data, path)
                self.assertNotIn(form.decode("latin-1"), said)

    def test_sealed(self) -> None:
        """Secrets that were issued, set and used are in no file and no log, before and after a stop."""
        process = self.started(*SECURE)
        chosen = "a secret of my choice"
        pair = self.pair()
        self.client(process, pair).list_buckets()
        self.pair("--key", "other")
        self.ozgate("s3", "setsecret", "--key", "other", "-s", chosen)
        self.client(process, (f"{self.me}~other", chosen)).list_buckets()
        self.ozgate("s3", "getsecret", "-u", "no,name")
        self.ozgate("s3", "revokesecret", "-y", "-u", "zoe")
        self.assert_nowhere([pair[1], chosen], process)
        process.stop()
        self.assert_nowhere([pair[1], chosen], process)
        [audit] = Path(self.data).glob("s3g-audit-*.log")
        for action, result in (
            ("GENERATE_SECRET", "SUCCESS"),
            ("SET_SECRET", "SUCCESS"),
            ("REVOKE_SECRET", "FAILURE"),
        ):
            found = rf"user={self.me} \| .* op={action} .* ret={result}"
            self.assertRegex(audit.read_text(), found)
        key = Path(self.data, "master.key")
        self.assertEqual(key.stat().st_mode & 0o777, 0o600)
        for path, data in self.files():
            if path != str(key):
                self.assertNotIn(key.read_bytes().strip(), data)

    def test_master_key_elsewhere(self) -> None:
        """The key can be kept away from the data."""
        place = os.path.join(self.folder, "elsewhere.key")
        arguments = (*SECURE, "-D", f"ozgate.master-key={place}")
        process = self.started(*arguments)
        pair = self.pair()
        process.stop()
        self.assertTrue(os.path.exists(place))
        self.assertFalse(os.path.exists(os.path.join(self.data, "master.key")))
        self.assertIn("is missing", self.refused(*SECURE))
        self.client(self.started(*arguments), pair).list_buckets()

    def test_master_key_lost(self) -> None:
        """A key that is missing, another, open to others or no key at all is said in one line; the right one is taken again."""
        process = self.started(*SECURE)
        pair = self.pair()
        process.stop()
        path = os.path.join(self.data, "master.key")
        kept = path + ".kept"
        os.rename(path, kept)
        self.assertIn("is missing", self.refused(*SECURE))
        self.assertFalse(os.path.exists(path))
        MasterKey.make(path)
        self.assertIn("is not the one", self.refused(*SECURE))
        Path(path).write_text("nonsense")
        self.assertIn("no master key", self.refused(*SECURE))
        os.rename(kept, path)
        os.chmod(path, 0o640)
        self.assertIn("chmod 600", self.refused(*SECURE))
        os.chmod(path, 0o600)
        self.client(self.started(*SECURE), pair).list_buckets()

    def test_deep_folder(self) -> None:
        """A path longer than a Unix socket's may be is no obstacle."""
        self.data = os.path.join(self.data, *(["d" * 50] * 4))
        process = self.started(*SECURE)
        self.assertGreater(len(self.data), 200)
        with socket.socket(socket.AF_UNIX) as plain:
            self.assertRaises(OSError, plain.connect, f"{self.data}/admin.sock")
        self.client(process, self.pair()).list_buckets()
