"""Web identities: which tokens are believed, and whom they speak for."""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode

import jwt
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from ozgate.auth.oidc import WebIdentity
from ozgate.auth.webidentity import ALGORITHMS, read_heading
from ozgate.errors.iam import (
    ExpiredTokenException,
    IDPRejectedClaim,
)
from tests.issuer import AUDIENCE, Issuer, new_key
from tests.unit.auth.believing import NOW, IssuerTestCase


def encoded(value: object) -> bytes:
    """A part of a token."""
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return urlsafe_b64encode(data).rstrip(b"=")


def jwt_parts(token: str) -> list[bytes]:
    """What a token decodes to: in the last character of a part some bits mean nothing."""
    return [urlsafe_b64decode(each + "==") for each in token.split(".")]


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
