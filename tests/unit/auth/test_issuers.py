"""The issuers of web identities: their keys, and what a configuration says of them."""

from __future__ import annotations

import json

from ozgate.auth.oidc import KEPT, PAUSE
from ozgate.config.parsers import is_trusted_url, issuers
from ozgate.config.sitefile import ConfigurationError
from ozgate.errors.iam import (
    IDPCommunicationError,
)
from tests.unit.auth.believing import NOW, IssuerTestCase


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
            (
                configuration,
                json.dumps({**about, "jwks_uri": "http://127.0.0.1:9/x"}).encode(),
            ),
            (configuration, json.dumps({**about, "jwks_uri": 1}).encode()),
            (keys, b"{}"),
            (keys, b'{"keys": 1}'),
            (keys, b"\xff"),
        ):
            good = self.issuer.documents()
            self.answers = {**good, "http://127.0.0.1:9/x": good[keys], url: document}
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
