"""Questions as tests put them: what is asked, and the rows that are there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import define, evolve, field

from ozgate.auth.administrators import ShortNames
from ozgate.s3.asked import Asked
from ozgate.s3.operations import OPERATIONS
from ozgate.values import Bucket, ObjectVersion, Principal, Volume
from ozgate.wire.headers import Headers
from ozgate.wire.target import parse_address

NOW = 1_795_000_000_000
"""Milliseconds since the epoch."""

ROWS = {row.name: row for row in OPERATIONS}


@define
class Rows:
    """As much of a transaction as questions look at.

    :ivar read: the keys of which a version was looked up.
    """

    documents: Mapping[str, bytes] = field(factory=dict)
    versions: Mapping[tuple[str, str], ObjectVersion] = field(factory=dict)
    above: Volume | None = None
    read: list[str] = field(factory=list)

    def now(self) -> int:
        """The time."""
        return NOW

    def volume(self, name: str) -> Volume | None:
        """The volume above."""
        return self.above

    def configuration(self, bucket: Bucket, kind: str) -> bytes | None:
        """A document."""
        return self.documents.get(kind)

    def latest(self, bucket: Bucket, key: str) -> ObjectVersion | None:
        """A key's latest version."""
        return self.version(bucket, key, "")

    def version(self, bucket: Bucket, key: str, name: str) -> ObjectVersion | None:
        """A version."""
        self.read.append(key)
        return self.versions.get((key, name))


def asked(
    principal: Principal,
    operation: str = "GetObject",
    target: str = "/bucket/key",
    headers: Mapping[str, str] | None = None,
    **members: Any,
) -> Asked:
    """What is asked by a request."""
    row = ROWS[operation]
    made = Asked(
        principal,
        row.name,
        row.action,
        row.conditions,
        parse_address(target.encode(), b"localhost", ()),
        Headers(headers or {}),
        "s3v",
        "us-east-1",
        ShortNames(),
        shown="s3v",
    )
    return evolve(made, **members)
