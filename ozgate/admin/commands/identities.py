"""What the commands on users, groups, policies and keys have in common: who may call them, and that it is said who did.

They are for administrators alone: whoever may attach a policy may do everything. And only while signatures are verified, for else nothing of
it would count.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, TypeVarTuple

from twisted.logger import Logger

from ...errors.iam import MalformedPolicyDocument
from ...interfaces import IMetadataTransaction, ISecretStore
from ...s3.policy.language import Malformed, parse_identity_policy
from ..caller import Caller, require_admin
from ..context import AdminContext
from ..errors import AdminError

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

_log = Logger()


async def change(
    context: AdminContext,
    caller: Caller,
    interaction: Callable[[IMetadataTransaction, str, *Ts], T],
    name: str,
    *args: *Ts,
) -> T:
    """Run an interaction that changes something, and say so in the log.

    :param name: what it is about.
    :raises AdminError: the caller may not.
    """
    require_secrets(context, caller)
    done = await context.gateway.metadata.write(interaction, name, *args)
    tell(interaction.__name__.strip("_"), caller, name)
    return done


async def look(
    context: AdminContext,
    caller: Caller,
    interaction: Callable[[IMetadataTransaction, *Ts], T],
    *args: *Ts,
) -> T:
    """Run an interaction that only looks.

    :raises AdminError: the caller may not.
    """
    require_secrets(context, caller)
    return await context.gateway.metadata.read(interaction, *args)


def require_secrets(context: AdminContext, caller: Caller) -> ISecretStore:
    """The secrets, for administrators.

    :raises AdminError: the caller is none, or security is off, or another system verifies who asks.
    """
    require_admin(caller)
    foreign = context.gateway.foreign
    if foreign is not None and foreign.system.verifies:
        raise AdminError(
            "NOT_SUPPORTED_OPERATION",
            "a secure cluster verifies who asks here: its users and their secrets are its own",
        )
    if context.secrets is None:
        raise AdminError(
            "SECURITY_DISABLED",
            "users, groups, policies and keys count only when security is enabled: set ozone.security.enabled to true; while the service is down, give --config the file that does",
        )
    return context.secrets


def tell(done: str, caller: Caller, name: str) -> None:
    """Say in the log what was done, and who did it."""
    _log.info("{done} {name}: by {user}", done=done, name=name, user=caller.user)


def check_document(context: AdminContext, caller: Caller, document: str) -> None:
    """Make sure that a document is a policy of an identity; nobody else than administrators is told.

    :raises AdminError: the caller may not.
    :raises MalformedPolicyDocument: it is not; the message says why.
    """
    require_secrets(context, caller)
    try:
        parse_identity_policy(document.encode())
    except Malformed as error:
        raise MalformedPolicyDocument(str(error)) from None
