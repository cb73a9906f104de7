"""Policies: whatever is sent is one or malformed, and one says of a request what the plain evaluator says."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from ozgate.s3.policy.language import (
    Malformed,
    Policy,
    Query,
    parse_bucket_policy,
    parse_identity_policy,
    who,
)
from tests.fuzz.running import fuzz
from tests.unit.s3.policy.plain import Request, judge, values_of

SEEDS = (
    b'{"Version":"2012-10-17","Id":"i","Statement":[{"Sid":"s","Effect":"Allow","Principal":{"AWS":["*","123456789012",'
    b'"arn:aws:iam::123456789012:user/alice"]},"Action":["s3:Get*","s3:PutObject"],"Resource":["arn:aws:s3:::bucket/*"],'
    b'"Condition":{"IpAddressIfExists":{"aws:SourceIp":["10.0.0.0/8","::1"]},"StringLike":{"aws:Referer":"${aws:username,\'a\'}*?"}}}]}',
    b'{"Statement":{"Effect":"Deny","NotPrincipal":{"CanonicalUser":"0000000000000000000000000000000000000000000000000000000000000000"},'
    b'"NotAction":"s3:*","NotResource":"arn:aws:s3:::bucket","Condition":{"Null":{"s3:prefix":true},"NumericLessThan":{"s3:max-keys":10},'
    b'"ForAllValues:StringNotEquals":{"aws:TagKeys":["a"]},"DateGreaterThan":{"aws:CurrentTime":"2020-01-01T00:00:00Z"}}}}',
    b'{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:user/*"},'
    b'"Bool":{"aws:SecureTransport":"false"},"BinaryEquals":{"aws:a":"YQ=="}}}]}',
)
WORDS = (
    *(b'"Version"', b'"2012-10-17"', b'"2008-10-17"', b'"Statement"', b'"Effect"'),
    *(b'"Allow"', b'"Deny"', b'"Principal"', b'"NotPrincipal"', b'"AWS"', b'"Sid"'),
    *(b'"Action"', b'"NotAction"', b'"Resource"', b'"NotResource"', b'"Condition"'),
    *(b"s3:*", b"s3:GetObject", b"arn:aws:s3:::bucket", b"arn:aws:iam::", b":user/"),
    *(b"${aws:username}", b"${*}", b", '", b"IfExists", b"ForAllValues:", b"Null"),
    *(b"ForAnyValue:", b"StringLike", b"StringNotEquals", b"NumericEquals", b"Bool"),
    *(b"DateLessThan", b"NotIpAddress", b"ArnNotLike", b"BinaryEquals", b"aws:a"),
    *(b"aws:SourceIp", b"s3:prefix", b"10.0.0.0/8", b"::1/64", b"\\ud800", b"\\u0000"),
)
REQUEST = Request(
    names=("alice",),
    root=False,
    action="s3:GetObject",
    resource="arn:aws:s3:::bucket/a:b/c",
    keys={
        "aws:username": ["alice"],
        "aws:SourceIp": ["10.0.0.1"],
        "aws:Referer": ["alice*", "b"],
        "aws:TagKeys": ["a", "b"],
        "aws:PrincipalArn": ["arn:aws:iam::000000000000:user/alice"],
        "aws:SecureTransport": ["true"],
        "s3:max-keys": ["7"],
    },
)


def one_input(data: bytes) -> None:
    """Read a policy as a bucket's and as an identity's, and ask each."""
    _check(data, lambda: parse_bucket_policy(data, "bucket"))
    _check(data, lambda: parse_identity_policy(data))


def _check(data: bytes, parse: Callable[[], Policy]) -> None:
    try:
        policy = parse()
    except Malformed as error:
        assert error.reason and str(error) == error.reason
        return
    said = policy.judge(
        Query(
            who(REQUEST.names),
            REQUEST.action,
            REQUEST.resource,
            lambda name: values_of(name, REQUEST) or None,
        )
    )
    document: Any = json.loads(data, parse_int=str, parse_float=str)
    assert (said.value if said else None) == judge(document, REQUEST), said
    assert isinstance(policy.is_public, bool) and policy.named is not None


if __name__ == "__main__":
    fuzz("policies")
