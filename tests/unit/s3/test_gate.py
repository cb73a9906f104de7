"""Tests of :mod:`ozgate.s3.gate`: who is let in, by each gate."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import evolve
from twisted.internet.defer import Deferred
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from ozgate.auth.canonical import UNSIGNED_PAYLOAD
from ozgate.auth.sigv4 import Verified, sign
from ozgate.errors import (
    AccessDenied,
    AuthorizationQueryParametersError,
    InvalidAccessKeyId,
    InvalidArgument,
    InvalidRequest,
    SignatureDoesNotMatch,
)
from ozgate.interfaces import IVerifier
from ozgate.s3.gate import admit, admit_again
from ozgate.s3.operations import OPERATIONS
from ozgate.s3.policy.evaluator import may, may_remove, shown_to
from ozgate.s3.row import Gate
from ozgate.values import ANONYMOUS, RIGHTS, Acl, Bucket, Principal, Volume
from ozgate.wire.headers import Headers
from ozgate.wire.target import parse_address
from tests.operations.support import HOST, REGION, SECRETS, make_gateway
from tests.unit.auth.signed import Secrets

NOW = 1_795_000_000.0
FORM = {"content-type": 'Multipart/Form-Data; boundary="x"'}
CHUNKS = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"

ANYBODY = frozenset(
    """
    GetObject HeadObject GetObjectAttributes GetObjectTagging GetObjectAcl GetObjectLegalHold GetObjectRetention
    PutBucketAcl PutObject PutObjectTagging PutObjectAcl PutObjectLegalHold PutObjectRetention
    DeleteObject DeleteObjects DeleteObjectTagging
    UploadPart CompleteMultipartUpload AbortMultipartUpload ListParts ListMultipartUploads
    ListObjects ListObjectsV2 ListObjectVersions HeadBucket GetBucketLocation
    GetBucketAcl GetBucketCors GetBucketRequestPayment GetBucketTagging GetBucketVersioning GetBucketWebsite
    """.split()
)
"""What a policy, or S3's list, may grant to everybody: no operation that changes a bucket, but for its list, and none that S3 wants signed."""

Found = tuple[Verified, Principal, Headers]


class GateTests(SynchronousTestCase):
    """Each gate, with and without a signature."""

    def setUp(self) -> None:
        """A gateway that knows one access id."""
        clock = MemoryReactorClock()
        clock.advance(NOW)
        self.gateway = make_gateway(clock)
        self.secrets = Secrets(SECRETS)

    def ask(
        self,
        gate: Gate,
        headers: Mapping[str, str],
        target: str = "/bucket/key",
        method: str = "GET",
    ) -> Deferred[Found]:
        """What the gate says to a request."""
        address = parse_address(target.encode(), HOST.encode(), ())
        fields = Headers({"host": HOST, **headers})
        return Deferred.fromCoroutine(
            admit(self.gateway, self.secrets, gate, method, address, fields)
        )

    def signed(self, access_id: str = "testuser", secret: str = "") -> dict[str, str]:
        """The headers of a signed GET of ``/bucket/key``."""
        url = f"http://{HOST}/bucket/key"
        secret = secret or SECRETS["testuser"]
        return sign("GET", url, {}, access_id, secret, REGION, NOW)

    def test_signed(self) -> None:
        """Whoever signed is known by each gate that asks; by that of preflights nobody is."""
        for gate in Gate:
            verified, principal, _ = self.successResultOf(self.ask(gate, self.signed()))
            who = "" if gate is Gate.PREFLIGHT else "testuser"
            self.assertEqual((verified.access_id, principal.user), (who, who), gate)
            self.assertFalse(principal.is_admin)

    def test_badly_signed(self) -> None:
        """A signature that is there must be good: nobody is taken for anonymous instead, and no form has one elsewhere."""
        for gate in (Gate.SIGNED, Gate.FORM, Gate.ANYBODY):
            for headers, target, error in (
                (self.signed(secret="x"), "/bucket/key", SignatureDoesNotMatch),
                (self.signed("nobody"), "/bucket/key", InvalidAccessKeyId),
                ({"authorization": ""}, "/bucket/key", AccessDenied),
                ({**FORM, "authorization": ""}, "/bucket", AccessDenied),
                ({}, "/bucket/key?AWSAccessKeyId=testuser", AccessDenied),
                ({}, "/bucket/key?Signature=x", AccessDenied),
                (
                    {},
                    "/bucket/key?X-Amz-Signature=x",
                    AuthorizationQueryParametersError,
                ),
                (
                    FORM,
                    "/bucket?X-Amz-SignedHeaders=",
                    AuthorizationQueryParametersError,
                ),
            ):
                self.failureResultOf(self.ask(gate, headers, target), error)

    def test_unsigned(self) -> None:
        """Without a signature a request is let in by the gates of preflights and of anybody, and a form by that of forms."""
        for gate, headers, target in (
            (Gate.PREFLIGHT, {}, "/bucket/key"),
            (Gate.PREFLIGHT, {"x-amz-content-sha256": "?"}, "/bucket?X-Amz-Date=x"),
            (Gate.ANYBODY, {}, "/bucket/key?prefix=a&Expires=1"),
            (Gate.ANYBODY, FORM, "/bucket"),
            (Gate.FORM, FORM, "/bucket"),
        ):
            verified, principal, _ = self.successResultOf(
                self.ask(gate, headers, target)
            )
            self.assertIs(principal, ANONYMOUS)
            self.assertEqual(
                (verified.access_id, verified.payload), ("", UNSIGNED_PAYLOAD)
            )
        for gate, headers, target in (
            (Gate.SIGNED, {}, "/bucket/key"),
            (Gate.SIGNED, FORM, "/bucket"),
            (Gate.FORM, {}, "/bucket"),
            (Gate.FORM, {"content-type": "multipart/mixed"}, "/bucket"),
            (Gate.FORM, FORM, "/bucket?x-id=PostObject"),
        ):
            self.failureResultOf(self.ask(gate, headers, target), AccessDenied)

    def test_unsigned_payload(self) -> None:
        """Nobody's body is what is said of it, and nobody can have signed its chunks."""
        digest = "0" * 64
        verified, _, _ = self.successResultOf(
            self.ask(Gate.ANYBODY, {"x-amz-content-sha256": digest})
        )
        self.assertEqual(verified.payload, digest)
        for payload, error in ((CHUNKS, InvalidRequest), ("x", InvalidArgument)):
            asked = self.ask(Gate.ANYBODY, {"x-amz-content-sha256": payload})
            self.failureResultOf(asked, error)

    def again(
        self, verified: Verified, secrets: IVerifier | None
    ) -> Deferred[Principal]:
        """What the gate says when a body is here."""
        return Deferred.fromCoroutine(admit_again(self.gateway, secrets, verified))

    def test_again(self) -> None:
        """Who was let in is found out anew: by the same key, as whoever that is by now."""
        verified, before, _ = self.successResultOf(self.ask(Gate.SIGNED, self.signed()))
        found = self.successResultOf(self.again(verified, self.secrets))
        self.assertEqual(found, before)
        settings = evolve(self.gateway.settings, administrators=("testuser",))
        self.gateway.administrators.take_up(settings)
        found = self.successResultOf(self.again(verified, self.secrets))
        self.assertTrue(found.is_admin)
        self.failureResultOf(self.again(verified, Secrets({})), InvalidAccessKeyId)
        off = self.successResultOf(self.again(verified, None))
        self.assertEqual((off.user, off.is_admin), ("testuser", True))

    def test_nobody_again(self) -> None:
        """Whoever did not sign is nobody still, whether signatures are verified or not."""
        verified, _, _ = self.successResultOf(self.ask(Gate.ANYBODY, {}))
        for secrets in (self.secrets, None):
            found = self.successResultOf(self.again(verified, secrets))
            self.assertIs(found, ANONYMOUS)

    def test_security_off(self) -> None:
        """While no signature is verified, whoever did not sign is nobody all the same."""
        address = parse_address(b"/bucket/key", HOST.encode(), ())
        _, principal, _ = self.successResultOf(
            Deferred.fromCoroutine(
                admit(self.gateway, None, Gate.ANYBODY, "GET", address, Headers({}))
            )
        )
        self.assertIs(principal, ANONYMOUS)


class RowTests(SynchronousTestCase):
    """The gates of the table."""

    def test_signed_but_for_these(self) -> None:
        """Every operation takes a signature, but for these: none can forget it."""
        others = {row.name: row.gate for row in OPERATIONS if row.gate != Gate.SIGNED}
        built = {row.name for row in OPERATIONS if row.perform is not None}
        self.assertEqual(
            others,
            {
                "PostObject": Gate.FORM,
                "OptionsService": Gate.PREFLIGHT,
                "OptionsBucket": Gate.PREFLIGHT,
                "OptionsObject": Gate.PREFLIGHT,
                **dict.fromkeys(ANYBODY & built, Gate.ANYBODY),
            },
        )


class AnonymousTests(SynchronousTestCase):
    """Whoever did not sign."""

    def test_nothing(self) -> None:
        """Nothing is granted to them, whatever a list gives to the world, to anonymous or to nobody, and they own nothing."""
        everything = frozenset(("ALL",))
        acls = tuple(
            Acl(kind, name, everything)
            for kind in ("world", "anonymous", "user", "group")
            for name in ("", "WORLD", "ANONYMOUS")
        )
        bucket = Bucket("s3v", "bucket", "", 0, acls=acls)
        volume = Volume("s3v", "", 0, acls=acls)
        for thing in (bucket, volume):
            for right in RIGHTS.values():
                self.assertFalse(may(ANONYMOUS, right, thing))
            self.assertFalse(shown_to(ANONYMOUS, thing))
        self.assertFalse(may_remove(ANONYMOUS, bucket, volume))
