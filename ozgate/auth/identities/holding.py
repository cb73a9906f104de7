"""What users and groups have alike: policies, attached by name or written for them alone.

Limits are AWS's. Source: IAM User Guide, "IAM and AWS STS quotas"; IAM API Reference, "AttachUserPolicy", "PutUserPolicy".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeVar

from attrs import evolve

from ...errors.iam import LimitExceeded, NoSuchEntity
from ...interfaces import IMetadataTransaction
from ...values import Group, User
from .grants import document_of
from .naming import check_name

Holder = TypeVar("Holder", User, Group)

MOST_ATTACHED: Final = 10
"""Policies that are attached to a user or group at most."""

MOST_INLINE: Final[Mapping[type, int]] = {User: 2048, Group: 5120}
"""Characters, without white space, of all policies together that are a user's or group's alone."""


def attached(tx: IMetadataTransaction, holder: Holder, policy: str) -> Holder:
    """A user or group with a policy attached; it may be that already.

    :raises NoSuchEntity: there is no such policy.
    :raises LimitExceeded: there are too many.
    """
    if document_of(tx, policy) is None:
        raise NoSuchEntity(f"Policy {policy} does not exist or is not attachable.")
    policies = holder.policies | {policy}
    if len(policies) > max(MOST_ATTACHED, len(holder.policies)):
        kind = "User" if isinstance(holder, User) else "Group"
        raise LimitExceeded(
            f"Cannot exceed quota for PoliciesPer{kind}: {MOST_ATTACHED}"
        )
    return evolve(holder, policies=policies)


def detached(holder: Holder, policy: str) -> Holder:
    """A user or group with a policy attached no more.

    :raises NoSuchEntity: it was not.
    """
    if policy not in holder.policies:
        raise NoSuchEntity(f"Policy {policy} was not found.")
    return evolve(holder, policies=holder.policies - {policy})


def with_inline(holder: Holder, name: str, document: str) -> Holder:
    """A user or group with a policy of its own; one of that name is replaced.

    :raises LimitExceeded: they would be too long together.
    """
    check_name(name, "policy")
    inline = {**holder.inline, name: document}
    most = MOST_INLINE[type(holder)]
    if sum(map(length, inline.values())) > most:
        kind = "user" if isinstance(holder, User) else "group"
        raise LimitExceeded(
            f"Maximum policy size of {most} bytes exceeded for {kind} {holder.name}"
        )
    return evolve(holder, inline=inline)


def without_inline(holder: Holder, name: str) -> Holder:
    """A user or group with a policy of its own less.

    :raises NoSuchEntity: there is none of that name.
    """
    find_inline(holder, name)
    inline = {each: text for each, text in holder.inline.items() if each != name}
    return evolve(holder, inline=inline)


def find_inline(holder: Holder, name: str) -> str:
    """The document of a policy of a user's or group's own.

    :raises NoSuchEntity: there is none of that name.
    """
    if name not in holder.inline:
        kind = "user" if isinstance(holder, User) else "group"
        raise NoSuchEntity(f"The {kind} policy with name {name} cannot be found.")
    return holder.inline[name]


def length(document: str) -> int:
    """How long a document is: white space does not count."""
    return sum([not each.isspace() for each in document])
