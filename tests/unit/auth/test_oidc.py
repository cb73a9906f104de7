"""Web identities: which tokens are believed, and whom they speak for."""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

import jwt
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from ozgate.auth.oidc import KEPT, PAUSE, Issuers, WebIdentity
from ozgate.auth.webidentity import ALGORITHMS, read_heading
from ozgate.config.parsers import is_trusted_url, issuers
from ozgate.config.settings import Settings
from ozgate.config.sitefile import ConfigurationError
from ozgate.errors.iam import (
    ExpiredTokenException,
    IDPCommunicationError,
    IDPRejectedClaim,
    InvalidIdentityToken,
)
from tests.issuer import AUDIENCE, Issuer, new_key

NOW = 1_800_000_000.0


def encoded(value: object) -> bytes:
    """A part of a token."""
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return urlsafe_b64encode(data).rstrip(b"=")


class IssuerTestCase(SynchronousTestCase):
    """An issuer, and who believes it."""

    def setUp(self) -> None:
        """Both."""
        self.clock = Clock()
        self.clock.advance(NOW)
        self.issuer = Issuer()
        self.fetched: list[str] = []
        self.pending: list[Deferred[bytes]] | None = None
        self.answers = self.issuer.documents()
        self.configure()

    def configure(self, **changes: Any) -> None:
        """Believe it by other settings."""
        settings = {
            "oidc_issuers": (("corp", self.issuer.url),),
            "oidc_audiences": ("other", AUDIENCE),
        }
        made = Settings(**{**settings, **changes})
        self.issuers = Issuers(made, self.fetch, self.clock)

    async def fetch(self, url: str) -> bytes:
        """Get a document."""
        self.fetched.append(url)
        if self.pending is not None:
            waiting: Deferred[bytes] = Deferred()
            self.pending.append(waiting)
            return await waiting
        return self.answers[url]

    def ask(self, token: str) -> Deferred[WebIdentity]:
        """Whom a token speaks for."""
        return Deferred.fromCoroutine(self.issuers.identify(token))

    def accepted(self, token: str) -> WebIdentity:
        """The same, now."""
        return self.successResultOf(self.ask(token))

    def refused(self, token: str, kind: type[Exception] = InvalidIdentityToken) -> None:
        """Assert that it speaks for nobody."""
        self.failureResultOf(self.ask(token), kind)

    def token(self, **claims: Any) -> str:
        """A token, good but for what is said."""
        return self.issuer.token(self.clock.seconds(), **claims)


class TokenTests(IssuerTestCase):
    """What a token says."""

    def test_good(self) -> None:
        """A token speaks for a user whose name begins with the issuer's, with the policies that it names."""
        found = self.accepted(self.token(policy=["readonly", "mine", "mine"]))
        self.assertEqual(
            found,
            WebIdentity(
                "corp",
                "corp:alice",
                "alice",
                self.issuer.url,
                AUDIENCE,
                ("readonly", "mine"),
            ),
        )

    def test_algorithms(self) -> None:
        """Each allowed algorithm does, with a key of its kind."""
        for algorithm in ALGORITHMS:
            self.issuer.rotate(algorithm, algorithm)
            self.answers = self.issuer.documents()
            self.configure()
            self.accepted(self.token())

    def test_none(self) -> None:
        """There is no token without a signature, however it is written (CVE-2015-9235)."""
        head, body, signature = self.token().encode().split(b".")
        kid = read_heading(self.token()).kid
        for name in ("none", "None", "NONE", "nOnE", "", None, ["ES256"], 1):
            heading = encoded({"alg": name, "kid": kid})
            for end in (b"", signature):
                self.refused(b".".join((heading, body, end)).decode())
        self.refused(b".".join((head, body, b"")).decode())
        self.refused(b".".join((head, body)).decode())

    def test_hmac(self) -> None:
        """The public key is no secret that somebody could sign with (CVE-2015-9235, CVE-2022-29217)."""
        self.issuer.rotate("rsa", "RS256")
        self.answers = self.issuer.documents()
        self.configure()
        _, body, _ = self.token().encode().split(b".")
        public = self.issuer.keys["rsa"][1].public_key()
        pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        stated = json.dumps(
            json.loads(self.answers[f"{self.issuer.url}/keys"])["keys"][0]
        )
        for secret in (pem, pem.strip(), stated.encode(), b""):
            for name, digest in (("HS256", "sha256"), ("HS512", "sha512")):
                heading = encoded({"alg": name, "kid": "rsa"})
                signed = heading + b"." + body
                made = encoded(hmac.digest(secret, signed, digest))
                self.refused((signed + b"." + made).decode())

    def test_another_key(self) -> None:
        """A key of somebody else's signs nothing, though it comes along in the token."""
        stranger = new_key("ES256")
        claims = jwt.decode(self.token(), options={"verify_signature": False})
        mine = Issuer("https://evil.test").documents()["https://evil.test/keys"]
        jwk = json.loads(mine)["keys"][0]
        for headers in (
            {"kid": "first"},
            {"kid": "other"},
            {},
            {"kid": "first", "jwk": jwk},
            {
                "kid": "first",
                "jku": "https://evil.test/keys",
                "x5u": "https://evil.test",
            },
            {"kid": "../../etc/passwd"},
            {"kid": "first' OR 1=1"},
        ):
            self.refused(jwt.encode(claims, stranger, "ES256", headers))
        self.assertTrue(all(url.startswith(self.issuer.url) for url in self.fetched))

    def test_kind_of_key(self) -> None:
        """A key is for one algorithm, where it says so, and for none that it does not fit."""
        self.issuer.rotate("rsa", "RS256")
        self.answers = self.issuer.documents()
        self.configure()
        claims = jwt.decode(self.token(), options={"verify_signature": False})
        key = self.issuer.keys["rsa"][1]
        self.accepted(jwt.encode(claims, key, "RS256", {"kid": "rsa"}))
        self.refused(jwt.encode(claims, key, "PS256", {"kid": "rsa"}))
        self.refused(jwt.encode(claims, key, "RS512", {"kid": "rsa"}))

    def test_every_character(self) -> None:
        """None of its characters may be another."""
        token = self.token()
        for place in range(0, len(token), 3):
            other = "A" if token[place] != "A" else "B"
            changed = token[:place] + other + token[place + 1 :]
            if jwt_parts(changed) != jwt_parts(token):
                self.refused(changed)

    @given(st.text(max_size=80))
    def test_anything(self, text: str) -> None:
        """What is no token is refused as none."""
        self.refused(text)

    def test_depth(self) -> None:
        """A token that is deep is refused like any other."""
        heading = encoded({"alg": "ES256", "kid": "first"})
        for body in (b"[" * 5000, b'{"a":' * 3000, b"1" * 5000):
            self.refused(b".".join((heading, encoded(body), b"AA")).decode())

    def test_whom_it_is_for(self) -> None:
        """It has to be for us, and by the issuer that signed it."""
        for claims in (
            {"aud": "somebody"},
            {"aud": None},
            {"aud": []},
            {"aud": [AUDIENCE + "x"]},
            {"aud": 1},
            {"iss": None},
            {"iss": self.issuer.url + "/"},
            {"iss": "https://evil.test"},
            {"iss": [self.issuer.url]},
        ):
            self.refused(self.token(**claims))
        self.accepted(self.token(aud=["somebody", AUDIENCE]))

    def test_when(self) -> None:
        """It counts from when it says to when it says, give or take a minute."""
        now = int(NOW)
        for claims in (
            {"exp": now - 60},
            {"exp": 0},
        ):
            self.refused(self.token(**claims), ExpiredTokenException)
        for claims in (
            {"exp": None},
            {"exp": "9999999999"},
            {"exp": True},
            {"exp": float("inf")},
            {"exp": float("nan")},
            {"exp": -1},
            {"nbf": now + 61},
            {"iat": now + 61},
            {"nbf": "x"},
            {"iat": None, "nbf": [1]},
        ):
            self.refused(self.token(**claims))
        for claims in ({"exp": now - 59}, {"nbf": now + 60}, {"iat": None}):
            self.accepted(self.token(**claims))

    def test_user(self) -> None:
        """It speaks for nobody where nobody can be called so."""
        for value in (None, "", " ", "a b", "a~b", "ä", "x" * 256, 1, ["a"], "a\nb"):
            self.refused(
                self.token(sub=value),
                IDPRejectedClaim if value not in (1, ["a"]) else Exception,
            )
        self.configure(oidc_user_claim="profile.mail")
        found = self.accepted(self.token(profile={"mail": "a@b.test"}))
        self.assertEqual((found.user, found.subject), ("corp:a@b.test", "alice"))

    def test_policies(self) -> None:
        """Policies are a list or a text, at any place."""
        for value, expected in (
            ("a, b,a", ("a", "b")),
            (["a", 1, " b "], ("a", "b")),
            (None, ()),
            ("", ()),
            ([], ()),
        ):
            self.assertEqual(self.accepted(self.token(policy=value)).policies, expected)
        for refused in (1, {"a": 1}, True, ["a"] * 21):
            self.refused(self.token(policy=refused), IDPRejectedClaim)
        self.configure(oidc_policy_claim="realm_access.roles")
        found = self.accepted(self.token(realm_access={"roles": ["a"]}))
        self.assertEqual(found.policies, ("a",))
        self.configure(oidc_policy_claim="https://x.test/policy")
        found = self.accepted(self.token(**{"https://x.test/policy": "a"}))
        self.assertEqual(found.policies, ("a",))


def jwt_parts(token: str) -> list[bytes]:
    """What a token decodes to: in the last character of a part some bits mean nothing."""
    return [urlsafe_b64decode(each + "==") for each in token.split(".")]


class KeyTests(IssuerTestCase):
    """The issuer's keys."""

    def test_kept(self) -> None:
        """They are asked for once in an hour."""
        for _ in range(3):
            self.accepted(self.token())
        self.assertEqual(len(self.fetched), 2)
        self.clock.advance(KEPT)
        self.accepted(self.token())
        self.assertEqual(len(self.fetched), 4)

    def test_rotated(self) -> None:
        """Another key is asked for when a token names it, though not at once again; one that is gone counts until then."""
        self.accepted(self.token())
        old = self.token(exp=int(NOW) + 10_000)
        self.issuer.rotate("second")
        self.answers = self.issuer.documents()
        self.refused(self.token())
        self.assertEqual(len(self.fetched), 2)
        self.clock.advance(PAUSE)
        self.accepted(self.token())
        self.assertEqual(len(self.fetched), 4)
        self.refused(old)
        self.assertEqual(len(self.fetched), 4)

    def test_unreachable(self) -> None:
        """An issuer that does not answer lets nobody in, and is not asked by each who comes."""
        good, self.answers = self.answers, {}
        for _ in range(3):
            self.refused(self.token(), IDPCommunicationError)
        self.assertEqual(len(self.fetched), 1)
        self.assertEqual(len(self.flushLoggedErrors()), 0)
        self.clock.advance(PAUSE)
        self.answers = good
        self.accepted(self.token())
        self.answers = {}
        self.clock.advance(KEPT)
        self.refused(self.token(), IDPCommunicationError)

    def test_documents(self) -> None:
        """Documents that are another's, or none, are as no answer."""
        configuration = f"{self.issuer.url}/.well-known/openid-configuration"
        keys = f"{self.issuer.url}/keys"
        about = json.loads(self.answers[configuration])
        for url, document in (
            (configuration, b"x"),
            (configuration, b"[]"),
            (
                configuration,
                json.dumps({**about, "issuer": "https://evil.test"}).encode(),
            ),
            (
                configuration,
                json.dumps({**about, "jwks_uri": "http://evil.test"}).encode(),
            ),
            (
                configuration,
                json.dumps({**about, "jwks_uri": "file:///etc/passwd"}).encode(),
            ),
            (configuration, json.dumps({**about, "jwks_uri": 1}).encode()),
            (keys, b"{}"),
            (keys, b'{"keys": 1}'),
            (keys, b"\xff"),
        ):
            self.answers = {**self.issuer.documents(), url: document}
            self.configure()
            self.refused(self.token(), IDPCommunicationError)

    def test_unfit_keys(self) -> None:
        """Keys that are for something else, too small, or none are left out; the others count."""
        keys = f"{self.issuer.url}/keys"
        good = json.loads(self.answers[keys])["keys"][0]
        for unfit in (
            {**good, "use": "enc"},
            {**good, "crv": "P-384"},
            {**good, "kty": "oct", "k": "AAAA"},
            {**good, "d": "AAAA"},
            {"kty": "RSA", "kid": "first", "n": "AQAB", "e": "AQAB"},
            1,
        ):
            self.answers[keys] = json.dumps({"keys": [unfit]}).encode()
            self.configure()
            self.refused(self.token())
            self.answers[keys] = json.dumps({"keys": [unfit, good]}).encode()
            self.configure()
            self.accepted(self.token())

    def test_asked_once(self) -> None:
        """Who come at once wait for one answer, and who goes away meanwhile does not end it for the others."""
        self.pending = []
        asked = [self.ask(self.token()) for _ in range(3)]
        self.assertEqual(len(self.fetched), 1)
        asked[0].cancel()
        self.failureResultOf(asked[0])
        for url in list(self.answers):
            self.pending.pop(0).callback(self.answers[url])
        for each in asked[1:]:
            self.assertEqual(self.successResultOf(each).user, "corp:alice")
        self.assertEqual(len(self.fetched), 2)


class SettingTests(IssuerTestCase):
    """What a configuration says of issuers."""

    def test_no_issuer(self) -> None:
        """Without any, nobody is believed."""
        self.configure(oidc_issuers=(), oidc_audiences=())
        self.refused(self.token())
        self.assertEqual(self.fetched, [])

    def test_no_audience(self) -> None:
        """Tokens have to be for somebody."""
        with self.assertRaises(ConfigurationError):
            self.configure(oidc_audiences=())

    def test_names(self) -> None:
        """Issuers have names of their own, and URLs that can be trusted."""
        self.assertEqual(
            issuers("https://a.test, lab=https://b.test/x,c=http://127.0.0.1:1"),
            (
                ("oidc", "https://a.test"),
                ("lab", "https://b.test/x"),
                ("c", "http://127.0.0.1:1"),
            ),
        )
        for text in (
            "http://a.test",
            "a",
            "A B=https://a.test",
            "https://a.test,https://b.test",
            "a=https://a.test,b=https://a.test",
            "https://user@a.test",
            "https://a.test?x=1",
            "https://a.test#x",
            "https://",
            "file:///x",
        ):
            with self.assertRaises(ValueError):
                issuers(text)
        self.assertFalse(is_trusted_url("https://a.test:x"))
        self.assertFalse(is_trusted_url("http://localhost.evil.test"))
