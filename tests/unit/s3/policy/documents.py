"""Policies as tests write them."""

from __future__ import annotations

import json
from typing import Any

USER = "arn:aws:iam:::user/"


def document(*statements: dict[str, Any]) -> bytes:
    """A policy."""
    return json.dumps({"Version": "2012-10-17", "Statement": statements}).encode()


def statement(
    effect: str = "Allow",
    action: str | list[str] = "s3:*",
    resource: str | list[str] = "*",
    who: str | None = None,
    **members: Any,
) -> dict[str, Any]:
    """A statement.

    :param who: in the policy of a bucket: a user, or ``*``.
    """
    made = {"Effect": effect, "Action": action, "Resource": resource, **members}
    if who is not None:
        made["Principal"] = "*" if who == "*" else {"AWS": USER + who}
    return made
