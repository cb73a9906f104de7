"""Tests of :mod:`ozgate.auth.sigv4`: what is refused by its looks, with security on or off."""

from __future__ import annotations

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from ozgate.errors import (
    AccessDenied,
    AuthorizationHeaderMalformed,
    InvalidArgument,
    InvalidRequest,
    NotImplemented,
    RequestTimeTooSkewed,
    S3Error,
)
from tests.unit.auth.signed import ACCESS_ID, EMPTY, URL, Sent, signed_by_botocore


class RefusedTests(SynchronousTestCase):
    """What is refused by its looks, with security on or off."""

    def setUp(self) -> None:
        """Sign a plain request."""
        self.sent = signed_by_botocore("GET", URL + "/bucket/k")

    def refused(self, sent: Sent, error: type[S3Error], text: str = "") -> S3Error:
        """The error, the same with security on and off."""
        self.failureResultOf(sent.verify(None), error)
        failure = self.failureResultOf(sent.verify(), error)
        value = failure.value
        assert isinstance(value, S3Error)
        self.assertIn(text, value.message)
        return value

    def test_no_credentials(self) -> None:
        """Who does not say who they are is denied."""
        self.refused(self.sent.having(authorization=None), AccessDenied)

    def test_unsigned_headers(self) -> None:
        """A header that AWS wants signed and is not is refused, by name."""
        for name in ("x-amz-acl", "x-amz-meta-x", "content-md5", "x-amz-copy-source"):
            sent = self.sent.having(**{name: "value"})
            error = self.refused(sent, AccessDenied, "which were not signed")
            self.assertEqual(error.members, {"HeadersNotSigned": name})

    def test_unsigned_host(self) -> None:
        """The host must be signed, and so must the time."""
        for name in ("host", "x-amz-date"):
            listed = self.sent.headers["authorization"].replace(f"{name};", "")
            listed = listed.replace(f";{name},", ",")
            error = self.refused(
                self.sent.having(authorization=listed), AccessDenied, "not signed"
            )
            self.assertEqual(error.members, {"HeadersNotSigned": name})

    def test_nothing_signed(self) -> None:
        """An empty list of signed headers lacks the host, in a header as in a query."""
        listed = self.sent.headers["authorization"]
        before, mark, after = listed.partition("SignedHeaders=")
        listed = f"{before}{mark},{after.partition(',')[2]}"
        error = self.refused(
            self.sent.having(authorization=listed), AccessDenied, "not signed"
        )
        self.assertEqual(
            str(error.members["HeadersNotSigned"]).partition(",")[0], "host"
        )

    def test_skew(self) -> None:
        """A time more than a quarter of an hour off is refused, both times named."""
        for skew in (-901, 901):
            sent = evolve(self.sent, now=self.sent.now + skew)
            error = self.refused(sent, RequestTimeTooSkewed)
            self.assertEqual(error.members["RequestTime"], sent.headers["x-amz-date"])
            self.assertEqual(error.members["MaxAllowedSkewMilliseconds"], 900000)
            self.assertIn("ServerTime", error.members)

    def test_dates(self) -> None:
        """A request without a time, or with one that is none, is denied."""
        for date in (None, "", "20260101", "20261301T000000Z", "2026-01-01T00:00:00Z"):
            self.refused(self.sent.having(x_amz_date=date), AccessDenied, "valid Date")
        self.refused(self.sent.having(x_amz_date=None, date="yesterday"), AccessDenied)

    def test_content_sha256(self) -> None:
        """The payload's hash must be there and be one."""
        self.refused(
            self.sent.having(x_amz_content_sha256=None),
            InvalidRequest,
            "Missing required header for this request: x-amz-content-sha256",
        )
        for value in ("", "abc", EMPTY[1:], EMPTY + "0", "g" * 64, "STREAMING-X"):
            error = self.refused(
                self.sent.having(x_amz_content_sha256=value), InvalidArgument
            )
            self.assertEqual(error.members["ArgumentName"], "x-amz-content-sha256")

    def test_other_mechanisms(self) -> None:
        """SigV2 is no longer, SigV4A not yet, and Basic never supported."""
        for value, error in (
            ("AWS key:signature", InvalidRequest),
            ("AWS4-ECDSA-P256-SHA256 Credential=a/b", NotImplemented),
            ("Basic dXNlcjpwYXNz", InvalidArgument),
            ("", AccessDenied),
        ):
            self.refused(self.sent.having(authorization=value), error)
        self.refused(
            self.sent.having(
                x_amz_content_sha256="STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD"
            ),
            NotImplemented,
        )
        unsigned = self.sent.having(authorization=None)
        self.refused(
            evolve(
                unsigned, target=b"/bucket/k?AWSAccessKeyId=a&Signature=b&Expires=1"
            ),
            InvalidRequest,
            "AWS4-HMAC-SHA256",
        )

    def test_two_mechanisms(self) -> None:
        """Credentials in the header and in the query are one too many."""
        for query in ("X-Amz-Algorithm=AWS4-HMAC-SHA256", "Signature=x"):
            error = self.refused(
                evolve(self.sent, target=f"/bucket/k?{query}".encode()),
                InvalidArgument,
                "Only one auth mechanism allowed",
            )
            self.assertEqual(error.members["ArgumentName"], "Authorization")
            self.assertNotIn("Signature=", str(error.members))

    def test_malformed(self) -> None:
        """Authorization with a part doubled, missing or malformed is refused."""
        value = self.sent.headers["authorization"]
        for changed in (
            f"{value},{value}",
            f"{value}, Signature=0",
            value.replace("Signature=", "Signatur="),
            value.replace("SignedHeaders=host;", "SignedHeaders=Host;"),
            value.replace("SignedHeaders=host;", "SignedHeaders=;"),
            value.replace(f"Credential={ACCESS_ID}/", "Credential="),
            value.replace(ACCESS_ID, ""),
            value.replace("/eu-central-1", "/"),
            "AWS4-HMAC-SHA256 ",
            "AWS4-HMAC-SHA256 Credential=a/20260101/r/s3/aws4_request",
        ):
            self.refused(
                self.sent.having(authorization=changed), AuthorizationHeaderMalformed
            )

    def test_said_of_the_scope(self) -> None:
        """What is wrong with the scope is said in S3's words."""
        timestamp = self.sent.headers["x-amz-date"]
        for old, new, said in (
            (
                f"/{timestamp[:8]}/",
                "/20150101/",
                "Invalid credential date. Date is not the same as X-Amz-Date.",
            ),
            (
                "/eu-central-1/",
                "//",
                "a non-empty region must be provided in the credential.",
            ),
        ):
            error = self.refused(
                self.sent.replacing(old, new), AuthorizationHeaderMalformed
            )
            self.assertEqual(
                error.message, f"The authorization header is malformed; {said}"
            )

    def test_no_space(self) -> None:
        """Authorization without a space is refused, and the signature is not said again."""
        value = self.sent.headers["authorization"]
        for changed in ("AWS4-HMAC-SHA256", "Basic", value.replace(" ", "")):
            error = self.refused(
                self.sent.having(authorization=changed),
                InvalidArgument,
                "one and only one ' ' (space) required",
            )
            self.assertEqual(error.members["ArgumentName"], "Authorization")
            self.assertNotIn(value[-64:], str(error.members))
