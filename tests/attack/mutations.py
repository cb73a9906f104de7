"""What can be done to a signed request: each mutation with the code that S3 refuses it with.

Each function takes a :class:`~tests.attack.requests.Draft` and yields every mutation of one kind, so that the list is made for each
operation anew. :data:`ACCEPTED` in place of a code says that the request means what it meant, and is done.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

from attrs import evolve, frozen

from ozgate.s3.operations import Operation
from tests.attack.requests import EMPTY, UNSIGNED, UNSIGNED_TRAILER, Draft, Sent
from tests.operations.support import SECRETS

ACCEPTED = ""
MISMATCH = "SignatureDoesNotMatch"
DENIED = "AccessDenied"
HEADER = "AuthorizationHeaderMalformed"
UNKNOWN = "InvalidAccessKeyId"
SKEWED = "RequestTimeTooSkewed"
ARGUMENT = "InvalidArgument"
REQUEST = "InvalidRequest"
UNBUILT = "NotImplemented"
TOKEN = "InvalidToken"
WRONG_BODY = "XAmzContentSHA256Mismatch"

METHODS = ("GET", "PUT", "POST", "DELETE", "HEAD")
SKEW = 900
NOT_SIGNED_BY_ALL = frozenset(("content-type", "x-amz-content-sha256"))
"""Signed headers that need not be: taken out of the list of those signed, they are a mismatch."""


@frozen
class Mutation:
    """One.

    :ivar name: what was done.
    :ivar code: S3's code of the answer, or :data:`ACCEPTED`.
    """

    name: str
    sent: Sent
    code: str


def of_the_body(row: Operation, draft: Draft) -> Iterator[Mutation]:
    """Another body than was signed: refused wherever a body would be read, or is there though none was signed."""
    code = WRONG_BODY if row.perform is not None else UNBUILT
    sent = draft.signed()
    if draft.body:
        flipped = bytes((draft.body[0] ^ 1,)) + draft.body[1:]
        yield Mutation("a bit of the body", evolve(sent, body=flipped), code)
        yield Mutation("body cut", evolve(sent, body=draft.body[:-1]), code)
        yield Mutation("body left out", evolve(sent, body=b""), code)
    another = evolve(draft, payload="0" * 64).signed()
    yield Mutation("signed with another hash", another, code)
    yield Mutation("body longer", evolve(sent, body=draft.body + b"x"), code)


def of_the_target(sent: Sent, draft: Draft, code: str = MISMATCH) -> Iterator[Mutation]:
    """Another method, path or query than was signed.

    :param code: what the refusal of a parameter that was added is.
    """
    for method in METHODS:
        if method != draft.method:
            yield Mutation(f"method {method}", evolve(sent, method=method), MISMATCH)
    for path in other_paths(draft.path):
        yield Mutation(f"path {path}", sent.at(path), MISMATCH)
    for name, value in draft.query:
        pair = f"{name}={quote(value, safe='')}"
        yield Mutation(f"{name} removed", without_pair(sent, pair), MISMATCH)
        changed = sent.asking(pair, f"{pair}x")
        yield Mutation(f"{name} changed", changed, MISMATCH)
        doubled = sent.asking(pair, f"{pair}&{pair}")
        yield Mutation(f"{name} doubled", doubled, MISMATCH)
    for added in ("prefix=x", "acl", "versionId=null", "response-content-type=a%2Fb"):
        yield Mutation(f"{added} added", with_pair(sent, added), code)


def other_paths(path: str) -> Iterator[str]:
    """Paths that are others, and valid."""
    if path.count("/") > 1:
        yield from ("/bucket/kez", "/bucket/key/", "/bucket//key", "/bucket/./key")
        yield from ("/empty/key", "/bucket/../empty/key", "/bucket", "/")
        yield from ("/bucket/%2Fkey", "/bucket/key%00", "/bucket/key%2520")
    elif path == "/bucket":
        yield from ("/empty", "/bucket/", "/bucket/key", "/bucket//", "/")
    else:
        yield from ("/bucket", "/bucket/key")


def with_pair(sent: Sent, pair: str) -> Sent:
    """The same with a pair more in its query."""
    mark = "&" if "?" in sent.target else "?"
    return evolve(sent, target=f"{sent.target}{mark}{pair}")


def without_pair(sent: Sent, pair: str) -> Sent:
    """The same without a pair of its query."""
    path, _, query = sent.target.partition("?")
    kept = [each for each in query.split("&") if each != pair]
    return evolve(sent, target=path + ("?" + "&".join(kept) if kept else ""))


def of_headers(draft: Draft) -> Iterator[Mutation]:
    """Signed headers changed, taken out or doubled; headers added that nobody signed."""
    sent = draft.signed()
    for name in draft.headers:
        changed = sent.having(name, f"{draft.headers[name]}x")
        yield Mutation(f"{name} changed", changed, MISMATCH)
        yield Mutation(f"{name} emptied", sent.having(name, ""), MISMATCH)
        yield Mutation(f"{name} removed", sent.having(name, None), MISMATCH)
        doubled = sent.adding(name, draft.headers[name])
        yield Mutation(f"{name} doubled", doubled, MISMATCH)
    for name in (*draft.headers, "host", "x-amz-content-sha256", "x-amz-date"):
        code = MISMATCH if name in NOT_SIGNED_BY_ALL else DENIED
        yield Mutation(f"{name} not signed", _unlisted(sent, name), code)
    for name, value in (
        ("x-amz-acl", "public-read"),
        ("x-amz-meta-other", "x"),
        ("x-amz-copy-source", "/bucket/key"),
        ("x-amz-security-token", "x"),
        ("x-amz-decoded-content-length", "1"),
        ("x-amz-bypass-governance-retention", "true"),
        ("content-md5", "XUFAKrxLKna5cZ2REBfFkg=="),
    ):
        if name not in draft.headers:
            yield Mutation(f"{name} added", sent.adding(name, value), DENIED)
    for host in ("localhost:80", "127.0.0.1", "[::1]"):
        yield Mutation(f"host {host}", sent.having("host", host), MISMATCH)
    yield Mutation("host removed", sent.having("host", None), "BadRequest")
    yield Mutation("host doubled", sent.adding("host", draft.host), "BadRequest")


def _unlisted(sent: Sent, name: str) -> Sent:
    """Without one of the names of signed headers."""
    before, mark, rest = sent.header("authorization").partition("SignedHeaders=")
    names, comma, after = rest.partition(",")
    kept = ";".join(each for each in names.split(";") if each != name)
    return sent.having("authorization", f"{before}{mark}{kept}{comma}{after}")


def of_payload_and_time(draft: Draft) -> Iterator[Mutation]:
    """What is said of the body and of the time."""
    sent = draft.signed()
    for value in (UNSIGNED, UNSIGNED_TRAILER, "0" * 64, EMPTY[::-1]):
        changed = sent.having("x-amz-content-sha256", value)
        yield Mutation(f"payload {value}", changed, MISMATCH)
    for value in ("", "x", EMPTY[1:], "STREAMING-UNSIGNED-PAYLOAD"):
        changed = sent.having("x-amz-content-sha256", value)
        yield Mutation(f"payload {value!r}", changed, ARGUMENT)
    removed = sent.having("x-amz-content-sha256", None)
    yield Mutation("payload removed", removed, REQUEST)
    doubled = sent.adding("x-amz-content-sha256", UNSIGNED)
    yield Mutation("payload doubled", doubled, ARGUMENT)
    later = evolve(draft, time=draft.time + 1).timestamp
    yield Mutation("a second later", sent.having("x-amz-date", later), MISMATCH)
    for value in ("", draft.timestamp[:-1], "20260101", "yesterday"):
        changed = sent.having("x-amz-date", value)
        yield Mutation(f"date {value!r}", changed, DENIED)
    yield Mutation("date removed", sent.having("x-amz-date", None), DENIED)
    doubled = sent.adding("x-amz-date", draft.timestamp)
    yield Mutation("date doubled", doubled, DENIED)
    for seconds in (SKEW, -SKEW):
        for more, code in ((0, ACCEPTED), (1 if seconds > 0 else -1, SKEWED)):
            skew = seconds + more
            signed = evolve(draft, time=draft.time + skew).signed()
            yield Mutation(f"signed {skew} s off", signed, code)


def of_authorization(draft: Draft) -> Iterator[Mutation]:
    """The Authorization header itself."""
    sent = draft.signed()
    date = draft.timestamp[:8]
    for old, new, code in (
        ("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA512", ARGUMENT),
        ("AWS4-HMAC-SHA256", "aws4-hmac-sha256", ARGUMENT),
        ("AWS4-HMAC-SHA256", "none", ARGUMENT),
        ("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256", UNBUILT),
        ("AWS4-HMAC-SHA256", "AWS", REQUEST),
        (f"/{date}/", "/20000101/", HEADER),
        (f"/{date}/", "//", HEADER),
        ("/us-east-1/", "/us-east-2/", MISMATCH),
        ("/us-east-1/", "//", HEADER),
        ("/s3/", "/iam/", HEADER),
        ("/s3/", "/S3/", HEADER),
        ("/s3/", "//", HEADER),
        ("/s3/", "/s3express/", UNBUILT),
        ("aws4_request", "aws4_requesu", HEADER),
        ("aws4_request", "", HEADER),
        (f"/{draft.scope}", "", HEADER),
        (f"Credential={draft.access_id}/", "Credential=other/", MISMATCH),
        (f"Credential={draft.access_id}/", "Credential=nobody/", UNKNOWN),
        (f"Credential={draft.access_id}/", "Credential=/", HEADER),
        ("Credential=", "Credentia=", HEADER),
        ("SignedHeaders=", "SignedHeaders=range;", MISMATCH),
        ("SignedHeaders=", "SignedHeaders=Host;", HEADER),
        ("SignedHeaders=", "SignedHeaders=host;", HEADER),
        ("SignedHeaders=", "SignedHeader=", HEADER),
        ("Signature=", "Signatur=", HEADER),
    ):
        yield Mutation(f"{old} → {new}", sent.authorized(old, new), code)
    value = sent.header("authorization")
    for other, code in (
        (None, DENIED),
        ("", DENIED),
        ("Bearer", ARGUMENT),
        ("Bearer x", ARGUMENT),
        ("Basic dGVzdHVzZXI6eA==", ARGUMENT),
        (f"AWS {draft.access_id}:x", REQUEST),
        (f"{value}, Signature={'0' * 64}", HEADER),
        (f"{value}, Credential=other/{draft.scope}", HEADER),
    ):
        changed = sent.having("authorization", other)
        yield Mutation(f"Authorization {other}", changed, code)
    for again in (value, "Bearer x", f"AWS {draft.access_id}:x"):
        doubled = sent.adding("authorization", again)
        yield Mutation(f"Authorization twice: {again}", doubled, HEADER)
    signature = value.rpartition("=")[2]
    for name, other in wrong_signatures(signature):
        changed = sent.having("authorization", value.replace(signature, other))
        code = MISMATCH if other else HEADER
        yield Mutation(f"signature {name}", changed, code)


def wrong_signatures(signature: str) -> Iterator[tuple[str, str]]:
    """(what was done to it, the result) for a signature in hexadecimal digits."""
    for place in (0, 31, 63):
        for bit in (1, 8):
            digit = f"{int(signature[place], 16) ^ bit:x}"
            flipped = signature[:place] + digit + signature[place + 1 :]
            yield f"bit {bit} of digit {place}", flipped
    yield "truncated", signature[:-1]
    yield "cut in half", signature[:32]
    yield "longer", signature + "0"
    yield "in capitals", signature.upper()
    yield "of zeros", "0" * 64
    yield "not ASCII", signature[:-1] + "é"
    yield "empty", ""


def as_signed(draft: Draft) -> Iterator[Mutation]:
    """Signed by the rules, but for something else or by somebody else."""
    other = SECRETS["other"]
    wrong = evolve(draft, secret=other)
    unknown = evolve(draft, access_id="nobody", secret=other)
    for name, made, code in (
        ("another's secret", wrong, MISMATCH),
        ("an empty secret", evolve(draft, secret=""), MISMATCH),
        ("an unknown key", unknown, UNKNOWN),
        ("an unknown key without secret", evolve(unknown, secret=""), UNKNOWN),
        ("another service", evolve(draft, service="iam"), HEADER),
        ("another terminator", evolve(draft, terminator="aws5_request"), HEADER),
        ("another algorithm", evolve(draft, algorithm="AWS4-HMAC-SHA1"), ARGUMENT),
        ("another date", evolve(draft, date="20000101"), HEADER),
        ("another region", evolve(draft, region="eu-central-1"), ACCEPTED),
        ("a session token", draft.having(x_amz_security_token="x"), TOKEN),
        ("a token by a wrong key", wrong.having(x_amz_security_token="x"), MISMATCH),
        ("a token by no key", unknown.having(x_amz_security_token="x"), UNKNOWN),
    ):
        yield Mutation(f"signed with {name}", made.signed(), code)


def of_two_mechanisms(draft: Draft) -> Iterator[Mutation]:
    """Credentials in the query, too; those that are malformed by themselves as well."""
    sent = draft.signed()
    presigned = draft.presigned().target.partition("?")[2]
    for pair in (
        *("X-Amz-Algorithm=AWS4-HMAC-SHA256", "X-Amz-Signature=0", "Signature=x"),
        *("X-Amz-Credential=x", "X-Amz-Content-Sha256=x", "AWSAccessKeyId=testuser"),
        presigned,
    ):
        mutated = with_pair(sent, pair)
        yield Mutation(f"header, and {pair} in the query", mutated, ARGUMENT)


def that_mean_the_same(draft: Draft) -> Iterator[Mutation]:
    """Changes that no signature covers, and that mean nothing."""
    sent = draft.signed()
    path, _, query = sent.target.partition("?")
    turned = "&".join(reversed(query.split("&")))
    yield Mutation("query turned", evolve(sent, target=f"{path}?{turned}"), ACCEPTED)
    fields = tuple(reversed(sent.headers))
    yield Mutation("headers turned", evolve(sent, headers=fields), ACCEPTED)
    loud = tuple((name.upper(), value) for name, value in sent.headers)
    yield Mutation("names in capitals", evolve(sent, headers=loud), ACCEPTED)
    yield Mutation("a header more", sent.adding("user-agent", "x"), ACCEPTED)


def of_header_form(row: Operation, draft: Draft) -> Iterator[Mutation]:
    """All mutations of a request with an Authorization header."""
    yield from of_the_body(row, draft)
    yield from of_the_target(draft.signed(), draft)
    yield from of_headers(draft)
    yield from of_payload_and_time(draft)
    yield from of_authorization(draft)
    yield from as_signed(draft)
    yield from of_two_mechanisms(draft)
    yield from that_mean_the_same(draft)
