"""What requests say about their signatures, under Hypothesis: a claim, or an error that can be told."""

from __future__ import annotations

import calendar
import re
import time
from email.utils import formatdate

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ozgate.auth.claims import read_claim
from ozgate.auth.signedtimes import parse_timestamp
from ozgate.errors import AccessDenied, RequestTimeTooSkewed, S3Error
from ozgate.wire.headers import Headers
from tests.fuzz import claims
from tests.fuzz.judging import check_error

SCOPE = "id/20261118/us-east-1/s3/aws4_request"
PIECES = st.one_of(st.sampled_from(claims.WORDS), st.binary(max_size=4))
VALUES = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        [
            *("AWS4-HMAC-SHA256", SCOPE, "20261118T110640Z", "host", "300", "0" * 64),
            *("", "-1", "604801", "a/b", "s3express", "UNSIGNED-PAYLOAD", "Host;"),
            *("id/20261118/us-east-1/s3/aws4_request/x", "20261118T999999Z", "²"),
        ]
    ),
)
NAMES = st.sampled_from(
    [
        *("X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature", "X-Amz-Date"),
        *("X-Amz-SignedHeaders", "X-Amz-Expires", "X-Amz-Content-Sha256", "acl"),
        *("AWSAccessKeyId", "Signature", "Expires"),
    ]
)


def header(**changes: str) -> dict[str, str]:
    """Headers of a good claim, some of them changed; ``_`` stands for ``-``."""
    given = {
        "authorization": f"AWS4-HMAC-SHA256 Credential={SCOPE}, SignedHeaders=host, Signature={'0' * 64}",
        "x-amz-date": "20261118T110640Z",
        "x-amz-content-sha256": "UNSIGNED-PAYLOAD",
    }
    return given | {name.replace("_", "-"): text for name, text in changes.items()}


class ClaimTests(SynchronousTestCase):
    """Claims in headers and in queries."""

    @settings(deadline=None, max_examples=200)
    @given(st.lists(PIECES, max_size=12).map(b"".join))
    def test_any_request(self, data: bytes) -> None:
        """Whatever is sent is let in where signatures are not verified, or refused; never anything else."""
        claims.one_input(data)
        claims.one_input(b"/b/k?" + data.replace(b"\n", b"&") + b"\nhost: localhost")

    @given(st.lists(st.tuples(NAMES, VALUES), max_size=8))
    def test_any_query(self, items: list[tuple[str, str]]) -> None:
        """A query is a claim that says what it says, or an error."""
        try:
            claim = read_claim(items, Headers({}), claims.NOW)
        except S3Error as error:
            check_error(error)
            return
        assert claim is not None
        self.assertEqual(claim.signature, dict(items)["X-Amz-Signature"])
        self.assertTrue(dict(items)["X-Amz-Credential"].endswith(claim.signer.scope))

    @given(
        st.sampled_from(["authorization", "x-amz-date", "x-amz-content-sha256"]), VALUES
    )
    def test_any_value(self, name: str, text: str) -> None:
        """Any header of a claim, with anything in it."""
        try:
            self.assertIsNotNone(
                read_claim([], Headers({**header(), name: text}), claims.NOW)
            )
        except S3Error as error:
            check_error(error)


class TimeTests(SynchronousTestCase):
    """When a request was signed."""

    @given(
        st.one_of(
            st.from_regex(r"[0-9]{8}T[0-9]{6}Z", fullmatch=True), st.text(max_size=20)
        )
    )
    def test_any_timestamp(self, text: str) -> None:
        """A timestamp is what the standard library reads, if it has every digit; its leap second is none of ours."""
        try:
            parsed = time.strptime(text, "%Y%m%dT%H%M%SZ")
            there = re.fullmatch(r"[0-9]{8}T[0-9]{6}Z", text) is not None
        except ValueError:
            there = False
        found = parse_timestamp(text)
        if found is not None:
            self.assertTrue(there)
            self.assertEqual(found, calendar.timegm(parsed))
        elif there:
            self.assertIn(text[13:15], ("60", "61"))

    @settings(deadline=None)
    @given(
        st.one_of(
            st.text(max_size=40),
            st.text("MonTueNvDec 0123456789:,+-GTZ()", max_size=40),
            st.lists(
                st.sampled_from(
                    "Wed, |18 |Nov |2026 |99999 |11:|06:40 |GMT|+9999999|-".split("|")
                ),
                max_size=9,
            ).map("".join),
        )
    )
    def test_any_date(self, text: str) -> None:
        """A Date header is a time or none, whatever the parser of the standard library makes of it."""
        sent = header(date=text)
        del sent["x-amz-date"]
        try:
            read_claim([], Headers(sent), claims.NOW)
        except (AccessDenied, RequestTimeTooSkewed) as error:
            check_error(error)

    @given(st.integers(-899, 899))
    def test_dates_within(self, seconds: int) -> None:
        """A Date header that is right is taken, in either of the forms that clients send."""
        for usegmt in (False, True):
            date = formatdate(claims.NOW + seconds, usegmt=usegmt)
            sent = header(date=date)
            del sent["x-amz-date"]
            claim = read_claim([], Headers(sent), claims.NOW)
            assert claim is not None
            self.assertEqual(parse_timestamp(claim.timestamp), claims.NOW + seconds)
