"""Tests of presigned URLs: ours and botocore's, accepted and refused."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ozgate.auth.presign import presign
from ozgate.errors import (
    AccessDenied,
    AuthorizationQueryParametersError,
    InvalidAccessKeyId,
    InvalidArgument,
    NotImplemented,
    S3Error,
    SignatureDoesNotMatch,
)
from tests.unit.auth.signed import (
    ACCESS_ID,
    DOCUMENTED,
    SECRET,
    URL,
    Sent,
    presigned_by_botocore,
    seconds,
)

NOW = seconds("20130524T000000Z")


def ours(method: str, url: str, query: dict[str, str], expires: int = 86400) -> Sent:
    """A request made from a URL of our own."""
    made = presign(method, url, ACCESS_ID, SECRET, "us-east-1", expires, NOW, query)
    parts = urlsplit(made)
    return Sent(
        method,
        f"{parts.path}?{parts.query}".encode(),
        {"host": parts.netloc},
        NOW,
    )


class PresignTests(SynchronousTestCase):
    """Making URLs."""

    def test_documented(self) -> None:
        """The documented example comes out, signature for signature."""
        url = presign(
            "GET",
            "https://examplebucket.s3.amazonaws.com/test.txt",
            DOCUMENTED,
            SECRET,
            "us-east-1",
            86400,
            NOW,
            {},
        )
        self.assertEqual(
            url,
            "https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256"
            "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
            "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
            "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404",
        )

    def test_headers(self) -> None:
        """A header signed with the URL is needed with it."""
        url = presign(
            "PUT",
            URL + "/bucket/k",
            ACCESS_ID,
            SECRET,
            "us-east-1",
            60,
            NOW,
            {},
            {"Content-MD5": "x"},
        )
        parts = urlsplit(url)
        sent = Sent(
            "PUT",
            f"{parts.path}?{parts.query}".encode(),
            {"host": parts.netloc, "content-md5": "x"},
            NOW,
        )
        self.successResultOf(sent.verify())
        self.failureResultOf(
            sent.having(content_md5=None).verify(), SignatureDoesNotMatch
        )

    def test_lifetime(self) -> None:
        """A lifetime that no server accepts is refused when the URL is made."""
        for expires in (0, -1, 604801):
            with self.assertRaises(ValueError):
                ours("GET", URL + "/bucket/k", {}, expires)

    @settings(deadline=None, max_examples=50)
    @given(
        key=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40),
        value=st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    )
    def test_ours_verifies(self, key: str, value: str) -> None:
        """A URL of ours verifies, whatever the key and query."""
        sent = ours(
            "PUT", f"{URL}/bucket/{quote(key)}", {"uploadId": value, "partNumber": "1"}
        )
        verified = self.successResultOf(sent.verify())
        self.assertTrue(verified.presigned)
        self.assertEqual(verified.payload, "UNSIGNED-PAYLOAD")


class AcceptedTests(SynchronousTestCase):
    """URLs that clients make."""

    @settings(deadline=None, max_examples=50)
    @given(
        key=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40),
        method=st.sampled_from(["GET", "PUT", "DELETE", "HEAD"]),
    )
    def test_botocore(self, key: str, method: str) -> None:
        """A URL of botocore verifies, for every method and key."""
        sent = presigned_by_botocore(method, f"{URL}/bucket/{quote(key)}?versionId=1")
        verified = self.successResultOf(sent.verify())
        self.assertEqual(verified.access_id, ACCESS_ID)

    def test_signed_header(self) -> None:
        """Headers that are signed with the URL are needed with it."""
        sent = presigned_by_botocore(
            "PUT", URL + "/bucket/k", {"x-amz-acl": "private", "Content-Type": "a/b"}
        )
        self.successResultOf(sent.verify())
        self.failureResultOf(
            sent.having(x_amz_acl=None).verify(), SignatureDoesNotMatch
        )
        self.failureResultOf(
            sent.having(content_type="c/d").verify(), SignatureDoesNotMatch
        )

    def test_expiry_to_the_second(self) -> None:
        """A URL lives to the end of its last second, and may be made a quarter of an hour ahead."""
        sent = ours("GET", URL + "/bucket/k", {}, 60)
        for now in (NOW - 900, NOW, NOW + 60):
            self.successResultOf(evolve(sent, now=now).verify())
        error = self.failureResultOf(
            evolve(sent, now=NOW + 60.5).verify(), AccessDenied
        ).value
        assert isinstance(error, S3Error)
        self.assertEqual(error.message, "Request has expired")
        self.assertEqual(
            error.members,
            {
                "X-Amz-Expires": 60,
                "Expires": "2013-05-24T00:01:00Z",
                "ServerTime": "2013-05-24T00:01:00Z",
            },
        )
        error = self.failureResultOf(
            evolve(sent, now=NOW - 901).verify(), AccessDenied
        ).value
        assert isinstance(error, S3Error)
        self.assertEqual(error.message, "Request is not yet valid")
        self.assertEqual(
            error.members,
            {
                "X-Amz-Date": NOW * 1000,
                "Expires": "2013-05-24T00:01:00Z",
                "ServerTime": "2013-05-23T23:44:59Z",
            },
        )

    def test_no_lifetime(self) -> None:
        """A URL may say that it lives for no time at all: a moment later it has expired."""
        sent = ours("GET", URL + "/bucket/k", {}, 60).replacing(
            "Expires=60", "Expires=0"
        )
        error = self.failureResultOf(
            evolve(sent, now=NOW + 0.5).verify(), AccessDenied
        ).value
        assert isinstance(error, S3Error)
        self.assertEqual(error.message, "Request has expired")
        self.assertEqual(error.members["X-Amz-Expires"], 0)


class RefusedTests(SynchronousTestCase):
    """URLs that were changed."""

    def setUp(self) -> None:
        """Make one that verifies."""
        self.sent = ours("GET", URL + "/bucket/k", {"versionId": "1"})
        self.successResultOf(self.sent.verify())

    def test_mutated(self) -> None:
        """Any signed part changed is refused."""
        for mutated in (
            evolve(self.sent, method="DELETE"),
            self.sent.having(host="localhost"),
            self.sent.replacing("/bucket/k", "/bucket/l"),
            self.sent.replacing("versionId=1", "versionId=2"),
            self.sent.replacing("versionId=1", "versionId=1&acl"),
            self.sent.replacing("Expires=86400", "Expires=86401"),
            self.sent.replacing("us-east-1", "us-east-2"),
            self.sent.replacing("X-Amz-Signature=", "X-Amz-Signature=0"),
            self.sent.replacing("T000000Z", "T000001Z"),
        ):
            self.failureResultOf(mutated.verify(), SignatureDoesNotMatch)
        self.failureResultOf(
            self.sent.replacing("testuser", "somebody").verify(), InvalidAccessKeyId
        )

    def test_malformed(self) -> None:
        """A parameter missing, doubled or malformed is refused, with security on or off."""
        for old, new in (
            ("X-Amz-Algorithm=AWS4-HMAC-SHA256&", ""),
            ("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1"),
            ("&X-Amz-Expires=86400", ""),
            ("Expires=86400", "Expires=-1"),
            ("Expires=86400", "Expires=604801"),
            ("Expires=86400", "Expires=1e3"),
            ("Expires=86400", "Expires=%2B60"),
            ("Expires=86400", "Expires=%D9%A3"),
            ("Expires=86400", "Expires=" + "9" * 5000),
            ("Expires=86400", "Expires=86400&X-Amz-Expires=86400"),
            ("&X-Amz-SignedHeaders=host", ""),
            ("SignedHeaders=host", "SignedHeaders=Host"),
            ("SignedHeaders=host", "SignedHeaders=host%0A"),
            ("Date=20130524T000000Z", "Date=20130524"),
            ("Date=20130524T", "Date=20130525T"),
            ("%2Fs3%2F", "%2Fiam%2F"),
            ("aws4_request", "aws4"),
            ("X-Amz-Signature", "X-Amz-Signatur"),
        ):
            sent = self.sent.replacing(old, new)
            self.assertNotEqual(sent, self.sent)
            for secrets_off in (True, False):
                verify = sent.verify(None) if secrets_off else sent.verify()
                self.failureResultOf(verify, AuthorizationQueryParametersError)

    def test_unsigned_header(self) -> None:
        """A header that the URL's maker did not sign cannot be added."""
        for name in ("x-amz-acl", "x-amz-tagging"):
            self.failureResultOf(
                self.sent.having(**{name: "UNSIGNED-PAYLOAD"}).verify(), AccessDenied
            )

    def test_unsigned_payload_hash(self) -> None:
        """The hash of the payload is signed by itself: it may be said, but no other."""
        for value, error in (
            ("UNSIGNED-PAYLOAD", None),
            ("0" * 64, SignatureDoesNotMatch),
            ("STREAMING-UNSIGNED-PAYLOAD-TRAILER", SignatureDoesNotMatch),
        ):
            verified = self.sent.having(x_amz_content_sha256=value).verify()
            if error is None:
                self.successResultOf(verified)
            else:
                self.failureResultOf(verified, error)

    def test_two_payloads(self) -> None:
        """A payload's hash that the query and a header give differently is refused."""
        sent = self.sent.replacing(
            "versionId=1", "versionId=1&X-Amz-Content-Sha256=UNSIGNED-PAYLOAD"
        ).having(x_amz_content_sha256="0" * 64)
        self.failureResultOf(sent.verify(), InvalidArgument)

    def test_ecdsa(self) -> None:
        """SigV4A is not built."""
        self.failureResultOf(
            self.sent.replacing("HMAC-SHA256", "ECDSA-P256-SHA256").verify(),
            NotImplemented,
        )
