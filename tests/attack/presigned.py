"""What can be done to a presigned URL, of either version: see :mod:`tests.attack.mutations`."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

from attrs import evolve

from ozgate.s3.operations import Operation
from tests.attack.mutations import (
    ACCEPTED,
    ARGUMENT,
    DENIED,
    METHODS,
    MISMATCH,
    NOT_SIGNED_BY_ALL,
    SKEW,
    TOKEN,
    UNBUILT,
    UNKNOWN,
    Mutation,
    of_the_target,
    other_paths,
    with_pair,
    without_pair,
    wrong_signatures,
)
from tests.attack.requests import LIFETIME, UNSIGNED, Draft, Sent
from tests.operations.support import SECRETS

QUERY = "AuthorizationQueryParametersError"
WEEK = 604800
REQUIRED = (
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-SignedHeaders",
    "X-Amz-Signature",
)


def of_query_parameters(draft: Draft) -> Iterator[Mutation]:
    """The parameters that authenticate: missing, empty, doubled, changed."""
    sent = draft.presigned()
    pairs = dict(
        pair.split("=") for pair in sent.target.partition("?")[2].split("&") if pair
    )
    for name in REQUIRED:
        pair = f"{name}={pairs[name]}"
        yield Mutation(f"{name} removed", without_pair(sent, pair), QUERY)
        # An empty list of headers is one, which lacks the host.
        code = DENIED if name == "X-Amz-SignedHeaders" else QUERY
        yield Mutation(f"{name} emptied", sent.asking(pair, f"{name}="), code)
        yield Mutation(f"{name} doubled", with_pair(sent, pair), QUERY)
        lowered = sent.asking(name, name.lower())
        yield Mutation(f"{name.lower()}", lowered, QUERY)
    date = draft.timestamp[:8]
    for old, new, code in (
        ("HMAC-SHA256", "HMAC-SHA1", QUERY),
        ("HMAC-SHA256", "ECDSA-P256-SHA256", UNBUILT),
        (f"%2F{date}%2F", "%2F20000101%2F", QUERY),
        ("%2Fus-east-1%2F", "%2Fus-east-2%2F", MISMATCH),
        ("%2Fs3%2F", "%2Fiam%2F", QUERY),
        ("aws4_request", "aws4_requesu", QUERY),
        ("X-Amz-Credential=testuser", "X-Amz-Credential=other", MISMATCH),
        ("X-Amz-Credential=testuser", "X-Amz-Credential=nobody", UNKNOWN),
        (f"Expires={LIFETIME}", f"Expires={LIFETIME + 1}", MISMATCH),
        (f"Date={draft.timestamp}", f"Date={date}", QUERY),
        (f"Date={date}T", "Date=20000101T", QUERY),
        ("SignedHeaders=", "SignedHeaders=range%3B", MISMATCH),
        ("SignedHeaders=", "SignedHeaders=Host%3B", QUERY),
        ("SignedHeaders=", "SignedHeaders=host%3B", QUERY),
        ("&X-Amz-Signature=", "&AWSAccessKeyId=other&X-Amz-Signature=", ARGUMENT),
        ("&X-Amz-Signature=", "&Signature=x&X-Amz-Signature=", ARGUMENT),
        ("&X-Amz-Signature=", "&X-Amz-Security-Token=x&X-Amz-Signature=", MISMATCH),
        ("&X-Amz-Signature=", "&x-amz-signature=0&X-Amz-Signature=", MISMATCH),
        (
            "&X-Amz-Signature=",
            "&X-Amz-Content-Sha256=UNSIGNED-PAYLOAD&X-Amz-Signature=",
            MISMATCH,
        ),
    ):
        yield Mutation(f"{old} → {new}", sent.asking(old, new), code)
    for value in ("Bearer x", draft.signed().header("authorization"), ""):
        both = sent.adding("authorization", value)
        yield Mutation(f"query, and Authorization: {value}", both, ARGUMENT)
    signature = pairs["X-Amz-Signature"]
    for name, other in wrong_signatures(signature):
        changed = sent.asking(signature, quote(other))
        code = MISMATCH if other else QUERY
        yield Mutation(f"signature {name}", changed, code)


def of_lifetimes(draft: Draft) -> Iterator[Mutation]:
    """From when until when a URL is good, as its maker signed it."""
    for expires in ("-1", str(WEEK + 1), "1e2", "x", "+60", "60.0", "9" * 40, ""):
        sent = draft.presigned(expires)
        yield Mutation(f"signed to live for {expires!r}", sent, QUERY)
    for seconds, expires, code in (
        (0, WEEK, ACCEPTED),
        (0, 0, ACCEPTED),
        (-1, 0, DENIED),
        (-WEEK, WEEK, ACCEPTED),
        (-WEEK - 1, WEEK, DENIED),
        (-60, 60, ACCEPTED),
        (-61, 60, DENIED),
        (SKEW, 60, ACCEPTED),
        (SKEW + 1, 60, DENIED),
    ):
        made = evolve(draft, time=draft.time + seconds)
        sent = made.presigned(str(expires))
        yield Mutation(f"signed at {seconds} for {expires}", sent, code)


def of_presigned_headers(draft: Draft, sent: Sent) -> Iterator[Mutation]:
    """Headers beside a presigned URL."""
    for name in draft.headers:
        changed = sent.having(name, f"{draft.headers[name]}x")
        yield Mutation(f"{name} changed", changed, MISMATCH)
        yield Mutation(f"{name} removed", sent.having(name, None), MISMATCH)
    for name, value in (
        ("x-amz-acl", "public-read"),
        ("x-amz-meta-other", "x"),
        ("x-amz-date", draft.timestamp),
        ("x-amz-security-token", "x"),
        ("content-md5", "XUFAKrxLKna5cZ2REBfFkg=="),
    ):
        if name not in draft.headers:
            yield Mutation(f"{name} added", sent.adding(name, value), DENIED)
    # It is part of what is signed, whether or not the header is.
    for value, code in (
        (UNSIGNED, ACCEPTED),
        ("0" * 64, MISMATCH),
        ("STREAMING-UNSIGNED-PAYLOAD-TRAILER", MISMATCH),
    ):
        hashed = sent.adding("x-amz-content-sha256", value)
        yield Mutation(f"payload {value} added", hashed, code)
    for name in ("host", *draft.headers):
        code = MISMATCH if name in NOT_SIGNED_BY_ALL else DENIED
        listed = quote(";".join(sorted(("host", *draft.headers))), safe="-_.~")
        kept = quote(";".join(sorted({"host", *draft.headers} - {name})), safe="-_.~")
        unlisted = sent.asking(f"SignedHeaders={listed}", f"SignedHeaders={kept}")
        yield Mutation(f"{name} not signed", unlisted, code)
    yield Mutation("another host", sent.having("host", "127.0.0.1"), MISMATCH)


def presigned_as_signed(draft: Draft) -> Iterator[Mutation]:
    """Presigned by the rules, but for something else or by somebody else."""
    other = SECRETS["other"]
    token = (*draft.query, ("X-Amz-Security-Token", "x"))
    for name, made, code in (
        ("another's secret", evolve(draft, secret=other), MISMATCH),
        ("an unknown key", evolve(draft, access_id="nobody", secret=other), UNKNOWN),
        ("another service", evolve(draft, service="iam"), QUERY),
        ("another terminator", evolve(draft, terminator="x"), QUERY),
        ("another algorithm", evolve(draft, algorithm="AWS4-HMAC-SHA1"), QUERY),
        ("another date", evolve(draft, date="20000101"), QUERY),
        ("another region", evolve(draft, region="eu-central-1"), ACCEPTED),
        ("a session token", evolve(draft, query=token), TOKEN),
        ("a token in a header", draft.having(x_amz_security_token="x"), TOKEN),
    ):
        yield Mutation(f"presigned with {name}", made.presigned(), code)


def of_presigned_form(row: Operation, draft: Draft) -> Iterator[Mutation]:
    """All mutations of a presigned URL."""
    sent = draft.presigned()
    yield from of_the_target(sent, draft)
    yield from of_query_parameters(draft)
    yield from of_lifetimes(draft)
    yield from of_presigned_headers(draft, sent)
    yield from presigned_as_signed(draft)
    path, _, query = sent.target.partition("?")
    turned = "&".join(reversed(query.split("&")))
    yield Mutation("query turned", evolve(sent, target=f"{path}?{turned}"), ACCEPTED)


def of_version_2(row: Operation, draft: Draft) -> Iterator[Mutation]:
    """All mutations of a URL that is presigned in the manner of version 2, which signs less."""
    sent = draft.presigned_2()
    until = int(draft.time) + LIFETIME
    for method in METHODS:
        if method != draft.method:
            yield Mutation(f"method {method}", evolve(sent, method=method), MISMATCH)
    for path in other_paths(draft.path):
        if path.rstrip("/") != draft.path.rstrip("/") or draft.path.count("/") > 1:
            yield Mutation(f"path {path}", sent.at(path), MISMATCH)
    for name, value in draft.query:
        if name != "x-id":
            pair = f"{name}={quote(value, safe='')}"
            yield Mutation(f"{name} removed", without_pair(sent, pair), MISMATCH)
            yield Mutation(f"{name} changed", sent.asking(pair, pair + "x"), MISMATCH)
    for added in ("acl", "versionId=null", "x-amz-acl=public-read", "uploads"):
        yield Mutation(f"{added} added", with_pair(sent, added), MISMATCH)
    for name in draft.headers:
        changed = sent.having(name, f"{draft.headers[name]}x")
        yield Mutation(f"{name} changed", changed, MISMATCH)
        yield Mutation(f"{name} removed", sent.having(name, None), MISMATCH)
    for name in ("x-amz-acl", "x-amz-security-token", "content-md5"):
        if name not in draft.headers:
            yield Mutation(f"{name} added", sent.adding(name, "x"), MISMATCH)
    for old, new, code in (
        ("AWSAccessKeyId=testuser", "AWSAccessKeyId=other", MISMATCH),
        ("AWSAccessKeyId=testuser", "AWSAccessKeyId=nobody", UNKNOWN),
        ("AWSAccessKeyId=testuser", "AWSAccessKeyId=", DENIED),
        (f"Expires={until}", f"Expires={until + 1}", MISMATCH),
        (f"Expires={until}", "Expires=tomorrow", DENIED),
        (f"&Expires={until}", "", DENIED),
        ("&Signature=", "&Signature=A", MISMATCH),
        ("&Signature=", "&Signature=x&Signature=", ARGUMENT),
        ("&Signature=", "&X-Amz-Algorithm=AWS4-HMAC-SHA256&Signature=", ARGUMENT),
        ("&Signature=", "&X-Amz-Expires=60&Signature=", ARGUMENT),
        ("&Signature=", "&X-Amz-Security-Token=x&Signature=", MISMATCH),
    ):
        yield Mutation(f"{old} → {new}", sent.asking(old, new), code)
    both = sent.adding("authorization", f"AWS {draft.access_id}:x")
    yield Mutation("query, and Authorization", both, ARGUMENT)
    for until, code in (
        (int(draft.time), ACCEPTED),
        (int(draft.time) - 1, DENIED),
        (int(draft.time) + WEEK + SKEW + 1, QUERY),
    ):
        yield Mutation(f"good until {until}", draft.presigned_2(until), code)
    wrong = evolve(draft, secret=SECRETS["other"])
    yield Mutation("another's secret", wrong.presigned_2(), MISMATCH)
    token = draft.having(x_amz_security_token="x")
    yield Mutation("a session token", token.presigned_2(), TOKEN)
