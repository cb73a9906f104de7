"""Pages of other sites in the browser of somebody whose machine runs a service that verifies no signatures.

Nobody but the browser can keep them out, so what it says of them counts: ``Origin`` and ``Sec-Fetch-Site``. The admin listener heeds it
in any case; S3, which asks for signatures, where they are not verified.
"""

from __future__ import annotations

from twisted.internet.defer import Deferred

from tests.attack.requests import Sent
from tests.attack.support import AttackTestCase
from tests.attack.test_routes import RouteTestCase

FOREIGN = (
    ("origin", "http://evil.example.com"),
    ("origin", "null"),
    ("origin", "http://localhost:8000"),
    ("origin", "http://127.0.0.1"),
    ("origin", ""),
    ("sec-fetch-site", "cross-site"),
    ("sec-fetch-site", "same-site"),
    ("sec-fetch-site", "CROSS-SITE"),
    ("sec-fetch-site", "something new"),
)
"""What browsers say of the pages of others."""

OWN = (
    ("origin", "http://localhost"),
    ("origin", "HTTPS://LOCALHOST"),
    ("origin", "https://files.example.com"),
    ("origin", "https://bucket.files.example.com:8443"),
    ("origin", "http://ui.example.com:3000"),
    ("sec-fetch-site", "same-origin"),
    ("sec-fetch-site", "none"),
)
"""What they say of a page of the service or of a site that the configuration names, and of a person."""

NAMED = ("files.example.com", "ui.example.com:3000")
GUARDS = (
    b"\r\ncross-origin-resource-policy: same-origin\r\n",
    b"\r\nx-content-type-options: nosniff\r\n",
)


class PageTestCase(AttackTestCase):
    """A gateway that verifies nothing, though what is sent is signed."""

    def setUp(self) -> Deferred[None]:
        """Have one."""
        return super().setUp().addCallback(lambda _: self.trust(False))

    def trust(self, verified: bool) -> None:
        """Verify signatures, or not."""
        self.client = self.client.with_settings(
            security_enabled=verified, domain_names=NAMED
        )

    def check_guards(self, there: bool) -> None:
        """Assert that the last answer tells the browser to keep it from others, or does not."""
        head = self.heard.partition(b"\r\n\r\n")[0].lower() + b"\r\n"
        self.assertEqual([head.count(each) for each in GUARDS], [there, there], head)


class ForeignTests(PageTestCase):
    """Other sites."""

    def test_every_operation(self) -> None:
        """No operation is performed for a page of another site, and it is told nothing; a signature changes nothing about it."""
        before = self.holds()
        for row, draft in self.drafts():
            for header in FOREIGN:
                for sent in (draft.signed(), draft.presigned()):
                    found = self.send_sent(sent.adding(*header))
                    self.assertEqual(found, (403, "AccessDenied"), (row.name, header))
                    self.assertNotIn(b"bucket</", self.heard)
                    self.check_guards(True)
        self.assertEqual(self.holds(), before)

    def test_script_and_form(self) -> None:
        """Neither a script, an image or a frame reads, nor a form or a beacon writes, with made-up signatures in the URL."""
        before = self.holds()
        made_up = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=0"
        for method, target, header in (
            ("GET", f"/bucket/key?{made_up}", ("sec-fetch-site", "cross-site")),
            ("POST", f"/bucket/key?uploads&{made_up}", ("origin", "http://evil.com")),
            ("POST", "/bucket", ("origin", "null")),
        ):
            headers = (("host", "localhost"), ("content-type", "text/plain"), header)
            found = self.send_sent(Sent(method, target, headers))
            self.assertEqual(found, (403, "AccessDenied"))
        self.assertEqual(self.holds(), before)

    def test_second_header(self) -> None:
        """Its own origin does not stand for another that is sent beside it."""
        sent = self.draft_of("GetObject").signed().adding("origin", "http://localhost")
        self.assertEqual(self.send_sent(sent)[0], 200)
        found = self.send_sent(sent.adding("origin", "http://evil.com"))
        self.assertEqual(found, (403, "AccessDenied"))

    def test_preflight(self) -> None:
        """A preflight of another site is refused like what would follow it, whatever the rules of the bucket are."""
        sent = Sent(
            "OPTIONS",
            "/bucket/key",
            (
                ("host", "localhost"),
                ("origin", "http://evil.com"),
                ("sec-fetch-site", "cross-site"),
                ("access-control-request-method", "PUT"),
            ),
        )
        self.assertEqual(self.send_sent(sent), (403, "AccessDenied"))
        self.check_guards(True)


class OwnTests(PageTestCase):
    """Who may ask."""

    def test_own_pages(self) -> None:
        """Pages of the service itself, and of sites that are named, are answered, and so is whoever is no page."""
        for header in (*OWN, ("accept", "*/*")):
            sent = self.draft_of("GetObject").signed().adding(*header)
            self.assertEqual(self.send_sent(sent), (200, ""), header)
            self.check_guards(True)

    def test_named_port(self) -> None:
        """Where a name has a port, pages at others are another's; the end of a name is compared by labels."""
        for origin in (
            "http://ui.example.com:3001",
            "http://ui.example.com",
            "http://evilfiles.example.com",
            "http://files.example.com.evil.com",
        ):
            sent = self.draft_of("GetObject").signed().adding("origin", origin)
            self.assertEqual(self.send_sent(sent), (403, "AccessDenied"), origin)

    def test_refused_connection(self) -> None:
        """What is no request is answered with the guards as well."""
        self.outcome(b"GET / HTTP/9\r\n\r\n")
        self.check_guards(True)


class VerifiedTests(PageTestCase):
    """While signatures are verified they say who asks, wherever the page is from."""

    def test_as_s3(self) -> None:
        """Pages of any site may use presigned URLs, and what they lead to can be shown there: answers are S3's."""
        self.trust(True)
        for header in FOREIGN:
            sent = self.draft_of("GetObject").presigned().adding(*header)
            self.assertEqual(self.send_sent(sent), (200, ""), header)
            self.check_guards(False)


class AdminTests(RouteTestCase):
    """The admin listener: nobody's pages but its own, whether signatures are verified or not."""

    def test_pages(self) -> None:
        """No page of another site is heard, not even one that S3 would hear; each answer says whom it is for."""
        for path in ("/healthz", "/conf", "/nothing"):
            for header in (*FOREIGN, *OWN[2:5]):
                status, said = self.ask_admin("GET", path, extra=[header])
                self.assertEqual(status, 403, (path, header))
                for each in GUARDS:
                    self.assertIn(each, said.lower())
            for header in (*OWN[:2], *OWN[5:]):
                status, said = self.ask_admin("GET", path, extra=[header])
                self.assertNotIn(b"pages of other sites", said)
                for each in GUARDS:
                    self.assertIn(each, said.lower())
