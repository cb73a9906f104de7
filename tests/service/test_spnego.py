"""Who sends a request, by Kerberos: tickets of a real KDC, good and bad ones."""

from __future__ import annotations

import base64
import os
import sys
from importlib import import_module
from pathlib import Path

from attrs import evolve, frozen
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThread
from twisted.internet.utils import getProcessOutputAndValue
from twisted.trial.unittest import SynchronousTestCase, TestCase
from twisted.web.client import Agent, readBody
from twisted.web.http_headers import Headers
from twisted.web.iweb import IRequest
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Site

from ozgate.auth.kerberos import (
    KerberosError,
    Negotiation,
    Refused,
    Spnego,
    make_spnego,
    negotiate,
    service_principal,
)
from ozgate.config.settings import Settings
from tests.kdc import SERVICE, USER, InRealm, find


class WhoAmI(Resource):
    """Answers with the caller's principal."""

    isLeaf = True

    def __init__(self, spnego: Spnego) -> None:
        super().__init__()
        self._spnego = spnego

    def render(self, request: IRequest) -> int:
        """Authenticate, then say who it is."""

        async def answer() -> None:
            principal = await self._spnego.authenticate(request)
            request.write((principal or "nobody").encode())
            request.finish()

        Deferred.fromCoroutine(answer()).addErrback(request.processingFailed)
        return NOT_DONE_YET


@frozen
class Answer:
    """What came back."""

    status: int
    challenges: list[str]
    body: str


class SpnegoCase(InRealm):
    """A realm, and services that authenticate."""

    def spnego(self, principal: str = SERVICE, keytab: str | None = None) -> Spnego:
        """What the service has when it is configured so."""
        settings = Settings(
            spnego_principal=principal, spnego_keytab=keytab or self.keytab
        )
        return Spnego(settings, deferToThread)


class OverHttpTests(TestCase, SpnegoCase):
    """Requests to a listener that authenticates."""

    def setUp(self) -> None:
        """Listen on loopback."""
        self.join()
        self.listen(self.spnego())

    def listen(self, spnego: Spnego) -> None:
        """Serve who the caller is."""
        port = reactor.listenTCP(0, Site(WhoAmI(spnego)), interface="127.0.0.1")
        self.addCleanup(port.stopListening)
        self.url = f"http://localhost:{port.getHost().port}/"

    async def ask(self, *authorization: str) -> Answer:
        """A request with these headers."""
        headers = Headers({"authorization": list(authorization)})
        agent = Agent(reactor)
        response = await agent.request(b"GET", self.url.encode(), headers)
        body = await readBody(response)
        found = response.headers.getRawHeaders("www-authenticate", [])
        return Answer(response.code, found, body.decode())

    async def assert_refused(self, *authorization: str) -> None:
        """A request with these headers is answered by a challenge, and nothing more."""
        answer = await self.ask(*authorization)
        self.assertEqual(answer, Answer(401, ["Negotiate"], "nobody"), authorization)

    async def test_both_prove_who_they_are(self) -> None:
        """The service learns the principal in full, the client that it speaks to the service."""
        mine = negotiate("localhost")
        answer = await self.ask(f"Negotiate {mine.token}")
        self.assertEqual((answer.status, answer.body), (200, USER))
        mine.verify(answer.challenges[0])

    async def test_scheme_in_any_case(self) -> None:
        """Names of schemes are case-insensitive (RFC 9110, 11.1)."""
        answer = await self.ask(f"negotiate {negotiate('localhost').token}")
        self.assertEqual(answer.status, 200)

    async def test_curl(self) -> None:
        """curl --negotiate is told apart from a curl without a ticket."""
        arguments = ("-sS", "--negotiate", "-u", ":", "-w", " %{http_code}", self.url)
        environment = dict(os.environ)
        out, _, _ = await getProcessOutputAndValue(find("curl"), arguments, environment)
        self.assertEqual(out.decode(), f"{USER} 200")
        environment.update(self.kdc.environment)
        out, _, _ = await getProcessOutputAndValue(find("curl"), arguments, environment)
        self.assertEqual(out.decode(), "nobody 401")

    async def test_nothing_sent(self) -> None:
        """A request without credentials is challenged."""
        await self.assert_refused()

    async def test_once_only(self) -> None:
        """A token that somebody overheard is worth nothing."""
        token = negotiate("localhost").token
        self.assertEqual((await self.ask(f"Negotiate {token}")).status, 200)
        await self.assert_refused(f"Negotiate {token}")

    async def test_not_of_now(self) -> None:
        """A token that says it was made ten minutes from now is worth nothing either: five are tolerated."""
        self.kdc.fetch(os.environ, SERVICE)
        self.kdc.set_clock(os.environ, 600)
        await self.assert_refused(f"Negotiate {negotiate('localhost').token}")

    async def test_garbage(self) -> None:
        """Other schemes, tokens that are none, and several at once are refused."""
        good = negotiate("localhost").token
        ntlm = base64.b64encode(b"NTLMSSP\0\1\0\0\0" + bytes(32)).decode()
        for authorization in (
            ("Basic dGVzdDp0ZXN0",),
            ("Negotiate",),
            ("Negotiate ",),
            ("Negotiate !",),
            (f"Negotiate {good}!",),
            ("Negotiate AAAA",),
            (f"Negotiate {base64.b64encode(os.urandom(3000)).decode()}",),
            (f"Negotiate {ntlm}",),
            (f"NTLM {ntlm}",),
            (f"Negotiate {good}", f"Negotiate {good}"),
            ("Basic dGVzdDp0ZXN0", f"Negotiate {good}"),
        ):
            await self.assert_refused(*authorization)
        self.assertEqual((await self.ask(f"Negotiate {good}")).status, 200)

    async def test_tampered(self) -> None:
        """A token with one byte changed, or cut short, is refused or is the user's still; it never breaks the service."""
        token = base64.b64decode(negotiate("localhost").token)
        for place in range(0, len(token), len(token) // 24):
            changed = bytearray(token)
            changed[place] ^= 0xFF
            for bad in (bytes(changed), token[:place]):
                answer = await self.ask(f"Negotiate {base64.b64encode(bad).decode()}")
                self.assertIn(
                    (answer.status, answer.body), ((401, "nobody"), (200, USER))
                )

    async def test_ticket_for_another_service(self) -> None:
        """A ticket for another service is refused although its key is in the keytab."""
        await self.assert_refused(f"Negotiate {negotiate('other.example.com').token}")

    async def test_any_service(self) -> None:
        """With * the tickets of every HTTP service of the keytab are good, but no others."""
        self.listen(self.spnego("*"))
        for host in ("localhost", "other.example.com"):
            answer = await self.ask(f"Negotiate {negotiate(host).token}")
            self.assertEqual(answer.body, USER)
        import gssapi

        name = gssapi.Name("host@localhost", gssapi.NameType.hostbased_service)
        token = gssapi.SecurityContext(name=name, usage="initiate").step()
        await self.assert_refused(f"Negotiate {base64.b64encode(token).decode()}")

    async def test_renewed_key(self) -> None:
        """A key that is added to the keytab while the service runs is used."""
        name = "HTTP/renewed.example.com@EXAMPLE.COM"
        keytab = self.kdc.keytab("renewed.keytab", name)
        self.listen(self.spnego(name, keytab))
        self.kdc.administer(f"ktadd -k {keytab} {name}")
        answer = await self.ask(f"Negotiate {negotiate('renewed.example.com').token}")
        self.assertEqual(answer.status, 200)


class ClientTests(SynchronousTestCase, SpnegoCase):
    """What our own command does and says."""

    def setUp(self) -> None:
        """Join the realm."""
        self.join()

    def test_another_service_answers(self) -> None:
        """A service that cannot prove who it is is found out."""
        for challenge in (None, "Negotiate", "Basic", "Negotiate !", "Negotiate AAAA"):
            mine = negotiate("localhost")
            self.assertRaises(KerberosError, mine.verify, challenge)
        mine, other = negotiate("localhost"), negotiate("localhost")
        _, proof = self.spnego().accept(base64.b64decode(other.token))
        self.assertRaises(KerberosError, mine.verify, _challenge(proof))

    def test_no_ticket(self) -> None:
        """Without a ticket it says so in one line."""
        self.become(self.kdc.environment)
        error = self.assertRaises(KerberosError, negotiate, "localhost")
        self.assertIn("kinit", str(error))
        self.assertNotIn("\n", str(error))

    def test_unknown_service(self) -> None:
        """A host that the realm knows nothing of is named."""
        error = self.assertRaises(KerberosError, negotiate, "nowhere.example.com")
        self.assertIn("HTTP/nowhere.example.com", str(error))

    def test_negotiation_is_one_round(self) -> None:
        """One token each way is all: the service has to keep nothing between requests."""
        mine: Negotiation = negotiate("localhost")
        principal, proof = self.spnego().accept(base64.b64decode(mine.token))
        mine.verify(_challenge(proof))
        self.assertEqual(principal, USER)

    def test_empty_token(self) -> None:
        """A token of no bytes is refused."""
        self.assertRaises(Refused, self.spnego().accept, b"")


class StartTests(SynchronousTestCase, SpnegoCase):
    """Configurations that cannot work are found when the service starts, and said in one line."""

    def setUp(self) -> None:
        """Join the realm."""
        self.join()

    def refusal(self, *arguments: str) -> str:
        """The one line."""
        error = self.assertRaises(KerberosError, self.spnego, *arguments)
        self.assertNotIn("\n", str(error))
        return str(error)

    def test_keytab(self) -> None:
        """A keytab that is not there, cannot be read or is none."""
        missing = os.path.join(self.kdc.folder, "missing.keytab")
        self.assertIn("No such file", self.refusal(SERVICE, missing))
        self.assertIn("Is a directory", self.refusal(SERVICE, self.kdc.folder))
        none = Path(self.kdc.folder, "none.keytab")
        none.write_text("no keytab")
        self.assertIn(str(none), self.refusal(SERVICE, str(none)))

    def test_what_asks_for_it(self) -> None:
        """Either of Ozone's switches asks for Kerberos on the TCP port; secrets are not had without it."""
        good = Settings(spnego_principal=SERVICE, spnego_keytab=self.keytab)
        kerberos = evolve(good, http_auth_type="kerberos")
        secrets = evolve(good, secret_http_enabled=True)
        self.assertIsNone(make_spnego(good, deferToThread))
        self.assertIsInstance(make_spnego(kerberos, deferToThread), Spnego)
        self.assertIsInstance(make_spnego(secrets, deferToThread), Spnego)
        off = evolve(kerberos, admin_enabled=False)
        self.assertIsNone(make_spnego(off, deferToThread))
        simple = evolve(secrets, secret_auth_type="simple")
        error = self.assertRaises(KerberosError, make_spnego, simple, deferToThread)
        self.assertIn("ozone.s3g.secret.http.auth.type", str(error))

    def test_principal(self) -> None:
        """A principal without a key in the keytab."""
        self.assertIn("HTTP/nobody", self.refusal("HTTP/nobody@EXAMPLE.COM"))

    def test_extra(self) -> None:
        """Kerberos asked for, but the package's extra not installed."""
        installed = import_module("gssapi")
        self.addCleanup(sys.modules.__setitem__, "gssapi", installed)
        sys.modules["gssapi"] = None  # What makes "import gssapi" fail.
        self.assertIn("ozgate[kerberos]", self.refusal())


class PrincipalTests(SynchronousTestCase):
    """The service's own name."""

    def test_host(self) -> None:
        """_HOST is the configured name in lower case; for an address this machine's full name."""
        self.patch(sys.modules["socket"], "getfqdn", lambda: "Gate.example.com")
        for address, host in (
            ("S3G.Example.com:19878", "s3g.example.com"),
            ("localhost:19878", "localhost"),
            ("127.0.0.1:19878", "gate.example.com"),
            ("0.0.0.0:19878", "gate.example.com"),
            ("[::1]:19878", "gate.example.com"),
        ):
            name = service_principal("HTTP/_HOST@EXAMPLE.COM", address)
            self.assertEqual(name, f"HTTP/{host}@EXAMPLE.COM")
        self.assertEqual(service_principal("*", "127.0.0.1:1"), "*")
        self.assertEqual(service_principal("HTTP/a@B", "127.0.0.1:1"), "HTTP/a@B")


def _challenge(proof: bytes) -> str:
    return f"Negotiate {base64.b64encode(proof).decode()}"
