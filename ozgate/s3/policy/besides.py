"""What operations ask besides their own action, where policies and S3's lists tell those apart: tags, lists and locks that a write brings with it.

Ozone's lists do not: whoever may write by one may have these, as before (:mod:`ozgate.s3.policy.rights`), but for locks, for which :mod:`ozgate.s3.lockheaders` asks. So nobody else asks where there is no
policy and S3's lists are off. ``WRITE`` in one of those gives no tags: it stands for ``s3:PutObject`` alone.

Source: Amazon S3 API Reference, "Permissions" of PutObject, CreateMultipartUpload, CopyObject and CreateBucket.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ..asked import Asked

_GRANTS: Final = tuple(
    f"x-amz-grant-{right}"
    for right in ("full-control", "read", "read-acp", "write", "write-acp")
)
_OF_WRITE: Final[Mapping[str, str]] = {
    "x-amz-tagging": "s3:PutObjectTagging",
    "x-amz-acl": "s3:PutObjectAcl",
    **dict.fromkeys(_GRANTS, "s3:PutObjectAcl"),
    "x-amz-object-lock-mode": "s3:PutObjectRetention",
    "x-amz-object-lock-retain-until-date": "s3:PutObjectRetention",
    "x-amz-object-lock-legal-hold": "s3:PutObjectLegalHold",
}
_OF_CREATION: Final[Mapping[str, str]] = {
    "x-amz-acl": "s3:PutBucketAcl",
    **dict.fromkeys(_GRANTS, "s3:PutBucketAcl"),
    "x-amz-bucket-object-lock-enabled": "s3:PutBucketObjectLockConfiguration",
    "x-amz-object-ownership": "s3:PutBucketOwnershipControls",
}
_HEADERS: Final[Mapping[str, Mapping[str, str]]] = {
    **dict.fromkeys(
        ("PutObject", "PostObject", "CopyObject", "CreateMultipartUpload"), _OF_WRITE
    ),
    "CreateBucket": _OF_CREATION,
}
"""Operation → header → the action that it asks besides."""

BROUGHT: Final[Mapping[str, frozenset[str]]] = {
    name: frozenset(actions.values()) for name, actions in _HEADERS.items()
}
"""Operation → all that its headers may ask."""


def actions_besides(asked: Asked) -> Iterable[str]:
    """What a request asks besides the action of its row."""
    headers = _HEADERS.get(asked.operation)
    if headers is None:
        return ()
    return dict.fromkeys(
        action for name, action in headers.items() if name in asked.headers
    )
