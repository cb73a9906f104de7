"""Policies that are always there, by name: they can be attached, and neither changed nor removed.

They speak of S3 alone, and are policies like all others: the one that is called ``admin`` allows every action of S3, and makes
nobody an administrator.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Final


def _document(*actions: str) -> str:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": ["*"]}
    policy: dict[str, str | Sequence[object]] = {
        "Version": "2012-10-17",
        "Statement": [statement],
    }
    return json.dumps(policy, separators=(",", ":"))


READ: Final = ("s3:Get*", "s3:List*")
"""What reads: the actions of AWS's ``AmazonS3ReadOnlyAccess``, as far as S3 has them."""

WRITE: Final = (
    "s3:AbortMultipartUpload",
    "s3:DeleteObject",
    "s3:DeleteObjectTagging",
    "s3:DeleteObjectVersion",
    "s3:DeleteObjectVersionTagging",
    "s3:PutObject",
    "s3:PutObjectTagging",
    "s3:PutObjectVersionTagging",
)
"""What changes objects: not who may have them, nor how long they are kept, nor the bucket that they are in."""

ADD: Final = (
    "s3:AbortMultipartUpload",
    "s3:ListMultipartUploadParts",
    "s3:PutObject",
)
"""What puts objects, in parts too, and reads none."""

CANNED: Final[Mapping[str, str]] = {
    "admin": _document("s3:*"),
    "readonly": _document(*READ),
    "readwrite": _document(*READ, *WRITE),
    "writeonly": _document(*ADD),
}
"""Documents, as JSON, by name."""
