"""Rows of users, groups and policies that others name, and that are not there: whoever it is about is refused (:mod:`.grants`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...errors import Damaged
from ...interfaces import IMetadataTransaction
from .grants import document_of
from .groups import all_groups
from .users import all_keys, all_users


def lost_rows(tx: IMetadataTransaction) -> Sequence[tuple[str, str]]:
    """What is lost: what names it, and which row that is. Costs a walk through all keys, users and groups.

    Where one of those is damaged nothing is said: that one is to go first.
    """
    try:
        return list(_lost(tx))
    except Damaged:
        return []


def _lost(tx: IMetadataTransaction) -> Iterator[tuple[str, str]]:
    for key in all_keys(tx):
        if key.is_managed and tx.user(key.user) is None:
            yield f"key {key.access_id}", f"user {key.user!r}"
    for user in all_users(tx):
        for group in sorted(user.groups):
            if tx.group(group) is None:
                yield f"user {user.name}", f"group {group!r}"
        yield from _policies(tx, f"user {user.name}", user.policies)
    for each in all_groups(tx):
        yield from _policies(tx, f"group {each.name}", each.policies)


def _policies(
    tx: IMetadataTransaction, holder: str, names: frozenset[str]
) -> Iterator[tuple[str, str]]:
    for name in sorted(names):
        if document_of(tx, name) is None:
            yield holder, f"policy {name!r}"
