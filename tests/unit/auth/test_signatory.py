"""What is asked of an :class:`~ozgate.interfaces.IVerifier`, and what is made of its answers."""

from __future__ import annotations

from attrs import evolve
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from ozgate.auth.claims import read_claim
from ozgate.auth.signatory import signatory_of
from ozgate.auth.sigv2 import read_claim as sigv2_claim
from ozgate.auth.sigv4 import Verified, confirm, sign
from ozgate.errors import InvalidAccessKeyId, SignatureDoesNotMatch
from ozgate.interfaces import IVerifier
from ozgate.values import Credential, Secret
from ozgate.wire.headers import Headers
from ozgate.wire.target import parse_address
from tests.unit.auth.signed import ACCESS_ID, SECRET, Secrets, Sent, seconds
from tests.unit.auth.sigv2urls import presigned

NOW = seconds("20261130T000000Z")
URL = "http://localhost:9878/bucket/key"
PAYLOADS = (
    "UNSIGNED-PAYLOAD",
    "0" * 64,
    "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
)


def signed(payload: str) -> Sent:
    """A request with an Authorization header."""
    headers = sign("PUT", URL, {}, ACCESS_ID, SECRET, "eu-north-1", NOW, payload)
    return Sent("PUT", b"/bucket/key", headers, NOW)


class SilentTests(SynchronousTestCase):
    """A verifier that gives no signing key away."""

    def test_chunks(self) -> None:
        """It is enough: where chunks are signed, it is asked for each of their signatures."""
        silent = Secrets({ACCESS_ID: SECRET}, tells=False)
        for payload in PAYLOADS:
            verified = self.successResultOf(signed(payload).verify(silent))
            self.assertEqual(verified.user, ACCESS_ID)
            self.assertIsNone(verified.signing_key)
            asked = silent if "HMAC" in payload else None
            self.assertIs(verified.verifier, asked)
            told = self.successResultOf(signed(payload).verify())
            self.assertIsNone(told.verifier)
            wrong = signed(payload).verify(Secrets({ACCESS_ID: "x"}, tells=False))
            self.failureResultOf(wrong, SignatureDoesNotMatch)


class ShownTests(SynchronousTestCase):
    """How values of the gate are shown, which may be in a log one day."""

    def test_hidden(self) -> None:
        """None shows a secret, a key that was derived of one, or a signature, with which whoever reads it could ask."""
        for sent, sigv2 in (
            (signed(PAYLOADS[-1]), False),
            (presigned("PUT", "/bucket/key"), True),
        ):
            items = parse_address(sent.target, b"localhost", ()).query.items()
            headers = Headers(dict(sent.headers))
            claim = read_claim(items, headers, sent.now, True)
            if claim is None:
                claim = sigv2_claim(items, headers, sent.now)
            verified = self.successResultOf(sent.verify(sigv2=sigv2))
            assert verified.presented is not None
            signatory = signatory_of(verified.presented, Credential(SECRET, ACCESS_ID))
            for value in (claim, verified, verified.presented, signatory):
                shown = f"{value!r} {value}"
                self.assertIn(type(value).__name__, shown)
                for hidden in (
                    SECRET,
                    verified.signature,
                    repr(verified.signing_key or verified.signature),
                ):
                    self.assertNotIn(hidden, shown)
        self.assertNotIn(SECRET, repr(Credential(SECRET, ACCESS_ID)))
        self.assertNotIn("sealed", repr(Secret(ACCESS_ID, ACCESS_ID, b"s", 0)))


class ConfirmTests(SynchronousTestCase):
    """Asking again when a body is here."""

    def confirmed(
        self, verified: Verified, verifier: IVerifier | None
    ) -> Deferred[None]:
        """Whether what was signed with is a secret still."""
        return Deferred.fromCoroutine(confirm(verified, verifier))

    def test_both_versions(self) -> None:
        """A secret that was revoked or replaced meanwhile is refused, in either version of signatures; one that stayed is not."""
        for sent, sigv2 in (
            (signed(PAYLOADS[0]), False),
            (presigned("PUT", "/bucket/key"), True),
        ):
            verified = self.successResultOf(sent.verify(sigv2=sigv2))
            known = {verified.access_id: SECRET}
            self.successResultOf(self.confirmed(verified, Secrets(known)))
            for changed in ({}, {verified.access_id: "another"}):
                asked = self.confirmed(verified, Secrets(changed))
                self.failureResultOf(asked, InvalidAccessKeyId)

    def test_nothing_verified(self) -> None:
        """Where no signature was verified, there is nothing to be asked again."""
        sent = signed(PAYLOADS[0])
        verified = self.successResultOf(sent.verify(None))
        self.assertIsNone(verified.presented)
        self.successResultOf(self.confirmed(verified, None))
        unsigned = evolve(verified, access_id="", user="")
        self.successResultOf(self.confirmed(unsigned, Secrets({})))
