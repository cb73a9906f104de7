"""The admin listener of a real service, asked without credentials, and both listeners, asked by a page in somebody's browser."""

from __future__ import annotations

import time
from collections.abc import Iterable

from twisted.trial.unittest import SynchronousTestCase

from ozgate.admin.commands.table import COMMANDS
from ozgate.auth.sigv4 import sign
from tests.running import ACCESS_KEY, REGION, SECRET_KEY, shared_server
from tests.service.intruders import (
    DOMAIN,
    Answer,
    IntruderCase,
    admin_port,
    exchange,
    signed,
)


class AdminTests(IntruderCase):
    """The admin listener's port, without credentials."""

    def test_every_path(self) -> None:
        """Whoever is not known is told of the service's health and of nothing else, whatever the path and the method."""
        port = admin_port(self.server)
        paths = (
            *("/conf", "/conf/", "/%63onf", "/./conf", "/x/../conf", "//conf"),
            *("/metrics", "/prom", "/reload", "/stacks", "/jmx", "/logs", "/static/"),
            *("/secret", "/secret/", "/secret/alice", "//secret", "/secret%2Falice"),
            *("/ozgate/v1/", "/ozgate/v1/none", "/ozgate/v1/get_key"),
            *(f"/ozgate/v1/{name}" for name in COMMANDS),
            "/ozgate/v1/put_key?volume=s3v&bucket=alices&key=key",
        )
        arguments = b'{"user": "alice", "volume": "s3v", "bucket": "alices"}'
        for path in paths:
            for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"):
                octets = "put_key" in path
                kind = f"application/{'octet-stream' if octets else 'json'}"
                body = arguments if method in ("POST", "PUT") else b""
                headers = [("Content-Type", kind)]
                answer = exchange(self.server, method, path, headers, body, port)
                self.refused(answer, (method, path))
                for secret in (b"alices", b"s3v", b"awsSecret", b"ozgate.data"):
                    self.assertNotIn(secret, answer.body, (method, path))
        found = signed(self.server, self.alice, "GET", "/alices/key")
        self.assertEqual(found.body, b"meant")

    def test_no_signature(self) -> None:
        """A key for S3, even the administrator's, is none for the admin listener."""
        port = admin_port(self.server)
        url = f"http://127.0.0.1:{port}/conf"
        pair = (ACCESS_KEY, SECRET_KEY)
        headers = sign("GET", url, {}, *pair, REGION, time.time())
        answer = exchange(self.server, "GET", "/conf", list(headers.items()), port=port)
        self.assertEqual(answer.status, 403)


class BrowserTests(SynchronousTestCase):
    """Pages in a browser of somebody whose machine runs a service with security off."""

    def setUp(self) -> None:
        """Have one, with a bucket."""
        self.server = shared_server("ozone.security.enabled=false", DOMAIN)
        signed(self.server, ("any", "any"), "PUT", "/bucket")
        self.port = admin_port(self.server)

    def at(self, host: str, *headers: tuple[str, str]) -> Iterable[Answer]:
        """Answers of S3 and of the admin listener."""
        url = f"http://{host}/"
        own = sign("GET", url, {}, "any", "any", REGION, time.time())
        yield exchange(self.server, "GET", "/", list(own.items()))
        for method, path, kind, body in (
            ("GET", "/conf", "text/plain", b""),
            ("GET", "/metrics", "text/plain", b""),
            ("POST", "/reload", "text/plain", b"x"),
            ("POST", "/ozgate/v1/list_volumes", "application/json", b"{}"),
            (
                *("POST", "/ozgate/v1/list_keys", "application/json"),
                b'{"volume": "s3v", "bucket": "bucket"}',
            ),
        ):
            sent = [("Host", host), ("Content-Type", kind), *headers]
            yield exchange(self.server, method, path, sent, body, self.port)

    def test_rebound_name(self) -> None:
        """A name of the page's own site that was made to point here opens nothing."""
        for host in (
            *("evil.example.com", f"evil.example.com:{self.port}", "s3.test.evil.com"),
            *("localhost.evil.com", "127.0.0.1.nip.io", "evils3.test.com", "a.b."),
        ):
            for answer in self.at(host):
                self.assertEqual(answer.status, 403, (host, answer))
                self.assertNotIn(b"bucket", answer.body)

    def test_names_of_here(self) -> None:
        """Names and addresses that nobody else can have, and those of the configuration, do as ever."""
        for host in (
            *("localhost", f"LOCALHOST:{self.port}", "127.0.0.1", f"[::1]:{self.port}"),
            *("ozgate", "s3.test", "host.docker.internal", "ozgate.localhost"),
        ):
            for answer in self.at(host):
                self.assertEqual(answer.status, 200, (host, answer))

    def test_another_sites_page(self) -> None:
        """A page that asks across sites, as it can without being permitted to, is not heard by the admin listener."""
        here = f"127.0.0.1:{self.port}"
        for origin in ("http://evil.example.com", "null", "http://127.0.0.1:1"):
            _, *answers = self.at(here, ("Origin", origin))
            self.assertEqual({each.status for each in answers}, {403}, origin)
        _, *answers = self.at(here, ("Origin", f"http://{here}"))
        self.assertEqual({each.status for each in answers}, {200})

    def test_forms(self) -> None:
        """What a form can send is no command, and reading across sites is never allowed."""
        for kind in (
            *("text/plain", "application/x-www-form-urlencoded"),
            *("multipart/form-data; boundary=application/json", ""),
        ):
            sent = [("Content-Type", kind)]
            path = "/ozgate/v1/delete_bucket"
            body = b'{"volume": "s3v", "bucket": "bucket", "recursive": true}'
            answer = exchange(self.server, "POST", path, sent, body, self.port)
            self.assertEqual(answer.status, 415, kind)
            self.assertNotIn(b"Access-Control-", answer.data)
