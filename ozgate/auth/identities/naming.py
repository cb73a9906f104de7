"""What users, groups and policies may be called, and the ids that IAM's calls show of them.

Source of the rules: IAM API Reference, "CreateUser", "CreateGroup", "CreatePolicy"; IAM User Guide, "IAM identifiers", "Unique IDs".
"""

from __future__ import annotations

import re
from base64 import b32encode
from collections.abc import Callable
from hashlib import sha256
from secrets import choice
from typing import Final

from ...errors.iam import ValidationError

USER, GROUP, POLICY, KEY = "AIDA", "AGPA", "ANPA", "AKIA"
"""What ids begin with, by what they are of."""

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"

_user = re.compile(r"[!-~]{1,256}").fullmatch
_forbidden_in_users = frozenset("~,'\"\\`$")
"""``~`` begins a key's name; the others would not survive in an Authorization header or a shell."""

_name = re.compile(r"[\w+=,.@-]{1,128}", re.ASCII).fullmatch

is_opaque: Final[Callable[[str], object]] = re.compile(
    r"A(?:KIA|SIA)[A-Z0-9]{16}"
).fullmatch
"""Whether an access id is of the form that says nothing of its user, as AWS's are."""


def is_user_name(name: str) -> bool:
    """Whether a user may be called so. Names of Kerberos are names here, unlike on AWS; access ids that ozgate makes are none."""
    return (
        _user(name) is not None
        and _forbidden_in_users.isdisjoint(name)
        and not is_opaque(name)
    )


def check_user_name(name: str) -> None:
    """Make sure that a user may be called so.

    :raises ValidationError: not so.
    """
    if not is_user_name(name):
        raise ValidationError(
            f"{name!r} is no name of a user: up to 256 characters of ASCII without spaces, quotes, commas, $, \\ and ~, and no access key id"
        )


def check_name(name: str, kind: str) -> None:
    """Make sure that a group or policy may be called so.

    :param kind: what it is, such as ``group``.
    :raises ValidationError: not so.
    """
    if not _name(name):
        raise ValidationError(
            f"{name!r} is no name of a {kind}: up to 128 letters and digits of ASCII, and +=,.@_-"
        )


def id_of(prefix: str, name: str, created: int) -> str:
    """The id of what was made then: it is no secret, and another one for whoever gets the name later."""
    digest = sha256(f"{prefix}\0{name}\0{created}".encode()).digest()
    return prefix + b32encode(digest).decode("ascii")[:17]


def new_access_id() -> str:
    """An access id that says nothing of its user: 20 letters and digits."""
    return KEY + "".join([choice(_LETTERS) for _ in range(16)])
