"""Policies and requests, drawn: small words, so that they meet."""

from __future__ import annotations

import hashlib
from typing import Any

from hypothesis import strategies as st

from tests.unit.s3.policy.plain import Request

USERS = ("alice", "bob", "host/a@REALM")
ACTIONS = (
    *("s3:GetObject", "s3:PutObject", "s3:ListBucket", "s3:GetObjectTagging"),
    *("s3:DeleteBucket", "iam:CreateUser", "s3express:CreateSession"),
)
ACTION_PATTERNS = (
    *("*", "s3:*", "*", "s3:*", "s3:Get*", "s3:GetObject", "S3:getobject"),
    *("s3:?etObject", "s3:PutObject", "s3:ListBucket", "iam:*", "i?m:Create*"),
)
ARN = "arn:aws:s3:::bucket"
RESOURCES = (ARN, f"{ARN}/a", f"{ARN}/ab", f"{ARN}/a/b", f"{ARN}/a*b", f"{ARN}/alice")
RESOURCE_PATTERNS = (
    *(f"{ARN}*", f"{ARN}*", f"{ARN}/*", ARN, f"{ARN}/a", f"{ARN}/a*", f"{ARN}/a?b"),
    *(f"{ARN}/*b", f"{ARN}/*?b*", f"{ARN}/a${{*}}b", f"{ARN}/${{aws:username}}"),
    *(f"{ARN}/${{aws:PrincipalTag/team, 'a'}}*", f"{ARN}/${{s3:prefix}}b"),
)
ANYWHERE = (
    "*",
    "*",
    "arn:aws:s3:::*",
    f"{ARN}/?",
    "arn:aws:s3:*:*:b*/a?",
    *RESOURCE_PATTERNS,
)
TEXTS = ("a", "b", "ab", "A", "", "alice", "*", "?", "a*b", "$")
TEXT_PATTERNS = (
    *("a", "A", "b", "a*", "*b", "?", "*", "", "a?b", "*a*b*", "${aws:username}"),
    *("${*}", "${?}", "${$}", "${s3:prefix}", "a${AWS:UserName}", "${aws:none}"),
    *("${aws:PrincipalTag/team,'a'}", "${aws:PrincipalTag/Team, 'b'}*"),
)
NUMBERS = ("0", "1", "2", "-1", "1.5", "10", "1.50")
DATES = (
    *("2020-01-01T00:00:00Z", "2020-01-01", "1577836800", "2020-01-01T00:00:01Z"),
    *("2020-01-01T01:00:00+01:00", "2019-12-31T23:59Z", "2030-06-07T08:09:10.5Z"),
)
ADDRESSES = ("10.0.0.1", "10.0.1.1", "192.0.2.7", "2001:db8::1", "::1")
NETWORKS = (
    *("10.0.0.0/8", "10.0.0.0/24", "10.0.0.1", "0.0.0.0/0", "192.0.2.0/25"),
    *("2001:db8::/32", "::/0", "::1", "10.0.1.1/16", "2001:db8::/127"),
)
ARNS = (
    *("arn:aws:iam:::user/alice", "arn:aws:iam::123456789012:user/bob"),
    *("arn:aws:sts:::assumed-role/r/s:t", "no arn"),
)
ARN_PATTERNS = (
    *(*ARNS, "arn:aws:iam::*:user/*", "arn:*:iam:*:*:user/a?ice", "arn:*", "*"),
    *("arn:aws:iam::999999999999:user/${aws:username}", "arn:aws:*"),
)
BINARY = ("YQ==", "YWI=", "")
LIKES = ("Like", "NotLike")
COMPARISONS = (
    *("Equals", "NotEquals", "LessThan", "LessThanEquals"),
    *("GreaterThan", "GreaterThanEquals"),
)
KINDS: dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    "String": (
        TEXTS,
        TEXT_PATTERNS,
        ("Equals", "NotEquals", "EqualsIgnoreCase", "NotEqualsIgnoreCase", *LIKES),
    ),
    "Numeric": (
        (*NUMBERS, "x"),
        NUMBERS,
        COMPARISONS,
    ),
    "Date": (
        (*DATES, "x"),
        DATES,
        COMPARISONS,
    ),
    "Bool": (("true", "false"), ("true", "false", "True"), ("",)),
    "Binary": (BINARY, BINARY, ("Equals",)),
    "": (ADDRESSES, NETWORKS, ("IpAddress", "NotIpAddress")),
    "Arn": (ARNS, ARN_PATTERNS, ("Equals", "NotEquals", *LIKES)),
}
"""Kind of operator → what requests have, what policies have, the operators."""

KEYS = {
    "String": ("s3:prefix", "aws:Referer", "aws:PrincipalTag/team", "aws:username"),
    "Numeric": ("s3:max-keys",),
    "Date": ("aws:CurrentTime", "aws:TokenIssueTime"),
    "Bool": ("aws:SecureTransport",),
    "Binary": ("aws:Binary",),
    "": ("aws:SourceIp",),
    "Arn": ("aws:PrincipalArn", "aws:SourceArn"),
}
"""Kind → condition keys that have its values."""

VALUES = {
    kind: st.sampled_from(
        [[], *([v] for v in had), *([v, w] for v in had for w in had[:2])]
    )
    for kind, (had, _, _) in KINDS.items()
}
"""Kind → what a request has of it: nothing, a value or two."""

FOR_BUCKETS = ("s3:prefix", "s3:max-keys")
"""Those that a bucket's policy has with few actions only."""


@st.composite
def requests(draw: st.DrawFn) -> Request:
    """A request; each key may be missing, have one value or several."""
    keys = {name: draw(VALUES[kind]) for kind, names in KEYS.items() for name in names}
    names = draw(st.lists(st.sampled_from(USERS), max_size=2, unique=True))
    return Request(
        names=tuple(names),
        root=bool(names) and draw(st.booleans()),
        action=draw(st.sampled_from(ACTIONS)),
        resource=draw(st.sampled_from(RESOURCES)),
        keys=keys,
    )


@st.composite
def conditions(draw: st.DrawFn, of_bucket: bool) -> dict[str, Any]:
    """The element Condition."""
    found: dict[str, Any] = {}
    for _ in range(draw(st.integers(0, 2))):
        kind = draw(st.sampled_from(sorted(KINDS)))
        key = draw(st.sampled_from(KEYS[kind]))
        if of_bucket and key in FOR_BUCKETS:
            key = "aws:Referer"
        key = draw(st.sampled_from((key, key.swapcase() if "/" not in key else key)))
        if draw(st.integers(0, 9)) == 0:
            found.setdefault("Null", {})[key] = draw(
                st.sampled_from((True, "false", ["true", "false"]))
            )
            continue
        operator = kind + draw(st.sampled_from(KINDS[kind][2]))
        quantifier = draw(st.sampled_from(("", "", "ForAllValues:", "ForAnyValue:")))
        ending = draw(st.sampled_from(("", "", "IfExists")))
        values = st.lists(st.sampled_from(KINDS[kind][1]), min_size=1, max_size=3)
        one = st.sampled_from(KINDS[kind][1])
        name = f"{quantifier}{operator}{ending}"
        found.setdefault(name, {})[key] = draw(st.one_of(one, values))
    return found


@st.composite
def principals(draw: st.DrawFn) -> Any:
    """The element Principal."""
    if draw(st.booleans()):
        return "*"
    ids = [hashlib.sha256(user.encode()).hexdigest() for user in USERS]
    arns = [f"arn:aws:iam::{n}:user/{u}" for u in USERS for n in ("", "123456789012")]
    accounts = ["123456789012", "arn:aws:iam::123456789012:root"]
    names = st.sampled_from([*arns, *arns, *accounts, "*"])
    written: dict[str, Any] = {}
    if draw(st.booleans()):
        written["AWS"] = draw(st.one_of(names, st.lists(names, min_size=1, max_size=2)))
    if not written or draw(st.integers(0, 3)) == 0:
        written["CanonicalUser"] = draw(st.sampled_from(ids))
    return written


@st.composite
def statements(draw: st.DrawFn, of_bucket: bool) -> dict[str, Any]:
    """A statement: all of it, or one element of which the rest does not keep anybody from being asked."""
    about = draw(st.sampled_from(("Condition", "Resource", "Principal", "")))
    effect = draw(st.sampled_from(("Allow", "Deny")))
    action: Any = "s3:*" if of_bucket else "*"
    resource: Any = f"{ARN}*"
    found = {"Effect": effect, "Action": action, "Resource": resource}
    if not about:
        patterns = ACTION_PATTERNS[:10] if of_bucket else ACTION_PATTERNS
        actions = st.lists(st.sampled_from(patterns), min_size=1, max_size=2)
        del found["Action"]
        found[draw(st.sampled_from(("Action", "Action", "NotAction")))] = draw(actions)
    if about in ("Resource", ""):
        places = RESOURCE_PATTERNS if of_bucket else ANYWHERE
        resources = st.lists(st.sampled_from(places), min_size=1, max_size=3)
        del found["Resource"]
        name = draw(st.sampled_from(("Resource", "NotResource")))
        found[name] = draw(resources)
    if about in ("Condition", ""):
        found["Condition"] = draw(conditions(of_bucket))
    if of_bucket:
        but = effect == "Deny" and draw(st.booleans())
        others = about in ("Condition", "Resource") and not but
        name = "NotPrincipal" if but else "Principal"
        found[name] = "*" if others else draw(principals())
    return found


@st.composite
def documents(draw: st.DrawFn, of_bucket: bool) -> dict[str, Any]:
    """A policy."""
    several = st.lists(statements(of_bucket), min_size=1, max_size=2)
    version = st.sampled_from(("2012-10-17", "2012-10-17", "2008-10-17"))
    return {"Version": draw(version), "Statement": draw(several)}
