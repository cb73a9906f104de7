"""Tests of :mod:`ozgate.auth.sigv4`: what AWS accepts is accepted, and what is changed after it was signed is not."""

from __future__ import annotations

import string
from email.utils import formatdate
from urllib.parse import quote

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ozgate.auth.canonical import (
    canonical_request,
    signature,
    signing_key,
    string_to_sign,
)
from ozgate.auth.sigv4 import sign
from ozgate.errors import (
    AuthorizationHeaderMalformed,
    InvalidAccessKeyId,
    NotImplemented,
    S3Error,
    SignatureDoesNotMatch,
)
from tests.unit.auth.signed import (
    ACCESS_ID,
    DOCUMENTED,
    EMPTY,
    SECRET,
    URL,
    Sent,
    seconds,
    signed_by_botocore,
)

REGION = "eu-north-1"
KEYS = st.text(
    st.characters(exclude_categories=["Cs"]) | st.sampled_from("/.+ %~&=?#"),
    min_size=1,
    max_size=60,
)
NAMES = st.sampled_from(["prefix", "tagging", "uploadId", "list-type", "a b", "é"])
QUERIES = st.lists(st.tuples(NAMES, KEYS | st.just("")), max_size=5)
VALUES = st.text(string.ascii_letters + string.digits + " \t;,=/é", max_size=30)
HEADERS = st.dictionaries(
    st.sampled_from(["x-amz-meta-a", "x-amz-meta-b", "Content-Type", "Range"]), VALUES
)


def documented(
    method: str, target: str, signed_headers: str, signature: str, **headers: str
) -> Sent:
    """A request of AWS's documentation, "Signature Calculations for the Authorization Header"."""
    values = {
        "host": "examplebucket.s3.amazonaws.com",
        "x-amz-content-sha256": EMPTY,
        "x-amz-date": "20130524T000000Z",
        "authorization": f"AWS4-HMAC-SHA256 Credential={DOCUMENTED}/20130524/us-east-1/s3/aws4_request,SignedHeaders={signed_headers},Signature={signature}",
    }
    values.update({name.replace("_", "-"): text for name, text in headers.items()})
    return Sent(method, target.encode(), values, seconds("20130524T000000Z"))


class DocumentedTests(SynchronousTestCase):
    """The examples of the Amazon S3 API Reference."""

    def test_get_object(self) -> None:
        """The documented GET with a range verifies."""
        sent = documented(
            "GET",
            "/test.txt",
            "host;range;x-amz-content-sha256;x-amz-date",
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
            range="bytes=0-9",
        )
        verified = self.successResultOf(sent.verify(domains=("s3.amazonaws.com",)))
        self.assertEqual(verified.access_id, DOCUMENTED)
        self.assertEqual(verified.payload, EMPTY)
        self.assertEqual(verified.scope, "20130524/us-east-1/s3/aws4_request")
        self.assertFalse(verified.presigned)

    def test_put_object(self) -> None:
        """The documented PUT, with a key that needs encoding and a Date, verifies."""
        sent = documented(
            "PUT",
            "/test$file.text",
            "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
            date="Fri, 24 May 2013 00:00:00 GMT",
            x_amz_storage_class="REDUCED_REDUNDANCY",
            x_amz_content_sha256="44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
        )
        self.successResultOf(sent.verify(domains=("s3.amazonaws.com",)))

    def test_name_without_value(self) -> None:
        """The documented GET of ``?lifecycle`` verifies."""
        sent = documented(
            "GET",
            "/?lifecycle",
            "host;x-amz-content-sha256;x-amz-date",
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
        )
        self.successResultOf(sent.verify(domains=("s3.amazonaws.com",)))

    def test_query(self) -> None:
        """The documented listing verifies, whatever the order of its query."""
        sent = documented(
            "GET",
            "/?prefix=J&max-keys=2",
            "host;x-amz-content-sha256;x-amz-date",
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
        )
        self.successResultOf(sent.verify(domains=("s3.amazonaws.com",)))


class AcceptedTests(SynchronousTestCase):
    """What must verify."""

    @settings(deadline=None, max_examples=150)
    @given(key=KEYS, query=QUERIES, headers=HEADERS, data=st.binary(max_size=20))
    def test_as_botocore_signs(
        self,
        key: str,
        query: list[tuple[str, str]],
        headers: dict[str, str],
        data: bytes,
    ) -> None:
        """Whatever botocore signs verifies."""
        pairs = "&".join(
            f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in query
        )
        url = f"{URL}/bucket/{quote(key, safe='/~')}" + ("?" + pairs if pairs else "")
        sent = signed_by_botocore("PUT", url, headers, data)
        if len(key.encode()) <= 1024:
            verified = self.successResultOf(sent.verify())
            self.assertEqual(verified.access_id, ACCESS_ID)

    @settings(deadline=None, max_examples=50)
    @given(key=KEYS, query=QUERIES, headers=HEADERS)
    def test_as_ours_signs(
        self, key: str, query: list[tuple[str, str]], headers: dict[str, str]
    ) -> None:
        """Whatever :func:`ozgate.auth.sigv4.sign` signs verifies."""
        pairs = "&".join(
            f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in query
        )
        target = f"/bucket/{quote(key, safe='/~')}" + ("?" + pairs if pairs else "")
        now = seconds("20261122T120000Z")
        signed = sign(
            "DELETE", URL + target, headers, ACCESS_ID, SECRET, "us-east-1", now
        )
        sent = Sent("DELETE", target.encode(), signed, now)
        self.successResultOf(sent.verify())

    def test_other_escapes(self) -> None:
        """A path that the client escapes otherwise than AWS does is the same path."""
        sent = signed_by_botocore("GET", URL + "/bucket/a%20b%28c%29%2Bd~e")
        for target in (b"/bucket/%61%20b(c)+d%7ee", b"/bucket/a%20b%28c%29%2bd~e"):
            self.successResultOf(evolve(sent, target=target).verify())

    def test_any_region(self) -> None:
        """A client may sign for any region."""
        for region in ("us-east-1", "eu-central-1", "garage", "us-gov-west-1"):
            sent = signed_by_botocore("GET", URL + "/b12/k", region=region)
            self.successResultOf(sent.verify())

    def test_skew_within_bounds(self) -> None:
        """A quarter of an hour either way is allowed."""
        sent = signed_by_botocore("GET", URL + "/bucket/k")
        for skew in (-900, 900):
            self.successResultOf(evolve(sent, now=sent.now + skew).verify())

    def test_unsigned_payload_hash(self) -> None:
        """The header with the payload's hash need not be signed: what it says is."""
        sent = signed_by_botocore("GET", URL + "/bucket/k", region=REGION)
        timestamp, names = sent.headers["x-amz-date"], ("host", "x-amz-date")
        scope = f"{timestamp[:8]}/{REGION}/s3/aws4_request"
        request = canonical_request(
            "GET",
            b"/bucket/k",
            [],
            [(name, sent.headers[name]) for name in names],
            ";".join(names),
            sent.headers["x-amz-content-sha256"],
        )
        key = signing_key(SECRET, timestamp[:8], REGION)
        made = signature(key, string_to_sign(timestamp, scope, request))
        sent = sent.having(
            authorization=f"AWS4-HMAC-SHA256 Credential={ACCESS_ID}/{scope}, SignedHeaders={';'.join(names)}, Signature={made}"
        )
        self.successResultOf(sent.verify())
        self.failureResultOf(
            sent.having(x_amz_content_sha256="UNSIGNED-PAYLOAD").verify(),
            SignatureDoesNotMatch,
        )

    def test_date_header(self) -> None:
        """Where there is no x-amz-date, Date is the request's time."""
        now = seconds("20261122T120000Z")
        sent = signed_by_botocore(
            "GET", URL + "/bucket/k", {"Date": formatdate(now, usegmt=True)}
        )
        self.assertNotIn("x-amz-date", sent.headers)
        self.successResultOf(sent.verify())

    def test_order_and_blanks(self) -> None:
        """The components of Authorization may come in any order and without blanks."""
        sent = signed_by_botocore("GET", URL + "/bucket/k")
        scheme, _, rest = sent.headers["authorization"].partition(" ")
        turned = ",".join(part.strip() for part in reversed(rest.split(",")))
        self.successResultOf(sent.having(authorization=f"{scheme} {turned}").verify())

    def test_security_off(self) -> None:
        """With security off any key and signature of good form passes, without a key for chunks."""
        sent = signed_by_botocore("GET", URL + "/bucket/k", access_id="who/ever")
        broken = evolve(sent, target=b"/bucket/other")
        verified = self.successResultOf(broken.verify(None))
        self.assertEqual(verified.access_id, "who/ever")
        self.assertIsNone(verified.signing_key)


class MutatedTests(SynchronousTestCase):
    """Each signed part, changed."""

    def setUp(self) -> None:
        """Sign a request that has every part."""
        self.sent = signed_by_botocore(
            "PUT",
            URL + "/bucket/key?partNumber=1&uploadId=x",
            {"x-amz-meta-a": "one  two", "Content-MD5": "abc", "Content-Type": "t/t"},
            b"body",
        )
        self.successResultOf(self.sent.verify())

    def refused(self, sent: Sent, *errors: type[S3Error]) -> S3Error:
        """The error, which is one of those given."""
        error = self.failureResultOf(sent.verify(), *errors).value
        assert isinstance(error, S3Error)
        return error

    def test_request_line(self) -> None:
        """Another method, bucket, key or query is refused."""
        for mutated in (
            evolve(self.sent, method="POST"),
            self.sent.replacing("/bucket/", "/bucker/"),
            self.sent.replacing("/key", "/kez"),
            self.sent.replacing("/key", "/key/"),
            self.sent.replacing("/key", "//key"),
            self.sent.replacing("/key", "/./key"),
            self.sent.replacing("partNumber=1", "partNumber=2"),
            self.sent.replacing("partNumber=1&", ""),
            self.sent.replacing("partNumber=1", "partNumber=1&partNumber=1"),
            self.sent.replacing("uploadId=x", "uploadId=x&acl"),
            self.sent.replacing("uploadId=x", "uploadId=x&X-Amz-signature=1"),
        ):
            self.refused(mutated, SignatureDoesNotMatch)

    def test_headers(self) -> None:
        """Another value of a signed header, or none, is refused."""
        for mutated in (
            self.sent.having(host="localhost:9879"),
            self.sent.having(x_amz_meta_a="one two three"),
            self.sent.having(x_amz_meta_a=None),
            self.sent.having(content_md5="abd"),
            self.sent.having(content_type="t/u"),
            self.sent.having(x_amz_content_sha256="UNSIGNED-PAYLOAD"),
            self.sent.having(x_amz_content_sha256=EMPTY),
        ):
            self.refused(mutated, SignatureDoesNotMatch)

    def test_other_services(self) -> None:
        """The operations of S3's model that are signed for other services are not built."""
        for service in ("s3express", "s3-object-lambda"):
            sent = self.sent.replacing("/s3/", f"/{service}/")
            self.refused(sent, NotImplemented)

    def test_scope(self) -> None:
        """Another date, region, service, end of scope or signature is refused."""
        timestamp = self.sent.headers["x-amz-date"]
        later = str(int(timestamp[9:15]) ^ 1).zfill(6)
        for mutated in (
            self.sent.having(x_amz_date=f"{timestamp[:9]}{later}Z"),
            self.sent.replacing("eu-central-1", "eu-central-2"),
            self.sent.replacing("Signature=", "Signature=0"),
            self.sent.replacing("Signature=", "Signature=é"),
        ):
            self.refused(mutated, SignatureDoesNotMatch)
        for mutated in (
            self.sent.replacing(";x-amz-date", ";x-amz-date;x-amz-date"),
            self.sent.replacing(timestamp[:8], "20150101"),
            self.sent.replacing("/s3/", "/iam/"),
            self.sent.replacing("aws4_request", "aws5_request"),
        ):
            self.refused(mutated, AuthorizationHeaderMalformed)

    def test_access_id(self) -> None:
        """An access id that nobody has is told so."""
        error = self.refused(
            self.sent.replacing(ACCESS_ID, "testuser/scn@EXAMPLE.COM"),
            InvalidAccessKeyId,
        )
        self.assertEqual(error.members, {"AWSAccessKeyId": "testuser/scn@EXAMPLE.COM"})

    @settings(deadline=None, max_examples=200)
    @given(place=st.integers(0, 10**6), character=st.characters(codec="ascii"))
    def test_any_character(self, place: int, character: str) -> None:
        """Authorization with any one character changed is refused."""
        sent = signed_by_botocore("GET", URL + "/bucket/k")
        value = sent.headers["authorization"]
        place %= len(value)
        changed = value[:place] + character + value[place + 1 :]
        if changed.split() != value.split():
            self.failureResultOf(sent.having(authorization=changed).verify(), S3Error)

    def test_mismatch_document(self) -> None:
        """A wrong signature is answered with what was signed, for the client's author to compare."""
        error = self.refused(
            evolve(self.sent, target=b"/bucket/other"), SignatureDoesNotMatch
        )
        self.assertEqual(
            list(error.members),
            [
                "AWSAccessKeyId",
                "StringToSign",
                "SignatureProvided",
                "StringToSignBytes",
                "CanonicalRequest",
                "CanonicalRequestBytes",
            ],
        )
        self.assertEqual(
            bytes.fromhex(str(error.members["CanonicalRequestBytes"])).decode(),
            error.members["CanonicalRequest"],
        )
        self.assertIn("x-amz-meta-a:one two\n", str(error.members["CanonicalRequest"]))
