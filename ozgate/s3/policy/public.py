"""Whether a bucket's policy is public, by AWS's rule.

A policy is public unless all that it allows is allowed to fixed principals, or under conditions that fix where a request comes from: values
without a wildcard and without a policy variable. What it denies does not make it less so.

Source: S3 User Guide, "Blocking public access to your Amazon S3 storage", "The meaning of 'public'".
"""

from __future__ import annotations

from typing import Final

from .elements import Condition, Effect, Presence, Statement
from .operators import network

__all__ = ["grants_everybody"]

_FIXING: Final = frozenset(
    (
        "aws:principalaccount",
        "aws:principalarn",
        "aws:principalorgid",
        "aws:sourceaccount",
        "aws:sourcearn",
        "aws:sourceowner",
        "aws:sourcevpc",
        "aws:sourcevpce",
        "aws:userid",
        "s3:dataaccesspointaccount",
        "s3:dataaccesspointarn",
        "s3:x-amz-server-side-encryption-aws-kms-key-id",
    )
)
"""Condition keys of which a fixed value makes a grant one to somebody."""

_SAME: Final = frozenset(
    ("StringEquals", "StringEqualsIgnoreCase", "StringLike", "ArnEquals", "ArnLike")
)
_WIDEST: Final = {4: 8, 6: 32}
"""Bits that a range of addresses has to fix at least, by the version of IP; a wider one is everybody."""


def grants_everybody(statement: Statement) -> bool:
    """Whether a statement of a bucket's policy makes it public."""
    return (
        statement.effect is Effect.ALLOW
        and statement.principals is not None
        and statement.principals.everyone
        and not any(map(_fixes, statement.conditions))
    )


def _fixes(condition: Condition | Presence) -> bool:
    """Whether a condition fixes whence a request comes; one that holds where the key is missing does not."""
    if isinstance(condition, Presence) or condition.missing:
        return False
    name = condition.name.removeprefix("ForAnyValue:")
    if condition.key == "aws:sourceip":
        return name == "IpAddress" and all(map(_narrow, condition.values))
    return (
        condition.key in _FIXING
        and name in _SAME
        and not any(map(_varies, condition.values))
    )


def _narrow(value: str) -> bool:
    version, _, bits = network(value)
    return bits >= _WIDEST[version]


def _varies(value: str) -> bool:
    return "*" in value or "?" in value or "${" in value
