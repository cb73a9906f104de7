"""A secured service and a real KDC: the commands of Ozone's manual, and who is refused.

The seed page's section "Security", line by line with ``ozgate`` for ``ozone``; then the HTTP interface with curl.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any
from xml.etree import ElementTree

import boto3
from botocore.exceptions import ClientError

from tests.forking import run
from tests.kdc import USER, InRealm, find
from tests.running import REGION, ROOT, program
from tests.service.twistd import LOOPBACK, ServiceTestCase, Twistd

SHORT = "testuser"
OTHER = "om/om@EXAMPLE.COM"
NOBODY = "somebody@EXAMPLE.COM"

KERBEROS = (
    "ozone.security.enabled=true",
    "hadoop.security.authentication=kerberos",
    "ozone.security.http.kerberos.enabled=true",
    "ozone.http.filter.initializers=org.apache.hadoop.security.AuthenticationFilterInitializer",
    "ozone.s3g.http.auth.type=kerberos",
    "ozone.s3g.http.auth.kerberos.principal=HTTP/_HOST@EXAMPLE.COM",
    "ozone.s3g.secret.http.enabled=true",
    "ozone.s3g.secret.http.auth.type=kerberos",
    "ozone.s3g.webadmin.http-address=localhost:0",
    f"ozone.administrators={USER}",
)
"""An ``ozone-site.xml`` as for Ozone, but for the keytab."""


def definitions(*settings: str) -> tuple[str, ...]:
    """As arguments."""
    return tuple(part for setting in settings for part in ("-D", setting))


class RealmCase(ServiceTestCase, InRealm):
    """Programs of a user with a ticket.

    :ivar admin: the URL of the admin listener.
    """

    admin: str

    def setUp(self) -> None:
        """Join the realm."""
        super().setUp()
        self.join()

    def ticket(self, principal: str) -> dict[str, str]:
        """The environment of another user with a fresh ticket; the principal is made if need be."""
        name = re.sub(r"\W", "-", principal) + ".keytab"
        keytab = os.path.join(self.kdc.folder, name)
        if not os.path.exists(keytab):
            self.kdc.keytab(name, principal)
        return self.kdc.kinit(principal, keytab)

    def run_program(
        self,
        *arguments: str,
        environment: Mapping[str, str] | None = None,
        said: str = "",
        code: int = 0,
    ) -> str:
        """Run a program as the user, or in another environment; returns what it printed, errors last.

        :param arguments: a program, or ``-m`` and a module of Python's, and its arguments.
        :param said: its standard input.
        """
        kept = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
        env = {
            **kept,
            "PYTHONPATH": str(ROOT),
            "OZGATE_ADMIN_URL": self.admin,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            **(environment or {}),
        }
        there: Any = {"env": env, "cwd": self.folder}
        if arguments[0] == "-m":
            ended = run(*arguments, said=said, **there)
        else:
            heard: Any = {"capture_output": True, "text": True, "timeout": 60}
            ended = subprocess.run(arguments, input=said, **heard, **there)
        output = ended.stdout + ended.stderr
        self.assertEqual(ended.returncode, code, output)
        return output

    def ozgate(self, line: str, **options: Any) -> str:
        """One of our own commands."""
        return self.run_program("-m", "ozgate", *line.split(), **options)


class KerberosCase(RealmCase):
    """A service that asks for tickets, and its user with one."""

    def setUp(self) -> None:
        """Start it."""
        super().setUp()
        keytab = f"ozone.s3g.http.auth.kerberos.keytab={self.keytab}"
        self.service = self.started(
            *definitions(LOOPBACK, *KERBEROS, keytab),
        )
        self.addCleanup(self.assert_quiet, self.service)
        [self.s3] = self.service.urls
        found = re.search(
            r"^ozgate is administered at \S+:(\d+)$", self.service.output(), re.M
        )
        assert found, self.service.output()
        self.admin = f"http://localhost:{found[1]}"

    def assert_quiet(self, service: Twistd) -> None:
        """The service had no trouble of its own."""
        self.assertNotIn("Traceback", service.output())
        self.assertNotIn("Unhandled", service.output())

    def curl(
        self, method: str, path: str, environment: Mapping[str, str] | None = None
    ) -> tuple[str, str]:
        """``curl --negotiate``: the last status line, and the body."""
        output = self.run_program(
            *(find("curl"), "-sS", "-i", "--negotiate", "-u", ":", "-X", method),
            self.admin + path,
            environment=environment,
        )
        head, _, body = output.rpartition("\n\n")
        statuses = [line for line in head.splitlines() if line.startswith("HTTP/1.1 ")]
        return statuses[-1].removeprefix("HTTP/1.1 "), body

    def s3_status(self, access_id: str, secret: str) -> int:
        """What a listing of buckets with that pair answers."""
        return self.ask(self.s3 + "/", pair=(access_id, secret))[0]


class ManualTests(KerberosCase):
    """Our commands, as Ozone's manual has them."""

    def test_manual(self) -> None:
        """The seed page's section on security, line by line."""
        caches = {"KRB5CCNAME": f"FILE:{self.folder}/cache"}
        self.run_program("kinit", "-kt", self.user_keytab, USER, environment=caches)
        self.become(caches)
        secret = self.get_secret()
        again = self.ozgate("s3 getsecret", code=255)
        line, remedy = again.splitlines()
        self.assertEqual(
            line, f"S3_SECRET_ALREADY_EXISTS Secret for '{USER}' already exists"
        )
        self.assertIn("'ozgate s3 revokesecret'", remedy)
        pair = {"AWS_ACCESS_KEY_ID": USER, "AWS_SECRET_ACCESS_KEY": secret}
        command = f"s3api --endpoint {self.s3} create-bucket --bucket bucket"
        self.aws(command + "1", environment=pair)
        prompt = f"Enter 'y' to confirm S3 secret revocation for '{USER}': "
        said = self.ozgate("s3 revokesecret", said="n\n", code=1)
        self.assertEqual(said, f"{prompt}Operation cancelled.\n")
        said = self.ozgate("s3 revokesecret", said="y\n")
        self.assertEqual(said, f"{prompt}S3 secret revoked.\n")
        self.aws(command + "2", environment=pair, code=255)
        other = self.get_secret(OTHER, f" -u {OTHER}")
        self.assertEqual(self.s3_status(OTHER, other), 200)
        said = self.ozgate(f"s3 revokesecret -u {OTHER} -y")
        self.assertEqual(said, "S3 secret revoked.\n")
        self.assertEqual(self.s3_status(OTHER, other), 403)

    def test_others(self) -> None:
        """Who is no administrator has a secret of their own, and touches nobody else's (CVE-2024-45106)."""
        theirs = self.get_secret(OTHER, f" -u {OTHER}")
        somebody = self.ticket(NOBODY)
        for command in (
            f"getsecret -u {OTHER}",
            f"getsecret -u {USER}",
            f"setsecret -u {OTHER} -s not-so-secret",
            f"revokesecret -u {OTHER} -y",
        ):
            said = self.ozgate(f"s3 {command}", environment=somebody, code=255)
            self.assertRegex(said, "^USER_MISMATCH Requested accessId '.*' doesn't ")
        said = self.ozgate("s3 listsecrets", environment=somebody, code=255)
        self.assertTrue(said.startswith("PERMISSION_DENIED "), said)
        self.assertEqual(self.s3_status(OTHER, theirs), 200)
        own = self.get_secret(NOBODY, environment=somebody)
        self.assertEqual(self.s3_status(NOBODY, own), 200)
        self.assertIn(NOBODY, self.ozgate("s3 listsecrets"))
        self.ozgate("s3 revokesecret -y", environment=somebody)
        self.assertEqual(self.s3_status(NOBODY, own), 403)

    def test_no_ticket(self) -> None:
        """Without a ticket the command says what to do, in one line."""
        without = self.kdc.environment
        said = self.ozgate("s3 getsecret", environment=without, code=255)
        self.assertRegex(said, r"\AUNAUTHENTICATED .*kinit.*\n\Z")

    def test_set_and_use(self) -> None:
        """A secret that was set works with boto3; what it makes belongs to the principal by its short name, not to others."""
        self.get_secret()
        secret = "correct/horse+battery=staple"
        self.ozgate(f"s3 setsecret -s {secret}")
        client = self.client(USER, secret)
        client.create_bucket(Bucket="mine")
        client.put_object(Bucket="mine", Key="key", Body=b"bytes")
        self.assertEqual(
            client.get_object(Bucket="mine", Key="key")["Body"].read(), b"bytes"
        )
        info = json.loads(self.ozgate("sh bucket info /s3v/mine"))
        self.assertEqual(info["owner"], SHORT)
        for expected in (USER, SHORT):
            client.head_bucket(Bucket="mine", ExpectedBucketOwner=expected)
        self.ozgate("sh bucket create /s3v/further")
        self.ozgate("sh bucket link /s3v/mine /s3v/other-name")
        for name in ("further", "other-name"):
            info = json.loads(self.ozgate(f"sh bucket info /s3v/{name}"))
            self.assertEqual(info["owner"], SHORT)
        client.put_object(Bucket="further", Key="key", Body=b"bytes")
        somebody = self.ticket(NOBODY)
        stranger = self.client(NOBODY, self.get_secret(NOBODY, environment=somebody))
        error = self.assertRaises(
            ClientError, stranger.get_object, Bucket="mine", Key="key"
        )
        self.assertEqual(error.response["Error"]["Code"], "AccessDenied")
        self.ozgate("s3 revokesecret -y")
        self.assertRaises(ClientError, client.get_object, Bucket="mine", Key="key")

    def get_secret(
        self,
        user: str = USER,
        options: str = "",
        environment: Mapping[str, str] | None = None,
    ) -> str:
        """What ``ozgate s3 getsecret`` printed, for a user."""
        said = self.ozgate(f"s3 getsecret{options}", environment=environment)
        lines = rf"\AawsAccessKey={re.escape(user)}\nawsSecret=([0-9a-f]{{64}})\n\Z"
        found = re.match(lines, said)
        assert found, said
        return found[1]

    def aws(self, line: str, **options: Any) -> str:
        """The AWS CLI."""
        return self.run_program(program("aws"), *line.split(), **options)

    def client(self, access_id: str, secret: str) -> Any:
        """boto3's client."""
        client = boto3.client(
            "s3",
            endpoint_url=self.s3,
            region_name=REGION,
            aws_access_key_id=access_id,
            aws_secret_access_key=secret,
        )
        self.addCleanup(client.close)
        return client


class CurlTests(KerberosCase):
    """Ozone's HTTP interface, with curl."""

    def test_own_secret(self) -> None:
        """PUT makes a secret once, DELETE revokes it once."""
        status, body = self.curl("PUT", "/secret")
        self.assertEqual(status, "200 OK")
        secret = self.read(body)
        self.assertEqual(self.s3_status(USER, secret), 200)
        status, body = self.curl("PUT", "/secret")
        self.assertEqual((status, body), ("400 S3_SECRET_ALREADY_EXISTS", ""))
        self.assertEqual(self.curl("DELETE", "/secret"), ("200 OK", ""))
        self.assertEqual(self.s3_status(USER, secret), 403)
        status, body = self.curl("DELETE", "/secret")
        self.assertEqual((status, body), ("404 S3_SECRET_NOT_FOUND", ""))

    def test_secrets_of_others(self) -> None:
        """Administrators make and revoke those of others; others only their own (CVE-2024-45106)."""
        status, body = self.curl("PUT", f"/secret/{OTHER}")
        self.assertEqual(status, "200 OK")
        secret = self.read(body, OTHER)
        somebody = self.ticket(NOBODY)
        for method in ("PUT", "DELETE"):
            for path in (
                f"/secret/{OTHER}",
                f"/secret/{OTHER.replace('/', '%2F')}",
                f"/secret/{USER}",
            ):
                status, body = self.curl(method, path, somebody)
                self.assertEqual(status, "403 Forbidden")
                self.assertTrue(body.startswith("USER_MISMATCH Requested "), body)
        self.assertEqual(self.s3_status(OTHER, secret), 200)
        own = self.read(self.curl("PUT", "/secret", somebody)[1], NOBODY)
        self.assertEqual(self.s3_status(NOBODY, own), 200)
        self.assertEqual(
            self.curl("DELETE", f"/secret/{NOBODY}", somebody)[0], "200 OK"
        )
        self.assertEqual(self.curl("DELETE", f"/secret/{OTHER}")[0], "200 OK")
        self.assertEqual(self.s3_status(OTHER, secret), 403)

    def test_without_a_ticket(self) -> None:
        """Who has no ticket is asked for one, and gets nothing."""
        for method, path in (("PUT", "/secret"), ("DELETE", f"/secret/{USER}")):
            status, body = self.curl(method, path, self.kdc.environment)
            self.assertEqual(status[:3], "401")
            self.assertNotIn("<", body)
        answer = self.run_program(
            find("curl"), "-sS", "-i", "-X", "PUT", "-u", "a:b", f"{self.admin}/secret"
        )
        self.assertTrue(answer.startswith("HTTP/1.1 401 "), answer)
        self.assertIn("\nWWW-Authenticate: Negotiate\n", answer)

    def test_health_is_for_everybody(self) -> None:
        """Load balancers have no tickets."""
        status, _ = self.curl("GET", "/healthz", self.kdc.environment)
        self.assertEqual(status, "200 OK")

    def read(self, document: str, access_id: str = USER) -> str:
        """The secret in an answer."""
        root = ElementTree.fromstring(document)
        self.assertEqual(root.tag, "S3Secret")
        self.assertEqual(root.findtext("awsAccessKey"), access_id)
        secret = root.findtext("awsSecret") or ""
        self.assertRegex(secret, r"\A[0-9a-f]{64}\Z")
        return secret


class ImpostorTests(RealmCase):
    """Somebody else at the service's address."""

    def test_no_proof(self) -> None:
        """The command believes nothing that comes without a proof of who the service is, and tells it no secret."""
        asked = self.pretend(lambda ticket: 200 if ticket else 401)
        for line in ("s3 getsecret", "s3 setsecret -s not-for-impostors"):
            said = self.ozgate(line, code=255)
            self.assertRegex(said, r"\AUNAUTHENTICATED .*did not prove.*\n\Z")
        who = ("/ozgate/v1/whoami", b"{}")
        self.assertEqual([each[:2] for each in asked], [who] * 4)
        self.assertEqual([bool(each[2]) for each in asked], [False, True] * 2)

    def test_no_question(self) -> None:
        """Nor does it tell one to who never asks for a ticket, as a service does that has no secrets."""
        asked = self.pretend(lambda ticket: 200)
        for line in ("getsecret", "setsecret -s not-for-impostors", "revokesecret -y"):
            said = self.ozgate(f"s3 {line}", code=255)
            self.assertRegex(said, r"\AError: .* works only when security is enabled")
        self.assertEqual({each[0] for each in asked}, {"/ozgate/v1/whoami"})

    def pretend(
        self, status: Callable[[str | None], int]
    ) -> list[tuple[str, bytes, str | None]]:
        """Answer in the service's place.

        :param status: ticket → the status of the answer.
        :return: what is asked: path, body and ticket.
        """
        asked: list[tuple[str, bytes, str | None]] = []

        class Impostor(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                ticket = self.headers["Authorization"]
                asked.append((self.path, body, ticket))
                self.send_response(status(ticket))
                self.send_header("WWW-Authenticate", "Negotiate")
                self.end_headers()
                self.wfile.write(b'{"awsAccessKey": "x", "awsSecret": "y"}')

            def log_message(self, *arguments: object) -> None:
                """Say nothing."""

        server = HTTPServer(("127.0.0.1", 0), Impostor)
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        for end in (server.server_close, thread.join, server.shutdown):
            self.addCleanup(end)
        self.admin = f"http://localhost:{server.server_port}"
        return asked


class StartTests(RealmCase):
    """Starts that Kerberos makes impossible."""

    def test_refused(self) -> None:
        """No keytab, or secrets for who did not prove who they are: one line, exit code 1."""
        line = self.refused(
            *definitions(LOOPBACK, *KERBEROS),
            *definitions("ozone.s3g.http.auth.kerberos.keytab=no.keytab"),
        )
        self.assertIn("cannot read no.keytab", line)
        line = self.refused(
            *definitions(LOOPBACK, *KERBEROS, "ozone.s3g.secret.http.auth.type=simple")
        )
        self.assertIn("ozone.s3g.secret.http.auth.type", line)
