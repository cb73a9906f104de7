"""The admin listener's paths and commands, asked by who may not: nobody, a user who is no administrator, one of another kind (E42).

Both lists are the program's own, the app's routes and :data:`~ozgate.admin.commands.table.COMMANDS`, so that what is added later is asked too. On a
running service, ``tests.service.test_intruders_admin`` and ``tests.service.test_admin`` do the same by hand.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from attrs import evolve
from twisted.internet.defer import Deferred, maybeDeferred

from ozgate.admin import caller
from ozgate.admin.app import make_admin_app, make_admin_site
from ozgate.admin.commands.table import COMMANDS
from ozgate.admin.context import AdminContext
from ozgate.admin.pages.health import Health
from ozgate.admin.pages.servicepages import make_operations, make_reload
from ozgate.auth.accounts import Accounts
from ozgate.auth.administrators import Administrators
from ozgate.auth.secretstore import StaticSecrets
from ozgate.gateway.onreload import ReloadingParts
from ozgate.s3.app import make_site
from ozgate.testing.inmemory import CLIENT, join, settle, talk
from tests.attack.requests import Sent
from tests.attack.support import AttackTestCase
from tests.operations.support import SECRETS
from tests.wire.support import Peer

UID = 65534
"""Of a user who is neither root nor the service's own."""

OPEN = frozenset(
    """
    / /healthz /readyz /minio/health/live /minio/health/ready /minio/health/cluster
    """.split()
)
"""What everybody may see: whether the service is well."""

METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE")

ARGUMENTS: dict[str, Any] = {
    "volume": "s3v",
    "bucket": "bucket",
    "source_volume": "s3v",
    "source_bucket": "bucket",
    "key": "key",
    "user": "testuser",
    "secret": "chosen by an attacker",
    "acls": ["user:mallory:a"],
    "place": "x",
    "store": "files",
    "target": "/tmp/stolen",
    "to": "stolen",
    "space_quota": 1,
    **dict.fromkeys(("policy", "group", "access_id", "document"), "admin"),
}
"""Arguments by their names: what an attacker would say."""

FOR_ALL = {"whoami": 200, "info_volume": 200, "list_buckets": 200, "link_bucket": 409}
"""Commands that everybody may use who is known, and what is answered here: the volume that S3 shows is everybody's to make links in."""

OF_SECRETS = frozenset(("get_secret", "set_secret", "revoke_secret", "list_secrets"))

TOLD = ("secret of", "awsSecret", "ozgate.data", "ozgate_", "bucket", "master")
"""What is in answers of the admin listener to those who may, and in none to those who may not."""


def arguments_of(name: str) -> dict[str, Any]:
    """Arguments for a command, all that it knows of :data:`ARGUMENTS`; a key of a secret has no name."""
    known = inspect.signature(COMMANDS[name]).parameters
    found = {each: value for each, value in ARGUMENTS.items() if each in known}
    if name in OF_SECRETS:
        found.pop("key", None)
    return found


class RouteTestCase(AttackTestCase):
    """An admin listener, in memory."""

    def setUp(self) -> Deferred[None]:
        """Put it together as the service does; nobody in particular asks."""
        return super().setUp().addCallback(lambda _: self.serve())

    def serve(self) -> None:
        """Put the listener together."""
        gateway = self.client.gateway
        self.context = AdminContext(gateway, self.secrets, 0.0)
        reloading = gateway.settings, lambda: gateway.settings, ReloadingParts()
        reload = make_reload(self.context, [self.client.site], *reloading)
        health = Health(gateway)
        further = make_operations(self.context, health, reload, lambda: 0).routes
        self.app = make_admin_app(self.context, further)
        self.admin_site = make_admin_site(self.clock, self.context, further)

    def be(
        self,
        user: str,
        s3_administrators: tuple[str, ...] = (),
        groups: frozenset[str] = frozenset(),
    ) -> None:
        """Have a user of this machine ask from now on."""
        settings = evolve(
            self.client.gateway.settings, s3_administrators=s3_administrators
        )
        self.client.gateway.administrators = Administrators(
            settings,
            Accounts(maybeDeferred, self.clock, lambda _: groups, lambda _: user),
            "EXAMPLE.COM",
        )
        self.patch(caller, "peer_uid", lambda request: UID)

    def ask_admin(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        kind: str = "application/json",
        extra: Iterable[tuple[str, str]] = (),
    ) -> tuple[int, bytes]:
        """Status, and all that is answered; ``extra`` are further headers."""
        lines = [
            f"{method} {path} HTTP/1.1",
            "host: localhost",
            f"content-type: {kind}",
            f"content-length: {len(body)}",
            "connection: close",
            *(f"{name}: {value}" for name, value in extra),
        ]
        octets = "\r\n".join([*lines, "", ""]).encode() + body
        talked = talk(self.admin_site, self.clock, octets)
        settle(self.clock)
        said: bytes = self.successResultOf(talked)
        return int(said[9:12]), said

    def run_command(self, name: str) -> tuple[int, bytes]:
        """What is answered to a command."""
        body = json.dumps(arguments_of(name)).encode()
        return self.ask_admin("POST", f"/ozgate/v1/{name}", body)

    def paths(self) -> set[str]:
        """Every path of the app, its variables filled in."""
        found = set()
        for rule in self.app.url_map.iter_rules():
            filled = re.sub(r"<[^>]*username>", "testuser", rule.rule)
            for name in ("list_keys", "none"):
                found.add(re.sub(r"<[^>]*>", name, filled))
        return found | {f"/ozgate/v1/{name}" for name in COMMANDS}

    def check_told_nothing(self, said: bytes, what: object) -> None:
        """Assert that an answer holds nothing that only others may know."""
        for each in TOLD:
            self.assertNotIn(each.encode(), said.partition(b"\r\n\r\n")[2], what)


class OpenPageTests(RouteTestCase):
    """The S3 endpoint: what passes its gate without a signature, and how near to that one gets."""

    def serve(self) -> None:
        """Put the endpoint together, as the service does."""
        super().serve()
        self.health = Health(self.client.gateway)
        self.health.stage = "serving"
        self.open_to_all(True)

    def open_to_all(self, shown: bool) -> None:
        """Show the pages, or not."""
        self.client = client = self.client.with_settings(
            health_on_s3=shown, domain_names=("s3.test",)
        )
        client.site = make_site(
            self.clock,
            client.gateway,
            StaticSecrets(SECRETS, self.secrets),
            client.access_log,
            client.audit_log,
            self.health.pages(),
        )

    def pages(self) -> set[str]:
        """Their paths."""
        return {path.decode() for path in self.health.pages()}

    def test_list(self) -> None:
        """These paths and no others are open: health, with what the admin listener says of it to everybody."""
        self.assertEqual(self.pages(), OPEN - {"/"})
        for path in self.pages():
            for method in ("GET", "HEAD"):
                self.send_sent(Sent(method, path, (("host", "localhost"),)))
                head, _, said = self.heard.partition(b"\r\n\r\n")
                self.assertTrue(head.startswith(b"HTTP/1.1 200 "), head)
                self.assertIn(b"\r\nCache-Control: no-store", head)
                self.assertIn(
                    said, ((b"alive\n", b"ready\n") if method == "GET" else b"")
                )
        last = Path(self.client.access_log.file.path).read_text().splitlines()[-1]
        self.assertRegex(last, r' - - \[.*" 200 .* Health \d')

    def test_not_ready(self) -> None:
        """What cannot serve says so to who asks whether it can, and lives."""
        self.health.stage = "stopping"
        for path in self.pages():
            self.send_sent(Sent("GET", path, (("host", "localhost"),)))
            lives = path in ("/healthz", "/minio/health/live")
            expected = b"HTTP/1.1 200 " if lives else b"HTTP/1.1 503 "
            self.assertTrue(self.heard.startswith(expected), path)

    def test_crowd(self) -> None:
        """A service that has as much to do as it may is well."""
        self.client.gateway.settings = evolve(
            self.client.gateway.settings, limit_requests=1
        )
        self.client.gateway.tally.in_flight = 1
        for path, status in (("/healthz", 200), ("/bucket", 503)):
            found = self.send_sent(Sent("GET", path, (("host", "localhost"),)))
            self.assertEqual(found[0], status)

    def test_near(self) -> None:
        """All that only looks like such a request is S3's, and refused there."""
        before = self.holds()
        host = ("host", "localhost")
        for path in self.pages():
            near = [Sent(method, path, (host,)) for method in METHODS[2:]]
            for target in (
                *(f"{path}?", f"{path}?acl", f"{path}/", f"/{path}", f"{path}/x"),
                *(path.upper(), f"/%{ord(path[1]):02x}{path[2:]}", f"{path}/../bucket"),
                f"http://localhost{path}",
            ):
                near.append(Sent("GET", target, (host,)))
            for extra in (("authorization", ""), ("authorization", "Bearer x")):
                near.append(Sent("GET", path, (host, extra)))
            near.append(Sent("GET", path, (("host", "bucket.s3.test"),)))
            for sent in near:
                status, code = self.send_sent(sent)
                self.assertIn(status, range(400, 502), sent)
                self.assertTrue(code, sent)
                for each in (b"alive", b"ready\n"):
                    self.assertNotIn(each, self.heard, sent)
        self.assertEqual(self.holds(), before)

    def test_signed(self) -> None:
        """Buckets and keys of those names are there for who signs."""
        draft = self.draft_of("ListObjects")
        for path in self.pages():
            for sent in (
                evolve(draft, path=path).signed(),
                evolve(draft, path=path).presigned(),
            ):
                self.assertEqual(self.send_sent(sent), (404, "NoSuchBucket"), path)

    def test_closed(self) -> None:
        """Where that is not wanted, those paths are names like others: of buckets that are not there, as S3 tells everybody."""
        self.open_to_all(False)
        for path in self.pages():
            found = self.send_sent(Sent("GET", path, (("host", "localhost"),)))
            self.assertEqual(found, (404, "NoSuchBucket"), path)


class NobodyTests(RouteTestCase):
    """Who comes over TCP, and is not known."""

    def test_every_path(self) -> None:
        """Nobody is told of the service's health and of nothing else, whatever the path and the method.

        MinIO's CVE-2023-28432 (the bootstrap endpoint gave all environment variables, the root password among them),
        RustFS's GHSA-jqmc and -f5cv (profiles), CVE-2026-46685 (licence) and CVE-2026-47136 (console metadata), Ozone's CVE-2023-39196
        and CVE-2021-39231 (inner RPC): side doors that asked nobody who they were.
        """
        before = self.holds()
        arguments = json.dumps(ARGUMENTS).encode()
        asked = 0
        for path in self.paths() - OPEN:
            for method in METHODS:
                for query in ("", "?volume=s3v&bucket=bucket&key=key"):
                    body = arguments if method in ("POST", "PUT") else b""
                    status, said = self.ask_admin(method, path + query, body)
                    self.assertIn(status, range(400, 502), (method, path, said))
                    self.check_told_nothing(said, (method, path))
                    asked += 1
        self.assertGreater(asked, 16 * len(COMMANDS))
        self.assertEqual(self.holds(), before)

    def test_open_paths(self) -> None:
        """What everybody sees says nothing but how the service is, and where its pages are."""
        self.assertLessEqual(OPEN, self.paths())
        for path in OPEN:
            status, said = self.ask_admin("GET", path)
            self.assertIn(status, (200, 503), path)
            for each in ("testuser", "secret of", "environ", self.mktemp()):
                self.assertNotIn(each.encode(), said)


class UserTests(RouteTestCase):
    """A user of the machine who is no administrator."""

    def test_pages(self) -> None:
        """Pages are for administrators."""
        self.be("mallory")
        for path in self.paths() - OPEN:
            if not path.startswith(("/ozgate/v1", "/secret")):
                for method in METHODS:
                    status, said = self.ask_admin(method, path)
                    self.assertIn(status, (403, 405, 501), (method, path, said))
                    self.check_told_nothing(said, path)

    def test_commands(self) -> None:
        """Every command about what is somebody else's is refused, and changes nothing (RustFS CVE-2026-40937).

        There, who had signed in could manage all notification targets: that it is known who asks was taken for a permission.
        """
        self.be("mallory")
        before = self.holds()
        for name in COMMANDS:
            status, said = self.run_command(name)
            self.assertEqual(status, FOR_ALL.get(name, 403), (name, said))
            self.assertNotIn(b"secret of", said)
            if name == "list_buckets":
                self.assertTrue(said.endswith(b"\r\n\r\n[]"), said)
            self.assertEqual(self.holds(), before, name)

    def test_bytes(self) -> None:
        """So are the bytes of keys."""
        self.be("mallory")
        before = self.holds()
        query = "?volume=s3v&bucket=bucket&key=key"
        for path, body, kind in (
            ("/ozgate/v1/put_key", b"mine now", "application/octet-stream"),
            ("/ozgate/v1/get_key", json.dumps(arguments_of("info_key")).encode(), ""),
        ):
            kind = kind or "application/json"
            status, said = self.ask_admin("POST", path + query, body, kind)
            self.assertEqual(status, 403, said)
        self.assertEqual(self.holds(), before)

    async def test_left_meanwhile(self) -> None:
        """Who leaves a group while the bytes of a key come has no right by it when they are here."""
        await self.grant("group:staff:a")
        for later, status in ((frozenset(("staff",)), 200), (frozenset(), 403)):
            self.be("mallory", groups=frozenset(("staff",)))
            peer, server = Peer(), self.admin_site.buildProtocol(CLIENT)
            assert server is not None
            join(self.clock, server, peer)
            lines = (
                "POST /ozgate/v1/put_key?volume=s3v&bucket=bucket&key=new HTTP/1.1",
                "host: localhost",
                "content-type: application/octet-stream",
                "content-length: 10",
                "connection: close",
            )
            peer.send("\r\n".join([*lines, "", "half "]).encode())
            settle(self.clock)
            self.be("mallory", groups=later)
            self.clock.advance(5)
            peer.send(b"other")
            settle(self.clock)
            said = await peer.ended
            self.assertTrue(said.startswith(b"HTTP/1.1 %d " % status), said)

    def test_secrets_of_others(self) -> None:
        """Nobody but an administrator has, sets or revokes another's secret (Ozone CVE-2024-45106).

        In Ozone's gateway every principal could revoke and make anew the secrets of all others.
        """
        self.be("mallory")
        before = self.holds()
        for name in sorted(OF_SECRETS):
            status, said = self.run_command(name)
            self.assertEqual(status, 403, (name, said))
        for method in ("PUT", "DELETE"):
            status, said = self.ask_admin(method, "/secret/testuser")
            self.assertIn(status, (400, 401, 403, 404), said)
            self.check_told_nothing(said, method)
        self.assertEqual(self.holds(), before)

    def test_own_secret(self) -> None:
        """One's own secret is one's own."""
        self.be("mallory")
        status, said = self.ask_admin("POST", "/ozgate/v1/get_secret", b"{}")
        self.assertEqual(status, 200, said)
        self.assertIn(b'"awsAccessKey": "mallory"', said)

    def test_administrator_of_secrets(self) -> None:
        """Who manages the secrets of others manages nothing else."""
        self.be("mallory", s3_administrators=("mallory",))
        before = self.holds()
        for name in COMMANDS:
            if name not in OF_SECRETS | FOR_ALL.keys():
                status, said = self.run_command(name)
                self.assertEqual(status, 403, (name, said))
        self.assertEqual(self.holds(), before)
        status, said = self.run_command("list_secrets")
        self.assertEqual(status, 200, said)
