"""What the rows of users, groups and policies grant whoever signed: looked up in the read that looks up the secret.

It outlives no change: a policy that is detached, a user or a key that is disabled counts from the next request on. Whatever is damaged, or missing though
a row names it, denies: who asks is refused as long as it is not known what he must not do.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ...errors import Damaged
from ...interfaces import IMetadataTransaction
from ...values import NO_GRANTS, Grants, Secret, User
from .canned import CANNED


def grants_of(tx: IMetadataTransaction, secret: Secret) -> Grants | None:
    """What whoever signed with a secret is granted besides what is his; a part of interactions.

    A secret of a user without a row, which are most, costs nothing here.

    :return: ``None`` where the key or its user is disabled, so that it opens nothing.
    :raises Damaged: what must be known is not to be had.
    """
    if not (secret.is_managed or secret.limits or secret.is_disabled):
        return NO_GRANTS
    if secret.is_disabled:
        return None
    limits = tuple([each.encode() for each in secret.limits])
    if not secret.is_managed:
        return Grants(limits=limits)
    user = tx.user(secret.user)
    if user is None:
        raise _lost("user", secret.user)
    if user.is_disabled:
        return None
    return Grants(user.groups, policies_of(tx, user), limits)


def policies_of(tx: IMetadataTransaction, user: User) -> tuple[bytes, ...]:
    """The documents of all policies of a user and of his groups, each once; a part of interactions.

    :raises Damaged: one of them is not to be had.
    """
    found = [*_documents(tx, user.policies), *user.inline.values()]
    for name in user.groups:
        group = tx.group(name)
        if group is None:
            raise _lost("group", name)
        found += [*_documents(tx, group.policies), *group.inline.values()]
    return tuple([each.encode() for each in dict.fromkeys(found)])


def document_of(tx: IMetadataTransaction, name: str) -> str | None:
    """The document of a policy, be it a canned one; ``None`` where there is no such policy; a part of interactions."""
    document = CANNED.get(name)
    if document is None:
        policy = tx.policy(name)
        return None if policy is None else policy.document
    return document


def _documents(tx: IMetadataTransaction, names: Iterable[str]) -> Iterator[str]:
    for name in names:
        document = document_of(tx, name)
        if document is None:
            raise _lost("policy", name)
        yield document


def _lost(kind: str, name: str) -> Damaged:
    return Damaged(f"the {kind} {name!r} is named, and not there", "metadata")
