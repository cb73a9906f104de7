"""What users, groups, policies and sessions are called: Amazon Resource Names. The number of the account says nothing here, and any is taken.

Source: IAM User Guide, "IAM identifiers".
"""

from __future__ import annotations

import re

from ..auth.identities.canned import CANNED
from ..errors.iam import NoSuchEntity, ValidationError
from ..s3.policy.facts import ACCOUNT

_arn = re.compile(
    r"arn:aws:iam::(?:[0-9]{12}|aws)?:(user|role|policy)/(.+)", re.DOTALL
).fullmatch


def arn_of(kind: str, name: str) -> str:
    """The name of a user, a group or a policy.

    :param kind: ``user``, ``group`` or ``policy``.
    """
    account = "aws" if kind == "policy" and name in CANNED else ACCOUNT
    return f"arn:aws:iam::{account}:{kind}/{name}"


def session_arn(role: str, name: str) -> str:
    """The name of the session of a role, which a user is here."""
    return f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{name}"


def policy_name(arn: str) -> str:
    """The name of the policy that an ARN is of.

    :raises ValidationError: it is none.
    :raises NoSuchEntity: it is of something else.
    """
    match = _arn(arn)
    if match is None:
        raise ValidationError(f"ARN {arn} is not valid.")
    if match[1] != "policy":
        raise NoSuchEntity(f"Policy {arn} does not exist or is not attachable.")
    return match[2]


def role_name(arn: str) -> str:
    """The name of the user or role that an ARN is of.

    :raises ValidationError: it is none.
    """
    match = _arn(arn)
    if match is None or match[1] == "policy":
        raise ValidationError(f"{arn} is invalid")
    return match[2]
