"""The policy that narrows a key to a bucket, to what begins with a prefix, to reading or to writing.

It is a limit (:class:`~ozgate.values.Secret`): it grants nothing, and whoever its user is, no more than it allows is allowed.
"""

from __future__ import annotations

import json
from typing import Any

from .canned import READ, WRITE

_READ_KEYS = ("s3:GetObject*", "s3:ListMultipartUploadParts")
_WRITE_KEYS = (*WRITE, "s3:ListMultipartUploadParts")
_LIST = ("s3:ListBucket", "s3:ListBucketVersions")


def narrowed(
    bucket: str = "", prefix: str = "", read: bool = False, write: bool = False
) -> str:
    """The document of such a limit, as JSON.

    :param bucket: the only one that may be entered; ``""``: any.
    :param prefix: what keys begin with, in that bucket; only what begins so is listed, too.
    :param read: whether reading is allowed; where neither is said, all is that the user may do.
    :param write: whether writing is: bodies and tags of objects, and removing them.
    """
    if not bucket:
        return _document(_allow(_actions(read, write, READ, WRITE), "*"))
    place = f"arn:aws:s3:::{bucket}"
    keys = _actions(read, write, _READ_KEYS, _WRITE_KEYS)
    statements = [_allow(keys, f"{place}/{_literal(prefix)}*")]
    if prefix:
        under = {"StringLike": {"s3:prefix": [f"{_literal(prefix)}*"]}}
        if read or not write:
            statements.append({**_allow(_LIST, place), "Condition": under})
        statements.append(_allow(("s3:GetBucketLocation",), place))
    elif read or write:
        uploads = ("s3:GetBucketLocation", "s3:ListBucketMultipartUploads")
        listing = (*_LIST, *uploads) if read else uploads
        statements.append(_allow(listing, place))
    else:
        statements.append(_allow(keys, place))
    return _document(*statements)


def _actions(
    read: bool, write: bool, reads: tuple[str, ...], writes: tuple[str, ...]
) -> tuple[str, ...]:
    if read == write:
        return tuple(dict.fromkeys((*reads, *writes))) if read else ("s3:*",)
    return reads if read else writes


def _literal(text: str) -> str:
    """Text in a pattern, which stands for itself."""
    return "".join([f"${{{each}}}" if each in "*?$" else each for each in text])


def _allow(actions: tuple[str, ...], resource: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": [resource]}


def _document(*statements: dict[str, Any]) -> str:
    policy = {"Version": "2012-10-17", "Statement": statements}
    return json.dumps(policy, separators=(",", ":"), ensure_ascii=False)
