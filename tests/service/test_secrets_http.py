"""Secrets of a running service over HTTP, by the admin socket and the admin port."""

from __future__ import annotations

import json
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

from ozgate.admin.localsocket import connect_local
from tests.service.commanding import SECURE, SecretCase
from tests.service.twistd import Twistd


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
