"""JSON of policies, read strictly: no member twice, no number that JSON has not, nothing around it.

Sources: RFC 8259; S3 User Guide, "Bucket policies for Amazon S3" (20 KB).
"""

from __future__ import annotations

import json
from typing import Any, Final

from .malformed import Malformed

__all__ = ["BROKEN", "LARGEST", "NOT_JSON", "Number", "parsed"]

LARGEST: Final = 20480
"""Bytes of a document without its white space."""

NOT_JSON: Final = "Policies must be valid JSON and the first byte must be '{'"
BROKEN: Final = "This policy contains invalid Json"
_TOO_LARGE = (
    f"Normalized policy document exceeds the maximum allowed size of {LARGEST} bytes"
)


class Number(str):
    """A number, as it is written."""


def parsed(document: bytes) -> dict[str, Any]:
    """The members of a document; its numbers are :class:`Number`.

    :raises Malformed: it is no object of JSON, has a member twice, or is too large.
    """
    if document[:1] != b"{":
        raise Malformed(NOT_JSON)
    if len(document) > 4 * LARGEST:
        raise Malformed(_TOO_LARGE)
    try:
        members = json.loads(
            document.decode("utf-8"),
            object_pairs_hook=_object,
            parse_int=Number,
            parse_float=Number,
            parse_constant=_no_constant,
        )
        packed = json.dumps(members, separators=(",", ":"), ensure_ascii=False)
        size = len(packed.encode("utf-8"))
    except (ValueError, RecursionError):
        raise Malformed(BROKEN) from None
    if size > LARGEST:
        raise Malformed(_TOO_LARGE)
    found: dict[str, Any] = members
    return found


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member is there twice")
    return members


def _no_constant(name: str) -> None:
    raise ValueError(name)
