"""Tests of :mod:`ozgate.auth.sigv2`: the URLs that botocore presigns are accepted, and nothing else."""

from __future__ import annotations

import string
from urllib.parse import quote

from attrs import evolve
from botocore.auth import HmacV1QueryAuth
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ozgate.auth.sigv2 import SUB_RESOURCES
from ozgate.errors import (
    AccessDenied,
    AuthorizationQueryParametersError,
    InvalidAccessKeyId,
    InvalidArgument,
    InvalidRequest,
    S3Error,
    SignatureDoesNotMatch,
)
from ozgate.s3.resolve import SELECTORS
from tests.unit.auth.signed import ACCESS_ID, DOCUMENTED, EMPTY, SECRET, Sent
from tests.unit.auth.sigv2urls import DOMAIN, HOST, LIFE, presigned

WEEK = 604800

KEYS = st.text(
    st.characters(exclude_categories=["Cs"]) | st.sampled_from("/.+ %~&=?#:"),
    min_size=1,
    max_size=60,
)
QUERIES = st.dictionaries(
    st.sampled_from(
        "versionId uploadId partNumber uploads tagging response-content-type "
        "response-content-disposition prefix max-keys x-id acl delete".split()
    ),
    st.none() | st.text(string.printable + "é", max_size=20),
    max_size=5,
)
VALUES = st.text(string.ascii_letters + string.digits + " ;,=:/é", max_size=30)
HEADERS = st.dictionaries(
    st.sampled_from(
        ["x-amz-meta-a", "X-Amz-Meta-B", "x-amz-acl", "Content-Type", "Content-MD5"]
    ),
    VALUES,
)


def encoded(query: dict[str, str | None]) -> str:
    """A query string; names of ``None`` have no mark."""
    return "&".join(
        name if value is None else f"{name}={quote(value, safe='')}"
        for name, value in query.items()
    )


class GateTestCase(SynchronousTestCase):
    """Assertions about what the gate says."""

    def accepted(self, sent: Sent) -> None:
        """It is ACCESS_ID's, whose body is not signed."""
        verified = self.successResultOf(sent.verify(domains=(DOMAIN,), sigv2=True))
        self.assertEqual(verified.access_id, ACCESS_ID)
        self.assertEqual(verified.user, ACCESS_ID)
        self.assertEqual(verified.payload, "UNSIGNED-PAYLOAD")
        self.assertTrue(verified.presigned)
        self.assertIsNone(verified.signing_key)

    def refused(
        self, sent: Sent, kind: type[S3Error], message: str = "", sigv2: bool = True
    ) -> S3Error:
        """It is refused with that error, whose message has that in it."""
        error: S3Error = self.failureResultOf(
            sent.verify(domains=(DOMAIN,), sigv2=sigv2), kind
        ).value
        self.assertIn(message, error.message)
        return error


class AcceptedTests(GateTestCase):
    """What must verify."""

    def test_documented(self) -> None:
        """The documented URL verifies: its bucket is in the host, its signature AWS's own."""
        sent = Sent(
            "GET",
            f"/photos/puppy.jpg?AWSAccessKeyId={DOCUMENTED}&Signature=NpgCjnDzrM%2BWFzoENXmpNDUsSn8%3D&Expires=1175139620".encode(),
            {"host": "johnsmith.s3.amazonaws.com"},
            1175139620.0,
        )
        verified = self.successResultOf(
            sent.verify(domains=("s3.amazonaws.com",), sigv2=True)
        )
        self.assertEqual(verified.access_id, DOCUMENTED)

    @settings(deadline=None, max_examples=150)
    @given(
        method=st.sampled_from(["GET", "PUT", "HEAD", "DELETE", "POST"]),
        key=KEYS,
        query=QUERIES,
        headers=HEADERS,
        virtual=st.booleans(),
        again=st.booleans(),
    )
    def test_as_botocore_signs(
        self,
        method: str,
        key: str,
        query: dict[str, str | None],
        headers: dict[str, str],
        virtual: bool,
        again: bool,
    ) -> None:
        """Whatever botocore presigns verifies, whether x-amz- headers are sent besides or not."""
        path = "/" + quote(key, safe="/~")
        bucket = "bucket" if virtual else ""
        if not virtual:
            path = f"/bucket{path}"
        sent = presigned(method, path, encoded(query), headers, bucket)
        if again:
            sent = sent.having(
                **{name.lower(): value.strip(" ") for name, value in headers.items()}
            )
        if len(key.encode()) <= 1024:
            self.accepted(sent)

    def test_service_and_bucket(self) -> None:
        """Paths without a key end in a slash when they are signed, sent or not, in both styles."""
        self.accepted(presigned("GET", "/"))
        self.accepted(presigned("GET", "/bucket", "prefix=a"))
        self.accepted(presigned("GET", "/bucket/", "list-type=2"))
        self.accepted(presigned("PUT", "/", virtual_bucket="bucket"))

    def test_without_a_mark(self) -> None:
        """A sub-resource without a value is signed as it was sent, with or without the mark."""
        for query in ("acl", "acl=", "acl&versionId=", "uploads&x=1"):
            self.accepted(presigned("GET", "/bucket/k", query))

    def test_unsigned_parameters(self) -> None:
        """What this version does not sign may be added: AWS has it so."""
        sent = presigned("GET", "/bucket")
        self.accepted(evolve(sent, target=sent.target + b"&prefix=a&max-keys=1"))
        self.accepted(sent.having(range="bytes=0-1", if_match='"x"'))

    def test_week(self) -> None:
        """A URL lives for a week, and its maker's clock may be fast."""
        sent = presigned("GET", "/bucket/k")
        for ahead in (WEEK, WEEK + 900):
            self.accepted(evolve(sent, now=sent.now + LIFE - ahead))

    def test_last_second(self) -> None:
        """A URL is good until its last second is over."""
        sent = presigned("GET", "/bucket/k")
        self.accepted(evolve(sent, now=sent.now + LIFE))

    def test_security_off(self) -> None:
        """With security off any key and signature will do."""
        sent = presigned("GET", "/bucket/k", access_id="nobody")
        changed = sent.replacing("Signature=", "Signature=x")
        verified = self.successResultOf(changed.verify(None, sigv2=True))
        self.assertEqual(verified.access_id, "nobody")

    def test_stated_digest(self) -> None:
        """A digest that is sent for the body is part of what is signed, and counts."""
        sent = presigned(
            "PUT", "/bucket/k", headers={"x-amz-content-sha256": EMPTY}
        ).having(x_amz_content_sha256=EMPTY)
        verified = self.successResultOf(sent.verify(sigv2=True))
        self.assertEqual(verified.payload, EMPTY)


class RefusedTests(GateTestCase):
    """What must not verify."""

    def setUp(self) -> None:
        """A URL with something of everything."""
        self.sent = presigned(
            "PUT",
            "/bucket/key",
            "uploadId=abc&partNumber=1&x=y",
            {"Content-Type": "a/b", "Content-MD5": "Q", "x-amz-meta-a": "b"},
        )

    def test_changed(self) -> None:
        """Whatever was signed and then changed, added or taken away does not match."""
        sent = self.sent
        self.accepted(sent)
        for changed in (
            *(evolve(sent, method=method) for method in ("GET", "POST", "DELETE")),
            sent.replacing("/bucket/key", "/bucket/kez"),
            sent.replacing("/bucket/key", "/bucket/%6bey"),
            sent.replacing("/bucket/", "/bucket2/"),
            sent.replacing("uploadId=abc", "uploadId=abd"),
            sent.replacing("uploadId=abc&", ""),
            sent.replacing("partNumber=1", "partNumber=1&partNumber=2"),
            sent.replacing("x-amz-meta-a=b", "x-amz-meta-a=c"),
            sent.replacing("x-amz-meta-a=b", "x-amz-meta-a=b&x-amz-meta-a=c"),
            sent.replacing("x-amz-meta-a=b", "x-amz-meta-a=b&X-Amz-Acl=private"),
            sent.replacing("x-amz-meta-a=b&", ""),
            sent.replacing("Signature=", "Signature=x"),
            sent.replacing("%3D&", "&"),
            sent.having(content_type="a/c"),
            sent.having(content_type=None),
            sent.having(content_md5="R"),
            sent.having(content_md5=None),
            sent.having(x_amz_meta_a="c"),
            sent.having(x_amz_meta_b="c"),
            sent.having(x_amz_copy_source="bucket/other"),
            sent.having(x_amz_date="20260101T000000Z"),
            sent.having(x_amz_content_sha256=EMPTY),
        ):
            self.refused(changed, SignatureDoesNotMatch)

    def test_later(self) -> None:
        """Nobody lengthens the life of a URL."""
        expires = self.sent.target.rpartition(b"=")[2].decode()
        later = self.sent.replacing(expires, str(int(expires) + 1))
        self.refused(later, SignatureDoesNotMatch)

    @settings(deadline=None, max_examples=150)
    @given(
        name=st.sampled_from(sorted(SUB_RESOURCES)), value=st.sampled_from(["", "=x"])
    )
    def test_added_sub_resource(self, name: str, value: str) -> None:
        """A URL for one operation never is one for another."""
        for sent in (presigned("GET", "/bucket/key"), presigned("PUT", "/bucket")):
            changed = evolve(sent, target=sent.target + f"&{name}{value}".encode())
            self.refused(changed, SignatureDoesNotMatch)

    def test_all_sub_resources(self) -> None:
        """Each name that chooses an operation in the table is signed, as is what picks a version or part."""
        chosen = {name for names in SELECTORS.values() for name in names}
        paths = {name for name in chosen if name.startswith("/")}
        self.assertLessEqual(chosen - paths, SUB_RESOURCES)
        self.assertLessEqual(set(HmacV1QueryAuth.QSAOfInterest), SUB_RESOURCES)

    def test_as_text(self) -> None:
        """What was computed is told, and the secret is not."""
        error = self.refused(
            self.sent.replacing("/bucket/key", "/bucket/kez"), SignatureDoesNotMatch
        )
        expires = self.sent.target.rpartition(b"=")[2].decode()
        text = f"PUT\nQ\na/b\n{expires}\nx-amz-meta-a:b\n/bucket/kez?partNumber=1&uploadId=abc"
        self.assertEqual(error.members["StringToSign"], text)
        self.assertEqual(error.members["StringToSignBytes"], text.encode().hex(" "))
        self.assertEqual(error.members["AWSAccessKeyId"], ACCESS_ID)
        self.assertNotIn(SECRET, str(error.members))

    def test_one_text_for_two(self) -> None:
        """Parameters merged into the value of another are not taken for it, although their text is the same."""
        query = "response-expires=1&versionId=2"
        sent = presigned("GET", "/bucket/k", query)
        merged = sent.replacing(query, "response-expires=1%26versionId%3D2")
        self.refused(merged, InvalidArgument)
        sent = presigned(
            "PUT", "/bucket/k", headers={"x-amz-acl": "a", "x-amz-meta-a": "b"}
        )
        merged = sent.replacing("x-amz-acl=a", "x-amz-acl=a%0Ax-amz-meta-a:b")
        merged = merged.replacing("&x-amz-meta-a=b", "")
        self.refused(merged, InvalidArgument)
        sent = presigned("PUT", "/bucket/k", headers={"x-amz-meta-a": "b:c"})
        moved = sent.replacing("x-amz-meta-a=b%3Ac", "x-amz-meta-a%3Ab=c")
        self.refused(moved, InvalidArgument)

    def test_unknown_key(self) -> None:
        """An unknown access id is told so."""
        error = self.refused(
            presigned("GET", "/bucket/k", access_id="nobody"), InvalidAccessKeyId
        )
        self.assertEqual(error.members, {"AWSAccessKeyId": "nobody"})

    def test_expired(self) -> None:
        """A URL that was good is over, and says since when."""
        sent = presigned("GET", "/bucket/k")
        expires = sent.target.rpartition(b"=")[2].decode()
        late = evolve(sent, now=1175139620.5).replacing(expires, "1175139620")
        error = self.refused(late, AccessDenied, "Request has expired")
        when = "2007-03-29T03:40:20Z"
        self.assertEqual(error.members, {"Expires": when, "ServerTime": when})
        self.refused(evolve(sent, now=sent.now + LIFE + 1), AccessDenied)
        self.failureResultOf(late.verify(None, sigv2=True), AccessDenied)

    def test_no_date(self) -> None:
        """Expires must be seconds since the epoch."""
        expires = self.sent.target.rpartition(b"=")[2].decode()
        for text in ("x", "-1", "1.5", "1e9", "٣", "+1", "2026-01-01T00:00:00Z"):
            self.refused(
                self.sent.replacing(expires, quote(text)),
                AccessDenied,
                "Invalid date (should be seconds since epoch): ",
            )

    def test_too_long(self) -> None:
        """A URL of more than a week is refused, however far that is."""
        sent = presigned("GET", "/bucket/k")
        self.refused(
            evolve(sent, now=sent.now + LIFE - WEEK - 901),
            AuthorizationQueryParametersError,
            "less than a week",
        )
        expires = self.sent.target.rpartition(b"=")[2].decode()
        for text in ("9" * 12, "9" * 5000):
            self.refused(
                self.sent.replacing(expires, text), AuthorizationQueryParametersError
            )

    def test_doubled(self) -> None:
        """No parameter that authenticates may be there twice, even with one value."""
        for pair in self.sent.target.partition(b"?")[2].split(b"&"):
            name = pair.partition(b"=")[0]
            if name in (b"AWSAccessKeyId", b"Expires", b"Signature"):
                for more in (pair, name):
                    doubled = evolve(self.sent, target=self.sent.target + b"&" + more)
                    error = self.refused(doubled, InvalidArgument, "more than once")
                    self.assertEqual(error.members, {"ArgumentName": name.decode()})

    def test_missing(self) -> None:
        """All three parameters are needed; an Expires alone is no signature."""
        for name in ("AWSAccessKeyId", "Expires", "Signature"):
            for other in ("x", "awsaccesskeyid"):
                self.refused(
                    self.sent.replacing(f"{name}=", f"{other}="),
                    AccessDenied,
                    "requires the Signature, Expires and AWSAccessKeyId parameters",
                )
        self.refused(evolve(self.sent, target=b"/bucket/k?Expires=1"), AccessDenied)

    def test_two_mechanisms(self) -> None:
        """Of both versions, or with an Authorization header beside, is one too many."""
        for more in ("X-Amz-Algorithm=AWS4-HMAC-SHA256", "X-Amz-Signature=x"):
            self.refused(
                evolve(self.sent, target=self.sent.target + f"&{more}".encode()),
                InvalidArgument,
                "Only one auth mechanism allowed",
            )
        for value in ("AWS a:b", "AWS4-HMAC-SHA256 Credential=a", ""):
            self.refused(
                self.sent.having(authorization=value),
                InvalidArgument,
                "Only one auth mechanism allowed",
            )

    def test_header_form(self) -> None:
        """The Authorization header of this version stays refused."""
        sent = Sent(
            "GET",
            b"/bucket/k",
            {"host": HOST, "authorization": "AWS a:b"},
            self.sent.now,
        )
        self.refused(sent, InvalidRequest, "Please use AWS4-HMAC-SHA256")

    def test_chunks(self) -> None:
        """Signed chunks need the key of version 4."""
        mode = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
        sent = presigned("PUT", "/bucket/k", headers={"x-amz-content-sha256": mode})
        self.refused(
            sent.having(x_amz_content_sha256=mode), InvalidRequest, "signed in chunks"
        )

    def test_turned_off(self) -> None:
        """Unless it is turned on, a good URL is refused."""
        self.refused(
            self.sent, InvalidRequest, "Please use AWS4-HMAC-SHA256", sigv2=False
        )
