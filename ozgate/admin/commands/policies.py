"""Named policies behind ``ozgate admin policy``."""

from __future__ import annotations

from ...auth.identities import policies
from ...auth.identities.canned import CANNED
from ...interfaces import IMetadataTransaction
from ...values import ManagedPolicy
from ..answers import Json
from ..caller import Caller
from ..context import AdminContext
from .identities import change, check_document, look


async def create_policy(
    context: AdminContext,
    caller: Caller,
    policy: str,
    document: str,
    description: str = "",
) -> Json:
    """Make a policy.

    :param document: as JSON.
    """
    check_document(context, caller, document)
    return await change(context, caller, _create_policy, policy, document, description)


def _create_policy(
    tx: IMetadataTransaction, name: str, document: str, description: str
) -> Json:
    return shown(policies.create_policy(tx, name, document, description))


async def update_policy(
    context: AdminContext, caller: Caller, policy: str, document: str
) -> Json:
    """Write a policy anew; it counts wherever it is attached from the next request on."""
    check_document(context, caller, document)
    return await change(context, caller, _update_policy, policy, document)


def _update_policy(tx: IMetadataTransaction, name: str, document: str) -> Json:
    return shown(policies.replace_policy(tx, name, document))


async def list_policies(context: AdminContext, caller: Caller) -> list[Json]:
    """All policies by name: first those that are always there."""
    return await look(context, caller, _list)


def _list(tx: IMetadataTransaction) -> list[Json]:
    canned = [policies.find_policy(tx, name) for name in CANNED]
    return [shown(policy) for policy in (*canned, *policies.all_policies(tx))]


async def info_policy(context: AdminContext, caller: Caller, policy: str) -> Json:
    """A policy, with its document, and whom it is attached to."""
    return await look(context, caller, _info, policy)


def _info(tx: IMetadataTransaction, name: str) -> Json:
    policy, holders = policies.find_policy(tx, name), policies.holders_of(tx, name)
    said = {"users": holders.users, "groups": holders.groups}
    return {**shown(policy), **said, "document": policy.document}


async def remove_policy(context: AdminContext, caller: Caller, policy: str) -> None:
    """Remove a policy that is attached to nobody."""
    await change(context, caller, policies.delete_policy, policy)


def shown(policy: ManagedPolicy) -> Json:
    """What is told of a policy. One that is always there was never made."""
    is_canned = policy.name in CANNED
    return {
        "name": policy.name,
        "id": policy.id,
        "canned": is_canned,
        "created": None if is_canned else policy.created,
        "updated": None if is_canned else policy.updated,
        "version": policy.version,
        "description": policy.description,
    }
