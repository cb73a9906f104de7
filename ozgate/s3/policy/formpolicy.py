"""The policy of a form upload: what its signer lets a browser send.

Source: Amazon S3 API Reference, "Creating a POST policy", and "POST Object" for what needs no condition; messages are AWS's.
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Mapping
from typing import Final

from ...errors import AccessDenied, InvalidPolicyDocument
from ...immutable import frozen
from ..times import parse_timestamp

MOST_BYTES: Final = 20 << 10
MOST_CONDITIONS: Final = 100

_UNASKED: Final = frozenset(
    ("awsaccesskeyid", "file", "policy", "signature", "x-amz-signature")
)
"""Fields that need no condition."""
_IGNORED: Final = "x-ignore-"
_LARGEST: Final = 1 << 63


@frozen
class Condition:
    """What a field has to be.

    :ivar name: of the field, in lower case.
    :ivar shown: the condition as its policy has it, for the message.
    """

    name: str
    value: str
    is_prefix: bool
    shown: str


@frozen
class FormPolicy:
    """A policy, read.

    :ivar expires: from when on it lets nothing in, in milliseconds since the epoch.
    :ivar least: bytes that a file has to have.
    :ivar most: bytes that it may have; ``None`` where nothing is said.
    """

    expires: int
    conditions: tuple[Condition, ...]
    least: int = 0
    most: int | None = None

    def check(self, fields: Mapping[str, str], now: int) -> None:
        """Hold the fields of a form against it; the length of its file is known later.

        :param fields: lower-case names; ``bucket`` is one.
        :param now: milliseconds since the epoch.
        :raises AccessDenied: it has expired, a condition does not hold, or a field has none.
        """
        if now >= self.expires:
            raise _refused("Policy expired.")
        for each in self.conditions:
            value = fields.get(each.name, "")
            if each.is_prefix:
                holds = value.startswith(each.value)
            else:
                holds = value == each.value
            if not holds:
                raise _refused(f"Policy Condition failed: {each.shown}")
        covered = {each.name for each in self.conditions}
        for name in fields:
            asked = name not in _UNASKED and not name.startswith(_IGNORED)
            if asked and name not in covered and name != "bucket":
                raise _refused(f"Extra input fields: {name}")
        if "bucket" not in covered:
            raise _refused("Policy Condition failed: a condition on the bucket")


def parse_form_policy(text: str) -> FormPolicy:
    """Read a policy as the form has it: JSON in base64.

    :raises InvalidPolicyDocument: it is none.
    """
    if len(text) > MOST_BYTES:
        raise _invalid("The policy is too large.")
    try:
        document = json.loads(
            b64decode(text, validate=True).decode("utf-8"),
            object_pairs_hook=_members,
        )
    except (ValueError, RecursionError):
        raise _invalid("Invalid JSON.") from None
    if not isinstance(document, dict):
        raise _invalid("Invalid JSON.")
    _check_names(document, ("expiration", "conditions"))
    try:
        expires = parse_timestamp(document["expiration"])
    except (ValueError, TypeError):
        raise _invalid(
            f"Invalid 'expiration' value: '{document['expiration']}'"
        ) from None
    given = document["conditions"]
    if not isinstance(given, list) or len(given) > MOST_CONDITIONS:
        raise _invalid("Invalid 'conditions' value: must be a List.")
    least, most, conditions = 0, None, list[Condition]()
    for each in given:
        if isinstance(each, list) and each and _is(each[0], "content-length-range"):
            low, high = _range(each)
            least, most = max(least, low), high if most is None else min(most, high)
        else:
            conditions += _conditions(each)
    return FormPolicy(expires, tuple(conditions), least, most)


def _members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a name is there twice")
    return members


def _check_names(document: dict[str, object], names: tuple[str, ...]) -> None:
    for name in document:
        if name not in names:
            raise _invalid(f"Unexpected: '{name}'")
    for name in names:
        if name not in document:
            raise _invalid(f"Policy missing {name}.")


def _is(value: object, name: str) -> bool:
    return isinstance(value, str) and value.lower() == name


def _conditions(given: object) -> list[Condition]:
    """The conditions of one entry: an object of equalities, or a list of an operator, a field and a value."""
    shown = json.dumps(given)
    if isinstance(given, dict) and given:
        pairs = [(name, value, False) for name, value in given.items()]
    elif isinstance(given, list) and len(given) == 3 and isinstance(given[1], str):
        operator, name, value = given
        if not (_is(operator, "eq") or _is(operator, "starts-with")):
            raise _invalid(f"Invalid Condition: unknown operation '{operator}'.")
        if not name.startswith("$"):
            raise _invalid(f"Invalid Condition: '{name}' is no variable.")
        pairs = [(name[1:], value, _is(operator, "starts-with"))]
    else:
        raise _invalid(f"Invalid Condition: {shown}")
    found = []
    for name, value, is_prefix in pairs:
        if not isinstance(value, str):
            raise _invalid(f"Invalid Simple-Condition: value of {name} is no string.")
        found.append(Condition(name.lower(), value, is_prefix, shown))
    return found


def _range(given: list[object]) -> tuple[int, int]:
    """The least and the most of a ``content-length-range``."""
    if len(given) != 3:
        raise _invalid("Invalid Condition: content-length-range needs two numbers.")
    numbers = []
    for each in given[1:]:
        text = str(each)
        if isinstance(each, bool) or not (text.isascii() and text.isdigit()):
            raise _invalid(f"Invalid content-length-range value: '{text[:40]}'.")
        if len(text) > 19 or int(text) >= _LARGEST:
            raise _invalid(f"Invalid content-length-range value: '{text[:40]}'.")
        numbers.append(int(text))
    return numbers[0], numbers[1]


def _invalid(reason: str) -> InvalidPolicyDocument:
    return InvalidPolicyDocument(f"Invalid Policy: {reason}")


def _refused(reason: str) -> AccessDenied:
    return AccessDenied(f"Invalid according to Policy: {reason}")
