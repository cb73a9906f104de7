"""What went wrong in other S3 servers: a test for each advisory that has a counterpart here.

Many are the subject of other modules, whose tests name them: what is generated for every operation is better than one example. Those
here, and those of answers in :mod:`tests.attack.test_advisories_answers`, are the rest. Advisories about HTTP's framing (Twisted's,
Ceph's CVE-2019-19337) are regression tests of ``tests.wire``.

Without a counterpart, or the subject of tests that do not name them:

=========================================== ====================================================================
MinIO CVE-2024-55949                        nothing of users, keys or policies can be imported
RustFS GHSA-5354, -xgr5                     no service accounts; narrowed keys: tests/attack/test_iam.py
RustFS GHSA-v9cp                            tests/unit/s3/policy/test_operators.py, tests/attack/test_facts.py
RustFS GHSA-3ppv                            tests/unit/s3/policy/test_versionactions.py
RustFS GHSA-x298                            tests/attack/test_everybody.py, tests/operations/test_public_access_block.py
RustFS GHSA-v9fg, -7gcx; Ceph CVE-2020-27839 no console and no session in a browser
SeaweedFS CVE-2026-72920                    no gRPC and no second way to users; the admin listener is
                                            :mod:`tests.attack.test_routes`
Ozone CVE-2021-39233                        no containers and no replication between machines
Twisted GHSA-32gv                           no HTTP/2
versitygw CVE-2026-111943                   a certificate in Go's toolchain
=========================================== ====================================================================
"""

from __future__ import annotations

import ast
import re
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

from attrs import evolve
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

import ozgate
from ozgate.auth.sealing import MasterKey
from ozgate.errors import Unavailable
from ozgate.s3.operations import OPERATIONS, Body
from ozgate.service.listening import is_known
from ozgate.testing.inmemory import settle, talk
from tests.attack.requests import Sent
from tests.attack.support import AttackTestCase
from tests.attack.test_routes import RouteTestCase
from tests.operations.support import SECRETS

PACKAGE = Path(ozgate.__file__).parent
TESTS = Path(__file__).parent.parent

ADVISORIES = """
    CVE-2023-28432 CVE-2023-28434 CVE-2020-11012 CVE-2022-24842 CVE-2024-55949 CVE-2025-31489 CVE-2025-62506 CVE-2026-40344
    CVE-2025-68926 CVE-2026-45039 CVE-2026-21862 CVE-2026-40937 CVE-2026-46685 CVE-2026-22782 45040 CVE-2026-47136
    CVE-2026-54917 CVE-2026-58372 CVE-2026-72920 CVE-2026-73080 CVE-2026-100413 CVE-2024-48916 CVE-2019-10222 CVE-2019-19337
    CVE-2020-10753 GHSA-cggp CVE-2016-7031 CVE-2020-27839 CVE-2021-3524 CVE-2020-12059 CVE-2022-47950 tempurl CVE-2024-45106
    CVE-2023-39196 CVE-2021-39231 39233 CVE-2021-36372 CVE-2026-42882 CVE-2022-39348 CVE-2026-111943 CVE-2021-21287
    GHSA-3p3x 754633988 GHSA-ccrv m77q GHSA-v9cp GHSA-6r96 GHSA-3ppv GHSA-mx42 GHSA-jqmc f5cv GHSA-5354 xgr5 GHSA-x298
    GHSA-w5fh fa18589 GHSA-j548 GHSA-8r6f f4vq GHSA-m479 GHSA-v9fg 7gcx GHSA-x5xv GHSA-r54g 8cm2 333v GHSA-32gv
    """.split()
"""Those of S3 servers, and of what they stand on, that are known to us; the second of a pair by its number alone."""


class ListTests(SynchronousTestCase):
    """The list itself."""

    def test_all_named(self) -> None:
        """Each advisory is named by what tests it, or among those without a counterpart."""
        texts = [__doc__ or ""]
        for path in sorted(TESTS.rglob("*.py")):
            if path != Path(__file__):
                texts.append(path.read_text())
        texts += [
            ast.get_docstring(node) or ""
            for node in ast.walk(ast.parse(Path(__file__).read_text()))
            if isinstance(node, ast.FunctionDef)
        ]
        joined = "\n".join(texts)
        self.assertEqual([each for each in ADVISORIES if each not in joined], [])


class SourceTests(SynchronousTestCase):
    """The package as it is shipped."""

    def test_no_requests_of_its_own(self) -> None:
        """The service asks no server but issuers that are configured, so that nobody can have it ask another (SeaweedFS CVE-2026-73080, RustFS GHSA-m479, MinIO CVE-2021-21287).

        Each of them could be given a URL (a webhook, a bucket to replicate to), which it then asked from inside the network. Here
        one module imports a client, and one hands it to what knows the issuers of the configuration: ``tests.unit.auth.test_issuers`` and
        ``tests.service.test_fetching`` hold what those ask. Who adds another adds the rules for what may be asked.
        """
        clients = ("http.client", "urllib.request", "treq", "requests", "smtplib")
        clients += ("twisted.web.client", "ftplib", "aiohttp", "httpx", "xmlrpc")
        found, handing = set(), set()
        for path in sorted(PACKAGE.rglob("*.py")):
            name = path.relative_to(PACKAGE).as_posix()
            if name.startswith(("cli/", "testing/")):
                continue
            text = path.read_text()
            if any(each.startswith(clients) for each in _imported(ast.parse(text))):
                found.add(name)
            if "make_fetch" in text:
                handing.add(name)
        # A store of blobs asks the one endpoint that the configuration names, whatever a request says.
        engine = {name for name in found if name.startswith("blobs/s3/")}
        self.assertEqual(found - engine, {"auth/fetching.py"})
        self.assertEqual(handing, {"auth/fetching.py", "service/credentials.py"})

    def test_no_key_in_the_package(self) -> None:
        """No key is shipped: each installation makes its own (SeaweedFS CVE-2026-100413: one SSH host key for all)."""
        for path in sorted(PACKAGE.rglob("*")):
            if path.is_file() and path.suffix not in (".pyc", ".so"):
                self.assertNotIn(b"PRIVATE KEY-----", path.read_bytes(), path)
        made = {MasterKey.load_or_make(self.mktemp(), None).check() for _ in range(2)}
        self.assertEqual(len(made), 2)

    def test_no_constant_secret(self) -> None:
        """No secret is a constant, and a lost one is not made good by a default (RustFS CVE-2025-68926, CVE-2026-45039).

        There, the word that opened the inner RPC was in the source, and later the one that everybody knew was taken when none was set.
        """
        key = MasterKey.load_or_make(self.mktemp(), None)
        with self.assertRaises(Unavailable):
            MasterKey.load_or_make(self.mktemp(), key.check())

    def test_known_pairs(self) -> None:
        """The defaults of other servers are known as such (RustFS and MinIO: rustfsadmin, minioadmin)."""
        for secret in ("minioadmin", "rustfsadmin", "minio123"):
            self.assertTrue(is_known("admin", secret))
        self.assertTrue(is_known("somebody", "somebody"))
        self.assertFalse(is_known("somebody", "of her own choice"))


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{each.name}" for each in node.names)


class GateTests(AttackTestCase):
    """Ways around the gate."""

    def test_unpacking(self) -> None:
        """A header that has an archive unpacked changes nothing about who may store (MinIO CVE-2026-40344).

        There, an upload to be unpacked went to code of its own, which took any signature.
        """
        draft = evolve(self.draft_of("PutObject"), secret=SECRETS["other"])
        before = self.holds()
        for header in (
            "x-amz-meta-snowball-auto-extract",
            "x-amz-meta-minio-snowball-auto-extract",
        ):
            extracting = evolve(draft, headers={**draft.headers, header: "true"})
            for sent in (extracting.signed(), extracting.presigned()):
                found = self.send_sent(sent)
                self.assertEqual(found, (403, "SignatureDoesNotMatch"))
        self.assertEqual(self.holds(), before)

    def test_tokens(self) -> None:
        """Whatever is sent as the token of a session is refused, unsigned ones too (Ceph CVE-2024-48916, RustFS GHSA-ccrv, -m77q).

        Ceph took tokens whose header said ``alg: none``; RustFS ones that users had signed themselves. A token that would be ignored
        would be as bad: a session could do what its user may (MinIO CVE-2025-62506).
        """
        header = b64encode(b'{"alg":"none","typ":"JWT"}').decode().rstrip("=")
        claims = b64encode(b'{"sub":"testuser","policy":"admin"}').decode().rstrip("=")
        draft = self.draft_of("PutObject")
        before = self.holds()
        for token in (f"{header}.{claims}.", "x", "AQoEXAMPLE"):
            sent = draft.having(x_amz_security_token=token).signed()
            self.assertEqual(self.send_sent(sent), (400, "InvalidToken"))
            for scheme in ("Bearer", "JWT", "rustfs rpc"):
                bearing = draft.signed().having("authorization", f"{scheme} {token}")
                self.assertEqual(self.send_sent(bearing)[0], 400)
        self.assertEqual(self.holds(), before)

    def test_forms(self) -> None:
        """A form is for the bucket that it is sent to, whichever its fields name, and nothing without a whole signature (MinIO CVE-2023-28434, fa18589; RustFS GHSA-w5fh).

        There, the bucket of a form was checked before its fields were read, and conditions of its policy were not all held.
        """
        fields = {"key": "key", "bucket": "other", "x-amz-credential": "testuser"}
        body = "".join(
            f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in {**fields, "file": "mine"}.items()
        ).encode()
        headers = (
            ("host", "localhost"),
            ("content-type", "multipart/form-data; boundary=x"),
        )
        before = self.holds()
        for path in ("/bucket", "/bucket/", "/nowhere"):
            found = self.send_sent(Sent("POST", path, headers, body + b"--x--\r\n"))
            self.assertEqual(found, (400, "InvalidArgument"), path)
        # What is no form to S3 does not get past the gate by looking like one.
        for method, path in (
            *(("POST", "/"), ("POST", "/bucket/key"), ("POST", "/bucket?delete")),
            *(("POST", "/bucket?uploads"), ("PUT", "/bucket"), ("GET", "/bucket")),
        ):
            found = self.send_sent(Sent(method, path, headers, body + b"--x--\r\n"))
            self.assertEqual(found, (403, "AccessDenied"), path)
        badly = (*headers, ("authorization", "AWS4-HMAC-SHA256 x"))
        status, _ = self.send_sent(Sent("POST", "/bucket", badly, body))
        self.assertEqual(status, 400)
        found = self.send_sent(evolve(self.draft_of("PostObject"), body=body).signed())
        self.assertEqual(found, (412, "PreconditionFailed"))
        self.assertEqual(self.holds(), before)

    def test_form_to_come(self) -> None:
        """Of a form whose signature nobody knows yet no more is read than its fields may have."""
        head = (
            b"POST /bucket HTTP/1.1\r\nHost: localhost\r\nContent-Type: Multipart/Form-Data; boundary=x\r\n"
            b"Content-Length: 99999999\r\nExpect: 100-continue\r\n\r\n"
        )
        self.outcome(head + b"--x\r\n" + b"y" * 30_000)
        self.assertIn(b"<Code>MaxPostPreDataLengthExceededError</Code>", self.heard)
        self.assertIn(b"\r\nConnection: close\r\n", self.heard)

    def test_object_lock(self) -> None:
        """A write that asks for a lock that is not there is refused, not stored without one (RustFS GHSA-j548)."""
        before = self.holds()
        for name in ("PutObject", "CreateMultipartUpload", "CopyObject"):
            mode = {"x-amz-object-lock-mode": "COMPLIANCE"}
            until = {"x-amz-object-lock-retain-until-date": "2030-01-01T00:00:00Z"}
            hold = {"x-amz-object-lock-legal-hold": "ON"}
            for headers, expected in (
                (mode, "InvalidArgument"),
                (until, "InvalidArgument"),
                (hold, "InvalidRequest"),
                ({**mode, **until}, "InvalidRequest"),
            ):
                draft = self.draft_of(name)
                locked = evolve(draft, headers={**draft.headers, **headers})
                status, code = self.send_sent(locked.signed())
                self.assertEqual((status, code), (400, expected), name)
        self.assertEqual(self.holds(), before)

    def test_paths_as_sent(self) -> None:
        """What is authorized is what is served, however the path is written (oxyno-zeta/s3-proxy CVE-2026-42882).

        There, the path that was matched against the rules was not yet decoded, and the one that was served was.
        """
        asked = evolve(
            self.draft_of("GetObject"), access_id="other", secret=SECRETS["other"]
        )
        self.grant_now("empty", "user:other:a")
        for path in (
            "/empty/../bucket/key",
            "/empty/%2e%2e/bucket/key",
            "/empty%2F..%2Fbucket/key",
            "/%62ucket/key",
            "/bucket/%6bey",
            "/bucket%2Fkey",
            "//bucket/key",
            "/empty//bucket/key",
            "/bucket;/key",
            "/empty/..%2f..%2fbucket%2fkey",
        ):
            status, code = self.send_sent(evolve(asked, path=path).presigned())
            self.assertIn(status, (400, 403, 404), (path, code))
            self.assertNotIn(b"HTTP/1.1 200", self.heard)

    def grant_now(self, bucket: str, *acls: str) -> None:
        """Set a bucket's list."""
        self.successResultOf(Deferred.fromCoroutine(self.grant(*acls, bucket=bucket)))

    def test_origins(self) -> None:
        """No origin is allowed anything, reflected or not (RustFS CVE-2026-46685, GHSA-x5xv).

        There, whatever origin asked was allowed, with credentials: every page could read what a signed-in user may.
        """
        for row, draft in self.drafts():
            for origin in ("http://evil.example.com", "null", "http://localhost"):
                sent = draft.signed().adding("origin", origin)
                before = self.holds()
                self.send_sent(sent)
                self.undo(before)
                head = self.heard.partition(b"\r\n\r\n")[0].lower()
                self.assertNotIn(b"access-control-", head, row.name)
                self.assertNotIn(origin.encode(), head, row.name)
        preflight = Sent(
            "OPTIONS",
            "/bucket/key",
            (
                ("host", "localhost"),
                ("origin", "http://evil.example.com"),
                ("access-control-request-method", "PUT"),
            ),
        )
        self.assertEqual(self.send_sent(preflight), (403, "AccessForbidden"))
        self.assertNotIn(b"access-control-", self.heard.lower())
        self.assertNotIn(b"evil", self.heard)


class DisconnectTests(AttackTestCase):
    """Clients that go."""

    def test_every_operation(self) -> None:
        """A client that goes after a good head, or in the body, disturbs nobody (Ceph CVE-2019-10222, which crashed).

        For every operation: the head with a body announced that never comes, half of the body, and no end of an aws-chunked one.
        """
        before = self.holds()
        for row, draft in self.drafts():
            sent = draft.signed()
            head, _, _ = (
                evolve(sent, body=b"x" * 100_000).octets().partition(b"\r\n\r\n")
            )
            for body in (b"", b"x" * 10, b"x" * 70_000):
                talked = talk(self.client.site, self.clock, head + b"\r\n\r\n" + body)
                settle(self.clock)
                said = self.successResultOf(talked)
                if row.body is not Body.NONE and row.perform is not None:
                    self.assertNotIn(b"HTTP/1.1 200", said, row.name)
            if row.body is not Body.NONE:
                self.assertEqual(self.holds(), before, row.name)
            self.undo(before)
        self.assertEqual(self.flushLoggedErrors(), [])
        (row,) = (row for row in OPERATIONS if row.name == "GetObject")
        self.assertEqual(self.send_sent(self.draft(row).signed())[0], 200)


class AdminTests(RouteTestCase):
    """The admin listener."""

    def test_no_secret(self) -> None:
        """An access key, even the administrator's, opens nothing there, with a wrong secret or with the right one (MinIO CVE-2020-11012).

        There, the administrative API took a key without looking at its secret.
        """
        before = self.holds()
        (row,) = (row for row in OPERATIONS if row.name == "GetObject")
        for secret in (SECRETS["testuser"], SECRETS["other"], ""):
            draft = evolve(self.draft(row), method="POST", secret=secret)
            for path in sorted(self.paths()):
                value = evolve(draft, path=path).signed().header("authorization")
                lines = (
                    f"authorization: {value}\r\nhost: localhost\r\ncontent-length: 0"
                )
                head = f"POST {path} HTTP/1.1\r\n{lines}\r\nconnection: close\r\n\r\n"
                talked = talk(self.admin_site, self.clock, head.encode())
                settle(self.clock)
                said = self.successResultOf(talked)
                self.assertRegex(said, rb"^HTTP/1\.1 (4\d\d|501) ", path)
        self.assertEqual(self.holds(), before)

    def test_key_of_the_operator(self) -> None:
        """Nobody but an administrator gets a key of root's, of the service's user or of an administrator (MinIO CVE-2022-24842).

        There, a user could make a service account whose parent was root.
        """
        self.be("mallory")
        before = self.holds()
        for user in (
            "root",
            "boss",
            "testuser",
            "ozgate",
            "mallory~x/../root",
            " root",
        ):
            body = f'{{"user": "{user}"}}'.encode()
            status, said = self.ask_admin("POST", "/ozgate/v1/get_secret", body)
            self.assertEqual(status, 403, (user, said))
            self.assertIsNone(re.search(rb"awsSecret", said))
        self.assertEqual(self.holds(), before)
