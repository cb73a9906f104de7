"""Requests of whoever is not let in: whatever they are about, they are told what strangers are told, and no operation begins.

Every method, on every scope and sub-resource, in both styles of addresses, with every kind of credentials that is none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from attrs import evolve, frozen
from twisted.internet.defer import Deferred

from ozgate.auth import secretstore
from ozgate.s3 import entering, finish, receive
from ozgate.s3.resolve import SELECTORS
from ozgate.wire.target import Scope
from tests.attack.requests import Draft, Fields, Sent
from tests.attack.support import AttackTestCase, Outcome
from tests.operations.support import SECRETS
from tests.operations.uploads import UNKNOWN_UPLOAD

METHODS = ("GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS", "PATCH", "TRACE", "get")
DOMAIN = "s3.test"
PLACES = (
    ("localhost", "/"),
    ("localhost", "/WriteGetObjectResponse"),
    ("localhost", "/bucket"),
    ("localhost", "/bucket/key"),
    (f"bucket.{DOMAIN}", "/"),
    (f"bucket.{DOMAIN}", "/key"),
    (DOMAIN, "/bucket/key"),
    ("bucket.s3-website-us-east-1.amazonaws.com", "/bucket/key"),
    ("sts.amazonaws.com", "/"),
)
"""Hosts and paths."""

FORM = ("content-type", "multipart/form-data; boundary=x")
STREAMING = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
CHUNKED = b"1\r\nx\r\n0\r\nx-amz-checksum-crc32:jNxhRw==\r\n\r\n"

STRANGE = frozenset(
    """
    AccessDenied InvalidAccessKeyId SignatureDoesNotMatch InvalidToken RequestTimeTooSkewed
    AuthorizationHeaderMalformed AuthorizationQueryParametersError InvalidArgument InvalidRequest
    """.split()
)
"""What those are told whose credentials are none, or are another's."""

READS = (secretstore._opening, finish._region)
"""What is looked up for somebody who was not let in: the secret of an access id, and where a bucket is, which S3 tells everybody."""
DOORS = (
    entering.in_authorized_bucket,
    entering.in_claimed_authorized_bucket,
    entering.in_whole_authorized_bucket,
    receive.authorize_entry,
)
"""Where it is asked what is granted to everybody; what is done behind them is noted."""
AMISS = {("GET", "attributes"): (400, "InvalidRequest")}
"""Readings that lack something, which is said before it is asked whether anybody may."""
ABSENT = (404, "NoSuchBucket")
"""What S3 tells everybody of a bucket that is not there, where something might be granted to everybody."""


@frozen
class Kind:
    """A kind of credentials that is none.

    :ivar headers: that come with it.
    :ivar query: likewise.
    :ivar is_none: whether it is not even like one.
    """

    name: str
    headers: Fields = ()
    query: str = ""
    body: bytes = b""
    is_none: bool = False


A_FORM = Kind("a form", (FORM,), body=b"--x--\r\n", is_none=True)
KINDS = (
    Kind("nothing", is_none=True),
    A_FORM,
    Kind("a form with an empty header", (FORM, ("authorization", ""))),
    Kind("an empty header", (("authorization", ""),)),
    Kind("a token", (("authorization", "Bearer x"),)),
    Kind("a password", (("authorization", "Basic dGVzdHVzZXI6eA=="),)),
    Kind("version 2", (("authorization", "AWS testuser:x"),)),
    Kind("half of version 4", (("authorization", "AWS4-HMAC-SHA256 Credential=x"),)),
    Kind("a session", (("x-amz-security-token", "x"),)),
    Kind("a cookie", (("cookie", "user=testuser"),), is_none=True),
    Kind("a header in capitals", (("AUTHORIZATION", ""),)),
    Kind("two headers", (("authorization", ""), ("authorization", ""))),
    Kind(
        "chunks that nothing signs",
        (
            ("x-amz-content-sha256", STREAMING),
            ("x-amz-decoded-content-length", "1"),
            ("x-amz-trailer", "x-amz-checksum-crc32"),
            ("content-encoding", "aws-chunked"),
        ),
        body=CHUNKED,
    ),
    Kind("a body that waits", (("expect", "100-continue"),), body=b"x", is_none=True),
    Kind("a part of a URL", query="X-Amz-Signature=x"),
    Kind("a URL in small letters", query="x-amz-signature=x&x-amz-credential=x"),
    Kind("a URL of version 2", query="AWSAccessKeyId=testuser&Signature=x&Expires=1"),
    Kind("a part of it", query="AWSAccessKeyId=testuser"),
    Kind("a source", query="x-amz-copy-source=bucket/key", is_none=True),
    Kind("a source in a header", (("x-amz-copy-source", "/bucket/key"),), is_none=True),
    Kind("a role", query="Action=AssumeRole&Version=2011-06-15", is_none=True),
    Kind("an owner", (("x-amz-expected-bucket-owner", "testuser"),), is_none=True),
    Kind("a condition", (("if-none-match", "*"),), is_none=True),
)


class StrangerTests(AttackTestCase):
    """All of it."""

    async def _fill(self) -> None:
        await super()._fill()
        self.client = self.client.with_settings(domain_names=(DOMAIN,))

    def watch(self) -> list[Any]:
        """Have it noted what is asked of the metadata that only those ask who were let in, and what is done behind the door to a bucket."""
        metadata, asked = self.client.gateway.metadata, []

        def watched(real: Callable[..., Deferred[Any]]) -> Callable[..., Any]:
            def ask(interaction: Any, *args: Any) -> Deferred[Any]:
                if interaction not in (*READS, *DOORS):
                    asked.append(interaction)
                return real(interaction, *args)

            return ask

        def inside(*args: Any) -> None:
            asked.append(args)

        self.patch(entering, "_inside", inside)
        self.patch(metadata, "read", watched(metadata.read))
        self.patch(metadata, "write", watched(metadata.write))
        return asked

    def queries(self) -> Iterator[str]:
        """Every sub-resource, of whatever scope; some at once, some that there are not, and what names something."""
        yield from sorted({name for scope in Scope for name in SELECTORS[scope]})
        yield from ("", "frobnicate", "acl&policy", "list-type=2", "versionId=null")
        yield from (f"uploadId={self.upload_id}", "x-id=GetObject", "delete", "website")
        yield f"partNumber=1&uploadId={self.upload_id}"

    def told(self, sent: Sent) -> tuple[Outcome, list[bytes]]:
        """What a request is told: status, code, and its headers but for what is of this answer alone."""
        outcome = self.send_sent(sent)
        lines = self.heard.partition(b"\r\n\r\n")[0].split(b"\r\n")[1:]
        own = re.compile(rb"(?i)(date|x-amz-id-2|x-amz-request-id|content-length):")
        return outcome, [line for line in lines if not own.match(line)]

    def check(self, sent: Sent, expected: set[Outcome]) -> None:
        """Assert that a stranger is told no more than any is, and the same of what is not there, but for a bucket, of which S3 tells everybody."""
        outcome, headers = self.told(sent)
        self.assertIn(outcome, expected, sent)
        for there, absent in (
            ("bucket", "absent"),
            ("key", "nay"),
            (self.upload_id, UNKNOWN_UPLOAD),
        ):
            host = sent.header("host").replace(there, absent)
            other = evolve(sent, target=sent.target.replace(there, absent))
            if (host, other.target) != (sent.header("host"), sent.target):
                other = other.having("host", host)
                found = self.told(other)
                is_refused = outcome == (403, "AccessDenied")
                if there == "bucket" and is_refused and found[0] == ABSENT:
                    continue
                self.assertEqual(found, (outcome, headers), other)

    def sent(self, method: str, host: str, path: str, query: str, kind: Kind) -> Sent:
        """A request."""
        asked = "&".join(filter(None, (query, kind.query)))
        target = f"{path}?{asked}" if asked else path
        return Sent(method, target, (("host", host), *kind.headers), kind.body)

    def addresses(self) -> Iterator[tuple[str, str, str, str]]:
        """Method, host, path and query: all of them by the common methods and on the plain host, a few on each of the others."""
        few = ("", "acl", "uploads", "frobnicate", "delete")
        for method in METHODS:
            for host, path in PLACES:
                plain = host == "localhost" and method in METHODS[:6]
                for query in self.queries() if plain else few:
                    yield method, host, path, query

    def test_unsigned(self) -> None:
        """Without a good signature nobody is told anything, and nothing is begun: there is no way round the gate."""
        asked, before = self.watch(), self.holds()
        for method, host, path, query in self.addresses():
            self.check_kinds(method, host, path, query)
        self.assertEqual(asked, [])
        self.assertEqual(self.holds(), before)

    def check_kinds(self, method: str, host: str, path: str, query: str) -> None:
        """Assert it of one address: without credentials and of a form; with every kind where little else is asked."""
        for kind in KINDS if query in ("", "acl", "uploads") else KINDS[:2]:
            sent = self.sent(method, host, path, query, kind)
            is_bucket = path == "/bucket" or (host[:7] == "bucket." and path == "/")
            if method == "OPTIONS":
                expected = {(400, "BadRequest")}
            elif kind is A_FORM and method == "POST" and is_bucket and not query:
                # It is signed in its fields, and has none.
                expected = {(400, "InvalidArgument")}
            elif kind.is_none:
                expected = {(403, "AccessDenied")}
                if (method, query) in AMISS:
                    expected.add(AMISS[method, query])
            else:
                expected = {(status, code) for status in (400, 403) for code in STRANGE}
            self.check(sent, expected)

    def test_signed_by_others(self) -> None:
        """Whose key is not known, or whose secret is another's, is told just that, whatever is asked."""
        asked, before = self.watch(), self.holds()
        for method, host, path, query in self.addresses():
            if method != "OPTIONS":
                self.check_signed(method, host, path, query)
        self.assertEqual(asked, [])
        self.assertEqual(self.holds(), before)

    def check_signed(self, method: str, host: str, path: str, query: str) -> None:
        """Assert it of one address."""
        pairs = [pair.partition("=") for pair in query.split("&") if pair]
        draft = Draft(
            method,
            path,
            tuple((name, value) for name, _, value in pairs),
            {},
            self.clock.seconds(),
            host=host,
        )
        for changed, code in (
            (evolve(draft, access_id="nobody"), "InvalidAccessKeyId"),
            (evolve(draft, secret=SECRETS["other"]), "SignatureDoesNotMatch"),
            (evolve(draft, service="sts"), "AuthorizationHeaderMalformed"),
        ):
            found = self.send_sent(changed.signed())
            status = 400 if code == "AuthorizationHeaderMalformed" else 403
            self.assertEqual(found, (status, code), changed)
